//! What a migration takes and brings beside the inventory and history.

use async_trait::async_trait;
use caller_id_core::audit::AuditEntry;
use caller_id_core::roles::ApiKey;
use caller_id_core::takeover::{DaySum, HourPlace, HourSum, RemovedNumber, SumMarks, Takeover};
use caller_id_core::{Limits, PhoneNumber, PoolId, StoreError, Timestamp};
use sqlx_core::connection::Connection;
use sqlx_core::query::query;
use sqlx_core::query_scalar::query_scalar;
use sqlx_postgres::{PgConnection, PgRow, Postgres};

use super::error::Fault;
use super::rows::{self, column};
use super::stats::read_calls;
use super::{PostgresStore, audit, keys};
use crate::sums::{Job, before_all_hours};
use crate::values::{number, unreadable};

const REMOVED: &str = "SELECT number, area_code, pool, daily_limit, hourly_limit, removed_at
    FROM caller_id.removed_numbers WHERE number > $1 ORDER BY number LIMIT $2";
/// Whoever changes the inventory holds this row.
const NEXT_REVISION: &str =
    "UPDATE caller_id.meta SET value = value + 1 WHERE key = 'revision' RETURNING value";
const PUT_REMOVED: &str = "INSERT INTO caller_id.removed_numbers
        (number, area_code, pool, daily_limit, hourly_limit, removed_at, revision)
    SELECT t.*, $7 FROM UNNEST($1::bigint[], $2::int[], $3::text[], $4::int[], $5::int[], $6::bigint[])
        AS t (number, area_code, pool, daily_limit, hourly_limit, removed_at)
    WHERE NOT EXISTS (SELECT 1 FROM caller_id.numbers n WHERE n.number = t.number)
    ON CONFLICT (number) DO UPDATE SET area_code = excluded.area_code, pool = excluded.pool,
        daily_limit = excluded.daily_limit, hourly_limit = excluded.hourly_limit, removed_at = excluded.removed_at,
        revision = excluded.revision";
const HOURS: &str = "SELECT what, hour, pool, campaign, key,
        calls, answered, busy, no_answer, cancelled, failed, answered_seconds FROM caller_id.sums_by_hour
    WHERE (what, hour, pool, campaign, key) > ($1, $2, $3, $4, $5) ORDER BY what, hour, pool, campaign, key LIMIT $6";
const PUT_HOURS: &str = "INSERT INTO caller_id.sums_by_hour
        (what, hour, pool, campaign, key, calls, answered, busy, no_answer, cancelled, failed, answered_seconds)
    SELECT * FROM UNNEST($1::smallint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
        $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[])
    ON CONFLICT (what, hour, pool, campaign, key) DO UPDATE SET calls = excluded.calls, answered = excluded.answered,
        busy = excluded.busy, no_answer = excluded.no_answer, cancelled = excluded.cancelled, failed = excluded.failed,
        answered_seconds = excluded.answered_seconds";
const DAYS: &str =
    "SELECT day, number, calls, answered, busy, no_answer, cancelled, failed, answered_seconds
    FROM caller_id.sums_by_day WHERE (day, number) > ($1, $2) ORDER BY day, number LIMIT $3";
const PUT_DAYS: &str = "INSERT INTO caller_id.sums_by_day
        (day, number, calls, answered, busy, no_answer, cancelled, failed, answered_seconds)
    SELECT * FROM UNNEST($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
        $7::bigint[], $8::bigint[], $9::bigint[])
    ON CONFLICT (day, number) DO UPDATE SET calls = excluded.calls, answered = excluded.answered, busy = excluded.busy,
        no_answer = excluded.no_answer, cancelled = excluded.cancelled, failed = excluded.failed,
        answered_seconds = excluded.answered_seconds";
const MARK: &str = "SELECT value FROM caller_id.meta WHERE key = $1";
const SET_MARK: &str = "UPDATE caller_id.meta SET value = $2 WHERE key = $1";

