//! Lists of numbers: by which statements a page is read, so that each of them is a short walk along an index, however many
//! numbers there are. Both databases read the same way.

mod parts;
mod segments;
pub(crate) mod sql;

use std::cmp::Ordering;

use caller_id_core::PhoneNumber;
use caller_id_core::listing::{Direction, NumberFilter, NumberQuery, NumberRow, SortBy};

use parts::{Asked, Led, OneOf, sort_column};
use sql::{Dialect, Statement, Value, Way};

/// The columns of a row, in their order: those of a number, the revision, and the instants of a [`NumberRow`].
pub(crate) const COLUMNS: &str = "number, area_code, carrier, attestation, status, resting_until, pool, daily_limit, \
    hourly_limit, meta, revision, created_at, updated_at";
/// Where the instants are among them.
pub(crate) const CREATED_PLACE: usize = 11;

/// Where a part of a filter has fewer numbers than these, they are read all and sorted.
const FEW: i64 = 5_000;
/// With more values than these of one column each is no walk of its own.
const WALKS_MOST: usize = 64;

/// How a page is read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// One statement after the other, until the page is full: they come in the list's order.
    InTurn(Vec<Statement>),
    /// All of them, then [`page`].
    Together(Vec<Statement>),
    /// These very numbers, then [`page`].
    Given(Vec<PhoneNumber>),
}

/// A page that is asked for, on its way to a plan.
pub(crate) struct Listing<'a> {
    query: &'a NumberQuery,
    asked: Option<Asked>,
    dialect: Dialect,
}

impl<'a> Listing<'a> {
    /// Of `query`.
    pub(crate) fn new(query: &'a NumberQuery, dialect: Dialect) -> Self {
        Self {
            query,
            asked: Asked::by(&query.filter),
            dialect,
        }
    }

    /// Counts, in as many columns, the numbers of each part of the filter, to [`FEW`] at most; none where nobody needs to
    /// know. There are at most six.
    pub(crate) fn probe(&self) -> Option<Statement> {
        let asked = self.asked.as_ref()?;
        let leaders = leaders(asked);
        let sort = sort_column(self.query.sort);
        let leads = |led: &Led| match (led, sort) {
            (Led::By(column), None) => asked
                .of(Some(column))
                .is_some_and(|of| of.parts.len() <= WALKS_MOST),
            (_, None) => true,
            (Led::By(column), Some(sort)) => *column == sort,
            (_, Some(_)) => false,
        };
        if !self.query.filter.numbers.is_empty()
            || leaders.is_empty()
            || (leaders.len() == 1 && leaders.iter().all(leads))
        {
            return None;
        }
        let mut probe = Statement::new(self.dialect, "SELECT ".to_owned());
        for (place, led) in leaders.into_iter().enumerate() {
            probe.push(if place > 0 { ", " } else { "" });
            probe.push("(SELECT count(*) FROM (SELECT 1 FROM ");
            probe.push(self.dialect.numbers()).push(" WHERE TRUE");
            lead(&mut probe, asked, led);
            probe.push(" LIMIT ").value(Value::Whole(FEW));
            probe.push(&format!(") AS few{place})"));
        }
        Some(probe)
    }

    /// The plan, by what [`Listing::probe`] counted.
    pub(crate) fn plan(&self, counts: &[i64]) -> Plan {
        let Some(asked) = &self.asked else {
            return Plan::InTurn(Vec::new());
        };
        if !self.query.filter.numbers.is_empty() {
            let mut numbers = self.query.filter.numbers.clone();
            numbers.sort();
            numbers.dedup();
            return Plan::Given(numbers);
        }
        let counted = leaders(asked).into_iter().zip(counts);
        let few = counted
            .filter(|(_, count)| **count < FEW)
            .min_by_key(|(_, count)| **count);
        if let Some((led, _)) = few {
            return Plan::Together(vec![self.all(asked, led)]);
        }
        match (sort_column(self.query.sort), &asked.ranges) {
            (None, Some(ranges)) => Plan::InTurn(self.by_ranges(asked, ranges)),
            (None, None) => match asked.columns.first() {
                Some(of) if of.parts.len() <= WALKS_MOST => {
                    Plan::Together(self.by_parts(asked, of))
                }
                _ => Plan::InTurn(self.sorted(asked)),
            },
            (column, _) => match asked.of(column) {
                Some(of) => Plan::InTurn(self.by_parts(asked, of)),
                None => Plan::InTurn(self.sorted(asked)),
            },
        }
    }

    fn select(&self) -> Statement {
        let text = format!(
            "SELECT {COLUMNS} FROM {} WHERE TRUE",
            self.dialect.numbers()
        );
        Statement::new(self.dialect, text)
    }

    /// All that is asked for, found by one part of it.
    fn all(&self, asked: &Asked, led: Led) -> Statement {
        let mut select = self.select();
        lead(&mut select, asked, led);
        asked.aside(&mut select, led);
        select
    }

