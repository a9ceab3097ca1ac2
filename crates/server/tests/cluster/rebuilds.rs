//! A node that ends while it makes a lost state whole.

use std::sync::Arc;
use std::time::Duration;

use caller_id::rebuild::Rebuild;
use caller_id::sync::InventorySync;
use caller_id_core::{AgentLimit, Policy, Rotator, SharedAllocator, Standing, SystemClock};
use caller_id_engine::RedisAllocator;
use caller_id_engine::redis::{Settings, Time};
use caller_id_store::{SqliteOptions, SqliteStore};
use caller_id_testkit::memory_history::MemoryHistory;
use caller_id_testkit::redis::RedisServer;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

fn engine(redis: &RedisServer) -> Arc<RedisAllocator> {
    let patience = Duration::from_secs(20);
    let settings = Settings {
        connection_timeout: patience,
        response_timeout: patience,
        ..Settings::at(&redis.url())
    };
    RedisAllocator::new(&settings, Time::Server).expect("the address is one")
}

#[tokio::test]
async fn a_node_that_stops_in_the_middle_of_a_rebuild_leaves_it_to_the_others_at_once() {
    let (redis, folder) = (RedisServer::start(), tempfile::tempdir().expect("a folder"));
    let [one, other] = [(), ()].map(|()| engine(&redis));
    let options = SqliteOptions::new(Arc::new(SystemClock::new()));
    let store = SqliteStore::open(&folder.path().join("a.db"), options).expect("a store");
    let rotator = Arc::new(Rotator::new(one.clone(), AgentLimit::OFF));
    let sync = InventorySync::new(store.clone(), one.clone(), rotator, Policy::default());
    let rebuild = Rebuild {
        engine: one,
        sync: Arc::new(sync),
        history: Arc::new(MemoryHistory::default()),
        global: Policy::default(),
    };
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let running = tokio::spawn(async move {
        rebuild.run(watch::Sender::new(false), stopped).await;
    });
    let is_at_it =
        |standing| matches!(standing, Standing::Lost { merging, .. } if merging.is_some());
    while !is_at_it(other.standing().await.expect("redis answers")) {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    running.await.expect("it ends");
    let claimed = other.claim_rebuild().await.expect("redis answers");
    assert!(
        claimed.is_some(),
        "it need not be missed for five seconds first"
    );
    store.close().await;
}
