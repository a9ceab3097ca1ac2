//! Work that one node at a time does, and leaves to others when it cannot; and what goes on where Redis or the outbox is full.

use caller_id_core::rotator::Routes;
use caller_id_core::store::{PastAllocation, Position, Revision};
use caller_id_core::{AgentLimit, Allocator, CallEnd, CallReport, InventoryStep};
use caller_id_core::{
    AllocationRequest, AllocatorError, Outbox, Outcome, ReleaseTarget, Reported, Rotator,
    SharedAllocator, Standing, Timestamp,
};
use caller_id_engine::RedisAllocator;
use caller_id_engine::redis::Settings;
use caller_id_testkit::builders::{START, campaign, campaign_id, engine_number, number, request};
use caller_id_testkit::redis::RedisServer;

use crate::rig::{ask, clock, declare_whole, engine, far, patient, stock, time};

#[tokio::test]
async fn a_node_that_cannot_store_events_leaves_them_to_another() {
    let server = RedisServer::start();
    let clock = clock();
    let [one, other] = [(), ()].map(|()| engine(&server, "default", time(&clock)));
    stock(&one, 1).await;
    ask(&one, &far()).await.expect("an answer");
    let taken = one
        .take(10)
        .await
        .expect("redis answers")
        .expect("its turn");
    assert_eq!(taken.events.len(), 1);
    assert_eq!(other.take(10).await.expect("redis answers"), None);
    other.leave().await.expect("redis answers");
    assert_eq!(
        other.take(10).await.expect("redis answers"),
        None,
        "it was not its to leave"
    );
    one.leave().await.expect("redis answers");
    let again = other.take(10).await.expect("redis answers");
    assert_eq!(again.map(|again| again.events), Some(taken.events));
}

#[tokio::test]
async fn a_node_that_cannot_rebuild_leaves_it_to_another() {
    let server = RedisServer::start();
    let clock = clock();
    let [one, other] = [(), ()].map(|()| engine(&server, "default", time(&clock)));
    assert!(one.claim_rebuild().await.expect("redis answers").is_some());
    assert!(
        other
            .claim_rebuild()
            .await
            .expect("redis answers")
            .is_none()
    );
    one.leave_rebuild().await.expect("redis answers");
    assert!(
        other
            .claim_rebuild()
            .await
            .expect("redis answers")
            .is_some()
    );
    assert!(one.claim_rebuild().await.expect("redis answers").is_none());
    assert!(one.keep_claim().await.is_err(), "it is the other's by now");
}

/// A master that another one took over from, and that came back before the rebuild there had ended.
#[tokio::test]
async fn a_state_on_its_way_to_be_whole_is_lost_in_every_run_of_the_server() {
    let server = RedisServer::start();
    let clock = clock();
    let engine = engine(&server, "default", time(&clock));
    stock(&engine, 1).await;
    let key = "caller-id:{default}:clock";
    let whole: String = server.ask(&["GET", key]).expect("redis answers");
    let mut words: Vec<&str> = whole.split(' ').collect();
    let until = START.as_ms().to_string();
    words[4] = &until;
    let begun = words.join(" ");
    let _: String = server.ask(&["SET", key, &begun]).expect("it is taken");
    assert!(matches!(
        engine.standing().await,
        Ok(Standing::Lost {
            known_until: Some(START),
            ..
        })
    ));
    assert!(ask(&engine, &far()).await.is_err());
    declare_whole(&engine).await;
    assert!(matches!(
        ask(&engine, &far()).await,
        Ok(Outcome::Allocated(_))
    ));
}

