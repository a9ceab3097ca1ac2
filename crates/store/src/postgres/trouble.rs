//! What the last commit failed with, until one succeeds: a server whose disk is full takes an empty batch, and no row.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use caller_id_core::StoreError;
use tokio::time::Instant;

/// For so long a failure speaks for itself; then it is tried whether rows are taken again.
const FRESH: Duration = Duration::from_secs(3);

/// A commit that was refused, while none succeeded since.
#[derive(Debug, Default)]
pub(super) struct Trouble(Mutex<Option<Refusal>>);

#[derive(Debug)]
struct Refusal {
    at: Instant,
    full: bool,
    why: String,
}

/// What is known of commits.
pub(super) enum Standing {
    /// The last one succeeded, or failed for what every attempt meets.
    Well,
    /// One was refused just now: with what it said.
    Refused(StoreError),
    /// One was refused a while ago.
    Doubtful(Since),
}

/// Which refusal it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Since(Instant);

impl Trouble {
    /// A commit was refused for what may meet rows alone.
    pub(super) fn refused(&self, error: &StoreError) {
        let (full, why) = match error {
            StoreError::Full(why) => (true, why.to_string()),
            StoreError::Busy(why) | StoreError::Failed(why) => (false, why.to_string()),
            other => (false, other.to_string()),
        };
        let at = Instant::now();
        *self.last() = Some(Refusal { at, full, why });
    }

    /// A commit succeeded.
    pub(super) fn over(&self) {
        *self.last() = None;
    }

    /// Rows were taken that nobody needs: over, if nothing was refused meanwhile.
    pub(super) fn over_since(&self, since: Since) {
        let mut last = self.last();
        if last.as_ref().is_some_and(|refusal| refusal.at == since.0) {
            *last = None;
        }
    }

    pub(super) fn standing(&self) -> Standing {
        match &*self.last() {
            None => Standing::Well,
            Some(refusal) if refusal.at.elapsed() < FRESH => Standing::Refused(refusal.told()),
            Some(refusal) => Standing::Doubtful(Since(refusal.at)),
        }
    }

    fn last(&self) -> MutexGuard<'_, Option<Refusal>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Refusal {
    fn told(&self) -> StoreError {
        let why = self.why.clone().into();
        match self.full {
            true => StoreError::Full(why),
            false => StoreError::Failed(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> StoreError {
        StoreError::Full("no room".into())
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_told_for_a_while_then_doubted_and_over_with_a_commit() {
        let trouble = Trouble::default();
        assert!(matches!(trouble.standing(), Standing::Well));
        trouble.refused(&full());
        tokio::time::advance(FRESH / 2).await;
        let Standing::Refused(told) = trouble.standing() else {
            panic!("it was just now");
        };
        assert_eq!(told.to_string(), full().to_string());
        tokio::time::advance(FRESH / 2).await;
        assert!(matches!(trouble.standing(), Standing::Doubtful(_)));
        trouble.over();
        assert!(matches!(trouble.standing(), Standing::Well));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_refused_while_rows_were_tried_is_not_forgotten() {
        let trouble = Trouble::default();
        trouble.refused(&full());
        tokio::time::advance(FRESH).await;
        let Standing::Doubtful(since) = trouble.standing() else {
            panic!("it was a while ago");
        };
        trouble.refused(&full());
        trouble.over_since(since);
        assert!(matches!(trouble.standing(), Standing::Refused(_)));
        tokio::time::advance(FRESH).await;
        let Standing::Doubtful(since) = trouble.standing() else {
            panic!("it was a while ago");
        };
        trouble.over_since(since);
        assert!(matches!(trouble.standing(), Standing::Well));
    }
}
