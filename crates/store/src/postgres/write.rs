//! One change of the inventory: a transaction that gets a revision of its own, if it changes anything.

use std::collections::{BTreeMap, BTreeSet};

use caller_id_core::store::{OnDuplicate, Written};
use caller_id_core::{Number, PhoneNumber, PoolId, Status, Timestamp};
use sqlx_core::connection::Connection;
use sqlx_core::query::query;
use sqlx_core::query_scalar::query_scalar;
use sqlx_core::transaction::Transaction;
use sqlx_postgres::{PgConnection, Postgres};

use super::error::Fault;
use super::rows::{read_number, select_numbers};
use crate::values::{status_word, to_json};

/// Whoever changes the inventory holds this row, so that revisions are seen in their order.
const BEGIN: &str = "SELECT value FROM caller_id.meta WHERE key = 'revision' FOR UPDATE";
const SET_META: &str = "UPDATE caller_id.meta SET value = $1 WHERE key = ANY($2)";
const KEPT: &str = select_numbers!("WHERE number = ANY($1)");
const MAKE_POOLS: &str = "INSERT INTO caller_id.pools (id, policy)
    SELECT id, '{}' FROM UNNEST($1::text[]) AS t (id) ON CONFLICT (id) DO NOTHING";
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

/// A transaction on the inventory.
pub(super) struct Change<'c> {
    transaction: Transaction<'c, Postgres>,
    revision: i64,
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
    pub(super) async fn begin(connection: &'c mut PgConnection) -> Result<Self, Fault> {
        let mut transaction = connection.begin().await?;
        let last: i64 = query_scalar::<Postgres, _>(BEGIN)
            .fetch_one(&mut *transaction)
            .await?;
        Ok(Self {
            transaction,
            revision: last + 1,
            marks: BTreeSet::new(),
        })
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

    /// Writes the numbers: a number that comes twice is a duplicate of itself.
    pub(super) async fn write_numbers(
        &mut self,
        numbers: &[Number],
        on_duplicate: OnDuplicate,
        now: Timestamp,
    ) -> Result<Vec<Written>, Fault> {
        let digits: Vec<_> = numbers
            .iter()
            .map(|row| row.number.e164_digits() as i64)
            .collect();
        let kept = query::<Postgres>(KEPT)
            .bind(digits)
            .fetch_all(self.connection())
            .await?;
        let kept: Result<Vec<_>, _> = kept.iter().map(read_number).collect();
        let (written, rows) = decide(kept?, numbers, on_duplicate);
        if rows.is_empty() {
            return Ok(written);
        }
        let pools: BTreeSet<_> = rows.iter().map(|row| row.pool.as_str()).collect();
        let made = query::<Postgres>(MAKE_POOLS)
            .bind(pools.into_iter().collect::<Vec<_>>())
            .execute(self.connection())
            .await?;
        self.changed(POOLS, made.rows_affected());
        self.put(&rows, now).await?;
        self.changed(ANY, 1);
        Ok(written)
    }

    async fn put(&mut self, rows: &[Number], now: Timestamp) -> Result<(), Fault> {
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
            .bind(now.as_ms());
        write.execute(self.connection()).await?;
        Ok(())
    }

    /// Ends it, with the next revision when anything changed.
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
        Ok(self.transaction.commit().await?)
    }
}

fn each<'a, T>(rows: &'a [Number], of: impl Fn(&'a Number) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

/// What becomes of each row, one after the other, and the numbers that differ in the end from those that were kept.
fn decide(
    kept: Vec<Number>,
    rows: &[Number],
    on_duplicate: OnDuplicate,
) -> (Vec<Written>, Vec<Number>) {
    let mut numbers: BTreeMap<PhoneNumber, Number> =
        kept.into_iter().map(|row| (row.number, row)).collect();
    let mut changed = BTreeSet::new();
    let mut written = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(there) = numbers.get(&row.number) else {
            numbers.insert(row.number, row.clone());
            changed.insert(row.number);
            written.push(Written::Added);
            continue;
        };
        written.push(match on_duplicate {
            OnDuplicate::Skip => Written::Skipped,
            OnDuplicate::Fail => Written::Exists,
            OnDuplicate::Update(fields) => {
                let merged = fields.merge(there.clone(), row);
                if merged != *there {
                    changed.insert(row.number);
                    numbers.insert(row.number, merged);
                }
                Written::Updated
            }
        });
    }
    numbers.retain(|number, _| changed.contains(number));
    (written, numbers.into_values().collect())
}

/// The names of the pools that a campaign may name.
pub(super) async fn pool_names(connection: &mut PgConnection) -> Result<Vec<PoolId>, Fault> {
    let names: Vec<String> = query_scalar::<Postgres, _>("SELECT id FROM caller_id.pools")
        .fetch_all(connection)
        .await?;
    let read = |name: &String| {
        PoolId::new(name)
            .map_err(|cause| crate::values::unreadable("a pool", &cause.to_string()).into())
    };
    names.iter().map(read).collect()
}
