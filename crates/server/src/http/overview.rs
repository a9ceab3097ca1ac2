//! `GET /api/v1/overview`: how the service works now.

mod attention;
pub mod shape;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use caller_id_core::Rung;
use caller_id_core::history_query::Activity;

use self::attention::Seen;
pub(super) use self::attention::inactive;
pub use self::shape::Attention;
use self::shape::{CampaignLive, OverviewBody, PulseBody, ReservationsLive, RungsBody};
use super::{Api, ApiError, Viewer};
use crate::cached::Pace;
use crate::pulse::{Hour, Outcome, STEP_MS};

/// Once for a round of those who look every two seconds, however many they are. A little less, so that nobody who looks alone is
/// a round behind.
const PACE: Pace = Pace {
    least_ms: 1_900,
    times: 2,
    stale_ms: 0,
};
/// Nobody waits longer.
const PATIENCE: Duration = Duration::from_secs(3);
/// So many campaigns are shown.
const CAMPAIGNS_MOST: usize = 50;
/// So many requests are shown.
const REQUESTS_MOST: usize = 20;

/// How the service works now: requests by outcome over the last hour, pools, campaigns, the latest requests, and what somebody
/// should look at. It is gathered at most once in two seconds, and all who ask get the same; parts that take longer are some
/// seconds old. In a cluster it is that of all nodes.
#[utoipa::path(get, path = "/api/v1/overview", tag = "people", security(("admin_token" = []), ("bearer" = [])),
    responses(
        (status = 200, body = OverviewBody),
        (status = 503, description = "It could not be gathered in time", body = super::openapi::ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub async fn overview(State(api): State<Arc<Api>>, _viewer: Viewer) -> Result<Response, ApiError> {
    Ok(json(api.overview().await?))
}

/// An answer that is JSON already.
pub(super) fn json(bytes: Bytes) -> Response {
    ([(CONTENT_TYPE, "application/json")], bytes).into_response()
}

impl Api {
    /// The overview as JSON, the same bytes for all who ask at the same time.
    ///
    /// # Errors
    /// [`ApiError::DeadlinePassed`].
    pub async fn overview(self: &Arc<Self>) -> Result<Bytes, ApiError> {
        let gather = || {
            let api = self.clone();
            async move { serde_json::to_vec(&body(&api).await).ok().map(Bytes::from) }
        };
        let cached = &self.gathered.overview;
        let bytes = cached.get(self.clock.now(), PACE, PATIENCE, gather).await;
        bytes
            .map(|bytes| Bytes::clone(&bytes))
            .ok_or(ApiError::DeadlinePassed)
    }
}

/// What somebody should look at, as far as alerts are made of it.
pub struct Judged {
    /// All of it.
    pub attention: Vec<Attention>,
    /// The pools that have a free number.
    pub free: BTreeSet<String>,
    /// Whether pools could be counted.
    pub pools: bool,
    /// Whether it is known what waits in Redis, or nothing can.
    pub outbox: bool,
}

impl Api {
    /// How service and pools stand, by the same judgement as the overview. `names` says how names are written in texts.
    pub async fn judged(self: &Arc<Self>, names: fn(&str) -> String) -> Judged {
        let (signs, pools, configured) = tokio::join!(
            self.health.signs(self.clock.now()),
            self.pools_live(),
            self.configured()
        );
        let seen = Seen {
            signs: &signs,
            pools: pools.as_deref().map_or(&[], Vec::as_slice),
            campaigns: &[],
            configured: configured.as_deref().map_or(&[], Vec::as_slice),
            falling: None,
            alerts: None,
            names,
        };
        let free = seen.pools.iter().filter(|pool| pool.eligible > 0);
        Judged {
            attention: seen.told(),
            free: free.map(|pool| pool.id.clone()).collect(),
            pools: pools.is_some() && configured.is_some(),
            outbox: signs.state.is_none() || signs.lag.is_some(),
        }
    }
}

async fn body(api: &Arc<Api>) -> OverviewBody {
    let now = api.clock.now();
    let (hour, (mut requests, all_listed), signs, pools, recent, configured, falling) = tokio::join!(
        api.pulse.hour(now),
        api.requests.latest(REQUESTS_MOST),
        api.health.signs(now),
        api.pools_live(),
        api.recent(),
        api.configured(),
        api.falling(),
    );
    requests.truncate(REQUESTS_MOST);
    let is_missing = [
        ("pools", pools.is_none()),
        ("reservations", recent.is_none()),
        ("campaigns", recent.is_none()),
        ("answer_rates", falling.is_none()),
    ];
    let missing = is_missing.into_iter().filter(|(_, is)| *is);
    let attention = Seen {
        signs: &signs,
        pools: pools.as_deref().map_or(&[], Vec::as_slice),
        campaigns: recent.as_deref().map_or(&[], |recent| &recent.campaigns),
        configured: configured.as_deref().map_or(&[], Vec::as_slice),
        falling: falling.as_deref(),
        alerts: api.alerts.trouble(),
        names: str::to_owned,
    };
    OverviewBody {
        at: now.to_string(),
        all_nodes: hour.all_nodes && all_listed,
        rungs: rungs(&hour),
        pulse: pulse(&hour),
        attention: attention.told(),
        pools: pools.as_deref().cloned().unwrap_or_default(),
        reservations: ReservationsLive {
            active: recent.as_deref().map(|recent| recent.reserved),
        },
        campaigns_since: recent
            .as_deref()
            .map_or(now.plus_ms(-3_600_000), |recent| recent.since)
            .to_string(),
        campaigns: recent
            .as_deref()
            .map_or_else(Vec::new, |recent| campaigns(&recent.campaigns)),
        requests,
        missing: missing.map(|(name, _)| name).collect(),
    }
}

fn pulse(hour: &Hour) -> PulseBody {
    let column = |outcome| {
        hour.steps
            .iter()
            .map(|step| step.outcome(outcome))
            .collect()
    };
    PulseBody {
        begins: hour.begins.to_string(),
        since: hour.since.to_string(),
        step_s: (STEP_MS / 1_000) as u32,
        allocated: column(Outcome::Allocated),
        repeated: column(Outcome::Repeated),
        exhausted: column(Outcome::Exhausted),
        agent_limited: column(Outcome::AgentLimited),
        unavailable: column(Outcome::Unavailable),
        refused: column(Outcome::Refused),
        invalid: column(Outcome::Invalid),
    }
}

fn rungs(hour: &Hour) -> RungsBody {
    let sum = |rung| hour.steps.iter().map(|step| step.rung(rung)).sum();
    RungsBody {
        sticky: sum(Rung::Sticky),
        area_code: sum(Rung::AreaCode),
        overlay: sum(Rung::Overlay),
        region: sum(Rung::Region),
        any: sum(Rung::Any),
    }
}

/// The busiest first.
fn campaigns(seen: &[Activity]) -> Vec<CampaignLive> {
    let mut seen: Vec<&Activity> = seen.iter().collect();
    seen.sort_by_key(|one| (Reverse(one.calls.calls), one.campaign.clone()));
    let shown = seen.into_iter().take(CAMPAIGNS_MOST);
    shown
        .map(|one| CampaignLive {
            id: one.campaign.as_ref().map(ToString::to_string),
            calls: one.calls.calls,
            agents: one.agents,
            answered: one.calls.answered,
            reported: one.calls.reported(),
            answer_rate: share(one.calls.answered, one.calls.reported()),
        })
        .collect()
}

/// `part` of `whole`, to four digits behind the point; null of nothing.
pub(super) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 10_000.0).round() / 10_000.0)
}
