//! What the dashboard shows, gathered: each part as often as is cheap, once for all who look.

mod parts;
mod samples;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use caller_id_core::history_query::{Activity, Falling};
use caller_id_core::listing::NumberGroup;
use caller_id_core::store::Revision;
use caller_id_core::{Campaign, StoreError, Timestamp};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::samples::Samples;
use super::Api;
use super::overview::shape::PoolLive;
use crate::cached::{Cached, Pace};

/// A page waits for a part no longer.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// A part that is not older than so many milliseconds is shown to who would have to wait for a newer one.
const STALE_MS: i64 = 60_000;
/// To count a million numbers takes two seconds, of which the engine is held for a twentieth.
const POOLS: Pace = Pace {
    least_ms: 1_000,
    times: 2,
    stale_ms: STALE_MS,
};
/// In Redis it may take longer, and half of that time is Redis's, which all nodes ask.
const POOLS_IN_REDIS: Pace = Pace { times: 10, ..POOLS };
/// The inventory is looked at for changes; counted only where there are some.
const CENSUS: Pace = Pace {
    least_ms: 2_000,
    times: 20,
    stale_ms: STALE_MS,
};
const ACTIVITY: Pace = Pace {
    least_ms: 2_000,
    times: 20,
    stale_ms: STALE_MS,
};
const FALLING: Pace = Pace {
    least_ms: 60_000,
    times: 100,
    stale_ms: 3_600_000,
};
/// The store is not asked by each who looks.
const CAMPAIGNS: Pace = Pace {
    least_ms: 2_000,
    times: 20,
    stale_ms: STALE_MS,
};
/// Without anybody who looks, so that a page that is opened has something to show.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// A start has better things to do.
const FIRST_LOOK: Duration = Duration::from_secs(5);

/// The parts, as they were gathered last.
#[derive(Default)]
pub struct Gathered {
    census: Cached<Census>,
    pools: Cached<Vec<PoolLive>>,
    samples: Mutex<Samples>,
    activity: Cached<Recent>,
    configured: Cached<Vec<Campaign>>,
    falling: Cached<(Timestamp, Vec<Falling>)>,
    /// The overview, ready to be sent.
    pub(super) overview: Cached<Bytes>,
    /// Coverage, ready to be sent, by how many days.
    coverage: Mutex<BTreeMap<u32, Cached<Bytes>>>,
}

/// All numbers, counted by what they have in common.
pub(super) struct Census {
    /// As the inventory was at this revision.
    at: Revision,
    pub(super) groups: Arc<Vec<NumberGroup>>,
}

/// What campaigns did lately.
pub(super) struct Recent {
    /// From then on.
    pub(super) since: Timestamp,
    pub(super) campaigns: Vec<Activity>,
    /// Reservations that live.
    pub(super) reserved: u64,
}

impl Gathered {
    /// Coverage of so many days.
    pub(super) fn coverage(&self, days: u32) -> Cached<Bytes> {
        let mut coverage = self.coverage.lock().unwrap_or_else(PoisonError::into_inner);
        coverage.entry(days).or_default().clone()
    }
}

impl Api {
    /// All numbers, counted. Counted again only when the inventory changed.
    pub(super) async fn census(self: &Arc<Self>) -> Option<Arc<Census>> {
        let gather = || {
            let api = self.clone();
            async move { told("numbers", parts::census(&api).await) }
        };
        let cached = &self.gathered.census;
        cached.get(self.clock.now(), CENSUS, PATIENCE, gather).await
    }

    /// How the numbers of each pool stand.
    pub(super) async fn pools_live(self: &Arc<Self>) -> Option<Arc<Vec<PoolLive>>> {
        let gather = || {
            let api = self.clone();
            async move { parts::pools(&api).await }
        };
        let pace = match self.health.is_shared() {
            true => POOLS_IN_REDIS,
            false => POOLS,
        };
        let cached = &self.gathered.pools;
        cached.get(self.clock.now(), pace, PATIENCE, gather).await
    }

    /// What campaigns did in the last hour.
    pub(super) async fn recent(self: &Arc<Self>) -> Option<Arc<Recent>> {
        let gather = || {
            let api = self.clone();
            async move { told("calls", parts::recent(&api).await) }
        };
        let cached = &self.gathered.activity;
        cached
            .get(self.clock.now(), ACTIVITY, PATIENCE, gather)
            .await
    }

    /// The campaigns that are configured.
    pub(super) async fn configured(self: &Arc<Self>) -> Option<Arc<Vec<Campaign>>> {
        let gather = || {
            let api = self.clone();
            async move { told("campaigns", api.inventory.campaigns().await) }
        };
        let cached = &self.gathered.configured;
        cached
            .get(self.clock.now(), CAMPAIGNS, PATIENCE, gather)
            .await
    }

    /// Numbers that are answered less than they were, and the day of which that is said.
    pub(super) async fn falling(self: &Arc<Self>) -> Option<Arc<(Timestamp, Vec<Falling>)>> {
        /// So many are told of.
        const MOST: usize = 10;
        let gather = || {
            let api = self.clone();
            async move { told("answer rates", api.history.falling(MOST).await) }
        };
        let cached = &self.gathered.falling;
        cached
            .get(self.clock.now(), FALLING, PATIENCE, gather)
            .await
    }
}

/// What fails is named in the answer; that the store is away is told in the log by others.
pub(super) fn told<T>(what: &str, gathered: Result<T, StoreError>) -> Option<T> {
    gathered
        .inspect_err(|error| tracing::debug!(%error, "an overview goes without {what}"))
        .ok()
}

/// Looks now and then until `stop`, also when nobody else does: a page that is opened has something to show at once, and how fast
/// pools empty is told from what was seen.
pub async fn keep_looking(api: Arc<Api>, stop: CancellationToken) {
    let look = async || {
        let looking = async { tokio::join!(api.pools_live(), api.recent(), api.falling()) };
        stop.run_until_cancelled(looking).await;
    };
    // To count a million numbers takes longer than whoever opens a page waits; where there are none nothing is learned.
    let everything = api.inventory.changes(Revision(0), None, 1).await;
    if everything.is_ok_and(|all| !all.numbers.is_empty()) {
        look().await;
    }
    let mut ticks = tokio::time::interval_at(Instant::now() + FIRST_LOOK, LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        look().await;
    }
}
