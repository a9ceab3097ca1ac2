//! What a migration takes and brings beside the inventory and history.

use std::num::NonZeroU32;

use async_trait::async_trait;
use caller_id_core::audit::AuditEntry;
use caller_id_core::roles::ApiKey;
use caller_id_core::takeover::{DaySum, HourPlace, HourSum, RemovedNumber, SumMarks, Takeover};
use caller_id_core::{Limits, PhoneNumber, PoolId, StoreError, Timestamp};
use rusqlite::{Connection, Params, Row, Transaction, TransactionBehavior};

use super::error::sqlite;
use super::list::list;
use super::rows::{self, column, text, unreadable};
use super::stats::read_calls;
use super::{SqliteStore, audit, keys, meta};
use crate::sums::{Job, before_all_hours, columns_of};

const REMOVED: &str =
    "SELECT number, area_code, pool, daily_limit, hourly_limit, removed_at FROM removed_numbers
    WHERE number > ?1 ORDER BY number LIMIT ?2";
const PUT_REMOVED: &str = "INSERT OR REPLACE INTO removed_numbers
        (number, area_code, pool, daily_limit, hourly_limit, removed_at, revision)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE NOT EXISTS (SELECT 1 FROM numbers WHERE number = ?1)";
const SET_META: &str = "UPDATE meta SET value = ?2 WHERE key = ?1";
const HOURS: &str = "SELECT what, hour, pool, campaign, key,
        calls, answered, busy, no_answer, cancelled, failed, answered_seconds FROM sums_by_hour
    WHERE (what, hour, pool, campaign, key) > (?1, ?2, ?3, ?4, ?5) ORDER BY what, hour, pool, campaign, key LIMIT ?6";
const PUT_HOUR: &str = "INSERT OR REPLACE INTO sums_by_hour
    (what, hour, pool, campaign, key, calls, answered, busy, no_answer, cancelled, failed, answered_seconds)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
const DAYS: &str = "SELECT day, number, calls, answered, busy, no_answer, cancelled, failed, answered_seconds FROM sums_by_day
    WHERE (day, number) > (?1, ?2) ORDER BY day, number LIMIT ?3";
const PUT_DAY: &str = "INSERT OR REPLACE INTO sums_by_day
    (day, number, calls, answered, busy, no_answer, cancelled, failed, answered_seconds)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

fn begin(main: &mut Connection) -> Result<Transaction<'_>, StoreError> {
    main.transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(sqlite)
}