#[tokio::test]
async fn whoever_rebuilds_a_state_of_which_nothing_is_known_puts_all_numbers_again() {
    let server = RedisServer::start();
    let clock = clock();
    let engine = engine(&server, "default", time(&clock));
    stock(&engine, 1).await;
    let to = Position {
        since: Revision(5),
        ..Position::default()
    };
    let step = InventoryStep {
        to,
        ..InventoryStep::default()
    };
    assert!(engine.follow(step).await.expect("redis answers"));
    assert_eq!(engine.known_inventory().await.expect("redis answers"), to);
    let _: u64 = server
        .ask(&["DEL", "caller-id:{default}:clock"])
        .expect("it forgets");
    engine.claim_rebuild().await.expect("redis answers");
    let known = engine.known_inventory().await.expect("redis answers");
    assert_eq!(known, Position::default());
}

#[tokio::test]
async fn the_outbox_can_be_emptied_where_memory_is_used_up() {
    let server = RedisServer::start();
    let clock = clock();
    let engine = engine(&server, "default", time(&clock));
    stock(&engine, 1).await;
    ask(&engine, &far()).await.expect("an answer");
    let _: String = server
        .ask(&["CONFIG", "SET", "maxmemory", "1"])
        .expect("it is taken");
    let taken = engine
        .take(10)
        .await
        .expect("it is given")
        .expect("its turn");
    assert_eq!(taken.events.len(), 1);
    engine.done(&taken).await.expect("it is taken off");
    assert_eq!(engine.lag().await.expect("redis answers").events, 0);
    assert!(engine.probe().await.is_err(), "nothing can be written");
    let _: String = server
        .ask(&["CONFIG", "SET", "maxmemory", "0"])
        .expect("it is taken");
    engine.probe().await.expect("it can be written again");
}

#[tokio::test]
async fn with_a_full_outbox_a_call_that_asks_again_gets_its_number_and_another_none() {
    let server = RedisServer::start();
    let clock = clock();
    let settings = Settings {
        outbox_most: 1,
        ..patient(&server.url())
    };
    let engine = RedisAllocator::new(&settings, time(&clock)).expect("the address is one");
    stock(&engine, 2).await;
    let call = request(number(808, 99), "", "V1");
    let Ok(Outcome::Allocated(first)) = ask(&engine, &call).await else {
        panic!("the first is free");
    };
    let Ok(Outcome::Allocated(again)) = ask(&engine, &call).await else {
        panic!("the call has one");
    };
    assert!(again.repeated && again.record == first.record);
    let full = ask(&engine, &far()).await;
    assert!(
        matches!(full, Err(AllocatorError::OutboxFull(1))),
        "{full:?}"
    );
    let target = ReleaseTarget::Reservation(first.record.id);
    let ended = engine.release(&target, CallEnd::Answer).await;
    assert!(
        ended.expect("redis answers").is_some(),
        "ends are taken all the same"
    );
}

#[tokio::test]
async fn with_a_full_outbox_a_report_that_frees_its_number_is_taken_and_a_late_one_is_refused() {
    let server = RedisServer::start();
    let clock = clock();
    let settings = Settings {
        outbox_most: 1,
        ..patient(&server.url())
    };
    let engine = RedisAllocator::new(&settings, time(&clock)).expect("the address is one");
    stock(&engine, 1).await;
    let Ok(Outcome::Allocated(got)) = ask(&engine, &far()).await else {
        panic!("one is free");
    };
    let id = got.record.id;
    let target = ReleaseTarget::Reservation(id);
    let report = CallReport::default();
    let kept = engine.report(&target, &report).await;
    let released = true;
    assert_eq!(
        kept.expect("redis answers"),
        Reported::Kept { id, released }
    );
    let late = engine.report(&target, &report).await;
    assert!(
        matches!(late, Err(AllocatorError::OutboxFull(3))),
        "{late:?}"
    );
}

