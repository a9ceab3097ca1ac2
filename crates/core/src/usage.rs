//! What an engine remembers of one number: its reservations, its last use, and its counts.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::ids::AllocationId;
use crate::time::Timestamp;
use crate::window::{Day, DayUse, RollingHour};

/// One reservation of a number: it lives until it is released or `until` passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The allocation that holds the number.
    pub id: AllocationId,
    /// The first instant at which it no longer does.
    pub until: Timestamp,
}

/// The holds of one number; one, as a rule.
pub type Holds = SmallVec<[Hold; 1]>;

/// The use of one number so far. [`Default`] is a number that was never used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Not released; their end may have passed.
    pub holds: Holds,
    /// When it was last allocated; [`Timestamp::ZERO`] = never.
    pub last_used_at: Timestamp,
    /// The last end of a hold that is no longer among `holds`.
    pub last_end_at: Timestamp,
    /// Uses in the rolling hour.
    pub hour: RollingHour,
    /// Uses in the local day.
    pub day: DayUse,
}

impl Usage {
    /// Counts an allocation at `now` that holds the number as `hold` says, and forgets holds whose end has passed.
    /// `day` is the local day of `now`.
    pub fn record(&mut self, hold: Hold, now: Timestamp, day: Day) {
        self.last_end_at = self.last_end(now);
        self.holds.retain(|held| held.until > now);
        self.holds.push(hold);
        self.last_used_at = now;
        self.hour.record(now);
        self.day.record(now, day);
    }

    /// Takes back the use that was recorded last, the one of allocation `id` at `at`; `last_used_at` is the one before it.
    pub fn forget(&mut self, id: AllocationId, at: Timestamp, last_used_at: Timestamp) {
        self.holds.retain(|held| held.id != id);
        self.last_used_at = last_used_at;
        self.hour.forget(at);
        self.day.forget(last_used_at);
    }

    /// Takes back the release of `hold`; `last_end_at` is the last end before it.
    pub fn hold_again(&mut self, hold: Hold, last_end_at: Timestamp) {
        self.holds.push(hold);
        self.last_end_at = last_end_at;
    }

    /// Ends the hold `id` at `now`. Gives it when it was live, so when this changed something.
    pub fn release(&mut self, id: AllocationId, now: Timestamp) -> Option<Hold> {
        let place = self
            .holds
            .iter()
            .position(|held| held.id == id && held.until > now)?;
        self.last_end_at = self.last_end_at.max(now);
        Some(self.holds.remove(place))
    }

    /// Whether the allocation `id` holds the number at `now`.
    pub fn is_held_by(&self, id: AllocationId, now: Timestamp) -> bool {
        self.holds
            .iter()
            .any(|held| held.id == id && held.until > now)
    }

    /// How many reservations live at `now`.
    pub fn live(&self, now: Timestamp) -> usize {
        self.holds.iter().filter(|held| held.until > now).count()
    }

    /// When the number stops, or stopped, being reserved `most` times, as seen at `now`: an instant after `now` while it
    /// is, else the last end so far.
    pub fn unreserved_at(&self, most: usize, now: Timestamp) -> Timestamp {
        if self.live(now) < most {
            return self.last_end(now);
        }
        if let [held] = self.holds.as_slice() {
            return held.until;
        }
        let mut ends: SmallVec<[Timestamp; 4]> = self
            .holds
            .iter()
            .map(|held| held.until)
            .filter(|until| *until > now)
            .collect();
        ends.sort_unstable();
        ends[ends.len() - most]
    }

    /// The last end of a hold so far.
    fn last_end(&self, now: Timestamp) -> Timestamp {
        let passed = self
            .holds
            .iter()
            .map(|held| held.until)
            .filter(|until| *until <= now);
        passed.fold(self.last_end_at, Timestamp::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(1_700_000_000_000 + ms)
    }

    fn hold(id: u128, until: i64) -> Hold {
        Hold {
            id: AllocationId::new(at(0), id),
            until: at(until),
        }
    }

    fn record(usage: &mut Usage, hold: Hold, now: i64) {
        usage.record(hold, at(now), Day::utc(at(now)));
    }

    #[test]
    fn a_hold_lives_until_its_end() {
        let mut usage = Usage::default();
        record(&mut usage, hold(1, 100), 0);
        assert_eq!((usage.live(at(99)), usage.live(at(100))), (1, 0));
        assert_eq!(usage.unreserved_at(1, at(50)), at(100));
        assert_eq!(usage.unreserved_at(1, at(150)), at(100));
    }

    #[test]
    fn releasing_twice_or_after_the_end_changes_nothing() {
        let mut usage = Usage::default();
        record(&mut usage, hold(1, 100), 0);
        assert!(usage.release(hold(1, 0).id, at(40)).is_some());
        let released = usage.clone();
        assert!(usage.release(hold(1, 0).id, at(50)).is_none());
        assert_eq!(usage, released);
        record(&mut usage, hold(2, 200), 60);
        assert!(usage.release(hold(2, 0).id, at(200)).is_none());
        assert_eq!(usage.unreserved_at(1, at(300)), at(200));
    }

    #[test]
    fn what_is_taken_back_was_never_there() {
        use crate::eligibility::availability;
        use crate::{Limits, Policy, Status};
        let day = Day::utc(at(0));
        let mut usage = Usage::default();
        record(&mut usage, hold(1, 100), 0);
        let before = usage.clone();
        let seen = |usage: &Usage, limits| {
            let policy = Policy {
                cooldown_ms: 0,
                ..Policy::default()
            };
            availability(usage, Status::Active, limits, &policy, day, at(3_600_000))
        };
        record(&mut usage, hold(2, 9_000_000), 3_600_000);
        usage.forget(hold(2, 0).id, at(3_600_000), at(0));
        for limits in [Limits::NONE, Limits::new(1, 1), Limits::new(2, 2)] {
            assert_eq!(seen(&usage, limits), seen(&before, limits));
        }
        let released = usage.release(hold(1, 100).id, at(50));
        assert_eq!(
            released, None,
            "its end had passed when the second use was recorded"
        );
    }

    #[test]
    fn a_release_that_is_taken_back_leaves_the_hold() {
        let mut usage = Usage::default();
        record(&mut usage, hold(1, 100), 0);
        let before = usage.clone();
        let last_end_at = usage.last_end_at;
        let released = usage.release(hold(1, 0).id, at(40)).expect("it is live");
        usage.hold_again(released, last_end_at);
        assert_eq!(usage, before);
    }

    #[test]
    fn with_several_reservations_allowed_the_number_is_full_until_enough_have_ended() {
        let mut usage = Usage::default();
        record(&mut usage, hold(1, 300), 0);
        record(&mut usage, hold(2, 100), 1);
        record(&mut usage, hold(3, 200), 2);
        assert_eq!(usage.unreserved_at(3, at(10)), at(100));
        assert_eq!(usage.unreserved_at(1, at(10)), at(300));
        assert_eq!(usage.unreserved_at(4, at(10)), Timestamp::ZERO);
    }

    #[test]
    fn a_new_use_forgets_holds_whose_end_has_passed() {
        let mut usage = Usage::default();
        record(&mut usage, hold(1, 100), 0);
        record(&mut usage, hold(2, 300), 150);
        assert_eq!((usage.holds.len(), usage.last_end_at), (1, at(100)));
    }
}
