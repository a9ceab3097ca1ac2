//! Which number is chosen.

use caller_id_core::{
    AllocationRequest, Cause, EngineNumber, Exhausted, Limits, PhoneNumber, Policy, PoolId, Rung,
    Status,
};

use super::{EngineFactory, EngineUnderTest, NO_LIMIT, allocated, exhausted};
use crate::builders::{START, area, brisk_policy, engine_number, number, phone, pool};

const SECOND: i64 = 1_000;

fn far() -> PhoneNumber {
    number(808, 99)
}

async fn numbers_of(engine: &EngineUnderTest, areas: &[u16]) {
    engine
        .put(areas.iter().map(|code| engine_number(number(*code, 1))))
        .await;
}

/// Rule 4: never used first, ties by number.
pub async fn a_number_never_used_goes_first_and_ties_go_by_number(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine
        .policy(Policy {
            reservation_ms: SECOND,
            ..brisk_policy()
        })
        .await;
    engine
        .put([2, 1].map(|line| engine_number(number(312, line))))
        .await;
    assert_eq!(engine.next(far()).await.record.number, number(312, 1));
    assert_eq!(engine.next(far()).await.record.number, number(312, 2));
    engine.clock.advance_ms(10 * SECOND);
    engine.put([engine_number(number(312, 3))]).await;
    assert_eq!(engine.next(far()).await.record.number, number(312, 3));
}

/// Rule 4: the smallest `available_at`.
pub async fn the_number_that_has_been_free_the_longest_goes_next(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine
        .policy(Policy {
            reservation_ms: SECOND,
            ..brisk_policy()
        })
        .await;
    engine
        .put((0..5).map(|line| engine_number(number(312, line))))
        .await;
    for round in 0..3 {
        for line in 0..5 {
            assert_eq!(
                engine.next(far()).await.record.number,
                number(312, line),
                "round {round}"
            );
            engine.clock.advance_ms(SECOND);
        }
    }
}

/// Rule 4: LRU counts from the end of a use.
pub async fn a_number_whose_long_call_has_just_ended_does_not_come_straight_back(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine
        .policy(Policy {
            reservation_ms: 3_600 * SECOND,
            ..brisk_policy()
        })
        .await;
    engine
        .put((0..2).map(|line| engine_number(number(312, line))))
        .await;
    let long = engine.next(far()).await;
    engine.clock.advance_ms(SECOND);
    let short = engine.next(far()).await;
    engine.clock.advance_ms(SECOND);
    assert!(engine.give_back(&short).await);
    engine.clock.advance_ms(1_200 * SECOND);
    assert!(engine.give_back(&long).await);
    assert_eq!(engine.next(far()).await.record.number, short.record.number);
}

/// Rule 4: the rungs, in order.
pub async fn the_ladder_goes_from_area_code_to_overlay_to_region_to_any(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine.policy(brisk_policy()).await;
    // 917 shares territory with 212, 315 is elsewhere in New York, 201 in New Jersey.
    numbers_of(engine, &[201, 315, 917, 212]).await;
    let destination = number(212, 7);
    for (code, rung) in [
        (212, Rung::AreaCode),
        (917, Rung::Overlay),
        (315, Rung::Region),
        (201, Rung::Any),
    ] {
        let allocation = engine.next(destination).await;
        assert_eq!(
            (allocation.record.number, allocation.record.rung),
            (number(code, 1), rung)
        );
        assert_eq!(allocation.area_code, Some(area(code)));
    }
}

/// State: the owner may set another area code.
pub async fn the_owners_area_code_counts_not_the_numbers_own(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine.policy(brisk_policy()).await;
    let mut toll_free = engine_number(number(800, 5));
    toll_free.area_code = Some(area(312));
    engine.put([toll_free, engine_number(number(201, 1))]).await;
    let allocation = engine.next(number(312, 7)).await;
    assert_eq!(
        (allocation.record.number, allocation.record.rung),
        (number(800, 5), Rung::AreaCode)
    );
}

/// Rule 4: a rung can be left out by policy.
pub async fn a_rung_left_out_is_never_used(engine: &EngineUnderTest, _: &dyn EngineFactory) {
    let ladder = "area_code,region".parse().expect("a ladder");
    engine
        .policy(Policy {
            ladder,
            ..brisk_policy()
        })
        .await;
    numbers_of(engine, &[917, 315, 201]).await;
    assert_eq!(
        engine.next(number(212, 7)).await.record.number,
        number(315, 1),
        "both are of the region"
    );
    assert_eq!(
        engine.next(number(212, 7)).await.record.number,
        number(917, 1),
        "917 is of the region too"
    );
    let none = engine.none(number(212, 7)).await;
    assert_eq!(
        (none.earliest, none.cause),
        (Some(START.plus_ms(60 * SECOND)), Cause::Reserved)
    );
    assert_eq!(
        engine.none(number(312, 7)).await.cause,
        Cause::Empty,
        "the ladder allows no number at all"
    );
}

