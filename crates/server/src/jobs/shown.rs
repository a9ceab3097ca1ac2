//! A job as it was at some moment, of whichever node: what people are shown, and what nodes tell one another.

use caller_id_core::Timestamp;
use caller_id_core::job_board::{JobStanding, JobTold, JobWord};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Ending, Job, JobKind, Progress};
use crate::rows::{BadRow, WriteMode};

/// A node that did not tell of a job for so long, in milliseconds, is gone, and the job with it.
pub(super) const SILENT_MS: i64 = 5_000;

/// A job as it was at some moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobShown {
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
    /// Bytes of its file that were read.
    pub bytes: u64,
    /// How far it was.
    pub progress: Progress,
}

impl JobShown {
    /// A job of this node, with the bad rows of its file.
    pub fn whole(job: &Job) -> Self {
        let progress = job.progress().clone();
        Self::with(job, progress)
    }

    /// The same without them.
    pub fn brief(job: &Job) -> Self {
        let progress = job.progress().brief();
        Self::with(job, progress)
    }

    fn with(job: &Job, progress: Progress) -> Self {
        Self {
            id: job.id,
            kind: job.kind,
            by: job.by.clone(),
            mode: job.mode,
            started_at: job.started_at,
            bytes: job.bytes(),
            progress,
        }
    }

    /// Whether it went on.
    pub const fn is_running(&self) -> bool {
        self.progress.ending.is_none()
    }

    /// What other nodes are told of it.
    pub(super) fn word(&self, errors: Option<&[BadRow]>) -> JobWord {
        let text = |written: serde_json::Result<String>| written.unwrap_or_default();
        JobWord {
            id: self.id.to_string(),
            standing: match self.is_running() {
                true => JobStanding::Running,
                false => JobStanding::Ended,
            },
            text: text(serde_json::to_string(self)),
            more: errors.map(|errors| text(serde_json::to_string(errors))),
        }
    }

    /// What another node told at `now` or before; none when it is of a version that writes otherwise. Where nothing was heard
    /// for a while of a job that went on, its node is gone.
    pub(super) fn read(told: &JobTold, now: Timestamp) -> Option<Self> {
        let mut shown: Self = serde_json::from_str(&told.text).ok()?;
        shown.progress.errors = serde_json::from_str(&told.more).unwrap_or_default();
        if shown.is_running() && told.ago_ms > SILENT_MS {
            shown.progress.ending = Some(Ending::Interrupted);
            let heard = now.plus_ms(told.ago_ms.saturating_neg());
            shown.progress.ended_at = Some(heard.max(shown.started_at));
        }
        Some(shown)
    }
}
