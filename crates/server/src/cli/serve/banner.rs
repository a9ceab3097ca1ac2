//! What a service says of itself when it begins to answer.

use std::io::{Write, stdout};
use std::net::SocketAddr;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use tracing::Level;

use crate::app::engines;
use crate::app::stores;
use crate::auth::first_token::FirstToken;
use crate::config::Settings;
use crate::config::log::LogFormat;
use crate::telemetry::json_line;

/// What the person who started the service wants to know.
pub(super) struct Banner<'a> {
    pub(super) settings: &'a Settings,
    pub(super) address: SocketAddr,
    pub(super) agi: Option<SocketAddr>,
    pub(super) first_token: Option<&'a FirstToken>,
    pub(super) show_token: bool,
    /// Whether a person reads it, and nothing keeps it.
    pub(super) seen_once: bool,
}

impl Banner<'_> {
    /// Writes it to standard output: lines for people, or one object as the log has them.
    pub(super) fn print(&self) -> std::io::Result<()> {
        let mut out = stdout().lock();
        match self.settings.log.log_format {
            LogFormat::Text => {
                for line in self.lines() {
                    writeln!(out, "{line}")?;
                }
            }
            LogFormat::Json => {
                let line = json_line(Level::INFO, &self.listens(), self.fields());
                writeln!(out, "{line}")?;
            }
        }
        out.flush()
    }

    /// Its first line: the version, and where it listens.
    pub(super) fn listens(&self) -> String {
        let legacy = &self.settings.legacy;
        let (name, environment) = (&legacy.app_name, &legacy.environment);
        let version = env!("CARGO_PKG_VERSION");
        format!("{name} {version} ({environment}) listens on {}", self.url())
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn agi_url(&self) -> Option<String> {
        self.agi.map(|address| format!("agi://{address}"))
    }

    fn database(&self) -> Option<String> {
        stores::shown(&self.settings.storage).ok()
    }

    fn redis(&self) -> Option<String> {
        engines::redis_shown(&self.settings.cluster)
    }

    /// The token, where it is to be shown.
    fn token(&self) -> Option<&str> {
        let configured = self.settings.access.admin_token.as_ref();
        let token = self.first_token.map(|first| &first.token).or(configured);
        let new = self.first_token.is_some_and(|first| first.new);
        // What is no terminal is kept: a journal, the log of a container, a file.
        let seen_once = new && self.seen_once;
        let shown = token.filter(|_| seen_once || self.show_token);
        shown.map(|token| token.reveal())
    }

    /// A link that fills the token in: what stands behind `#` browsers send nowhere.
    fn sign_in(&self, token: &str) -> String {
        let token = utf8_percent_encode(token, NON_ALPHANUMERIC);
        format!("{}/sign-in#token={token}", self.url())
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.listens()];
        let named = |name, what: Option<String>| what.map(|what| format!("{name}: {what}"));
        lines.push(format!("Dashboard: {}/dashboard", self.url()));
        lines.extend(named("FastAGI", self.agi_url()));
        lines.extend(named("Database", self.database()));
        lines.extend(named("Redis", self.redis()));
        lines.extend(named("Admin token", self.token().map(str::to_owned)));
        lines.extend(named(
            "Sign in",
            self.token().map(|token| self.sign_in(token)),
        ));
        lines.push(match self.first_token {
            Some(first) => format!("The admin token is kept in {}", first.path.display()),
            None => "The admin token is the one of the settings".to_owned(),
        });
        if self.show_token || self.seen_once {
            let url = self.url();
            lines.push("Try it:".to_owned());
            lines.push(format!(
                "  curl '{url}/next-cid?to=13125550123&campaign=DEMO&agent=1001'"
            ));
        }
        lines
    }

    fn fields(&self) -> Map<String, Value> {
        let kept = self
            .first_token
            .map(|first| first.path.display().to_string());
        let fields = [
            ("url", Some(self.url())),
            ("agi", self.agi_url()),
            ("version", Some(env!("CARGO_PKG_VERSION").to_owned())),
            ("node", Some(self.settings.cluster.node_name())),
            ("database", self.database()),
            ("redis", self.redis()),
            ("admin_token", self.token().map(str::to_owned)),
            ("admin_token_file", kept),
        ];
        let fields = fields.into_iter();
        let there = fields.filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
        there.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::serve_settings;
    use crate::config::secret::Secret;

    #[test]
    fn a_token_is_shown_where_somebody_reads_it_once_or_asks_for_it() {
        let settings = serve_settings(&[("DATA_DIR", "/tmp")]).unwrap();
        let told = |new, seen_once, show_token| {
            let token = FirstToken {
                token: Secret::new("horse"),
                path: "/x/admin-token".into(),
                new,
            };
            let banner = Banner {
                settings: &settings,
                address: ([127, 0, 0, 1], 8000).into(),
                agi: None,
                first_token: Some(&token),
                show_token,
                seen_once,
            };
            let fields = Value::Object(banner.fields()).to_string();
            let shown = [banner.lines().join("\n"), fields].map(|text| text.contains("horse"));
            assert_eq!(shown[0], shown[1]);
            shown[0]
        };
        assert!(told(true, true, false));
        assert!(!told(true, false, false), "a journal keeps it");
        assert!(!told(false, true, false), "it was shown before");
        assert!(told(false, false, true));
    }
}
