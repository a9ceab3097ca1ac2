//! An import that goes on after its request was answered.

use std::sync::Arc;

use super::feed::Feed;
use crate::http::{Api, ApiError};
use crate::jobs::{Ending, Job, Running};
use crate::rows::{self, BadRow, Intake, Options, Stop, Tally, Target, Watcher, WriteMode};

/// Reads the body that `pump` brings to its end, or until the job is cancelled: what came before that is written, and counted.
pub(super) async fn run(
    api: Arc<Api>,
    pump: impl Future<Output = ()> + Send,
    input: Feed,
    (target, options): (Target, Options),
    running: Running,
) {
    let job = running.job().clone();
    let bringing = async {
        tokio::select! {
            biased;
            // The feed breaks off, and the rows that it gave are the last.
            () = job.cancelled() => {}
            () = pump => {}
        }
    };
    let mut watcher = Told(job.clone());
    let taking = rows::take_in(input, target, options, &mut watcher);
    let ((), Intake { tally, stopped }) = tokio::join!(bringing, taking);
    job.progress().tally = tally;
    let id = job.id.to_string();
    if options.mode == WriteMode::Write
        && tally.added + tally.updated > 0
        && let Err(error) = api.sync.now().await
    {
        job.progress().note = Some(ApiError::from(error).told_later(&id));
    }
    running.end(match stopped {
        None => Ending::Done,
        Some(Stop::File(_)) if job.is_cancelled() => Ending::Cancelled,
        Some(Stop::File(error)) => Ending::Failed(error.to_string()),
        Some(Stop::Store(error)) => Ending::Failed(ApiError::from(error).told_later(&id)),
    });
}

/// Notes all in the job.
struct Told(Arc<Job>);

impl Watcher for Told {
    fn unknown_columns(&mut self, names: &[String]) {
        self.0.progress().unknown_columns(names);
    }

    fn bad_row(&mut self, row: BadRow) {
        self.0.progress().bad_row(row);
    }

    fn progress(&mut self, tally: &Tally) {
        self.0.progress().progress(tally);
    }
}
