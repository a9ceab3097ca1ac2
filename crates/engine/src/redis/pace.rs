//! How much is brought at once while nobody can be served: as much as one script does in a part of the time that Redis may be
//! busy with one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// So many at first, and never fewer.
const LEAST: usize = 256;
/// More would be much memory for little time.
const MOST: usize = 4_096;
/// A script is busy with them for about so long, and not for twice as long: another node that asks meanwhile waits for it.
const BUSY: Duration = Duration::from_millis(25);

/// The size of the next step.
#[derive(Debug)]
pub(super) struct Pace(AtomicUsize);

impl Default for Pace {
    fn default() -> Self {
        Self(AtomicUsize::new(LEAST))
    }
}

impl Pace {
    /// How many numbers the next step has.
    pub(super) fn most(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// A step of so many took so long. The next is larger where that was a whole one and quick, and smaller where it was slow.
    pub(super) fn took(&self, count: usize, time: Duration) {
        let most = self.most();
        let next = match () {
            () if time > BUSY * 2 => most / 2,
            () if count >= most && time <= BUSY => most * 2,
            () => most,
        };
        self.0.store(next.clamp(LEAST, MOST), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_steps_grow_and_slow_ones_shrink_within_bounds() {
        let pace = Pace::default();
        pace.took(LEAST - 1, Duration::ZERO);
        assert_eq!(pace.most(), LEAST, "it was no whole step");
        for _ in 0..20 {
            pace.took(pace.most(), Duration::from_millis(1));
        }
        assert_eq!(pace.most(), MOST);
        pace.took(MOST, BUSY * 2);
        assert_eq!(pace.most(), MOST, "as slow as it may be");
        pace.took(MOST, BUSY * 3);
        assert_eq!(pace.most(), MOST / 2);
        for _ in 0..20 {
            pace.took(pace.most(), BUSY * 9);
        }
        assert_eq!(pace.most(), LEAST);
    }
}
