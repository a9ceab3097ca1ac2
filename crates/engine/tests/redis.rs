//! The Redis engine passes the conformance suite, on a redis-server of its own for each engine, and agrees with the naive
//! model on random histories.

use std::sync::Arc;

use async_trait::async_trait;
use caller_id_testkit::allocator_suite::{EngineFactory, EngineUnderTest};
use caller_id_testkit::random_walk::{any_walk, walk};
use caller_id_testkit::redis::RedisServer;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use self::rig::{Streamed, clock, declare_whole, engine, time};

#[path = "redis/alert_board.rs"]
mod alert_board;
#[path = "redis/board.rs"]
mod board;
#[path = "redis/clock.rs"]
mod clock;
#[path = "redis/counted.rs"]
mod counted;
#[path = "redis/faults.rs"]
mod faults;
#[path = "redis/heads.rs"]
mod heads;
#[path = "redis/inspect.rs"]
mod inspect;
#[path = "redis/inventory.rs"]
mod inventory;
#[path = "redis/job_board.rs"]
mod job_board;
#[path = "redis/link.rs"]
mod link;
#[path = "redis/look.rs"]
mod look;
#[path = "redis/losses.rs"]
mod losses;
#[path = "redis/nodes.rs"]
mod nodes;
#[path = "redis/outbox.rs"]
mod outbox;
#[path = "redis/rig.rs"]
mod rig;
#[path = "redis/topologies.rs"]
mod topologies;
#[path = "redis/turns.rs"]
mod turns;

struct Redis;

#[async_trait]
impl EngineFactory for Redis {
    async fn start(&self) -> EngineUnderTest {
        let server = RedisServer::start();
        let clock = clock();
        let allocator = engine(&server, "default", time(&clock));
        declare_whole(&allocator).await;
        EngineUnderTest {
            history: Arc::new(Streamed(allocator.clone())),
            allocator,
            clock,
            keep: Box::new(server),
        }
    }
}

caller_id_testkit::allocator_suite!(Redis);

#[test]
fn the_redis_engine_and_the_naive_model_agree_on_random_histories() {
    let server = RedisServer::start();
    let mut runner = TestRunner::new(Config {
        cases: 300,
        max_shrink_iters: 5_000,
        failure_persistence: None,
        ..Config::default()
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let walks = std::cell::Cell::new(0);
    let walked = runner.run(&any_walk(150), |steps| {
        walks.set(walks.get() + 1);
        let clock = clock();
        // Each walk has keys of its own. Nothing fails here: refused writes have a test of their own.
        let tenant = format!("walk{}", walks.get());
        let engine = {
            let _inside = runtime.enter();
            engine(&server, &tenant, time(&clock))
        };
        runtime.block_on(async {
            declare_whole(&engine).await;
            walk(&*engine, &clock, &|_| {}, &steps).await
        })?;
        heads::agree(&server, &tenant).map_err(TestCaseError::fail)
    });
    if let Err(error) = walked {
        panic!("{error}");
    }
}
