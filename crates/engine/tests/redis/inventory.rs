//! Changes of the inventory that several nodes bring at once.

use std::sync::Arc;

use caller_id_core::store::Revision;
use caller_id_core::{
    Allocator, InventoryStep, Outcome, Policy, PoolId, Position, SharedAllocator, TimeZone,
};
use caller_id_engine::RedisAllocator;
use caller_id_testkit::builders::{brisk_policy, engine_number, number};
use caller_id_testkit::redis::RedisServer;

use crate::heads;
use crate::rig::{ask, clock, declare_whole, engine, far, impatient, stock, time};

fn at(revision: i64) -> Position {
    Position {
        since: Revision(revision),
        ..Position::default()
    }
}

/// A step with this policy of the pool `default`, and its first number.
fn step(from: i64, to: i64, policy: Policy) -> InventoryStep {
    InventoryStep {
        from: at(from),
        pools: vec![(PoolId::default(), policy)],
        numbers: vec![engine_number(number(312, 0))],
        to: at(to),
    }
}

fn reserving_for_ms(reservation_ms: i64) -> Policy {
    Policy {
        reservation_ms,
        ..brisk_policy()
    }
}

/// A policy whose midnights nobody has given yet.
fn in_another_zone(reservation_ms: i64) -> Policy {
    Policy {
        time_zone: TimeZone::parse("America/Chicago").expect("a zone"),
        ..reserving_for_ms(reservation_ms)
    }
}

/// For how long a number is reserved that is handed out now.
async fn reserved_ms(engine: &RedisAllocator) -> i64 {
    match ask(engine, &far()).await.expect("an answer") {
        Outcome::Allocated(got) => got.record.reserved_until.ms_since(got.record.at),
        other => panic!("a number is free: {other:?}"),
    }
}

/// Two nodes at revision 5 of the inventory.
async fn nodes(server: &RedisServer) -> [Arc<RedisAllocator>; 2] {
    let clock = clock();
    let [one, other] = ["default"; 2].map(|tenant| engine(server, tenant, time(&clock)));
    declare_whole(&one).await;
    let first = step(0, 5, reserving_for_ms(5_000));
    assert!(one.follow(first).await.expect("an answer"));
    [one, other]
}

