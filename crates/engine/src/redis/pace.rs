//! How much is brought at once while nobody can be served, as much as one script does in a part of the time that Redis may be
//! busy with one; and when to give way to calls where they are served.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
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

/// Whoever brings numbers leaves Redis to calls now and then, where there are calls: on any node, as they make events.
#[derive(Debug, Default)]
pub(super) struct GiveWay(AtomicI64);

impl GiveWay {
    /// For how long after a step that took so long, behind which there were so many events: for half of that, where some came
    /// since the step before. A step that took long is no reason to stand still.
    pub(super) fn after(&self, told: i64, took: Duration) -> Option<Duration> {
        const MOST: Duration = Duration::from_millis(20);
        let calls = self.0.swap(told, Ordering::Relaxed) != told;
        calls.then(|| MOST.min(took / 2))
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

    #[test]
    fn only_where_there_are_calls_somebody_gives_way_to_them() {
        let way = GiveWay::default();
        let step = Duration::from_millis(2);
        assert_eq!(way.after(0, step), None);
        assert_eq!(way.after(3, step), Some(step / 2));
        assert_eq!(way.after(3, step), None);
        let long = way.after(4, Duration::from_secs(9));
        assert_eq!(long, Some(Duration::from_millis(20)));
    }
}
