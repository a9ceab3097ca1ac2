//! Numbers as people ask for them: filtered, sorted, page by page; and what they change of many at once.

use std::cmp::Ordering;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::area_code::AreaCode;
use crate::ids::PoolId;
use crate::inventory::{Attestation, Number, Status};
use crate::number::PhoneNumber;
use crate::time::Timestamp;

/// A number with what the store knows of its row.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberRow {
    /// The number.
    pub number: Number,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last changed. The end of a rest is no change.
    pub updated_at: Timestamp,
}

impl NumberRow {
    /// The row as it is at `now`: see [`Status::at`].
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.number.status = self.number.status.at(now);
        self
    }
}

/// A status without its instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatusKind {
    /// [`Status::Active`].
    Active,
    /// [`Status::Paused`].
    Paused,
    /// [`Status::Resting`].
    Resting,
    /// [`Status::Retired`].
    Retired,
}

impl StatusKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Active, Self::Paused, Self::Resting, Self::Retired];

    /// The word used in columns and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Resting => "resting",
            Self::Retired => "retired",
        }
    }

    /// Of which kind a status is.
    pub const fn of(status: Status) -> Self {
        match status {
            Status::Active => Self::Active,
            Status::Paused => Self::Paused,
            Status::Resting(_) => Self::Resting,
            Status::Retired => Self::Retired,
        }
    }
}

/// Which numbers are asked for: those for which all that is given holds. An empty list asks nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NumberFilter {
    /// In one of these pools.
    pub pools: Vec<PoolId>,
    /// With one of these statuses.
    pub statuses: Vec<StatusKind>,
    /// With one of these carriers; an empty text is: none.
    pub carriers: Vec<String>,
    /// With one of these area codes. A region is asked for by its area codes.
    pub area_codes: Vec<AreaCode>,
    /// With one of these levels.
    pub attestations: Vec<Attestation>,
    /// Only these numbers.
    pub numbers: Vec<PhoneNumber>,
    /// Whose E.164 digits, without the plus, begin with these.
    pub begins: Option<String>,
    /// Whose E.164 digits have these in them.
    pub contains: Option<String>,
}

impl NumberFilter {
    /// Whether `number` is asked for.
    pub fn has(&self, number: &Number) -> bool {
        fn any<T: PartialEq>(asked: &[T], given: &T) -> bool {
            asked.is_empty() || asked.contains(given)
        }
        let digits = number.number.e164_digits().to_string();
        let carrier = number.carrier.as_deref().unwrap_or_default();
        any(&self.pools, &number.pool)
            && any(&self.statuses, &StatusKind::of(number.status))
            && (self.carriers.is_empty() || self.carriers.iter().any(|asked| asked == carrier))
            && (self.area_codes.is_empty()
                || number
                    .area_code
                    .is_some_and(|code| self.area_codes.contains(&code)))
            && (self.attestations.is_empty()
                || number
                    .attestation
                    .is_some_and(|level| self.attestations.contains(&level)))
            && any(&self.numbers, &number.number)
            && self
                .begins
                .as_deref()
                .is_none_or(|begin| digits.starts_with(begin))
            && self
                .contains
                .as_deref()
                .is_none_or(|part| digits.contains(part))
    }
}

/// Numbers that have all of this in common, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberGroup {
    /// [`Number::pool`].
    pub pool: PoolId,
    /// [`Number::area_code`].
    pub area_code: Option<AreaCode>,
    /// [`Number::carrier`].
    pub carrier: Option<String>,
    /// The kind of [`Number::status`].
    pub status: StatusKind,
    /// Where they rest: when the first of them is active again.
    pub rests_until: Option<Timestamp>,
    /// How many there are.
    pub numbers: u64,
    /// How many of them have a limit of an hour.
    pub limited: u64,
    /// The sum of these limits.
    pub hourly_limits: u64,
}

/// How many numbers a pool has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolCount {
    /// The pool.
    pub pool: PoolId,
    /// Its numbers by their status as it was set, in the order of [`StatusKind::ALL`].
    pub by_status: [u64; StatusKind::ALL.len()],
}

/// By what numbers are sorted; numbers that are equal in it by the number itself, in the same direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SortBy {
    /// The number.
    #[default]
    Number,
    /// Its area code; none first.
    AreaCode,
    /// Its carrier, byte by byte; none first.
    Carrier,
    /// Its pool, byte by byte.
    Pool,
    /// The word of its status, byte by byte.
    Status,
    /// When it was added.
    CreatedAt,
    /// When it was last changed.
    UpdatedAt,
}

impl SortBy {
    /// What `row` has there.
    pub fn key(self, row: &NumberRow) -> SortKey {
        let number = &row.number;
        match self {
            Self::Number => SortKey::None,
            Self::AreaCode => number
                .area_code
                .map_or(SortKey::None, |code| SortKey::Whole(code.get().into())),
            Self::Carrier => number.carrier.clone().map_or(SortKey::None, SortKey::Text),
            Self::Pool => SortKey::Text(number.pool.to_string()),
            Self::Status => SortKey::Text(StatusKind::of(number.status).as_str().to_owned()),
            Self::CreatedAt => SortKey::Whole(row.created_at.as_ms()),
            Self::UpdatedAt => SortKey::Whole(row.updated_at.as_ms()),
        }
    }
}

