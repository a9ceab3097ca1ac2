//! Looks into an engine: they tell what is so, and what would be, and change nothing.

use std::num::NonZeroU16;

use caller_id_core::inspection::{Counts, Foreseen};
use caller_id_core::ladder::Candidates;
use caller_id_core::{
    AgentLimit, AllocationRequest, Ask, EngineNumber, Limits, Outcome, PhoneNumber, Policy, PoolId,
    Rung, Status,
};

use super::{EngineFactory, EngineUnderTest, NO_LIMIT};
use crate::builders::{START, area, brisk_policy, engine_number, number, pool, request};

const SECOND: i64 = 1_000;

fn far() -> PhoneNumber {
    number(808, 99)
}

impl EngineUnderTest {
    async fn foreseen(
        &self,
        request: &AllocationRequest,
        pools: &[PoolId],
        agent_limit: AgentLimit,
    ) -> Foreseen {
        let ask = Ask {
            request,
            pools,
            agent_limit,
        };
        let foreseen = self.allocator.foresee(ask).await;
        foreseen.expect("the engine answers")
    }

    async fn counts(&self, name: &str, among: Candidates) -> Counts {
        let counts = self.allocator.counts(&pool(name), among).await;
        counts.expect("the engine answers")
    }

    /// Asks, and tells what was foreseen and answered, which must be the same.
    async fn foreseen_and_answered(
        &self,
        request: &AllocationRequest,
        pools: &[PoolId],
        agent_limit: AgentLimit,
    ) -> Foreseen {
        let foreseen = self.foreseen(request, pools, agent_limit).await;
        let answer = self.ask(request, pools, agent_limit).await;
        assert_eq!(foreseen, Foreseen::from(&answer), "{request:?}");
        foreseen
    }
}

/// A page of numbers at once, known and unknown.
pub async fn many_states_come_in_the_order_asked(engine: &EngineUnderTest, _: &dyn EngineFactory) {
    engine.policy(brisk_policy()).await;
    engine
        .put((0..1_000).step_by(2).map(|line| EngineNumber {
            status: match line % 500 {
                0 => Status::Paused,
                _ => Status::Active,
            },
            ..engine_number(number(312, line))
        }))
        .await;
    let used = engine.next(far()).await.record.number;
    let numbers: Vec<PhoneNumber> = (0..1_000).rev().map(|line| number(312, line)).collect();
    let states = engine.allocator.states(&numbers).await;
    let states = states.expect("the engine answers");
    assert_eq!(states.len(), numbers.len());
    for (number, state) in numbers.into_iter().zip(states) {
        let one = engine.allocator.number_state(number).await;
        assert_eq!(one.expect("the engine answers"), state, "{number}");
        let line = number.e164_digits() % 1_000;
        assert_eq!(state.is_some(), line % 2 == 0, "{number}");
        let Some(state) = state else { continue };
        assert_eq!(state.available_at.is_none(), line % 500 == 0, "{number}");
        let in_use = number == used;
        assert_eq!(state.last_used_at, in_use.then_some(START), "{number}");
        assert_eq!(state.reservations, u32::from(in_use), "{number}");
    }
}

/// All that a request may be answered.
pub async fn what_is_foreseen_is_what_is_answered(engine: &EngineUnderTest, _: &dyn EngineFactory) {
    let policy = Policy {
        sticky_ms: 3_600 * SECOND,
        reservation_ms: 10 * SECOND,
        ..brisk_policy()
    };
    let pools = [pool("solar"), pool("default")];
    engine.policy(brisk_policy()).await;
    engine.pool("solar", policy).await;
    let solar = |code, line| EngineNumber {
        pool: pool("solar"),
        ..engine_number(number(code, line))
    };
    engine
        .put([solar(312, 0), solar(212, 0), engine_number(number(646, 0))])
        .await;
    let limit = AgentLimit::per_minute(4);
    let asked = |to, call| request(to, "agent", call);
    let seen = async |request| engine.foreseen_and_answered(&request, &pools, limit).await;
    let rung = |foreseen: &Foreseen| match foreseen {
        Foreseen::Number { pool, rung, .. } => Some((pool.as_str().to_owned(), *rung)),
        _ => None,
    };
    let first = seen(asked(number(312, 7), "a")).await;
    assert_eq!(rung(&first), Some(("solar".to_owned(), Rung::AreaCode)));
    let again = seen(asked(number(312, 7), "a")).await;
    let number_of_call = number(312, 0);
    assert_eq!(
        again,
        Foreseen::Repeated {
            number: number_of_call
        }
    );
    let other = seen(asked(number(646, 7), "b")).await;
    assert_eq!(rung(&other), Some(("solar".to_owned(), Rung::Overlay)));
    let third = seen(asked(number(646, 8), "c")).await;
    assert_eq!(rung(&third), Some(("default".to_owned(), Rung::AreaCode)));
    let none = seen(asked(number(646, 9), "d")).await;
    assert!(matches!(none, Foreseen::Exhausted(_)), "{none:?}");
    engine.clock.advance_ms(10 * SECOND);
    let known = seen(asked(number(646, 7), "e")).await;
    assert_eq!(rung(&known), Some(("solar".to_owned(), Rung::Sticky)));
    let limited = seen(asked(number(312, 9), "f")).await;
    assert!(
        matches!(limited, Foreseen::AgentLimited { .. }),
        "{limited:?}"
    );
    let nowhere = AllocationRequest::to(far());
    let no_pools = [pool("nowhere")];
    let empty = engine.foreseen_and_answered(&nowhere, &no_pools, limit);
    assert!(matches!(empty.await, Foreseen::Exhausted(_)));
}

