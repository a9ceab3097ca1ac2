//! Alerts: who is told of trouble, when not, and how often.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use axum::http::Uri;
use caller_id_core::{TimeZone, Timestamp};
use clap::Args;

use super::ConfigError;
use super::effective::HIDDEN;
use super::number::within;
use super::secret::Secret;

const MINUTES_OF_DAY: u16 = 1_440;
const MS_OF_MINUTE: i64 = 60_000;
/// A key of fewer characters could be guessed from one message.
const SECRET_LEAST: usize = 16;
const NOT_SET: &str = "(not set)";

/// Who is told of trouble.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Alerts")]
pub struct AlertConfig {
    /// Where alerts are posted as JSON, http:// or https://: an incoming webhook of Slack or Mattermost, or a program of your own
    /// (docs/alerts.md). Of it only the host is shown. None = nobody is told
    #[arg(long, value_name = "WEBHOOK")]
    pub alert_webhook_url: Option<WebhookUrl>,
    /// The key that alerts are signed with (HMAC-SHA256), 16 characters or more; none = they are not signed
    #[arg(long, value_name = "SECRET")]
    pub alert_webhook_secret: Option<Secret>,
    /// When only what is serious is told, in TIMEZONE, like `22:00-07:00`: the rest is told at its end, if it lasts. None = never
    #[arg(long, value_name = "HOURS")]
    pub alert_quiet_hours: Option<QuietHours>,
    /// What lasts is told again after so many minutes; 0 = told once
    #[arg(long, value_name = "MINUTES", default_value = "60", value_parser = repeat)]
    pub alert_repeat_minutes: u32,
}

impl AlertConfig {
    /// Checks what one setting alone cannot tell.
    ///
    /// # Errors
    /// [`ConfigError`] for a key that is too short, or a key without a receiver.
    pub fn check(&self) -> Result<(), ConfigError> {
        let Some(secret) = &self.alert_webhook_secret else {
            return Ok(());
        };
        if secret.reveal().chars().count() < SECRET_LEAST {
            let expected = format!("expected {SECRET_LEAST} characters or more");
            return Err(ConfigError::hidden("ALERT_WEBHOOK_SECRET", expected));
        }
        match self.alert_webhook_url {
            Some(_) => Ok(()),
            None => Err(ConfigError::new(
                "ALERT_WEBHOOK_URL",
                NOT_SET,
                "expected where alerts are posted, as ALERT_WEBHOOK_SECRET is set",
            )),
        }
    }

    /// After how many milliseconds what lasts is told again; none: never.
    pub fn repeat_ms(&self) -> Option<i64> {
        let minutes = i64::from(self.alert_repeat_minutes);
        (minutes > 0).then_some(minutes * MS_OF_MINUTE)
    }
}

fn repeat(text: &str) -> Result<u32, String> {
    match within::<0, 10_080>(text) {
        Ok(1..5) => Err("expected 0, or a whole number from 5 to 10080".to_owned()),
        read => read,
    }
}

/// Where alerts are posted. Neither `Debug` nor `Display` shows more than the host: the path of a webhook is its key.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl {
    text: String,
    shown: String,
    is_here: bool,
}

impl WebhookUrl {
    /// The whole URL. Whoever calls this answers for it not being logged or printed.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// Whether it is on this machine.
    pub fn is_here(&self) -> bool {
        self.is_here
    }

    /// A URL as it may be shown, whether it is one or not.
    pub fn masked(text: &str) -> String {
        text.parse::<Self>()
            .map_or_else(|_| HIDDEN.to_owned(), |url| url.shown)
    }
}

impl FromStr for WebhookUrl {
    type Err = &'static str;

