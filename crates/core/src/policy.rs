//! How the numbers of a pool rotate: the global settings, and what a pool says otherwise.

use std::fmt;
use std::num::NonZeroU16;
use std::sync::LazyLock;

use jiff::tz::TimeZoneDatabase;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ladder::Ladder;
use crate::text::shown;
use crate::time::Timestamp;
use crate::window::Day;

/// The whole policy of a pool, nothing left open.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The rungs that may be tried.
    pub ladder: Ladder,
    /// Least rest between two uses of a number, counted from the use, in milliseconds.
    pub cooldown_ms: i64,
    /// How long an allocation holds its number when nobody releases it, in milliseconds.
    pub reservation_ms: i64,
    /// Most reservations of one number at the same time; 1 = exclusive.
    pub most_reservations: NonZeroU16,
    /// How long a destination keeps seeing the number it was last shown, in milliseconds; 0 = off.
    pub sticky_ms: i64,
    /// Where local midnight is, for daily limits.
    pub time_zone: TimeZone,
}

impl Default for Policy {
    /// The reference's defaults: 300 s reservation, 30 s cooldown, exclusive, not sticky, days in UTC, all rungs.
    fn default() -> Self {
        Self {
            ladder: Ladder::ALL,
            cooldown_ms: 30_000,
            reservation_ms: 300_000,
            most_reservations: NonZeroU16::MIN,
            sticky_ms: 0,
            time_zone: TimeZone::utc(),
        }
    }
}

/// What a pool says otherwise than the global settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyOverrides {
    /// See [`Policy::ladder`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ladder: Option<Ladder>,
    /// See [`Policy::cooldown_ms`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cooldown_ms: Option<i64>,
    /// See [`Policy::reservation_ms`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reservation_ms: Option<i64>,
    /// See [`Policy::most_reservations`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most_reservations: Option<NonZeroU16>,
    /// See [`Policy::sticky_ms`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sticky_ms: Option<i64>,
    /// See [`Policy::time_zone`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<TimeZone>,
}

impl PolicyOverrides {
    /// The pool's whole policy: its own word where it has one, else the global one.
    pub fn over(&self, global: &Policy) -> Policy {
        Policy {
            ladder: self.ladder.unwrap_or(global.ladder),
            cooldown_ms: self.cooldown_ms.unwrap_or(global.cooldown_ms),
            reservation_ms: self.reservation_ms.unwrap_or(global.reservation_ms),
            most_reservations: self.most_reservations.unwrap_or(global.most_reservations),
            sticky_ms: self.sticky_ms.unwrap_or(global.sticky_ms),
            time_zone: self
                .time_zone
                .clone()
                .unwrap_or_else(|| global.time_zone.clone()),
        }
    }
}

/// An IANA time zone, from the data built into the binary (never the machine's, which may be old).
#[derive(Clone, PartialEq, Eq)]
pub struct TimeZone(jiff::tz::TimeZone);

static BUNDLED: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

