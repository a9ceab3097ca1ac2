//! Work that takes longer than anybody waits for an answer: it goes on in this process, and is asked how far it is.

mod progress;
mod shown;
mod telling;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use caller_id_core::job_board::JobBoard;
use caller_id_core::{Clock, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use progress::{Ending, Progress};
pub use shown::JobShown;

use crate::rows::{BadRow, WriteMode};

/// So many run at once.
const RUNNING_MOST: usize = 4;
/// So many are remembered, those that run among them.
const KEPT_MOST: usize = 20;

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobKind {
    /// Writes the numbers of a file.
    Import,
    /// Changes or deletes many numbers.
    Bulk,
}

impl JobKind {
    /// The word used in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Bulk => "bulk",
        }
    }
}

/// As many jobs run as may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy;

/// The jobs of this process, which end with it; and, where nodes share a Redis, what the others tell of theirs.
pub struct Jobs {
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    jobs: Mutex<VecDeque<Arc<Job>>>,
    board: Option<Arc<dyn JobBoard>>,
    /// A job has ended.
    ended: Arc<Notify>,
}

impl Jobs {
    /// None yet. `stop` cancels them; `board` is where nodes tell one another.
    pub fn new(
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
        board: Option<Arc<dyn JobBoard>>,
    ) -> Self {
        Self {
            clock,
            stop,
            jobs: Mutex::default(),
            board,
            ended: Arc::default(),
        }
    }

    /// A job that begins. Keep what is given as long as it works: where it is dropped without an end, the job failed.
    ///
    /// # Errors
    /// [`Busy`].
    pub fn begin(&self, kind: JobKind, by: &str, mode: WriteMode) -> Result<Running, Busy> {
        let mut jobs = self.jobs();
        let running = jobs.iter().filter(|job| job.progress().ending.is_none());
        if running.count() >= RUNNING_MOST {
            return Err(Busy);
        }
        while jobs.len() >= KEPT_MOST {
            let oldest = jobs.iter().position(|job| job.progress().ending.is_some());
            match oldest {
                Some(place) => drop(jobs.remove(place)),
                None => break,
            }
        }
        let job = Arc::new(Job {
            id: uuid::Builder::from_random_bytes(rand::random()).into_uuid(),
            kind,
            by: by.to_owned(),
            mode,
            started_at: self.clock.now(),
            cancel: self.stop.child_token(),
            bytes: Arc::default(),
            progress: Mutex::default(),
            said: Said::default(),
        });
        jobs.push_back(job.clone());
        Ok(Running {
            job,
            clock: self.clock.clone(),
            ended: self.ended.clone(),
        })
    }

    /// All of this node that are remembered, the oldest first.
    pub fn all(&self) -> Vec<Arc<Job>> {
        self.jobs().iter().cloned().collect()
    }

    /// The job of this node of this id.
    pub fn get(&self, id: Uuid) -> Option<Arc<Job>> {
        self.jobs().iter().find(|job| job.id == id).cloned()
    }

    fn jobs(&self) -> MutexGuard<'_, VecDeque<Arc<Job>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job, for whoever asks how far it is.
pub struct Job {
    /// Its id.
    pub id: Uuid,
    /// What it does.
    pub kind: JobKind,
    /// Who began it.
    pub by: String,
    /// Whether it writes.
    pub mode: WriteMode,
    /// When it began.
    pub started_at: Timestamp,
    cancel: CancellationToken,
    bytes: Arc<AtomicU64>,
    progress: Mutex<Progress>,
    said: Said,
}

/// What other nodes were told of a job.
#[derive(Default)]
struct Said {
    /// Held by whoever tells.
    turn: tokio::sync::Mutex<()>,
    /// So many of its bad rows.
    errors: AtomicUsize,
    /// Its end: there is nothing more to say.
    end: AtomicBool,
}

impl Job {
    /// Asks it to end. What it wrote stays.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Whether it was asked to end.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Resolves when it is asked to end.
    pub async fn cancelled(&self) {
        self.cancel.cancelled().await;
    }

    /// Bytes of its file that were read.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Where those bytes are counted.
    pub fn byte_counter(&self) -> Arc<AtomicU64> {
        self.bytes.clone()
    }

    /// Its bad rows, where they are more than so many.
    fn errors_beyond(&self, known: usize) -> Option<Vec<BadRow>> {
        let progress = self.progress();
        (progress.errors.len() > known).then(|| progress.errors.clone())
    }

    /// How far it is.
    pub fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job, for whoever does it.
pub struct Running {
    job: Arc<Job>,
    clock: Arc<dyn Clock>,
    ended: Arc<Notify>,
}

impl Running {
    /// The job.
    pub const fn job(&self) -> &Arc<Job> {
        &self.job
    }

    /// Ends it. It was cancelled where somebody asked for that and it stopped before its end.
    pub fn end(self, ending: Ending) {
        self.note(ending);
    }

    fn note(&self, ending: Ending) {
        let mut progress = self.job.progress();
        if progress.ending.is_none() {
            progress.ending = Some(ending);
            progress.ended_at = Some(self.clock.now());
            self.ended.notify_one();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.note(Ending::Failed("it broke off".to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use caller_id_core::ManualClock;

    use super::*;

    fn jobs() -> Jobs {
        let clock = Arc::new(ManualClock::at(Timestamp::from_ms(1_000)));
        Jobs::new(clock, CancellationToken::new(), None)
    }

    fn begin(jobs: &Jobs) -> Result<Running, Busy> {
        jobs.begin(JobKind::Bulk, "x", WriteMode::Write)
    }

    #[test]
    fn no_more_run_at_once_than_may_and_no_more_are_kept() {
        let jobs = jobs();
        let running: Vec<_> = (0..RUNNING_MOST).map(|_| begin(&jobs).ok()).collect();
        assert_eq!(begin(&jobs).err(), Some(Busy));
        for _ in 0..2 * KEPT_MOST {
            drop(begin(&jobs));
        }
        drop(running);
        for _ in 0..2 * KEPT_MOST {
            if let Ok(job) = begin(&jobs) {
                job.end(Ending::Done);
            }
        }
        assert_eq!(jobs.all().len(), KEPT_MOST);
    }

    #[test]
    fn a_job_that_is_dropped_without_an_end_failed() {
        let jobs = jobs();
        let running = begin(&jobs).ok();
        let job = running.as_ref().map(|running| running.job().clone());
        drop(running);
        let ending = job.and_then(|job| job.progress().ending.clone());
        assert!(matches!(ending, Some(Ending::Failed(_))));
    }
}
