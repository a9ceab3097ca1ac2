//! One change of the inventory: a transaction that gets a revision of its own, if it changes anything.

use std::num::NonZeroU32;

use caller_id_core::audit::AuditEvent;
use caller_id_core::{Author, Number, PhoneNumber, PoolId, Status, StoreError, Timestamp};
use rusqlite::{Connection, Params, Transaction, TransactionBehavior};

use super::error::sqlite;
use super::rows::{read_number, select_numbers, status_word};
use super::{audit, meta};
use crate::entries::pool_made;
pub(super) use crate::values::to_json;

const INSERT: &str = "INSERT INTO numbers
    (number, area_code, carrier, attestation, status, resting_until, pool, daily_limit, hourly_limit, meta,
        revision, created_at, updated_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12) ON CONFLICT (number) DO NOTHING";
const UPDATE: &str = "UPDATE numbers SET
    area_code = ?2, carrier = ?3, attestation = ?4, status = ?5, resting_until = ?6, pool = ?7, daily_limit = ?8,
    hourly_limit = ?9, meta = ?10, revision = ?11, updated_at = ?12
    WHERE number = ?1";
const KEPT: &str = select_numbers!("WHERE number = ?1");
const MAKE_POOL: &str =
    "INSERT INTO pools (id, policy) VALUES (?1, '{}') ON CONFLICT (id) DO NOTHING";
const ANY_REMOVED: &str = "SELECT 1 FROM removed_numbers LIMIT 1";
const COME_BACK: &str = "DELETE FROM removed_numbers WHERE number = ?1";
const REMOVE: &str = "INSERT OR REPLACE INTO removed_numbers
        (number, area_code, pool, daily_limit, hourly_limit, revision, removed_at)
    SELECT number, area_code, pool, daily_limit, hourly_limit, ?2, ?3 FROM numbers WHERE number = ?1";
const DELETE: &str = "DELETE FROM numbers WHERE number = ?1";
const SET_META: &str = "UPDATE meta SET value = ?2 WHERE key = ?1";

/// What a change touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Numbers.
    Numbers,
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
    /// What the audit log is told, in this order.
    events: Vec<AuditEvent>,
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
            events: Vec::new(),
        })
    }

    /// For reading what it is about to change.
    pub(super) fn connection(&self) -> &Connection {
        &self.transaction
    }

    /// What of it the audit log is told.
    pub(super) fn tell(&mut self, event: Option<AuditEvent>) {
        self.events.extend(event);
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
            Part::Numbers => self.numbers |= rows > 0,
            Part::Pools => self.pools |= rows > 0,
            Part::Campaigns => self.campaigns |= rows > 0,
        }
        Ok(rows)
    }

    /// Adds a number; `false`: it is there already.
    pub(super) fn insert(&mut self, number: &Number) -> Result<bool, StoreError> {
        Ok(self.put(INSERT, number)? > 0)
    }

    /// Writes a number that is there.
    pub(super) fn update(&mut self, number: &Number) -> Result<(), StoreError> {
        self.put(UPDATE, number).map(drop)
    }

    fn put(&mut self, sql: &str, number: &Number) -> Result<usize, StoreError> {
        let meta = number.meta.as_ref().map(to_json).transpose()?;
        let resting_until = match number.status {
            Status::Resting(until) => Some(until.as_ms()),
            Status::Active | Status::Paused | Status::Retired => None,
        };
        let (revision, now) = (self.revision, self.now.as_ms());
        let row = (
            digits(number.number),
            number.area_code.map(|code| code.get()),
            number.carrier.as_deref(),
            number.attestation.map(|level| level.to_string()),
            status_word(number.status),
            resting_until,
            number.pool.as_str(),
            number.limits.daily.map(NonZeroU32::get),
            number.limits.hourly.map(NonZeroU32::get),
            meta,
            revision,
            now,
        );
        self.execute(Part::Numbers, sql, row)
    }

    /// When it began.
    pub(super) const fn now(&self) -> Timestamp {
        self.now
    }

    /// The number as it is now, if it is there.
    pub(super) fn kept(&self, number: PhoneNumber) -> Result<Option<Number>, StoreError> {
        let mut select = self.transaction.prepare_cached(KEPT).map_err(sqlite)?;
        let mut rows = select.query([digits(number)]).map_err(sqlite)?;
        let Some(row) = rows.next().map_err(sqlite)? else {
            return Ok(None);
        };
        let mut number = read_number(row)?;
        number.status = number.status.at(self.now);
        Ok(Some(number))
    }

    /// Takes a number out of the inventory; it is kept where engines find it.
    pub(super) fn remove(&mut self, number: PhoneNumber) -> Result<(), StoreError> {
        let place = (digits(number), self.revision, self.now.as_ms());
        self.execute(Part::Numbers, REMOVE, place)?;
        self.execute(Part::Numbers, DELETE, [digits(number)])
            .map(drop)
    }

    /// Whether any number was taken out and did not come back.
    pub(super) fn has_removed(&self) -> Result<bool, StoreError> {
        self.transaction
            .prepare_cached(ANY_REMOVED)
            .and_then(|mut any| any.exists([]))
            .map_err(sqlite)
    }

    /// A number that was added is taken out no more.
    pub(super) fn come_back(&mut self, number: PhoneNumber) -> Result<(), StoreError> {
        self.execute(Part::Numbers, COME_BACK, [digits(number)])
            .map(drop)
    }

    /// Makes a pool that is not there.
    pub(super) fn make_pool(&mut self, pool: &PoolId, by: &Author) -> Result<(), StoreError> {
        if self.execute(Part::Pools, MAKE_POOL, [pool.as_str()])? > 0 {
            self.tell(Some(pool_made(pool, by)));
        }
        Ok(())
    }

    /// Ends it, with the next revision and the entry of the audit log when anything changed.
    pub(super) fn commit(self) -> Result<(), StoreError> {
        let any = self.numbers || self.pools || self.campaigns;
        let marks = [
            (any, "revision"),
            (self.pools, "pools_revision"),
            (self.campaigns, "campaigns_revision"),
        ];
        for (_, key) in marks.into_iter().filter(|(changed, _)| *changed) {
            self.transaction
                .execute(SET_META, (key, self.revision))
                .map_err(sqlite)?;
        }
        for event in self.events {
            audit::append(&self.transaction, self.now, event)?;
        }
        self.transaction.commit().map_err(sqlite)
    }
}

fn digits(number: PhoneNumber) -> i64 {
    number.e164_digits() as i64
}
