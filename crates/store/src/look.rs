//! Which rows of history a page looks at, and how a page is made of what was seen. The same for both stores.

use caller_id_core::history_query::{PastFilter, PastPage, PastQuery};
use caller_id_core::store::PastAllocation;
use caller_id_core::{AllocationId, Timestamp};

/// A page that picks rows out of many looks at no more than so many: some 10 to 40 ms of work.
const ROWS_MOST: usize = 20_000;
/// No reservation is longer: settings and pools allow no more.
const RESERVATION_MS_MOST: i64 = 24 * 3_600_000;
/// Later instants have no ids.
const ID_MS_MOST: i64 = (1 << 48) - 1;

/// By which index rows are found; the fewest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Through {
    /// The dialer's id of the call.
    Call,
    /// The called party.
    Destination,
    /// The number presented.
    Number,
    /// Time alone: the primary key.
    Time,
}

/// A look at history, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look {
    /// The index.
    pub(crate) through: Through,
    /// The least id of all that are asked for.
    pub(crate) from: AllocationId,
    /// All that are asked for are less.
    pub(crate) below: AllocationId,
    /// At most so many rows are looked at.
    pub(crate) rows: usize,
    /// At most so many are given: one more than the page has, so that it is known whether there are more.
    pub(crate) most: usize,
    /// Rows are looked at that are not given.
    pub(crate) picks: bool,
}

impl Look {
    /// The look for a page; none where nothing can be asked for.
    pub(crate) fn new(query: &PastQuery) -> Option<Self> {
        let filter = &query.filter;
        let through = through(filter);
        let (from, below) = bounds(query);
        let most = query.most.saturating_add(1);
        let picks = conditions(filter) > usize::from(through != Through::Time);
        let rows = if picks { ROWS_MOST.max(most) } else { most };
        (query.most > 0 && from < below).then_some(Self {
            through,
            from,
            below,
            rows,
            most,
            picks,
        })
    }

    /// The instants of the ids asked for: the first, and the last there can be.
    pub(crate) fn instants(&self) -> (i64, i64) {
        (ms_of(self.from), ms_of(self.below))
    }
}

fn through(filter: &PastFilter) -> Through {
    if filter.call_id.is_some() {
        Through::Call
    } else if filter.destination.is_some() {
        Through::Destination
    } else if filter.number.is_some() {
        Through::Number
    } else {
        Through::Time
    }
}

/// How many conditions there are beside the time.
fn conditions(filter: &PastFilter) -> usize {
    let given = [
        filter.number.is_some(),
        filter.destination.is_some(),
        filter.campaign.is_some(),
        filter.agent.is_some(),
        filter.call_id.is_some(),
        filter.pool.is_some(),
        filter.reserved_at.is_some(),
    ];
    given.into_iter().filter(|given| *given).count()
}

fn bounds(query: &PastQuery) -> (AllocationId, AllocationId) {
    let filter = &query.filter;
    // Whose reservation lives then was made no longer before than the longest reservation.
    let reserved = filter
        .reserved_at
        .map(|at| Timestamp::from_ms(at.as_ms().saturating_sub(RESERVATION_MS_MOST)));
    let since = filter.since.max(reserved).unwrap_or(Timestamp::ZERO);
    let until = id_at(filter.until.unwrap_or(Timestamp::MAX));
    let below = query.before.map_or(until, |before| before.min(until));
    (id_at(since), below)
}

/// The least id at an instant; one greater than all where there is none so late.
pub(crate) fn id_at(at: Timestamp) -> AllocationId {
    if at.as_ms() > ID_MS_MOST {
        AllocationId::from_bytes([u8::MAX; 16])
    } else {
        AllocationId::first_at(at)
    }
}

/// The instant that an id begins with, in milliseconds.
pub(crate) fn ms_of(id: AllocationId) -> i64 {
    let first = id.as_bytes()[..6].iter();
    first.fold(0, |ms, byte| ms << 8 | i64::from(*byte))
}

/// What was seen in one place, newest first.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The rows.
    pub(crate) rows: Vec<PastAllocation>,
    /// It was looked no further than to this one; none: to the end.
    pub(crate) rest: Option<AllocationId>,
}

impl Seen {
    /// What `look` gave. `last` is the last of the rows that were looked at, where there may be more.
    pub(crate) fn new(look: &Look, rows: Vec<PastAllocation>, last: Option<AllocationId>) -> Self {
        let full = rows.last().filter(|_| rows.len() >= look.most);
        let rest = full.map(|row| row.record.id).or(last);
        Self { rows, rest }
    }
}

/// The page that was asked for, out of what was seen in one or two places. Of a row that is in both the first one's counts.
pub(crate) fn page(query: &PastQuery, seen: impl IntoIterator<Item = Seen>) -> PastPage {
    let mut rest = None;
    let mut allocations = Vec::new();
    for one in seen {
        rest = rest.max(one.rest);
        allocations.extend(one.rows);
    }
    // What is before that was not looked at everywhere: the next page has it.
    allocations.retain(|past| Some(past.record.id) >= rest);
    allocations.sort_by_key(|past| std::cmp::Reverse(past.record.id));
    allocations.dedup_by_key(|past| past.record.id);
    allocations.retain(|past| query.filter.has(past));
    if allocations.len() > query.most {
        allocations.truncate(query.most);
        rest = allocations.last().map(|past| past.record.id);
    }
    PastPage {
        allocations,
        next: rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(filter: PastFilter) -> PastQuery {
        PastQuery {
            filter,
            before: None,
            most: 100,
        }
    }

    #[test]
    fn rows_are_picked_only_where_the_index_does_not_do_it() {
        let number = "+13125550100".parse().ok();
        let by_number = PastFilter {
            number,
            ..PastFilter::default()
        };
        let of_pool = PastFilter {
            pool: Some(caller_id_core::PoolId::default()),
            ..by_number.clone()
        };
        let look = |filter| Look::new(&query(filter)).unwrap();
        assert_eq!(look(PastFilter::default()).rows, 101);
        assert_eq!(look(by_number.clone()).rows, 101);
        assert!(!look(by_number).picks);
        assert_eq!(look(of_pool.clone()).rows, ROWS_MOST);
        assert!(look(of_pool).picks);
    }

    #[test]
    fn every_instant_has_bounds() {
        let filter = PastFilter {
            since: Some(Timestamp::from_ms(-5)),
            until: Some(Timestamp::MAX),
            ..PastFilter::default()
        };
        let look = Look::new(&query(filter)).unwrap();
        assert_eq!(look.instants(), (0, ID_MS_MOST));
        let empty = PastFilter {
            since: Some(Timestamp::MAX),
            ..PastFilter::default()
        };
        assert_eq!(Look::new(&query(empty)), None);
    }
}
