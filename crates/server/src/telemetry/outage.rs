//! One line when something goes, one when it is back, one a minute between: however many notice it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Least time between two lines while it lasts.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// What a service needs, and who notices when it fails.
#[derive(Debug)]
pub struct Outages {
    /// The Redis of the hot state.
    pub redis: Outage,
    /// The database.
    pub database: Outage,
}

impl Default for Outages {
    fn default() -> Self {
        Self {
            redis: Outage::new("redis", "calls are refused until it can"),
            database: Outage::new("the database", "it is tried again until it can"),
        }
    }
}

/// Who uses it, and notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum User {
    /// The watch over the shared state.
    Watch,
    /// The sync of the inventory.
    Inventory,
    /// The drainer of the outbox.
    Drainer,
    /// Whoever asks how the service is.
    Health,
}

/// Whether one thing can be used.
#[derive(Debug)]
pub struct Outage {
    name: &'static str,
    meaning: &'static str,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failing: BTreeSet<User>,
    /// When it began and when it was last told of.
    since: Option<(Instant, Instant)>,
    failures: u64,
}

impl Outage {
    fn new(name: &'static str, meaning: &'static str) -> Self {
        Self {
            name,
            meaning,
            state: Mutex::default(),
        }
    }

    /// It failed this user.
    pub fn failed(&self, user: User, error: &dyn fmt::Display) {
        let now = Instant::now();
        let mut state = self.state();
        state.failing.insert(user);
        state.failures += 1;
        let (name, meaning) = (self.name, self.meaning);
        match &mut state.since {
            None => {
                state.since = Some((now, now));
                tracing::error!(%error, "{name} cannot be used: {meaning}");
            }
            Some((began, told)) if now - *told >= TELL_EVERY => {
                *told = now;
                let seconds = (now - *began).as_secs();
                let failures = state.failures;
                tracing::error!(%error, seconds, failures, "{name} still cannot be used: {meaning}");
            }
            Some(_) => {}
        }
    }

    /// It served this user. It is over when it did all whom it failed.
    pub fn served(&self, user: User) {
        let mut state = self.state();
        if !state.failing.remove(&user) || !state.failing.is_empty() {
            return;
        }
        if let Some((began, _)) = state.since.take() {
            let failures = std::mem::take(&mut state.failures);
            let seconds = began.elapsed().as_secs_f64();
            let seconds = (seconds * 10.0).round() / 10.0;
            tracing::info!(seconds, failures, "{} can be used again", self.name);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
