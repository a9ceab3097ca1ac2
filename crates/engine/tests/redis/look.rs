//! Looks into the Redis engine leave every key as it is, also where numbers stand in the wrong places.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use caller_id_core::explain;
use caller_id_core::inspection::{Counts, Foreseen};
use caller_id_core::ladder::Candidates;
use caller_id_core::{
    AgentLimit, AllocationRequest, Allocator, AllocatorError, Ask, EngineNumber, Inspector,
    ManualClock, Outcome, PhoneNumber, Policy, PoolId,
};
use caller_id_engine::RedisAllocator;
use caller_id_engine::redis::Time;
use caller_id_testkit::builders::{brisk_policy, engine_number, number, request};
use caller_id_testkit::redis::RedisServer;
use redis::Value;

use crate::rig::{NEVER, clock, declare_whole, engine, far, impatient, stock, time};

/// All keys, with all that is in them.
fn dump(server: &RedisServer) -> BTreeMap<String, Value> {
    let keys: Vec<String> = server.ask(&["KEYS", "*"]).expect("redis answers");
    let dump = |key: String| {
        let value = server.ask(&["DUMP", &key]).expect("redis answers");
        (key, value)
    };
    keys.into_iter().map(dump).collect()
}

fn ask_of<'a>(request: &'a AllocationRequest, pools: &'a [PoolId]) -> Ask<'a> {
    Ask {
        request,
        pools,
        agent_limit: AgentLimit::per_minute(300),
    }
}

struct Rig {
    server: RedisServer,
    engine: Arc<RedisAllocator>,
    clock: Arc<ManualClock>,
    pools: [PoolId; 1],
}

impl Rig {
    async fn start(policy: Policy) -> Self {
        let server = RedisServer::start();
        let clock = clock();
        let engine = engine(&server, "default", time(&clock));
        declare_whole(&engine).await;
        let pools = [PoolId::default()];
        let put = engine.put_pools(vec![(pools[0].clone(), policy)]).await;
        put.expect("pools are taken");
        Self {
            server,
            engine,
            clock,
            pools,
        }
    }

    async fn put(&self, numbers: impl IntoIterator<Item = EngineNumber>) {
        let put = self.engine.put_numbers(numbers.into_iter().collect()).await;
        put.expect("numbers are taken");
    }

    async fn allocate(&self, request: &AllocationRequest) -> Outcome {
        let answer = self.engine.allocate(ask_of(request, &self.pools)).await;
        answer.expect("redis answers")
    }

    /// Looks, sees that nothing changed, asks, and sees that it was foreseen.
    async fn look_and_ask(&self, request: &AllocationRequest) -> Foreseen {
        let before = dump(&self.server);
        let ask = ask_of(request, &self.pools);
        let foreseen = self.engine.foresee(ask).await.expect("redis answers");
        assert!(before == dump(&self.server), "nothing changes: {request:?}");
        let answer = self.allocate(request).await;
        assert_eq!(foreseen, Foreseen::from(&answer), "{request:?}");
        foreseen
    }

    async fn counts(&self, among: Candidates) -> Counts {
        let counts = self.engine.counts(&self.pools[0], among).await;
        counts.expect("redis answers")
    }

    /// Sets a policy as it is before its pool's numbers are put into their places.
    fn set_unsettled(&self, cooldown_ms: i64) {
        let key = "caller-id:{default}:pools";
        let value: Vec<u8> = self
            .server
            .ask(&["HGET", key, "default"])
            .expect("redis answers");
        // As POOL in number.lua: format, whether numbers may stand wrong, generation (4), ladder, cooldown (6).
        let script = "local value = redis.call('HGET', KEYS[1], 'default')
            local cooldown = struct.pack('>I6', ARGV[1])
            value = string.sub(value, 1, 1) .. '\\1' .. string.sub(value, 3, 7) .. cooldown .. string.sub(value, 14)
            return redis.call('HSET', KEYS[1], 'default', value)";
        let () = self
            .server
            .ask(&["EVAL", script, "1", key, &cooldown_ms.to_string()])
            .expect("redis answers");
        let after: Vec<u8> = self
            .server
            .ask(&["HGET", key, "default"])
            .expect("redis answers");
        assert_eq!(after.len(), value.len());
    }
}

fn near(line: u64) -> PhoneNumber {
    number([312, 212, 646, 315, 800][line as usize % 5], line)
}

#[tokio::test]
async fn no_look_changes_a_key() {
    let rig = Rig::start(Policy {
        sticky_ms: 600_000,
        ..brisk_policy()
    })
    .await;
    rig.put((0..40).map(|line| engine_number(near(line)))).await;
    rig.put((40..60).map(|line| EngineNumber {
        area_code: None,
        ..engine_number(near(line))
    }))
    .await;
    for step in 0..60 {
        let to = number([312, 212, 917, 808][step as usize % 4], step % 9);
        let call = (step % 50).to_string();
        let request = request(to, "agent", &call);
        rig.look_and_ask(&request).await;
        rig.clock.advance_ms(3_000);
        let before = dump(&rig.server);
        let policy = brisk_policy();
        for tried in explain::way(ask_of(&request, &rig.pools), |_| Some(&policy)) {
            rig.counts(tried.among).await;
        }
        let all: Vec<PhoneNumber> = (0..300).map(near).collect();
        rig.engine.states(&all).await.expect("redis answers");
        assert!(before == dump(&rig.server), "nothing changes");
    }
}