    /// Strict: what one part of a program reads otherwise than another ends with a message at the wrong place.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str =
            "expected http:// or https:// with a host, like https://hooks.example.com/services/abc";
        const PORT: &str = "expected a port from 1 to 65535 behind the host";
        let text = text.trim();
        if text.contains(['#', '\\'])
            || text.chars().any(|it| it.is_whitespace() || it.is_control())
        {
            return Err("expected a URL without blanks, `#` and `\\`");
        }
        let uri: Uri = text.parse().map_err(|_| EXPECTED)?;
        let scheme = uri
            .scheme_str()
            .filter(|it| matches!(*it, "http" | "https"));
        let scheme = scheme.ok_or(EXPECTED)?;
        let authority = uri.authority().ok_or(EXPECTED)?.as_str();
        if authority.contains('@') {
            return Err(
                "expected a URL without user and password: the receiver knows us by the signature",
            );
        }
        let host = uri.host().unwrap_or_default();
        let is_ipv6 = host.starts_with('[');
        let bare = host.trim_matches(['[', ']']);
        let address = bare.parse::<IpAddr>();
        let is_name = |it: u8| it.is_ascii_alphanumeric() || b"-._".contains(&it);
        match is_ipv6 {
            true if !matches!(address, Ok(IpAddr::V6(_))) => return Err(EXPECTED),
            false if bare.is_empty() || !bare.bytes().all(is_name) => return Err(EXPECTED),
            _ => {}
        }
        match authority.strip_prefix(host) {
            Some("") => {}
            // A port that is none must not end as the port of the scheme.
            Some(port) => {
                let digits = port.strip_prefix(':').unwrap_or_default();
                let is_digits = digits.bytes().all(|it| it.is_ascii_digit());
                let port = digits
                    .parse::<u16>()
                    .ok()
                    .filter(|port| is_digits && *port > 0);
                port.ok_or(PORT)?;
            }
            None => return Err(EXPECTED),
        }
        let is_local = bare.eq_ignore_ascii_case("localhost");
        let path = if uri.path_and_query().is_none_or(|path| path.as_str() == "/") {
            "/"
        } else {
            "/(hidden)"
        };
        Ok(Self {
            shown: format!("{scheme}://{authority}{path}"),
            is_here: is_local || address.is_ok_and(|it| it.is_loopback()),
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// Some hours of each day, perhaps over midnight: minutes from the first until before the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    begins: u16,
    ends: u16,
}

impl QuietHours {
    /// Whether `now` is in them, by the clocks of `zone`.
    pub fn has(self, now: Timestamp, zone: &TimeZone) -> bool {
        let local = now.as_ms().saturating_add(zone.offset_ms(now));
        let minute = local
            .div_euclid(MS_OF_MINUTE)
            .rem_euclid(i64::from(MINUTES_OF_DAY));
        let (begins, ends) = (i64::from(self.begins), i64::from(self.ends));
        match begins < ends {
            true => (begins..ends).contains(&minute),
            false => minute >= begins || minute < ends,
        }
    }
}

impl FromStr for QuietHours {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected two times of the day that differ, like 22:00-07:00";
        let (begins, ends) = text.trim().split_once('-').ok_or(EXPECTED)?;
        let times = minute(begins).zip(minute(ends));
        let (begins, ends) = times
            .filter(|(begins, ends)| begins != ends)
            .ok_or(EXPECTED)?;
        Ok(Self { begins, ends })
    }
}

/// The minute of the day; 24:00 is midnight.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let two = |digits: &str| {
        let is_two = digits.len() == 2 && digits.bytes().all(|it| it.is_ascii_digit());
        is_two.then(|| digits.parse::<u16>().ok()).flatten()
    };
    let (hour, minute) = (two(hour)?, two(minute)?);
    let time = hour * 60 + minute;
    (minute < 60 && time <= MINUTES_OF_DAY).then_some(time % MINUTES_OF_DAY)
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { begins, ends } = self;
        let time = |at: &u16| format!("{:02}:{:02}", at / 60, at % 60);
        write!(f, "{}-{}", time(begins), time(ends))
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::serve_settings;

    use super::*;

    /// 2026-11-22T12:00:00Z.
    const NOON_MS: i64 = 1_795_348_800_000;

    fn said(pairs: &[(&str, &str)]) -> String {
        match serve_settings(pairs) {
            Ok(settings) => match settings.check() {
                Ok(()) => String::new(),
                Err(error) => error.to_string(),
            },
            Err(crate::cli::Stop::Config(error)) => error.to_string(),
            Err(crate::cli::Stop::Clap(error)) => panic!("{error}"),
        }
    }

    #[test]
    fn urls_that_could_be_read_in_two_ways_are_refused_by_name_and_never_shown() {
        for url in [
            "http://h.example:70000/sesame",
            "http://h.example:0/sesame",
            "http://h.example:/sesame",
            "http://h.example:8x/sesame",
            "http://h.example:+80/sesame",
            "http://:80/sesame",
            "http:///sesame",
            "https://ann:sesame@h.example/",
            "https://h.example@evil.example/sesame",
            "ftp://h.example/sesame",
            "HTTPS//h.example/sesame",
            "h.example/sesame",
            "http://h.example/a sesame",
            "http://h.example/#sesame",
            "http://h.example\\@evil.example/sesame",
            "http://[::1/sesame",
            "http://[h.example]/sesame",
            "http://h.example,evil.example/sesame",
            "unix:///run/sesame",
        ] {
            let told = said(&[("ALERT_WEBHOOK_URL", url)]);
            assert!(told.starts_with("ALERT_WEBHOOK_URL: "), "{url}: {told}");
            assert!(!told.contains("sesame"), "{told}");
        }
    }

    #[test]
    fn of_a_url_the_host_is_shown() {
        let shown = |text: &str| text.parse::<WebhookUrl>().map(|url| url.to_string());
        let of = |text: &str| Ok(text.to_owned());
        assert_eq!(
            shown(" https://hooks.example.com/services/T0/B0/sesame?x=1 "),
            of("https://hooks.example.com/(hidden)")
        );
        assert_eq!(shown("http://[::1]:65535"), of("http://[::1]:65535/"));
        assert_eq!(shown("http://a_b.example:1/"), of("http://a_b.example:1/"));
        assert_eq!(WebhookUrl::masked("nonsense"), HIDDEN);
        let here = |text: &str| text.parse::<WebhookUrl>().expect("a URL").is_here();
        assert!(here("http://[::1]:9") && here("http://LocalHost/x") && !here("http://10.0.0.1"));
    }

    #[test]
    fn a_key_is_long_and_has_somebody_to_tell() {
        let url = ("ALERT_WEBHOOK_URL", "https://h.example/x");
        let key = |key| ("ALERT_WEBHOOK_SECRET", key);
        assert_eq!(said(&[url]), "");
        assert_eq!(said(&[url, key("0123456789abcdef")]), "");
        let short = said(&[url, key("sesame789abcdef")]);
        assert!(
            short.starts_with("ALERT_WEBHOOK_SECRET: ") && !short.contains("sesame"),
            "{short}"
        );
        let alone = said(&[key("0123456789abcdef")]);
        assert!(alone.starts_with("ALERT_WEBHOOK_URL: "), "{alone}");
    }

    #[test]
    fn quiet_hours_go_over_midnight_and_follow_the_zone() {
        let quiet: QuietHours = "22:00-07:30".parse().expect("hours");
        assert_eq!(quiet.to_string(), "22:00-07:30");
        let at = |minutes: i64, zone: &str| {
            let zone = TimeZone::parse(zone).expect("a zone");
            quiet.has(Timestamp::from_ms(NOON_MS + minutes * MS_OF_MINUTE), &zone)
        };
        assert_eq!((at(599, "UTC"), at(600, "UTC")), (false, true));
        assert_eq!((at(-271, "UTC"), at(-270, "UTC")), (true, false));
        // Noon in UTC is seven in the morning of New York.
        assert_eq!(
            (at(0, "America/New_York"), at(30, "America/New_York")),
            (true, false)
        );
        let day: QuietHours = "00:00-24:00".parse().unwrap_or(quiet);
        assert_eq!(day, quiet, "a whole day is nothing to be quiet in");
        for wrong in [
            "22-7",
            "22:00",
            "22:00-22:00",
            "25:00-07:00",
            "22:60-07:00",
            "2:00-07:00",
            "-",
        ] {
            assert!(wrong.parse::<QuietHours>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_repeat_is_never_or_minutes_apart() {
        assert!(repeat("4").is_err() && repeat("10081").is_err());
        assert_eq!((repeat("0"), repeat("5")), (Ok(0), Ok(5)));
        let settings = serve_settings(&[("ALERT_REPEAT_MINUTES", "0")]).expect("settings");
        assert_eq!(settings.alerts.repeat_ms(), None);
    }
}
