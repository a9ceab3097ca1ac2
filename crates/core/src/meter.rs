//! Counters that cost nanoseconds: what happened is added to a place that is known beforehand, without a lock and without
//! looking for a name.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How many bounds there are.
pub const BOUNDS: usize = 16;

/// What the buckets of a [`Histogram`] end with, in nanoseconds; one more bucket has what took longer.
pub const BOUNDS_NS: [u64; BOUNDS] = [
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// How long something took, counted by how long. Threads may add at the same time.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BOUNDS + 1],
    sum_ns: AtomicU64,
}

impl Histogram {
    /// Counts one that took so long.
    pub fn record(&self, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_NS.partition_point(|bound| *bound < ns);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_ns.fetch_add(ns, Ordering::Relaxed);
    }

    /// What was counted until now. One that is just being added may be in its bucket and not yet in the sum.
    pub fn seen(&self) -> Seen {
        Seen {
            buckets: std::array::from_fn(|bucket| self.buckets[bucket].load(Ordering::Relaxed)),
            sum_ns: self.sum_ns.load(Ordering::Relaxed),
        }
    }
}

/// What a [`Histogram`] counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// How many took at most as long as the bound of the same place, and longer than the one before; last those that took
    /// longer than all bounds.
    pub buckets: [u64; BOUNDS + 1],
    /// How long all took together, in nanoseconds.
    pub sum_ns: u64,
}

impl Seen {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Adds what another histogram counted.
    pub fn add(&mut self, other: &Self) {
        for (sum, count) in self.buckets.iter_mut().zip(other.buckets) {
            *sum += count;
        }
        self.sum_ns = self.sum_ns.wrapping_add(other.sum_ns);
    }
}

/// What a server is asked, and how long its answers take.
#[derive(Debug, Default)]
pub struct Calls {
    took: Histogram,
    failed: AtomicU64,
}

impl Calls {
    /// Counts an answer, or none, after so long.
    pub fn note(&self, took: Duration, has_failed: bool) {
        self.took.record(took);
        if has_failed {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How long all of them took, those that failed included.
    pub fn took(&self) -> Seen {
        self.took.seen()
    }

    /// How many failed.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_as_long_as_a_bound_is_below_it() {
        let histogram = Histogram::default();
        for ns in [0, 100_000, 100_001, 10_000_000_000, 10_000_000_001] {
            histogram.record(Duration::from_nanos(ns));
        }
        let seen = histogram.seen();
        assert_eq!(seen.buckets[..2], [2, 1]);
        assert_eq!(seen.buckets[BOUNDS - 1..], [1, 1]);
        assert_eq!((seen.count(), seen.sum_ns), (5, 20_000_200_002));
    }

    #[test]
    fn counts_of_many_threads_add_up() {
        let calls = Calls::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1_000).for_each(|n| calls.note(Duration::ZERO, n % 10 == 0)));
            }
        });
        assert_eq!((calls.took().count(), calls.failed()), (4_000, 400));
        let mut sum = calls.took();
        sum.add(&calls.took());
        assert_eq!(sum.buckets[0], 8_000);
    }
}
