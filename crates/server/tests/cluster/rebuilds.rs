//! A node that makes a lost state whole, and what may happen meanwhile: it ends, or the store learns of more.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use caller_id::rebuild::Rebuild;
use caller_id::sync::InventorySync;
use caller_id_core::store::{PastAllocation, PastSink};
use caller_id_core::{
    AgentLimit, AllocationId, AllocationRecord, Allocator, Clock, HistoryStore, Journal,
    JournalEvent, PhoneNumber, Policy, PoolId, Rotator, Rung, SharedAllocator, Sought, Standing,
    StoreError, SystemClock, Timestamp,
};
use caller_id_engine::RedisAllocator;
use caller_id_engine::redis::{Settings, Time};
use caller_id_store::{SqliteOptions, SqliteStore};
use caller_id_testkit::builders::{engine_number, number};
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

async fn store(folder: &tempfile::TempDir) -> Arc<SqliteStore> {
    let options = SqliteOptions::new(Arc::new(SystemClock::new()));
    let store = SqliteStore::open(&folder.path().join("a.db"), options);
    store.expect("a store")
}

fn rebuild(
    engine: &Arc<RedisAllocator>,
    store: &Arc<SqliteStore>,
    history: Arc<dyn HistoryStore>,
) -> Rebuild {
    let rotator = Arc::new(Rotator::new(engine.clone(), AgentLimit::OFF));
    let sync = InventorySync::new(store.clone(), engine.clone(), rotator, Policy::default());
    Rebuild {
        engine: engine.clone(),
        sync: Arc::new(sync),
        history,
        global: Policy::default(),
    }
}

#[tokio::test]
async fn a_node_that_stops_in_the_middle_of_a_rebuild_leaves_it_to_the_others_at_once() {
    let (redis, folder) = (RedisServer::start(), tempfile::tempdir().expect("a folder"));
    let [one, other] = [(), ()].map(|()| engine(&redis));
    let store = store(&folder).await;
    let history = Arc::new(MemoryHistory::default());
    let rebuild = rebuild(&one, &store, history);
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

/// A history that learns of more right after it was read: what another node had taken out of the outbox.
struct Late {
    known: MemoryHistory,
    late: Mutex<Vec<JournalEvent>>,
}

#[async_trait]
impl HistoryStore for Late {
    async fn allocations_since(
        &self,
        since: Timestamp,
        sink: PastSink<'_>,
    ) -> Result<(), StoreError> {
        self.known.allocations_since(since, sink).await?;
        let late = std::mem::take(&mut *self.late.lock().expect("nobody panics"));
        self.known.commit(late).await
    }

    async fn allocations_page(
        &self,
        from: AllocationId,
        most: usize,
    ) -> Result<Vec<PastAllocation>, StoreError> {
        self.known.allocations_page(from, most).await
    }

    async fn find(
        &self,
        sought: &Sought,
        since: Timestamp,
    ) -> Result<Option<AllocationId>, StoreError> {
        self.known.find(sought, since).await
    }

    async fn last_uses(&self) -> Result<Vec<(PhoneNumber, Timestamp)>, StoreError> {
        self.known.last_uses().await
    }

    async fn prune(&self, before: Timestamp, most: usize) -> Result<usize, StoreError> {
        self.known.prune(before, most).await
    }

    fn backlog(&self) -> u64 {
        self.known.backlog()
    }

    async fn settle(&self) -> Result<(), StoreError> {
        self.known.settle().await
    }
}

/// Its reservation has run out: it is counted twice by whoever takes it twice.
fn made(at: Timestamp, salt: u32) -> JournalEvent {
    JournalEvent::Allocated(Arc::new(AllocationRecord {
        id: AllocationId::of(number(312, 1), at, salt),
        at,
        number: number(312, 1),
        destination: number(808, 1),
        campaign: None,
        agent: None,
        call_id: None,
        pool: PoolId::default(),
        rung: Rung::Any,
        reserved_until: at.plus_ms(1_000),
    }))
}

#[tokio::test]
async fn what_the_store_learns_while_it_is_read_is_counted_and_what_was_read_not_twice() {
    let (redis, folder) = (RedisServer::start(), tempfile::tempdir().expect("a folder"));
    let (engine, store) = (engine(&redis), store(&folder).await);
    // Not the store's, which knows none: the rebuild leaves it there.
    let numbers = vec![engine_number(number(312, 1))];
    engine.put_numbers(numbers).await.expect("it is taken");
    let at = SystemClock::new().now().plus_ms(-10_000);
    let known = MemoryHistory::default();
    known.commit(vec![made(at, 0)]).await.expect("it is kept");
    let late = Mutex::new(vec![made(at.plus_ms(1), 1)]);
    let rebuild = rebuild(&engine, &store, Arc::new(Late { known, late }));
    let (stop, (ready, mut whole)) = (CancellationToken::new(), watch::channel(false));
    let stopped = stop.clone();
    let running = tokio::spawn(async move { rebuild.run(ready, stopped).await });
    whole.wait_for(|whole| *whole).await.expect("it runs");
    let state = engine.number_state(number(312, 1)).await;
    let state = state.expect("redis answers").expect("it is known");
    assert_eq!(state.uses_in_hour, 2);
    assert_eq!(state.last_used_at, Some(at.plus_ms(1)));
    stop.cancel();
    running.await.expect("it ends");
    store.close().await;
}
