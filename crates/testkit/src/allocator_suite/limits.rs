//! Reservations and limits.

use std::num::NonZeroU16;

use caller_id_core::{
    AgentLimit, AllocationRequest, Cause, EngineNumber, Limits, Outcome, PhoneNumber, Policy,
    PoolId, TimeZone, Timestamp,
};

use super::{EngineFactory, EngineUnderTest, allocated};
use crate::builders::{START, agent, brisk_policy, engine_number, number, request};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;

fn far() -> PhoneNumber {
    number(808, 99)
}

async fn one_number(engine: &EngineUnderTest, limits: Limits) {
    engine
        .put([EngineNumber {
            limits,
            ..engine_number(number(312, 1))
        }])
        .await;
}

/// How many of `times` requests, `step` milliseconds apart, get a number.
async fn count(engine: &EngineUnderTest, times: usize, step: i64) -> usize {
    let mut got = 0;
    for _ in 0..times {
        got += usize::from(matches!(
            engine.outcome(&AllocationRequest::to(far())).await,
            Outcome::Allocated(_)
        ));
        engine.clock.advance_ms(step);
    }
    got
}

/// Eligible: fewer live reservations than the policy's most.
pub async fn a_reserved_number_is_never_allocated_again(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine
        .policy(Policy {
            reservation_ms: 300 * SECOND,
            ..brisk_policy()
        })
        .await;
    one_number(engine, Limits::NONE).await;
    engine.next(far()).await;
    let none = engine.none(far()).await;
    assert_eq!(
        (none.earliest, none.cause),
        (Some(START.plus_ms(300 * SECOND)), Cause::Reserved)
    );
    engine.clock.advance_ms(300 * SECOND - 1);
    engine.none(far()).await;
    engine.clock.advance_ms(1);
    engine.next(far()).await;
}

/// Ends of a reservation; fault 2 of the reference: without release, an hourly limit of 50 was unreachable.
pub async fn a_release_frees_the_number_but_its_cooldown_counts_from_the_use(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine
        .policy(Policy {
            reservation_ms: 300 * SECOND,
            cooldown_ms: 30 * SECOND,
            ..brisk_policy()
        })
        .await;
    one_number(engine, Limits::NONE).await;
    engine.next_for_call(far(), "c1").await;
    engine.clock.advance_ms(10 * SECOND);
    assert!(engine.release("c1").await);
    let none = engine.none(far()).await;
    assert_eq!(
        (none.earliest, none.cause),
        (Some(START.plus_ms(30 * SECOND)), Cause::Cooldown)
    );
    engine.clock.advance_ms(20 * SECOND);
    engine.next_for_call(far(), "c2").await;
    engine.clock.advance_ms(100 * SECOND);
    assert!(engine.release("c2").await);
    engine.next(far()).await;
}

/// Ends of a reservation: no error, no change.
pub async fn releasing_twice_or_late_or_the_unknown_changes_nothing(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine.policy(brisk_policy()).await;
    one_number(engine, Limits::NONE).await;
    let first = engine.next_for_call(far(), "c1").await;
    assert!(!engine.release("never heard of").await);
    assert!(engine.give_back(&first).await);
    assert!(!engine.give_back(&first).await);
    assert!(!engine.release("c1").await);
    engine.clock.advance_ms(SECOND);
    engine.next_for_call(far(), "c1").await;
    assert!(
        !engine.give_back(&first).await,
        "the old reservation's id does not end the new one"
    );
    engine.none(far()).await;
    engine.clock.advance_ms(60 * SECOND);
    assert!(!engine.release("c1").await, "it ran out by itself");
}

/// Policy: most concurrent reservations of one number.
pub async fn a_number_may_be_reserved_as_often_as_its_policy_says(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    let most_reservations = NonZeroU16::new(3).expect("not zero");
    engine
        .policy(Policy {
            most_reservations,
            ..brisk_policy()
        })
        .await;
    one_number(engine, Limits::NONE).await;
    let first = engine.next(far()).await;
    engine.clock.advance_ms(SECOND);
    engine.next(far()).await;
    engine.clock.advance_ms(SECOND);
    engine.next(far()).await;
    let none = engine.none(far()).await;
    assert_eq!(
        (none.earliest, none.cause),
        (Some(START.plus_ms(60 * SECOND)), Cause::Reserved)
    );
    assert!(engine.give_back(&first).await);
    engine.next(far()).await;
    engine.none(far()).await;
}

