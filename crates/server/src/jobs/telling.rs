//! What nodes tell one another of their jobs: each shows those of all, and can end them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use caller_id_core::AllocatorError;
use caller_id_core::job_board::JobBoard;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::shown::{JobShown, SILENT_MS};
use super::{Job, Jobs, KEPT_MOST};

/// How often a node tells of the jobs that it runs, and learns which of them are to end.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// So long a node that stops waits for the end of its jobs.
const LAST_WORD_WITHIN: Duration = Duration::from_secs(1);
/// Redis may take so long, then a node shows what it knows itself.
const WAIT_MOST: Duration = Duration::from_secs(1);

impl Jobs {
    /// The jobs of all nodes, the newest first. `false`: only those of this node, the others could not be read.
    pub async fn everywhere(&self) -> (Vec<JobShown>, bool) {
        let mut shown: Vec<_> = self.all().iter().map(|job| JobShown::brief(job)).collect();
        let told = match &self.board {
            None => Some(Vec::new()),
            Some(board) => within(board.told_jobs()).await.ok(),
        };
        let all_nodes = told.is_some();
        let now = self.clock.now();
        for told in told.unwrap_or_default() {
            let told = JobShown::read(&told, now);
            shown.extend(told.filter(|told| self.get(told.id).is_none()));
        }
        shown.sort_by_key(|job| std::cmp::Reverse((job.started_at, job.id)));
        while shown.len() > KEPT_MOST {
            match shown.iter().rposition(|job| !job.is_running()) {
                Some(oldest) => drop(shown.remove(oldest)),
                None => break,
            }
        }
        (shown, all_nodes)
    }

    /// The job of this id, whichever node runs it.
    ///
    /// # Errors
    /// [`AllocatorError`] when it is none of this node, and the others could not be asked.
    pub async fn find(&self, id: Uuid) -> Result<Option<JobShown>, AllocatorError> {
        if let Some(job) = self.get(id) {
            return Ok(Some(JobShown::whole(&job)));
        }
        let Some(board) = &self.board else {
            return Ok(None);
        };
        let told = within(board.told_job(&id.to_string())).await?;
        Ok(told.and_then(|told| JobShown::read(&told, self.clock.now())))
    }

    /// Asks a job to end, whichever node runs it, and gives it as it is: another node learns of it within a second.
    ///
    /// # Errors
    /// As [`Jobs::find`].
    pub async fn cancel(&self, id: Uuid) -> Result<Option<JobShown>, AllocatorError> {
        match (self.get(id), &self.board) {
            (Some(job), _) => job.cancel(),
            (None, None) => return Ok(None),
            (None, Some(board)) => {
                if !within(board.end_job(&id.to_string())).await? {
                    return Ok(None);
                }
            }
        }
        self.find(id).await
    }

    /// Tells the others of a job of this node, before anybody is told its id. Where that is not possible now, they learn of
    /// it later.
    pub async fn tell(&self, job: &Job) {
        if let Some(board) = &self.board {
            let _ = within(self.tell_to(&**board, job)).await;
        }
    }

    /// Tells the others of the jobs that this node runs, until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        let Some(board) = &self.board else {
            return stop.cancelled().await;
        };
        let board = &**board;
        let mut ticks = tokio::time::interval(TELL_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = self.ended.notified() => {}
                _ = ticks.tick() => {}
            }
            if self.tell_all(board).await.is_err() {
                let _ = stop
                    .run_until_cancelled(tokio::time::sleep(WAIT_MOST))
                    .await;
            }
        }
        // The last word of a node that stops: its jobs end by the same token.
        let last = async {
            while self.all().iter().any(|job| job.progress().ending.is_none()) {
                self.ended.notified().await;
            }
        };
        let _ = timeout(LAST_WORD_WITHIN, last).await;
        let _ = within(self.tell_all(board)).await;
    }

    async fn tell_all(&self, board: &dyn JobBoard) -> Result<(), AllocatorError> {
        for job in self.all() {
            if !job.said.end.load(Ordering::Relaxed) {
                self.tell_to(board, &job).await?;
            }
        }
        Ok(())
    }

    async fn tell_to(&self, board: &dyn JobBoard, job: &Job) -> Result<(), AllocatorError> {
        // One at a time: what was so before is not said after what is so now.
        let _turn = job.said.turn.lock().await;
        loop {
            let shown = JobShown::brief(job);
            let errors = job.errors_beyond(job.said.errors.load(Ordering::Relaxed));
            let word = shown.word(errors.as_deref());
            let asked = board.tell_job(&word, KEPT_MOST, SILENT_MS).await?;
            if asked.to_end {
                job.cancel();
            }
            if let Some(errors) = &errors {
                job.said.errors.store(errors.len(), Ordering::Relaxed);
            }
            let lacks =
                asked.is_new && errors.is_none() && job.said.errors.swap(0, Ordering::Relaxed) > 0;
            if !lacks {
                job.said.end.store(!shown.is_running(), Ordering::Relaxed);
                return Ok(());
            }
        }
    }
}

async fn within<T>(
    asking: impl Future<Output = Result<T, AllocatorError>>,
) -> Result<T, AllocatorError> {
    let answered = timeout(WAIT_MOST, asking).await;
    answered.unwrap_or_else(|late| Err(AllocatorError::Unavailable(Arc::new(late))))
}

#[cfg(test)]
mod tests;