/// Until PostgreSQL has looked at tables that were filled at once it takes them for empty: it would read all of history for an
/// agent's calls. By itself it looks a minute later.
const LOOK_AT_THEM: &str =
    "ANALYZE caller_id.numbers, caller_id.allocations, caller_id.sums_by_hour,
    caller_id.sums_by_day";

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

fn digits(number: PhoneNumber) -> i64 {
    number.e164_digits() as i64
}

fn each<'a, R, T>(rows: &'a [R], of: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

fn read_removed(row: &PgRow) -> Result<RemovedNumber, Fault> {
    let number = number(column(row, 0)?)?;
    let fail = |why: &str| unreadable(&format!("the removed number `{number}`"), why);
    Ok(RemovedNumber {
        number,
        area_code: rows::area_code(row, 1, fail)?,
        pool: PoolId::new(column(row, 2)?).map_err(|cause| fail(&cause.to_string()))?,
        limits: Limits {
            daily: rows::limit(row, 3)?,
            hourly: rows::limit(row, 4)?,
        },
        removed_at: Timestamp::from_ms(column(row, 5)?),
    })
}

fn read_hour(row: &PgRow) -> Result<HourSum, Fault> {
    Ok(HourSum {
        place: HourPlace {
            what: column(row, 0)?,
            hour_ms: column(row, 1)?,
            pool: column(row, 2)?,
            campaign: column(row, 3)?,
            key: column(row, 4)?,
        },
        calls: read_calls(row, 5)?,
    })
}

fn read_day(row: &PgRow) -> Result<DaySum, Fault> {
    Ok(DaySum {
        place: (column(row, 0)?, number(column(row, 1)?)?),
        calls: read_calls(row, 2)?,
    })
}

async fn restore_entries(
    connection: &mut PgConnection,
    entries: Vec<AuditEntry>,
) -> Result<Option<i64>, Fault> {
    let mut transaction = connection.begin().await?;
    let broken = audit::restore(&mut transaction, entries).await?;
    match broken {
        None => transaction.commit().await?,
        Some(_) => transaction.rollback().await?,
    }
    Ok(broken)
}

async fn restore_removed(
    connection: &mut PgConnection,
    numbers: Vec<RemovedNumber>,
) -> Result<(), Fault> {
    let limit = |limit: std::num::NonZeroU32| limit.get() as i32;
    let mut transaction = connection.begin().await?;
    let revision: i64 = query_scalar::<Postgres, _>(NEXT_REVISION)
        .fetch_one(&mut *transaction)
        .await?;
    query::<Postgres>(PUT_REMOVED)
        .bind(each(&numbers, |row| digits(row.number)))
        .bind(each(&numbers, |row| {
            row.area_code.map(|code| i32::from(code.get()))
        }))
        .bind(each(&numbers, |row| row.pool.as_str()))
        .bind(each(&numbers, |row| row.limits.daily.map(limit)))
        .bind(each(&numbers, |row| row.limits.hourly.map(limit)))
        .bind(each(&numbers, |row| row.removed_at.as_ms()))
        .bind(revision)
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}

async fn restore_hours(connection: &mut PgConnection, sums: Vec<HourSum>) -> Result<(), Fault> {
    let mut put = query::<Postgres>(PUT_HOURS)
        .bind(each(&sums, |sum| sum.place.what))
        .bind(each(&sums, |sum| sum.place.hour_ms))
        .bind(each(&sums, |sum| sum.place.pool.as_str()))
        .bind(each(&sums, |sum| sum.place.campaign.as_str()))
        .bind(each(&sums, |sum| sum.place.key.as_str()));
    for column in super::sums::counts(sums.iter().map(|sum| &sum.calls)) {
        put = put.bind(column);
    }
    put.execute(connection).await?;
    Ok(())
}

async fn restore_days(connection: &mut PgConnection, sums: Vec<DaySum>) -> Result<(), Fault> {
    let mut put = query::<Postgres>(PUT_DAYS)
        .bind(each(&sums, |sum| sum.place.0))
        .bind(each(&sums, |sum| digits(sum.place.1)));
    for column in super::sums::counts(sums.iter().map(|sum| &sum.calls)) {
        put = put.bind(column);
    }
    put.execute(connection).await?;
    Ok(())
}

