//! The keys that an identity provider signs with: fetched, kept, fetched again when one is missing.

mod key_set;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use jsonwebtoken::Header;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use ureq::Agent;
use ureq::http::Uri;

use super::claims::Claims;
use super::refusal::Refusal;
use crate::telemetry::outage::{Outage, User};

pub use self::key_set::KeySet;

/// The provider has so long to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// A document of a hundred keys has less.
const ANSWER_BYTES_MOST: u64 = 256 * 1024;
/// It is not asked more often, whatever tokens come.
const ASK_EVERY_AT_MOST: Duration = Duration::from_secs(30);
/// Keys are fetched anew after so long, so that those taken back are forgotten.
const KEPT: Duration = Duration::from_secs(3_600);
const REDIRECTS_MOST: u32 = 3;

/// The keys at one address.
pub struct Jwks {
    url: ProviderUrl,
    agent: Agent,
    keys: RwLock<Arc<KeySet>>,
    /// When the provider was last asked. Whoever asks it holds it.
    asked: Mutex<Option<Instant>>,
    /// The provider could not be asked the last time.
    is_away: AtomicBool,
    outage: Outage,
}

impl Jwks {
    /// The keys at `url`; none is known yet.
    pub fn new(url: ProviderUrl) -> Self {
        Self {
            agent: url.agent(),
            url,
            keys: RwLock::default(),
            asked: Mutex::default(),
            is_away: AtomicBool::new(false),
            outage: Outage::new(
                "the provider of JWKS_URL",
                "its keys that are known are used until it can; tokens signed with others are answered 503",
            ),
        }
    }

    /// The claims of a token with this header, when a key that is known signed it.
    ///
    /// # Errors
    /// [`Refusal::UnknownSigner`] when its key is not known (yet), [`Refusal::KeysAway`] when nobody can tell whether it is one
    /// of the provider's; [`Refusal::InvalidToken`].
    pub fn claims(&self, token: &[u8], header: &Header) -> Result<Claims, Refusal> {
        let claims = self.known().claims(token, header);
        claims.map_err(|refusal| match refusal {
            Refusal::UnknownSigner if self.is_away.load(Ordering::Relaxed) => Refusal::KeysAway,
            refusal => refusal,
        })
    }

    /// Asks the provider for its keys, because one is missing. Gives whether it did: at most once in 30 seconds it does.
    /// Whoever comes meanwhile waits for the answer, and is told the same.
    pub async fn ask(self: &Arc<Self>) -> bool {
        let came = Instant::now();
        let mut asked = self.asked.lock().await;
        match *asked {
            Some(at) if at >= came => return true,
            Some(at) if came - at < ASK_EVERY_AT_MOST => return false,
            _ => {}
        }
        self.fetch(&mut asked).await;
        true
    }

    /// Fetches the keys now and every hour, until `stop`; every 30 seconds while the provider is away.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let fetching = async {
            loop {
                let fetched = self.fetch(&mut *self.asked.lock().await).await;
                let pause = if fetched { KEPT } else { ASK_EVERY_AT_MOST };
                tokio::time::sleep(pause).await;
            }
        };
        let _: Option<()> = stop.run_until_cancelled(fetching).await;
    }

    /// Asks to the end, also when nobody waits for it any more.
    async fn fetch(self: &Arc<Self>, asked: &mut Option<Instant>) -> bool {
        let jwks = self.clone();
        // Before: whoever waits may have no more time, and the next one must not ask at once.
        *asked = Some(Instant::now());
        let fetched = tokio::task::spawn_blocking(move || jwks.fetch_now()).await;
        // And after: whoever came meanwhile need not ask again.
        *asked = Some(Instant::now());
        fetched.unwrap_or(false)
    }

    /// What is known stays known when the provider cannot be asked.
    fn fetch_now(&self) -> bool {
        let fetched = self.get();
        self.is_away.store(fetched.is_err(), Ordering::Relaxed);
        match fetched {
            Ok(keys) => {
                self.outage.served(User::Tokens);
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
                true
            }
            Err(error) => {
                self.outage.failed(User::Tokens, &format!("{error:#}"));
                false
            }
        }
    }

    fn get(&self) -> anyhow::Result<KeySet> {
        let url = &self.url;
        let mut answer = self
            .agent
            .get(&url.text)
            .header("accept", "application/json")
            .call()
            .with_context(|| format!("cannot fetch {url}"))?;
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MOST);
        let text = body.read_to_string();
        let text = text.with_context(|| format!("the answer of {url} broke off"))?;
        let status = answer.status().as_u16();
        ensure!(status == 200, "{url} answers {status}, expected 200");
        KeySet::parse(&text).map_err(|why| anyhow!("{url} is no JWKS that can be used: {why}"))
    }

    fn known(&self) -> Arc<KeySet> {
        self.keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} keys of {}", self.known().len(), self.url)
    }
}

/// Where a provider is asked: over https, or http on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderUrl {
    text: String,
    host: String,
    is_encrypted: bool,
}

impl ProviderUrl {
    /// The whole URL.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Asks there, with a deadline, never over an open line elsewhere, and there alone: no redirect is followed.
    pub fn strict_agent(&self) -> Agent {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(ANSWER_WITHIN))
            .max_redirects(0)
            .user_agent(concat!("caller-id/", env!("CARGO_PKG_VERSION")));
        config = match self.is_encrypted {
            true => config.https_only(true),
            false => config.proxy(None),
        };
        config.build().into()
    }

    /// Asks there, with a deadline, and never over an open line elsewhere.
    fn agent(&self) -> Agent {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(ANSWER_WITHIN))
            .user_agent(concat!("caller-id/", env!("CARGO_PKG_VERSION")));
        config = match self.is_encrypted {
            true => config.https_only(true).max_redirects(REDIRECTS_MOST),
            false => config.max_redirects(0).proxy(None),
        };
        config.build().into()
    }
}

impl FromStr for ProviderUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str =
            "expected a URL like https://id.example.com/jwks; http:// only for this machine";
        let text = text.trim();
        let uri: Uri = text.parse().map_err(|_| EXPECTED)?;
        let host = uri.host().ok_or(EXPECTED)?.trim_matches(['[', ']']);
        let address = host.parse::<std::net::IpAddr>();
        let is_here =
            host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|here| here.is_loopback());
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if is_here => {}
            _ => return Err(EXPECTED),
        }
        Ok(Self {
            is_encrypted: uri.scheme_str() == Some("https"),
            host: host.to_owned(),
            text: text.to_owned(),
        })
    }
}

/// Only the host: a path or a query may have a secret in it.
impl fmt::Display for ProviderUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)
    }
}
