//! Summing up: what is summed up when, as far as both stores do it alike.

use std::collections::BTreeMap;

use caller_id_core::Timestamp;
use caller_id_core::history_query::Calls;
use caller_id_core::takeover::HourPlace;

pub(crate) const HOUR_MS: i64 = 3_600_000;
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;
pub(crate) const QUARTER_MS: i64 = HOUR_MS / 4;

/// The first time: most calls that were made in an hour have ended two hours after it.
const SOON_MS: i64 = 2 * HOUR_MS;
/// The second time: nobody reports a call any more that is a day old, and what waited elsewhere for a store that was
/// away has come.
const LATE_MS: i64 = 26 * HOUR_MS;

/// Sums by hour are kept for 400 days, sums by day and number for 100.
const HOURS_KEPT_MS: i64 = 400 * DAY_MS;
const DAYS_KEPT_MS: i64 = 100 * DAY_MS;

/// How many rows of sums one transaction writes or removes.
pub(crate) const ROWS_AT_ONCE: usize = 5_000;

/// The start of the span of so many milliseconds that `ms` is in.
pub(crate) const fn floor(ms: i64, span_ms: i64) -> i64 {
    ms - ms.rem_euclid(span_ms)
}

/// What is summed up at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// An hour, by pool and campaign.
    Hour,
    /// A day in UTC, by number.
    Day,
}

impl Unit {
    /// How long it is, in milliseconds.
    pub(crate) const fn ms(self) -> i64 {
        match self {
            Self::Hour => HOUR_MS,
            Self::Day => DAY_MS,
        }
    }

    /// Sums that begin before this are given up.
    pub(crate) fn kept_since(self, now: Timestamp) -> i64 {
        let kept_ms = match self {
            Self::Hour => HOURS_KEPT_MS,
            Self::Day => DAYS_KEPT_MS,
        };
        floor(now.as_ms().saturating_sub(kept_ms), self.ms())
    }
}

/// Soon, for those who look at them today, or late, for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    Soon,
    Late,
}

/// Something that is to be done for one unit after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) unit: Unit,
    pub(crate) pass: Pass,
}

impl Job {
    /// Hours, soon.
    pub(crate) const HOURS: Self = Self::new(Unit::Hour, Pass::Soon);
    /// Days, soon.
    pub(crate) const DAYS: Self = Self::new(Unit::Day, Pass::Soon);
    /// All there is to do, in this order.
    pub(crate) const ALL: [Self; 4] = [
        Self::HOURS,
        Self::DAYS,
        Self::new(Unit::Hour, Pass::Late),
        Self::new(Unit::Day, Pass::Late),
    ];

    const fn new(unit: Unit, pass: Pass) -> Self {
        Self { unit, pass }
    }

    /// Where it is kept up to which instant this is done.
    pub(crate) const fn mark(self) -> &'static str {
        match (self.unit, self.pass) {
            (Unit::Hour, Pass::Soon) => "summed_hours",
            (Unit::Day, Pass::Soon) => "summed_days",
            (Unit::Hour, Pass::Late) => "summed_hours_again",
            (Unit::Day, Pass::Late) => "summed_days_again",
        }
    }

    /// What there is to do at `now`, when it is done up to `mark`: from there up to here. None: nothing.
    ///
    /// `unmoved` is the first instant of which there is something that is not in history yet.
    pub(crate) fn open(
        self,
        mark: i64,
        now: Timestamp,
        unmoved: Option<i64>,
    ) -> Option<(i64, i64)> {
        let after_ms = match self.pass {
            Pass::Soon => SOON_MS,
            Pass::Late => LATE_MS,
        };
        let past = now.as_ms().saturating_sub(after_ms);
        let closed = floor(
            unmoved.map_or(past, |first| first.min(past)),
            self.unit.ms(),
        );
        let begin = mark.max(self.unit.kept_since(now)).max(0);
        (begin < closed).then_some((begin, closed))
    }
}

/// The counts out of their columns.
pub(crate) fn calls_of(columns: [i64; 7]) -> Calls {
    Calls::of_counts(columns.map(i64::unsigned_abs))
}

/// The columns of counts.
pub(crate) fn columns_of(calls: &Calls) -> [i64; 7] {
    calls.counts().map(u64::cast_signed)
}

/// What is to be done next of a job.
pub(crate) enum Due {
    /// Nothing.
    Nothing,
    /// There is nothing to sum up, or what there is of it was summed up better before: only the mark moves.
    Pass(Step),
    /// An hour.
    Hour(Step, Vec<HourSum>),
    /// A day: numbers, rising, and the counts of each.
    Day(Step, Vec<(i64, Calls)>),
}

