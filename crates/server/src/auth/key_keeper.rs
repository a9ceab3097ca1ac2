//! Keeps the API keys in memory as the store has them, whoever changes them.

use std::sync::Arc;
use std::time::Duration;

use caller_id_core::audit::Author;
use caller_id_core::roles::{ApiKey, KeyAdded, KeyId, KeyStore};
use caller_id_core::{StoreError, Timestamp};
use tokio::sync::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};
use tokio_util::sync::CancellationToken;

use super::keyring::Keyring;
use crate::telemetry::outage::{Outages, User};

/// How often the store is asked what other nodes changed.
const POLL_EVERY: Duration = Duration::from_millis(200);
/// How often the store is told which keys were used.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// The last uses before a stop are worth no longer wait.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Keys on their way from the store to those who check them, and back when they were used.
pub struct KeyKeeper {
    store: Arc<dyn KeyStore>,
    ring: Arc<Keyring>,
    outages: Arc<Outages>,
    /// Of which revision the keys in memory are. Whoever brings keys holds it.
    revision: Mutex<Option<i64>>,
}

impl KeyKeeper {
    /// Keeps `ring` as `store` says. What fails later is told by `outages`.
    pub fn new(store: Arc<dyn KeyStore>, ring: Arc<Keyring>, outages: Arc<Outages>) -> Self {
        Self {
            store,
            ring,
            outages,
            revision: Mutex::default(),
        }
    }

    /// Brings what the store says at this moment.
    ///
    /// # Errors
    /// [`StoreError`]; the keys that were known stay known.
    pub async fn now(&self) -> Result<(), StoreError> {
        let mut known = self.revision.lock().await;
        // Before the keys are read: a change between the two is brought the next time.
        let revision = self.store.keys_revision().await?;
        if *known != Some(revision) {
            self.ring.replace(self.store.keys().await?);
            *known = Some(revision);
        }
        Ok(())
    }

    /// All keys, revoked ones too, in the order they were made, with the uses that the store is not told of yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let mut keys = self.store.keys().await?;
        let unsaid = self.ring.unsaid();
        for key in &mut keys {
            let used = unsaid.iter().find(|(id, _)| *id == key.id);
            key.last_used_at = key.last_used_at.max(used.map(|(_, at)| *at));
        }
        Ok(keys)
    }

    /// Adds a key; it opens when this returns, and within a second on other nodes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add(&self, key: ApiKey, by: &Author) -> Result<KeyAdded, StoreError> {
        let added = self.store.add_key(key, by).await?;
        self.bring().await;
        Ok(added)
    }

    /// Revokes a key; it is worth nothing when this returns, and within a second on other nodes. Tells whether there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoke(&self, id: &KeyId, at: Timestamp, by: &Author) -> Result<bool, StoreError> {
        let found = self.store.revoke_key(id, at, by).await?;
        // Also when the store cannot be read again right away.
        self.ring.revoke(id, at);
        self.bring().await;
        Ok(found)
    }

    /// Follows the store until `stop`, then tells it the last uses.
    pub async fn run(&self, stop: CancellationToken) {
        let following = async {
            let mut polls = interval(POLL_EVERY);
            polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut told = Instant::now();
            loop {
                polls.tick().await;
                self.bring().await;
                if told.elapsed() >= TELL_EVERY {
                    told = Instant::now();
                    self.tell().await;
                }
            }
        };
        let _: Option<()> = stop.run_until_cancelled(following).await;
        let _ = timeout_at(Instant::now() + LAST_WORDS, self.tell()).await;
    }

    /// Brings what the store says, or tells that it cannot be read.
    async fn bring(&self) {
        match self.now().await {
            Ok(()) => self.outages.database.served(User::Keys),
            Err(error) => self.outages.database.failed(User::Keys, &error),
        }
    }

    /// Tells the store which keys were used, in one batch: at most one entry a key. What fails is told again.
    async fn tell(&self) {
        let used = self.ring.unsaid();
        if used.is_empty() {
            return;
        }
        match self.store.touch_keys(&used).await {
            Ok(()) => self.ring.said(&used),
            Err(error) => self.outages.database.failed(User::Keys, &error),
        }
    }
}

#[cfg(test)]
mod tests;
