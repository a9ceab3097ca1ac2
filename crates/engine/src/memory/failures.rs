//! Commits that fail, as the log tells of them: the first at once, then how many at most every ten seconds, and their end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use caller_id_core::StoreError;
use tokio::time::Instant;

/// Least time between two lines: a full disk is no place for more.
const PAUSE: Duration = Duration::from_secs(10);

/// Commits that failed since the last good one.
#[derive(Debug, Default)]
pub(super) struct Failures {
    /// Whether there are any: all that a good commit looks at.
    any: AtomicBool,
    counted: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    all: u64,
    silent: u64,
    told: Option<Instant>,
}

impl Failures {
    /// One more.
    pub(super) fn note(&self, error: &StoreError) {
        if let Some(times) = self.count() {
            tracing::error!(%error, times, "nothing can be recorded: allocations are taken back and refused");
        }
    }

    /// A commit succeeded.
    pub(super) fn end(&self) {
        if let Some(failed) = self.ended() {
            tracing::info!("allocations are recorded again, after {failed} commits that failed");
        }
    }

    /// Some when a line is due: how many there were since the last line.
    fn count(&self) -> Option<u64> {
        let now = Instant::now();
        self.any.store(true, Ordering::Relaxed);
        let mut counted = self.counted();
        counted.all += 1;
        counted.silent += 1;
        if counted.told.is_some_and(|told| now - told < PAUSE) {
            return None;
        }
        counted.told = Some(now);
        Some(std::mem::take(&mut counted.silent))
    }

    /// Some when that is news: how many failed.
    fn ended(&self) -> Option<u64> {
        if !self.any.swap(false, Ordering::Relaxed) {
            return None;
        }
        Some(std::mem::take(&mut *self.counted()).all)
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn failures_are_told_at_once_then_every_ten_seconds_with_how_many_and_when_they_end() {
        let failures = Failures::default();
        assert_eq!(failures.ended(), None);
        assert_eq!(failures.count(), Some(1));
        for _ in 0..90 {
            tokio::time::advance(PAUSE / 100).await;
            assert_eq!(failures.count(), None);
        }
        tokio::time::advance(PAUSE / 10).await;
        assert_eq!(failures.count(), Some(91));
        assert_eq!(failures.count(), None);
        assert_eq!(failures.ended(), Some(93));
        assert_eq!(failures.ended(), None);
        assert_eq!(failures.count(), Some(1), "the next one is told at once");
    }
}
