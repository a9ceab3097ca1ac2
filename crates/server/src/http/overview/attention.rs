//! What somebody should look at: a sentence each, the serious first.

use std::collections::BTreeSet;

use caller_id_core::history_query::{Activity, Calls, Falling};
use caller_id_core::{Campaign, PoolId, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::shape::{Attention, PoolLive};
use crate::http::health::Signs;

const SERIOUS: &str = "serious";
const WARNING: &str = "warning";

/// A pool is low with fewer free of a hundred than so many, or when it lasts for less than this.
const LOW_PERCENT: u64 = 10;
const LOW_MS: i64 = 30 * 60_000;
/// The store is behind when the oldest event waits for longer, or when so many of a hundred that may wait do.
const BEHIND_MS: i64 = 30_000;
const BEHIND_PERCENT: u64 = 10;
/// And seriously with so many of a hundred: at a hundred no number is handed out.
const FAR_BEHIND_PERCENT: u64 = 50;
/// So many unknown campaigns are told of.
const UNKNOWN_MOST: usize = 10;

/// What stays as it is in the path of a page.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'+');

/// What was seen.
pub(super) struct Seen<'a> {
    /// Store and engine.
    pub(super) signs: &'a Signs,
    /// Pools.
    pub(super) pools: &'a [PoolLive],
    /// Campaigns of the last hour.
    pub(super) campaigns: &'a [Activity],
    /// Those that somebody configured.
    pub(super) configured: &'a [Campaign],
    /// Numbers that are answered less, and the day of which that is said.
    pub(super) falling: Option<&'a (Timestamp, Vec<Falling>)>,
    /// Why the latest alert reached nobody, where it did not.
    pub(super) alerts: Option<String>,
    /// How names of pools are written in texts.
    pub(super) names: fn(&str) -> String,
}

impl Seen<'_> {
    /// What there is to tell, the serious first.
    pub(super) fn told(&self) -> Vec<Attention> {
        let mut all = self.service();
        all.extend(self.outbox());
        all.extend(
            self.pools
                .iter()
                .filter_map(|one| pool(one, &(self.names)(&one.id))),
        );
        all.extend(self.inactive());
        all.extend(self.alerts.iter().map(|why| {
            let text = format!("Alerts reach nobody: the receiver of ALERT_WEBHOOK_URL did not take the latest ({why}).");
            about_service("alerts_failing", WARNING, &text)
        }));
        all.extend(self.unknown());
        all.extend(self.falling.iter().flat_map(|(day, numbers)| {
            let numbers = numbers.iter();
            numbers.map(|number| falling(*day, number))
        }));
        // Stable: of equal weight as they come here.
        all.sort_by_key(|one| one.severity != SERIOUS);
        all
    }

    fn service(&self) -> Vec<Attention> {
        let signs = self.signs;
        let mut all = Vec::new();
        if !signs.store {
            let text = match signs.state {
                None => "The database takes no writes: no number is handed out.",
                Some(_) => {
                    "The database takes no writes: numbers are handed out from Redis, and history waits there."
                }
            };
            all.push(about_service("store_away", SERIOUS, text));
        }
        if signs.redis_up() == Some(false) {
            let text = "Redis is away, or its state is being rebuilt, or is not the one that this database belongs to: no number is handed out.";
            all.push(about_service("engine_away", SERIOUS, text));
        }
        if signs.unfit {
            let text = "Redis is set as it must not be, and may drop what it holds: `caller-id doctor` tells more.";
            all.push(about_service("engine_unfit", WARNING, text));
        }
        all
    }

    fn outbox(&self) -> Vec<Attention> {
        let Some(lag) = self.signs.lag else {
            return Vec::new();
        };
        let mut all = Vec::new();
        let percent = lag.events.saturating_mul(100) / lag.most.max(1);
        if lag.oldest_ms > BEHIND_MS || percent >= BEHIND_PERCENT {
            let severity = match percent >= FAR_BEHIND_PERCENT {
                true => SERIOUS,
                false => WARNING,
            };
            let text = format!(
                "{} events wait in Redis for the database, the oldest for {} seconds. With {} no number is handed out.",
                lag.events,
                lag.oldest_ms / 1_000,
                lag.most
            );
            all.push(about_service("outbox_lag", severity, &text));
        }
        if lag.aside > 0 {
            let text = format!(
                "{} events could not be read: they are kept in Redis, and are in no history.",
                lag.aside
            );
            all.push(about_service("outbox_aside", WARNING, &text));
        }
        all
    }

    fn inactive(&self) -> Vec<Attention> {
        let told = inactive(self.pools, self.configured).into_iter();
        told.map(|Inactive { pool, paused, campaign }| {
            let who = match campaign {
                Some(campaign) => format!("the campaign {} has", (self.names)(campaign)),
                None => "calls have".to_owned(),
            };
            let text = format!(
                "No number of the pool {} is active (paused: {paused}), and {who} no other pool with one.",
                (self.names)(pool)
            );
            about_pool(pool, "pool_exhausted", SERIOUS, text)
        })
        .collect()
    }

    /// Where nobody configures campaigns none is unknown.
    fn unknown(&self) -> Vec<Attention> {
        let configured: BTreeSet<&str> =
            self.configured.iter().map(|one| one.id.as_str()).collect();
        if configured.is_empty() {
            return Vec::new();
        }
        let named = self.campaigns.iter().filter_map(|campaign| {
            let id = campaign.campaign.as_ref()?.as_str();
            (!configured.contains(id)).then_some((id, campaign.calls.calls))
        });
        named
            .take(UNKNOWN_MOST)
            .map(|(id, calls)| Attention {
                kind: "unknown_campaign",
                severity: WARNING,
                name: id.to_owned(),
                text: format!(
                    "The campaign {id} is not configured: its {} of the last hour used the pool default.",
                    plural(calls, "call")
                ),
                link: page("campaigns", id),
            })
            .collect()
    }
}

