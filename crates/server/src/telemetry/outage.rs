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
    /// Whoever sums up history.
    Sums,
    /// Whoever asks how the service is.
    Health,
    /// Who keeps the API keys known.
    Keys,
    /// Who checks signed tokens.
    Tokens,
    /// Who posts alerts.
    Alerts,
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
    /// A thing called `name`; `meaning` says what its absence does.
    pub fn new(name: &'static str, meaning: &'static str) -> Self {
        Self {
            name,
            meaning,
            state: Mutex::default(),
        }
    }

    /// It failed this user.
    pub fn failed(&self, user: User, error: &dyn fmt::Display) {
        let (name, meaning) = (self.name, self.meaning);
        match self.note_failure(user) {
            Some(News::Began) => tracing::error!(%error, "{name} cannot be used: {meaning}"),
            Some(News::Lasts { seconds, failures }) => {
                tracing::error!(%error, seconds, failures, "{name} still cannot be used: {meaning}");
            }
            Some(News::Over { .. }) | None => {}
        }
    }

    /// Whether it failed this user, and has not served it since.
    pub fn is_failing(&self, user: User) -> bool {
        self.state().failing.contains(&user)
    }

    /// It served this user. It is over when it did all whom it failed.
    pub fn served(&self, user: User) {
        if let Some(News::Over { seconds, failures }) = self.note_success(user) {
            tracing::info!(seconds, failures, "{} can be used again", self.name);
        }
    }

    fn note_failure(&self, user: User) -> Option<News> {
        let now = Instant::now();
        let mut state = self.state();
        state.failing.insert(user);
        state.failures += 1;
        let failures = state.failures;
        let Some((began, told)) = &mut state.since else {
            state.since = Some((now, now));
            return Some(News::Began);
        };
        if now - *told < TELL_EVERY {
            return None;
        }
        *told = now;
        let seconds = (now - *began).as_secs();
        Some(News::Lasts { seconds, failures })
    }

    fn note_success(&self, user: User) -> Option<News> {
        let mut state = self.state();
        if !state.failing.remove(&user) || !state.failing.is_empty() {
            return None;
        }
        let (began, _) = state.since.take()?;
        Some(News::Over {
            seconds: (began.elapsed().as_secs_f64() * 10.0).round() / 10.0,
            failures: std::mem::take(&mut state.failures),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is worth a line.
#[derive(Debug, Clone, Copy, PartialEq)]
enum News {
    Began,
    Lasts { seconds: u64, failures: u64 },
    Over { seconds: f64, failures: u64 },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_outage_is_told_when_it_begins_each_minute_and_when_all_are_served_again() {
        let outage = Outages::default().redis;
        assert_eq!(outage.note_success(User::Watch), None);
        assert_eq!(outage.note_failure(User::Watch), Some(News::Began));
        assert_eq!(outage.note_failure(User::Drainer), None);
        tokio::time::advance(TELL_EVERY).await;
        let lasts = News::Lasts {
            seconds: 60,
            failures: 3,
        };
        assert_eq!(outage.note_failure(User::Watch), Some(lasts));
        assert_eq!(outage.note_failure(User::Watch), None);
        assert_eq!(outage.note_success(User::Watch), None, "the drainer waits");
        tokio::time::advance(Duration::from_millis(1_500)).await;
        let over = News::Over {
            seconds: 61.5,
            failures: 4,
        };
        assert_eq!(outage.note_success(User::Drainer), Some(over));
        assert_eq!(outage.note_failure(User::Drainer), Some(News::Began));
    }
}
