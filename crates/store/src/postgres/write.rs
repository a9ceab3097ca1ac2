//! One change of the inventory: a transaction that gets a revision of its own, if it changes anything.

use std::collections::BTreeSet;

use caller_id_core::audit::AuditEvent;
use caller_id_core::{Number, PhoneNumber, Status, Timestamp};
use sqlx_core::connection::Connection;
use sqlx_core::query::query;
use sqlx_core::query_scalar::query_scalar;
use sqlx_core::raw_sql::raw_sql;
use sqlx_core::transaction::Transaction;
use sqlx_postgres::{PgConnection, Postgres};

use super::audit;
use super::error::Fault;
use crate::values::{status_word, to_json};

/// Whoever changes the inventory holds this row, so that revisions are seen in their order.
const BEGIN: &str = "SELECT value FROM caller_id.meta WHERE key = 'revision' FOR UPDATE";
const SET_META: &str = "UPDATE caller_id.meta SET value = $1 WHERE key = ANY($2)";
const COME_BACK: &str = "DELETE FROM caller_id.removed_numbers WHERE number = ANY($1)";
const REMOVE: &str = "WITH gone AS (
        DELETE FROM caller_id.numbers WHERE number = ANY($1)
        RETURNING number, area_code, pool, daily_limit, hourly_limit
    ) INSERT INTO caller_id.removed_numbers
        (number, area_code, pool, daily_limit, hourly_limit, revision, removed_at)
    SELECT number, area_code, pool, daily_limit, hourly_limit, $2, $3 FROM gone";
const WRITE: &str = "INSERT INTO caller_id.numbers
        (number, area_code, carrier, attestation, status, resting_until, pool, daily_limit, hourly_limit, meta,
            revision, created_at, updated_at)
    SELECT t.*, $11, $12, $12 FROM UNNEST($1::bigint[], $2::int[], $3::text[], $4::text[], $5::text[], $6::bigint[],
        $7::text[], $8::int[], $9::int[], $10::text[]) AS t
    ON CONFLICT (number) DO UPDATE SET
        area_code = excluded.area_code, carrier = excluded.carrier, attestation = excluded.attestation,
        status = excluded.status, resting_until = excluded.resting_until, pool = excluded.pool,
        daily_limit = excluded.daily_limit, hourly_limit = excluded.hourly_limit, meta = excluded.meta,
        revision = excluded.revision, updated_at = excluded.updated_at";

/// Sessions plan each query for its values, which pays for lists. Here it would plan the look at the pool, which a row's
/// foreign key makes, anew for each row: half the time of an import.
const PLAN_ONCE: &str = "SET LOCAL plan_cache_mode = auto";
/// From so many rows on that is worth a way to the server and back.
const MANY_ROWS: usize = 16;

/// A transaction on the inventory.
pub(super) struct Change<'c> {
    transaction: Transaction<'c, Postgres>,
    now: Timestamp,
    revision: i64,
    /// What the audit log is told, in this order.
    events: Vec<AuditEvent>,
    /// The marks of `meta` that follow the revision.
    marks: BTreeSet<&'static str>,
}

/// The mark of any change.
const ANY: &str = "revision";
/// The mark of a change of pools.
pub(super) const POOLS: &str = "pools_revision";
/// The mark of a change of campaigns.
pub(super) const CAMPAIGNS: &str = "campaigns_revision";

impl<'c> Change<'c> {
    /// Begins it; nobody else changes the inventory until its end.
    pub(super) async fn begin(
        connection: &'c mut PgConnection,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        let mut transaction = connection.begin().await?;
        let last: i64 = query_scalar::<Postgres, _>(BEGIN)
            .fetch_one(&mut *transaction)
            .await?;
        Ok(Self {
            transaction,
            now,
            revision: last + 1,
            events: Vec::new(),
            marks: BTreeSet::new(),
        })
    }

    /// When it began.
    pub(super) const fn now(&self) -> Timestamp {
        self.now
    }

    /// For a statement of this change.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// Notes how many rows a statement changed of the part with this mark.
    pub(super) fn changed(&mut self, mark: &'static str, rows: u64) {
        if rows > 0 {
            self.marks.extend([ANY, mark]);
        }
    }

    /// What of it the audit log is told.
    pub(super) fn tell(&mut self, event: Option<AuditEvent>) {
        self.events.extend(event);
    }

    /// Takes numbers out of the inventory; they are kept where engines find them.
    pub(super) async fn remove(&mut self, numbers: &[PhoneNumber]) -> Result<(), Fault> {
        let (revision, now) = (self.revision, self.now.as_ms());
        let removed = query::<Postgres>(REMOVE)
            .bind(digits(numbers))
            .bind(revision)
            .bind(now)
            .execute(self.connection())
            .await?;
        self.changed(ANY, removed.rows_affected());
        Ok(())
    }

    /// Numbers that were added are taken out no more.
    pub(super) async fn come_back(&mut self, numbers: &[PhoneNumber]) -> Result<(), Fault> {
        query::<Postgres>(COME_BACK)
            .bind(digits(numbers))
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Writes numbers, whether they are there or not.
    pub(super) async fn put(&mut self, rows: &[Number]) -> Result<(), Fault> {
        if rows.is_empty() {
            return Ok(());
        }
        if rows.len() >= MANY_ROWS {
            raw_sql(PLAN_ONCE).execute(self.connection()).await?;
        }
        let mut metas = Vec::with_capacity(rows.len());
        for row in rows {
            metas.push(row.meta.as_ref().map(to_json).transpose()?);
        }
        let limit = |limit: std::num::NonZeroU32| limit.get() as i32;
        let until = |row: &Number| match row.status {
            Status::Resting(until) => Some(until.as_ms()),
            Status::Active | Status::Paused | Status::Retired => None,
        };
        let write = query::<Postgres>(WRITE)
            .bind(each(rows, |row| row.number.e164_digits() as i64))
            .bind(each(rows, |row| {
                row.area_code.map(|code| i32::from(code.get()))
            }))
            .bind(each(rows, |row| row.carrier.as_deref()))
            .bind(each(rows, |row| {
                row.attestation.map(|level| level.to_string())
            }))
            .bind(each(rows, |row| status_word(row.status)))
            .bind(each(rows, until))
            .bind(each(rows, |row| row.pool.as_str()))
            .bind(each(rows, |row| row.limits.daily.map(limit)))
            .bind(each(rows, |row| row.limits.hourly.map(limit)))
            .bind(metas)
            .bind(self.revision)
            .bind(self.now.as_ms());
        let written = write.execute(self.connection()).await?;
        self.changed(ANY, written.rows_affected());
        Ok(())
    }

    /// Ends it, with the next revision and the entry of the audit log when anything changed.
    pub(super) async fn commit(mut self) -> Result<(), Fault> {
        if self.marks.is_empty() {
            return Ok(self.transaction.rollback().await?);
        }
        let marks: Vec<_> = self.marks.iter().copied().collect();
        query::<Postgres>(SET_META)
            .bind(self.revision)
            .bind(marks)
            .execute(&mut *self.transaction)
            .await?;
        for event in self.events {
            audit::append(&mut self.transaction, self.now, event).await?;
        }
        Ok(self.transaction.commit().await?)
    }
}

fn each<'a, T>(rows: &'a [Number], of: impl Fn(&'a Number) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

fn digits(numbers: &[PhoneNumber]) -> Vec<i64> {
    let digits = numbers.iter().map(|number| number.e164_digits() as i64);
    digits.collect()
}
