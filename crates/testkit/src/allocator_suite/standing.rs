//! Numbers that a destination knows, numbers that are not presented, and policies that free what stands elsewhere.

use std::num::NonZeroU16;

use caller_id_core::{Cause, EngineNumber, Limits, PhoneNumber, Policy, Rung, Status, TimeZone};

use super::{EngineFactory, EngineUnderTest};
use crate::builders::{START, brisk_policy, engine_number, number};

const SECOND: i64 = 1_000;

fn far() -> PhoneNumber {
    number(808, 99)
}

fn sticky_policy() -> Policy {
    Policy {
        sticky_ms: 3_600 * SECOND,
        reservation_ms: SECOND,
        ..brisk_policy()
    }
}

/// Rule 3.
pub async fn a_destination_sees_the_number_it_was_last_shown(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine.policy(sticky_policy()).await;
    engine
        .put((0..3).map(|line| engine_number(number(312, line))))
        .await;
    let shown = engine.next(number(312, 77)).await.record.number;
    engine.clock.advance_ms(60 * SECOND);
    let again = engine.next(number(312, 77)).await;
    assert_eq!(
        (again.record.number, again.record.rung),
        (shown, Rung::Sticky)
    );
    assert_ne!(engine.next(number(312, 78)).await.record.number, shown);
    engine.clock.advance_ms(3_600 * SECOND);
    assert_eq!(
        engine.next(number(312, 77)).await.record.rung,
        Rung::AreaCode,
        "the sticky time has passed"
    );
}

/// Rule 3: with limits and status, like any other.
pub async fn a_sticky_number_that_is_not_eligible_is_not_used(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine.policy(sticky_policy()).await;
    let limited = |line| EngineNumber {
        limits: Limits::new(0, 1),
        ..engine_number(number(312, line))
    };
    engine.put((0..2).map(limited)).await;
    let shown = engine.next(number(312, 77)).await.record.number;
    engine.clock.advance_ms(60 * SECOND);
    let other = engine.next(number(312, 77)).await.record;
    assert_ne!(other.number, shown);
    assert_eq!(other.rung, Rung::AreaCode);
}

/// Eligible: status.
pub async fn paused_and_retired_numbers_are_never_presented_and_resting_ends_by_itself(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine.policy(brisk_policy()).await;
    let until = START.plus_ms(600 * SECOND);
    let statuses = [Status::Paused, Status::Retired, Status::Resting(until)];
    engine
        .put((0..).zip(statuses).map(|(line, status)| EngineNumber {
            status,
            ..engine_number(number(312, line))
        }))
        .await;
    let none = engine.none(far()).await;
    assert_eq!((none.earliest, none.cause), (Some(until), Cause::Resting));
    engine.clock.advance_ms(600 * SECOND);
    assert_eq!(engine.next(far()).await.record.number, number(312, 2));
    engine.put([engine_number(number(312, 0))]).await;
    assert_eq!(
        engine.next(far()).await.record.number,
        number(312, 0),
        "it is active again"
    );
}

/// A looser policy holds at once for numbers that an index keeps at the end of their reservation.
pub async fn a_policy_that_allows_more_reservations_frees_numbers_that_stand_reserved(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine.policy(brisk_policy()).await;
    engine.put([engine_number(number(312, 0))]).await;
    engine.next(far()).await;
    assert_eq!(engine.none(far()).await.cause, Cause::Reserved);
    engine
        .policy(Policy {
            most_reservations: NonZeroU16::new(2).expect("not 0"),
            ..brisk_policy()
        })
        .await;
    assert_eq!(engine.next(far()).await.record.number, number(312, 0));
    assert_eq!(engine.none(far()).await.cause, Cause::Reserved);
}

/// The same for numbers that an index keeps at the midnight of another time zone.
pub async fn a_moved_midnight_frees_numbers_that_stand_at_their_daily_limit(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    let policy = Policy {
        reservation_ms: SECOND,
        ..brisk_policy()
    };
    engine.policy(policy.clone()).await;
    engine
        .put([EngineNumber {
            limits: Limits::new(1, 0),
            ..engine_number(number(312, 0))
        }])
        .await;
    engine.next(far()).await;
    // It was 23:00 in Singapore, and is 01:00.
    engine.clock.advance_ms(7_200 * SECOND);
    assert_eq!(engine.none(far()).await.cause, Cause::DailyLimit);
    engine
        .policy(Policy {
            time_zone: TimeZone::parse("Asia/Singapore").expect("a zone"),
            ..policy
        })
        .await;
    assert_eq!(engine.next(far()).await.record.number, number(312, 0));
}
