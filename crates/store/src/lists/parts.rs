//! What a filter asks of each column.

use caller_id_core::Timestamp;
use caller_id_core::listing::{NumberFilter, StatusKind};

use super::sql::{Part, Statement, Value};

/// The most digits of a number.
const DIGITS_MOST: u32 = 15;
/// The column whose meaning depends on the time.
const STATUS: &str = "status";

/// Of one column: one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OneOf {
    /// Which.
    pub(super) column: &'static str,
    /// Ascending, none twice.
    pub(super) parts: Vec<Part>,
}

/// What a filter asks, apart from single numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// Of columns.
    pub(super) columns: Vec<OneOf>,
    /// Ranges of numbers, ascending: those that begin with the digits.
    pub(super) ranges: Option<Vec<(i64, i64)>>,
    /// Digits in it.
    pub(super) contains: Option<String>,
}

impl Asked {
    /// `None` where no number can be asked for.
    pub(super) fn by(filter: &NumberFilter) -> Option<Self> {
        let ranges = match filter.begins.as_deref() {
            None | Some("") => None,
            Some(begin) => Some(ranges(begin)?),
        };
        let contains = filter.contains.clone().filter(|part| !part.is_empty());
        if contains.as_deref().is_some_and(|part| !are_digits(part)) {
            return None;
        }
        Some(Self {
            columns: columns(filter),
            ranges,
            contains,
        })
    }

    /// Adds all of it to a statement, as it is at `now`, but the ranges.
    pub(super) fn aside(&self, statement: &mut Statement, now: Timestamp) {
        for of in &self.columns {
            match of.column {
                STATUS => statement.and_status(&of.parts, now),
                column => statement.and_one_of(column, &of.parts),
            };
        }
        if let Some(digits) = &self.contains {
            statement.and_has_digits(digits);
        }
    }
}

fn columns(filter: &NumberFilter) -> Vec<OneOf> {
    let text = |text: &str| Part::Is(Value::Text(text.to_owned()));
    let areas = filter.area_codes.iter();
    let areas = areas.map(|code| Part::Is(Value::Whole(code.get().into())));
    let carriers = filter.carriers.iter().flat_map(|name| {
        let none = name.is_empty().then_some(Part::Null);
        none.into_iter().chain([text(name)])
    });
    let pools = filter.pools.iter().map(|pool| text(pool.as_str()));
    let levels = filter.attestations.iter();
    let levels = levels.map(|level| text(&level.to_string()));
    let statuses = filter.statuses.iter();
    let statuses = statuses.map(|kind: &StatusKind| text(kind.as_str()));
    let columns: [(&str, Vec<Part>); 5] = [
        ("area_code", areas.collect()),
        ("carrier", carriers.collect()),
        ("pool", pools.collect()),
        ("attestation", levels.collect()),
        (STATUS, statuses.collect()),
    ];
    let asked = columns.into_iter().filter(|(_, parts)| !parts.is_empty());
    asked
        .map(|(column, mut parts)| {
            parts.sort();
            parts.dedup();
            OneOf { column, parts }
        })
        .collect()
}

fn are_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The numbers that begin so, a range for each length; none where no number can.
fn ranges(begin: &str) -> Option<Vec<(i64, i64)>> {
    let length = u32::try_from(begin.len()).ok()?;
    if !are_digits(begin) || begin.starts_with('0') || length > DIGITS_MOST {
        return None;
    }
    let first: i64 = begin.parse().ok()?;
    let range = |more: u32| {
        let scale = 10_i64.pow(more);
        (first * scale, (first + 1) * scale - 1)
    };
    Some((0..=DIGITS_MOST - length).map(range).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_that_begin_so_are_a_range_for_each_length() {
        let all = ranges("1312").expect("digits");
        assert_eq!(all.len(), 12);
        assert_eq!(all[0], (1_312, 1_312));
        assert_eq!(all[7], (13_120_000_000, 13_129_999_999));
        assert!(all.is_sorted());
        for none in ["01", "+1", "1234567890123456"] {
            assert_eq!(ranges(none), None, "{none}");
        }
    }
}
