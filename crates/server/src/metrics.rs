//! What programs measure: every metric of the service, by name.

mod families;
mod page;
mod process;
mod text;

use std::collections::BTreeMap;

use caller_id_core::Rung;
use caller_id_core::meter::Calls;
use caller_id_core::shared::Lag;

pub use self::families::{FAMILIES, Family, Kind};
pub use self::page::markdown;

use self::families as names;
use self::process::Process;
use self::text::Text;
use crate::alerts::Counts as AlertCounts;
use crate::alerts::outgoing::Outcome as Became;
use crate::meters::{Meters, live_pages};
use crate::pulse::Outcome;
use crate::telemetry::counts::LogCounts;

/// How the service is at one moment.
#[derive(Debug, Clone, Default)]
pub struct Moment {
    /// Whether numbers are handed out.
    pub serving: bool,
    /// Whether the store can commit.
    pub store: bool,
    /// Whether the state in Redis is there and whole; `None`: there is no Redis.
    pub redis: Option<bool>,
    /// Whether Redis is set as it must not be.
    pub unfit: bool,
    /// What waits in Redis for the store, as far as known.
    pub outbox: Option<Lag>,
    /// What waits in the store's journal to be moved into history, as far as known.
    pub journal: Option<Lag>,
    /// How many wrong tokens and keys were given since the start.
    pub sign_in_failures: u64,
    /// How many people who are signed in asked lately.
    pub sessions: u64,
    /// Alerts by what became of them.
    pub alerts: AlertCounts,
    /// How the numbers of pools stand, by the pool's label; `None` where they could not be counted in time.
    pub pools: Option<Vec<PoolCounts>>,
    /// Pools without an active number that somebody needs, counted by label; `None` where that is not known.
    pub inactive: Option<BTreeMap<String, u64>>,
}

/// How the numbers of one pool stand, or of all that have no label of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PoolCounts {
    /// The label.
    pub pool: String,
    /// May be handed out now.
    pub eligible: u64,
    /// Is in a call.
    pub reserved: u64,
    /// Rests between two calls.
    pub cooling: u64,
    /// Has been used as often as it may.
    pub limited: u64,
    /// Is put to rest until some time.
    pub resting: u64,
    /// Is paused.
    pub paused: u64,
    /// Is retired.
    pub retired: u64,
}

impl PoolCounts {
    fn states(&self) -> [(&'static str, u64); 7] {
        [
            ("eligible", self.eligible),
            ("reserved", self.reserved),
            ("cooling", self.cooling),
            ("limited", self.limited),
            ("resting", self.resting),
            ("paused", self.paused),
            ("retired", self.retired),
        ]
    }
}

impl Moment {
    /// The text that Prometheus reads (exposition format 0.0.4).
    pub fn text(&self, meters: &Meters) -> String {
        let mut text = Text::default();
        self.state(&mut text, meters.below.store);
        self.queues(&mut text, meters);
        calls(&mut text, meters);
        below(&mut text, meters);
        for pool in self.pools.iter().flatten() {
            for (state, count) in pool.states() {
                text.put(&names::POOL_NUMBERS, &[&pool.pool, state], count as f64);
            }
        }
        for (pool, count) in self.inactive.iter().flatten() {
            text.put(&names::POOL_INACTIVE, &[pool], *count as f64);
        }
        log(&mut text, LogCounts::now());
        Process::look().tell(&mut text);
        text.written()
    }

    fn state(&self, text: &mut Text, store: &str) {
        let engine = match self.redis {
            Some(_) => "redis",
            None => "memory",
        };
        let build = [env!("CARGO_PKG_VERSION"), engine, store];
        text.put(&names::BUILD_INFO, &build, 1.0);
        text.put(&names::SERVING, &[], flag(self.serving));
        text.put(&names::STORE_UP, &[], flag(self.store));
        if let Some(redis) = self.redis {
            text.put(&names::REDIS_UP, &[], flag(redis));
            text.put(&names::REDIS_UNFIT, &[], flag(self.unfit));
        }
        let failures = self.sign_in_failures as f64;
        text.put(&names::SIGN_IN_FAILURES, &[], failures);
        text.put(&names::SESSIONS, &[], self.sessions as f64);
        text.put(&names::LIVE_PAGES, &[], live_pages::now() as f64);
        self.alerts(text);
    }

