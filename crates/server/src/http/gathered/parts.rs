//! How each part is gathered.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use caller_id_core::ladder::Candidates;
use caller_id_core::listing::{NumberGroup, StatusKind};
use caller_id_core::store::Revision;
use caller_id_core::{Pool, StoreError, Timestamp};

use super::{Census, Recent, told};
use crate::http::Api;
use crate::http::overview::shape::PoolLive;

const HOUR_MS: i64 = 3_600_000;

/// All numbers, counted.
pub(super) async fn census(api: &Arc<Api>) -> Result<Census, StoreError> {
    let everything = Revision(i64::MAX);
    let at = api.inventory.changes(everything, None, 1).await?.upto;
    let before = api.gathered.census.latest();
    let now = api.clock.now();
    let has_same_rests = |census: &Census| {
        let mut rests = census.groups.iter().filter_map(|group| group.rests_until);
        rests.all(|until| until > now)
    };
    if let Some(before) = before.filter(|before| before.at == at && has_same_rests(before)) {
        return Ok(Census {
            at,
            groups: before.groups.clone(),
        });
    }
    // Whatever changes meanwhile is counted the next time, or twice at worst.
    let groups = Arc::new(api.inventory.number_groups().await?);
    Ok(Census { at, groups })
}

/// How the numbers of each pool stand.
pub(super) async fn pools(api: &Arc<Api>) -> Option<Vec<PoolLive>> {
    let pools = told("pools", api.inventory.pools().await)?;
    let census = api.census().await?;
    let statuses = by_pool(&census.groups);
    let mut live = Vec::with_capacity(pools.len());
    for pool in &pools {
        let counts = api.inspector.counts(&pool.id, Candidates::All).await;
        let counts = counts
            .inspect_err(|error| tracing::debug!(%error, "an overview goes without pools"))
            .ok()?;
        let [active, paused, resting, retired] =
            statuses.get(pool.id.as_str()).copied().unwrap_or_default();
        live.push(PoolLive {
            id: pool.id.to_string(),
            numbers: active + paused + resting,
            eligible: counts.eligible,
            reserved: counts.reserved,
            cooling: counts.cooldown,
            limited: counts.hourly_limit + counts.daily_limit,
            hourly_limited: counts.hourly_limit,
            daily_limited: counts.daily_limit,
            resting: counts.resting,
            paused,
            retired,
            per_minute: None,
            exhausted_at: None,
        });
    }
    let now = api.clock.now();
    let samples = &api.gathered.samples;
    let mut samples = samples.lock().unwrap_or_else(PoisonError::into_inner);
    samples.take(now, &live);
    for pool in &mut live {
        let pace = samples.per_minute(&pool.id);
        pool.exhausted_at = pace.and_then(|pace| exhausted_at(pool.eligible, pace, now));
        pool.per_minute = pace.map(|pace| (pace * 10.0).round() / 10.0);
    }
    Some(live)
}

/// Numbers of each pool by status: active, paused, resting, retired.
fn by_pool(groups: &[NumberGroup]) -> BTreeMap<&str, [u64; 4]> {
    let mut pools = BTreeMap::<_, [u64; 4]>::new();
    for group in groups {
        let place = match group.status {
            StatusKind::Active => 0,
            StatusKind::Paused => 1,
            StatusKind::Resting => 2,
            StatusKind::Retired => 3,
        };
        pools.entry(group.pool.as_str()).or_default()[place] += group.numbers;
    }
    pools
}

/// When none of so many is left at this pace.
fn exhausted_at(eligible: u64, per_minute: f64, now: Timestamp) -> Option<String> {
    const DAY_MINUTES: f64 = 1_440.0;
    if eligible == 0 || per_minute <= 0.0 {
        return None;
    }
    let minutes = eligible as f64 / per_minute;
    (minutes <= DAY_MINUTES).then(|| now.plus_ms((minutes * 60_000.0) as i64).to_string())
}

/// What campaigns did in the last hour, and which reservations live: these may have begun earlier, where policies let them.
pub(super) async fn recent(api: &Arc<Api>) -> Result<Recent, StoreError> {
    let now = api.clock.now();
    let since = now.plus_ms(-HOUR_MS);
    let campaigns = api.history.activity(since, now).await?;
    let longest_ms = longest_reservation_ms(api, &api.inventory.pools().await?);
    let reserved = match longest_ms <= HOUR_MS {
        true => sum(&campaigns),
        false => sum(&api.history.activity(now.plus_ms(-longest_ms), now).await?),
    };
    Ok(Recent {
        since,
        campaigns,
        reserved,
    })
}

fn sum(campaigns: &[caller_id_core::history_query::Activity]) -> u64 {
    campaigns.iter().map(|campaign| campaign.reserved).sum()
}

fn longest_reservation_ms(api: &Api, pools: &[Pool]) -> i64 {
    let global = &api.answers.policy;
    let of = |pool: &Pool| pool.policy.over(global).reservation_ms;
    let longest = pools.iter().map(of).max();
    longest.unwrap_or(global.reservation_ms)
}
