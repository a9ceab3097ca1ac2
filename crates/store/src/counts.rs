//! Counts as people ask for them: which spans of time are read where, and how what was read becomes lines.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Range;

use caller_id_core::history_query::{Calls, Span, StatsBy, StatsKey, StatsQuery, StatsRow};
use caller_id_core::policy::TimeZone;
use caller_id_core::{AreaCode, CampaignId, Rung, StoreError, Timestamp};

use crate::sums::{self, DAY_MS, HOUR_MS, Job, QUARTER_MS, floor};
use crate::values::{number, unreadable};

/// Where the counts of a query come from: instants in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Which sums.
    pub(crate) from: Sums,
    /// How much time is counted together, in milliseconds.
    pub(crate) unit_ms: i64,
    /// Of these spans.
    pub(crate) sums: Range<i64>,
    /// From the allocations themselves: before the sums, and after them.
    pub(crate) raw: [Range<i64>; 2],
}

/// Which sums there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sums {
    /// By hour.
    Hours,
    /// By quarter of an hour.
    Quarters,
    /// By day and number.
    Days,
    /// None that would do: sums know no number with its pool or campaign, nor what else there is of one number.
    None,
}

impl Sums {
    /// Up to where they are made is kept under this mark.
    pub(crate) const fn mark(self) -> Option<&'static str> {
        match self {
            Self::Hours | Self::Quarters => Some(Job::HOURS.mark()),
            Self::Days => Some(Job::DAYS.mark()),
            Self::None => None,
        }
    }

    /// Those that serve this query.
    pub(crate) fn of(query: &StatsQuery) -> Self {
        match query.by {
            _ if query.number.is_some() => Self::None,
            StatsBy::Number | StatsBy::Reach
                if query.pool.is_some() || query.campaign.is_some() =>
            {
                Self::None
            }
            StatsBy::Number => Self::Days,
            _ if query.unit_ms() == QUARTER_MS => Self::Quarters,
            _ => Self::Hours,
        }
    }
}

impl Plan {
    /// The plan, when the sums that serve this query are made up to `summed`.
    pub(crate) fn new(query: &StatsQuery, summed: i64) -> Self {
        let from = Sums::of(query);
        let unit = match from {
            Sums::Days => DAY_MS,
            Sums::Hours | Sums::Quarters | Sums::None => query.unit_ms(),
        };
        let ms = |at: Timestamp| at.as_ms().clamp(0, i64::MAX - DAY_MS);
        let first = floor(ms(query.since), unit);
        let last = floor(ms(query.until) + unit - 1, unit).max(first);
        let summed = match from {
            Sums::None => first,
            Sums::Hours | Sums::Quarters | Sums::Days => summed.clamp(first, last),
        };
        Self {
            from,
            unit_ms: unit,
            sums: first..summed,
            raw: [first..first, summed..last],
        }
    }

    /// The same from exactly `since` on: not from the hour that it is in.
    pub(crate) fn since(since: Timestamp, summed: i64) -> Self {
        let since = since.as_ms().clamp(0, i64::MAX - HOUR_MS);
        let first = floor(since + HOUR_MS - 1, HOUR_MS);
        let summed = summed.max(first);
        Self {
            from: Sums::Hours,
            unit_ms: HOUR_MS,
            sums: first..summed,
            raw: [since..first, summed..i64::MAX],
        }
    }

    /// The rows of sums by hour, or by quarter, that serve.
    pub(crate) const fn what(&self, by: StatsBy) -> i16 {
        let hours = match by {
            StatsBy::All | StatsBy::Pool | StatsBy::Campaign | StatsBy::Number => sums::ALL,
            StatsBy::AreaCode => sums::AREA_CODE,
            StatsBy::Carrier => sums::CARRIER,
            StatsBy::Rung => sums::RUNG,
            StatsBy::Reach => sums::REACH,
        };
        match self.from {
            Sums::Quarters => hours + sums::BY_QUARTER,
            Sums::Hours | Sums::Days | Sums::None => hours,
        }
    }
}