#[tokio::test]
async fn what_is_foreseen_among_numbers_that_stand_wrong_is_what_is_answered() {
    let other_codes = |line: u64| EngineNumber {
        area_code: match line % 7 {
            0 => None,
            1 => near(line + 1).area_code(),
            _ => near(line).area_code(),
        },
        ..engine_number(near(line))
    };
    for (used, free) in [(3, 0), (40, 2), (255, 1), (256, 1), (300, 3), (600, 4)] {
        let rig = Rig::start(brisk_policy()).await;
        rig.put((0..used).map(other_codes)).await;
        for _ in 0..used {
            rig.allocate(&far()).await;
        }
        rig.clock.advance_ms(60_000);
        rig.put((1_000..1_000 + free).map(other_codes)).await;
        rig.set_unsettled(600_000);
        let counts = rig.counts(Candidates::All).await;
        assert_eq!((counts.cooldown, counts.eligible), (used, free));
        for step in 0..8 {
            // To numbers of ours, too, which are never shown to themselves.
            rig.look_and_ask(&AllocationRequest::to(near(step))).await;
        }
        let counts = rig.counts(Candidates::All).await;
        assert_eq!(counts.total(), used + free);
    }
}

#[tokio::test]
async fn whoever_looks_waits_no_longer_than_whoever_asks() {
    let mut server = RedisServer::start();
    let clock = clock();
    let engine = impatient(&server.url(), time(&clock));
    stock(&engine, 3).await;
    let (request, pools) = (far(), [PoolId::default()]);
    let looks = async || {
        let numbers = [number(312, 0)];
        let states = engine.states(&numbers).await.map(drop);
        let foreseen = engine.foresee(ask_of(&request, &pools)).await.map(drop);
        let counts = engine.counts(&pools[0], Candidates::All).await.map(drop);
        [states, foreseen, counts]
    };
    server.pause();
    for look in tokio::time::timeout(NEVER, looks()).await.expect("in time") {
        assert!(
            matches!(look, Err(AllocatorError::Unavailable(_))),
            "{look:?}"
        );
    }
    server.resume();
    server.kill();
    for look in tokio::time::timeout(NEVER, looks()).await.expect("in time") {
        assert!(
            matches!(look, Err(AllocatorError::Unavailable(_))),
            "{look:?}"
        );
    }
}

#[tokio::test]
async fn of_a_state_that_is_lost_nothing_is_foreseen_or_counted() {
    let server = RedisServer::start();
    let clock = clock();
    let engine = engine(&server, "default", time(&clock));
    let (request, pools) = (far(), [PoolId::default()]);
    let asked = engine.allocate(ask_of(&request, &pools)).await.map(drop);
    let asked = asked.expect_err("it is lost").to_string();
    let foreseen = engine.foresee(ask_of(&request, &pools)).await;
    assert_eq!(foreseen.expect_err("it is lost").to_string(), asked);
    let counts = engine.counts(&pools[0], Candidates::Areas(&[])).await;
    assert_eq!(counts.ok(), Some(Counts::default()), "of nothing nothing");
    let area = Candidates::Area(caller_id_testkit::builders::area(312));
    let counts = engine.counts(&pools[0], area).await;
    assert_eq!(counts.expect_err("it is lost").to_string(), asked);
}

/// Numbers that are allocated while others are counted are counted once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_count_among_calls_is_nearly_right() {
    const NUMBERS: u64 = 4_000;
    let server = RedisServer::start();
    // The clock goes on meanwhile.
    let engine = engine(&server, "default", Time::Server);
    stock(&engine, NUMBERS).await;
    let pools = [PoolId::default()];
    for _ in 0..2_000 {
        let answer = engine.allocate(ask_of(&far(), &pools)).await;
        answer.expect("redis answers");
    }
    let (asked, goes_on) = (engine.clone(), Arc::new(AtomicBool::new(true)));
    let holds = goes_on.clone();
    let calls = tokio::spawn(async move {
        let (mut calls, pools) = (0u64, [PoolId::default()]);
        while holds.load(Ordering::Relaxed) && calls < 1_500 {
            let answer = asked.allocate(ask_of(&far(), &pools)).await;
            answer.expect("redis answers");
            calls += 1;
        }
        calls
    });
    let counts = engine.counts(&pools[0], Candidates::All).await;
    let counts = counts.expect("redis answers");
    goes_on.store(false, Ordering::Relaxed);
    let calls = calls.await.expect("they are answered");
    assert!(calls > 0);
    // Those of the millisecond in which the count began may be counted as both.
    let total = counts.total();
    assert!(
        (NUMBERS..NUMBERS + 30).contains(&total),
        "{counts:?}, {calls} calls"
    );
}
