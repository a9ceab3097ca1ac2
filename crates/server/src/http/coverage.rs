//! `GET /api/v1/coverage`: where is called, and what numbers there are for it.

mod places;
pub mod shape;
mod sum;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use caller_id_core::history_query::{Span, StatsBy, StatsQuery};
use caller_id_core::{StoreError, Timestamp};

use self::places::Places;
use self::shape::CoverageBody;
use super::gathered::told;
use super::overview::json;
use super::page::Parameters;
use super::{Api, ApiError, Viewer};
use crate::cached::Pace;

/// Calls are summed up by hour, so it hardly changes from one moment to the next.
const PACE: Pace = Pace {
    least_ms: 10_000,
    times: 20,
    stale_ms: 300_000,
};
/// Nobody waits longer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many days are counted when nothing is said, and at most.
const DAYS_DEFAULT: u32 = 7;
const DAYS_MOST: u32 = 31;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Where is called, and what numbers there are for it: by area code, state or province, and carrier. It is some seconds old.
///
/// How many numbers are short of what the busiest hour needs: a number can be used `uses_per_hour` times in an hour, which is
/// its hourly limit, and no more than once in its cooldown, or in a minute, since a call takes some time. `needed` is
/// the calls of the busiest hour divided by that, rounded up; `short` is `needed` less the active numbers that are local:
/// of an area code those of it and of its overlays, of a region those of the region.
#[utoipa::path(get, path = "/api/v1/coverage", tag = "calls", security(("admin_token" = []), ("bearer" = [])),
    params(("days" = Option<u32>, Query, description = "So many days back calls are counted: 1 to 31, 7 when nothing is said", minimum = 1, maximum = 31)),
    responses(
        (status = 200, body = CoverageBody),
        (status = 422, description = "A parameter cannot be understood", body = super::openapi::ProblemBody,
            content_type = "application/problem+json"),
        (status = 503, description = "The store is not available", body = super::openapi::ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub async fn coverage(
    State(api): State<Arc<Api>>,
    _viewer: Viewer,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let mut parameters = Parameters::new(query.as_deref(), &["days"]);
    let days = parameters.one("days", read_days).unwrap_or(DAYS_DEFAULT);
    parameters.finish()?;
    Ok(json(api.coverage(days).await?))
}

fn read_days(text: &str) -> Result<u32, String> {
    let days: Option<u32> = text.trim().parse().ok();
    days.filter(|days| (1..=DAYS_MOST).contains(days))
        .ok_or_else(|| format!("days: a whole number from 1 to {DAYS_MOST} is expected"))
}

impl Api {
    /// Coverage of so many days as JSON, 1 to 31: the same bytes for all who ask within some seconds.
    ///
    /// # Errors
    /// [`ApiError::DeadlinePassed`].
    pub async fn coverage(self: &Arc<Self>, days: u32) -> Result<Bytes, ApiError> {
        let days = days.clamp(1, DAYS_MOST);
        let gather = || {
            let api = self.clone();
            async move { told("coverage", gather(&api, days).await)? }
        };
        let cached = self.gathered.coverage(days);
        let bytes = cached.get(self.clock.now(), PACE, PATIENCE, gather).await;
        bytes
            .map(|bytes| Bytes::clone(&bytes))
            .ok_or(ApiError::DeadlinePassed)
    }
}

async fn gather(api: &Arc<Api>, days: u32) -> Result<Option<Bytes>, StoreError> {
    let now = api.clock.now();
    let since = now.plus_ms(-i64::from(days) * DAY_MS).as_ms().max(0);
    let since = Timestamp::from_ms(since - since % HOUR_MS);
    let query = |by, span| StatsQuery {
        by,
        span,
        since,
        until: now,
        pool: None,
        campaign: None,
        number: None,
    };
    let reach = api
        .history
        .stats(
            &query(StatsBy::Reach, Span::Hour(caller_id_core::TimeZone::utc())),
            usize::MAX,
        )
        .await?;
    let carriers = api
        .history
        .stats(&query(StatsBy::Carrier, Span::Whole), usize::MAX)
        .await?;
    let Some(census) = api.census().await else {
        return Ok(None);
    };
    let pools = api.inventory.pools().await?;
    let groups = census.groups.clone();
    let global = api.answers.policy.clone();
    // Some hundred thousand lines: the event loops have other things to do.
    let summed = tokio::task::spawn_blocking(move || {
        let mut places = Places::new(&pools, &global);
        groups.iter().for_each(|group| places.own(group));
        reach.iter().for_each(|row| places.call(row));
        carriers.iter().for_each(|row| places.carry(row));
        let body = places.body((since, now), days);
        serde_json::to_vec(&body).ok().map(Bytes::from)
    });
    Ok(summed.await.ok().flatten())
}