#[tokio::test]
async fn a_rotator_without_routes_hands_out_nothing() {
    let server = RedisServer::start();
    let clock = clock();
    let engine = engine(&server, "default", time(&clock));
    stock(&engine, 1).await;
    let rotator = Rotator::unrouted(engine.clone(), AgentLimit::OFF);
    assert!(!rotator.is_routed());
    assert!(rotator.next(&far()).await.is_err());
    rotator.set_routes(Routes::new(Vec::new()));
    assert!(rotator.is_routed());
    assert!(matches!(
        rotator.next(&far()).await,
        Ok(Outcome::Allocated(_))
    ));
}

#[tokio::test]
async fn a_campaign_has_its_own_limit_for_agents_also_after_a_rebuild() {
    let server = RedisServer::start();
    let clock = clock();
    let engine = engine(&server, "default", time(&clock));
    stock(&engine, 20).await;
    let rotator = Rotator::new(engine.clone(), AgentLimit::per_minute(2));
    let limited = |name, limit| {
        campaign(name, &["default"])
            .with_agent_limit(limit)
            .expect("a limit")
    };
    let campaigns = vec![limited("ONE", Some(1)), limited("OFF", Some(0))];
    rotator.set_routes(Routes::new(campaigns));
    let next = |agent: &'static str, name: &'static str| {
        let request = AllocationRequest {
            campaign: Some(campaign_id(name)),
            ..request(number(808, 99), agent, "")
        };
        let rotator = &rotator;
        async move { rotator.next(&request).await.expect("an answer") }
    };
    let mut past = Vec::new();
    for (agent, name, most) in [("1001", "ONE", 1), ("1002", "OTHER", 2), ("1003", "OFF", 5)] {
        for _ in 0..most {
            match next(agent, name).await {
                Outcome::Allocated(got) => past.push(PastAllocation::new((*got.record).clone())),
                other => panic!("{name}: expected a number, got {other:?}"),
            }
        }
    }
    let limited = async || {
        for (agent, name, expected) in [
            ("1001", "ONE", true),
            ("1002", "OTHER", true),
            ("1003", "OFF", false),
        ] {
            let outcome = next(agent, name).await;
            let limited = matches!(outcome, Outcome::AgentLimited { .. });
            assert_eq!(limited, expected, "{name}: {outcome:?}");
        }
    };
    limited().await;

    let _: String = server.ask(&["FLUSHALL"]).expect("it forgets");
    engine.claim_rebuild().await.expect("redis answers");
    let numbers = (0..20).map(|line| engine_number(number(312, line)));
    let put = engine.put_numbers(numbers.collect()).await;
    put.expect("numbers are taken");
    let replayed = engine.replay(past, &rotator.agent_limits()).await;
    replayed.expect("it is taken");
    declare_whole(&engine).await;
    limited().await;
}

/// Our time goes at half speed until the server's has caught up: what must outlive a reservation lives twice as long there.
#[tokio::test]
async fn a_call_is_remembered_for_its_whole_reservation_after_a_clock_was_set_back() {
    let server = RedisServer::start();
    let engine = engine(&server, "default", caller_id_engine::redis::Time::Server);
    stock(&engine, 1).await;
    let key = "caller-id:{default}:clock";
    let clock: String = server.ask(&["GET", key]).expect("redis answers");
    let mut words: Vec<String> = clock.split(' ').map(str::to_owned).collect();
    let ahead: i64 = words[0].parse::<i64>().expect("an instant") + 7_200_000;
    words[0] = ahead.to_string();
    let _: String = server
        .ask(&["SET", key, &words.join(" ")])
        .expect("it is taken");
    let Ok(Outcome::Allocated(got)) = ask(&engine, &request(number(808, 99), "", "V1")).await
    else {
        panic!("the number is free");
    };
    assert!(got.record.at >= Timestamp::from_ms(ahead));
    let held_ms = got.record.reserved_until.ms_since(got.record.at);
    let kept_ms: i64 = server
        .ask(&["PTTL", "caller-id:{default}:c:V1"])
        .expect("redis answers");
    assert!(kept_ms >= 2 * held_ms, "{kept_ms} of {held_ms}");
}
