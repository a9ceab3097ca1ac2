//! Where a service listens, for the commands that ask one.

use std::net::IpAddr;

use ureq::http::Uri;

/// What is expected where a URL is none.
const EXPECTED: &str = "expected one like http://127.0.0.1:8000";

/// The address of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Url {
    base: String,
    host: String,
    is_plain: bool,
}

impl Url {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong with it, and what is expected: the rest of a sentence that begins with its name and `text`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let base = text.trim().trim_end_matches('/').to_owned();
        let uri: Uri = base.parse().map_err(|_| format!("is no URL, {EXPECTED}"))?;
        let is_plain = match uri.scheme_str() {
            Some("http") => true,
            Some("https") => false,
            _ => {
                return Err(format!(
                    "begins with neither http:// nor https://, {EXPECTED}"
                ));
            }
        };
        if uri.query().is_some() {
            return Err(format!("has a query, {EXPECTED}"));
        }
        if uri.authority().is_some_and(|it| it.as_str().contains('@')) {
            return Err(format!("has a name or password in it, {EXPECTED}"));
        }
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        if host.is_empty() {
            return Err(format!("names no host, {EXPECTED}"));
        }
        Ok(Self {
            host: host.to_owned(),
            base,
            is_plain,
        })
    }

    /// The whole of it, without a slash at the end.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Whether the service is on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        let address = self.host.parse::<IpAddr>();
        self.host.eq_ignore_ascii_case("localhost")
            || address.is_ok_and(|address| address.is_loopback())
    }

    /// Whether a token or key would cross a network that can read it.
    pub(super) fn shows_the_token(&self) -> bool {
        self.is_plain && !self.is_loopback()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_known_by_name_and_by_address() {
        for text in [
            "http://127.0.0.1:8000",
            "http://localhost/",
            "http://[::1]:8000",
        ] {
            assert!(Url::parse(text).unwrap().is_loopback(), "{text}");
        }
        let url = Url::parse("http://dialer.example:8000").unwrap();
        assert!(!url.is_loopback() && url.shows_the_token());
        assert!(
            !Url::parse("https://dialer.example")
                .unwrap()
                .shows_the_token()
        );
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for text in [
            "127.0.0.1:8000",
            "ftp://x",
            "",
            "http://",
            "http://x/?a=b",
            "https://me:secret@x",
        ] {
            let why = Url::parse(text).unwrap_err();
            assert!(why.contains("expected one like"), "{text}: {why}");
        }
    }
}
