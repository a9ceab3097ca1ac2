//! People who are signed in, as the store knows them: asked again after half a second.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use caller_id_core::roles::Session;
use caller_id_core::{Author, KeyStore, StoreError, Timestamp};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::mac;

/// So long what the store said holds: a session that ends on another node ends here within a second, and one that is known
/// goes on so long while the database is away.
const HOLDS: Duration = Duration::from_millis(500);
/// Who asked so long ago is counted as somebody who is here.
const LATELY: Duration = Duration::from_secs(300);
/// More people than this are asked for each time anew.
const REMEMBERED_MOST: usize = 4_096;
/// What the token against forged requests is for.
const AGAINST_FORGERY: &str = "forged requests";

/// The value of a session's cookie: 256 random bits. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionSecret(String);

impl SessionSecret {
    /// A new one.
    pub fn make() -> Self {
        Self(mac::random_text())
    }

    /// What a browser gave, where it has the form of one.
    pub fn read(text: &str) -> Option<Self> {
        mac::is_random_text(text).then(|| Self(text.to_owned()))
    }

    /// The text itself, for the cookie. Whoever calls this answers for it not being logged.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    /// The token by which a page of ours proves that a request is its own: other pages cannot read it.
    pub fn forgery_token(&self) -> String {
        mac::code_text(self.0.as_bytes(), AGAINST_FORGERY, b"")
    }

    /// Whether `given` is that token.
    pub fn has_forgery_token(&self, given: &[u8]) -> bool {
        mac::same(self.forgery_token().as_bytes(), given)
    }
}

impl fmt::Debug for SessionSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Sessions of the store.
pub struct Sessions {
    store: Arc<dyn KeyStore>,
    known: Mutex<HashMap<[u8; 32], Known, ahash::RandomState>>,
}

struct Known {
    session: Session,
    asked: Instant,
}

impl Sessions {
    /// Those of `store`.
    pub fn new(store: Arc<dyn KeyStore>) -> Self {
        Self {
            store,
            known: Mutex::default(),
        }
    }

    /// The session with this cookie that has not ended at `now`.
    ///
    /// # Errors
    /// [`StoreError`] when the store has to be asked and cannot be.
    pub async fn find(
        &self,
        secret: &SessionSecret,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let hash = secret.hash();
        let found = match self.known(&hash) {
            Some(session) => Some(session),
            None => self.ask(hash).await?,
        };
        Ok(found.filter(|session| now < session.expires_at))
    }

    /// Keeps a new session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin(
        &self,
        session: Session,
        now: Timestamp,
        by: &Author,
    ) -> Result<(), StoreError> {
        self.store.begin_session(session, now, by).await
    }

    /// Ends a session: on every node within a second. Tells whether there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end(&self, secret: &SessionSecret, by: &Author) -> Result<bool, StoreError> {
        let hash = secret.hash();
        let ended = self.store.end_session(hash, by).await;
        self.all().remove(&hash);
        ended
    }

    /// How many sessions were asked for in the last five minutes, as far as remembered.
    pub fn asked_lately(&self) -> u64 {
        let known = self.all();
        let lately = known
            .values()
            .filter(|known| known.asked.elapsed() < LATELY);
        lately.count() as u64
    }

    fn known(&self, hash: &[u8; 32]) -> Option<Session> {
        let known = self.all();
        let found = known.get(hash)?;
        (found.asked.elapsed() < HOLDS).then(|| found.session.clone())
    }

    async fn ask(&self, hash: [u8; 32]) -> Result<Option<Session>, StoreError> {
        // Before it is asked: what it says is no younger.
        let asked = Instant::now();
        let found = self.store.session(hash).await?;
        let mut known = self.all();
        known.remove(&hash);
        if let Some(session) = &found {
            if known.len() >= REMEMBERED_MOST {
                known.retain(|_, known| known.asked.elapsed() < HOLDS);
            }
            if known.len() < REMEMBERED_MOST {
                let session = session.clone();
                known.insert(hash, Known { session, asked });
            }
        }
        Ok(found)
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], Known, ahash::RandomState>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
