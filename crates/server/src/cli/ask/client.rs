//! Requests to the service over HTTP, each with a deadline.

use std::io::Read;
use std::time::Duration;

use anyhow::{Context, anyhow};
use serde_json::Value;
use ureq::http::{Request, Response, request};
use ureq::tls::TlsConfig;
use ureq::{Agent, AsSendBody, Body};

use super::place::Place;
use super::problem::Refused;
use super::{Question, query};
use crate::cli::url::Url;
use crate::config::secret::Secret;

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// A page of a thousand rows has a hundredth of this.
const ANSWER_BYTES_MOST: u64 = 256 * 1024 * 1024;

/// What is done to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Method {
    /// It is read.
    Get,
    /// Something is done with it, or made.
    Post,
    /// It is made or replaced.
    Put,
    /// Some of it is changed.
    Patch,
    /// It is removed, ended or revoked.
    Delete,
}

impl Method {
    const fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What must be so, or nothing is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum Condition {
    /// It is what was seen, with this tag.
    Seen(String),
    /// There is nothing yet.
    Nothing,
}

/// What a success says.
#[derive(Debug)]
pub(in crate::cli) struct Answer {
    /// The status of HTTP: 200 to 299.
    pub(in crate::cli) status: u16,
    /// What was seen, for a later [`Condition::Seen`].
    pub(in crate::cli) tag: Option<String>,
    /// The JSON as it came.
    pub(in crate::cli) text: String,
    /// The same, read.
    pub(in crate::cli) value: Value,
}

/// A service, and the key that opens it.
pub(super) struct Client {
    agent: Agent,
    streams: Agent,
    url: Url,
    key: Secret,
    timeout_s: u64,
}

impl Client {
    /// Asks `place`, and waits so many seconds for an answer.
    pub(super) fn new(place: Place, timeout_s: u64) -> Self {
        let patience = Duration::from_secs(timeout_s);
        let config = || {
            let mut config = Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .timeout_connect(Some(CONNECT_WITHIN.min(patience)))
                .user_agent(concat!("caller-id/", env!("CARGO_PKG_VERSION")));
            if place.url.is_loopback() {
                config = config.proxy(None);
            }
            if let Some(roots) = &place.roots {
                config = config.tls_config(TlsConfig::builder().root_certs(roots.clone()).build());
            }
            config
        };
        let streams = config()
            .timeout_per_read(Some(patience))
            .timeout_per_write(Some(patience));
        Self {
            agent: config().timeout_global(Some(patience)).build().into(),
            streams: streams.build().into(),
            url: place.url,
            key: place.key,
            timeout_s,
        }
    }

    pub(super) fn base(&self) -> &str {
        self.url.base()
    }

    /// Asks, and reads the whole answer.
    ///
    /// # Errors
    /// [`Refused`]; whatever keeps an answer from coming.
    pub(super) fn ask(&self, question: &Question) -> anyhow::Result<Answer> {
        let mut head = self.head(question.method, &question.path, &question.query);
        match &question.condition {
            Some(Condition::Seen(tag)) => head = head.header("If-Match", tag),
            Some(Condition::Nothing) => head = head.header("If-None-Match", "*"),
            None => {}
        }
        let said = match (&question.body, question.method) {
            (Some(body), Method::Patch) => {
                head = head.header("Content-Type", "application/merge-patch+json");
                Some(body.to_string())
            }
            (Some(body), _) => {
                head = head.header("Content-Type", "application/json");
                Some(body.to_string())
            }
            (None, Method::Post) => Some(String::new()),
            (None, _) => None,
        };
        let changes = question.method != Method::Get;
        let response = match said {
            Some(text) => self.run(&self.agent, head, text, changes),
            None => self.run(&self.agent, head, (), changes),
        };
        self.answer(response?, changes)
    }

