//! What an engine remembers: calls, time, and all of it after a restart.

use std::collections::HashSet;

use caller_id_core::{
    AgentLimit, AllocationRequest, Ask, EngineNumber, Limits, Outcome, PhoneNumber, Policy, PoolId,
    Rung, Timestamp, recovery,
};

use super::{EngineFactory, EngineUnderTest, allocated};
use crate::builders::{brisk_policy, engine_number, number, request};

const SECOND: i64 = 1_000;

fn far() -> PhoneNumber {
    number(808, 99)
}

/// Rule 1.
pub async fn a_call_that_asks_again_gets_the_same_answer_counted_once(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine.policy(brisk_policy()).await;
    engine
        .put((0..3).map(|line| engine_number(number(312, line))))
        .await;
    let limit = AgentLimit::per_minute(2);
    let asked = request(far(), "1001", "V1122074740000000001");
    let first = allocated(engine.ask(&asked, &[PoolId::default()], limit).await);
    for _ in 0..5 {
        engine.clock.advance_ms(SECOND);
        let again = allocated(engine.ask(&asked, &[PoolId::default()], limit).await);
        assert!(again.repeated && !first.repeated);
        assert_eq!(
            (&again.record, again.agent_remaining),
            (&first.record, Some(1))
        );
    }
    let state = engine
        .allocator
        .number_state(first.record.number)
        .await
        .expect("the engine answers");
    assert_eq!(
        state.map(|state| (state.uses_today, state.reservations)),
        Some((1, 1))
    );
}

/// Rule 1: only a *live* reservation is repeated.
pub async fn a_call_id_is_free_again_when_its_reservation_has_ended(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine.policy(brisk_policy()).await;
    engine
        .put((0..3).map(|line| engine_number(number(312, line))))
        .await;
    let first = engine.next_for_call(far(), "c").await;
    assert!(engine.release("c").await);
    let second = engine.next_for_call(far(), "c").await;
    assert_ne!(second.record.number, first.record.number);
    engine.clock.advance_ms(60 * SECOND);
    let third = engine.next_for_call(far(), "c").await;
    assert!(!third.repeated && third.record.id != second.record.id);
}

/// Time: never backwards.
pub async fn a_clock_that_goes_back_changes_nothing(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine.policy(brisk_policy()).await;
    engine.put([engine_number(number(312, 1))]).await;
    let first = engine.next(far()).await;
    engine.clock.advance_ms(-3_600 * SECOND);
    assert_eq!(
        engine.none(far()).await.earliest,
        Some(first.record.reserved_until)
    );
    engine.clock.advance_ms(3_660 * SECOND);
    engine.next(far()).await;
}

/// One atomic step; fault 3 of the reference: limits were checked, then counted.
pub async fn many_at_once_never_get_one_number_twice(
    engine: &EngineUnderTest,
    _: &dyn EngineFactory,
) {
    engine.policy(brisk_policy()).await;
    engine
        .put((0..200).map(|line| engine_number(number(312, line))))
        .await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let allocator = engine.allocator.clone();
        tasks.spawn(async move {
            let (mut got, pools) = (Vec::new(), [PoolId::default()]);
            for _ in 0..20 {
                let request = AllocationRequest::to(far());
                let ask = Ask {
                    request: &request,
                    pools: &pools,
                    agent_limit: AgentLimit::OFF,
                };
                if let Outcome::Allocated(one) =
                    allocator.allocate(ask).await.expect("the engine answers")
                {
                    got.push(one.record.number);
                }
            }
            got
        });
    }
    let got: Vec<PhoneNumber> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(
        got.len(),
        200,
        "all numbers are handed out, and 120 requests get none"
    );
    assert_eq!(got.into_iter().collect::<HashSet<_>>().len(), 200);
}

