//! JSON values as people write them: numbers of phones, instants of their own zone, counts in threes.

use caller_id_core::{Clock, PhoneNumber, SystemClock, Timestamp};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::digits::grouped;
use crate::direction;

/// How things are told on this machine.
pub(in crate::cli) struct Words {
    zone: TimeZone,
    now: Timestamp,
}

impl Words {
    /// In the time zone of this machine, as of now.
    pub(in crate::cli) fn here() -> Self {
        Self {
            zone: TimeZone::system(),
            now: SystemClock::new().now(),
        }
    }

    /// In UTC, for tests.
    #[cfg(test)]
    pub(in crate::cli) fn utc() -> Self {
        Self {
            zone: TimeZone::UTC,
            now: Timestamp::ZERO,
        }
    }

    /// The name of the zone, where it has one that others know.
    pub(in crate::cli) fn zone_name(&self) -> Option<&str> {
        self.zone.iana_name().filter(|name| name.contains('/'))
    }

    /// Text on one line, without anything that would steer a terminal; nothing for null.
    pub(in crate::cli) fn text(&self, value: &Value) -> String {
        match value {
            Value::Null => String::new(),
            Value::String(text) => plain(text),
            Value::Bool(true) => "yes".to_owned(),
            Value::Bool(false) => "no".to_owned(),
            other => plain(&other.to_string()),
        }
    }

    /// Texts with commas between them.
    pub(in crate::cli) fn list(&self, value: &Value) -> String {
        let values = value.as_array().map(Vec::as_slice).unwrap_or_default();
        let texts: Vec<String> = values.iter().map(|value| self.text(value)).collect();
        texts.join(", ")
    }

    /// A phone number: `312-555-0100`, and `+442079460958` outside the North American plan.
    pub(in crate::cli) fn number(&self, value: &Value) -> String {
        let text = self.text(value);
        let Some(digits) = text.strip_prefix("+1").filter(|it| it.len() == 10) else {
            return text;
        };
        match (digits.get(..3), digits.get(3..6), digits.get(6..)) {
            (Some(area), Some(office), Some(line)) => format!("{area}-{office}-{line}"),
            _ => text,
        }
    }

    /// A count: `1,234,567`.
    pub(in crate::cli) fn count(&self, value: &Value) -> String {
        value.as_u64().map_or_else(|| self.text(value), grouped)
    }

    /// An instant on the clocks of this machine: `2026-11-23 06:52:22 CST`.
    pub(in crate::cli) fn instant(&self, value: &Value) -> String {
        let at = value
            .as_str()
            .and_then(|text| text.parse::<jiff::Timestamp>().ok());
        at.map_or_else(
            || self.text(value),
            |at| {
                let at = at.to_zoned(self.zone.clone());
                at.strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
            },
        )
    }

    /// An instant that may be past: then it is `now`.
    pub(in crate::cli) fn since_now(&self, value: &Value) -> String {
        let at = value
            .as_str()
            .and_then(|text| text.parse::<Timestamp>().ok());
        match at {
            Some(at) if at <= self.now => "now".to_owned(),
            _ => self.instant(value),
        }
    }

    /// How many of how many: `3/50`; `3` without a limit.
    pub(in crate::cli) fn of(&self, used: &Value, limit: &Value) -> String {
        match (used.is_null(), limit.is_null()) {
            (true, true) => String::new(),
            (true, false) => format!("?/{}", self.count(limit)),
            (false, true) => self.count(used),
            (false, false) => format!("{}/{}", self.count(used), self.count(limit)),
        }
    }

    /// A share of 1: `35.0%`.
    pub(in crate::cli) fn share(&self, value: &Value) -> String {
        value
            .as_f64()
            .map_or_else(String::new, |share| format!("{:.1}%", share * 100.0))
    }

    /// Seconds: `2:05`, `1:02:05`.
    pub(in crate::cli) fn span(&self, value: &Value) -> String {
        let Some(seconds) = value.as_f64() else {
            return String::new();
        };
        let seconds = seconds.round() as u64;
        let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        match hours {
            0 => format!("{minutes}:{rest:02}"),
            hours => format!("{}:{minutes:02}:{rest:02}", grouped(hours)),
        }
    }