/// The word by which statements know what is counted by.
pub(crate) const fn word(by: StatsBy) -> &'static str {
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

/// Counts that come together.
pub(crate) struct Tally {
    span: Span,
    by: StatsBy,
    since: i64,
    unit_ms: i64,
    lines: HashMap<(i64, String), Calls>,
    /// The span of the hour that was counted last: many lines are of one.
    last: Option<(i64, i64)>,
}

impl Tally {
    /// Nothing counted.
    pub(crate) fn new(query: &StatsQuery, plan: &Plan) -> Self {
        let span = match (&query.span, plan.from) {
            // Nothing shorter is kept.
            (Span::Hour(_) | Span::Day(_), Sums::Days) => Span::Day(TimeZone::utc()),
            (span, _) => span.clone(),
        };
        Self {
            span,
            by: query.by,
            since: plan.sums.start,
            unit_ms: plan.unit_ms,
            lines: HashMap::new(),
            last: None,
        }
    }

    /// Whether it matters which hour something was counted in.
    pub(crate) fn is_whole(&self) -> bool {
        self.span == Span::Whole
    }

    /// Counts the calls of an hour or a quarter (or of a day, where days are what is kept) that have this key; an empty one is:
    /// none.
    pub(crate) fn add(&mut self, hour: i64, key: String, calls: &Calls) {
        let begin = match self.last {
            Some((last, begin)) if last == hour => begin,
            _ => self.begin(hour),
        };
        self.last = Some((hour, begin));
        self.lines.entry((begin, key)).or_default().add(calls);
    }

    /// Where the span begins that a unit is in. Its last instant is in the day, or the hour, that begins in it.
    fn begin(&self, from: i64) -> i64 {
        let last = Timestamp::from_ms(from.saturating_add(self.unit_ms - 1));
        match &self.span {
            Span::Whole => self.since,
            Span::Hour(zone) => floor(zone.hour(last).as_ms(), self.unit_ms),
            Span::Day(zone) => floor(zone.day(last).start.as_ms(), self.unit_ms),
        }
    }

    /// The lines with the most calls, at most `most`, by span and then by key.
    pub(crate) fn lines(self, most: usize) -> Result<Vec<StatsRow>, StoreError> {
        let mut lines: Vec<_> = self.lines.into_iter().collect();
        lines.retain(|(_, calls)| calls.calls > 0);
        if lines.len() > most {
            lines.sort_by(|(one, a), (other, b)| {
                (Reverse(a.calls), one).cmp(&(Reverse(b.calls), other))
            });
            lines.truncate(most);
        }
        lines.sort_by(|(one, _), (other, _)| one.cmp(other));
        let line = |((from, text), calls)| {
            Ok(StatsRow {
                from: Timestamp::from_ms(from),
                key: key(self.by, text)?,
                calls,
            })
        };
        lines.into_iter().map(line).collect()
    }
}

/// The query that counts every campaign from `since` on.
pub(crate) fn of_campaigns(since: Timestamp) -> StatsQuery {
    StatsQuery {
        by: StatsBy::Campaign,
        span: Span::Whole,
        since,
        until: Timestamp::MAX,
        pool: None,
        campaign: None,
        number: None,
    }
}

/// The campaigns in its lines, by their names.
pub(crate) fn campaigns(lines: Vec<StatsRow>) -> Result<Vec<(CampaignId, u64)>, StoreError> {
    let named = lines.into_iter().filter_map(|line| match line.key {
        StatsKey::Name(name) => Some((name, line.calls.calls)),
        _ => None,
    });
    let read = |(name, calls): (String, u64)| match CampaignId::new(&name) {
        Ok(id) => Ok((id, calls)),
        Err(cause) => Err(unreadable("counts", &cause.to_string())),
    };
    named.map(read).collect()
}

