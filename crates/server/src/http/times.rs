//! Spans of time as people ask for them: `since`, `until` and `time_zone`.

use caller_id_core::{TimeZone, Timestamp};

use super::page::Parameters;

/// The names of the parameters.
pub const SINCE: &str = "since";
/// See [`SINCE`].
pub const UNTIL: &str = "until";
/// See [`SINCE`].
pub const TIME_ZONE: &str = "time_zone";

/// A span of time, as far as it was given.
#[derive(Debug, Clone)]
pub struct Times {
    /// Where dates begin; UTC when nothing is said.
    pub zone: TimeZone,
    /// From this instant on.
    pub since: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
}

/// Which end of a span a date stands for.
#[derive(Clone, Copy)]
enum End {
    First,
    Last,
}

impl Times {
    /// Reads the span: instants, or dates, which count whole. What cannot be understood is noted.
    pub fn read(parameters: &mut Parameters<'_>) -> Self {
        let zone = parameters.one(TIME_ZONE, TimeZone::parse);
        let zone = zone.unwrap_or_else(TimeZone::utc);
        let since = parameters.one(SINCE, |text| instant(text, &zone, End::First));
        let until = parameters.one(UNTIL, |text| instant(text, &zone, End::Last));
        if since.zip(until).is_some_and(|(since, until)| since > until) {
            parameters.fault(UNTIL, "until: expected no earlier than since".to_owned());
        }
        Self { zone, since, until }
    }
}

/// Nothing was before the epoch.
fn instant(text: &str, zone: &TimeZone, end: End) -> Result<Timestamp, String> {
    let text = text.trim();
    let at = match (zone.date(text), end) {
        (Ok(day), End::First) => day.start,
        (Ok(day), End::Last) => day.end,
        (Err(_), _) => text
            .parse::<Timestamp>()
            .map_err(|error| format!("{error}, or a date like 2026-11-22"))?,
    };
    Ok(at.max(Timestamp::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<[Option<String>; 2], super::super::ApiError> {
        let mut parameters = Parameters::new(Some(query), &[SINCE, UNTIL, TIME_ZONE]);
        let times = Times::read(&mut parameters);
        parameters.finish()?;
        Ok([times.since, times.until].map(|at| at.map(|at| at.to_string())))
    }

    #[test]
    fn a_date_counts_whole_in_its_zone() {
        let span =
            |since: &str, until: &str| [since, until].map(|at| Some(format!("{at}:00.000000Z")));
        assert_eq!(
            read("since=2026-11-22&until=2026-11-22").ok(),
            Some(span("2026-11-22T00:00", "2026-11-23T00:00"))
        );
        assert_eq!(
            read("since=2026-11-01&until=2026-11-01&time_zone=America/Chicago").ok(),
            Some(span("2026-11-01T05:00", "2026-11-02T06:00"))
        );
        assert_eq!(
            read("since=2026-11-22T12:00:00%2B01:00").ok(),
            Some([Some("2026-11-22T11:00:00.000000Z".to_owned()), None])
        );
        assert_eq!(
            read("since=0001-01-01").ok().map(|[since, _]| since),
            Some(Some("1970-01-01T00:00:00.000000Z".to_owned()))
        );
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for query in [
            "since=yesterday",
            "since=2026-11-22T12:00:00",
            "until=2026-13-01",
            "time_zone=Mars/Base",
            "since=2026-11-23&until=2026-11-21",
        ] {
            assert!(read(query).is_err(), "{query}");
        }
    }
}
