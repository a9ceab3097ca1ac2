//! The API keys, as they are known in memory: asking for one costs a hash and a look into a map.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use caller_id_core::Timestamp;
use caller_id_core::roles::{ApiKey, KeyId};

use super::address::{AddressEntry, AddressList, Client};
use super::api_key;
use super::principal::Scope;
use super::refusal::Refusal;

type Known = HashMap<[u8; 32], Arc<KnownKey>, ahash::RandomState>;

/// All keys, by the hash of the whole key.
#[derive(Default)]
pub struct Keyring {
    known: RwLock<Arc<Known>>,
}

/// A key, ready to be asked.
pub struct KnownKey {
    /// What is kept of it.
    pub key: ApiKey,
    /// For which campaigns its holder may ask.
    pub campaigns: Scope,
    addresses: AddressList,
    /// When it was last used here, and up to when the store knows: milliseconds, 0 = never.
    used: AtomicI64,
    told: AtomicI64,
}

impl Keyring {
    /// The key with this text, whether it is still good or not.
    pub fn find(&self, text: &[u8]) -> Option<Arc<KnownKey>> {
        let hash = api_key::hash(text);
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&hash).cloned()
    }

    /// The key with this id, whether it is still good or not.
    pub fn by_id(&self, id: &KeyId) -> Option<Arc<KnownKey>> {
        let known = self.known();
        known.values().find(|key| key.key.id == *id).cloned()
    }

    /// Takes these keys instead of those before. When one was used stays known.
    pub fn replace(&self, keys: Vec<ApiKey>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let now = keys.into_iter().map(|key| {
            let old = known.get(&key.hash).map(|old| old.uses());
            (key.hash, Arc::new(KnownKey::new(key, old)))
        });
        *known = Arc::new(now.collect::<Known>());
    }

    /// The key with this id is worth nothing from `at` on.
    pub fn revoke(&self, id: &KeyId, at: Timestamp) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let Some(found) = known.values().find(|known| known.key.id == *id).cloned() else {
            return;
        };
        let mut key = found.key.clone();
        key.revoked_at = key.revoked_at.or(Some(at));
        let revoked = Arc::new(KnownKey::new(key, Some(found.uses())));
        let mut now = Known::clone(&known);
        now.insert(revoked.key.hash, revoked);
        *known = Arc::new(now);
    }

    /// Which keys were used since the store was last told, and when.
    pub fn unsaid(&self) -> Vec<(KeyId, Timestamp)> {
        let known = self.known();
        let used = known.values().filter_map(|key| {
            let (used, told) = key.uses();
            (used > told).then(|| (key.key.id.clone(), Timestamp::from_ms(used)))
        });
        used.collect()
    }

    /// The store knows these uses.
    pub fn said(&self, told: &[(KeyId, Timestamp)]) {
        let told: HashMap<&KeyId, Timestamp> = told.iter().map(|(id, at)| (id, *at)).collect();
        for key in self.known().values() {
            if let Some(at) = told.get(&key.key.id) {
                key.told.fetch_max(at.as_ms(), Ordering::Relaxed);
            }
        }
    }

    fn known(&self) -> Arc<Known> {
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} API keys (hidden)", self.known().len())
    }
}

impl KnownKey {
    fn new(key: ApiKey, uses: Option<(i64, i64)>) -> Self {
        let last = key.last_used_at.map_or(0, Timestamp::as_ms);
        let (used, told) = uses.unwrap_or((last, last));
        // Entries that cannot be read let nobody in, also where there are no others.
        let entries = key.addresses.iter();
        let entries = entries.filter_map(|entry| entry.parse::<AddressEntry>().ok());
        Self {
            addresses: AddressList::new(entries),
            campaigns: Scope::of(&key.campaigns),
            used: AtomicI64::new(used),
            told: AtomicI64::new(told),
            key,
        }
    }

    /// Whether it opens for `client` now. Notes the use.
    ///
    /// # Errors
    /// [`Refusal::Worthless`] or [`Refusal::KeyAddress`].
    pub fn admit(&self, client: Client, now: Timestamp) -> Result<(), Refusal> {
        if !self.key.is_good(now) {
            return Err(Refusal::Worthless(match self.key.revoked_at {
                Some(_) => "the key is revoked",
                None => "the key has expired",
            }));
        }
        if !self.key.addresses.is_empty() && !self.addresses.has(client) {
            return Err(Refusal::KeyAddress {
                client,
                key: self.key.name.clone(),
            });
        }
        self.used.fetch_max(now.as_ms(), Ordering::Relaxed);
        Ok(())
    }

    fn uses(&self) -> (i64, i64) {
        (
            self.used.load(Ordering::Relaxed),
            self.told.load(Ordering::Relaxed),
        )
    }
}

impl fmt::Debug for KnownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "API key {} (hidden)", self.key.id)
    }
}