    /// A walk for each value of a column, which come in the list's order where it is sorted by that column.
    fn by_parts(&self, asked: &Asked, of: &OneOf) -> Vec<Statement> {
        let is_sorted_by = sort_column(self.query.sort) == Some(of.column);
        let mut walks: Vec<_> = of
            .parts
            .iter()
            .filter_map(|part| {
                let behind = match is_sorted_by {
                    true => segments::behind_in(self.query, part)?,
                    false => segments::behind(self.query)?,
                };
                let mut select = self.select();
                select.and_is(of.column, part);
                Some(self.walk(select, asked, Led::By(of.column), behind))
            })
            .collect();
        if self.query.direction == Direction::Down {
            walks.reverse();
        }
        walks
    }

    /// A walk for each range of numbers.
    fn by_ranges(&self, asked: &Asked, ranges: &[(i64, i64)]) -> Vec<Statement> {
        let Some(behind) = segments::behind(self.query) else {
            return Vec::new();
        };
        // The place is part of the range: SQLite would begin at the first of two lower bounds.
        let rest = |(from, to): (i64, i64)| match (behind, self.query.direction) {
            (None, _) => (from, to),
            (Some(number), Direction::Up) => (from.max(number.saturating_add(1)), to),
            (Some(number), Direction::Down) => (from, to.min(number.saturating_sub(1))),
        };
        let rests = ranges.iter().map(|range| rest(*range));
        let walks = rests.filter(|(from, to)| from <= to).map(|range| {
            let mut select = self.select();
            select.and_in_ranges(std::slice::from_ref(&range), Way::Leading);
            self.walk(select, asked, Led::ByRange, None)
        });
        match self.query.direction {
            Direction::Up => walks.collect(),
            Direction::Down => walks.rev().collect(),
        }
    }

    /// Along the order of the list.
    fn sorted(&self, asked: &Asked) -> Vec<Statement> {
        let walk = |segment: segments::Segment| {
            let mut select = self.select();
            segment.lead(&mut select);
            asked.aside(&mut select, Led::Not);
            self.end(&mut select, segment.sorted_by());
            select
        };
        let segments = segments::of(self.query).into_iter();
        segments.map(walk).collect()
    }

    fn walk(
        &self,
        mut select: Statement,
        asked: &Asked,
        led: Led,
        behind: Option<i64>,
    ) -> Statement {
        if let Some(number) = behind {
            let sign = segments::sign(self.query.direction);
            select.and("number", sign, Value::Whole(number));
        }
        asked.aside(&mut select, led);
        self.end(&mut select, None);
        select
    }

    fn end(&self, select: &mut Statement, column: Option<&str>) {
        let down = match self.query.direction {
            Direction::Up => "",
            Direction::Down => " DESC",
        };
        select.push(" ORDER BY ");
        if let Some(column) = column {
            select.push(&format!("{column}{down}, "));
        }
        let most = i64::try_from(self.query.most).unwrap_or(i64::MAX);
        select.push(&format!("number{down} LIMIT "));
        select.value(Value::Whole(most));
    }
}

/// What of a filter an index leads to.
fn leaders(asked: &Asked) -> Vec<Led> {
    let columns = asked.columns.iter().map(|of| Led::By(of.column));
    let range = asked.ranges.as_ref().map(|_| Led::ByRange);
    columns.chain(range).collect()
}

fn lead(statement: &mut Statement, asked: &Asked, led: Led) {
    match led {
        Led::Not => {}
        Led::By(column) => {
            if let Some(of) = asked.of(Some(column)) {
                statement.and_one_of(column, &of.parts, Way::Leading);
            }
        }
        Led::ByRange => {
            if let Some(ranges) = &asked.ranges {
                statement.and_in_ranges(ranges, Way::Leading);
            }
        }
    }
}

/// Counts what `filter` asks for; `None` where it names single numbers, or nothing can be asked for so.
pub(crate) fn count(filter: &NumberFilter, dialect: Dialect) -> Option<Statement> {
    let asked = Asked::by(filter).filter(|_| filter.numbers.is_empty())?;
    let text = format!("SELECT count(*) FROM {} WHERE TRUE", dialect.numbers());
    let mut count = Statement::new(dialect, text);
    // The first leads: those that say most come first.
    let led = leaders(&asked).first().copied().unwrap_or(Led::Not);
    lead(&mut count, &asked, led);
    asked.aside(&mut count, led);
    Some(count)
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
        match query.direction {
            Direction::Up => order == Ordering::Greater,
            Direction::Down => order == Ordering::Less,
        }
    })
}

/// A query for all that `filter` asks for in the order of numbers, behind one of them.
pub(crate) fn in_order(
    filter: &NumberFilter,
    after: Option<PhoneNumber>,
    most: usize,
) -> NumberQuery {
    NumberQuery {
        filter: filter.clone(),
        sort: SortBy::Number,
        direction: Direction::Up,
        after: after.map(|number| caller_id_core::listing::NumberPlace {
            key: caller_id_core::listing::SortKey::None,
            digits: number.e164_digits(),
        }),
        most,
    }
}
