//! What is counted for programs that measure the service: requests by what became of them, and how long answers took.
//!
//! Whoever answers a call adds to places that are known beforehand, in counters of its own thread's share: no lock, nothing
//! allocated, some tens of nanoseconds. What is counted elsewhere, like sign-ins that failed, is read there.

mod commits;
pub mod live_pages;
mod pools;
mod shard;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use caller_id_core::meter::{Calls, Histogram, Seen};
use caller_id_core::shared::Lag;
use caller_id_core::{AllocationRecord, PoolId, Rung};

pub use self::commits::{Commits, Metered};
pub use self::pools::{OTHER, POOLS_MOST};
pub use self::shard::{Ended, Script};

use self::pools::Pools;
use self::shard::Shards;
use crate::pulse::Outcome;

/// The route that answers calls.
pub const CALLS: &str = "/next-cid";
/// The route of whatever has none.
const NO_ROUTE: &str = "none";
/// Classes of answers, by the first digit of the status; what has none of these is in the first place.
pub const CLASSES: [&str; 6] = ["other", "1xx", "2xx", "3xx", "4xx", "5xx"];
/// Methods by their names; all others are `other`.
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// What waits in this process and in its store.
#[async_trait]
pub trait Queues: Send + Sync {
    /// Events that wait for the next commit, where they wait in this process.
    fn waiting(&self) -> Option<usize>;
    /// What is committed and not yet in history, where a journal stands before that and can be read.
    async fn journal(&self) -> Option<Lag>;
}

/// What the service works with, as far as it is measured.
#[derive(Default)]
pub struct Below {
    /// Which store it is; empty: none that has a name.
    pub store: &'static str,
    /// What Redis is asked, where there is one.
    pub redis: Option<Arc<Calls>>,
    /// What PostgreSQL is asked, where there is one.
    pub postgres: Option<Arc<Calls>>,
    /// What waits.
    pub queues: Option<Arc<dyn Queues>>,
    /// Commits of the store.
    pub commits: Arc<Commits>,
}

/// Counts.
#[derive(Default)]
pub struct Meters {
    /// What is measured elsewhere.
    pub below: Below,
    shards: Shards,
    pools: Pools,
    routes: Mutex<BTreeMap<String, BTreeMap<Kind, Histogram>>>,
}

/// A method and a class of answers, by their places in the lists.
type Kind = (&'static str, usize);

/// The answers of one route to one method with one class of status.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The method.
    pub method: &'static str,
    /// The route's template.
    pub route: String,
    /// The class of the status.
    pub class: &'static str,
    /// How long they took.
    pub took: Seen,
}

impl Meters {
    /// Nothing counted yet, over what is `below`.
    pub fn new(below: Below) -> Self {
        Self {
            below,
            ..Self::default()
        }
    }

    /// Counts a request for a number: what became of it, in the word of answers, and the number that was given.
    pub fn asked(&self, outcome: &str, given: Option<&AllocationRecord>) {
        let Some(outcome) = Outcome::of(outcome) else {
            return;
        };
        let shard = self.shards.mine();
        shard.asked(outcome);
        if let (Outcome::Allocated, Some(given)) = (outcome, given) {
            shard.allocated(self.pools.place(&given.pool), given.rung);
        }
    }

    /// Counts the answer to a call over HTTP.
    pub fn called(&self, status: u16, took: Duration) {
        self.shards.mine().called(class(status)).record(took);
    }

    /// Counts a dialog over FastAGI.
    pub fn talked(&self, script: Script, ended: Ended, took: Duration) {
        self.shards.mine().talked(script, ended).record(took);
    }

    /// Counts any other answer over HTTP. `route` is the template of the route, where there is one.
    pub fn answered(&self, (method, route): (&str, Option<&str>), status: u16, took: Duration) {
        let route = route.unwrap_or(NO_ROUTE);
        let method = METHODS.into_iter().find(|known| *known == method);
        let kind = (method.unwrap_or("other"), class(status));
        if kind.0 == "GET" && route.trim_end_matches('/') == CALLS {
            return self.called(status, took);
        }
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        // Routes are as many as there are, whatever is asked.
        if !routes.contains_key(route) {
            routes.insert(route.to_owned(), BTreeMap::new());
        }
        if let Some(kinds) = routes.get_mut(route) {
            kinds.entry(kind).or_default().record(took);
        }
    }

    /// How many requests for numbers had this outcome.
    pub fn outcome(&self, outcome: Outcome) -> u64 {
        self.shards.outcome(outcome)
    }

    /// How many numbers were handed out, by pool and rung; of pools beyond [`POOLS_MOST`] together as [`OTHER`].
    pub fn allocations(&self) -> Vec<(String, Rung, u64)> {
        let mut all = Vec::new();
        for (place, pool) in self.pools.named() {
            for rung in Rung::ALL {
                let count = self.shards.allocations(place, rung);
                if count > 0 {
                    all.push((pool.to_owned(), rung, count));
                }
            }
        }
        all
    }

    /// By which name a pool goes in labels: [`OTHER`] when there were [`POOLS_MOST`] before it.
    pub fn pool_label<'a>(&self, pool: &'a str) -> &'a str {
        match PoolId::new(pool).map(|pool| self.pools.place(&pool)) {
            Ok(pools::OTHER_PLACE) | Err(_) => OTHER,
            Ok(_) => pool,
        }
    }

    /// All answers over HTTP.
    pub fn answers(&self) -> Vec<Answered> {
        let answered = |method, route: &str, class: usize, took| Answered {
            method,
            route: route.to_owned(),
            class: CLASSES[class],
            took,
        };
        let calls = (0..CLASSES.len())
            .map(|class| answered("GET", CALLS, class, self.shards.calls(class)))
            .filter(|calls| calls.took.count() > 0);
        let mut all: Vec<_> = calls.collect();
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        for (route, kinds) in &*routes {
            let kinds = kinds.iter();
            all.extend(
                kinds.map(|((method, class), took)| answered(method, route, *class, took.seen())),
            );
        }
        all
    }

    /// All dialogs over FastAGI.
    pub fn dialogs(&self) -> Vec<(Script, Ended, Seen)> {
        let all = Script::ALL
            .into_iter()
            .flat_map(|script| Ended::ALL.map(|ended| (script, ended)));
        all.map(|(script, ended)| (script, ended, self.shards.dialogs(script, ended)))
            .filter(|(_, _, took)| took.count() > 0)
            .collect()
    }
}

fn class(status: u16) -> usize {
    let class = usize::from(status / 100);
    if class < CLASSES.len() { class } else { 0 }
}

#[cfg(test)]
mod tests;
