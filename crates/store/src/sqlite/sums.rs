//! Summing up history, so that counting stays quick: what is summed up is read first, beside all who write, and then
//! written in short transactions.

use caller_id_core::history_query::Calls;
use caller_id_core::{AllocationId, JournalEvent, StoreError, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior};

use super::error::{on, sqlite};
use super::history::HistoryReader;
use super::journal::{Flow, each_after};
use super::rows::column;
use super::stats::{area_code, counted, read_calls};
use super::{SqliteStore, meta};
use crate::look::{id_at, ms_of};
use crate::sums::{Cell, Due, HourSum, Job, Pass, ROWS_AT_ONCE, Step, Unit, columns_of, hour_sums};

const FIRST: &str = "SELECT id FROM allocations WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT 1";
const CELLS: &str = concat!(
    "SELECT pool, coalesce(campaign, '') AS campaign,
        coalesce((SELECT carrier FROM numbers n WHERE n.number = a.number), '') AS carrier, ",
    area_code!(),
    " AS area_code, rung, at / 900000 * 900000 AS quarter, ",
    counted!(),
    " FROM allocations a WHERE id >= ?1 AND id < ?2 GROUP BY 1, 2, 3, 4, 5, 6"
);
const NUMBERS: &str = concat!(
    "SELECT number, ",
    counted!(),
    " FROM allocations WHERE id >= ?1 AND id < ?2 GROUP BY number ORDER BY number"
);
const CALLS_OF_HOUR: &str =
    "SELECT coalesce(sum(calls), 0) FROM sums_by_hour WHERE what = 0 AND hour = ?1";
const CALLS_OF_DAY: &str = "SELECT coalesce(sum(calls), 0) FROM sums_by_day WHERE day = ?1";

const MOVE_MARK: &str = "UPDATE meta SET value = ?3 WHERE key = ?1 AND value = ?2";
const EMPTY_HOUR: &str =
    "DELETE FROM sums_by_hour WHERE what IN (0, 1, 2, 3, 4, 10, 11, 12, 13, 14)
    AND hour >= ?1 AND hour < ?1 + 3600000";
const PUT_HOUR: &str = "INSERT INTO sums_by_hour
    (hour, what, pool, campaign, key, calls, answered, busy, no_answer, cancelled, failed, answered_seconds)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
const PUT_NUMBER: &str = "INSERT INTO sums_by_day
    (day, number, calls, answered, busy, no_answer, cancelled, failed, answered_seconds)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT (day, number) DO UPDATE SET calls = excluded.calls, answered = excluded.answered, busy = excluded.busy,
        no_answer = excluded.no_answer, cancelled = excluded.cancelled, failed = excluded.failed,
        answered_seconds = excluded.answered_seconds";
const GIVE_UP_HOURS: &str = "DELETE FROM sums_by_hour WHERE (what, hour, pool, campaign, key) IN
    (SELECT what, hour, pool, campaign, key FROM sums_by_hour WHERE what IN (0, 1, 2, 3, 4, 10, 11, 12, 13, 14) AND hour < ?1 LIMIT ?2)";
const GIVE_UP_DAYS: &str = "DELETE FROM sums_by_day WHERE (day, number) IN
    (SELECT day, number FROM sums_by_day WHERE day < ?1 ORDER BY day, number LIMIT ?2)";

impl HistoryReader {
    /// What is to be done next of a job.
    fn due(&mut self, job: Job, now: Timestamp) -> Result<Due, StoreError> {
        let (journal, main, applied) = self.moment()?;
        let unmoved = match journal {
            Some(journal) => first_unmoved(journal.0, applied)?,
            None => None,
        };
        due(main.0, job, now, unmoved).map_err(|error| on(main.0, error))
    }
}

