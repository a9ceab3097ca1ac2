//! The memory engine when the journal fails, waits or is too slow.

#[path = "faults/leaders.rs"]
mod leaders;
#[path = "faults/rig.rs"]
mod rig;
#[path = "faults/sticky.rs"]
mod sticky;
#[path = "faults/twins.rs"]
mod twins;

use std::sync::Arc;
use std::task::Poll;

use async_trait::async_trait;
use caller_id_core::{
    AgentLimit, AllocationId, AllocationRequest, Allocator, AllocatorError, Ask, CallEnd, Journal,
    JournalEvent, Limits, ManualClock, Outcome, Policy, PoolId, ReleaseTarget, StoreError,
};
use caller_id_engine::MemoryAllocator;
use caller_id_testkit::builders::{START, brisk_policy, call, engine_number, number, request};
use caller_id_testkit::invariants::{Rules, violations};

use rig::{LIMIT, Rig, far, futures_poll, id, rig};

#[tokio::test]
async fn a_commit_that_fails_leaves_nothing_reserved_or_counted() {
    let policy = Policy {
        sticky_ms: 1_000_000,
        ..brisk_policy()
    };
    let rig = rig(3, policy).await;
    let kept = rig
        .ask(&request(far(), "1001", "kept"))
        .await
        .expect("the journal takes it");
    let before = rig.states(3).await;
    rig.history.fail_every(Some(1));
    for _ in 0..5 {
        let refused = rig.ask(&request(number(312, 2), "1001", "lost")).await;
        assert!(
            matches!(refused, Err(AllocatorError::NotRecorded(_))),
            "{refused:?}"
        );
        let target = ReleaseTarget::Call(call("kept"));
        let refused = rig.engine.release(&target, CallEnd::Answer).await;
        assert!(
            matches!(refused, Err(AllocatorError::NotRecorded(_))),
            "{refused:?}"
        );
    }
    assert_eq!(rig.states(3).await, before);
    rig.history.fail_every(None);
    let again = rig
        .ask(&request(far(), "1001", "kept"))
        .await
        .expect("answers");
    assert_eq!(
        id(&again),
        id(&kept),
        "the reservation that could not be released lives on, with its call id"
    );
    let Outcome::Allocated(next) = rig
        .ask(&request(number(312, 2), "1001", "lost"))
        .await
        .expect("taken")
    else {
        panic!("a number is free")
    };
    assert!(!next.repeated, "the call that failed got nothing to repeat");
    assert_eq!(
        next.agent_remaining,
        Some(LIMIT - 2),
        "failures did not count against the agent"
    );
    assert_eq!(next.record.number, number(312, 1));
    assert_eq!(rig.history.history().len(), 2);
}

#[tokio::test]
async fn what_was_decided_on_top_of_a_failed_commit_fails_with_it() {
    let rig = rig(2, brisk_policy()).await;
    rig.history.close_gate();
    let first = request(far(), "", "first");
    let second = request(far(), "", "second");
    let mut one = std::pin::pin!(rig.ask(&first));
    assert!(futures_poll(one.as_mut()).await.is_pending());
    tokio::task::yield_now().await;
    let mut two = std::pin::pin!(rig.ask(&second));
    assert!(futures_poll(two.as_mut()).await.is_pending());
    rig.history.fail_every(Some(1));
    rig.history.open_gate();
    assert!(one.await.is_err());
    assert!(two.await.is_err());
    rig.history.fail_every(None);
    let Outcome::Allocated(allocation) = rig.ask(&first).await.expect("taken") else {
        panic!("free")
    };
    assert_eq!(allocation.record.number, number(312, 0));
}

#[tokio::test]
async fn nobody_is_answered_before_the_commit_not_even_the_call_that_asks_again() {
    let rig = rig(2, brisk_policy()).await;
    rig.history.close_gate();
    let asked = request(far(), "", "call");
    let mut first = std::pin::pin!(rig.ask(&asked));
    let mut again = std::pin::pin!(rig.ask(&asked));
    // The commit has begun when the call asks again, and has not ended.
    for _ in 0..5 {
        assert!(futures_poll(first.as_mut()).await.is_pending());
        tokio::task::yield_now().await;
    }
    for _ in 0..3 {
        assert!(futures_poll(again.as_mut()).await.is_pending());
        tokio::task::yield_now().await;
    }
    assert_eq!(rig.history.history().len(), 0);
    rig.history.open_gate();
    let (first, again) = (first.await.expect("taken"), again.await.expect("taken"));
    assert_eq!(id(&first), id(&again));
    assert_eq!(rig.history.history().len(), 1);
}