    /// The instant so many minutes from now, as the API takes it.
    pub(in crate::cli) fn in_minutes(&self, minutes: u32) -> String {
        self.now.plus_ms(i64::from(minutes) * 60_000).to_string()
    }

    /// An instant as the API takes it: one with its zone, or a date here, from its beginning.
    ///
    /// # Errors
    /// What is expected.
    pub(in crate::cli) fn asked(&self, text: &str) -> Result<String, String> {
        match date(text) {
            Some(date) => self.midnight(date),
            None => instant(text),
        }
    }

    /// The same; of a date, its end.
    ///
    /// # Errors
    /// As [`Words::asked`].
    pub(in crate::cli) fn asked_to_end(&self, text: &str) -> Result<String, String> {
        match date(text) {
            Some(date) => self.midnight(date.tomorrow().map_err(|error| error.to_string())?),
            None => instant(text),
        }
    }

    fn midnight(&self, date: Date) -> Result<String, String> {
        let at = date.to_zoned(self.zone.clone());
        let at = at.map_err(|error| error.to_string())?;
        Ok(at.timestamp().to_string())
    }
}

/// A date alone, without a time.
fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    let is_alone = text.len() == "2026-11-23".len();
    text.parse().ok().filter(|_| is_alone)
}

fn instant(text: &str) -> Result<String, String> {
    let at = text.trim().parse::<Timestamp>();
    at.map(|at| at.to_string())
        .map_err(|why| format!("{why}, or a date like 2026-11-22"))
}

/// Text on one line, without anything that would steer a terminal.
pub(in crate::cli) fn plain(text: &str) -> String {
    let steers = |character: char| {
        character.is_control()
            || direction::turns(character)
            || matches!(character, '\u{2028}' | '\u{2029}')
    };
    let shown = text
        .chars()
        .map(|it| if steers(it) { '\u{fffd}' } else { it });
    shown.collect()
}

/// A number as it was typed, in the form that paths take; told where it is none.
///
/// # Errors
/// What was given, and what is expected.
pub(in crate::cli) fn typed_number(text: &str) -> Result<String, String> {
    let parsed = PhoneNumber::parse(text);
    parsed
        .map(|number| number.to_string())
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn phone_numbers_are_told_as_people_write_them() {
        let words = Words::utc();
        for (given, told) in [
            ("+13125550100", "312-555-0100"),
            ("+442079460958", "+442079460958"),
            ("+1312555****", "312-555-****"),
            ("anonymous", "anonymous"),
        ] {
            assert_eq!(words.number(&json!(given)), told);
        }
    }

    #[test]
    fn instants_are_told_in_the_zone_of_the_machine() {
        let words = Words {
            zone: TimeZone::get("America/Chicago").unwrap(),
            now: "2026-11-23T12:00:00Z".parse().unwrap(),
        };
        let at = json!("2026-11-23T12:52:22.052000Z");
        assert_eq!(words.instant(&at), "2026-11-23 06:52:22 CST");
        assert_eq!(words.since_now(&at), "2026-11-23 06:52:22 CST");
        assert_eq!(words.since_now(&json!("2026-11-23T11:00:00Z")), "now");
        assert_eq!(words.asked("2026-11-23").unwrap(), "2026-11-23T06:00:00Z");
        let end = words.asked_to_end("2026-11-23");
        assert_eq!(end.unwrap(), "2026-11-24T06:00:00Z");
        assert!(words.asked("yesterday").is_err());
        assert_eq!(words.zone_name(), Some("America/Chicago"));
    }

    #[test]
    fn what_would_steer_a_terminal_is_not_written() {
        let words = Words::utc();
        let told = words.text(&json!("a\u{1b}[2Jb\nc\u{202e}d\u{61c}e\u{2028}"));
        assert_eq!(told, "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d\u{fffd}e\u{fffd}");
    }

    #[test]
    fn spans_and_shares_are_short() {
        let words = Words::utc();
        assert_eq!(words.span(&json!(125)), "2:05");
        assert_eq!(words.span(&json!(3_725.4)), "1:02:05");
        assert_eq!(words.share(&json!(0.35)), "35.0%");
        assert_eq!(words.of(&json!(3), &json!(50)), "3/50");
        assert_eq!(words.of(&json!(3), &Value::Null), "3");
    }
}