/// What a number is sorted by. Nothing comes before everything.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SortKey {
    /// There is none.
    None,
    /// A whole number.
    Whole(i64),
    /// A text.
    Text(String),
}

/// The way a list runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Smallest first.
    #[default]
    Up,
    /// Greatest first.
    Down,
}

/// Where in a sorted list a page ends: the next one begins behind it, whatever was added or changed meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberPlace {
    /// What the last row was sorted by.
    pub key: SortKey,
    /// The last row's number: its E.164 digits.
    pub digits: u64,
}

/// A page of numbers, asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NumberQuery {
    /// Which.
    pub filter: NumberFilter,
    /// By what they are sorted.
    pub sort: SortBy,
    /// Which way.
    pub direction: Direction,
    /// Behind which place; none: from the beginning.
    pub after: Option<NumberPlace>,
    /// At most so many.
    pub most: usize,
}

impl NumberQuery {
    /// Where `row` stands in this list.
    pub fn place(&self, row: &NumberRow) -> NumberPlace {
        NumberPlace {
            key: self.sort.key(row),
            digits: row.number.number.e164_digits(),
        }
    }

    /// The order of two rows in this list.
    pub fn compare(&self, one: &NumberRow, other: &NumberRow) -> Ordering {
        let up = (self.sort.key(one), one.number.number.e164_digits())
            .cmp(&(self.sort.key(other), other.number.number.e164_digits()));
        match self.direction {
            Direction::Up => up,
            Direction::Down => up.reverse(),
        }
    }
}

/// What changes of a number. `None`: that stays as it is. The inner `None`: it is taken away.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NumberPatch {
    /// [`Number::status`].
    pub status: Option<Status>,
    /// [`Number::pool`]; it must exist.
    pub pool: Option<PoolId>,
    /// [`Number::carrier`].
    pub carrier: Option<Option<String>>,
    /// [`Number::attestation`].
    pub attestation: Option<Option<Attestation>>,
    /// [`Number::area_code`]; taken away, it is the number's own.
    pub area_code: Option<Option<AreaCode>>,
    /// The limit of a day.
    pub daily_limit: Option<Option<NonZeroU32>>,
    /// The limit of an hour.
    pub hourly_limit: Option<Option<NonZeroU32>>,
    /// [`Number::meta`].
    pub meta: Option<Option<Value>>,
}

impl NumberPatch {
    /// `number` with these changes.
    #[must_use]
    pub fn applied(&self, number: &Number) -> Number {
        let mut changed = number.clone();
        if let Some(status) = self.status {
            changed.status = status;
        }
        if let Some(pool) = &self.pool {
            changed.pool = pool.clone();
        }
        if let Some(carrier) = &self.carrier {
            changed.carrier.clone_from(carrier);
        }
        if let Some(attestation) = self.attestation {
            changed.attestation = attestation;
        }
        if let Some(code) = self.area_code {
            changed.area_code = code.or_else(|| number.number.area_code());
        }
        if let Some(limit) = self.daily_limit {
            changed.limits.daily = limit;
        }
        if let Some(limit) = self.hourly_limit {
            changed.limits.hourly = limit;
        }
        if let Some(meta) = &self.meta {
            changed.meta.clone_from(meta);
        }
        changed
    }
}

/// What is done to a number.
#[derive(Debug, Clone, PartialEq)]
pub enum NumberChange {
    /// Some of it changes.
    Patch(NumberPatch),
    /// It leaves the inventory. Its history stays; its uses count on if it comes back.
    Delete,
}

/// What a change expects to find, so that nobody overwrites what they have not seen.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected<T> {
    /// Whatever there is, or nothing.
    Any,
    /// Nothing.
    Nothing,
    /// Exactly this.
    This(T),
}

impl<T: PartialEq> Expected<T> {
    /// Whether `found` is what was expected.
    pub fn is(&self, found: Option<&T>) -> bool {
        match self {
            Self::Any => true,
            Self::Nothing => found.is_none(),
            Self::This(expected) => found == Some(expected),
        }
    }
}

/// What became of a change of one thing.
#[derive(Debug, Clone, PartialEq)]
pub enum Changed<T> {
    /// It was made where there was nothing.
    Made,
    /// It was changed; this was before.
    From(T),
    /// It is as it was asked to be already.
    Same,
    /// There is none.
    Missing,
    /// It is something else than was expected: this, or nothing.
    Differs(Option<T>),
}

/// What became of a pool that was to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolRemoval {
    /// It is removed.
    Removed,
    /// There is none.
    Missing,
    /// It is something else than was expected.
    Differs,
    /// Numbers are in it, or campaigns name it. The pool `default` is always in use.
    InUse {
        /// So many numbers.
        numbers: u64,
        /// These campaigns.
        campaigns: Vec<String>,
    },
}

/// What became of a part of many changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BulkStep {
    /// So many numbers are asked for.
    pub matched: u64,
    /// So many of them changed. The others are as they were asked to be already.
    pub changed: u64,
    /// Go on behind this number; none: that was all.
    pub next: Option<PhoneNumber>,
}
