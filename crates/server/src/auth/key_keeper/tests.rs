//! Keys between a store and those who check them.

use std::sync::Mutex as Held;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use async_trait::async_trait;
use caller_id_core::roles::{Role, Session};

use super::*;
use crate::auth::address::Client;
use crate::auth::api_key::NewKey;

const NOON: Timestamp = Timestamp::from_ms(1_795_348_800_000);

/// A store in memory that can be away.
#[derive(Default)]
struct Fake {
    keys: Held<Vec<ApiKey>>,
    revision: AtomicI64,
    reads: AtomicI64,
    touched: Held<Vec<Vec<(KeyId, Timestamp)>>>,
    away: AtomicBool,
}

impl Fake {
    fn check(&self) -> Result<(), StoreError> {
        match self.away.load(Ordering::SeqCst) {
            true => Err(StoreError::Failed("away".into())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl KeyStore for Fake {
    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.check()?;
        self.reads.fetch_add(1, Ordering::SeqCst);
        Ok(self.keys.lock().unwrap().clone())
    }

    async fn keys_revision(&self) -> Result<i64, StoreError> {
        self.check()?;
        Ok(self.revision.load(Ordering::SeqCst))
    }

    async fn add_key(&self, key: ApiKey, _: &Author) -> Result<KeyAdded, StoreError> {
        self.check()?;
        self.keys.lock().unwrap().push(key);
        self.revision.fetch_add(1, Ordering::SeqCst);
        Ok(KeyAdded::Added)
    }

    async fn revoke_key(&self, id: &KeyId, at: Timestamp, _: &Author) -> Result<bool, StoreError> {
        self.check()?;
        let mut keys = self.keys.lock().unwrap();
        let found = keys.iter_mut().find(|key| key.id == *id);
        self.revision.fetch_add(1, Ordering::SeqCst);
        Ok(found.is_some_and(|key| {
            key.revoked_at = Some(at);
            true
        }))
    }

    async fn touch_keys(&self, used: &[(KeyId, Timestamp)]) -> Result<(), StoreError> {
        self.check()?;
        self.touched.lock().unwrap().push(used.to_vec());
        Ok(())
    }

    async fn begin_session(&self, _: Session, _: Timestamp, _: &Author) -> Result<(), StoreError> {
        Ok(())
    }

    async fn session(&self, _: [u8; 32]) -> Result<Option<Session>, StoreError> {
        Ok(None)
    }

    async fn end_session(&self, _: [u8; 32], _: &Author) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn cookie_key(&self) -> Result<[u8; 32], StoreError> {
        Ok([0; 32])
    }
}

struct Rig {
    store: Arc<Fake>,
    ring: Arc<Keyring>,
    keeper: Arc<KeyKeeper>,
}

impl Rig {
    fn new() -> Self {
        let (store, ring) = (Arc::<Fake>::default(), Arc::<Keyring>::default());
        let keeper = KeyKeeper::new(store.clone(), ring.clone(), Arc::default());
        Self {
            store,
            ring,
            keeper: Arc::new(keeper),
        }
    }

    /// Whether the text opens now, for an address of 10.0.0.0/8.
    fn opens(&self, text: &str, now: Timestamp) -> bool {
        let client = Client::Direct([10, 1, 2, 3].into());
        let found = self.ring.find(text.as_bytes());
        found.is_some_and(|key| key.admit(client, now).is_ok())
    }
}

fn key() -> (String, ApiKey) {
    let new = NewKey::make();
    let key = ApiKey {
        name: format!("key {}", new.id),
        id: new.id,
        role: Role::Dialer,
        hash: new.hash,
        addresses: vec!["10.0.0.0/8".to_owned()],
        campaigns: Vec::new(),
        created_at: NOON,
        created_by: "admin".to_owned(),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    };
    (new.text.reveal().to_owned(), key)
}

fn by() -> Author {
    Author::command("test")
}

#[tokio::test]
async fn a_key_opens_once_it_is_added_and_no_more_once_it_is_revoked() {
    let rig = Rig::new();
    let (text, key) = key();
    let id = key.id.clone();
    assert!(!rig.opens(&text, NOON));
    rig.keeper.add(key, &by()).await.unwrap();
    assert!(rig.opens(&text, NOON));
    let other = format!(
        "{}{}",
        &text[..59],
        if text.ends_with('A') { 'B' } else { 'A' }
    );
    assert!(!rig.opens(&other, NOON), "the same id, another secret");
    rig.keeper.revoke(&id, NOON, &by()).await.unwrap();
    assert!(!rig.opens(&text, NOON));
}

#[tokio::test]
async fn a_key_opens_from_its_addresses_alone_and_until_it_expires() {
    let rig = Rig::new();
    let (text, mut limited) = key();
    limited.expires_at = Some(Timestamp::from_ms(NOON.as_ms() + 10));
    rig.keeper.add(limited, &by()).await.unwrap();
    assert!(rig.opens(&text, Timestamp::from_ms(NOON.as_ms() + 9)));
    assert!(!rig.opens(&text, Timestamp::from_ms(NOON.as_ms() + 10)));
    let found = rig.ring.find(text.as_bytes()).unwrap();
    let elsewhere = Client::Direct([192, 0, 2, 1].into());
    assert!(found.admit(elsewhere, NOON).is_err());
    let mapped = Client::of(
        "::ffff:10.0.0.1".parse().unwrap(),
        &Default::default(),
        &Default::default(),
    );
    assert!(found.admit(mapped, NOON).is_ok());
}

#[tokio::test]
async fn a_list_of_addresses_that_cannot_be_read_lets_nobody_in() {
    let rig = Rig::new();
    let (text, mut odd) = key();
    odd.addresses = vec!["nowhere".to_owned()];
    rig.keeper.add(odd, &by()).await.unwrap();
    assert!(!rig.opens(&text, NOON));
}

#[tokio::test(start_paused = true)]
async fn what_another_node_changed_is_known_within_a_second_and_read_once() {
    let rig = Rig::new();
    let stop = CancellationToken::new();
    let (keeper, stopped) = (rig.keeper.clone(), stop.clone());
    let running = tokio::spawn(async move { keeper.run(stopped).await });
    tokio::time::sleep(Duration::from_millis(1)).await;
    let (text, key) = key();
    rig.store.add_key(key, &by()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(rig.opens(&text, NOON));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(
        rig.store.reads.load(Ordering::SeqCst),
        2,
        "at the start, and then"
    );
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn while_the_database_is_away_the_keys_that_were_known_hold() {
    let rig = Rig::new();
    let (text, key) = key();
    let id = key.id.clone();
    rig.keeper.add(key, &by()).await.unwrap();
    rig.store.away.store(true, Ordering::SeqCst);
    rig.keeper.bring().await;
    assert!(rig.opens(&text, NOON));
    assert!(rig.keeper.revoke(&id, NOON, &by()).await.is_err());
    assert!(rig.opens(&text, NOON), "what is not written is not so");
}

#[tokio::test(start_paused = true)]
async fn the_store_is_told_of_uses_in_one_batch_every_few_seconds_and_at_the_end() {
    let rig = Rig::new();
    let (text, first) = key();
    let id = first.id.clone();
    rig.keeper.add(first, &by()).await.unwrap();
    let stop = CancellationToken::new();
    let (keeper, stopped) = (rig.keeper.clone(), stop.clone());
    let running = tokio::spawn(async move { keeper.run(stopped).await });
    let at = |ms| Timestamp::from_ms(NOON.as_ms() + ms);
    (0..100).for_each(|ms| assert!(rig.opens(&text, at(ms))));
    tokio::time::sleep(Duration::from_secs(12)).await;
    let told = |rig: &Rig| rig.store.touched.lock().unwrap().clone();
    assert_eq!(told(&rig), [vec![(id.clone(), at(99))]]);
    assert!(rig.opens(&text, at(200)));
    assert_eq!(
        rig.keeper.keys().await.unwrap()[0].last_used_at,
        Some(at(200))
    );
    stop.cancel();
    running.await.unwrap();
    assert_eq!(told(&rig).last().unwrap(), &[(id, at(200))]);
}
