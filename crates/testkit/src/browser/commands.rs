//! Commands that WebDriver itself does not have.

use fantoccini::wd::WebDriverCompatibleCommand;
use serde_json::{Value, json};

/// The console of the page (ChromeDriver's own).
#[derive(Debug)]
pub(super) struct BrowserLog;

/// A command of Chromium's own.
#[derive(Debug)]
pub(super) struct Chromes {
    pub(super) command: &'static str,
    pub(super) parameters: Value,
}

fn of_session(base: &url::Url, session: Option<&str>, path: &str) -> url::Url {
    let session = session.expect("a session");
    let path = format!("session/{session}/{path}");
    base.join(&path).expect("a path")
}

impl WebDriverCompatibleCommand for BrowserLog {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        Ok(of_session(base, session, "se/log"))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (
            http::Method::POST,
            Some(json!({"type": "browser"}).to_string()),
        )
    }
}

impl WebDriverCompatibleCommand for Chromes {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        Ok(of_session(base, session, "goog/cdp/execute"))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        let body = json!({"cmd": self.command, "params": self.parameters});
        (http::Method::POST, Some(body.to_string()))
    }
}