/// An engine that begins with what the history of `old` says.
async fn restart(
    old: &EngineUnderTest,
    factory: &dyn EngineFactory,
    pools: &[(PoolId, Policy)],
    limit: AgentLimit,
) -> EngineUnderTest {
    let now = old.clock.advance_ms(0);
    let engine = factory.start().await;
    engine.clock.set(now);
    engine
        .allocator
        .put_pools(pools.to_vec())
        .await
        .expect("pools are taken");
    engine.put((0..4).map(restarted_number)).await;
    let rules = recovery::Rules {
        pools,
        global: &Policy::default(),
        agent_limits: &limit.into(),
    };
    let recovered = recovery::recover(&*old.history, rules, now)
        .await
        .expect("history is read");
    engine
        .allocator
        .recover(recovered)
        .await
        .expect("history is taken over");
    engine
}

fn restarted_number(line: u64) -> EngineNumber {
    EngineNumber {
        limits: Limits::new(60, 20),
        ..engine_number(number(312, line))
    }
}

/// Durability: start-up rebuilds the engine.
pub async fn an_engine_that_recovers_remembers_uses_reservations_calls_and_sticky_numbers(
    engine: &EngineUnderTest,
    factory: &dyn EngineFactory,
) {
    let policy = Policy {
        sticky_ms: 7_200 * SECOND,
        cooldown_ms: 5 * SECOND,
        ..brisk_policy()
    };
    let pools = [(PoolId::default(), policy.clone())];
    engine.policy(policy).await;
    engine.put((0..4).map(restarted_number)).await;
    for step in 0..40 {
        let name = format!("c{step}");
        engine
            .outcome(&request(number(312, 5_000 + step % 7), "", &name))
            .await;
        engine.clock.advance_ms(11 * SECOND);
        if step % 3 == 0 {
            engine.release(&name).await;
        }
    }
    engine.clock.advance_ms(600 * SECOND);
    let live = engine.next_for_call(number(312, 5_000), "live").await;
    let again = restart(engine, factory, &pools, AgentLimit::OFF).await;
    for line in 0..4 {
        let [before, after] =
            [engine, &again].map(|engine| engine.allocator.number_state(number(312, line)));
        assert_eq!(
            before.await.expect("answers"),
            after.await.expect("answers"),
            "line {line}"
        );
    }
    let repeated = again.next_for_call(number(312, 5_000), "live").await;
    assert_eq!(
        (repeated.record.id, repeated.repeated),
        (live.record.id, true)
    );
    assert!(
        again.release("live").await,
        "the recovered reservation can be released"
    );
    assert!(!again.release("live").await);
    again.clock.advance_ms(4_000 * SECOND);
    let sticky = again.next(number(312, 5_000)).await;
    assert_eq!(
        (sticky.record.number, sticky.record.rung),
        (live.record.number, Rung::Sticky)
    );
}

/// Durability: the agents' limits too.
pub async fn an_engine_that_recovers_remembers_the_agents(
    engine: &EngineUnderTest,
    factory: &dyn EngineFactory,
) {
    let policy = Policy {
        reservation_ms: 1,
        ..brisk_policy()
    };
    let pools = [(PoolId::default(), policy.clone())];
    let limit = AgentLimit::per_minute(4);
    engine.policy(policy).await;
    engine.put([engine_number(number(312, 1))]).await;
    let asked = request(far(), "1001", "");
    for _ in 0..4 {
        allocated(engine.ask(&asked, &[PoolId::default()], limit).await);
        engine.clock.advance_ms(SECOND);
    }
    let before = engine.ask(&asked, &[PoolId::default()], limit).await;
    assert!(matches!(before, Outcome::AgentLimited { .. }), "{before:?}");
    let again = restart(engine, factory, &pools, limit).await;
    assert_eq!(again.ask(&asked, &[PoolId::default()], limit).await, before);
    let unused: Option<Timestamp> = None;
    assert_eq!(
        again
            .allocator
            .number_state(number(312, 3))
            .await
            .expect("answers")
            .and_then(|state| state.last_used_at),
        unused
    );
}
