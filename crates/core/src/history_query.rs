//! History as people ask for it: filtered pages, newest first, and counts by hour or day.

use async_trait::async_trait;

use crate::area_code::AreaCode;
use crate::ids::{AgentId, AllocationId, CallId, CampaignId, PoolId};
use crate::journal::CallEnd;
use crate::ladder::Rung;
use crate::number::PhoneNumber;
use crate::past::PastAllocation;
use crate::policy::TimeZone;
use crate::store::StoreError;
use crate::time::Timestamp;

/// Which allocations are asked for: those for which all that is given holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastFilter {
    /// That presented this number.
    pub number: Option<PhoneNumber>,
    /// To this called party.
    pub destination: Option<PhoneNumber>,
    /// For this campaign.
    pub campaign: Option<CampaignId>,
    /// By this agent.
    pub agent: Option<AgentId>,
    /// For this call of the dialer's.
    pub call_id: Option<CallId>,
    /// Out of this pool.
    pub pool: Option<PoolId>,
    /// Made at this instant or later.
    pub since: Option<Timestamp>,
    /// Made before this instant.
    pub until: Option<Timestamp>,
    /// Whose reservation lives at this instant.
    pub reserved_at: Option<Timestamp>,
}

impl PastFilter {
    /// Whether `past` is asked for.
    pub fn has(&self, past: &PastAllocation) -> bool {
        fn is<T: PartialEq>(asked: Option<&T>, given: Option<&T>) -> bool {
            asked.is_none_or(|asked| Some(asked) == given)
        }
        let record = &past.record;
        let lives = |now: Timestamp| {
            record.reserved_until > now && past.ended.is_none_or(|end| end.at > now)
        };
        is(self.number.as_ref(), Some(&record.number))
            && is(self.destination.as_ref(), Some(&record.destination))
            && is(self.campaign.as_ref(), record.campaign.as_ref())
            && is(self.agent.as_ref(), record.agent.as_ref())
            && is(self.call_id.as_ref(), record.call_id.as_ref())
            && is(self.pool.as_ref(), Some(&record.pool))
            && self.since.is_none_or(|since| record.at >= since)
            && self.until.is_none_or(|until| record.at < until)
            && self.reserved_at.is_none_or(lives)
    }
}

/// A page of history, asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastQuery {
    /// Which allocations.
    pub filter: PastFilter,
    /// Only those made before this one; none: from the newest on.
    pub before: Option<AllocationId>,
    /// At most so many.
    pub most: usize,
}

/// A page of history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastPage {
    /// The allocations, newest first.
    pub allocations: Vec<PastAllocation>,
    /// Ask again with this as `before`; none: that was all. A page may have fewer than asked for, even none, and yet go on:
    /// where few of many are asked for, a page looks at no more than so many.
    pub next: Option<AllocationId>,
}

/// By what calls are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatsBy {
    /// All together.
    All,
    /// The pool.
    Pool,
    /// The campaign; none has none.
    Campaign,
    /// The area code of the destination; none outside the NANP.
    AreaCode,
    /// The carrier that the number has now; none has none.
    Carrier,
    /// The number presented. Only whole days are kept for it, in UTC: without [`StatsQuery::number`] or other conditions the
    /// days of `since` and `until` count whole, and spans of hours and of local days are days in UTC. With conditions it is
    /// counted from the allocations themselves, as far back as those are kept.
    Number,
    /// The rung.
    Rung,
    /// The area code of the destination and the rung, together. With a pool or a campaign it is counted from the allocations
    /// themselves, as far back as those are kept.
    Reach,
}

/// The spans that calls are counted in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// The whole time.
    Whole,
    /// Local hours of a zone.
    Hour(TimeZone),
    /// Local days of a zone.
    Day(TimeZone),
}

/// Counts, asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatsQuery {
    /// By what.
    pub by: StatsBy,
    /// In which spans.
    pub span: Span,
    /// From this instant on; the whole hour that it is in counts.
    pub since: Timestamp,
    /// Up to this instant; the hour that it is in counts up to now. An hour that begins at it does not count.
    pub until: Timestamp,
    /// Only this pool.
    pub pool: Option<PoolId>,
    /// Only this campaign.
    pub campaign: Option<CampaignId>,
    /// Only this number: any span is good for it then. It is counted from the allocations, as far back as those are kept.
    pub number: Option<PhoneNumber>,
}