/// Two engines are asked the same, and one is looked into all the time: their answers are the same to the last bit.
pub async fn looks_leave_no_trace(engine: &EngineUnderTest, factory: &dyn EngineFactory) {
    let other = factory.start().await;
    let policy = Policy {
        sticky_ms: 600 * SECOND,
        most_reservations: NonZeroU16::new(2).expect("not 0"),
        ..Policy::default()
    };
    for one in [engine, &other] {
        one.policy(policy.clone()).await;
        let limited = |line| EngineNumber {
            limits: Limits::new(6, 3),
            ..engine_number(number(if line % 2 == 0 { 312 } else { 646 }, line))
        };
        one.put((0..6).map(limited)).await;
    }
    let pools = [PoolId::default()];
    let limit = AgentLimit::per_minute(9);
    for step in 0u64..80 {
        let to = number(if step % 3 == 0 { 312 } else { 212 }, step % 7);
        let request = request(to, "agent", &(step % 20).to_string());
        for _ in 0..3 {
            engine.foreseen(&request, &pools, limit).await;
            engine.counts("default", Candidates::All).await;
            engine.allocator.states(&[to]).await.expect("it is seen");
        }
        let [looked_into, left_alone] =
            [engine, &other].map(|one| one.ask(&request, &pools, limit));
        assert_eq!(looked_into.await, left_alone.await, "step {step}");
        for one in [engine, &other] {
            one.clock.advance_ms(7 * SECOND);
        }
    }
}

/// Each of them, and those that are none.
pub async fn each_number_is_counted_by_what_holds_it(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    let policy = Policy {
        cooldown_ms: 60 * SECOND,
        reservation_ms: 1_200 * SECOND,
        ..brisk_policy()
    };
    engine.policy(policy).await;
    let with = |line, limits| EngineNumber {
        limits,
        ..engine_number(number(312, line))
    };
    let held = [(0, 1), (1, 0), (0, 0), (0, 0)];
    engine
        .put(
            (0..)
                .zip(held)
                .map(|(line, (daily, hourly))| with(line, Limits::new(daily, hourly))),
        )
        .await;
    for call in ["hourly", "daily", "cooldown", "reserved"] {
        engine.next_for_call(far(), call).await;
    }
    engine.clock.advance_ms(30 * SECOND);
    for call in ["hourly", "daily", "cooldown"] {
        assert!(engine.release(call).await);
    }
    let resting = Status::Resting(START.plus_ms(90 * SECOND));
    let statuses = [resting, Status::Paused, Status::Retired, Status::Active];
    engine
        .put((10..).zip(statuses).map(|(line, status)| EngineNumber {
            status,
            ..engine_number(number(212, line))
        }))
        .await;
    let expected = Counts {
        eligible: 1,
        reserved: 1,
        cooldown: 1,
        hourly_limit: 1,
        daily_limit: 1,
        resting: 1,
    };
    assert_eq!(engine.counts("default", Candidates::All).await, expected);
    engine.clock.advance_ms(60 * SECOND);
    let later = Counts {
        eligible: 3,
        cooldown: 0,
        resting: 0,
        ..expected
    };
    assert_eq!(engine.counts("default", Candidates::All).await, later);
}