async fn marks(connection: &mut PgConnection) -> Result<SumMarks, Fault> {
    let mut marks = SumMarks::default();
    for (mark, job) in marks.0.iter_mut().zip(Job::ALL) {
        let found = query_scalar::<Postgres, i64>(MARK).bind(job.mark());
        *mark = found.fetch_one(&mut *connection).await?;
    }
    Ok(marks)
}

async fn restore_marks(connection: &mut PgConnection, marks: SumMarks) -> Result<(), Fault> {
    let mut transaction = connection.begin().await?;
    for (mark, job) in marks.0.into_iter().zip(Job::ALL) {
        let set = query::<Postgres>(SET_MARK).bind(job.mark()).bind(mark);
        set.execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    query::<Postgres>(LOOK_AT_THEM).execute(connection).await?;
    Ok(())
}

#[async_trait]
impl Takeover for PostgresStore {
    async fn restore_entries(&self, entries: Vec<AuditEntry>) -> Result<Option<i64>, StoreError> {
        self.lane
            .run(|connection| Box::pin(restore_entries(connection, entries)))
            .await
    }

    async fn restore_keys(&self, all: Vec<ApiKey>) -> Result<(), StoreError> {
        self.lane
            .run(|connection| Box::pin(keys::restore(connection, all)))
            .await
    }

    async fn removed_numbers(
        &self,
        after: Option<PhoneNumber>,
        most: usize,
    ) -> Result<Vec<RemovedNumber>, StoreError> {
        self.lane
            .run(|connection| {
                Box::pin(async move {
                    let rows = query::<Postgres>(REMOVED)
                        .bind(after.map_or(0, digits))
                        .bind(limit(most))
                        .fetch_all(connection)
                        .await?;
                    rows.iter().map(read_removed).collect()
                })
            })
            .await
    }

    async fn restore_removed(&self, numbers: Vec<RemovedNumber>) -> Result<(), StoreError> {
        self.lane
            .run(|connection| Box::pin(restore_removed(connection, numbers)))
            .await
    }

    async fn hour_sums(
        &self,
        after: Option<HourPlace>,
        most: usize,
    ) -> Result<Vec<HourSum>, StoreError> {
        let after = after.unwrap_or_else(before_all_hours);
        self.lane
            .run(|connection| {
                Box::pin(async move {
                    let rows = query::<Postgres>(HOURS)
                        .bind(after.what)
                        .bind(after.hour_ms)
                        .bind(after.pool)
                        .bind(after.campaign)
                        .bind(after.key)
                        .bind(limit(most))
                        .fetch_all(connection)
                        .await?;
                    rows.iter().map(read_hour).collect()
                })
            })
            .await
    }

    async fn restore_hour_sums(&self, sums: Vec<HourSum>) -> Result<(), StoreError> {
        self.lane
            .run(|connection| Box::pin(restore_hours(connection, sums)))
            .await
    }

    async fn day_sums(
        &self,
        after: Option<(i64, PhoneNumber)>,
        most: usize,
    ) -> Result<Vec<DaySum>, StoreError> {
        let (day, number) = after.map_or((i64::MIN, 0), |(day, number)| (day, digits(number)));
        self.lane
            .run(|connection| {
                Box::pin(async move {
                    let rows = query::<Postgres>(DAYS)
                        .bind(day)
                        .bind(number)
                        .bind(limit(most))
                        .fetch_all(connection)
                        .await?;
                    rows.iter().map(read_day).collect()
                })
            })
            .await
    }

    async fn restore_day_sums(&self, sums: Vec<DaySum>) -> Result<(), StoreError> {
        self.lane
            .run(|connection| Box::pin(restore_days(connection, sums)))
            .await
    }

    async fn sum_marks(&self) -> Result<SumMarks, StoreError> {
        self.lane
            .run(|connection| Box::pin(marks(connection)))
            .await
    }

    async fn restore_sum_marks(&self, marks: SumMarks) -> Result<(), StoreError> {
        self.lane
            .run(|connection| Box::pin(restore_marks(connection, marks)))
            .await
    }
}