/// The first instant of an allocation of which the journal has something that is not moved, in milliseconds.
fn first_unmoved(journal: &Connection, applied: i64) -> Result<Option<i64>, StoreError> {
    let mut first: Option<AllocationId> = None;
    each_after(journal, applied, |batch| {
        for event in batch.events()? {
            let id = match &event {
                JournalEvent::Allocated(record) => record.id,
                JournalEvent::Ended(end) => end.id,
                JournalEvent::Reported(result) => result.id,
            };
            first = Some(first.map_or(id, |first| first.min(id)));
        }
        Ok(Flow::On)
    })?;
    Ok(first.map(ms_of))
}

fn due(
    main: &Connection,
    job: Job,
    now: Timestamp,
    unmoved: Option<i64>,
) -> Result<Due, StoreError> {
    let found = meta(main, job.mark())?;
    let Some((begin, closed)) = job.open(found, now, unmoved) else {
        return Ok(Due::Nothing);
    };
    let Some(first) = first_between(main, begin, closed)? else {
        return Ok(Due::Pass(Step::pass(job, found, closed)));
    };
    let step = Step::of(job, found, first);
    match job.unit {
        Unit::Hour => {
            let cells = read(main, CELLS, step, read_cell)?;
            let calls = cells.iter().map(|cell| cell.calls.calls).sum();
            if is_less(main, job, CALLS_OF_HOUR, step, calls)? {
                return Ok(Due::Pass(step));
            }
            Ok(Due::Hour(step, hour_sums(cells)))
        }
        Unit::Day => {
            let numbers = read(main, NUMBERS, step, |row| {
                Ok((column(row, 0)?, read_calls(row, 1)?))
            })?;
            let calls = numbers.iter().map(|(_, calls): &(i64, Calls)| calls.calls);
            if is_less(main, job, CALLS_OF_DAY, step, calls.sum())? {
                return Ok(Due::Pass(step));
            }
            Ok(Due::Day(step, numbers))
        }
    }
}

fn first_between(main: &Connection, begin: i64, end: i64) -> Result<Option<i64>, StoreError> {
    let [begin, end] = [begin, end].map(|ms| id_at(Timestamp::from_ms(ms)));
    main.prepare_cached(FIRST)
        .and_then(|mut first| {
            first
                .query_row((begin.as_bytes(), end.as_bytes()), |row| row.get(0))
                .optional()
        })
        .map(|id| id.map(|id| ms_of(AllocationId::from_bytes(id))))
        .map_err(sqlite)
}

/// Whether some of the allocations are pruned that were summed up before: those sums say more.
fn is_less(
    main: &Connection,
    job: Job,
    sql: &str,
    step: Step,
    calls: u64,
) -> Result<bool, StoreError> {
    if job.pass == Pass::Soon {
        return Ok(false);
    }
    main.prepare_cached(sql)
        .and_then(|mut select| select.query_row([step.begin], |row| row.get::<_, i64>(0)))
        .map(|before| calls < before.unsigned_abs())
        .map_err(sqlite)
}

fn read<T>(
    main: &Connection,
    sql: &str,
    step: Step,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let [begin, end] = [step.begin, step.done].map(|ms| id_at(Timestamp::from_ms(ms)));
    let mut select = main.prepare_cached(sql).map_err(sqlite)?;
    let mut rows = select
        .query((begin.as_bytes(), end.as_bytes()))
        .map_err(sqlite)?;
    let mut all = Vec::new();
    while let Some(row) = rows.next().map_err(sqlite)? {
        all.push(read(row)?);
    }
    Ok(all)
}

fn read_cell(row: &Row<'_>) -> Result<Cell, StoreError> {
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

/// Begins a transaction, unless another process made this step meanwhile.
fn begin(main: &mut Connection, step: Step) -> Result<Option<Transaction<'_>>, StoreError> {
    let transaction = main
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(sqlite)?;
    let is_ours = meta(&transaction, step.mark)? == step.found;
    Ok(is_ours.then_some(transaction))
}