#[tokio::test]
async fn a_second_release_waits_for_the_first() {
    let rig = rig(1, brisk_policy()).await;
    rig.ask(&request(far(), "", "call")).await.expect("taken");
    rig.history.close_gate();
    let target = ReleaseTarget::Call(call("call"));
    let mut first = std::pin::pin!(rig.engine.release(&target, CallEnd::Answer));
    let mut second = std::pin::pin!(rig.engine.release(&target, CallEnd::Answer));
    assert!(futures_poll(first.as_mut()).await.is_pending());
    assert!(futures_poll(second.as_mut()).await.is_pending());
    rig.history.fail_every(Some(1));
    rig.history.open_gate();
    assert!(
        first.await.is_err() && second.await.is_err(),
        "the reservation lives on, and nobody is told otherwise"
    );
}

#[tokio::test]
async fn a_change_of_policy_that_is_broken_off_is_finished_by_the_next() {
    let strict = Policy {
        cooldown_ms: 86_400_000,
        reservation_ms: 1,
        ..brisk_policy()
    };
    let rig = rig(2_000, strict).await;
    for _ in 0..2_000 {
        rig.ask(&AllocationRequest::to(far())).await.expect("taken");
    }
    rig.clock.advance_ms(1_000);
    let loose = vec![(
        PoolId::default(),
        Policy {
            reservation_ms: 1,
            ..brisk_policy()
        },
    )];
    {
        let mut change = Box::pin(rig.engine.put_pools(loose.clone()));
        assert!(futures_poll(change.as_mut()).await.is_pending());
    }
    rig.engine.put_pools(loose).await.expect("pools are taken");
    for _ in 0..2_000 {
        let outcome = rig.ask(&AllocationRequest::to(far())).await.expect("taken");
        assert!(id(&outcome).is_some(), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_stricter_policy_holds_at_once_and_no_request_looks_at_the_whole_pool() {
    let rig = rig(
        2_000,
        Policy {
            reservation_ms: 1,
            ..brisk_policy()
        },
    )
    .await;
    for _ in 0..2_000 {
        rig.ask(&AllocationRequest::to(far())).await.expect("taken");
    }
    rig.clock.advance_ms(1_000);
    let strict = vec![(
        PoolId::default(),
        Policy {
            cooldown_ms: 60_000,
            reservation_ms: 1,
            ..brisk_policy()
        },
    )];
    let mut change = Box::pin(rig.engine.put_pools(strict));
    assert!(futures_poll(change.as_mut()).await.is_pending());
    let outcome = rig
        .ask(&AllocationRequest::to(far()))
        .await
        .expect("answers");
    assert!(matches!(outcome, Outcome::Exhausted(_)), "{outcome:?}");
    change.await.expect("pools are taken");
    rig.clock.advance_ms(60_000);
    assert!(id(&rig.ask(&AllocationRequest::to(far())).await.expect("taken")).is_some());
}

#[tokio::test]
async fn a_caller_who_goes_away_while_the_commit_fails_leaves_nothing_reserved() {
    let rig = rig(1, brisk_policy()).await;
    rig.history.close_gate();
    let asked = request(far(), "", "gone");
    {
        let mut ask = Box::pin(rig.ask(&asked));
        assert!(futures_poll(ask.as_mut()).await.is_pending());
    }
    rig.history.fail_every(Some(1));
    rig.history.open_gate();
    while rig
        .ask(&request(far(), "", "probe"))
        .await
        .is_ok_and(|outcome| id(&outcome).is_none())
    {
        tokio::task::yield_now().await;
    }
    rig.history.fail_every(None);
    assert!(id(&rig.ask(&asked).await.expect("taken")).is_some());
}

#[tokio::test]
async fn the_queue_for_the_journal_is_bounded() {
    let rig = rig(20_000, brisk_policy()).await;
    rig.history.close_gate();
    let asked = AllocationRequest::to(far());
    let mut waiting = Vec::new();
    let refused = loop {
        let mut ask = Box::pin(rig.ask(&asked));
        match futures_poll(ask.as_mut()).await {
            Poll::Pending => waiting.push(ask),
            Poll::Ready(answer) => break answer,
        }
        assert!(waiting.len() < 20_000, "the queue has a bound");
    };
    assert!(
        matches!(refused, Err(AllocatorError::Overloaded(_))),
        "{refused:?}"
    );
    rig.history.open_gate();
    for ask in waiting {
        assert!(ask.await.is_ok());
    }
}

#[tokio::test]
async fn a_stopped_engine_answers_who_waits_and_refuses_who_comes() {
    let rig = rig(2, brisk_policy()).await;
    rig.history.close_gate();
    let asked = AllocationRequest::to(far());
    let mut ask = std::pin::pin!(rig.ask(&asked));
    assert!(futures_poll(ask.as_mut()).await.is_pending());
    let mut stop = std::pin::pin!(rig.engine.stop());
    assert!(futures_poll(stop.as_mut()).await.is_pending());
    assert!(matches!(
        rig.ask(&asked).await,
        Err(AllocatorError::Stopped)
    ));
    rig.history.open_gate();
    assert!(id(&ask.await.expect("taken")).is_some());
    stop.await;
    assert_eq!(rig.history.history().len(), 1);
}

#[tokio::test]
async fn an_engine_whose_commit_panics_says_so_and_hands_out_nothing_more() {
    let engine = MemoryAllocator::new(Arc::new(Panics), Arc::new(ManualClock::at(START)));
    let policy = (PoolId::default(), brisk_policy());
    engine.put_pools(vec![policy]).await.expect("taken");
    let numbers = vec![engine_number(number(312, 0))];
    engine.put_numbers(numbers).await.expect("taken");
    let asked = AllocationRequest::to(far());
    let ask = async || {
        let pools = [PoolId::default()];
        let ask = Ask {
            request: &asked,
            pools: &pools,
            agent_limit: AgentLimit::OFF,
        };
        engine.allocate(ask).await
    };
    assert!(matches!(ask().await, Err(AllocatorError::Stopped)));
    engine.broken().await;
    assert!(matches!(ask().await, Err(AllocatorError::Stopped)));
}

/// A journal with a fault of ours.
struct Panics;

#[async_trait]
impl Journal for Panics {
    async fn commit(&self, _: Vec<JournalEvent>) -> Result<(), StoreError> {
        panic!("on purpose")
    }

    async fn probe(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn with_every_nth_commit_failing_all_invariants_hold_and_every_answer_is_in_history() {
    let policy = Policy {
        cooldown_ms: 20,
        reservation_ms: 50,
        ..Policy::default()
    };
    let rig = Arc::new(rig(40, policy.clone()).await);
    let limits = Limits::new(60, 30);
    let limited = |line| caller_id_core::EngineNumber {
        limits,
        ..engine_number(number(312, line))
    };
    rig.engine
        .put_numbers((0..40).map(limited).collect())
        .await
        .expect("numbers are taken");
    rig.history.fail_every(Some(3));
    let mut tasks = tokio::task::JoinSet::new();
    for worker in 0..8 {
        let rig = rig.clone();
        tasks.spawn(async move { hammer(&rig, worker).await });
    }
    let told = tasks.join_all().await;
    let failed: usize = told.iter().map(|(_, failed)| failed).sum();
    let acknowledged: Vec<AllocationId> = told.into_iter().flat_map(|(ids, _)| ids).collect();
    assert!(
        failed > 100 && acknowledged.len() > 100,
        "{failed} failed, {} succeeded",
        acknowledged.len()
    );
    let history = rig.history.history();
    assert_eq!(
        history.len(),
        acknowledged.len(),
        "nothing is in history that nobody was told"
    );
    let rules = |_| Rules {
        policy: policy.clone(),
        limits,
    };
    assert_eq!(
        violations(&history, &acknowledged, rules),
        Vec::<String>::new()
    );
}

/// Allocates and releases, and tells what was acknowledged and how often the journal failed.
async fn hammer(rig: &Rig, worker: u64) -> (Vec<AllocationId>, usize) {
    let (mut acknowledged, mut failed) = (Vec::new(), 0);
    for step in 0..400 {
        let name = format!("{worker}-{step}");
        match rig.ask(&request(far(), "", &name)).await {
            Ok(outcome) => acknowledged.extend(id(&outcome)),
            Err(_) => failed += 1,
        }
        rig.clock.advance_ms(1);
        if step % 2 == 0 {
            let target = ReleaseTarget::Call(call(&name));
            failed += usize::from(rig.engine.release(&target, CallEnd::Answer).await.is_err());
        }
    }
    (acknowledged, failed)
}
