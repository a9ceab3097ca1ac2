//! `GET /api/v1/stats`: how many calls there were, and how they went.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use caller_id_core::history_query::{Calls, Span, StatsBy, StatsKey, StatsQuery, StatsRow};
use caller_id_core::{AreaCode, CampaignId, PhoneNumber, PoolId, Rung, TimeZone, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::page::Parameters;
use super::times::{SINCE, TIME_ZONE, Times, UNTIL};
use super::{Api, ApiError, Viewer};

/// When nothing is said, so much of the past is counted.
const SPAN_DEFAULT_MS: i64 = 24 * 3_600_000;
/// How many lines there are when nothing is said.
const ROWS_DEFAULT: usize = 1_000;
/// How many lines there may be.
const ROWS_MOST: usize = 10_000;

/// Calls, counted.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatsBody {
    /// By what: all, pool, campaign, area_code, carrier, number or rung.
    by: &'static str,
    /// In which spans: whole, hour or day.
    span: &'static str,
    /// Where days and hours begin.
    time_zone: String,
    /// From this instant on (RFC 3339); the whole hour that it is in counts, or the quarter of an hour where it, `until`, or a
    /// midnight of the zone is at one.
    since: String,
    /// Up to this instant; the hour, or the quarter, that it is in counts.
    until: String,
    /// By span and then by key, null first.
    rows: Vec<StatsLine>,
    /// There are more lines than these, which are those with the most calls.
    more: bool,
}

/// One line of counts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "from": "2026-11-22T12:00:00.000000Z", "key": "SOLAR", "calls": 120, "answered": 42, "reported": 110, "answer_rate": 0.3818,
    "busy": 9, "no_answer": 50, "cancelled": 3, "failed": 6, "answered_seconds": 2520, "average_seconds": 60.0
}))]
pub struct StatsLine {
    /// Where its span begins (RFC 3339).
    from: String,
    /// What was counted: a name, a number in E.164, an area code, a rung. Null: all, or those that have none of it.
    key: Option<String>,
    /// All calls.
    calls: u64,
    /// Of these: answered, by a person or by voicemail.
    answered: u64,
    /// Of these: of which it was said how they ended.
    reported: u64,
    /// Answered of those reported, from 0 to 1. Null without any.
    answer_rate: Option<f64>,
    /// Busy.
    busy: u64,
    /// Not answered in time.
    no_answer: u64,
    /// Given up by the caller.
    cancelled: u64,
    /// Refused by the network, or with no way out.
    failed: u64,
    /// Seconds talked, of those calls of which it was said.
    answered_seconds: u64,
    /// The same for each answered call. Null without any.
    average_seconds: Option<f64>,
}

impl From<StatsRow> for StatsLine {
    fn from(row: StatsRow) -> Self {
        let reported = row.calls.reported();
        let Calls {
            calls,
            answered,
            busy,
            no_answer,
            cancelled,
            failed,
            answered_seconds,
        } = row.calls;
        Self {
            from: row.from.to_string(),
            key: match row.key {
                StatsKey::None => None,
                StatsKey::Name(name) => Some(name),
                StatsKey::Number(number) => Some(number.to_string()),
                StatsKey::AreaCode(code) => Some(code.to_string()),
                StatsKey::Rung(rung) => Some(rung.to_string()),
                StatsKey::Reach(code, rung) => Some(reach(code, rung)),
            },
            calls,
            answered,
            reported,
            answer_rate: each(answered, reported),
            busy,
            no_answer,
            cancelled,
            failed,
            answered_seconds,
            average_seconds: each(answered_seconds, answered),
        }
    }
}

fn reach(code: Option<AreaCode>, rung: Rung) -> String {
    let code = code.map(|code| code.to_string()).unwrap_or_default();
    format!("{code} {rung}")
}

/// `sum` for each of `count`, to four digits behind the point.
fn each(sum: u64, count: u64) -> Option<f64> {
    (count > 0).then(|| (sum as f64 / count as f64 * 10_000.0).round() / 10_000.0)
}

