//! Summing up history, so that counting stays quick: what is summed up is read first, and then written in a short
//! transaction, unless another node did so meanwhile.

use caller_id_core::history_query::Calls;
use caller_id_core::{AllocationId, StoreError, Timestamp};
use sqlx_core::connection::Connection;
use sqlx_core::query::query;
use sqlx_core::query_scalar::query_scalar;
use sqlx_core::transaction::Transaction;
use sqlx_postgres::{PgConnection, PgRow, Postgres};
use uuid::Uuid;

use super::PostgresStore;
use super::commit::uuid;
use super::error::Fault;
use super::rows::column;
use super::stats::{MARK, area_code, counted, read_calls};
use crate::look::{id_at, ms_of};
use crate::sums::{Cell, Due, HourSum, Job, Pass, ROWS_AT_ONCE, Step, Unit, columns_of, hour_sums};

const FIRST: &str =
    "SELECT id FROM caller_id.allocations WHERE id >= $1 AND id < $2 ORDER BY id LIMIT 1";
const CELLS: &str = concat!(
    "SELECT a.pool, coalesce(campaign, ''), coalesce(n.carrier, ''), ",
    area_code!(),
    ", rung, at / 900000 * 900000, ",
    counted!(),
    " FROM caller_id.allocations a LEFT JOIN caller_id.numbers n ON n.number = a.number
    WHERE id >= $1 AND id < $2 GROUP BY 1, 2, 3, 4, 5, 6"
);
const NUMBERS: &str = concat!(
    "SELECT number, ",
    counted!(),
    " FROM caller_id.allocations WHERE id >= $1 AND id < $2 GROUP BY number ORDER BY number"
);
const CALLS_OF_HOUR: &str = "SELECT coalesce(sum(calls), 0)::bigint FROM caller_id.sums_by_hour WHERE what = 0 AND hour = $1";
const CALLS_OF_DAY: &str =
    "SELECT coalesce(sum(calls), 0)::bigint FROM caller_id.sums_by_day WHERE day = $1";

/// Whoever makes a step holds this row.
const HOLD_MARK: &str = "SELECT value FROM caller_id.meta WHERE key = $1 FOR UPDATE";
const MOVE_MARK: &str = "UPDATE caller_id.meta SET value = $3 WHERE key = $1 AND value = $2";
const EMPTY_HOUR: &str =
    "DELETE FROM caller_id.sums_by_hour WHERE what IN (0, 1, 2, 3, 4, 10, 11, 12, 13, 14)
    AND hour >= $1 AND hour < $1 + 3600000";
const PUT_HOUR: &str = "INSERT INTO caller_id.sums_by_hour
        (hour, what, pool, campaign, key, calls, answered, busy, no_answer, cancelled, failed, answered_seconds)
    SELECT * FROM UNNEST($1::bigint[], $2::smallint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
        $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[])";
const PUT_NUMBERS: &str = "INSERT INTO caller_id.sums_by_day
        (day, number, calls, answered, busy, no_answer, cancelled, failed, answered_seconds)
    SELECT $1, * FROM UNNEST($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
        $8::bigint[], $9::bigint[])
    ON CONFLICT (day, number) DO UPDATE SET calls = excluded.calls, answered = excluded.answered, busy = excluded.busy,
        no_answer = excluded.no_answer, cancelled = excluded.cancelled, failed = excluded.failed,
        answered_seconds = excluded.answered_seconds";
const GIVE_UP_HOURS: &str =
    "DELETE FROM caller_id.sums_by_hour WHERE (what, hour, pool, campaign, key) IN
    (SELECT what, hour, pool, campaign, key FROM caller_id.sums_by_hour
        WHERE what IN (0, 1, 2, 3, 4, 10, 11, 12, 13, 14) AND hour < $1 LIMIT $2)";
const GIVE_UP_DAYS: &str = "DELETE FROM caller_id.sums_by_day WHERE (day, number) IN
    (SELECT day, number FROM caller_id.sums_by_day WHERE day < $1 ORDER BY day, number LIMIT $2)";