/// Calls are counted together by the hour, or where that is not fine enough by the quarter of an hour: every zone of today is
/// whole quarters from UTC.
const HOUR_MS: i64 = 3_600_000;
const QUARTER_MS: i64 = HOUR_MS / 4;

impl StatsQuery {
    /// How finely this is counted, in milliseconds: by the hour, and by the quarter of an hour where its hours or days do not
    /// begin with hours of UTC, or where [`StatsQuery::since`] or [`StatsQuery::until`] is exactly at such a quarter. What
    /// the first and the last one of them have of calls counts whole.
    pub fn unit_ms(&self) -> i64 {
        let at_quarter = |at: Timestamp| {
            let ms = at.as_ms();
            ms % QUARTER_MS == 0 && ms % HOUR_MS != 0
        };
        let whole = match &self.span {
            Span::Whole => true,
            Span::Hour(zone) | Span::Day(zone) => zone.has_whole_hours(self.since, self.until),
        };
        match whole && !at_quarter(self.since) && !at_quarter(self.until) {
            true => HOUR_MS,
            false => QUARTER_MS,
        }
    }
}

/// What calls are counted under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatsKey {
    /// Nothing: all, or those that have none of it.
    None,
    /// A name: of a pool, a campaign, a carrier.
    Name(String),
    /// A number.
    Number(PhoneNumber),
    /// An area code.
    AreaCode(AreaCode),
    /// A rung.
    Rung(Rung),
    /// An area code, none outside the NANP, and a rung.
    Reach(Option<AreaCode>, Rung),
}

/// Calls, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// All.
    pub calls: u64,
    /// Of these: answered.
    pub answered: u64,
    /// Busy.
    pub busy: u64,
    /// Not answered in time.
    pub no_answer: u64,
    /// Given up by the caller.
    pub cancelled: u64,
    /// Refused by the network, or with no way out.
    pub failed: u64,
    /// Seconds talked, of those of which it was said.
    pub answered_seconds: u64,
}

impl Calls {
    /// Of these: of which it was said how they ended.
    pub const fn reported(&self) -> u64 {
        self.answered + self.busy + self.no_answer + self.cancelled + self.failed
    }

    /// Counts one allocation.
    pub fn count(&mut self, past: &PastAllocation) {
        self.calls += 1;
        match past.status() {
            CallEnd::Released => {}
            CallEnd::Answer => self.answered += 1,
            CallEnd::Busy => self.busy += 1,
            CallEnd::NoAnswer => self.no_answer += 1,
            CallEnd::Cancel => self.cancelled += 1,
            CallEnd::Congestion | CallEnd::ChanUnavail => self.failed += 1,
        }
        let seconds = past
            .result
            .and_then(|result| result.report.answered_seconds);
        self.answered_seconds += u64::from(seconds.unwrap_or_default());
    }

    /// All counts, in the order in which both stores have their columns and backups their figures: it never changes.
    pub const fn counts(&self) -> [u64; 7] {
        [
            self.calls,
            self.answered,
            self.busy,
            self.no_answer,
            self.cancelled,
            self.failed,
            self.answered_seconds,
        ]
    }

    /// The counts that [`Calls::counts`] gave.
    pub const fn of_counts(counts: [u64; 7]) -> Self {
        let [
            calls,
            answered,
            busy,
            no_answer,
            cancelled,
            failed,
            answered_seconds,
        ] = counts;
        Self {
            calls,
            answered,
            busy,
            no_answer,
            cancelled,
            failed,
            answered_seconds,
        }
    }

    /// Counts what `others` counted.
    pub const fn add(&mut self, others: &Self) {
        self.calls += others.calls;
        self.answered += others.answered;
        self.busy += others.busy;
        self.no_answer += others.no_answer;
        self.cancelled += others.cancelled;
        self.failed += others.failed;
        self.answered_seconds += others.answered_seconds;
    }
}