fn move_mark(main: &Connection, step: Step) -> Result<(), StoreError> {
    main.prepare_cached(MOVE_MARK)
        .and_then(|mut update| update.execute((step.mark, step.found, step.done)))
        .map(drop)
        .map_err(sqlite)
}

fn write_hour(main: &mut Connection, step: Step, sums: &[HourSum]) -> Result<(), StoreError> {
    let Some(transaction) = begin(main, step)? else {
        return Ok(());
    };
    put_hour(&transaction, step, sums).map_err(sqlite)?;
    move_mark(&transaction, step)?;
    transaction.commit().map_err(sqlite)
}

fn put_hour(main: &Connection, step: Step, sums: &[HourSum]) -> rusqlite::Result<()> {
    main.prepare_cached(EMPTY_HOUR)?.execute([step.begin])?;
    let mut put = main.prepare_cached(PUT_HOUR)?;
    for ((what, begin, pool, campaign, key), calls) in sums {
        let [all, answered, busy, no_answer, cancelled, failed, seconds] = columns_of(calls);
        put.execute((
            begin, what, pool, campaign, key, all, answered, busy, no_answer, cancelled, failed,
            seconds,
        ))?;
    }
    Ok(())
}

/// Writes some numbers of a day. Nobody reads them before the mark has moved behind the day; later each of them is right by
/// itself.
fn write_numbers(
    main: &mut Connection,
    step: Step,
    numbers: &[(i64, Calls)],
) -> Result<(), StoreError> {
    let Some(transaction) = begin(main, step)? else {
        return Ok(());
    };
    put_numbers(&transaction, step, numbers).map_err(sqlite)?;
    transaction.commit().map_err(sqlite)
}

fn put_numbers(main: &Connection, step: Step, numbers: &[(i64, Calls)]) -> rusqlite::Result<()> {
    let mut put = main.prepare_cached(PUT_NUMBER)?;
    for (number, calls) in numbers {
        let [all, answered, busy, no_answer, cancelled, failed, seconds] = columns_of(calls);
        put.execute((
            step.begin, number, all, answered, busy, no_answer, cancelled, failed, seconds,
        ))?;
    }
    Ok(())
}

impl SqliteStore {
    /// Does the next step of what there is to do; tells whether there is more.
    pub(super) async fn sum_up_next(&self, now: Timestamp) -> Result<bool, StoreError> {
        for job in Job::ALL {
            let due = self.history.run(move |reader| reader.due(job, now)).await?;
            match due {
                Due::Nothing => continue,
                Due::Pass(step) => self.pass(step).await?,
                Due::Hour(step, sums) => {
                    let write = move |main: &mut _| write_hour(main, step, &sums);
                    self.writer.run(write).await?;
                }
                Due::Day(step, numbers) => {
                    for part in numbers.chunks(ROWS_AT_ONCE).map(<[_]>::to_vec) {
                        let write = move |main: &mut _| write_numbers(main, step, &part);
                        self.writer.run(write).await?;
                    }
                    self.pass(step).await?;
                }
            }
            return Ok(true);
        }
        self.give_up_sums(now).await
    }

    async fn pass(&self, step: Step) -> Result<(), StoreError> {
        self.writer.run(move |main| move_mark(main, step)).await
    }

    /// Removes some sums that are too old; tells whether there are more.
    async fn give_up_sums(&self, now: Timestamp) -> Result<bool, StoreError> {
        let give_up = move |main: &mut Connection| {
            let mut most = 0;
            for (unit, sql) in [(Unit::Hour, GIVE_UP_HOURS), (Unit::Day, GIVE_UP_DAYS)] {
                let removed = main
                    .prepare_cached(sql)
                    .and_then(|mut give_up| {
                        give_up.execute((unit.kept_since(now), ROWS_AT_ONCE as i64))
                    })
                    .map_err(sqlite)?;
                most = most.max(removed);
            }
            Ok(most >= ROWS_AT_ONCE)
        };
        self.writer.run(give_up).await
    }
}
