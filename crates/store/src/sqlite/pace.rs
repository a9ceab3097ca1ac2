//! Whether commits are quick enough to be made by those who wait for them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A commit that takes longer holds up all else that its caller's thread has to do: other calls, and their deadlines.
const SLOW: Duration = Duration::from_millis(10);
/// After a slow commit so many quick ones are made elsewhere before callers are trusted with them again.
const QUICK_ONES: u32 = 64;

/// How quick the latest commits were.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Quick commits to go until the disk counts as quick again.
    to_go: AtomicU32,
}

impl Pace {
    /// Whether the next commit may be made by its caller.
    pub(super) fn is_quick(&self) -> bool {
        self.to_go.load(Ordering::Relaxed) == 0
    }

    /// A commit took so long.
    pub(super) fn note(&self, took: Duration) {
        let to_go = match took > SLOW {
            true => QUICK_ONES,
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
        let pace = Pace::default();
        assert!(pace.is_quick());
        pace.note(SLOW + Duration::from_millis(1));
        for _ in 0..QUICK_ONES {
            assert!(!pace.is_quick());
            pace.note(SLOW);
        }
        assert!(pace.is_quick());
    }
}
