//! Engines on a redis-server of their own, and the history that its journal tells.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use caller_id_core::store::{PastAllocation, PastSink};
use caller_id_core::{
    AgentLimit, AllocationId, AllocationRequest, Allocator, AllocatorError, Ask, Clock,
    HistoryStore, Journal, ManualClock, Outcome, PhoneNumber, PoolId, SharedAllocator, Sought,
    Standing, StoreError, Timestamp,
};
use caller_id_engine::RedisAllocator;
use caller_id_engine::redis::{Settings, Time};
use caller_id_testkit::allocator_suite::{EngineFactory, EngineUnderTest};
use caller_id_testkit::builders::{START, brisk_policy, engine_number, number};
use caller_id_testkit::memory_history::MemoryHistory;
use caller_id_testkit::redis::RedisServer;

/// Many tenants of one Redis: where starting it takes long, each engine under test is one of them.
pub(crate) struct Tenants<T> {
    settings: Settings,
    started: AtomicUsize,
    _redis: T,
}

impl<T> Tenants<T> {
    /// Tenants of what these settings reach; `redis` is kept for as long as they are.
    pub(crate) fn of(redis: T, settings: Settings) -> Self {
        let started = AtomicUsize::new(0);
        Self {
            settings,
            started,
            _redis: redis,
        }
    }
}

#[async_trait]
impl<T: Send + Sync> EngineFactory for Tenants<T> {
    async fn start(&self) -> EngineUnderTest {
        let place = self.started.fetch_add(1, Ordering::Relaxed);
        let settings = Settings {
            tenant: format!("tenant{place}"),
            ..self.settings.clone()
        };
        let clock = clock();
        let allocator = RedisAllocator::new(&settings, time(&clock)).expect("the address is one");
        declare_whole(&allocator).await;
        EngineUnderTest {
            history: Arc::new(Streamed(allocator.clone())),
            allocator,
            clock,
            keep: Box::new(()),
        }
    }
}

/// An engine that soon gives up waiting.
pub(crate) fn impatient(url: &str, time: Time) -> Arc<RedisAllocator> {
    let patience = Duration::from_millis(500);
    let settings = Settings {
        connection_timeout: patience,
        response_timeout: patience,
        ..Settings::at(url)
    };
    RedisAllocator::new(&settings, time).expect("the address is one")
}

/// A bound on what would else wait for ever.
pub(crate) const NEVER: Duration = Duration::from_secs(30);

/// An engine on that server. It has patience for machines that are busy: these tests measure nothing.
pub(crate) fn engine(server: &RedisServer, tenant: &str, time: Time) -> Arc<RedisAllocator> {
    let settings = Settings {
        tenant: tenant.to_owned(),
        tls_ca: server.authority(),
        ..patient(&server.url())
    };
    RedisAllocator::new(&settings, time).expect("the address is one")
}

/// Settings with patience.
pub(crate) fn patient(url: &str) -> Settings {
    Settings {
        connection_timeout: Duration::from_secs(20),
        response_timeout: Duration::from_secs(20),
        ..Settings::at(url)
    }
}

/// A clock at the start of all tests.
pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(START))
}

/// The time of that clock.
pub(crate) fn time(clock: &Arc<ManualClock>) -> Time {
    Time::Clock(clock.clone() as Arc<dyn Clock>)
}

/// Says that a state is whole that lacks nothing.
pub(crate) async fn declare_whole(engine: &RedisAllocator) {
    let claimed = engine.claim_rebuild().await.expect("redis answers");
    if claimed.is_some() {
        let whole = engine.declare_ready().await;
        assert!(whole.expect("redis answers"), "nobody brings anything");
    }
}

/// Puts `count` numbers of area code 312 into the pool `default` of a state that is whole then.
pub(crate) async fn stock(engine: &RedisAllocator, count: u64) {
    declare_whole(engine).await;
    let pools = vec![(PoolId::default(), brisk_policy())];
    engine.put_pools(pools).await.expect("pools are taken");
    let numbers = (0..count).map(|line| engine_number(number(312, line)));
    let numbers = numbers.collect();
    engine
        .put_numbers(numbers)
        .await
        .expect("numbers are taken");
}

/// Asks the pool `default`.
pub(crate) async fn ask(
    engine: &RedisAllocator,
    request: &AllocationRequest,
) -> Result<Outcome, AllocatorError> {
    let ask = Ask {
        request,
        pools: &[PoolId::default()],
        agent_limit: AgentLimit::OFF,
    };
    engine.allocate(ask).await
}

/// Asks until there is an answer.
pub(crate) async fn ask_until_answered(engine: &RedisAllocator) -> Outcome {
    let answered = async {
        loop {
            if let Ok(outcome) = ask(engine, &far()).await {
                return outcome;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(NEVER, answered)
        .await
        .expect("the engine comes back by itself")
}

/// Asks until there is an answer. A server that may not know all is told what this node knows, and that this is all.
pub(crate) async fn rebuild_until_answered(engine: &RedisAllocator) -> Outcome {
    let answered = async {
        loop {
            if let Ok(outcome) = ask(engine, &far()).await {
                return outcome;
            }
            // It may be lost again meanwhile: then once more.
            let _ = rebuild(engine).await;
        }
    };
    tokio::time::timeout(NEVER, answered)
        .await
        .expect("the engine comes back by itself")
}

/// Asks again and again for as long as that holds, and tells what it got.
pub(crate) async fn ask_while(
    engine: Arc<RedisAllocator>,
    holds: Arc<AtomicBool>,
) -> Vec<PhoneNumber> {
    let mut got = Vec::new();
    while holds.load(Ordering::Relaxed) {
        let answer = tokio::time::timeout(NEVER, ask(&engine, &far())).await;
        match answer.expect("an answer, whatever happens") {
            Ok(Outcome::Allocated(one)) => got.push(one.record.number),
            Ok(_) => tokio::task::yield_now().await,
            Err(AllocatorError::Unavailable(_)) => {
                let _ = rebuild(&engine).await;
            }
            Err(other) => panic!("nothing else fails: {other}"),
        }
    }
    got
}

/// Does what a service does for a state that is lost.
async fn rebuild(engine: &RedisAllocator) -> Result<(), AllocatorError> {
    let Standing::Lost { known_until, .. } = engine.standing().await? else {
        return Ok(());
    };
    if engine.claim_rebuild().await?.is_some() {
        let merge = engine.begin_merging(known_until).await?;
        engine.hand_in(merge, &AgentLimit::OFF.into()).await?;
        while !engine.declare_ready().await? {
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

/// A request to somewhere else.
pub(crate) fn far() -> AllocationRequest {
    AllocationRequest::to(number(808, 99))
}

/// History as the journal in Redis tells it.
pub(crate) struct Streamed(pub(crate) Arc<RedisAllocator>);

impl Streamed {
    /// All that the journal tells.
    pub(crate) async fn read(&self) -> MemoryHistory {
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

    async fn allocations_page(
        &self,
        from: AllocationId,
        most: usize,
    ) -> Result<Vec<PastAllocation>, StoreError> {
        self.read().await.allocations_page(from, most).await
    }

    async fn find(
        &self,
        sought: &Sought,
        since: Timestamp,
    ) -> Result<Option<AllocationId>, StoreError> {
        self.read().await.find(sought, since).await
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
