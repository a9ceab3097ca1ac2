//! Whether work is quick enough: commits, to be made by those who wait for them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A commit that takes longer holds up all else that its caller's thread has to do: other calls, and their deadlines.
const SLOW: Duration = Duration::from_millis(10);
/// After a slow commit so many quick ones are made elsewhere before callers are trusted with them again.
const QUICK_ONES: u32 = 64;

/// How quick the latest of many pieces of work were.
#[derive(Debug)]
pub(super) struct Pace {
    slow: Duration,
    quick_ones: u32,
    /// Quick ones to go until the work counts as quick again.
    to_go: AtomicU32,
}

impl Pace {
    /// Of work that is slow when it takes longer than this, and quick again after so many that do not.
    pub(super) const fn new(slow: Duration, quick_ones: u32) -> Self {
        Self {
            slow,
            quick_ones,
            to_go: AtomicU32::new(0),
        }
    }

    /// Of commits.
    pub(super) const fn of_commits() -> Self {
        Self::new(SLOW, QUICK_ONES)
    }

    /// Whether the next one may be made by its caller.
    pub(super) fn is_quick(&self) -> bool {
        self.to_go.load(Ordering::Relaxed) == 0
    }

    /// One took so long.
    pub(super) fn note(&self, took: Duration) {
        let to_go = match took > self.slow {
            true => self.quick_ones,
            false => self.to_go.load(Ordering::Relaxed).saturating_sub(1),
        };
        self.to_go.store(to_go, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_commit_is_followed_by_some_that_nobody_waits_for_on_an_event_loop() {
        let pace = Pace::of_commits();
        assert!(pace.is_quick());
        pace.note(SLOW + Duration::from_millis(1));
        for _ in 0..QUICK_ONES {
            assert!(!pace.is_quick());
            pace.note(SLOW);
        }
        assert!(pace.is_quick());
    }
}
