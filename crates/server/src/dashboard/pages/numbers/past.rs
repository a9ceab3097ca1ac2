//! What a number did, as charts and sums.

use caller_id_core::Timestamp;
use serde_json::{Value, json};

use crate::dashboard::pages::campaigns::days::reported;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The steps of a chart over time.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// Whole hours.
    Hour,
    /// Whole days in UTC.
    Day,
}

impl Step {
    const fn ms(self) -> i64 {
        match self {
            Self::Hour => HOUR_MS,
            Self::Day => DAY_MS,
        }
    }
}

/// From when on to count, so that `steps` whole steps end with the one that `now` is in.
pub(super) fn since(now: Timestamp, steps: i64, step: Step) -> Timestamp {
    let begun = now.as_ms() - now.as_ms().rem_euclid(step.ms());
    Timestamp::from_ms((begun - (steps - 1) * step.ms()).max(0))
}

/// One value for each step from `since` up to `now`: what `stats` says of it, 0 where there were no calls.
pub(super) fn series(
    stats: &Value,
    name: &str,
    (since, now): (Timestamp, Timestamp),
    step: Step,
) -> Vec<u64> {
    let steps = now.ms_since(since) / step.ms() + 1;
    let mut values = vec![0; usize::try_from(steps).unwrap_or_default()];
    for row in stats["rows"].as_array().into_iter().flatten() {
        let from = row["from"].as_str().and_then(|text| text.parse().ok());
        let Some(from): Option<Timestamp> = from else {
            continue;
        };
        let place = usize::try_from(from.ms_since(since) / step.ms()).unwrap_or_default();
        if let Some(value) = values.get_mut(place) {
            *value += row[name].as_u64().unwrap_or_default();
        }
    }
    values
}

/// A chart of the last hours: calls, and how many there may be.
pub(super) fn day(stats: &Value, limit: &Value, span: (Timestamp, Timestamp)) -> Value {
    let calls = series(stats, "calls", span, Step::Hour);
    let steps = calls.len();
    let mut lines = calls_and_answered(calls, series(stats, "answered", span, Step::Hour));
    if let Some(limit) = limit.as_u64() {
        let values = vec![limit; steps];
        lines.push(json!({"name": "most in an hour", "colour": "--warn", "limit": true, "note": limit, "values": values}));
    }
    chart(span.0, Step::Hour, &lines)
}

/// A chart of the last days: calls and how many of them were answered.
pub(super) fn month(stats: &Value, span: (Timestamp, Timestamp)) -> Value {
    let calls = series(stats, "calls", span, Step::Day);
    let answered = series(stats, "answered", span, Step::Day);
    let taken: u64 = answered.iter().sum();
    let rows = stats["rows"].as_array().into_iter().flatten();
    let reported: u64 = rows.map(reported).sum();
    let seconds: u64 = series(stats, "answered_seconds", span, Step::Day)
        .iter()
        .sum();
    let each = |sum: u64, count: u64| (count > 0).then(|| sum as f64 / count as f64);
    let chart = chart(span.0, Step::Day, &calls_and_answered(calls, answered));
    json!({"chart": chart, "reported": reported, "answered": taken, "answer_rate": each(taken, reported), "average_seconds": each(seconds, taken)})
}

/// Bars of calls, and of those answered in front of them.
fn calls_and_answered(calls: Vec<u64>, answered: Vec<u64>) -> Vec<Value> {
    let line = |name, colour, values: Vec<u64>| {
        let note: u64 = values.iter().sum();
        json!({"name": name, "colour": colour, "note": note, "values": values})
    };
    vec![
        line("calls", "--accent", calls),
        line("answered", "--good", answered),
    ]
}

fn chart(begins: Timestamp, step: Step, lines: &[Value]) -> Value {
    json!({
        "begins": begins.to_string(), "step_s": step.ms() / 1_000, "utc": matches!(step, Step::Day),
        "height": 220, "bars": true, "whole": true, "lines": lines,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_without_calls_are_shown_as_none() {
        let now: Timestamp = "2026-11-22T12:34:56Z".parse().unwrap_or_default();
        let begins = since(now, 3, Step::Hour);
        assert_eq!(begins.to_string(), "2026-11-22T10:00:00.000000Z");
        let stats = json!({"rows": [
            {"from": "2026-11-22T09:00:00.000000Z", "calls": 0},
            {"from": "2026-11-22T10:00:00.000000Z", "calls": 4},
            {"from": "2026-11-22T12:00:00.000000Z", "calls": 7},
            {"from": "2026-11-22T13:00:00.000000Z", "calls": 9},
        ]});
        assert_eq!(
            series(&stats, "calls", (begins, now), Step::Hour),
            [4, 0, 7]
        );
        let chart = day(&stats, &json!(50), (begins, now));
        assert_eq!(chart["lines"][2]["values"], json!([50, 50, 50]));
        assert_eq!(
            day(&stats, &Value::Null, (begins, now))["lines"]
                .as_array()
                .map(Vec::len),
            Some(2)
        );
    }

    #[test]
    fn the_answer_rate_is_of_what_was_reported_on_all_days() {
        let now: Timestamp = "2026-11-22T12:34:56Z".parse().unwrap_or_default();
        let begins = since(now, 30, Step::Day);
        let stats = json!({"rows": [
            {"from": "2026-11-01T00:00:00Z", "calls": 12, "answered": 1, "reported": 10, "answered_seconds": 60},
            {"from": "2026-11-22T00:00:00Z", "calls": 10, "answered": 3, "reported": 10, "answered_seconds": 60},
        ]});
        let month = month(&stats, (begins, now));
        assert_eq!(month["answer_rate"], json!(0.2));
        assert_eq!(month["average_seconds"], json!(30.0));
        assert_eq!(
            month["chart"]["lines"][0]["values"]
                .as_array()
                .map(Vec::len),
            Some(30)
        );
    }
}
