//! What a migration takes out of one store and brings into another beside the inventory and history: keys, the audit log,
//! deleted numbers, sums.

use async_trait::async_trait;

use crate::area_code::AreaCode;
use crate::audit::AuditEntry;
use crate::history_query::Calls;
use crate::ids::PoolId;
use crate::inventory::Limits;
use crate::number::PhoneNumber;
use crate::roles::ApiKey;
use crate::store::StoreError;
use crate::time::Timestamp;

/// A number that was deleted, with what is kept so that its limits hold when it comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedNumber {
    /// The number.
    pub number: PhoneNumber,
    /// Its area code.
    pub area_code: Option<AreaCode>,
    /// The pool it was in, which may be gone.
    pub pool: PoolId,
    /// Its limits.
    pub limits: Limits,
    /// When it was deleted.
    pub removed_at: Timestamp,
}

/// Where a sum of an hour stands; sums are in the order of this.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HourPlace {
    /// By what it is counted: a number that both stores give the same meaning.
    pub what: i16,
    /// The start of the hour, in milliseconds.
    pub hour_ms: i64,
    /// The pool.
    pub pool: String,
    /// The campaign; empty = none.
    pub campaign: String,
    /// The area code, carrier or rung; empty = none.
    pub key: String,
}

/// Calls of an hour, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourSum {
    /// Which.
    pub place: HourPlace,
    /// How many.
    pub calls: Calls,
}

/// Calls of a number on a day in UTC, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaySum {
    /// The start of the day in milliseconds, and the number: sums are in the order of this.
    pub place: (i64, PhoneNumber),
    /// How many.
    pub calls: Calls,
}

/// Up to which instants history is summed up, in milliseconds: hours and days, and both for the second time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SumMarks(pub [i64; 4]);

/// A store that another one can take the place of.
///
/// What implementers hold: each method is one transaction; what is restored twice is as if it were once; nothing of it makes
/// an entry in the audit log.
#[async_trait]
pub trait Takeover: Send + Sync {
    /// Adds entries of another log with their places and hashes. Each must follow the one before, the first one the last of
    /// this log: gives the first place where that is not so, and adds nothing then.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn restore_entries(&self, entries: Vec<AuditEntry>) -> Result<Option<i64>, StoreError>;

    /// Puts keys with their hashes, revoked ones too, in this order; of a key that is there everything is replaced.
    ///
    /// # Errors
    /// [`StoreError`], also where a key that is not revoked has the name of another.
    async fn restore_keys(&self, keys: Vec<ApiKey>) -> Result<(), StoreError>;

    /// Deleted numbers, rising, after one or from the first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn removed_numbers(
        &self,
        after: Option<PhoneNumber>,
        most: usize,
    ) -> Result<Vec<RemovedNumber>, StoreError>;

    /// Puts deleted numbers; those that the inventory has are left out.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn restore_removed(&self, numbers: Vec<RemovedNumber>) -> Result<(), StoreError>;

    /// Sums by hour, in their order, after one or from the first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn hour_sums(
        &self,
        after: Option<HourPlace>,
        most: usize,
    ) -> Result<Vec<HourSum>, StoreError>;

    /// Puts sums by hour.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn restore_hour_sums(&self, sums: Vec<HourSum>) -> Result<(), StoreError>;

    /// Sums by day, in their order, after one or from the first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn day_sums(
        &self,
        after: Option<(i64, PhoneNumber)>,
        most: usize,
    ) -> Result<Vec<DaySum>, StoreError>;

    /// Puts sums by day.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn restore_day_sums(&self, sums: Vec<DaySum>) -> Result<(), StoreError>;

    /// How far history is summed up.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn sum_marks(&self) -> Result<SumMarks, StoreError>;

    /// Says how far history is summed up.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn restore_sum_marks(&self, marks: SumMarks) -> Result<(), StoreError>;
}