/// Calls by pool, campaign, area code of the destination, carrier, number or rung; in the whole span, or by hour or day.
/// By number only whole days in UTC are kept, unless a number, a pool or a campaign is given.
#[utoipa::path(get, path = "/api/v1/stats", tag = "calls", security(("admin_token" = []), ("bearer" = [])),
    params(
        ("by" = Option<String>, Query, description = "all (default), pool, campaign, area_code, carrier, number or rung", example = "campaign"),
        ("span" = Option<String>, Query, description = "whole (default), hour or day", example = "hour"),
        ("since" = Option<String>, Query, description = "From this instant on, or from the beginning of this date; 24 hours before `until` when nothing is said"),
        ("until" = Option<String>, Query, description = "Up to this instant, or to the end of this date; now when nothing is said"),
        ("time_zone" = Option<String>, Query, description = "Where days and hours begin; UTC when nothing is said", example = "America/Chicago"),
        ("pool" = Option<String>, Query, description = "Only calls with numbers out of this pool"),
        ("campaign" = Option<String>, Query, description = "Only calls of this campaign"),
        ("number" = Option<String>, Query, description = "Only calls with this number"),
        ("limit" = Option<u32>, Query, description = "At most so many lines, 1 to 10,000: those with the most calls; 1,000 when nothing is said", minimum = 1, maximum = 10000),
    ),
    responses(
        (status = 200, body = StatsBody),
        (status = 422, description = "A parameter cannot be understood", body = super::openapi::ProblemBody,
            content_type = "application/problem+json"),
        (status = 503, description = "The store is not available", body = super::openapi::ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub async fn stats(
    State(api): State<Arc<Api>>,
    _viewer: Viewer,
    RawQuery(query): RawQuery,
) -> Result<Json<StatsBody>, ApiError> {
    let Asked { query, zone, most } = read(query.as_deref(), api.clock.now())?;
    let mut rows = api.history.stats(&query, most + 1).await?;
    let more = rows.len() > most;
    if more {
        drop_least(&mut rows);
    }
    Ok(Json(StatsBody {
        by: by_word(query.by),
        span: match query.span {
            Span::Whole => "whole",
            Span::Hour(_) => "hour",
            Span::Day(_) => "day",
        },
        time_zone: zone.to_string(),
        since: query.since.to_string(),
        until: query.until.to_string(),
        rows: rows.into_iter().map(StatsLine::from).collect(),
        more,
    }))
}

/// One more was asked for than is shown, to know whether there are more.
fn drop_least(rows: &mut Vec<StatsRow>) {
    let least = (0..rows.len()).min_by_key(|place| rows[*place].calls.calls);
    if let Some(least) = least {
        rows.remove(least);
    }
}

struct Asked {
    query: StatsQuery,
    zone: TimeZone,
    most: usize,
}

fn read(query: Option<&str>, now: Timestamp) -> Result<Asked, ApiError> {
    const KNOWN: [&str; 9] = [
        "by", "span", SINCE, UNTIL, TIME_ZONE, "pool", "campaign", "number", "limit",
    ];
    let mut parameters = Parameters::new(query, &KNOWN);
    let times = Times::read(&mut parameters);
    let until = times
        .until
        .unwrap_or_else(|| times.since.map_or(now, |since| since.max(now)));
    let since = times
        .since
        .unwrap_or_else(|| until.plus_ms(-SPAN_DEFAULT_MS).max(Timestamp::ZERO));
    let query = StatsQuery {
        by: parameters.one("by", by).unwrap_or(StatsBy::All),
        span: parameters
            .one("span", |text| span(text, &times.zone))
            .unwrap_or(Span::Whole),
        since,
        until,
        pool: parameters.one("pool", PoolId::new),
        campaign: parameters.one("campaign", CampaignId::new),
        number: parameters.one("number", PhoneNumber::parse),
    };
    let most = parameters.one("limit", limit).unwrap_or(ROWS_DEFAULT);
    parameters.finish()?;
    Ok(Asked {
        query,
        zone: times.zone,
        most,
    })
}

const ALL: [StatsBy; 7] = [
    StatsBy::All,
    StatsBy::Pool,
    StatsBy::Campaign,
    StatsBy::AreaCode,
    StatsBy::Carrier,
    StatsBy::Number,
    StatsBy::Rung,
];

const fn by_word(by: StatsBy) -> &'static str {
    match by {
        StatsBy::All => "all",
        StatsBy::Pool => "pool",
        StatsBy::Campaign => "campaign",
        StatsBy::AreaCode => "area_code",
        StatsBy::Carrier => "carrier",
        StatsBy::Number => "number",
        StatsBy::Rung => "rung",
        StatsBy::Reach => "reach",
    }
}

fn by(text: &str) -> Result<StatsBy, String> {
    let known = ALL.into_iter().find(|by| by_word(*by) == text.trim());
    known.ok_or_else(|| {
        let words = ALL.map(by_word).join(", ");
        format!("by: one of {words} is expected")
    })
}

fn span(text: &str, zone: &TimeZone) -> Result<Span, &'static str> {
    match text.trim() {
        "whole" => Ok(Span::Whole),
        "hour" => Ok(Span::Hour(zone.clone())),
        "day" => Ok(Span::Day(zone.clone())),
        _ => Err("span: one of whole, hour, day is expected"),
    }
}

fn limit(text: &str) -> Result<usize, String> {
    let limit: Option<usize> = text.trim().parse().ok();
    limit
        .filter(|limit| (1..=ROWS_MOST).contains(limit))
        .ok_or_else(|| format!("limit: a whole number from 1 to {ROWS_MOST} is expected"))
}
