//! An identity provider that people sign in with: OpenID Connect, code flow with PKCE.

mod discovery;
mod exchange;
mod id_token;
pub mod pending;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use caller_id_core::Timestamp;
use caller_id_core::roles::Role;
use jsonwebtoken::decode_header;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::Instant;

use self::discovery::Discovery;
use self::exchange::{Asker, Tokens};
use self::pending::Pending;
use super::claims::{self, ClaimRules, Claims};
use super::jwks::{KeySet, ProviderUrl};
use super::refusal::Refusal;
use crate::config::secret::Secret;

/// What the provider says of itself is asked for anew after so long.
const KEPT: Duration = Duration::from_secs(3_600);
/// Once it could not be asked, everybody is told the same for so long.
const FAILURE_KEPT: Duration = Duration::from_secs(2);

/// How this service is known to a provider.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Who the provider is, as it calls itself.
    pub issuer: ProviderUrl,
    /// As what this service is registered.
    pub client: String,
    /// Its secret; none where it is a public client.
    pub secret: Option<Secret>,
    /// Where the provider sends people back to.
    pub redirect: String,
    /// What it is asked for.
    pub scopes: String,
    /// Which claim gives which role.
    pub rules: ClaimRules,
}

/// Somebody whom the provider named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// What it calls them: the e-mail address, else the name they sign in with, else their id.
    pub name: String,
    /// What they may do here; none where nothing that it says of them is one of ours.
    pub role: Option<Role>,
}

/// Why nobody could be signed in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    /// The provider cannot be asked, or answers what cannot be used: nobody who tries again now is better off.
    #[error("the identity provider cannot be used: {0}")]
    Away(String),
    /// The provider, or what it sent, refuses this one sign-in.
    #[error("the sign-in is refused: {0}")]
    Refused(String),
}

/// The provider.
pub struct Provider {
    registration: Registration,
    asker: Arc<Asker>,
    /// What it said of itself. Whoever asks holds it.
    said: Mutex<Said>,
    keys: RwLock<Option<(Arc<KeySet>, Instant)>>,
}

#[derive(Default)]
struct Said {
    discovery: Option<(Arc<Discovery>, Instant)>,
    failure: Option<(Failure, Instant)>,
}

impl Provider {
    /// The provider of that registration. It is not asked before somebody signs in.
    pub fn new(registration: Registration) -> Self {
        Self {
            asker: Arc::new(Asker::new(&registration)),
            registration,
            said: Mutex::default(),
            keys: RwLock::default(),
        }
    }

    /// The provider's host, for people.
    pub fn host(&self) -> String {
        self.registration.issuer.to_string()
    }

    /// The claim that roles are in, for people.
    pub fn role_claim(&self) -> &str {
        &self.registration.rules.role_claim
    }