#[tokio::test]
async fn an_older_policy_that_comes_late_is_refused_whole() {
    let server = RedisServer::start();
    let [late, quick] = nodes(&server).await;
    let newer = step(5, 7, in_another_zone(7_000));
    assert!(quick.follow(newer).await.expect("an answer"));
    for older in [reserving_for_ms(6_000), in_another_zone(6_000)] {
        let mut older = step(5, 6, older);
        older.numbers.push(engine_number(number(312, 1)));
        assert!(!late.follow(older).await.expect("an answer"));
    }
    assert_eq!(late.known_inventory().await.expect("an answer"), at(7));
    assert_eq!(reserved_ms(&late).await, 7_000);
    let unknown = late.number_state(number(312, 1)).await;
    assert_eq!(unknown.expect("an answer"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_nodes_that_bring_policies_at_once_one_does_and_its_policy_is_in_force() {
    let server = RedisServer::start();
    let [one, other] = nodes(&server).await;
    for round in 0..50 {
        let (from, zone) = (one.known_inventory().await.expect("an answer"), round % 2);
        let to = from.since.0 + 1;
        let policy = |ms| match zone {
            0 => in_another_zone(ms),
            _ => reserving_for_ms(ms),
        };
        let steps = [1, 2].map(|node| step(from.since.0, to, policy(1_000 * (10 * to + node))));
        let [first, second] = steps;
        let (first, second) = tokio::join!(one.follow(first), other.follow(second));
        let (first, second) = (first.expect("an answer"), second.expect("an answer"));
        assert!(first != second, "exactly one of them, in round {round}");
        let node = if first { 1 } else { 2 };
        let got = ask(&one, &far()).await.expect("an answer");
        if let Outcome::Allocated(got) = got {
            let reserved_ms = got.record.reserved_until.ms_since(got.record.at);
            assert_eq!(reserved_ms, 1_000 * (10 * to + node), "in round {round}");
            let target = caller_id_core::ReleaseTarget::Reservation(got.record.id);
            let end = caller_id_core::CallEnd::Released;
            let released = one.release(&target, end).await.expect("an answer");
            assert!(released.is_some());
        } else {
            panic!("it was released: {got:?}");
        }
    }
}

/// The policy is in force with the position; that its numbers have their places is made up for.
#[tokio::test]
async fn places_that_could_not_be_changed_with_the_policy_are_changed_later() {
    let server = RedisServer::start();
    let clock = clock();
    let engine = engine(&server, "default", time(&clock));
    stock(&engine, 3).await;
    let slow = Policy {
        cooldown_ms: 3_600_000,
        ..brisk_policy()
    };
    let used = reserved_ms(&engine).await;
    assert!(engine.follow(step(0, 5, slow)).await.expect("an answer"));
    server
        .ask::<()>(&["ACL", "SETUSER", "default", "-zscan"])
        .expect("redis answers");
    let brisk = step(5, 6, reserving_for_ms(used));
    assert!(engine.follow(brisk).await.is_err(), "no place is found");
    assert!(engine.known_inventory().await.is_err());
    server
        .ask::<()>(&["ACL", "SETUSER", "default", "+zscan"])
        .expect("redis answers");
    assert_eq!(engine.known_inventory().await.expect("an answer"), at(6));
    heads::agree(&server, "default").expect("the orders agree");
    clock.advance_ms(used);
    let mut free = 0;
    while let Outcome::Allocated(_) = ask(&engine, &far()).await.expect("an answer") {
        free += 1;
    }
    assert_eq!(free, 3, "none rests for the cooldown that is no more");
}

/// The node that changed the policy is gone before all numbers were in their places.
#[tokio::test]
async fn what_a_node_that_is_gone_began_another_one_ends() {
    let server = RedisServer::start();
    let clock = clock();
    let [gone, other] = ["default"; 2].map(|tenant| engine(&server, tenant, time(&clock)));
    stock(&gone, 3).await;
    let slow = Policy {
        cooldown_ms: 3_600_000,
        ..brisk_policy()
    };
    assert!(gone.follow(step(0, 5, slow)).await.expect("an answer"));
    for _ in 0..2 {
        ask(&gone, &far()).await.expect("an answer");
    }
    clock.advance_ms(reserved_ms(&gone).await);
    let rights = |rule: &str| server.ask::<()>(&["ACL", "SETUSER", "default", rule]);
    rights("-zscan").expect("redis answers");
    let brisk = step(5, 6, reserving_for_ms(1_000));
    assert!(gone.follow(brisk).await.is_err(), "no place is found");
    drop(gone);
    rights("+zscan").expect("redis answers");
    clock.advance_ms(1_000);
    assert_eq!(other.known_inventory().await.expect("an answer"), at(6));
    // The number that came with the step has its place.
    reserved_ms(&other).await;
    let none = ask(&other, &far()).await.expect("an answer");
    assert!(
        matches!(none, Outcome::Exhausted(_)),
        "somebody may be at it: {none:?}"
    );
    clock.advance_ms(2_000);
    assert_eq!(other.known_inventory().await.expect("an answer"), at(6));
    heads::agree(&server, "default").expect("the orders agree");
    for _ in 0..3 {
        let got = ask(&other, &far()).await.expect("an answer");
        assert!(matches!(got, Outcome::Allocated(_)), "{got:?}");
        clock.advance_ms(1);
    }
    let left: u64 = server
        .ask(&["EXISTS", "caller-id:{default}:unsettled"])
        .expect("redis answers");
    assert_eq!(left, 0);
}

#[tokio::test]
async fn while_a_state_is_lost_only_who_rebuilds_it_brings_numbers_in_larger_and_larger_steps() {
    let server = RedisServer::start();
    let clock = clock();
    let [one, other] = ["default"; 2].map(|tenant| engine(&server, tenant, time(&clock)));
    let some = one.step_most();
    let claim = one.claim_rebuild().await.expect("an answer");
    assert!(claim.is_some());
    let of = |from, to| InventoryStep {
        numbers: (0..)
            .map(|n| engine_number(number(312, n)))
            .take(some)
            .collect(),
        ..step(from, to, brisk_policy())
    };
    let refused = other.follow(of(0, 1)).await.expect_err("it is not whole");
    assert!(
        refused.to_string().contains("is being rebuilt"),
        "{refused}"
    );
    let mut revision = 0;
    // A machine that is busy otherwise makes them no larger for a while.
    while one.step_most() == some {
        let taken = one.follow(of(revision, revision + 1)).await;
        assert!(taken.expect("an answer"));
        revision += 1;
    }
    assert_eq!(other.step_most(), some);
    assert!(one.declare_ready().await.expect("an answer"));
    assert_eq!(one.step_most(), some, "others are served now");
    let taken = other.follow(of(revision, revision + 1)).await;
    assert!(taken.expect("an answer"));
}

#[tokio::test]
async fn who_rebuilds_waits_for_an_answer_that_nobody_else_would_wait_for() {
    let server = RedisServer::start();
    let clock = clock();
    let [one, other] = [(); 2].map(|()| impatient(&server.url(), time(&clock)));
    assert!(one.claim_rebuild().await.expect("an answer").is_some());
    other.known_inventory().await.expect("an answer");
    server.pause();
    let slowly = async {
        // The other has given up.
        let given_up = other.known_inventory().await;
        server.resume();
        given_up
    };
    let (answered, given_up) = tokio::join!(one.known_inventory(), slowly);
    assert!(given_up.is_err());
    answered.expect("it came late");
    one.keep_claim().await.expect("it goes on");
}
