//! Many nodes on one Redis, numbers that go, and history that is older than what Redis knows.

use std::collections::HashSet;
use std::sync::Arc;

use caller_id_core::{
    AgentLimit, AllocationId, Allocator, CallEnd, Outcome, Policy, PoolId, ReleaseTarget, recovery,
};
use caller_id_engine::redis::Time;
use caller_id_testkit::builders::{number, request};
use caller_id_testkit::redis::RedisServer;

use crate::rig::{Streamed, ask, clock, engine, far, stock, time};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_share_a_redis_never_hand_out_one_number_twice() {
    let server = RedisServer::start();
    let nodes: Vec<_> = (0..3)
        .map(|_| engine(&server, "default", Time::Server))
        .collect();
    stock(&nodes[0], 300).await;
    let mut tasks = tokio::task::JoinSet::new();
    for node in nodes.iter().cycle().take(24) {
        let node = node.clone();
        tasks.spawn(async move {
            let mut got = Vec::new();
            for _ in 0..20 {
                if let Outcome::Allocated(one) = ask(&node, &far()).await.expect("an answer") {
                    got.push(one.record);
                }
            }
            got
        });
    }
    let got: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let numbers: HashSet<_> = got.iter().map(|record| record.number).collect();
    assert_eq!((got.len(), numbers.len()), (300, 300));
    let history = Streamed(nodes[0].clone()).read().await.history();
    let kept: HashSet<AllocationId> = history.iter().map(|past| past.record.id).collect();
    assert_eq!(kept.len(), 300);
    for record in got {
        assert!(kept.contains(&record.id), "{} is in the journal", record.id);
        assert_eq!(record.id.number(), Some(record.number));
        let target = ReleaseTarget::Reservation(record.id);
        let released = nodes[1].release(&target, CallEnd::Answer).await;
        assert!(released.expect("an answer").is_some());
    }
}

#[tokio::test]
async fn tenants_of_one_redis_know_nothing_of_each_other() {
    let server = RedisServer::start();
    let clock = clock();
    let [one, other] = ["one", "other"].map(|tenant| engine(&server, tenant, time(&clock)));
    stock(&one, 1).await;
    stock(&other, 0).await;
    let none = ask(&other, &far()).await.expect("an answer");
    assert!(matches!(none, Outcome::Exhausted(_)), "{none:?}");
}

#[tokio::test]
async fn a_number_removed_is_never_presented_again() {
    let server = RedisServer::start();
    let clock = clock();
    let engine = engine(&server, "default", time(&clock));
    stock(&engine, 2).await;
    let removed = engine
        .remove_numbers(&[number(312, 0), number(312, 7)])
        .await;
    assert_eq!(removed.expect("an answer"), 1);
    let Ok(Outcome::Allocated(got)) = ask(&engine, &far()).await else {
        panic!("the other one is free");
    };
    assert_eq!(got.record.number, number(312, 1));
    let state = engine.number_state(number(312, 0)).await;
    assert_eq!(state.expect("an answer"), None);
}

/// A node starts while others go on: what it read of history is older than what Redis knows.
#[tokio::test]
async fn what_redis_knows_of_later_uses_is_not_overwritten_by_older_history() {
    let server = RedisServer::start();
    let clock = clock();
    let node = engine(&server, "default", time(&clock));
    stock(&node, 1).await;
    let pools = [(PoolId::default(), Policy::default())];
    let history: Arc<Streamed> = Arc::new(Streamed(node.clone()));
    let call = |name| request(number(808, 99), "", name);
    ask(&node, &call("first")).await.expect("an answer");
    let rules = recovery::Rules {
        pools: &pools,
        global: &Policy::default(),
        agent_limits: &AgentLimit::OFF.into(),
    };
    let now = clock.advance_ms(60_000);
    let recovered = recovery::recover(&*history, rules, now).await;
    let recovered = recovered.expect("history is read");
    ask(&node, &call("second")).await.expect("an answer");
    let before = node.number_state(number(312, 0)).await.expect("an answer");
    node.recover(recovered)
        .await
        .expect("history is taken over");
    let after = node.number_state(number(312, 0)).await.expect("an answer");
    assert_eq!(before, after);
    assert_eq!(after.map(|state| state.uses_today), Some(2));
}
