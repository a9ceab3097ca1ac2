//! Posts a message, signed, and waits for the answer: for threads that may wait.

use std::io::Read;
use std::time::Duration;

use caller_id_core::Timestamp;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use ureq::Agent;
use ureq::http::HeaderMap;

use super::message::Message;
use crate::config::alerts::{AlertConfig, WebhookUrl};
use crate::config::secret::Secret;

/// The signature: `t=` seconds since the epoch, `,v1=` HMAC-SHA256 of those, a full stop and the body, in hex.
pub const SIGNATURE: &str = "x-callerid-signature";
/// The id of the message: the same when it is tried again.
pub const EVENT: &str = "x-callerid-event";
/// So much of an answer is shown.
const SHOWN_MOST: u64 = 1_024;
/// Nobody is asked to wait longer by a receiver.
const WAIT_MOST: Duration = Duration::from_secs(60);

/// Who takes messages.
pub struct Receiver {
    url: WebhookUrl,
    secret: Option<Secret>,
    agent: Agent,
    within: Duration,
}

/// What a receiver answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The beginning of what it says, where that was asked for.
    pub text: String,
    /// After how long it wants to be tried again.
    pub wait: Option<Duration>,
}

/// What is to be done after a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It was taken.
    Done,
    /// It may be taken later: why not now, and when, if the receiver said so.
    Again(String, Option<Duration>),
    /// It will not be taken.
    Never(String),
}

impl Receiver {
    /// Whom the settings name, if anybody. An answer has to be there `within` that time.
    pub fn of(settings: &AlertConfig, within: Duration) -> Option<Self> {
        let url = settings.alert_webhook_url.clone()?;
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .user_agent(concat!("caller-id/", env!("CARGO_PKG_VERSION")));
        if url.is_here() {
            config = config.proxy(None);
        }
        Some(Self {
            url,
            secret: settings.alert_webhook_secret.clone(),
            agent: config.build().into(),
            within,
        })
    }

    /// Where it is, as it may be shown.
    pub fn shown(&self) -> String {
        self.url.to_string()
    }

    /// Whether messages are signed.
    pub fn is_signed(&self) -> bool {
        self.secret.is_some()
    }

    /// So long it has for an answer.
    pub fn within(&self) -> Duration {
        self.within
    }

    /// Posts a message at `now`. The answer has to be there `within` that time.
    pub fn post(&self, message: &Message, now: Timestamp, within: Duration) -> Next {
        match self.send(message, now, within) {
            Ok((answer, _)) => judge(&answer),
            Err(why) => Next::Again(why, None),
        }
    }

    /// Posts a message at `now`, and gives the beginning of what is answered.
    ///
    /// # Errors
    /// Why there is no answer; without the URL.
    pub fn ask(&self, message: &Message, now: Timestamp) -> Result<Answer, String> {
        let (mut answer, body) = self.send(message, now, self.within)?;
        let mut bytes = Vec::new();
        // What breaks off is shown as far as it came.
        let _ = body.into_reader().take(SHOWN_MOST).read_to_end(&mut bytes);
        answer.text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(answer)
    }

    fn send(
        &self,
        message: &Message,
        now: Timestamp,
        within: Duration,
    ) -> Result<(Answer, ureq::Body), String> {
        let mut request = self
            .agent
            .post(self.url.reveal())
            .config()
            .timeout_global(Some(within))
            .build()
            .header("content-type", "application/json")
            .header(EVENT, &message.id);
        if let Some(secret) = &self.secret {
            request = request.header(SIGNATURE, signature(secret, now, &message.body));
        }
        let answer = request.send(message.body.as_bytes());
        let (parts, body) = answer
            .map_err(|error| self.why(&error, within))?
            .into_parts();
        let answer = Answer {
            status: parts.status.as_u16(),
            text: String::new(),
            wait: wait(&parts.headers),
        };
        Ok((answer, body))
    }

    /// Never with the URL: it may be its own key.
    fn why(&self, error: &ureq::Error, within: Duration) -> String {
        match error {
            ureq::Error::Timeout(_) => format!("no answer within {} s", within.as_secs_f32()),
            ureq::Error::HostNotFound => "its host is not found".to_owned(),
            ureq::Error::Io(error) => format!("it cannot be reached: {error}"),
            ureq::Error::Rustls(error) => format!("its certificate or TLS cannot be used: {error}"),
            ureq::Error::ConnectionFailed => "it cannot be reached".to_owned(),
            ureq::Error::Protocol(_) => "it answers what is no HTTP".to_owned(),
            other => {
                let told = other.to_string();
                let path = self.url.reveal().split('/').nth(3).unwrap_or_default();
                match !path.is_empty() && told.contains(path) {
                    true => "it cannot be asked".to_owned(),
                    false => told,
                }
            }
        }
    }
}

/// The signature of a body that is posted at `now`.
pub fn signature(secret: &Secret, now: Timestamp, body: &str) -> String {
    let seconds = now.as_ms().div_euclid(1_000);
    let key = secret.reveal().as_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length is good");
    mac.update(format!("{seconds}.{body}").as_bytes());
    let code = mac.finalize().into_bytes();
    let hex: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

/// What an answer means.
pub fn judge(answer: &Answer) -> Next {
    let told = format!("it answers {}", answer.status);
    match answer.status {
        200..300 => Next::Done,
        300..400 => Next::Never(format!("{told}, and redirects are not followed")),
        408 | 429 | 500.. => Next::Again(told, answer.wait),
        _ => Next::Never(told),
    }
}

/// `Retry-After` in seconds.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let said = headers.get("retry-after")?.to_str().ok()?;
    let seconds = said.trim().parse::<u32>().ok()?;
    Some(Duration::from_secs(seconds.into()).min(WAIT_MOST))
}