fn ids(begin: i64, end: i64) -> [Uuid; 2] {
    [begin, end].map(|ms| uuid(id_at(Timestamp::from_ms(ms))))
}

/// What is to be done next of a job.
async fn due(connection: &mut PgConnection, job: Job, now: Timestamp) -> Result<Due, Fault> {
    let mark = query_scalar::<Postgres, i64>(MARK).bind(job.mark());
    let found = mark.fetch_one(&mut *connection).await?;
    let Some((begin, closed)) = job.open(found, now, None) else {
        return Ok(Due::Nothing);
    };
    let [from, to] = ids(begin, closed);
    let first = query_scalar::<Postgres, Uuid>(FIRST).bind(from).bind(to);
    let Some(first) = first.fetch_optional(&mut *connection).await? else {
        return Ok(Due::Pass(Step::pass(job, found, closed)));
    };
    let first = ms_of(AllocationId::from_bytes(first.into_bytes()));
    let step = Step::of(job, found, first);
    match job.unit {
        Unit::Hour => {
            let cells = read(connection, CELLS, step, read_cell).await?;
            let calls = cells.iter().map(|cell| cell.calls.calls).sum();
            if is_less(connection, job, CALLS_OF_HOUR, step, calls).await? {
                return Ok(Due::Pass(step));
            }
            Ok(Due::Hour(step, hour_sums(cells)))
        }
        Unit::Day => {
            let number = |row: &PgRow| Ok((column(row, 0)?, read_calls(row, 1)?));
            let numbers: Vec<(i64, Calls)> = read(connection, NUMBERS, step, number).await?;
            let calls = numbers.iter().map(|(_, calls)| calls.calls).sum();
            if is_less(connection, job, CALLS_OF_DAY, step, calls).await? {
                return Ok(Due::Pass(step));
            }
            Ok(Due::Day(step, numbers))
        }
    }
}

/// Whether some of the allocations are pruned that were summed up before: those sums say more.
async fn is_less(
    connection: &mut PgConnection,
    job: Job,
    sql: &'static str,
    step: Step,
    calls: u64,
) -> Result<bool, Fault> {
    if job.pass == Pass::Soon {
        return Ok(false);
    }
    let before = query_scalar::<Postgres, i64>(sql).bind(step.begin);
    Ok(calls < before.fetch_one(connection).await?.unsigned_abs())
}

async fn read<T>(
    connection: &mut PgConnection,
    sql: &'static str,
    step: Step,
    read: fn(&PgRow) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let [begin, end] = ids(step.begin, step.done);
    let rows = query::<Postgres>(sql).bind(begin).bind(end);
    rows.fetch_all(connection).await?.iter().map(read).collect()
}

fn read_cell(row: &PgRow) -> Result<Cell, Fault> {
    Ok(Cell {
        pool: column(row, 0)?,
        campaign: column(row, 1)?,
        carrier: column(row, 2)?,
        area_code: column(row, 3)?,
        rung: column(row, 4)?,
        quarter: column(row, 5)?,
        calls: read_calls(row, 6)?,
    })
}

/// Begins a transaction, unless another node made this step meanwhile.
async fn begin(
    connection: &mut PgConnection,
    step: Step,
) -> Result<Option<Transaction<'_, Postgres>>, Fault> {
    let mut transaction = connection.begin().await?;
    let mark = query_scalar::<Postgres, i64>(HOLD_MARK).bind(step.mark);
    if mark.fetch_one(&mut *transaction).await? == step.found {
        return Ok(Some(transaction));
    }
    transaction.rollback().await?;
    Ok(None)
}

async fn move_mark(connection: &mut PgConnection, step: Step) -> Result<(), Fault> {
    let update = query::<Postgres>(MOVE_MARK).bind(step.mark);
    let update = update.bind(step.found).bind(step.done);
    update.execute(connection).await?;
    Ok(())
}

