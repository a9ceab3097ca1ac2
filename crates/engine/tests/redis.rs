//! The Redis engine passes the conformance suite, on a redis-server of its own for each engine.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use caller_id_core::store::PastSink;
use caller_id_core::{HistoryStore, Journal, ManualClock, PhoneNumber, StoreError, Timestamp};
use caller_id_engine::RedisAllocator;
use caller_id_engine::redis::{Settings, Time};
use caller_id_testkit::allocator_suite::{EngineFactory, EngineUnderTest};
use caller_id_testkit::builders::START;
use caller_id_testkit::memory_history::MemoryHistory;
use caller_id_testkit::redis::RedisServer;

/// History as the journal in Redis tells it.
struct Streamed(Arc<RedisAllocator>);

impl Streamed {
    async fn read(&self) -> MemoryHistory {
        let (history, mut after) = (MemoryHistory::default(), "0".to_owned());
        loop {
            let entries = self
                .0
                .journal(&after, 1_000)
                .await
                .expect("the journal is read");
            let Some(last) = entries.last() else {
                return history;
            };
            after = last.id.clone();
            let events = entries.into_iter().map(|entry| entry.event).collect();
            history.commit(events).await.expect("history takes it");
        }
    }
}

#[async_trait]
impl HistoryStore for Streamed {
    async fn allocations_since(
        &self,
        since: Timestamp,
        sink: PastSink<'_>,
    ) -> Result<(), StoreError> {
        self.read().await.allocations_since(since, sink).await
    }

    async fn last_uses(&self) -> Result<Vec<(PhoneNumber, Timestamp)>, StoreError> {
        self.read().await.last_uses().await
    }

    async fn prune(&self, _before: Timestamp, _most: usize) -> Result<usize, StoreError> {
        Ok(0)
    }

    fn backlog(&self) -> u64 {
        0
    }

    async fn settle(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

struct Redis;

#[async_trait]
impl EngineFactory for Redis {
    async fn start(&self) -> EngineUnderTest {
        let server = RedisServer::start();
        let clock = Arc::new(ManualClock::at(START));
        // Patience for machines that are busy: the suite measures nothing.
        let settings = Settings {
            connection_timeout: Duration::from_secs(20),
            response_timeout: Duration::from_secs(20),
            ..Settings::at(&server.url())
        };
        let allocator =
            RedisAllocator::new(&settings, Time::Clock(clock.clone())).expect("the address is one");
        EngineUnderTest {
            history: Arc::new(Streamed(allocator.clone())),
            allocator,
            clock,
            keep: Box::new(server),
        }
    }
}

caller_id_testkit::allocator_suite!(Redis);
