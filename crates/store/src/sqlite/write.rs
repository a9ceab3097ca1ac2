//! One change of the inventory: a transaction that gets a revision of its own, if it changes anything.

use std::collections::HashSet;

use caller_id_core::store::{Fields, OnDuplicate, Written};
use caller_id_core::{Number, PoolId, Status, StoreError, Timestamp};
use rusqlite::{Connection, Params, Transaction, TransactionBehavior};

use super::error::sqlite;
use super::meta;
use super::rows::{read_number, select_numbers, status_word};
pub(super) use crate::values::to_json;

const INSERT: &str = "INSERT INTO numbers
    (number, area_code, carrier, attestation, status, resting_until, pool, daily_limit, hourly_limit, meta,
        revision, created_at, updated_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12) ON CONFLICT (number) DO NOTHING";
/// Touches nothing where nothing differs, so that importing the same file again is no change.
const UPDATE: &str = "UPDATE numbers SET
    area_code = ?2, carrier = ?3, attestation = ?4, status = ?5, resting_until = ?6, pool = ?7, daily_limit = ?8,
    hourly_limit = ?9, meta = ?10, revision = ?11, updated_at = ?12
    WHERE number = ?1 AND (area_code, carrier, attestation, status, resting_until, pool, daily_limit, hourly_limit, meta)
        IS NOT (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
const KEPT: &str = select_numbers!("WHERE number = ?1");
const EXISTS: &str = "SELECT 1 FROM numbers WHERE number = ?1";
const MAKE_POOL: &str =
    "INSERT INTO pools (id, policy) VALUES (?1, '{}') ON CONFLICT (id) DO NOTHING";
const SET_META: &str = "UPDATE meta SET value = ?2 WHERE key = ?1";

/// What a change touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The list of pools.
    Pools,
    /// The list of campaigns.
    Campaigns,
}

/// A transaction on the inventory.
pub(super) struct Change<'a> {
    transaction: Transaction<'a>,
    now: Timestamp,
    revision: i64,
    numbers: bool,
    pools: bool,
    campaigns: bool,
}

impl<'a> Change<'a> {
    /// Begins it; nobody else writes until its end.
    pub(super) fn begin(main: &'a mut Connection, now: Timestamp) -> Result<Self, StoreError> {
        let transaction = main
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(sqlite)?;
        Ok(Self {
            revision: meta(&transaction, "revision")? + 1,
            transaction,
            now,
            numbers: false,
            pools: false,
            campaigns: false,
        })
    }

    /// For reading what it is about to change.
    pub(super) fn connection(&self) -> &Connection {
        &self.transaction
    }

    /// Runs one statement on a part; tells how many rows it changed.
    pub(super) fn execute(
        &mut self,
        part: Part,
        sql: &str,
        parameters: impl Params,
    ) -> Result<usize, StoreError> {
        let rows = self
            .transaction
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(parameters))
            .map_err(sqlite)?;
        match part {
            Part::Pools => self.pools |= rows > 0,
            Part::Campaigns => self.campaigns |= rows > 0,
        }
        Ok(rows)
    }

    /// Writes the numbers one by one: a number that comes twice is a duplicate of itself.
    pub(super) fn write_numbers(
        &mut self,
        numbers: &[Number],
        on_duplicate: OnDuplicate,
    ) -> Result<Vec<Written>, StoreError> {
        let mut known = HashSet::new();
        let mut written = Vec::with_capacity(numbers.len());
        for number in numbers {
            if !known.contains(&number.pool) {
                // Only a row that is written makes a pool.
                if !matches!(on_duplicate, OnDuplicate::Update(_)) && self.exists(number)? {
                    written.push(refusal(on_duplicate));
                    continue;
                }
                self.make_pool(&number.pool)?;
                known.insert(&number.pool);
            }
            written.push(self.write_number(number, on_duplicate)?);
        }
        Ok(written)
    }

    fn write_number(
        &mut self,
        number: &Number,
        on_duplicate: OnDuplicate,
    ) -> Result<Written, StoreError> {
        let meta = number.meta.as_ref().map(to_json).transpose()?;
        if self.put(INSERT, number, meta.as_deref())? > 0 {
            self.numbers = true;
            return Ok(Written::Added);
        }
        match on_duplicate {
            OnDuplicate::Update(Fields::ALL) => {
                self.numbers |= self.put(UPDATE, number, meta.as_deref())? > 0;
            }
            OnDuplicate::Update(fields) => {
                let merged = fields.merge(self.kept(number)?, number);
                let meta = merged.meta.as_ref().map(to_json).transpose()?;
                self.numbers |= self.put(UPDATE, &merged, meta.as_deref())? > 0;
            }
            OnDuplicate::Skip | OnDuplicate::Fail => {}
        }
        Ok(refusal(on_duplicate))
    }

    fn put(&self, sql: &str, number: &Number, meta: Option<&str>) -> Result<usize, StoreError> {
        let resting_until = match number.status {
            Status::Resting(until) => Some(until.as_ms()),
            Status::Active | Status::Paused | Status::Retired => None,
        };
        let attestation = number.attestation.map(|level| level.to_string());
        self.transaction
            .prepare_cached(sql)
            .and_then(|mut statement| {
                statement.execute((
                    number.number.e164_digits() as i64,
                    number.area_code.map(|code| code.get()),
                    number.carrier.as_deref(),
                    attestation,
                    status_word(number.status),
                    resting_until,
                    number.pool.as_str(),
                    number.limits.daily.map(std::num::NonZeroU32::get),
                    number.limits.hourly.map(std::num::NonZeroU32::get),
                    meta,
                    self.revision,
                    self.now.as_ms(),
                ))
            })
            .map_err(sqlite)
    }

    /// The row that is there; only for one that is known to be.
    fn kept(&self, number: &Number) -> Result<Number, StoreError> {
        let mut select = self.transaction.prepare_cached(KEPT).map_err(sqlite)?;
        let mut rows = select
            .query([number.number.e164_digits() as i64])
            .map_err(sqlite)?;
        match rows.next().map_err(sqlite)? {
            Some(row) => read_number(row),
            None => Err(StoreError::Missing(format!(
                "number `{}` is not there",
                number.number
            ))),
        }
    }

    fn exists(&self, number: &Number) -> Result<bool, StoreError> {
        self.transaction
            .prepare_cached(EXISTS)
            .and_then(|mut exists| exists.exists([number.number.e164_digits() as i64]))
            .map_err(sqlite)
    }

    fn make_pool(&mut self, pool: &PoolId) -> Result<(), StoreError> {
        self.execute(Part::Pools, MAKE_POOL, [pool.as_str()])
            .map(drop)
    }

    /// Ends it, with the next revision when anything changed.
    pub(super) fn commit(self) -> Result<(), StoreError> {
        let marks = [
            (self.numbers || self.pools || self.campaigns, "revision"),
            (self.pools, "pools_revision"),
            (self.campaigns, "campaigns_revision"),
        ];
        for (_, key) in marks.into_iter().filter(|(changed, _)| *changed) {
            self.transaction
                .execute(SET_META, (key, self.revision))
                .map_err(sqlite)?;
        }
        self.transaction.commit().map_err(sqlite)
    }
}

/// What becomes of a row whose number is there already.
fn refusal(on_duplicate: OnDuplicate) -> Written {
    match on_duplicate {
        OnDuplicate::Skip => Written::Skipped,
        OnDuplicate::Update(_) => Written::Updated,
        OnDuplicate::Fail => Written::Exists,
    }
}