    /// Begins to read a file. Nothing may come for as long as an answer may take.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub(super) fn download(
        &self,
        path: &str,
        query: &query::Pairs,
    ) -> anyhow::Result<impl Read + use<>> {
        let head = self.head(Method::Get, path, query);
        let response = self.run(&self.streams, head, (), false)?;
        if !response.status().is_success() {
            return Err(self.refused(response));
        }
        Ok(response.into_body().into_reader())
    }

    /// Sends a file, and reads the answer.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub(super) fn upload(
        &self,
        path: &str,
        query: &query::Pairs,
        (media_type, file): (&str, impl Read + 'static),
    ) -> anyhow::Result<Answer> {
        let head = self.head(Method::Post, path, query);
        let head = head.header("Content-Type", media_type);
        // Who may not send it is told so before a long file is on its way.
        let head = head.header("Expect", "100-continue");
        let body = ureq::SendBody::from_owned_reader(file);
        self.answer(self.run(&self.streams, head, body, true)?, true)
    }

    fn head(&self, method: Method, path: &str, query: &query::Pairs) -> request::Builder {
        let url = format!("{}{path}{}", self.url.base(), query::string(query));
        Request::builder()
            .method(method.word())
            .uri(url)
            .header("Accept", "application/json, */*;q=0.5")
            .header("Authorization", format!("Bearer {}", self.key.reveal()))
    }

    fn run(
        &self,
        agent: &Agent,
        head: request::Builder,
        body: impl AsSendBody,
        changes: bool,
    ) -> anyhow::Result<Response<Body>> {
        let request = head.body(body).context("this cannot be asked")?;
        let asked = agent.run(request);
        asked.map_err(|error| self.unreachable(error, changes))
    }

    fn answer(&self, mut response: Response<Body>, changes: bool) -> anyhow::Result<Answer> {
        let status = response.status();
        if !status.is_success() {
            return Err(self.refused(response));
        }
        let tag = response.headers().get("etag");
        let tag = tag.and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let body = response.body_mut().with_config().limit(ANSWER_BYTES_MOST);
        let text = body.read_to_string().map_err(|error| match error {
            ureq::Error::Timeout(_) => self.unreachable(error, changes),
            error => anyhow!("the answer of {} broke off: {error}", self.base()),
        })?;
        let value = serde_json::from_str(&text);
        let value = value.with_context(|| {
            format!(
                "{} answers {}, but not as caller-id does: is it one?",
                self.base(),
                status.as_u16()
            )
        })?;
        Ok(Answer {
            status: status.as_u16(),
            tag,
            text,
            value,
        })
    }

    fn refused(&self, mut response: Response<Body>) -> anyhow::Error {
        let wait = response.headers().get("retry-after");
        let wait = wait.and_then(|wait| wait.to_str().ok()).map(str::to_owned);
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(ANSWER_BYTES_MOST);
        // Without its reason it is refused all the same.
        let text = body.read_to_string().unwrap_or_default();
        Refused::read(self.base(), status, &text, wait.as_deref()).into()
    }

    fn unreachable(&self, error: ureq::Error, changes: bool) -> anyhow::Error {
        let base = self.base();
        match error {
            ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => anyhow!(
                "cannot reach {base}: nobody answers; is the service running there? CALLER_ID_URL says where to ask"
            ),
            ureq::Error::Timeout(_) if changes => anyhow!(
                "{base} did not answer in {} s: the change may have been made all the same, so look before you repeat it",
                self.timeout_s
            ),
            ureq::Error::Timeout(_) => anyhow!(
                "{base} did not answer in {} s (--timeout waits longer)",
                self.timeout_s
            ),
            error => {
                let why = error.to_string();
                let why = why.trim_start_matches("io: ");
                match why.contains("certificate") {
                    true => anyhow!(
                        "cannot trust {base}: {why}; --ca-file names the certificates of your own authority"
                    ),
                    false => anyhow!(
                        "cannot reach {base}: {why}; is the service running there? CALLER_ID_URL says where to ask"
                    ),
                }
            }
        }
    }
}
