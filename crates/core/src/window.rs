//! Counting uses: the rolling hour and the local day.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

const BUCKET_MS: i64 = 5 * 60_000;
/// The twelve full buckets before, and the one running.
const BUCKETS: usize = 13;

/// Uses in the rolling hour, in buckets of five minutes.
///
/// A limit held over the twelve full buckets before and the running one is never passed in *any* 60 minutes, and frees
/// at most five minutes late.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollingHour {
    /// The bucket of the last use.
    last: i64,
    /// Uses in that bucket, in the one before it, and so on.
    uses: [u32; BUCKETS],
}

impl RollingHour {
    /// Counts a use at `now`, which is not before the uses counted so far.
    pub fn record(&mut self, now: Timestamp) {
        let passed = self.age(now);
        if passed > 0 {
            self.uses.copy_within(..BUCKETS - passed, passed);
            self.uses[..passed].fill(0);
            self.last = bucket(now);
        }
        self.uses[0] = self.uses[0].saturating_add(1);
    }

    /// Takes back the use that was recorded last, at `at`.
    pub fn forget(&mut self, at: Timestamp) {
        let age = self.age_of(at);
        if let Some(uses) = self.uses.get_mut(age) {
            *uses = uses.saturating_sub(1);
        }
    }

    /// Uses that count at `now`.
    pub fn count(&self, now: Timestamp) -> u32 {
        let counted = &self.uses[..BUCKETS - self.age(now)];
        counted
            .iter()
            .fold(0, |sum, uses| sum.saturating_add(*uses))
    }

    /// For engines that keep it elsewhere: the bucket of five minutes (since the epoch) of the last use, and the uses in
    /// it, in the one before it, and so on.
    pub const fn parts(&self) -> (i64, &[u32]) {
        (self.last, &self.uses)
    }

    /// The first instant, `now` or later, at which fewer than `limit` uses count; `None` when that is now.
    pub fn free_at(&self, limit: u32, now: Timestamp) -> Option<Timestamp> {
        let mut count = self.count(now);
        if count < limit {
            return None;
        }
        let oldest_first = (0..BUCKETS - self.age(now)).rev();
        for age in oldest_first {
            count -= self.uses[age];
            if count < limit {
                let leaves = self.last - age as i64 + BUCKETS as i64;
                return Some(Timestamp::from_ms(leaves * BUCKET_MS));
            }
        }
        None
    }

    /// How many buckets before the last one `at` is in.
    fn age_of(&self, at: Timestamp) -> usize {
        (self.last - bucket(at)).clamp(0, BUCKETS as i64) as usize
    }

    /// How many buckets have begun since the last use; no more than matter.
    fn age(&self, now: Timestamp) -> usize {
        (bucket(now) - self.last).clamp(0, BUCKETS as i64) as usize
    }
}

fn bucket(at: Timestamp) -> i64 {
    at.as_ms().div_euclid(BUCKET_MS)
}

/// A local day: from its first instant, which belongs to it, to the next day's, which does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Local midnight, or the first instant after it where midnight is skipped.
    pub start: Timestamp,
    /// The next day's start.
    pub end: Timestamp,
}

impl Day {
    /// The day in UTC that `now` is in.
    pub fn utc(now: Timestamp) -> Self {
        const DAY_MS: i64 = 86_400_000;
        let start = now.as_ms().div_euclid(DAY_MS) * DAY_MS;
        Self {
            start: Timestamp::from_ms(start),
            end: Timestamp::from_ms(start + DAY_MS),
        }
    }

    /// Whether `at` is in this day.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }
}

/// Uses in the local day.
///
/// When a pool's time zone changes, the counts stay and the midnights move: until the next local midnight the count may
/// include uses from before the new day's start, so a limit is never passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayUse {
    /// Start of the day that `uses` counts.
    start: Timestamp,
    uses: u32,
    /// Uses of the day counted before, for a midnight that moves back.
    uses_before: u32,
    last_used_at: Timestamp,
}

impl DayUse {
    /// Counts a use at `now` in `day`, the local day of `now`.
    pub fn record(&mut self, now: Timestamp, day: Day) {
        let counted = self.count(day);
        if day.start > self.start {
            self.uses_before = self.uses;
        }
        *self = Self {
            start: day.start,
            uses: counted.saturating_add(1),
            last_used_at: now,
            ..*self
        };
    }