/// A pool without an active number that somebody needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Inactive<'a> {
    /// The pool, which may not be there at all.
    pub(in crate::http) pool: &'a str,
    /// So many of its numbers are paused.
    paused: u64,
    /// The first of the campaigns that are left with it; none: all calls are, as nobody configured any campaign.
    campaign: Option<&'a str>,
}

/// Pools without an active number that are all that a configured campaign has, of each campaign the first: paused, retired and
/// missing numbers are no use to it. A pool that somebody put aside and no campaign is left with is nobody's trouble.
pub(in crate::http) fn inactive<'a>(
    pools: &'a [PoolLive],
    configured: &'a [Campaign],
) -> Vec<Inactive<'a>> {
    let of = |id: &str| pools.iter().find(|pool| pool.id == id);
    let is_inactive = |id: &str| of(id).is_none_or(|pool| usable(pool) == 0);
    let mut told = BTreeSet::new();
    // Campaigns that nobody configured use the pool `default`.
    let standard = of(PoolId::DEFAULT).filter(|_| configured.is_empty());
    let standard = standard.filter(|pool| pool.numbers > 0 && usable(pool) == 0);
    let standard = standard.map(|pool| Inactive {
        pool: &pool.id,
        paused: pool.paused,
        campaign: None,
    });
    // Where pools could not be counted nothing is known of them.
    let known = configured.iter().filter(|_| !pools.is_empty());
    let left =
        known.filter(|campaign| campaign.pools.iter().all(|pool| is_inactive(pool.as_str())));
    let left = left.filter_map(|campaign| {
        let pool = campaign.pools.first()?.as_str();
        told.insert(pool).then(|| Inactive {
            pool,
            paused: of(pool).map_or(0, |pool| pool.paused),
            campaign: Some(campaign.id.as_str()),
        })
    });
    standard.into_iter().chain(left).collect()
}

fn about_service(kind: &'static str, severity: &'static str, text: &str) -> Attention {
    Attention {
        kind,
        severity,
        name: String::new(),
        text: text.to_owned(),
        link: "/dashboard".to_owned(),
    }
}

fn about_pool(id: &str, kind: &'static str, severity: &'static str, text: String) -> Attention {
    Attention {
        kind,
        severity,
        name: id.to_owned(),
        text,
        link: page("pools", id),
    }
}

/// Paused and retired numbers are no use to a pool.
const fn usable(pool: &PoolLive) -> u64 {
    pool.numbers.saturating_sub(pool.paused)
}

/// How a pool with active numbers stands.
fn pool(pool: &PoolLive, name: &str) -> Option<Attention> {
    let usable = usable(pool);
    if usable == 0 {
        return None;
    }
    let about = |kind, severity, text| about_pool(&pool.id, kind, severity, text);
    if pool.eligible == 0 {
        let text = format!(
            "No number of the pool {name} is free: of {usable}, {} are in calls, {} rest between uses, {} are at a limit and {} are set to rest.",
            pool.reserved, pool.cooling, pool.limited, pool.resting
        );
        return Some(about("pool_exhausted", SERIOUS, text));
    }
    let free = format!(
        "{} of {usable} numbers of the pool {name} are free",
        pool.eligible
    );
    let lasts_ms = match pool.per_minute {
        Some(pace) if pace > 0.0 => (pool.eligible as f64 / pace * 60_000.0) as i64,
        _ => i64::MAX,
    };
    if lasts_ms < LOW_MS {
        let minutes = lasts_ms / 60_000 + 1;
        let text = format!(
            "{free}; at this pace none is left in {}.",
            plural(minutes.unsigned_abs(), "minute")
        );
        return Some(about("pool_low", WARNING, text));
    }
    let is_low = pool.eligible.saturating_mul(100) < usable.saturating_mul(LOW_PERCENT);
    is_low.then(|| about("pool_low", WARNING, format!("{free}.")))
}

fn falling(day: Timestamp, number: &Falling) -> Attention {
    let percent =
        |calls: &Calls| (100 * calls.answered + calls.reported() / 2) / calls.reported().max(1);
    let day = day.to_string();
    let date = day.split('T').next().unwrap_or_default();
    let phone = number.number.to_string();
    Attention {
        kind: "answer_rate_falling",
        severity: WARNING,
        text: format!(
            "{phone} was answered {} % of the time on {date}, and {} % in the seven days before.",
            percent(&number.last),
            percent(&number.before)
        ),
        link: page("numbers", &phone),
        name: phone,
    }
}

fn page(kind: &str, name: &str) -> String {
    format!("/dashboard/{kind}/{}", utf8_percent_encode(name, PLAIN))
}

fn plural(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

#[cfg(test)]
mod tests;