/// Of one area code, of several, of a pool; by the area code that the owner says.
pub async fn counts_are_of_the_candidates_alone(engine: &EngineUnderTest, _: &dyn EngineFactory) {
    engine.policy(brisk_policy()).await;
    engine.pool("solar", brisk_policy()).await;
    let codes = [212, 646, 646, 312];
    engine
        .put(
            (0..)
                .zip(codes)
                .map(|(line, code)| engine_number(number(code, line))),
        )
        .await;
    engine
        .put([
            EngineNumber {
                area_code: Some(area(646)),
                ..engine_number(number(800, 4))
            },
            EngineNumber {
                area_code: None,
                ..engine_number(number(646, 5))
            },
            EngineNumber {
                pool: pool("solar"),
                ..engine_number(number(646, 6))
            },
        ])
        .await;
    const ONES: &[caller_id_core::AreaCode] = &[];
    let eligible = async |name, among| {
        let counts = engine.counts(name, among).await;
        assert_eq!(counts.eligible, counts.total());
        counts.eligible
    };
    assert_eq!(eligible("default", Candidates::All).await, 6);
    assert_eq!(eligible("default", Candidates::Area(area(646))).await, 3);
    assert_eq!(eligible("default", Candidates::Area(area(917))).await, 0);
    assert_eq!(eligible("default", Candidates::Areas(ONES)).await, 0);
    let table = caller_id_core::area_codes::table();
    let near = Candidates::Areas(table.overlay(area(917)));
    assert_eq!(eligible("default", near).await, 4, "212 and 646");
    assert_eq!(eligible("solar", Candidates::All).await, 1);
    assert_eq!(eligible("nowhere", Candidates::All).await, 0);
}

/// More than are counted in one step, many of them free from the same instant on.
pub async fn thousands_are_counted_in_parts(engine: &EngineUnderTest, _: &dyn EngineFactory) {
    engine.policy(brisk_policy()).await;
    let resting = |line: u64| START.plus_ms(1 + (line / 400) as i64 * SECOND);
    engine
        .put((0..3_000).map(|line| EngineNumber {
            status: match line % 3 {
                0 => Status::Active,
                _ => Status::Resting(resting(line)),
            },
            ..engine_number(number(if line < 2_500 { 312 } else { 646 }, line))
        }))
        .await;
    for among in [Candidates::All, Candidates::Area(area(312))] {
        let of = |line: &u64| among == Candidates::All || *line < 2_500;
        for at in [0, 1, 3 * SECOND + 1, 20 * SECOND] {
            engine.clock.set(START.plus_ms(at));
            let free = |line: &u64| line.is_multiple_of(3) || resting(*line) <= START.plus_ms(at);
            let eligible = (0..3_000).filter(of).filter(free).count() as u64;
            let expected = Counts {
                eligible,
                resting: (0..3_000).filter(of).count() as u64 - eligible,
                ..Counts::default()
            };
            assert_eq!(engine.counts("default", among).await, expected, "at {at}");
        }
    }
}

/// What a policy changes is seen without a request.
pub async fn a_changed_policy_changes_what_is_seen_at_once(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine.policy(brisk_policy()).await;
    engine
        .put((0..40).map(|line| engine_number(number(312, line))))
        .await;
    for _ in 0..30 {
        engine.next(far()).await;
    }
    let reserved = Counts {
        eligible: 10,
        reserved: 30,
        ..Counts::default()
    };
    assert_eq!(engine.counts("default", Candidates::All).await, reserved);
    let twice = Policy {
        most_reservations: NonZeroU16::new(2).expect("not 0"),
        ..brisk_policy()
    };
    engine.policy(twice.clone()).await;
    let free = engine.counts("default", Candidates::All).await;
    assert_eq!((free.eligible, free.total()), (40, 40));
    engine
        .policy(Policy {
            cooldown_ms: 3_600 * SECOND,
            ..twice
        })
        .await;
    let resting = engine.counts("default", Candidates::All).await;
    assert_eq!((resting.eligible, resting.cooldown), (10, 30));
    let pools = [PoolId::default()];
    for _ in 0..10 {
        let to = AllocationRequest::to(far());
        let seen = engine.foreseen_and_answered(&to, &pools, NO_LIMIT).await;
        assert!(matches!(seen, Foreseen::Number { .. }), "{seen:?}");
    }
    let none = engine.outcome(&AllocationRequest::to(far())).await;
    assert!(matches!(none, Outcome::Exhausted(_)), "{none:?}");
}
