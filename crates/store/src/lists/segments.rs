//! What of a sorted list is behind a place: stretches, each along an index.
//!
//! A place is a key and a number. Behind it are the other numbers with its key, then those with keys that follow. Numbers
//! without a key come before all others.

use caller_id_core::listing::{Direction, NumberQuery, SortBy, SortKey};

use super::parts::sort_column;
use super::sql::{Part, Statement, Value};

/// A stretch of a sorted list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// All, by the number alone, behind one where it is given.
    Numbers(&'static str, Option<i64>),
    /// Those with that key, behind a number where it is given.
    With(&'static str, &'static str, Part, Option<i64>),
    /// Those with any key, behind one where it is given.
    Behind(&'static str, &'static str, Option<Value>),
}

impl Segment {
    /// The conditions that lead to it.
    pub(super) fn lead(&self, select: &mut Statement) {
        match self {
            Self::Numbers(sign, behind) => number(select, sign, *behind),
            Self::With(column, sign, part, behind) => {
                select.and_is(column, part);
                number(select, sign, *behind);
            }
            Self::Behind(column, sign, key) => {
                match key {
                    Some(key) => select.and(column, sign, key.clone()),
                    None => select.push(&format!(" AND {column} IS NOT NULL")),
                };
            }
        }
    }

    /// The column it is sorted by before the number; none where all have the same there.
    pub(super) fn sorted_by(&self) -> Option<&'static str> {
        match self {
            Self::Numbers(..) | Self::With(..) => None,
            Self::Behind(column, ..) => Some(column),
        }
    }
}

fn number(select: &mut Statement, sign: &str, behind: Option<i64>) {
    if let Some(behind) = behind {
        select.and("number", sign, Value::Whole(behind));
    }
}

/// What stands before what follows.
pub(super) const fn sign(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => ">",
        Direction::Down => "<",
    }
}

/// The list behind its place, in its order.
pub(super) fn of(query: &NumberQuery) -> Vec<Segment> {
    let Some(column) = sort_column(query.sort) else {
        let behind = behind(query);
        return behind
            .map(|behind| Segment::Numbers(sign(query.direction), behind))
            .into_iter()
            .collect();
    };
    let sign = sign(query.direction);
    let without = has_none(query.sort).then_some(Part::Null);
    let with = |part, behind| Segment::With(column, sign, part, behind);
    let none = |behind| without.clone().map(|part| with(part, behind));
    let any = || Segment::Behind(column, sign, None);
    let following = |key: Value| Segment::Behind(column, sign, Some(key));
    let (key, digits) = match &query.after {
        None => {
            let (none, any) = (none(None), Some(any()));
            let both = match query.direction {
                Direction::Up => [none, any],
                Direction::Down => [any, none],
            };
            return both.into_iter().flatten().collect();
        }
        Some(place) => (&place.key, whole(place.digits)),
    };
    let segments = match (key, value(query.sort, key), query.direction) {
        (SortKey::None, _, Direction::Up) => [none(Some(digits)), Some(any()), None],
        (SortKey::None, _, Direction::Down) => [none(Some(digits)), None, None],
        (_, Ok(key), direction) => {
            let same = with(Part::Is(key.clone()), Some(digits));
            let last = none(None).filter(|_| direction == Direction::Down);
            [Some(same), Some(following(key)), last]
        }
        // A place in another list, before or behind all keys of this one.
        (_, Err(Foreign::Before), Direction::Up) => [Some(any()), None, None],
        (_, Err(Foreign::Behind), Direction::Up) => [None, None, None],
        (_, Err(Foreign::Before), Direction::Down) => [none(None), None, None],
        (_, Err(Foreign::Behind), Direction::Down) => [Some(any()), none(None), None],
    };
    segments.into_iter().flatten().collect()
}

/// Where lists that are sorted by the number alone, or parts of them, go on: behind which number, if any. `None`: nothing
/// is behind the place.
pub(super) fn behind(query: &NumberQuery) -> Option<Option<i64>> {
    match (&query.after, query.direction) {
        (None, _) => Some(None),
        (Some(place), _) if place.key == SortKey::None => Some(Some(whole(place.digits))),
        // A place in another list, behind all of this one.
        (Some(_), Direction::Up) => None,
        (Some(_), Direction::Down) => Some(None),
    }
}

/// The same of those with that key in a list that is sorted by it.
pub(super) fn behind_in(query: &NumberQuery, part: &Part) -> Option<Option<i64>> {
    let Some(place) = &query.after else {
        return Some(None);
    };
    let key = match part {
        Part::Null => SortKey::None,
        Part::Is(Value::Whole(key)) => SortKey::Whole(*key),
        Part::Is(Value::Text(key)) => SortKey::Text(key.clone()),
    };
    let order = match query.direction {
        Direction::Up => key.cmp(&place.key),
        Direction::Down => place.key.cmp(&key),
    };
    match order {
        std::cmp::Ordering::Less => None,
        std::cmp::Ordering::Equal => Some(Some(whole(place.digits))),
        std::cmp::Ordering::Greater => Some(None),
    }
}

/// Whether numbers may have nothing there.
const fn has_none(sort: SortBy) -> bool {
    matches!(sort, SortBy::AreaCode | SortBy::Carrier)
}

/// A key that the column never has.
enum Foreign {
    /// It comes before all that the column has.
    Before,
    /// It comes behind.
    Behind,
}

fn value(sort: SortBy, key: &SortKey) -> Result<Value, Foreign> {
    let texts = matches!(sort, SortBy::Carrier | SortBy::Pool | SortBy::Status);
    match key {
        SortKey::Whole(key) if !texts => Ok(Value::Whole(*key)),
        SortKey::Text(key) if texts => Ok(Value::Text(key.clone())),
        SortKey::None | SortKey::Whole(_) => Err(Foreign::Before),
        SortKey::Text(_) => Err(Foreign::Behind),
    }
}

fn whole(digits: u64) -> i64 {
    i64::try_from(digits).unwrap_or(i64::MAX)
}
