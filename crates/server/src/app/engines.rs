//! The engine of a service: in this process, or in Redis.

use std::sync::Arc;

use anyhow::Context;
use caller_id_core::shared::Shared;
use caller_id_core::{
    AgentLimit, Allocator, Clock, HistoryStore, Inspector, Journal, Outbox, Rotator,
};
use caller_id_engine::redis::{Settings, Time};
use caller_id_engine::{MemoryAllocator, RedisAllocator};
use tokio::sync::watch;

use crate::config::cluster::ClusterConfig;
use crate::fence::{Gate, WhileOpen};
use crate::finder::Finder;

/// How Redis is reached, when the settings name it.
pub fn redis_settings(cluster: &ClusterConfig) -> Option<Settings> {
    let mut settings = Settings::at(cluster.redis_url.as_ref()?.reveal());
    settings.password = cluster
        .redis_password
        .as_ref()
        .map(|password| password.reveal().to_owned());
    settings.tls_ca.clone_from(&cluster.redis_tls_ca);
    settings.tenant.clone_from(&cluster.redis_tenant);
    // Two processes on one machine are two nodes.
    settings.node = format!("{}-{:08x}", cluster.node_name(), rand::random::<u32>());
    settings.outbox_most = u64::from(cluster.outbox_limit);
    settings.connection_timeout = cluster.redis_timeout();
    settings.response_timeout = cluster.redis_timeout();
    Some(settings)
}

/// Where the hot state is when it is in Redis, and whose it is: for people, without a password.
pub fn redis_shown(cluster: &ClusterConfig) -> Option<String> {
    let place = redis_settings(cluster)?.place();
    Some(place.trim_start_matches("redis at ").to_owned())
}

/// An engine, and what is known of it beside its port.
#[derive(Clone)]
pub enum Engine {
    /// All state is in this process.
    Memory(Arc<MemoryAllocator>),
    /// All state is in Redis.
    Redis(Arc<RedisAllocator>),
}

impl Engine {
    /// The engine that the settings ask for. Redis is not waited for.
    ///
    /// # Errors
    /// When the address of Redis is none.
    pub fn new(
        cluster: &ClusterConfig,
        journal: Arc<dyn Journal>,
        clock: Arc<dyn Clock>,
        time: Time,
    ) -> anyhow::Result<Self> {
        let Some(settings) = redis_settings(cluster) else {
            return Ok(Self::Memory(MemoryAllocator::new(journal, clock)));
        };
        let engine = RedisAllocator::new(&settings, time).context("REDIS_URL cannot be used")?;
        Ok(Self::Redis(engine))
    }

    /// Its port.
    pub fn allocator(&self) -> Arc<dyn Allocator> {
        match self {
            Self::Memory(engine) => engine.clone(),
            Self::Redis(engine) => engine.clone(),
        }
    }

    /// The same engine, for people who look into it.
    pub fn inspector(&self) -> Arc<dyn Inspector> {
        match self {
            Self::Memory(engine) => engine.clone(),
            Self::Redis(engine) => engine.clone(),
        }
    }

    /// Who asks it: hands out nothing before it is given routes, nor while the gate is not open, where the state is shared, and finds in `history` the calls that
    /// the engine knows no more.
    pub fn rotator(
        &self,
        gate: watch::Receiver<Gate>,
        limit: AgentLimit,
        history: Arc<dyn HistoryStore>,
        clock: Arc<dyn Clock>,
    ) -> Rotator {
        let outbox = self.shared().map(|shared| shared.outbox);
        let rotator = match outbox {
            None => Rotator::new(self.allocator(), limit),
            Some(_) => {
                Rotator::unrouted(self.allocator(), limit).permitted(Arc::new(WhileOpen(gate)))
            }
        };
        rotator.finding(Arc::new(Finder {
            history,
            outbox,
            clock,
        }))
    }

    /// What it shares with other nodes, if anything.
    pub fn shared(&self) -> Option<Shared> {
        match self {
            Self::Memory(_) => None,
            Self::Redis(engine) => Some(Shared {
                state: engine.clone(),
                outbox: engine.clone(),
                board: engine.clone(),
                jobs: engine.clone(),
                alerts: engine.clone(),
            }),
        }
    }

    /// The engine in Redis, where it is there.
    pub fn in_redis(&self) -> Option<Arc<RedisAllocator>> {
        match self {
            Self::Memory(_) => None,
            Self::Redis(engine) => Some(engine.clone()),
        }
    }

    /// Resolves when it cannot go on: never, where it is elsewhere.
    pub async fn broken(&self) {
        match self {
            Self::Memory(engine) => engine.broken().await,
            Self::Redis(_) => std::future::pending().await,
        }
    }

    /// Whether all that was decided is in the store, as far as can be seen.
    pub async fn is_drained(&self) -> bool {
        match self {
            Self::Memory(_) => true,
            Self::Redis(engine) => engine.lag().await.is_ok_and(|lag| lag.events == 0),
        }
    }

    /// Waits until all that was decided is recorded, and decides no more.
    pub async fn stop(&self) {
        match self {
            Self::Memory(engine) => engine.stop().await,
            // It was recorded in the step that decided it.
            Self::Redis(_) => {}
        }
    }
}
