//! The pages, in HTML: one style and one small script in them, nothing from elsewhere.

use std::fmt::Write;
use std::sync::LazyLock;

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY,
};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use caller_id_core::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::super::ApiError;
use super::super::error::Told;
use super::super::session::SignedIn;
use super::PROOF_FIELD;
use super::return_to::ReturnTo;

/// In the colours of the dashboard, whose style it does without: nobody is known yet, and nothing is loaded.
const STYLE: &str = include_str!("../../../assets/sign-in.css");
/// Fills in the token of a link.
const SCRIPT: &str = include_str!("../../../assets/sign-in.js");
const ICON: &str = include_str!("../../../assets/icon.svg");

/// What to give, for who has never been here.
const HINT: &str = "<p class=\"hint\" id=\"hint\">The admin token is ADMIN_TOKEN of the settings, or in the file admin-token beside the database.</p>";

/// The style and the script above and forms to us; nothing else is loaded, run, or shown inside other pages.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let [style, script] = [STYLE, SCRIPT].map(|text| STANDARD.encode(Sha256::digest(text)));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("a policy is plain text")
});

/// A page, until it is sent.
pub(super) struct Page {
    title: &'static str,
    body: String,
    told: Option<Told>,
    /// Why it is shown again: beside the field, where there is one.
    said: Option<String>,
    return_to: ReturnTo,
}

impl Page {
    /// Asks who it is.
    pub(super) fn ask(return_to: &ReturnTo) -> Self {
        Self::new("Sign in", return_to)
    }

    /// Says who it is.
    pub(super) fn signed_in(known: &SignedIn, return_to: &ReturnTo) -> Self {
        let mut page = Self::new("Signed in", return_to);
        let _ = write!(
            page.body,
            "<p>You are <strong>{}</strong>, role <strong>{}</strong>, until {}.</p>",
            escaped(&known.principal.author.name),
            known.principal.role,
            minute(known.session.expires_at),
        );
        let (place, words) = match *return_to == ReturnTo::default() {
            true => ("/dashboard", "To the dashboard"),
            false => (return_to.as_str(), "Go on"),
        };
        let place = escaped(place);
        let _ = write!(
            page.body,
            "<a class=\"button\" href=\"{place}\">{words}</a>"
        );
        let _ = write!(
            page.body,
            "<form method=\"post\" action=\"/sign-out\"><input type=\"hidden\" name=\"{PROOF_FIELD}\" value=\"{}\">\
             <button class=\"second\">Sign out</button></form>",
            known.secret.forgery_token()
        );
        page
    }

    /// Says why it did not work.
    pub(super) fn failed(error: &ApiError, return_to: &ReturnTo) -> Self {
        let mut page = Self::new("Sign in", return_to).because(error);
        let place = utf8_percent_encode(return_to.as_str(), NON_ALPHANUMERIC);
        let _ = write!(
            page.body,
            "<a class=\"button\" href=\"/sign-in?return_to={place}\">Try again</a>"
        );
        page
    }

    /// The same page, and why it is shown again.
    pub(super) fn because(mut self, error: &ApiError) -> Self {
        let told = error.told();
        self.said = Some(escaped(&told.text));
        self.told = Some(told);
        self
    }

    /// With the form; over `sso` where that host is the identity provider.
    pub(super) fn with_form(mut self, proof: &str, sso: Option<&str>) -> Self {
        if let Some(host) = sso {
            let place = utf8_percent_encode(self.return_to.as_str(), NON_ALPHANUMERIC);
            let _ = write!(
                self.body,
                "<a class=\"button\" href=\"/sign-in/sso?return_to={place}\" rel=\"nofollow\">Sign in over {}</a>\
                 <p class=\"or\">or</p>",
                escaped(host)
            );
        }
        let (marks, fault) = match self.said.take() {
            Some(said) => (
                " aria-invalid=\"true\" aria-describedby=\"fault\"",
                format!("<p class=\"error\" id=\"fault\" role=\"alert\">{said}</p>"),
            ),
            None => (" aria-describedby=\"hint\"", HINT.to_owned()),
        };
        let _ = write!(
            self.body,
            "<form method=\"post\" action=\"/sign-in\">\
             <label for=\"token\">Admin token or API key</label>\
             <input id=\"token\" name=\"token\" type=\"password\" autocomplete=\"current-password\" required autofocus{marks}>{fault}\
             <input type=\"hidden\" name=\"{PROOF_FIELD}\" value=\"{proof}\">\
             <input type=\"hidden\" name=\"return_to\" value=\"{}\">\
             <button>Sign in</button></form>",
            escaped(self.return_to.as_str())
        );
        self
    }

    fn new(title: &'static str, return_to: &ReturnTo) -> Self {
        Self {
            title,
            body: String::new(),
            told: None,
            said: None,
            return_to: return_to.clone(),
        }
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let Self { title, body, .. } = &self;
        let said = self.said.as_ref().map_or_else(String::new, |said| {
            format!("<p class=\"error\" role=\"alert\">{said}</p>")
        });
        let text = format!(
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title} · caller-id</title>\
             <style>{STYLE}</style></head><body><main><p class=\"brand\">{ICON}caller-id</p><h1>{title}</h1>{said}{body}</main><script>{SCRIPT}</script></body></html>"
        );
        let mut answer = match self.told {
            None => text.into_response(),
            Some(told) => (told.status, told.headers, text).into_response(),
        };
        let headers = answer.headers_mut();
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        headers.insert(CONTENT_TYPE, html);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(CONTENT_SECURITY_POLICY, POLICY.clone());
        // Without any referrer browsers would send forms with `Origin: null`, as if of a stranger.
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        answer
    }
}

/// An instant to the minute: there is no script here that knows the viewer's zone.
fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    let minute = text.get(..16).unwrap_or(&text);
    format!("{} UTC", minute.replace('T', " "))
}

/// A text, fit for a page or for an attribute between double quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_given_is_read_as_html() {
        assert_eq!(
            escaped("<a href=\"x\" on='y'>&"),
            "&lt;a href=&quot;x&quot; on=&#39;y&#39;&gt;&amp;"
        );
    }

    #[test]
    fn a_time_is_readable_without_a_script() {
        let at = Timestamp::from_ms(1_795_348_800_000);
        assert_eq!(minute(at), "2026-11-22 12:00 UTC");
    }

    #[test]
    fn the_policy_lets_the_style_and_the_script_in_and_no_other() {
        let policy = POLICY.to_str().expect("text");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
        assert!(policy.contains("; script-src 'sha256-"));
        assert!(!policy.contains("'self'; script") && !policy.contains("unsafe"));
    }
}