fn key(by: StatsBy, text: String) -> Result<StatsKey, StoreError> {
    let fail = || unreadable("counts", &format!("the key `{text}` is no {}", word(by)));
    if text.is_empty() {
        return Ok(StatsKey::None);
    }
    Ok(match by {
        StatsBy::All => StatsKey::None,
        StatsBy::Pool | StatsBy::Campaign | StatsBy::Carrier => StatsKey::Name(text),
        StatsBy::AreaCode => {
            let code = text.parse().ok().and_then(AreaCode::new);
            StatsKey::AreaCode(code.ok_or_else(fail)?)
        }
        StatsBy::Number => StatsKey::Number(number(text.parse().map_err(|_| fail())?)?),
        StatsBy::Rung => StatsKey::Rung(text.parse::<Rung>().map_err(|_| fail())?),
        StatsBy::Reach => {
            let (code, rung) = text.split_once(' ').ok_or_else(fail)?;
            let code = match code {
                "" => None,
                code => Some(code.parse().map_err(|_| fail())?),
            };
            StatsKey::Reach(code, rung.parse().map_err(|_| fail())?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(by: StatsBy, since: i64, until: i64) -> StatsQuery {
        StatsQuery {
            by,
            span: Span::Whole,
            since: Timestamp::from_ms(since),
            until: Timestamp::from_ms(until),
            pool: None,
            campaign: None,
            number: None,
        }
    }

    #[test]
    fn sums_are_read_as_far_as_they_are_made_and_allocations_from_there_on() {
        let asked = query(StatsBy::Pool, 5 * HOUR_MS + 1, 9 * HOUR_MS + 1);
        for (summed, sums, raw) in [
            (0, 5..5, 5..10),
            (7, 5..7, 7..10),
            (10, 5..10, 10..10),
            (99, 5..10, 10..10),
        ] {
            let plan = Plan::new(&asked, summed * HOUR_MS);
            let ms = |range: Range<i64>| range.start * HOUR_MS..range.end * HOUR_MS;
            assert_eq!((plan.sums, plan.raw[1].clone()), (ms(sums), ms(raw)));
            assert!(plan.raw[0].is_empty());
        }
    }

    #[test]
    fn from_an_instant_on_only_the_rest_of_its_hour_is_counted() {
        let plan = |summed: i64| {
            let plan = Plan::since(Timestamp::from_ms(5 * HOUR_MS + 7), summed * HOUR_MS);
            let [before, after] = plan.raw;
            (before, plan.sums, after)
        };
        let before = 5 * HOUR_MS + 7..6 * HOUR_MS;
        let h = HOUR_MS;
        assert_eq!(plan(9), (before.clone(), 6 * h..9 * h, 9 * h..i64::MAX));
        assert_eq!(plan(2), (before, 6 * h..6 * h, 6 * h..i64::MAX));
    }

    #[test]
    fn every_query_has_a_plan() {
        for (since, until) in [(0, i64::MAX), (i64::MIN, i64::MIN), (i64::MAX, 0), (5, 4)] {
            for by in [StatsBy::All, StatsBy::Number] {
                let plan = Plan::new(&query(by, since, until), 3);
                assert!(plan.sums.start <= plan.sums.end);
                let after = &plan.raw[1];
                assert!(plan.sums.end == after.start && after.start <= after.end);
            }
        }
    }

    #[test]
    fn a_local_day_begins_at_midnight() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_ms();
        for (zone, hour, day) in [
            (
                "Asia/Kolkata",
                "2026-11-23T18:30:00Z",
                "2026-11-23T18:30:00Z",
            ),
            (
                "Asia/Kolkata",
                "2026-11-23T18:15:00Z",
                "2026-11-22T18:30:00Z",
            ),
            (
                "America/Chicago",
                "2026-11-02T05:00:00Z",
                "2026-11-01T05:00:00Z",
            ),
            (
                "America/Chicago",
                "2026-11-02T06:00:00Z",
                "2026-11-02T06:00:00Z",
            ),
        ] {
            let mut asked = query(
                StatsBy::All,
                at("2026-10-01T00:00:00Z"),
                at("2026-12-01T00:00:00Z"),
            );
            asked.span = Span::Day(TimeZone::parse(zone).unwrap());
            let tally = Tally::new(&asked, &Plan::new(&asked, 0));
            assert_eq!(tally.begin(at(hour)), at(day), "{zone} {hour}");
        }
    }
}
