//! Counters of the latest steps, without a lock: each knows the step that it counts for.

use std::sync::atomic::{AtomicU64, Ordering};

use super::counts::{Counts, PLACES};

/// More steps than are shown, so that one that is shown is never another's.
const SLOTS: usize = 512;
/// Low bits of a counter are the count, high ones the step: enough for steps of ten seconds until the year 3331.
const COUNT_BITS: u32 = 32;
const COUNT_MOST: u64 = (1 << COUNT_BITS) - 1;

#[derive(Debug)]
pub(super) struct Ring(Vec<[AtomicU64; PLACES]>);

impl Ring {
    pub(super) fn new() -> Self {
        Self(
            std::iter::repeat_with(Default::default)
                .take(SLOTS)
                .collect(),
        )
    }

    /// Counts one in `step`, unless the counter is used for a later one by now.
    pub(super) fn add(&self, step: i64, place: usize) {
        let Some((slot, step)) = self.slot(step) else {
            return;
        };
        let counted = |counter: u64| match counter >> COUNT_BITS {
            of if of == step => (counter & COUNT_MOST < COUNT_MOST).then_some(counter + 1),
            of if of < step => Some(step << COUNT_BITS | 1),
            _ => None,
        };
        // None: nothing is to be changed.
        let _ = slot[place].fetch_update(Ordering::Relaxed, Ordering::Relaxed, counted);
    }

    /// What was counted in `step`.
    pub(super) fn step(&self, step: i64) -> Counts {
        let mut counts = Counts::default();
        if let Some((slot, step)) = self.slot(step) {
            for (count, counter) in counts.0.iter_mut().zip(slot) {
                let counter = counter.load(Ordering::Relaxed);
                if counter >> COUNT_BITS == step {
                    *count = counter & COUNT_MOST;
                }
            }
        }
        counts
    }

    /// None before the epoch.
    fn slot(&self, step: i64) -> Option<(&[AtomicU64; PLACES], u64)> {
        let step = u64::try_from(step).ok()?;
        Some((&self.0[step as usize % SLOTS], step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_counts_for_the_latest_step_alone() {
        let ring = Ring::new();
        for (step, place) in [(7, 0), (7, 0), (7, 3), (8, 0)] {
            ring.add(step, place);
        }
        assert_eq!((ring.step(7).0[0], ring.step(7).0[3]), (2, 1));
        assert_eq!(ring.step(8).0[0], 1);
        let again = 7 + SLOTS as i64;
        ring.add(again, 0);
        ring.add(7, 0);
        assert_eq!((ring.step(again).0[0], ring.step(7).0[0]), (1, 0));
        assert_eq!(ring.step(7).0[3], 1);
        ring.add(-1, 0);
        assert_eq!(ring.step(-1), Counts::default());
    }

    #[test]
    fn counts_of_many_threads_add_up() {
        let ring = Ring::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|n| ring.add(n / 5_000, 1)));
            }
        });
        assert_eq!((ring.step(0).0[1], ring.step(1).0[1]), (20_000, 20_000));
    }
}