/// Rule 4: a destination with no area code starts at `any`.
pub async fn a_destination_outside_the_nanp_gets_any_number(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine.policy(brisk_policy()).await;
    engine
        .put([
            engine_number(phone("+442079460000")),
            engine_number(number(312, 1)),
        ])
        .await;
    for expected in [number(312, 1), phone("+442079460000")] {
        let allocation = engine.next(phone("+442079460958")).await;
        assert_eq!(
            (allocation.record.number, allocation.record.rung),
            (expected, Rung::Any)
        );
    }
}

/// Rule 5.
pub async fn a_number_is_never_shown_to_itself(engine: &EngineUnderTest, _: &dyn EngineFactory) {
    engine.policy(brisk_policy()).await;
    engine
        .put((0..2).map(|line| engine_number(number(312, line))))
        .await;
    assert_eq!(
        engine.next(number(312, 0)).await.record.number,
        number(312, 1)
    );
    let none = engine.none(number(312, 0)).await;
    assert_eq!(
        none.earliest,
        Some(START.plus_ms(60 * SECOND)),
        "the other one is first, not itself"
    );
}

/// State and rule 4; fault 4 of the reference: the campaign never influenced the choice.
pub async fn a_campaign_never_leaves_its_pools_and_asks_them_in_order(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    for name in ["default", "solar", "roof"] {
        engine.pool(name, brisk_policy()).await;
    }
    let in_pool = |number, name| EngineNumber {
        pool: pool(name),
        ..engine_number(number)
    };
    engine
        .put([
            in_pool(number(312, 1), "default"),
            in_pool(number(212, 1), "solar"),
            in_pool(number(312, 2), "roof"),
        ])
        .await;
    let request = AllocationRequest::to(number(312, 7));
    let pools = [pool("solar"), pool("roof")];
    let first = allocated(engine.ask(&request, &pools, NO_LIMIT).await);
    assert_eq!(
        first.record.pool,
        pool("solar"),
        "the first pool's `any` comes before the second pool's area code"
    );
    assert_eq!(
        allocated(engine.ask(&request, &pools, NO_LIMIT).await)
            .record
            .pool,
        pool("roof")
    );
    assert_eq!(
        exhausted(engine.ask(&request, &pools, NO_LIMIT).await).cause,
        Cause::Reserved
    );
    assert_eq!(
        allocated(engine.ask(&request, &[PoolId::default()], NO_LIMIT).await)
            .record
            .pool,
        PoolId::default()
    );
    let unknown = [pool("nobody made it")];
    assert_eq!(
        exhausted(engine.ask(&request, &unknown, NO_LIMIT).await).cause,
        Cause::Empty
    );
}

/// Rule 7.
pub async fn an_empty_pool_says_empty(engine: &EngineUnderTest, _: &dyn EngineFactory) {
    engine.policy(brisk_policy()).await;
    let none = engine.none(far()).await;
    assert_eq!((none.earliest, none.cause), (None, Cause::Empty));
    engine
        .put([EngineNumber {
            status: Status::Paused,
            ..engine_number(number(312, 1))
        }])
        .await;
    assert_eq!(engine.none(far()).await.cause, Cause::Empty);
}

/// The index; fault 1 of the reference: with the 100 least recently used numbers over a limit it answered 404.
pub async fn limited_numbers_never_hide_the_free_ones(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine
        .policy(Policy {
            reservation_ms: SECOND,
            ..brisk_policy()
        })
        .await;
    let limited = |line| EngineNumber {
        limits: Limits::new(0, 1),
        ..engine_number(number(312, line))
    };
    engine.put((0..300).map(limited)).await;
    for _ in 0..300 {
        engine.next(number(312, 9_999)).await;
    }
    engine.clock.advance_ms(60 * SECOND);
    assert_eq!(
        engine.none(number(312, 9_999)).await.cause,
        Cause::HourlyLimit
    );
    engine.put([engine_number(number(312, 9_000))]).await;
    for _ in 0..3 {
        assert_eq!(
            engine.next(number(312, 9_999)).await.record.number,
            number(312, 9_000)
        );
        engine.clock.advance_ms(2 * SECOND);
    }
}

/// Rule 7: `earliest` is exact.
pub async fn numbers_are_free_again_at_the_instant_that_was_told(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    let policy = Policy {
        cooldown_ms: 90 * SECOND,
        ..brisk_policy()
    };
    engine.policy(policy).await;
    let limits = Limits::new(3, 2);
    engine
        .put((0..2).map(|line| EngineNumber {
            limits,
            ..engine_number(number(312, line))
        }))
        .await;
    let mut causes = Vec::new();
    for _ in 0..7 {
        while let caller_id_core::Outcome::Allocated(_) =
            engine.outcome(&AllocationRequest::to(far())).await
        {}
        let none = engine.none(far()).await;
        let earliest = none.earliest.expect("there are active numbers");
        engine.clock.set(earliest.plus_ms(-1));
        let still = Exhausted { wait_ms: 1, ..none };
        assert_eq!(
            engine.none(far()).await,
            still,
            "a millisecond before, nothing is free"
        );
        engine.clock.set(earliest);
        engine.next(far()).await;
        causes.push(none.cause);
    }
    for cause in [Cause::Cooldown, Cause::HourlyLimit, Cause::DailyLimit] {
        assert!(
            causes.contains(&cause),
            "{cause} held the numbers at some time: {causes:?}"
        );
    }
}
