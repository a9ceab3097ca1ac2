//! What time it is after the clock of Redis's machine was ahead, and was set right: time goes on from the instant ahead, at half
//! its speed. Instants are compared with those of the server itself, never with how fast this machine is.

use caller_id_core::store::PastAllocation;
use caller_id_core::{
    AgentLimit, Allocator, CallEnd, EndRecord, Outcome, Policy, PoolId, ReleaseTarget,
    SharedAllocator, Timestamp,
};
use caller_id_engine::RedisAllocator;
use caller_id_engine::redis::Time;
use caller_id_testkit::builders::{brisk_policy, engine_number, number};
use caller_id_testkit::redis::RedisServer;

use crate::rig::{NEVER, ask, declare_whole, engine, far, stock};

const KEY: &str = "caller-id:{default}:clock";
/// So far the clock was ahead.
const AHEAD_MS: i64 = 400;
const MINUTE_MS: i64 = 60_000;
const HOURS_MS: i64 = 3 * 60 * MINUTE_MS;

/// What the state holds: our instant, and what the server's clock said then.
#[derive(Debug, Clone, Copy)]
struct Kept {
    now: i64,
    wall: i64,
}

fn kept(server: &RedisServer) -> Kept {
    let clock: String = server.ask(&["GET", KEY]).expect("redis answers");
    let mut words = clock.split(' ').map(|word| word.parse().expect("a count"));
    let [now, wall] = [(); 2].map(|()| words.next().expect("an instant"));
    Kept { now, wall }
}

fn keep(server: &RedisServer, kept: Kept) {
    let clock: String = server.ask(&["GET", KEY]).expect("redis answers");
    let mut words: Vec<String> = clock.split(' ').map(str::to_owned).collect();
    words[0] = kept.now.to_string();
    words[1] = kept.wall.to_string();
    let _: String = server
        .ask(&["SET", KEY, &words.join(" ")])
        .expect("it is taken");
}

/// As if the clock of the server had been so far ahead, and somebody had set it right just now.
fn was_ahead(server: &RedisServer, ms: i64) -> i64 {
    let ahead = kept(server).wall + ms;
    keep(
        server,
        Kept {
            now: ahead,
            wall: ahead,
        },
    );
    ahead
}

/// Asks until the number is free, or until `is` what the state holds then; tells what was held each time.
async fn ask_until(
    engine: &RedisAllocator,
    server: &RedisServer,
    is: impl Fn(&Outcome, Kept) -> bool,
) -> Vec<Kept> {
    let asking = async {
        let mut seen = Vec::new();
        loop {
            let outcome = ask(engine, &far()).await.expect("redis answers");
            seen.push(kept(server));
            if is(&outcome, seen[seen.len() - 1]) {
                return seen;
            }
            tokio::task::yield_now().await;
        }
    };
    let asked = tokio::time::timeout(NEVER, asking).await;
    asked.expect("time goes on")
}

fn number_of(outcome: Outcome) -> (ReleaseTarget, Timestamp) {
    match outcome {
        Outcome::Allocated(got) => (ReleaseTarget::Reservation(got.record.id), got.record.at),
        other => panic!("a number is free: {other:?}"),
    }
}

#[tokio::test]
async fn an_instant_ahead_is_caught_up_with_in_twice_the_time() {
    let server = RedisServer::start();
    let engine = engine(&server, "default", Time::Server);
    stock(&engine, 1).await;
    let ahead = was_ahead(&server, AHEAD_MS);
    let first = ask(&engine, &far()).await.expect("redis answers");
    let (_, at) = number_of(first);
    assert_eq!(at.as_ms(), ahead, "time goes on where it was");
    let begun = kept(&server);
    let is_caught_up = |_: &Outcome, kept: Kept| kept.now == kept.wall;
    let seen = ask_until(&engine, &server, is_caught_up).await;
    let (caught_up, on_the_way) = seen.split_last().expect("it was asked");
    for kept in on_the_way {
        assert_eq!(kept.now - ahead, (kept.wall - begun.wall) / 2, "{kept:?}");
    }
    let behind = ahead - begun.wall;
    let took = caught_up.wall - begun.wall;
    // Half a millisecond is none.
    assert!(took >= 2 * behind - 1, "{took} ms for {behind} ms");
    let last = on_the_way.last().map_or(0, |kept| kept.wall - begun.wall);
    assert!(last < 2 * behind, "{last} ms for {behind} ms");
}

