//! Redis that is away, hangs, forgets or refuses.

use caller_id_core::{
    AgentLimit, Allocator, AllocatorError, Ask, EngineNumber, Outcome, SharedAllocator, Standing,
    Timestamp,
};
use caller_id_engine::RedisAllocator;
use caller_id_engine::redis::Time;
use caller_id_testkit::builders::{engine_number, number, pool};
use caller_id_testkit::redis::RedisServer;

use crate::rig::{
    NEVER, Streamed, ask, ask_until_answered, clock, engine, far, impatient, stock, time,
};

fn is_unavailable(answer: &Result<Outcome, AllocatorError>) -> bool {
    matches!(answer, Err(AllocatorError::Unavailable(_)))
}

/// Waits until the server answers again, and gives up to when it knows everything.
async fn lost_until_known(engine: &RedisAllocator) -> Option<Timestamp> {
    let answered = async {
        loop {
            match engine.standing().await {
                Ok(Standing::Lost { known_until, .. }) => return known_until,
                Ok(Standing::Ready(_)) => {
                    panic!("another run of the server has not the whole state")
                }
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(NEVER, answered)
        .await
        .expect("the engine comes back by itself")
}

#[tokio::test]
async fn while_redis_is_away_requests_fail_and_when_it_is_back_they_are_answered() {
    let mut server = RedisServer::start();
    let clock = clock();
    let engine = impatient(&server.url(), time(&clock));
    stock(&engine, 3).await;
    assert!(matches!(
        ask_until_answered(&engine).await,
        Outcome::Allocated(_)
    ));
    server.kill();
    for _ in 0..5 {
        let answer = tokio::time::timeout(NEVER, ask(&engine, &far())).await;
        let answer = answer.expect("an answer, though Redis is away");
        assert!(is_unavailable(&answer), "{answer:?}");
    }
    server.restart();
    // It came back empty: nothing is handed out until somebody says that it is whole.
    let lost = lost_until_known(&engine).await;
    assert_eq!(lost, None);
    assert!(is_unavailable(&ask(&engine, &far()).await));
    stock(&engine, 3).await;
    assert!(matches!(
        ask(&engine, &far()).await,
        Ok(Outcome::Allocated(_))
    ));
}

#[tokio::test]
async fn an_engine_that_starts_while_redis_is_away_serves_when_it_comes() {
    let mut server = RedisServer::start();
    server.kill();
    let clock = clock();
    let engine = impatient(&server.url(), time(&clock));
    assert!(is_unavailable(&ask(&engine, &far()).await));
    server.restart();
    lost_until_known(&engine).await;
    stock(&engine, 0).await;
    assert!(matches!(
        ask_until_answered(&engine).await,
        Outcome::Exhausted(_)
    ));
}

#[tokio::test]
async fn a_redis_that_hangs_never_holds_a_request_longer_than_its_time() {
    let server = RedisServer::start();
    let clock = clock();
    let patient = engine(&server, "default", time(&clock));
    let engine = impatient(&server.url(), time(&clock));
    stock(&patient, 3).await;
    server.pause();
    let answer = tokio::time::timeout(NEVER, ask(&engine, &far())).await;
    server.resume();
    let answer = answer.expect("an answer, though Redis hangs");
    assert!(is_unavailable(&answer), "{answer:?}");
    assert!(matches!(
        ask_until_answered(&engine).await,
        Outcome::Allocated(_)
    ));
}

async fn command<T: redis::FromRedisValue>(server: &RedisServer, words: &[&str]) -> T {
    let client = redis::Client::open(server.url()).expect("an address");
    let mut connection = client
        .get_multiplexed_async_connection()
        .await
        .expect("a connection");
    let mut command = redis::cmd(words[0]);
    for word in &words[1..] {
        command.arg(*word);
    }
    command
        .query_async(&mut connection)
        .await
        .expect("redis takes it")
}

#[tokio::test]
async fn scripts_that_redis_forgot_are_sent_again() {
    let server = RedisServer::start();
    let clock = clock();
    let engine = engine(&server, "default", time(&clock));
    stock(&engine, 2).await;
    assert!(matches!(
        ask(&engine, &far()).await,
        Ok(Outcome::Allocated(_))
    ));
    let _: redis::Value = command(&server, &["SCRIPT", "FLUSH"]).await;
    assert!(matches!(
        ask(&engine, &far()).await,
        Ok(Outcome::Allocated(_))
    ));
}

#[tokio::test]
async fn a_redis_that_refuses_to_write_hands_out_nothing_and_keeps_no_trace() {
    let server = RedisServer::start();
    let clock = clock();
    let engine = engine(&server, "default", time(&clock));
    stock(&engine, 1).await;
    for (setting, refuses, obeys) in [("min-replicas-to-write", "1", "0"), ("maxmemory", "1", "0")]
    {
        let _: redis::Value = command(&server, &["CONFIG", "SET", setting, refuses]).await;
        let answer = ask(&engine, &far()).await;
        assert!(is_unavailable(&answer), "{setting}: {answer:?}");
        let _: redis::Value = command(&server, &["CONFIG", "SET", setting, obeys]).await;
        let state = engine.number_state(number(312, 0)).await.expect("answers");
        assert_eq!(
            state.map(|state| (state.reservations, state.uses_today)),
            Some((0, 0))
        );
    }
    assert!(matches!(
        ask(&engine, &far()).await,
        Ok(Outcome::Allocated(_))
    ));
    assert_eq!(Streamed(engine).read().await.history().len(), 1);
}

#[tokio::test]
async fn a_value_that_cannot_be_read_fails_the_requests_that_need_it_alone() {
    let server = RedisServer::start();
    let clock = clock();
    let engine = engine(&server, "default", time(&clock));
    stock(&engine, 1).await;
    let elsewhere = EngineNumber {
        pool: pool("solar"),
        ..engine_number(number(212, 1))
    };
    engine.put_numbers(vec![elsewhere]).await.expect("taken");
    ask(&engine, &far()).await.expect("days are given");
    clock.advance_ms(3_600_000);
    let key = "caller-id:{default}:n:000013125550000";
    let _: redis::Value = command(&server, &["SET", key, "spoilt"]).await;
    let (request, pools) = (far(), [pool("solar")]);
    let whole = Ask {
        request: &request,
        pools: &pools,
        agent_limit: AgentLimit::OFF,
    };
    let (broken, whole) = tokio::join!(ask(&engine, &request), engine.allocate(whole));
    assert!(is_unavailable(&broken), "{broken:?}");
    assert!(matches!(whole, Ok(Outcome::Allocated(_))), "{whole:?}");
}

#[tokio::test]
async fn a_server_whose_clock_was_set_back_goes_on_from_where_it_was() {
    let server = RedisServer::start();
    let engine = engine(&server, "default", Time::Server);
    stock(&engine, 1).await;
    let future = 4_000_000_000_000_i64;
    let known: String = command(&server, &["GET", "caller-id:{default}:clock"]).await;
    let run = known.split(' ').nth(3).expect("a run of the server");
    let clock = format!("{future} {future} 5 {run}   0");
    let _: redis::Value = command(&server, &["SET", "caller-id:{default}:clock", &clock]).await;
    let Ok(Outcome::Allocated(got)) = ask(&engine, &far()).await else {
        panic!("the number is free");
    };
    // The clock goes on meanwhile, and the server's own is decades behind.
    const DAY_MS: i64 = 86_400_000;
    assert!((future..future + DAY_MS).contains(&got.record.at.as_ms()));
    let none = ask(&engine, &far()).await.expect("an answer");
    // Whoever asks has another clock: how long it takes is told by the server's.
    let soon =
        matches!(none, Outcome::Exhausted(none) if none.wait_ms > 0 && none.wait_ms < DAY_MS);
    assert!(soon, "{none:?}");
}

/// It was demoted, and promoted again before it had what the other master did meanwhile.
#[tokio::test]
async fn a_master_that_was_a_replica_meanwhile_has_not_the_whole_state() {
    let server = RedisServer::start();
    let clock = clock();
    let engine = engine(&server, "default", time(&clock));
    stock(&engine, 1).await;
    assert_eq!(standing_word(&engine).await, "ready");
    for words in [["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]] {
        let _: redis::Value = command(&server, &words).await;
    }
    let seen = async {
        while standing_word(&engine).await != "lost" {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(NEVER, seen)
        .await
        .expect("it is noticed");
    assert!(is_unavailable(&ask(&engine, &far()).await));
}

async fn standing_word(engine: &RedisAllocator) -> &'static str {
    match engine.standing().await {
        Ok(Standing::Ready(_)) => "ready",
        Ok(Standing::Lost { .. }) => "lost",
        Err(_) => "away",
    }
}