impl TimeZone {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self(jiff::tz::TimeZone::UTC)
    }

    /// The zone of that IANA name, in any case.
    ///
    /// # Errors
    /// Says what was given and what was expected.
    pub fn parse(name: &str) -> Result<Self, String> {
        BUNDLED.get(name.trim()).map(Self).map_err(|_| {
            format!("time zone `{name}` is unknown, expected an IANA name like America/New_York")
        })
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The local day that `now` is in: from its first instant to the next day's.
    pub fn day(&self, now: Timestamp) -> Day {
        self.local_day(now).unwrap_or_else(|| Day::utc(now))
    }

    /// The local date of `now`, as in `2026-11-22`.
    pub fn date_at(&self, now: Timestamp) -> Option<String> {
        let now = jiff::Timestamp::from_millisecond(now.as_ms()).ok()?;
        Some(now.to_zoned(self.0.clone()).date().to_string())
    }

    /// The local day of that date, as in `2026-11-22`.
    ///
    /// # Errors
    /// Says what was given and what was expected.
    pub fn date(&self, text: &str) -> Result<Day, String> {
        let is_date = |text: &&str| {
            // The parser would take an instant, too, and leave out its time.
            text.len() == "2026-11-22".len() && !text.contains(['T', 't', ':'])
        };
        let date = Some(text.trim()).filter(is_date);
        let date = date.and_then(|text| text.parse::<jiff::civil::Date>().ok());
        date.and_then(|date| self.day_of(date)).ok_or_else(|| {
            format!(
                "`{}` is not a date, expected one like 2026-11-22",
                shown(text)
            )
        })
    }

    /// The start of the local hour that `now` is in.
    pub fn hour(&self, now: Timestamp) -> Timestamp {
        const HOUR_MS: i64 = 3_600_000;
        let offset = self.offset_ms(now);
        let local = now.as_ms().saturating_add(offset);
        Timestamp::from_ms(now.as_ms() - local.rem_euclid(HOUR_MS))
    }

    /// Whether local hours are hours of UTC, all the time from `since` until `until`. Of what is to come, the next hundred
    /// years are looked at.
    pub fn has_whole_hours(&self, since: Timestamp, until: Timestamp) -> bool {
        const CHANGES_MOST: usize = 200;
        const HOUR_SECONDS: i32 = 3_600;
        let first =
            jiff::Timestamp::from_millisecond(since.as_ms()).unwrap_or(jiff::Timestamp::MIN);
        let last = jiff::Timestamp::from_millisecond(until.as_ms()).unwrap_or(jiff::Timestamp::MAX);
        let changes = self.0.following(first).take(CHANGES_MOST);
        let changes = changes.take_while(|change| change.timestamp() < last);
        let mut offsets = changes.map(|change| change.offset());
        let is_whole = |offset: jiff::tz::Offset| offset.seconds() % HOUR_SECONDS == 0;
        is_whole(self.0.to_offset(first)) && offsets.all(is_whole)
    }

    /// By how many milliseconds local time is ahead of UTC at `now`.
    pub fn offset_ms(&self, now: Timestamp) -> i64 {
        let now = jiff::Timestamp::from_millisecond(now.as_ms());
        now.map_or(0, |now| i64::from(self.0.to_offset(now).seconds()) * 1_000)
    }

    fn local_day(&self, now: Timestamp) -> Option<Day> {
        let local = jiff::Timestamp::from_millisecond(now.as_ms())
            .ok()?
            .to_zoned(self.0.clone());
        self.day_of(local.date())
    }

    fn day_of(&self, date: jiff::civil::Date) -> Option<Day> {
        let first_of = |date: jiff::civil::Date| {
            let first = date.to_zoned(self.0.clone()).ok()?;
            Some(Timestamp::from_ms(first.timestamp().as_millisecond()))
        };
        Some(Day {
            start: first_of(date)?,
            end: first_of(date.tomorrow().ok()?)?,
        })
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for TimeZone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for TimeZone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for TimeZone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(zone: &str, now: &str) -> (String, String) {
        let day = TimeZone::parse(zone)
            .expect("a zone")
            .day(now.parse().expect("an instant"));
        (day.start.to_string(), day.end.to_string())
    }

    fn span(start: &str, end: &str) -> (String, String) {
        (format!("{start}:00.000000Z"), format!("{end}:00.000000Z"))
    }

    #[test]
    fn hours_are_those_of_utc_where_the_zone_is_whole_hours_from_it() {
        let at = |text: &str| text.parse::<Timestamp>().expect("an instant");
        let (first, last) = (at("2026-01-01T00:00:00Z"), at("2026-12-31T00:00:00Z"));
        for (name, whole) in [
            ("UTC", true),
            ("America/Chicago", true),
            ("America/St_Johns", false),
            ("Asia/Kolkata", false),
            ("Asia/Kathmandu", false),
            ("Australia/Lord_Howe", false),
        ] {
            let zone = TimeZone::parse(name).expect("a zone");
            assert_eq!(zone.has_whole_hours(first, last), whole, "{name}");
            assert_eq!(zone.has_whole_hours(Timestamp::ZERO, Timestamp::MAX), whole);
        }
        let hour = |name: &str, now: &str| {
            let zone = TimeZone::parse(name).expect("a zone");
            zone.hour(at(now)).to_string()
        };
        assert_eq!(
            hour("UTC", "2026-11-22T12:59:59Z"),
            "2026-11-22T12:00:00.000000Z"
        );
        assert_eq!(
            hour("Asia/Kolkata", "2026-11-22T12:29:59Z"),
            "2026-11-22T11:30:00.000000Z"
        );
        assert_eq!(
            hour("Asia/Kathmandu", "2026-11-22T12:15:00Z"),
            "2026-11-22T12:15:00.000000Z"
        );
    }

    #[test]
    fn a_day_runs_from_local_midnight_to_local_midnight() {
        assert_eq!(
            day("UTC", "2026-07-04T23:59:59Z"),
            span("2026-07-04T00:00", "2026-07-05T00:00")
        );
        assert_eq!(
            day("America/New_York", "2026-07-04T03:59:59Z"),
            span("2026-07-03T04:00", "2026-07-04T04:00")
        );
        assert_eq!(
            day("Asia/Kolkata", "2026-07-04T18:30:00Z"),
            span("2026-07-04T18:30", "2026-07-05T18:30")
        );
    }

    #[test]
    fn days_of_the_clock_change_are_23_and_25_hours_long() {
        assert_eq!(
            day("America/Chicago", "2026-03-08T12:00:00Z"),
            span("2026-03-08T06:00", "2026-03-09T05:00")
        );
        assert_eq!(
            day("America/Chicago", "2026-11-01T12:00:00Z"),
            span("2026-11-01T05:00", "2026-11-02T06:00")
        );
    }

    #[test]
    fn a_date_is_its_local_day() {
        let date = |zone: &str, text: &str| {
            let day = TimeZone::parse(zone).expect("a zone").date(text)?;
            Ok::<_, String>((day.start.to_string(), day.end.to_string()))
        };
        assert_eq!(
            date("America/Chicago", " 2026-11-01 "),
            Ok(span("2026-11-01T05:00", "2026-11-02T06:00"))
        );
        assert_eq!(
            date("Pacific/Kiritimati", "2026-11-22"),
            Ok(span("2026-11-21T10:00", "2026-11-22T10:00"))
        );
        assert_eq!(
            date("UTC", "22.11.2026"),
            Err("`22.11.2026` is not a date, expected one like 2026-11-22".to_owned())
        );
        for none in [
            "9999-12-31",
            "2026-11-22T12:00:00",
            "20261122",
            "20261122T1",
            "",
        ] {
            assert!(date("UTC", none).is_err(), "{none}");
        }
    }

    #[test]
    fn an_instant_has_a_local_date() {
        let date = |zone: &str, now: &str| {
            let zone = TimeZone::parse(zone).expect("a zone");
            zone.date_at(now.parse().expect("an instant"))
        };
        let now = "2026-11-22T03:00:00Z";
        assert_eq!(date("UTC", now).as_deref(), Some("2026-11-22"));
        assert_eq!(date("America/Chicago", now).as_deref(), Some("2026-11-21"));
    }

    /// British Columbia keeps UTC-7 all the year from November 2026 (time zone data 2026b).
    #[test]
    fn the_bundled_data_is_2026b_or_newer() {
        assert_eq!(
            day("America/Vancouver", "2026-12-24T12:00:00Z"),
            span("2026-12-24T07:00", "2026-12-25T07:00")
        );
    }

    #[test]
    fn an_unknown_zone_is_named() {
        assert_eq!(
            TimeZone::parse("Mars/Base").map(|zone| zone.to_string()),
            Err(
                "time zone `Mars/Base` is unknown, expected an IANA name like America/New_York"
                    .to_owned()
            )
        );
    }

    #[test]
    fn a_pool_says_only_what_differs() {
        let global = Policy::default();
        let overrides = PolicyOverrides {
            cooldown_ms: Some(5),
            ..PolicyOverrides::default()
        };
        assert_eq!(
            overrides.over(&global),
            Policy {
                cooldown_ms: 5,
                ..global
            }
        );
        assert_eq!(
            serde_json::to_string(&overrides).expect("plain data"),
            r#"{"cooldown_ms":5}"#
        );
    }
}