fn put(transaction: &Connection, sql: &str, row: impl Params) -> Result<(), StoreError> {
    transaction
        .prepare_cached(sql)
        .and_then(|mut put| put.execute(row))
        .map(drop)
        .map_err(sqlite)
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

fn digits(number: PhoneNumber) -> i64 {
    number.e164_digits() as i64
}

fn read_removed(row: &Row<'_>) -> Result<RemovedNumber, StoreError> {
    let number = rows::number(column(row, 0)?)?;
    let fail = |why: &str| unreadable(&format!("the removed number `{number}`"), why);
    let pool = PoolId::new(text(row, 2)?.unwrap_or_default());
    Ok(RemovedNumber {
        number,
        area_code: rows::area_code(row, 1, fail)?,
        pool: pool.map_err(|cause| fail(&cause.to_string()))?,
        limits: Limits {
            daily: rows::limit(row, 3)?,
            hourly: rows::limit(row, 4)?,
        },
        removed_at: Timestamp::from_ms(column(row, 5)?),
    })
}

fn read_hour(row: &Row<'_>) -> Result<HourSum, StoreError> {
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

fn read_day(row: &Row<'_>) -> Result<DaySum, StoreError> {
    Ok(DaySum {
        place: (column(row, 0)?, rows::number(column(row, 1)?)?),
        calls: read_calls(row, 2)?,
    })
}

fn restore_removed(main: &mut Connection, numbers: &[RemovedNumber]) -> Result<(), StoreError> {
    let transaction = begin(main)?;
    let revision = meta(&transaction, "revision")? + 1;
    for removed in numbers {
        let row = (
            digits(removed.number),
            removed.area_code.map(|code| code.get()),
            removed.pool.as_str(),
            removed.limits.daily.map(NonZeroU32::get),
            removed.limits.hourly.map(NonZeroU32::get),
            removed.removed_at.as_ms(),
            revision,
        );
        put(&transaction, PUT_REMOVED, row)?;
    }
    put(&transaction, SET_META, ("revision", revision))?;
    transaction.commit().map_err(sqlite)
}

fn restore_hours(main: &mut Connection, sums: &[HourSum]) -> Result<(), StoreError> {
    let transaction = begin(main)?;
    for HourSum { place, calls } in sums {
        let [all, answered, busy, no_answer, cancelled, failed, seconds] = columns_of(calls);
        let row = (
            place.what,
            place.hour_ms,
            &place.pool,
            &place.campaign,
            &place.key,
            all,
            answered,
            busy,
            no_answer,
            cancelled,
            failed,
            seconds,
        );
        put(&transaction, PUT_HOUR, row)?;
    }
    transaction.commit().map_err(sqlite)
}

fn restore_days(main: &mut Connection, sums: &[DaySum]) -> Result<(), StoreError> {
    let transaction = begin(main)?;
    for DaySum { place, calls } in sums {
        let [all, answered, busy, no_answer, cancelled, failed, seconds] = columns_of(calls);
        let (day, number) = (place.0, digits(place.1));
        let row = (
            day, number, all, answered, busy, no_answer, cancelled, failed, seconds,
        );
        put(&transaction, PUT_DAY, row)?;
    }
    transaction.commit().map_err(sqlite)
}

#[async_trait]
impl Takeover for SqliteStore {
    async fn restore_entries(&self, entries: Vec<AuditEntry>) -> Result<Option<i64>, StoreError> {
        self.writer
            .run(move |main| {
                let transaction = begin(main)?;
                let broken = audit::restore(&transaction, entries)?;
                if broken.is_none() {
                    transaction.commit().map_err(sqlite)?;
                }
                Ok(broken)
            })
            .await
    }

    async fn restore_keys(&self, all: Vec<ApiKey>) -> Result<(), StoreError> {
        self.writer
            .run(move |main| {
                let transaction = begin(main)?;
                keys::restore(&transaction, &all)?;
                transaction.commit().map_err(sqlite)
            })
            .await
    }

    async fn removed_numbers(
        &self,
        after: Option<PhoneNumber>,
        most: usize,
    ) -> Result<Vec<RemovedNumber>, StoreError> {
        let place = (after.map_or(0, digits), limit(most));
        self.readers
            .run(move |main| list(main, REMOVED, place, read_removed))
            .await
    }

    async fn restore_removed(&self, numbers: Vec<RemovedNumber>) -> Result<(), StoreError> {
        self.writer
            .run(move |main| restore_removed(main, &numbers))
            .await
    }

    async fn hour_sums(
        &self,
        after: Option<HourPlace>,
        most: usize,
    ) -> Result<Vec<HourSum>, StoreError> {
        let after = after.unwrap_or_else(before_all_hours);
        self.readers
            .run(move |main| {
                let place = (
                    after.what,
                    after.hour_ms,
                    &after.pool,
                    &after.campaign,
                    &after.key,
                    limit(most),
                );
                list(main, HOURS, place, read_hour)
            })
            .await
    }

    async fn restore_hour_sums(&self, sums: Vec<HourSum>) -> Result<(), StoreError> {
        self.writer
            .run(move |main| restore_hours(main, &sums))
            .await
    }

    async fn day_sums(
        &self,
        after: Option<(i64, PhoneNumber)>,
        most: usize,
    ) -> Result<Vec<DaySum>, StoreError> {
        let (day, number) = after.map_or((i64::MIN, 0), |(day, number)| (day, digits(number)));
        let place = (day, number, limit(most));
        self.readers
            .run(move |main| list(main, DAYS, place, read_day))
            .await
    }

    async fn restore_day_sums(&self, sums: Vec<DaySum>) -> Result<(), StoreError> {
        self.writer.run(move |main| restore_days(main, &sums)).await
    }

    async fn sum_marks(&self) -> Result<SumMarks, StoreError> {
        self.readers
            .run(|main| {
                let mut marks = SumMarks::default();
                for (mark, job) in marks.0.iter_mut().zip(Job::ALL) {
                    *mark = meta(main, job.mark())?;
                }
                Ok(marks)
            })
            .await
    }

    async fn restore_sum_marks(&self, marks: SumMarks) -> Result<(), StoreError> {
        self.writer
            .run(move |main| {
                let transaction = begin(main)?;
                for (mark, job) in marks.0.into_iter().zip(Job::ALL) {
                    put(&transaction, SET_META, (job.mark(), mark))?;
                }
                transaction.commit().map_err(sqlite)
            })
            .await
    }
}
