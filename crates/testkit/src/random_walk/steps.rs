//! Random steps: calls, releases, changes, and time that passes.

use std::num::NonZeroU16;

use caller_id_core::{
    EngineNumber, Ladder, Limits, PhoneNumber, Policy, PoolId, Rung, Status, TimeZone,
};
use proptest::prelude::*;

use super::Step;
use crate::builders::{START, number, phone, pool};

/// The pools of every walk.
pub(super) const POOLS: [&str; 3] = ["default", "solar", "roof"];
/// In New York, beside it, in its state, in another state, toll-free.
const AREAS: [u16; 7] = [212, 646, 917, 718, 315, 312, 800];

/// Where the walks' days begin.
pub(super) fn zone() -> TimeZone {
    TimeZone::parse("America/New_York").expect("a zone")
}

fn any_number() -> impl Strategy<Value = PhoneNumber> {
    (prop::sample::select(&AREAS), 0u64..4).prop_map(|(area, line)| number(area, line))
}

fn any_destination() -> impl Strategy<Value = PhoneNumber> {
    prop_oneof![
        6 => any_number(),
        1 => prop::sample::select(vec![phone("+442079460958"), number(773, 1), number(999, 1)]),
    ]
}

fn any_limits() -> impl Strategy<Value = Limits> {
    (0u32..6, 0u32..4).prop_map(|(daily, hourly)| Limits::new(daily * 2, hourly))
}

fn any_status() -> impl Strategy<Value = Status> {
    prop_oneof![
        6 => Just(Status::Active),
        1 => Just(Status::Paused),
        1 => Just(Status::Retired),
        1 => (-600_000i64..3_600_000).prop_map(|ms| Status::Resting(START.plus_ms(ms))),
    ]
}

fn any_pool() -> impl Strategy<Value = PoolId> {
    prop::sample::select(&POOLS).prop_map(pool)
}

fn any_pools() -> impl Strategy<Value = Vec<PoolId>> {
    prop::sample::subsequence(POOLS.to_vec(), 1..=3)
        .prop_shuffle()
        .prop_map(|names| names.into_iter().map(pool).collect())
}

fn any_ladder() -> impl Strategy<Value = Ladder> {
    let rungs = vec![Rung::AreaCode, Rung::Overlay, Rung::Region, Rung::Any];
    prop_oneof![
        3 => Just(Ladder::ALL),
        1 => prop::sample::subsequence(rungs, 1..=4).prop_map(|rungs| Ladder::new(&rungs).expect("at least one rung")),
    ]
}

/// Sticky times stay what they are, because what was not remembered cannot be remembered later; and all pools share a
/// time zone, because counts that cross a moved midnight have a test of their own.
fn any_policy(pool: &PoolId) -> impl Strategy<Value = Policy> + use<> {
    let sticky_ms = if pool.as_str() == "solar" {
        1_800_000
    } else {
        0
    };
    let time_zone = zone();
    (any_ladder(), 0i64..90_000, 1i64..400_000, 1u16..4).prop_map(
        move |(ladder, cooldown_ms, reservation_ms, most)| Policy {
            ladder,
            cooldown_ms,
            reservation_ms,
            most_reservations: NonZeroU16::new(most).unwrap_or(NonZeroU16::MIN),
            sticky_ms,
            time_zone: time_zone.clone(),
        },
    )
}

fn any_engine_number() -> impl Strategy<Value = EngineNumber> {
    let area_code = prop_oneof![4 => Just(None), 1 => prop::sample::select(&AREAS).prop_map(Some)];
    (
        any_number(),
        any_limits(),
        any_status(),
        any_pool(),
        area_code,
    )
        .prop_map(|(number, limits, status, pool, area)| {
            let area_code = area
                .and_then(caller_id_core::AreaCode::new)
                .or(number.area_code());
            EngineNumber {
                number,
                area_code,
                status,
                pool,
                limits,
            }
        })
}

fn any_change_of_pool() -> impl Strategy<Value = Step> {
    any_pool().prop_flat_map(|pool| {
        any_policy(&pool).prop_map(move |policy| Step::Pool(pool.clone(), Box::new(policy)))
    })
}

fn any_request() -> impl Strategy<Value = Step> {
    let allocate = (any_destination(), any_pools(), 0u8..4, 0u8..12);
    allocate.prop_map(|(destination, pools, agent, call)| Step::Allocate {
        destination,
        pools,
        agent,
        call,
    })
}

fn any_failure() -> impl Strategy<Value = Step> {
    let step = prop_oneof![
        3 => any_request(),
        1 => (1u8..12).prop_map(Step::Release),
        1 => (1u8..12).prop_map(Step::Report),
    ];
    step.prop_map(|step| Step::Fail(Box::new(step)))
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        30 => any_request(),
        6 => any_failure(),
        5 => (1u8..12).prop_map(Step::Release),
        4 => (1u8..12).prop_map(Step::Report),
        6 => (0i64..60_000).prop_map(Step::Pass),
        3 => (0i64..7_200_000).prop_map(Step::Pass),
        1 => (0i64..100_000_000).prop_map(Step::Pass),
        1 => (-600_000i64..0).prop_map(Step::Pass),
        4 => any_engine_number().prop_map(Step::Number),
        1 => any_change_of_pool(),
    ]
}

/// A history to walk: a few numbers to begin with, then anything.
pub fn any_walk(longest: usize) -> impl Strategy<Value = Vec<Step>> {
    let begin = prop::collection::vec(any_engine_number().prop_map(Step::Number), 1..12);
    (begin, prop::collection::vec(any_step(), 1..longest)).prop_map(|(mut steps, rest)| {
        steps.extend(rest);
        steps
    })
}