/// One line of counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatsRow {
    /// Where its span begins.
    pub from: Timestamp,
    /// What was counted.
    pub key: StatsKey,
    /// The counts.
    pub calls: Calls,
}

/// What a campaign does at present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// It; none: calls that named none.
    pub campaign: Option<CampaignId>,
    /// Its calls.
    pub calls: Calls,
    /// Agents that made them.
    pub agents: u64,
    /// Of these calls: whose reservation lives.
    pub reserved: u64,
}

/// A number that is answered less than it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Falling {
    /// It.
    pub number: PhoneNumber,
    /// Its calls of the last day.
    pub last: Calls,
    /// Its calls of the seven days before.
    pub before: Calls,
}

/// Fewer calls than so many, of which it was said how they ended, say nothing of an answer rate.
pub const FALLING_LEAST: u64 = 30;
/// How many days before the last one are compared with it.
pub const FALLING_DAYS: i64 = 7;

impl Falling {
    /// Whether both times have calls enough, and the rate fell by a third or more.
    pub const fn is_so(&self) -> bool {
        let (last, before) = (self.last.reported(), self.before.reported());
        last >= FALLING_LEAST
            && before >= FALLING_LEAST
            && 3 * self.last.answered * before <= 2 * self.before.answered * last
            && self.before.answered > 0
    }

    /// By how much the rate fell, as a part of what it was: 0 to 1.
    pub fn fell(&self) -> f64 {
        let rate = |calls: &Calls| calls.answered as f64 / calls.reported().max(1) as f64;
        1.0 - rate(&self.last) / rate(&self.before).max(f64::MIN_POSITIVE)
    }
}

/// Reads history for people.
///
/// What implementers hold: everything that a [`crate::Journal`] of the same store has committed is seen, in pages as well as in counts.
#[async_trait]
pub trait HistoryReader: Send + Sync {
    /// A page of history.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn past(&self, query: &PastQuery) -> Result<PastPage, StoreError>;

    /// Counts, by span and then by key (none first, others as text, byte by byte). No line has no calls. At most `most`
    /// lines: those with the most calls.
    ///
    /// Of hours that are summed up ([`HistoryReader::sum_up`]) the sums are given, with the carriers that numbers had then.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn stats(&self, query: &StatsQuery, most: usize) -> Result<Vec<StatsRow>, StoreError>;

    /// The campaigns that asked for numbers at `since` or later, with their calls; by their names, byte by byte.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn campaigns_seen(&self, since: Timestamp) -> Result<Vec<(CampaignId, u64)>, StoreError>;

    /// What was allocated at `since` or later, by campaign (by their names, byte by byte; none first), and how many of these
    /// reservations live at `now`. It looks at each of these allocations.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn activity(&self, since: Timestamp, now: Timestamp)
    -> Result<Vec<Activity>, StoreError>;

    /// The numbers for which [`Falling::is_so`] holds, those first whose rate fell most (then by number), at most `most`: of
    /// the last day in UTC that is summed up, and the seven before it. The day comes with them.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn falling(&self, most: usize) -> Result<(Timestamp, Vec<Falling>), StoreError>;

    /// Sums up what is old enough that no more is said of it, so that counting stays quick; some work at a time. Tells whether
    /// there is more. Any number of nodes may do it.
    ///
    /// Hours (and days in UTC, for numbers) are summed up when they ended 2 hours ago, and again 26 hours after their end:
    /// what is said of a call in between is in the counts from then on, and what is said later never is. Where allocations
    /// were pruned in between, the first sums stay. Sums outlive the allocations: those by hour are kept for 400 days, those
    /// by number for 100.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn sum_up(&self, now: Timestamp) -> Result<bool, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_the_order_of_columns_and_of_backups() {
        let calls = Calls {
            calls: 1,
            answered: 2,
            busy: 3,
            no_answer: 4,
            cancelled: 5,
            failed: 6,
            answered_seconds: 7,
        };
        assert_eq!(calls.counts(), [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(Calls::of_counts(calls.counts()), calls);
    }
}
