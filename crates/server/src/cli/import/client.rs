//! One request to the service.

use std::time::Duration;

use anyhow::{Context, anyhow};
use serde::Deserialize;
use ureq::Agent;
use ureq::tls::TlsConfig;

use super::place::Place;
use crate::cli::url::Url;
use crate::config::secret::Secret;
use crate::rows::{self, BadRow, Options, Tally, WriteMode};

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// A chunk is written in a fraction of a second; a service this slow is down.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);
const ANSWER_BYTES_MOST: u64 = 16 * 1024 * 1024;

/// The service, as an admin asks it.
pub(super) struct Client {
    agent: Agent,
    url: Url,
    token: Secret,
}

/// What became of the rows of one request.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) tally: Tally,
    pub(super) errors: Vec<BadRow>,
    pub(super) new_pools: Vec<String>,
    /// Why not all rows were read.
    pub(super) failure: Option<anyhow::Error>,
}

#[derive(Deserialize)]
struct Body {
    #[serde(flatten)]
    tally: Tally,
    errors: Vec<BadRow>,
    /// An older service tells none.
    #[serde(default)]
    new_pools: Vec<String>,
}

/// What a problem says (RFC 9457): our own, or one of a proxy between.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Problem {
    detail: serde_json::Value,
    hint: Option<String>,
    #[serde(flatten)]
    tally: Option<Tally>,
}

impl Client {
    pub(super) fn new(place: Place) -> Self {
        let Place { url, key, roots } = place;
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_WITHIN))
            .timeout_global(Some(ANSWER_WITHIN))
            .user_agent(concat!("caller-id/", env!("CARGO_PKG_VERSION")));
        if url.is_loopback() {
            config = config.proxy(None);
        }
        if let Some(roots) = roots {
            config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
        }
        Self {
            agent: config.build().into(),
            url,
            token: key,
        }
    }

    /// Sends CSV to be imported.
    pub(super) fn import(&self, csv: &[u8], options: Options) -> Answer {
        self.ask(csv, options).unwrap_or_else(|error| Answer {
            failure: Some(error),
            ..Answer::default()
        })
    }

    fn ask(&self, csv: &[u8], options: Options) -> anyhow::Result<Answer> {
        let base = self.url.base();
        let mut response = self
            .agent
            .post(format!("{base}/api/v1/numbers/import"))
            .query(
                "on_duplicate",
                rows::on_duplicate_word(options.on_duplicate),
            )
            .query("dry_run", (options.mode == WriteMode::DryRun).to_string())
            .header("X-Admin-Token", self.token.reveal())
            .content_type("text/csv; charset=utf-8")
            .send(csv)
            .map_err(|error| self.unreachable(error))?;
        let status = response.status().as_u16();
        let text = response
            .body_mut()
            .with_config()
            .limit(ANSWER_BYTES_MOST)
            .read_to_string()
            .with_context(|| format!("the answer of {base} broke off"))?;
        match status {
            200 => {
                let body: Body = serde_json::from_str(&text)
                    .with_context(|| format!("{base} answers 200, but not as caller-id does"))?;
                Ok(Answer {
                    tally: body.tally,
                    errors: body.errors,
                    new_pools: body.new_pools,
                    failure: None,
                })
            }
            _ => Ok(self.refused(status, &text)),
        }
    }

    fn unreachable(&self, error: ureq::Error) -> anyhow::Error {
        let base = self.url.base();
        match error {
            ureq::Error::Timeout(_) => anyhow!(
                "{base} did not answer in time ({error}); what it wrote of the last {} rows is not known, run the import again to be sure",
                rows::NAMED_MOST
            ),
            error => anyhow!(
                "cannot reach {base}: {error}; is the service running there? (--mode db writes without it)"
            ),
        }
    }

    fn refused(&self, status: u16, text: &str) -> Answer {
        let base = self.url.base();
        let problem: Problem = serde_json::from_str(text).unwrap_or_default();
        let said = match &problem.detail {
            serde_json::Value::String(detail) => detail.clone(),
            serde_json::Value::Null => "no reason given".to_owned(),
            faults => faults
                .pointer("/0/msg")
                .and_then(|message| message.as_str())
                .map_or_else(|| faults.to_string(), str::to_owned),
        };
        let failure = match status {
            401 => anyhow!(
                "{base} refuses the admin token ({said}): give the one the service runs with, as --admin-token, CALLER_ID_KEY or \
                 ADMIN_TOKEN; \
                 one that it made itself is in the file `admin-token` beside its database"
            ),
            404 | 405 => anyhow!(
                "{base} has no import ({status}, {said}): is it a caller-id service (--api-url, CALLER_ID_URL)?"
            ),
            300..=399 => {
                anyhow!(
                    "{base} answers {status}, a redirect: give its final address as --api-url or CALLER_ID_URL"
                )
            }
            _ => anyhow!("{base} answers {status}: {said}"),
        };
        let failure = match problem.hint {
            Some(hint) => anyhow!("{failure} ({hint})"),
            None => failure,
        };
        Answer {
            tally: problem.tally.unwrap_or_default(),
            errors: Vec::new(),
            new_pools: Vec::new(),
            failure: Some(failure),
        }
    }
}