/// Eligible: rolling hour; fault 13 of the reference: calendar hours allow twice the limit across the edge.
pub async fn no_sixty_minutes_hold_more_than_the_hourly_limit(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine
        .policy(Policy {
            reservation_ms: 1,
            ..brisk_policy()
        })
        .await;
    one_number(engine, Limits::new(0, 4)).await;
    engine.clock.set(Timestamp::from_ms(
        START.as_ms() / 3_600_000 * 3_600_000 + 58 * MINUTE,
    ));
    assert_eq!(count(engine, 10, SECOND).await, 4);
    engine.clock.advance_ms(3 * MINUTE);
    assert_eq!(
        count(engine, 10, SECOND).await,
        0,
        "the calendar hour is new, the rolling one is not"
    );
    engine.clock.advance_ms(62 * MINUTE);
    assert_eq!(
        count(engine, 10, SECOND).await,
        4,
        "five minutes late at most"
    );
}

/// Eligible: day; fault 13 of the reference: the day ended in the American afternoon.
pub async fn the_daily_limit_ends_at_local_midnight(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    let time_zone = TimeZone::parse("America/Los_Angeles").expect("a zone");
    engine
        .policy(Policy {
            reservation_ms: 1,
            time_zone: time_zone.clone(),
            ..brisk_policy()
        })
        .await;
    one_number(engine, Limits::new(5, 0)).await;
    assert_eq!(count(engine, 20, MINUTE).await, 5);
    let utc_midnight = TimeZone::utc().day(START).end;
    engine.clock.set(utc_midnight.plus_ms(MINUTE));
    assert_eq!(
        count(engine, 5, SECOND).await,
        0,
        "midnight in UTC is an afternoon in Los Angeles"
    );
    let midnight = time_zone
        .day(
            engine
                .none(far())
                .await
                .earliest
                .expect("it is active")
                .plus_ms(-1),
        )
        .end;
    assert_eq!(engine.none(far()).await.earliest, Some(midnight));
    engine.clock.set(midnight);
    assert_eq!(count(engine, 20, MINUTE).await, 5);
}

/// Limits and policies that change: a time zone too.
pub async fn a_moved_midnight_never_lets_a_number_pass_its_limit(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine
        .policy(Policy {
            reservation_ms: 1,
            ..brisk_policy()
        })
        .await;
    one_number(engine, Limits::new(5, 0)).await;
    assert_eq!(count(engine, 3, MINUTE).await, 3);
    for zone in ["America/New_York", "Asia/Tokyo", "UTC", "Pacific/Honolulu"] {
        let time_zone = TimeZone::parse(zone).expect("a zone");
        engine
            .policy(Policy {
                reservation_ms: 1,
                time_zone,
                ..brisk_policy()
            })
            .await;
    }
    assert_eq!(count(engine, 10, MINUTE).await, 2);
}

/// Limits and policies that change: a midnight that moves back takes in uses of the day before.
pub async fn a_midnight_that_moves_back_counts_the_uses_it_passes(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    let policy = Policy {
        reservation_ms: 1,
        ..brisk_policy()
    };
    engine.policy(policy.clone()).await;
    one_number(engine, Limits::new(5, 0)).await;
    let midnight = TimeZone::utc().day(START).end;
    engine.clock.set(midnight.plus_ms(-10 * MINUTE));
    assert_eq!(count(engine, 3, MINUTE).await, 3);
    engine.clock.set(midnight.plus_ms(10 * MINUTE));
    assert_eq!(count(engine, 1, MINUTE).await, 1);
    let time_zone = TimeZone::parse("America/New_York").expect("a zone");
    engine
        .policy(Policy {
            time_zone,
            ..policy
        })
        .await;
    let state = engine
        .allocator
        .number_state(number(312, 1))
        .await
        .expect("the engine answers");
    assert_eq!(state.map(|state| state.uses_today), Some(4));
    assert_eq!(count(engine, 10, MINUTE).await, 1);
}

