//! What the journal has and history has not, in temporary tables for the length of one read.

use caller_id_core::{CallResult, EndRecord, JournalEvent, StoreError};
use rusqlite::{CachedStatement, Connection};

use super::error::{on, sqlite};
use super::historian::insert_record;
use super::journal::{Flow, each_after};

/// Temporary tables spill to disk by themselves, so a long tail needs no memory, and give it back in order.
pub(super) const TABLES: &str = "
    CREATE TEMP TABLE tail (
        id BLOB PRIMARY KEY, at INTEGER, number INTEGER, destination INTEGER, campaign TEXT, agent TEXT, call_id TEXT,
        pool TEXT, rung TEXT, reserved_until INTEGER
    ) WITHOUT ROWID;
    CREATE TEMP TABLE tail_ends (
        id BLOB PRIMARY KEY, ended_at INTEGER, call_end TEXT, result_at INTEGER, answered_seconds INTEGER,
        dialed_seconds INTEGER, hangup_cause INTEGER, sip_code INTEGER
    ) WITHOUT ROWID;";
const INSERT: &str = "INSERT INTO temp.tail
    (id, at, number, destination, campaign, agent, call_id, pool, rung, reserved_until)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (id) DO NOTHING";
const END: &str = "INSERT INTO temp.tail_ends (id, ended_at, call_end) VALUES (?1, ?2, ?3)
    ON CONFLICT (id) DO UPDATE SET ended_at = excluded.ended_at,
        call_end = CASE WHEN call_end = 'RELEASED' THEN excluded.call_end ELSE call_end END
    WHERE ended_at IS NULL";
const RESULT: &str = "INSERT INTO temp.tail_ends
        (id, result_at, call_end, answered_seconds, dialed_seconds, hangup_cause, sip_code)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT (id) DO UPDATE SET result_at = excluded.result_at, answered_seconds = excluded.answered_seconds,
        dialed_seconds = excluded.dialed_seconds, hangup_cause = excluded.hangup_cause, sip_code = excluded.sip_code,
        call_end = CASE WHEN call_end = 'RELEASED' THEN excluded.call_end ELSE call_end END
    WHERE result_at IS NULL";

/// Puts the events of the batches after `applied` into the temporary tables.
pub(super) fn fill(
    main: &Connection,
    journal: &Connection,
    applied: i64,
) -> Result<(), StoreError> {
    let fail = |error| on(main, sqlite(error));
    let mut insert = main.prepare_cached(INSERT).map_err(fail)?;
    let mut end = main.prepare_cached(END).map_err(fail)?;
    let mut result = main.prepare_cached(RESULT).map_err(fail)?;
    each_after(journal, applied, |batch| {
        for event in batch.events()? {
            match event {
                JournalEvent::Allocated(record) => insert_record(&mut insert, &record),
                JournalEvent::Ended(record) => write_end(&mut end, &record),
                JournalEvent::Reported(record) => write_result(&mut result, &record),
            }
            .map_err(fail)?;
        }
        Ok(Flow::On)
    })
}

/// Binds an end to the three parameters that history and the table of unmoved ends have in common.
pub(super) fn write_end(end: &mut CachedStatement<'_>, record: &EndRecord) -> rusqlite::Result<()> {
    end.execute((record.id.as_bytes(), record.at.as_ms(), record.end.as_str()))?;
    Ok(())
}

/// The same for how a call went: seven parameters.
pub(super) fn write_result(
    result: &mut CachedStatement<'_>,
    record: &CallResult,
) -> rusqlite::Result<()> {
    let report = record.report;
    result.execute((
        record.id.as_bytes(),
        record.at.as_ms(),
        report.status.as_str(),
        report.answered_seconds,
        report.dialed_seconds,
        report.hangup_cause,
        report.sip_code,
    ))?;
    Ok(())
}
