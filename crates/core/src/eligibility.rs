//! Whether a number may be used now, and if not, from when and why not.

use crate::inventory::{Limits, Status};
use crate::outcome::Cause;
use crate::policy::Policy;
use crate::time::Timestamp;
use crate::usage::Usage;
use crate::window::Day;

/// From when a number is free, and what holds it until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Availability {
    /// The first instant at which all conditions hold; [`Timestamp::ZERO`] for a number never used.
    pub at: Timestamp,
    /// The condition that holds last.
    pub cause: Cause,
}

/// When a number is free again, from all its conditions as they stand at `now`; `None` while it is paused or retired.
///
/// `day` is the local day of `now` in the policy's time zone.
pub fn availability(
    usage: &Usage,
    status: Status,
    limits: Limits,
    policy: &Policy,
    day: Day,
    now: Timestamp,
) -> Option<Availability> {
    let resting = match status {
        Status::Active => Timestamp::ZERO,
        Status::Resting(until) => until,
        Status::Paused | Status::Retired => return None,
    };
    let mut latest = Availability {
        at: resting,
        cause: Cause::Resting,
    };
    let mut consider = |at: Timestamp, cause: Cause| {
        if at >= latest.at {
            latest = Availability { at, cause };
        }
    };
    if usage.last_used_at > Timestamp::ZERO {
        let daily = limits
            .daily
            .is_some_and(|limit| usage.day.count(day) >= limit.get());
        consider(
            if daily { day.end } else { Timestamp::ZERO },
            Cause::DailyLimit,
        );
        let hourly = limits
            .hourly
            .and_then(|limit| usage.hour.free_at(limit.get(), now));
        consider(hourly.unwrap_or(Timestamp::ZERO), Cause::HourlyLimit);
        consider(
            usage.last_used_at.plus_ms(policy.cooldown_ms),
            Cause::Cooldown,
        );
        consider(
            usage.unreserved_at(policy.most_reservations.get().into(), now),
            Cause::Reserved,
        );
    }
    Some(latest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::AllocationId;
    use crate::usage::Hold;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(1_700_006_400_000 + ms)
    }

    fn used(times: &[i64], reservation_ms: i64) -> Usage {
        let mut usage = Usage::default();
        for ms in times {
            let hold = Hold {
                id: AllocationId::new(at(*ms), *ms as u128),
                until: at(ms + reservation_ms),
            };
            usage.record(hold, at(*ms), Day::utc(at(*ms)));
        }
        usage
    }

    fn see(usage: &Usage, limits: Limits, policy: &Policy, now: i64) -> (i64, Cause) {
        let found = availability(
            usage,
            Status::Active,
            limits,
            policy,
            Day::utc(at(now)),
            at(now),
        )
        .expect("active");
        (found.at.ms_since(at(0)), found.cause)
    }

    #[test]
    fn a_number_never_used_is_free_since_ever() {
        let found = availability(
            &Usage::default(),
            Status::Active,
            Limits::new(1, 1),
            &Policy::default(),
            Day::utc(at(0)),
            at(0),
        );
        assert_eq!(found.map(|free| free.at), Some(Timestamp::ZERO));
    }

    #[test]
    fn the_condition_that_holds_last_is_the_cause() {
        let policy = Policy {
            reservation_ms: 10_000,
            cooldown_ms: 30_000,
            ..Policy::default()
        };
        let usage = used(&[0], 10_000);
        assert_eq!(
            see(&usage, Limits::NONE, &policy, 1),
            (30_000, Cause::Cooldown)
        );
        assert_eq!(
            see(
                &usage,
                Limits::NONE,
                &Policy {
                    cooldown_ms: 1,
                    ..policy.clone()
                },
                1
            ),
            (10_000, Cause::Reserved)
        );
        assert_eq!(
            see(&usage, Limits::new(0, 1), &policy, 1),
            (65 * 60_000, Cause::HourlyLimit)
        );
        assert_eq!(
            see(&usage, Limits::new(1, 1), &policy, 1),
            (86_400_000, Cause::DailyLimit)
        );
    }

    #[test]
    fn without_a_cooldown_a_released_number_is_free_since_its_release() {
        let policy = Policy {
            cooldown_ms: 0,
            ..Policy::default()
        };
        let mut usage = used(&[0], 300_000);
        usage.release(AllocationId::new(at(0), 0), at(60_000));
        assert_eq!(
            see(&usage, Limits::NONE, &policy, 70_000),
            (60_000, Cause::Reserved)
        );
    }

    #[test]
    fn resting_ends_by_itself_and_paused_does_not() {
        let policy = Policy::default();
        let see = |status| {
            availability(
                &Usage::default(),
                status,
                Limits::NONE,
                &policy,
                Day::utc(at(0)),
                at(0),
            )
        };
        assert_eq!(
            see(Status::Resting(at(500))),
            Some(Availability {
                at: at(500),
                cause: Cause::Resting
            })
        );
        assert_eq!(see(Status::Paused), None);
        assert_eq!(see(Status::Retired), None);
    }
}
