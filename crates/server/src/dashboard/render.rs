//! Turns templates and what the API said into HTML.

mod filters;

use std::sync::LazyLock;

use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderValue, REFERRER_POLICY,
};
use axum::response::{IntoResponse, Response};
use minijinja::{Environment, Value as Shown, context};
use serde_json::Value;

use super::assets;
use super::failure::Failure;
use super::visit::Visit;
use crate::direction;

/// Our own files and nothing else: no script or style stands in a page, so nothing that anybody wrote can be one.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Every template by its name.
macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../templates/", $name)))),*]
    };
}

pub(super) const TEMPLATES: &[(&str, &str)] = templates![
    "audit/list.html",
    "base.html",
    "campaigns/days.html",
    "campaigns/list.html",
    "campaigns/show.html",
    "coverage/carriers.html",
    "coverage/map.html",
    "coverage/page.html",
    "coverage/table.html",
    "explain/ladder.html",
    "explain/page.html",
    "failure.html",
    "history/call.html",
    "history/list.html",
    "history/parts.html",
    "import/form.html",
    "import/job.html",
    "import/progress.html",
    "jobs/list.html",
    "keys/list.html",
    "keys/made.html",
    "keys/new.html",
    "lookup/show.html",
    "macros.html",
    "numbers/bulk.html",
    "numbers/job.html",
    "numbers/list.html",
    "numbers/macros.html",
    "numbers/new.html",
    "numbers/one.html",
    "numbers/one/calls.html",
    "numbers/one/changes.html",
    "numbers/one/edit.html",
    "numbers/one/state.html",
    "numbers/progress.html",
    "overview.html",
    "overview/attention.html",
    "overview/campaigns.html",
    "overview/first_steps.html",
    "overview/pools.html",
    "overview/pulse.html",
    "overview/requests.html",
    "overview/rungs.html",
    "overview/tiles.html",
    "pools/bar.html",
    "pools/fields.html",
    "pools/list.html",
    "pools/live.html",
    "pools/new.html",
    "pools/now.html",
    "pools/pages.html",
    "pools/show.html",
    "requests/list.html",
    "reservations/list.html",
    "settings/list.html",
];

static ALL: LazyLock<Templates> = LazyLock::new(Templates::new);

/// All templates, read once.
pub(super) fn templates() -> &'static Templates {
    &ALL
}

/// The templates.
pub(super) struct Templates(Environment<'static>);

impl Templates {
    /// All of them, read.
    pub(super) fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(minijinja::UndefinedBehavior::Chainable);
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        filters::add(&mut environment);
        // Letters, digits, points and slashes alone: nothing to escape.
        let asset = |name: &str| Shown::from_safe_string(assets::url(name));
        environment.add_function("asset", asset);
        for (name, text) in TEMPLATES {
            environment
                .add_template(name, text)
                .expect("each template is read by a test");
        }
        Self(environment)
    }

    /// A page. Where htmx asks it takes the part that it wants.
    ///
    /// # Errors
    /// A template that does not fit what it is given: a fault of ours.
    pub(super) fn page(
        &self,
        visit: &Visit,
        name: &str,
        shown: Shown,
    ) -> Result<Response, Failure> {
        let whole =
            context! { me => &visit.me, path => visit.uri.path(), query => visit.query(), ..shown };
        Ok(html(self.fragment(name, whole)?))
    }

    /// A template alone. Names in it turn no text round.
    ///
    /// # Errors
    /// As [`Templates::page`].
    pub(super) fn fragment(&self, name: &str, shown: Shown) -> Result<String, Failure> {
        let html = self.0.get_template(name)?.render(shown)?;
        Ok(direction::in_html(html))
    }
}

/// HTML, as an answer that browsers keep for nobody else.
///
/// It is never compressed. A page holds what proves that a form is ours, and numbers that were called, beside words that stood
/// in its address: whoever can have somebody's browser open addresses and sees how long the answers are could guess the one
/// by the other, letter by letter, if equal text made them shorter (BREACH). A page of 100 lines is 60 KB as it is; the files
/// that it loads hold nothing of anybody's, and are compressed.
pub(super) fn html(text: String) -> Response {
    let mut answer = text.into_response();
    let headers = answer.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(CONTENT_TYPE, html);
    protect(headers);
    answer
}

/// What every page says to browsers.
pub(super) fn protect(headers: &mut HeaderMap) {
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(CONTENT_SECURITY_POLICY, POLICY);
    set(CACHE_CONTROL, "no-store");
    // Without any referrer browsers would send forms with `Origin: null`, as if of a stranger.
    set(REFERRER_POLICY, "same-origin");
}

/// A page that says why there is none.
pub(super) fn failure(status: StatusCode, text: &str) -> String {
    let title = status.canonical_reason().unwrap_or("Error");
    let shown = context! { status => status.as_u16(), title, text, me => Value::Null, path => "" };
    let page = templates().fragment("failure.html", shown);
    page.unwrap_or_else(|_| "Something broke.".to_owned())
}

/// A line above the page.
pub(super) fn message(text: &str) -> String {
    let text = minijinja::HtmlEscape(text);
    direction::in_html(format!(
        "<p class=\"message bad\" role=\"alert\">{text}</p>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_can_be_read() {
        let templates = Templates::new();
        for (name, _) in TEMPLATES {
            assert!(templates.0.get_template(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn nothing_that_was_given_is_read_as_html() {
        let text = "<script>alert('1')</script>\"";
        assert!(!message(text).contains("<script>"));
        let page = failure(StatusCode::NOT_FOUND, text);
        assert!(
            !page.contains("<script>alert") && page.contains("&lt;script&gt;"),
            "{page}"
        );
    }
}