    fn alerts(&self, text: &mut Text) {
        for (outcome, count) in Became::ALL.into_iter().zip(self.alerts.outcomes) {
            text.put(&names::ALERTS, &[outcome.as_str()], count as f64);
        }
        text.put(&names::ALERT_RETRIES, &[], self.alerts.retries as f64);
        text.put(&names::ALERTS_WAITING, &[], self.alerts.waiting as f64);
    }

    fn queues(&self, text: &mut Text, meters: &Meters) {
        if let Some(lag) = self.outbox {
            text.put(&names::OUTBOX_EVENTS, &[], lag.events as f64);
            text.put(&names::OUTBOX_OLDEST, &[], seconds_of_ms(lag.oldest_ms));
            text.put(&names::OUTBOX_LIMIT, &[], lag.most as f64);
            text.put(&names::OUTBOX_ASIDE, &[], lag.aside as f64);
        }
        if let Some(lag) = self.journal {
            text.put(&names::JOURNAL_EVENTS, &[], lag.events as f64);
            text.put(&names::JOURNAL_OLDEST, &[], seconds_of_ms(lag.oldest_ms));
            text.put(&names::JOURNAL_LIMIT, &[], lag.most as f64);
        }
        let queues = meters.below.queues.as_ref();
        if let Some(waiting) = queues.and_then(|queues| queues.waiting()) {
            text.put(&names::COMMIT_WAITING, &[], waiting as f64);
        }
    }
}

/// What was asked for, and how long answers took.
fn calls(text: &mut Text, meters: &Meters) {
    // Also those that never were: a rate of nothing is 0, and not missing.
    for outcome in Outcome::ALL {
        let count = meters.outcome(outcome) as f64;
        text.put(&names::REQUESTS, &[outcome.as_str()], count);
    }
    for (pool, rung, count) in meters.allocations() {
        let labels = [pool.as_str(), Rung::as_str(rung)];
        text.put(&names::ALLOCATIONS, &labels, count as f64);
    }
    for one in meters.answers() {
        let labels = [one.method, &one.route, one.class];
        text.histogram(&names::HTTP_DURATION, &labels, &one.took);
    }
    for (script, ended, took) in meters.dialogs() {
        let labels = [script.as_str(), ended.as_str()];
        text.histogram(&names::FASTAGI_DURATION, &labels, &took);
    }
}

/// What the service works with.
fn below(text: &mut Text, meters: &Meters) {
    let commits = &meters.below.commits;
    asked(
        text,
        &commits.calls,
        (&names::COMMIT_DURATION, &names::COMMIT_ERRORS),
    );
    text.put(&names::COMMIT_EVENTS, &[], commits.events() as f64);
    let redis = (&names::REDIS_DURATION, &names::REDIS_ERRORS);
    let postgres = (&names::POSTGRES_DURATION, &names::POSTGRES_ERRORS);
    for (calls, families) in [
        (&meters.below.redis, redis),
        (&meters.below.postgres, postgres),
    ] {
        if let Some(calls) = calls {
            asked(text, calls, families);
        }
    }
}

fn log(text: &mut Text, counts: LogCounts) {
    text.put(&names::LOG_MESSAGES, &["error"], counts.errors as f64);
    text.put(&names::LOG_MESSAGES, &["warn"], counts.warnings as f64);
    text.put(&names::LOG_DROPPED, &[], counts.dropped as f64);
    let failed = counts.exports_failed as f64;
    text.put(&names::TRACES_FAILED, &[], failed);
}

fn asked(text: &mut Text, calls: &Calls, (duration, errors): (&'static Family, &'static Family)) {
    text.histogram(duration, &[], &calls.took());
    text.put(errors, &[], calls.failed() as f64);
}

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

fn seconds_of_ms(ms: i64) -> f64 {
    ms as f64 / 1_000.0
}

/// Counts of pools by label: those that have no label of their own are summed up.
pub fn by_label(meters: &Meters, pools: impl IntoIterator<Item = PoolCounts>) -> Vec<PoolCounts> {
    let mut labelled: Vec<PoolCounts> = Vec::new();
    for mut pool in pools {
        pool.pool = meters.pool_label(&pool.pool).to_owned();
        match labelled.iter_mut().find(|known| known.pool == pool.pool) {
            Some(known) => known.add(&pool),
            None => labelled.push(pool),
        }
    }
    labelled
}

impl PoolCounts {
    fn add(&mut self, other: &Self) {
        self.eligible += other.eligible;
        self.reserved += other.reserved;
        self.cooling += other.cooling;
        self.limited += other.limited;
        self.resting += other.resting;
        self.paused += other.paused;
        self.retired += other.retired;
    }
}

#[cfg(test)]
mod tests;