/// One step of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    /// Where it is kept how far the job is done.
    pub(crate) mark: &'static str,
    /// What was found there: when it is something else now, another node made this step.
    pub(crate) found: i64,
    /// What will be there.
    pub(crate) done: i64,
    /// The start of what is summed up.
    pub(crate) begin: i64,
}

impl Step {
    /// The step that moves the mark alone.
    pub(crate) const fn pass(job: Job, found: i64, done: i64) -> Self {
        Self {
            mark: job.mark(),
            found,
            done,
            begin: done,
        }
    }

    /// The step of the unit that the first allocation after the mark is in.
    pub(crate) const fn of(job: Job, found: i64, first_ms: i64) -> Self {
        let begin = floor(first_ms, job.unit.ms());
        Self {
            mark: job.mark(),
            found,
            done: begin + job.unit.ms(),
            begin,
        }
    }
}

/// Allocations of a quarter of an hour that have all of this in common, counted.
pub(crate) struct Cell {
    /// Where the quarter begins, in milliseconds.
    pub(crate) quarter: i64,
    pub(crate) pool: String,
    pub(crate) campaign: String,
    pub(crate) carrier: String,
    pub(crate) area_code: String,
    pub(crate) rung: String,
    pub(crate) calls: Calls,
}

/// What sums by hour are apart by.
pub(crate) const ALL: i16 = 0;
pub(crate) const AREA_CODE: i16 = 1;
pub(crate) const CARRIER: i16 = 2;
pub(crate) const RUNG: i16 = 3;
/// Only of all pools and campaigns together: else it would be most of all rows.
pub(crate) const REACH: i16 = 4;
/// The same by quarters of an hour have so much more.
pub(crate) const BY_QUARTER: i16 = 10;

/// The key of an area code (empty: none) and a rung.
pub(crate) fn reach_key(area_code: &str, rung: &str) -> String {
    format!("{area_code} {rung}")
}

/// A row of sums by hour, or by quarter: `what`, where it begins in milliseconds, pool, campaign, key; and the counts.
pub(crate) type HourSum = ((i16, i64, String, String, String), Calls);

/// A place before that of any sum by hour.
pub(crate) const fn before_all_hours() -> HourPlace {
    HourPlace {
        what: i16::MIN,
        hour_ms: i64::MIN,
        pool: String::new(),
        campaign: String::new(),
        key: String::new(),
    }
}

/// The rows of an hour, in order.
pub(crate) fn hour_sums(cells: Vec<Cell>) -> Vec<HourSum> {
    let mut sums = BTreeMap::<_, Calls>::new();
    for cell in cells {
        let (hour, quarter) = (floor(cell.quarter, HOUR_MS), cell.quarter);
        let mut add = |what: i16, pool: &str, campaign: &str, key: &str| {
            for (what, begin) in [(what, hour), (what + BY_QUARTER, quarter)] {
                let place = (
                    what,
                    begin,
                    pool.to_owned(),
                    campaign.to_owned(),
                    key.to_owned(),
                );
                sums.entry(place).or_default().add(&cell.calls);
            }
        };
        add(REACH, "", "", &reach_key(&cell.area_code, &cell.rung));
        let keys = [
            (ALL, ""),
            (AREA_CODE, &cell.area_code),
            (CARRIER, &cell.carrier),
            (RUNG, &cell.rung),
        ];
        for (what, key) in keys {
            add(what, &cell.pool, &cell.campaign, key);
        }
    }
    sums.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_ms(hours * HOUR_MS)
    }

    #[test]
    fn an_hour_is_summed_up_two_hours_after_its_end_and_again_a_day_later() {
        let [hours, days, hours_again, _] = Job::ALL;
        assert_eq!(hours.open(0, at(2), None), None);
        assert_eq!(hours.open(0, at(3), None), Some((0, HOUR_MS)));
        assert_eq!(hours.open(HOUR_MS, at(3), None), None);
        assert_eq!(hours_again.open(0, at(26), None), None);
        assert_eq!(hours_again.open(0, at(27), None), Some((0, HOUR_MS)));
        assert_eq!(days.open(0, at(25), None), None);
        assert_eq!(days.open(0, at(26), None), Some((0, DAY_MS)));
    }

    #[test]
    fn what_is_not_in_history_yet_is_waited_for() {
        let hours = Job::ALL[0];
        let open = |unmoved| hours.open(0, at(10), Some(unmoved));
        assert_eq!(open(5 * HOUR_MS + 1), Some((0, 5 * HOUR_MS)));
        assert_eq!(open(10), None);
    }

    #[test]
    fn what_would_be_given_up_at_once_is_not_summed_up() {
        let now = at(500 * 24);
        let first = |job: Job| job.open(0, now, None).map(|(begin, _)| begin);
        assert_eq!(first(Job::ALL[0]), Some(100 * DAY_MS));
        assert_eq!(first(Job::ALL[1]), Some(400 * DAY_MS));
    }
}
