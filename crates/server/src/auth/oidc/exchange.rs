//! Asks a provider, over HTTP, and waits for the answer: for threads that may wait.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::http::Response;
use ureq::{Agent, Body};

use super::super::claims::Claims;
use super::super::jwks::{KeySet, ProviderUrl};
use super::discovery::{Discovery, PATH};
use super::{Failure, Registration};
use crate::config::secret::Secret;

/// No answer that is used here is longer.
const ANSWER_BYTES_MOST: u64 = 256 * 1024;
const JSON: &str = "application/json";

/// Who asks, and as whom.
pub(super) struct Asker {
    issuer: ProviderUrl,
    client: String,
    secret: Option<Secret>,
    redirect: String,
}

/// What a code is exchanged for.
#[derive(Deserialize)]
pub(super) struct Tokens {
    /// Who signed in.
    pub(super) id_token: String,
    /// What opens the provider's userinfo.
    pub(super) access_token: Option<String>,
}

/// RFC 6749, 5.2.
#[derive(Deserialize)]
struct Complaint {
    error: String,
    error_description: Option<String>,
}

impl Asker {
    pub(super) fn new(registration: &Registration) -> Self {
        Self {
            issuer: registration.issuer.clone(),
            client: registration.client.clone(),
            secret: registration.secret.clone(),
            redirect: registration.redirect.clone(),
        }
    }

    /// What the provider says of itself.
    pub(super) fn discovery(&self) -> Result<Discovery, Failure> {
        let issuer = self.issuer.as_str();
        let url = format!("{}{PATH}", issuer.trim_end_matches('/'));
        let answer = self
            .issuer
            .strict_agent()
            .get(url)
            .header("accept", JSON)
            .call();
        let text = good(&self.issuer, PATH, answer)?;
        Discovery::parse(&text, issuer).map_err(|why| away(&self.issuer, PATH, &why))
    }

    /// The keys that it signs with.
    pub(super) fn keys(&self, url: &ProviderUrl) -> Result<KeySet, Failure> {
        let answer = get(url, None);
        let text = good(url, "jwks_uri", answer)?;
        KeySet::parse(&text).map_err(|why| away(url, "jwks_uri", &why))
    }

    /// What it says of the person whose token that is.
    pub(super) fn userinfo(&self, url: &ProviderUrl, token: &str) -> Result<Claims, Failure> {
        let answer = get(url, Some(token));
        read(
            url,
            "userinfo_endpoint",
            &good(url, "userinfo_endpoint", answer)?,
        )
    }

    /// Exchanges a code. The provider gives nothing for one that was exchanged before, or was got with another verifier.
    pub(super) fn tokens(
        &self,
        discovery: &Discovery,
        code: &str,
        verifier: &str,
    ) -> Result<Tokens, Failure> {
        const WHAT: &str = "token_endpoint";
        let url = &discovery.token;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect),
            ("code_verifier", verifier),
        ];
        let mut request = agent(url).post(url.as_str()).header("accept", JSON);
        match &self.secret {
            None => form.push(("client_id", &self.client)),
            Some(secret) if discovery.secret_in_body => {
                form.extend([
                    ("client_id", &*self.client),
                    ("client_secret", secret.reveal()),
                ]);
            }
            Some(secret) => {
                request = request.header("authorization", basic(&self.client, secret));
            }
        }
        let (status, text) = whole(url, WHAT, request.send_form(form))?;
        match status {
            200 => read(url, WHAT, &text),
            400..500 => Err(complaint(url, status, &text)),
            _ => Err(away(url, WHAT, &answered(status))),
        }
    }
}

/// RFC 6749, 2.3.1: both halves are encoded before they are put together.
fn basic(client: &str, secret: &Secret) -> String {
    let client = utf8_percent_encode(client, NON_ALPHANUMERIC);
    let secret = utf8_percent_encode(secret.reveal(), NON_ALPHANUMERIC);
    format!("Basic {}", STANDARD.encode(format!("{client}:{secret}")))
}

/// What the provider says against us, or against the code.
fn complaint(url: &ProviderUrl, status: u16, text: &str) -> Failure {
    let Ok(complaint) = serde_json::from_str::<Complaint>(text) else {
        return away(url, "token_endpoint", &answered(status));
    };
    let shown = caller_id_core::text::shown;
    let more = complaint.error_description.map(|more| shown(&more));
    let said = format!("{}: {}", shown(&complaint.error), more.unwrap_or_default());
    match complaint.error.as_str() {
        "invalid_client" | "unauthorized_client" => away(
            url,
            "token_endpoint",
            &format!("it does not take OIDC_CLIENT_ID and OIDC_CLIENT_SECRET ({said})"),
        ),
        _ => Failure::Refused(format!("the provider does not take the code ({said})")),
    }
}

fn agent(url: &ProviderUrl) -> Agent {
    url.strict_agent()
}

fn get(url: &ProviderUrl, token: Option<&str>) -> Result<Response<Body>, ureq::Error> {
    let mut request = agent(url).get(url.as_str()).header("accept", JSON);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.call()
}

/// The text of an answer with status 200.
fn good(
    url: &ProviderUrl,
    what: &str,
    answer: Result<Response<Body>, ureq::Error>,
) -> Result<String, Failure> {
    match whole(url, what, answer)? {
        (200, text) => Ok(text),
        (status, _) => Err(away(url, what, &answered(status))),
    }
}

fn whole(
    url: &ProviderUrl,
    what: &str,
    answer: Result<Response<Body>, ureq::Error>,
) -> Result<(u16, String), Failure> {
    let broken = |error: ureq::Error| away(url, what, &error.to_string());
    let mut answer = answer.map_err(broken)?;
    let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MOST);
    let text = body.read_to_string().map_err(broken)?;
    Ok((answer.status().as_u16(), text))
}

fn read<T: DeserializeOwned>(url: &ProviderUrl, what: &str, text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| {
        // Where it breaks, and nothing of what it says: there are tokens in it.
        let why = format!("its answer cannot be read (column {})", error.column());
        away(url, what, &why)
    })
}

fn answered(status: u16) -> String {
    format!("it answers {status}, expected 200")
}

fn away(url: &ProviderUrl, what: &str, why: &str) -> Failure {
    Failure::Away(format!("{what} at {url}: {why}"))
}
