//! Numbers that a filter asks for, in their order, found by statements that both databases understand: for who changes them in
//! the same transaction. Lists for people come from the [`catalog`](crate::catalog).

mod parts;
pub(crate) mod sql;

use std::cmp::Ordering;

use caller_id_core::listing::{NumberFilter, NumberQuery, NumberRow};
use caller_id_core::{PhoneNumber, Timestamp};

use parts::Asked;
use sql::{Dialect, Statement, Value};

/// The columns of a row, in their order: those of a number, the revision, and the instants of a [`NumberRow`].
pub(crate) const COLUMNS: &str = "number, area_code, carrier, attestation, status, resting_until, pool, daily_limit, \
    hourly_limit, meta, revision, created_at, updated_at";
/// Where the instants are among them.
pub(crate) const CREATED_PLACE: usize = 11;

/// How the next numbers are found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Walk {
    /// One statement after the other, until there are as many as are asked for: they come in the order of numbers.
    InTurn(Vec<Statement>),
    /// These very numbers, then [`given`].
    Given(Vec<PhoneNumber>),
}

/// The next numbers that a filter asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Next<'f> {
    /// Which.
    pub(crate) filter: &'f NumberFilter,
    /// Behind this one; none: from the first.
    pub(crate) after: Option<PhoneNumber>,
    /// At most so many.
    pub(crate) most: usize,
    /// As they are at this instant.
    pub(crate) now: Timestamp,
}

/// How they are found.
pub(crate) fn walk(next: Next<'_>, dialect: Dialect) -> Walk {
    let Next {
        filter,
        after,
        most,
        now,
    } = next;
    if !filter.numbers.is_empty() {
        let mut numbers = filter.numbers.clone();
        numbers.sort();
        numbers.dedup();
        return Walk::Given(numbers);
    }
    let Some(asked) = Asked::by(filter) else {
        return Walk::InTurn(Vec::new());
    };
    let after = after.map_or(0, |number| number.e164_digits() as i64);
    let all = [(0, i64::MAX)];
    let ranges = asked.ranges.as_deref().unwrap_or(&all).iter();
    // The place is part of the range: SQLite would begin at the first of two lower bounds.
    let rests = ranges.map(|(from, to)| ((*from).max(after.saturating_add(1)), *to));
    let walks = rests.filter(|(from, to)| from <= to).map(|(from, to)| {
        let table = dialect.numbers();
        let text = format!("SELECT {COLUMNS} FROM {table} WHERE number BETWEEN ");
        let mut select = Statement::new(dialect, text);
        select.value(Value::Whole(from)).push(" AND ");
        select.value(Value::Whole(to));
        asked.aside(&mut select, now);
        select.push(" ORDER BY number LIMIT ");
        select.value(Value::Whole(i64::try_from(most).unwrap_or(i64::MAX)));
        select
    });
    Walk::InTurn(walks.collect())
}

/// The page of `query` in rows that have all of it, in any order.
pub(crate) fn page(query: &NumberQuery, mut rows: Vec<NumberRow>) -> Vec<NumberRow> {
    rows.retain(|row| query.filter.has(&row.number) && is_behind(query, row));
    rows.sort_by(|one, other| query.compare(one, other));
    rows.truncate(query.most);
    rows
}

fn is_behind(query: &NumberQuery, row: &NumberRow) -> bool {
    query.after.as_ref().is_none_or(|after| {
        let place = query.place(row);
        let order = (place.key, place.digits).cmp(&(after.key.clone(), after.digits));
        order
            == match query.direction {
                caller_id_core::listing::Direction::Up => Ordering::Greater,
                caller_id_core::listing::Direction::Down => Ordering::Less,
            }
    })
}

/// The same of numbers that are given, in their order.
pub(crate) fn given(next: Next<'_>, mut rows: Vec<NumberRow>) -> Vec<NumberRow> {
    rows.retain(|row| {
        let is_behind = next.after.is_none_or(|after| row.number.number > after);
        is_behind && next.filter.has(&row.number)
    });
    rows.sort_by_key(|row| row.number.number);
    rows.truncate(next.most);
    rows
}