/// One of the seven counts of each.
pub(super) fn counts<'a>(calls: impl Iterator<Item = &'a Calls>) -> [Vec<i64>; 7] {
    let mut columns: [Vec<i64>; 7] = Default::default();
    for one in calls {
        for (column, count) in columns.iter_mut().zip(columns_of(one)) {
            column.push(count);
        }
    }
    columns
}

async fn write_hour(
    connection: &mut PgConnection,
    step: Step,
    sums: &[HourSum],
) -> Result<(), Fault> {
    let Some(mut transaction) = begin(connection, step).await? else {
        return Ok(());
    };
    let empty = query::<Postgres>(EMPTY_HOUR).bind(step.begin);
    empty.execute(&mut *transaction).await?;
    let places = || sums.iter().map(|(place, _)| place);
    let mut put = query::<Postgres>(PUT_HOUR)
        .bind(places().map(|place| place.1).collect::<Vec<_>>())
        .bind(places().map(|place| place.0).collect::<Vec<_>>())
        .bind(places().map(|place| place.2.as_str()).collect::<Vec<_>>())
        .bind(places().map(|place| place.3.as_str()).collect::<Vec<_>>())
        .bind(places().map(|place| place.4.as_str()).collect::<Vec<_>>());
    for column in counts(sums.iter().map(|(_, calls)| calls)) {
        put = put.bind(column);
    }
    put.execute(&mut *transaction).await?;
    move_mark(&mut transaction, step).await?;
    Ok(transaction.commit().await?)
}

/// Writes some numbers of a day. Nobody reads them before the mark has moved behind the day; later each of them is right by
/// itself.
async fn write_numbers(
    connection: &mut PgConnection,
    step: Step,
    numbers: &[(i64, Calls)],
) -> Result<(), Fault> {
    let Some(mut transaction) = begin(connection, step).await? else {
        return Ok(());
    };
    let digits: Vec<_> = numbers.iter().map(|(number, _)| *number).collect();
    let mut put = query::<Postgres>(PUT_NUMBERS).bind(step.begin).bind(digits);
    for column in counts(numbers.iter().map(|(_, calls)| calls)) {
        put = put.bind(column);
    }
    put.execute(&mut *transaction).await?;
    Ok(transaction.commit().await?)
}

/// Removes some sums that are too old; tells whether there are more.
async fn give_up(connection: &mut PgConnection, now: Timestamp) -> Result<bool, Fault> {
    let mut most = 0;
    for (unit, sql) in [(Unit::Hour, GIVE_UP_HOURS), (Unit::Day, GIVE_UP_DAYS)] {
        let give_up = query::<Postgres>(sql)
            .bind(unit.kept_since(now))
            .bind(ROWS_AT_ONCE as i64);
        most = most.max(give_up.execute(&mut *connection).await?.rows_affected());
    }
    Ok(most >= ROWS_AT_ONCE as u64)
}

impl PostgresStore {
    /// Does the next step of what there is to do; tells whether there is more.
    pub(super) async fn sum_up_next(&self, now: Timestamp) -> Result<bool, StoreError> {
        for job in Job::ALL {
            let looking = self
                .lane
                .run(|connection| Box::pin(due(connection, job, now)));
            match looking.await? {
                Due::Nothing => continue,
                Due::Pass(step) => self.pass(step).await?,
                Due::Hour(step, sums) => {
                    let writing = self.lane.run(|connection| {
                        Box::pin(async move { write_hour(connection, step, &sums).await })
                    });
                    writing.await?;
                }
                Due::Day(step, numbers) => {
                    for part in numbers.chunks(ROWS_AT_ONCE).map(<[_]>::to_vec) {
                        let writing = self.lane.run(|connection| {
                            Box::pin(async move { write_numbers(connection, step, &part).await })
                        });
                        writing.await?;
                    }
                    self.pass(step).await?;
                }
            }
            return Ok(true);
        }
        self.lane
            .run(|connection| Box::pin(give_up(connection, now)))
            .await
    }

    async fn pass(&self, step: Step) -> Result<(), StoreError> {
        self.lane
            .run(|connection| Box::pin(move_mark(connection, step)))
            .await
    }
}
