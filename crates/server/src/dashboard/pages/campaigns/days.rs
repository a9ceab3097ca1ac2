//! The calls of the last days, day by day.

use caller_id_core::{TimeZone, Timestamp};
use serde_json::{Value, json};

use crate::dashboard::Dashboard;
use crate::dashboard::failure::Failure;
use crate::dashboard::pages::shared::segment;
use crate::dashboard::visit::Visit;

/// So many days are shown, today among them.
const DAYS: usize = 7;
const STATS: &str = "/api/v1/stats";

/// The calls of one thing, `("campaign", id)` or `("pool", id)`, on each of the last days in a time zone, the newest first.
///
/// # Errors
/// What the API says.
pub(in crate::dashboard::pages) async fn of(
    dashboard: &Dashboard,
    visit: &Visit,
    (what, id): (&str, &str),
    zone: &str,
) -> Result<Value, Failure> {
    let id = segment(id);
    let now = dashboard
        .api
        .get(visit, &format!("{STATS}?{what}={id}"))
        .await?;
    let zone = TimeZone::parse(zone).unwrap_or_else(|_| TimeZone::utc());
    let now: Option<Timestamp> = now["until"].as_str().and_then(|at| at.parse().ok());
    let days = last_days(&zone, now.unwrap_or(Timestamp::ZERO));
    let since = days
        .last()
        .map(|(begins, _)| begins.to_string())
        .unwrap_or_default();
    let (since, name) = (segment(&since), segment(zone.name()));
    let path = format!("{STATS}?{what}={id}&span=day&since={since}&time_zone={name}");
    let stats = dashboard.api.get(visit, &path).await?;
    let lines: Vec<Value> = days.iter().map(|day| line(day, &stats["rows"])).collect();
    let most = lines.iter().filter_map(|line| line["calls"].as_u64()).max();
    Ok(json!({
        "days": lines, "most": most.unwrap_or(0), "time_zone": zone.name(),
        "calls": sum(&lines, "calls"), "answered": sum(&lines, "answered"), "reported": sum(&lines, "reported"),
        "answer_rate": rate(sum(&lines, "answered"), sum(&lines, "reported")),
    }))
}

/// The beginning and the date of each of the last days, the newest first.
fn last_days(zone: &TimeZone, now: Timestamp) -> Vec<(Timestamp, String)> {
    let mut within = now;
    let mut days = Vec::with_capacity(DAYS);
    for _ in 0..DAYS {
        let begins = zone.day(within).start;
        days.push((begins, zone.date_at(within).unwrap_or_default()));
        within = begins.plus_ms(-1);
    }
    days
}

fn line((begins, date): &(Timestamp, String), rows: &Value) -> Value {
    let begins = begins.to_string();
    let mut rows = rows.as_array().into_iter().flatten();
    let row = rows.find(|row| row["from"] == begins.as_str());
    let row = row.cloned().unwrap_or_default();
    let answered = row["answered"].as_u64().unwrap_or(0);
    let reported = reported(&row);
    json!({
        "date": date, "calls": row["calls"].as_u64().unwrap_or(0), "answered": answered, "reported": reported,
        "answer_rate": rate(answered, reported),
    })
}

/// Calls of which it was said how they ended.
pub(in crate::dashboard) fn reported(row: &Value) -> u64 {
    row["reported"].as_u64().unwrap_or(0)
}

/// Answered of those reported, from 0 to 1; none without any.
pub(super) fn rate(answered: u64, reported: u64) -> Option<f64> {
    (reported > 0).then(|| answered as f64 / reported as f64)
}

fn sum(lines: &[Value], name: &str) -> u64 {
    lines.iter().filter_map(|line| line[name].as_u64()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_days_are_those_of_the_zone() {
        let zone = TimeZone::parse("America/Chicago").expect("a zone");
        let now = "2026-11-02T12:00:00Z".parse().expect("an instant");
        let days = last_days(&zone, now);
        assert_eq!(days.len(), DAYS);
        assert_eq!(days[0].1, "2026-11-02");
        // The day on which the clocks changed begins an hour earlier in UTC.
        assert_eq!(days[1].0.to_string(), "2026-11-01T05:00:00.000000Z");
        assert_eq!(days[6].1, "2026-10-27");
    }

    #[test]
    fn a_day_without_calls_is_a_line_too() {
        let at = "2026-11-02T00:00:00.000000Z";
        let day = |at: &str| (at.parse().expect("an instant"), "2026-11-02".to_owned());
        let rows = json!([{"from": at, "calls": 10, "answered": 2, "reported": 5}]);
        let one = line(&day(at), &rows);
        assert_eq!(
            (&one["calls"], &one["answer_rate"]),
            (&json!(10), &json!(0.4))
        );
        let none = line(&day("2026-11-03T00:00:00Z"), &rows);
        assert_eq!(
            (&none["calls"], &none["answer_rate"]),
            (&json!(0), &Value::Null)
        );
    }
}