    /// Where the browser goes to sign in.
    ///
    /// # Errors
    /// [`Failure::Away`].
    pub async fn begin(&self, pending: &Pending) -> Result<String, Failure> {
        let discovery = self.discovery().await?;
        let registration = &self.registration;
        let challenge = pending.challenge();
        let parameters = [
            ("response_type", "code"),
            ("client_id", &registration.client),
            ("redirect_uri", &registration.redirect),
            ("scope", &registration.scopes),
            ("state", &pending.state),
            ("nonce", &pending.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let pairs = parameters
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
            .join("&");
        let endpoint = discovery.authorization.as_str();
        let joint = if endpoint.contains('?') { '&' } else { '?' };
        Ok(format!("{endpoint}{joint}{pairs}"))
    }

    /// Who came back with `code`; `issuer` is who sent them, where that is said (RFC 9207).
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn finish(
        &self,
        pending: &Pending,
        code: &str,
        issuer: Option<&str>,
        now: Timestamp,
    ) -> Result<Person, Failure> {
        let us = &self.registration;
        if issuer.is_some_and(|issuer| issuer != us.issuer.as_str()) {
            return Err(Failure::Refused(
                "another provider sent the browser back".to_owned(),
            ));
        }
        let discovery = self.discovery().await?;
        let (asker, at) = (self.asker.clone(), discovery.clone());
        let (code, verifier) = (code.to_owned(), pending.verifier.clone());
        let tokens = blocking(move || asker.tokens(&at, &code, &verifier)).await?;
        let claims = self.signed(&discovery, &tokens.id_token).await?;
        let expected = id_token::Expected {
            issuer: us.issuer.as_str(),
            client: &us.client,
            nonce: &pending.nonce,
            begun: pending.begun,
            now,
        };
        expected.check(&claims).map_err(Failure::Refused)?;
        let claims = proven(self.with_more(&discovery, claims, tokens).await?);
        Ok(Person {
            name: name(&claims),
            role: us.rules.role(&claims),
        })
    }

    /// What the provider says of itself: kept for an hour, and longer when it cannot be asked then.
    async fn discovery(&self) -> Result<Arc<Discovery>, Failure> {
        let mut said = self.said.lock().await;
        let known = said.discovery.clone();
        if let Some((discovery, at)) = &known
            && at.elapsed() < KEPT
        {
            return Ok(discovery.clone());
        }
        let lately = said.failure.as_ref();
        let lately = lately.filter(|(_, at)| at.elapsed() < FAILURE_KEPT);
        let asked = match lately {
            Some((failure, _)) => Err(failure.clone()),
            None => {
                let asker = self.asker.clone();
                let asked = blocking(move || asker.discovery()).await;
                if let Err(failure) = &asked {
                    said.failure = Some((failure.clone(), Instant::now()));
                }
                asked
            }
        };
        match (asked, known) {
            (Ok(discovery), _) => {
                let discovery = Arc::new(discovery);
                said.discovery = Some((discovery.clone(), Instant::now()));
                Ok(discovery)
            }
            (Err(_), Some((discovery, _))) => Ok(discovery),
            (Err(failure), None) => Err(failure),
        }
    }

    /// The claims of a token that the provider signed. Its keys are fetched again when one is missing: it gave us the token
    /// itself, so nobody else can make us ask.
    async fn signed(&self, discovery: &Discovery, token: &str) -> Result<Claims, Failure> {
        let bad = |why: &str| Failure::Refused(format!("the ID token {why}"));
        let header = decode_header(token).map_err(|_| bad("is no signed token"))?;
        if header.crit.is_some() {
            // RFC 7515, 4.1.11: what must be understood, and is not understood here.
            return Err(bad("has a crit header"));
        }
        let claims = match self.known_keys() {
            Some(keys) => keys.claims(token.as_bytes(), &header),
            None => Err(Refusal::UnknownSigner),
        };
        let claims = match claims {
            Err(Refusal::UnknownSigner) => {
                let keys = self.fetch_keys(discovery).await?;
                keys.claims(token.as_bytes(), &header)
            }
            known => known,
        };
        claims.map_err(|refusal| match refusal {
            Refusal::UnknownSigner => {
                bad("is signed with a key that the provider does not publish")
            }
            _ => bad("has a signature that is wrong"),
        })
    }

    fn known_keys(&self) -> Option<Arc<KeySet>> {
        let known = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let (keys, at) = known.as_ref()?;
        (at.elapsed() < KEPT).then(|| keys.clone())
    }

    async fn fetch_keys(&self, discovery: &Discovery) -> Result<Arc<KeySet>, Failure> {
        let (asker, url) = (self.asker.clone(), discovery.keys.clone());
        let keys = Arc::new(blocking(move || asker.keys(&url)).await?);
        let mut known = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        *known = Some((keys.clone(), Instant::now()));
        Ok(keys)
    }

    /// Some providers tell names and groups only when asked for them. What the token says counts first.
    async fn with_more(
        &self,
        discovery: &Discovery,
        mut claims: Claims,
        tokens: Tokens,
    ) -> Result<Claims, Failure> {
        let is_named = ["email", "preferred_username"]
            .iter()
            .any(|name| claims.contains_key(*name));
        let is_whole = is_named && self.registration.rules.role(&claims).is_some();
        let (Some(url), Some(token), false) = (&discovery.userinfo, tokens.access_token, is_whole)
        else {
            return Ok(claims);
        };
        let (asker, url) = (self.asker.clone(), url.clone());
        let more = blocking(move || asker.userinfo(&url, &token)).await?;
        // OpenID Connect Core, 5.3.2: else somebody else's could be slipped in.
        if more.get("sub") != claims.get("sub") {
            return Err(Failure::Refused(
                "the provider told of somebody else (sub of userinfo)".to_owned(),
            ));
        }
        for (name, value) in more {
            claims.entry(name).or_insert(value);
        }
        Ok(claims)
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "provider {}", self.registration.issuer)
    }
}

async fn blocking<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let asked = tokio::task::spawn_blocking(ask).await;
    asked.unwrap_or_else(|_| Err(Failure::Away("asking it failed".to_owned())))
}

/// An address that the provider did not prove is no name, and gives no role: anybody could claim it.
fn proven(mut claims: Claims) -> Claims {
    let verified = claims.get("email_verified");
    if verified.is_some_and(|verified| *verified == false || *verified == "false") {
        claims.remove("email");
    }
    claims
}

fn name(claims: &Claims) -> String {
    let said = |name: &str| {
        claims
            .get(name)?
            .as_str()
            .filter(|text| !text.trim().is_empty())
    };
    let email = said("email");
    let name = email.or_else(|| said("preferred_username"));
    claims::fit(name.or_else(|| said("sub")).unwrap_or_default().trim())
}

#[cfg(test)]
mod tests;