#[tokio::test]
async fn half_the_time_counts_also_where_nobody_asked_meanwhile() {
    let server = RedisServer::start();
    let engine = engine(&server, "default", Time::Server);
    stock(&engine, 1).await;
    // An hour ago the clock was set right, by forty minutes; since then nobody has asked.
    let set_right = kept(&server).wall - 60 * MINUTE_MS;
    let ahead = set_right + 40 * MINUTE_MS;
    keep(
        &server,
        Kept {
            now: ahead,
            wall: set_right,
        },
    );
    let (_, at) = number_of(ask(&engine, &far()).await.expect("redis answers"));
    let kept = kept(&server);
    assert_eq!(at.as_ms(), kept.now);
    assert_eq!(kept.now - ahead, (kept.wall - set_right) / 2, "{kept:?}");
    assert!(kept.now - kept.wall > 9 * MINUTE_MS, "{kept:?}");
}

#[tokio::test]
async fn who_is_started_anew_does_not_bring_time_back() {
    let server = RedisServer::start();
    stock(&engine(&server, "default", Time::Server), 2).await;
    let ahead = was_ahead(&server, HOURS_MS);
    for _ in 0..2 {
        let started = engine(&server, "default", Time::Server);
        let (_, at) = number_of(ask(&started, &far()).await.expect("redis answers"));
        let late = at.as_ms() - ahead;
        assert!((0..HOURS_MS).contains(&late), "{late} ms past the instant");
        let kept = kept(&server);
        assert!(kept.now >= ahead && kept.wall < ahead, "{kept:?}");
    }
}

#[tokio::test]
async fn a_rest_takes_twice_as_long_meanwhile_and_never_less_than_it_should() {
    const REST_MS: i64 = 300;
    let server = RedisServer::start();
    let engine = engine(&server, "default", Time::Server);
    stock(&engine, 1).await;
    let policy = Policy {
        cooldown_ms: REST_MS,
        ..Policy::default()
    };
    let pools = vec![(PoolId::default(), policy)];
    engine.put_pools(pools).await.expect("pools are taken");
    was_ahead(&server, HOURS_MS);
    let (call, _) = number_of(ask(&engine, &far()).await.expect("redis answers"));
    let used = kept(&server);
    let ended = engine.release(&call, CallEnd::Answer).await;
    assert!(ended.expect("redis answers").is_some());
    let is_free = |outcome: &Outcome, _: Kept| matches!(outcome, Outcome::Allocated(_));
    let seen = ask_until(&engine, &server, is_free).await;
    let (free, before) = seen.split_last().expect("it was asked");
    assert!(
        free.wall - used.wall >= 2 * REST_MS - 1,
        "{used:?} {free:?}"
    );
    let last = before.last().expect("it rests first");
    assert!(last.wall - used.wall <= 2 * REST_MS, "{used:?} {last:?}");
}

/// Redis came back empty after its clock was set right: history has what was allocated, and ended, while it was ahead.
#[tokio::test]
async fn what_ended_while_the_clock_was_ahead_holds_no_number_after_a_rebuild() {
    let server = RedisServer::start();
    let ahead = engine(&server, "default", Time::Server);
    stock(&ahead, 2).await;
    was_ahead(&server, HOURS_MS);
    let mut past = Vec::new();
    for _ in 0..2 {
        let Ok(Outcome::Allocated(got)) = ask(&ahead, &far()).await else {
            panic!("a number is free");
        };
        let record = (*got.record).clone();
        let ended = EndRecord {
            id: record.id,
            at: record.at.plus_ms(MINUTE_MS),
            end: CallEnd::Answer,
        };
        past.push(PastAllocation {
            ended: Some(ended),
            ..PastAllocation::new(record)
        });
    }
    let _: String = server.ask(&["FLUSHALL"]).expect("it forgets");
    let engine = engine(&server, "default", Time::Server);
    engine.claim_rebuild().await.expect("redis answers");
    let pools = vec![(PoolId::default(), brisk_policy())];
    engine.put_pools(pools).await.expect("pools are taken");
    let numbers = (0..2).map(|line| engine_number(number(312, line)));
    let put = engine.put_numbers(numbers.collect()).await;
    put.expect("numbers are taken");
    for one in past {
        let replayed = engine.replay(vec![one], &AgentLimit::OFF.into()).await;
        replayed.expect("it is taken");
        let kept = kept(&server);
        let led = kept.now - kept.wall;
        assert!(led <= 60 * MINUTE_MS, "an hour at most: {led} ms");
    }
    declare_whole(&engine).await;
    for _ in 0..2 {
        number_of(ask(&engine, &far()).await.expect("redis answers"));
    }
}