/// Limits that change.
pub async fn changed_limits_take_effect_at_the_next_request_and_counts_are_kept(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine
        .policy(Policy {
            reservation_ms: 1,
            ..brisk_policy()
        })
        .await;
    one_number(engine, Limits::NONE).await;
    assert_eq!(count(engine, 6, SECOND).await, 6);
    one_number(engine, Limits::new(0, 4)).await;
    assert_eq!(engine.none(far()).await.cause, Cause::HourlyLimit);
    one_number(engine, Limits::new(8, 0)).await;
    assert_eq!(count(engine, 6, SECOND).await, 2);
    assert_eq!(engine.none(far()).await.cause, Cause::DailyLimit);
    let state = engine
        .allocator
        .number_state(number(312, 1))
        .await
        .expect("the engine answers");
    assert_eq!(
        state.map(|state| (state.uses_in_hour, state.uses_today)),
        Some((8, 8))
    );
}

/// Policies that change.
pub async fn a_changed_policy_takes_effect_at_the_next_request(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    let cooldown = |seconds| Policy {
        reservation_ms: 1,
        cooldown_ms: seconds * SECOND,
        ..brisk_policy()
    };
    engine.policy(cooldown(600)).await;
    engine
        .put((0..600).map(|line| engine_number(number(312, line))))
        .await;
    assert_eq!(count(engine, 600, 1).await, 600);
    engine.clock.advance_ms(60 * SECOND);
    engine.none(far()).await;
    engine.policy(cooldown(10)).await;
    assert_eq!(
        count(engine, 600, 1).await,
        600,
        "a shorter cooldown frees them all"
    );
    engine.clock.advance_ms(20 * SECOND);
    engine.policy(cooldown(3_600)).await;
    assert_eq!(
        engine.none(far()).await.cause,
        Cause::Cooldown,
        "a longer one holds them all"
    );
}

/// Rule 2; fault 16 of the reference: a 404 used up the agent's limit.
pub async fn only_successful_allocations_count_against_the_agent(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine
        .policy(Policy {
            reservation_ms: 1,
            ..brisk_policy()
        })
        .await;
    let limit = AgentLimit::per_minute(3);
    let request = request(far(), "1001", "");
    for _ in 0..10 {
        let outcome = engine.ask(&request, &[PoolId::default()], limit).await;
        assert!(matches!(outcome, Outcome::Exhausted(_)), "{outcome:?}");
    }
    one_number(engine, Limits::NONE).await;
    for left in [2, 1, 0] {
        let allocation = allocated(engine.ask(&request, &[PoolId::default()], limit).await);
        assert_eq!(allocation.agent_remaining, Some(left));
        engine.clock.advance_ms(1);
    }
    let over = engine.ask(&request, &[PoolId::default()], limit).await;
    assert_eq!(
        over,
        Outcome::AgentLimited {
            retry_after_ms: 20_000 - 3
        }
    );
    engine.clock.advance_ms(20_000 - 3);
    allocated(engine.ask(&request, &[PoolId::default()], limit).await);
}

/// A request; fault 5 of the reference: an auto-dialed call has no agent, and got no caller ID.
pub async fn a_call_without_agent_has_no_agent_limit(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine
        .policy(Policy {
            reservation_ms: 1,
            ..brisk_policy()
        })
        .await;
    one_number(engine, Limits::NONE).await;
    let limit = AgentLimit::per_minute(1);
    for _ in 0..5 {
        let allocation = allocated(
            engine
                .ask(&AllocationRequest::to(far()), &[PoolId::default()], limit)
                .await,
        );
        assert_eq!(allocation.agent_remaining, None);
        engine.clock.advance_ms(1);
    }
    for name in ["1001", "1002"] {
        let request = AllocationRequest {
            agent: Some(agent(name)),
            ..AllocationRequest::to(far())
        };
        allocated(engine.ask(&request, &[PoolId::default()], limit).await);
        engine.clock.advance_ms(1);
    }
}