    /// Takes back the use that was recorded last; `last_used_at` is the one before it.
    pub fn forget(&mut self, last_used_at: Timestamp) {
        self.uses = self.uses.saturating_sub(1);
        self.last_used_at = last_used_at;
    }

    /// For engines that keep it elsewhere: the start of the day that is counted, its uses, those of the day counted
    /// before, and the last use.
    pub const fn parts(&self) -> (Timestamp, u32, u32, Timestamp) {
        (self.start, self.uses, self.uses_before, self.last_used_at)
    }

    /// Uses that count in `day`.
    pub fn count(&self, day: Day) -> u32 {
        if self.last_used_at < day.start {
            0
        } else if day.start < self.start {
            self.uses.saturating_add(self.uses_before)
        } else {
            self.uses
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: i64 = 60_000;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_ms(1_700_000_100_000 + minute * MINUTE)
    }

    #[test]
    fn a_use_counts_for_at_least_an_hour_and_at_most_65_minutes() {
        let mut hour = RollingHour::default();
        hour.record(at(4));
        assert_eq!(hour.count(at(64)), 1);
        assert_eq!(hour.count(at(65)), 0);
        assert_eq!(hour.free_at(1, at(4)), Some(at(65)));
        assert_eq!(hour.free_at(2, at(4)), None);
        assert_eq!(hour.free_at(1, at(65)), None);
    }

    #[test]
    fn the_edge_of_a_calendar_hour_allows_no_more() {
        let mut hour = RollingHour::default();
        (0..10).for_each(|_| hour.record(at(58)));
        assert_eq!(hour.count(at(62)), 10);
        assert!(hour.free_at(10, at(62)).is_some());
    }

    #[test]
    fn a_long_pause_forgets_all() {
        let mut hour = RollingHour::default();
        (0..13).for_each(|k| hour.record(at(k * 5)));
        assert_eq!(hour.count(at(60)), 13);
        hour.record(at(100_000));
        assert_eq!(hour.count(at(100_000)), 1);
    }

    #[test]
    fn a_new_day_starts_at_nothing() {
        let day = Day::utc(at(0));
        let mut uses = DayUse::default();
        uses.record(day.start, day);
        uses.record(day.start.plus_ms(1), day);
        assert_eq!(uses.count(day), 2);
        assert_eq!(uses.count(Day::utc(day.end)), 0);
        uses.record(day.end, Day::utc(day.end));
        assert_eq!(uses.count(Day::utc(day.end)), 1);
    }

    #[test]
    fn a_moved_midnight_never_forgets_a_use_of_the_new_day() {
        let utc = Day::utc(at(0));
        let later = Day {
            start: utc.start.plus_ms(5 * 3_600_000),
            end: utc.end.plus_ms(5 * 3_600_000),
        };
        let mut uses = DayUse::default();
        uses.record(utc.start.plus_ms(3_600_000), utc);
        uses.record(utc.start.plus_ms(6 * 3_600_000), utc);
        assert_eq!(
            uses.count(later),
            2,
            "one more than were made since the new midnight, never one less"
        );

        let mut uses = DayUse::default();
        uses.record(
            later.start.plus_ms(-60_000),
            Day {
                start: later.start.plus_ms(-86_400_000),
                end: later.start,
            },
        );
        uses.record(later.start.plus_ms(60_000), later);
        assert_eq!(uses.count(utc), 2);
    }

    proptest! {
        #[test]
        fn a_rolling_hour_agrees_with_a_list(steps in prop::collection::vec((0i64..40 * MINUTE, 1u32..6), 1..80)) {
            let mut hour = RollingHour::default();
            let mut list: Vec<i64> = Vec::new();
            let mut now = at(0);
            for (step, limit) in steps {
                now = now.plus_ms(step);
                let counts = |t: Timestamp, list: &[i64]| list.iter().filter(|u| bucket(Timestamp::from_ms(**u)) >= bucket(t) - 12).count() as u32;
                prop_assert_eq!(hour.count(now), counts(now, &list));
                match hour.free_at(limit, now) {
                    None => prop_assert!(counts(now, &list) < limit),
                    Some(free) => {
                        prop_assert!(free > now && counts(free, &list) < limit);
                        prop_assert!(counts(free.plus_ms(-1), &list) >= limit);
                    }
                }
                hour.record(now);
                list.push(now.as_ms());
            }
        }
    }
}
