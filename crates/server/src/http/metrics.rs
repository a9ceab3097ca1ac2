//! `GET /metrics`: how the service is, for Prometheus.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use caller_id_core::Campaign;
use caller_id_core::shared::Lag;

use super::overview;
use super::overview::shape::PoolLive;
use super::{Api, Monitor};
use crate::metrics::{Moment, PoolCounts, by_label};

/// The type of the exposition format.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";
/// What takes longer is left out: a store that hangs is told of by other metrics, and those must come.
const PATIENCE: Duration = Duration::from_millis(800);

/// What programs measure. Programs on this machine (unless TRUSTED_PROXIES names it) and addresses of METRICS_ALLOW need no key.
#[utoipa::path(get, path = "/metrics", tag = "monitoring",
    security((), ("admin_token" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "The exposition format of Prometheus", body = String, content_type = "text/plain"),
    ))]
pub async fn metrics(State(api): State<Arc<Api>>, _monitor: Monitor) -> impl IntoResponse {
    let text = api.moment().await.text(&api.meters);
    ([(CONTENT_TYPE, EXPOSITION)], text)
}

impl Api {
    /// How the service is now, for programs that measure it.
    async fn moment(self: &Arc<Self>) -> Moment {
        let signs = self.health.signs(self.clock.now());
        let (signs, pools, configured, journal) = tokio::join!(
            signs,
            self.pools_live(),
            self.configured(),
            self.journal_lag()
        );
        let counts = |pools: &Vec<PoolLive>| by_label(&self.meters, pools.iter().map(counts));
        let known = pools.as_deref().zip(configured.as_deref());
        Moment {
            serving: signs.serves() && self.rotator.is_routed(),
            store: signs.store,
            redis: signs.redis_up(),
            unfit: signs.unfit,
            outbox: signs.lag,
            journal,
            sign_in_failures: self.access.attempts.failures(),
            sessions: self.sign_in.sessions.asked_lately(),
            alerts: self.alerts.counts(),
            pools: pools.as_deref().map(counts),
            inactive: known.map(|(pools, configured)| self.inactive(pools, configured)),
        }
    }

    /// Pools without an active number that somebody needs, counted by label: 0 of all others.
    fn inactive(&self, pools: &[PoolLive], configured: &[Campaign]) -> BTreeMap<String, u64> {
        let label = |pool: &str| self.meters.pool_label(pool).to_owned();
        let mut counts: BTreeMap<String, u64> =
            pools.iter().map(|pool| (label(&pool.id), 0)).collect();
        for inactive in overview::inactive(pools, configured) {
            *counts.entry(label(inactive.pool)).or_default() += 1;
        }
        counts
    }

    async fn journal_lag(&self) -> Option<Lag> {
        let queues = self.meters.below.queues.as_ref()?;
        let asked = tokio::time::timeout(PATIENCE, queues.journal());
        asked.await.ok().flatten()
    }
}

fn counts(pool: &PoolLive) -> PoolCounts {
    PoolCounts {
        pool: pool.id.clone(),
        eligible: pool.eligible,
        reserved: pool.reserved,
        cooling: pool.cooling,
        limited: pool.limited,
        resting: pool.resting,
        paused: pool.paused,
        retired: pool.retired,
    }
}
