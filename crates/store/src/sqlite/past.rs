//! A page of history, newest first, with what is committed and not yet moved into it.

use caller_id_core::history_query::{PastFilter, PastPage, PastQuery};
use caller_id_core::store::PastAllocation;
use caller_id_core::{AllocationId, PhoneNumber, StoreError, Timestamp};
use rusqlite::types::Value;
use rusqlite::{CachedStatement, Connection};

use super::error::{on, sqlite};
use super::history::HistoryReader;
use super::merge::{EndReader, PastReader, Reader};
use super::rows::column;
use crate::look::{self, Look, Seen, Through};

/// The rows that a look goes through. A subquery with a limit is read row by row in its order, and no further than its
/// reader goes.
macro_rules! rows {
    ($table:literal, $condition:literal, $order:literal) => {
        concat!(
            "SELECT id, at, number, destination, campaign, agent, call_id, pool, rung, reserved_until, ended_at, \
             call_end, result_at, answered_seconds, dialed_seconds, hangup_cause, sip_code FROM ",
            $table,
            " WHERE ",
            $condition,
            " id >= ?1 AND id < ?2 ORDER BY ",
            $order,
            " LIMIT ?3"
        )
    };
}
/// Those of them that are asked for.
macro_rules! asked {
    ($rows:expr) => {
        concat!(
            "SELECT * FROM (",
            $rows,
            ") WHERE (?6 IS NULL OR number = ?6) AND (?7 IS NULL OR destination = ?7) AND (?8 IS NULL OR call_id = ?8)
                AND (?9 IS NULL OR campaign = ?9) AND (?10 IS NULL OR agent = ?10) AND (?11 IS NULL OR pool = ?11)
                AND (?12 IS NULL OR reserved_until > ?12 AND (ended_at IS NULL OR ended_at > ?12))
             LIMIT ?13"
        )
    };
}
/// The last of the rows, when there are as many as may be looked at.
macro_rules! last {
    ($rows:expr) => {
        concat!("SELECT id FROM (", $rows, ") LIMIT 1 OFFSET ?3 - 1")
    };
}
macro_rules! by_call {
    () => {
        rows!(
            "main.allocations INDEXED BY allocations_by_call",
            "call_id = ?8 AND",
            "id DESC"
        )
    };
}
macro_rules! by_destination {
    () => {
        rows!(
            "main.allocations INDEXED BY allocations_by_destination",
            "destination = ?7 AND at BETWEEN ?4 AND ?5 AND",
            "at DESC, id DESC"
        )
    };
}
macro_rules! by_number {
    () => {
        rows!(
            "main.allocations INDEXED BY allocations_by_number",
            "number = ?6 AND at BETWEEN ?4 AND ?5 AND",
            "at DESC, id DESC"
        )
    };
}
macro_rules! by_time {
    () => {
        rows!("main.allocations", "", "id DESC")
    };
}
const BY_CALL: [&str; 2] = [asked!(by_call!()), last!(by_call!())];
const BY_DESTINATION: [&str; 2] = [asked!(by_destination!()), last!(by_destination!())];
const BY_NUMBER: [&str; 2] = [asked!(by_number!()), last!(by_number!())];
const BY_TIME: [&str; 2] = [asked!(by_time!()), last!(by_time!())];
/// Of what is not moved all that is asked for: there is never much of it.
const TAIL: &str = asked!(
    "SELECT id, at, number, destination, campaign, agent, call_id, pool, rung, reserved_until, NULL AS ended_at,
        NULL AS call_end, NULL AS result_at, NULL AS answered_seconds, NULL AS dialed_seconds, NULL AS hangup_cause,
        NULL AS sip_code
    FROM temp.tail WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT -1"
);
const TAIL_END: &str = "
    SELECT id, ended_at, call_end, result_at, answered_seconds, dialed_seconds, hangup_cause, sip_code
    FROM temp.tail_ends WHERE id = ?1";

impl HistoryReader {
    pub(super) fn past(&mut self, query: &PastQuery) -> Result<PastPage, StoreError> {
        let Some(look) = Look::new(query) else {
            return Ok(PastPage::default());
        };
        let main = self.whole_moment()?;
        page(main.0, query, &look).map_err(|error| on(main.0, error))
    }
}

fn page(main: &Connection, query: &PastQuery, look: &Look) -> Result<PastPage, StoreError> {
    let values = values(look, &query.filter);
    let [asked, last] = match look.through {
        Through::Call => BY_CALL,
        Through::Destination => BY_DESTINATION,
        Through::Number => BY_NUMBER,
        Through::Time => BY_TIME,
    };
    let moved = read(main, asked, &values)?;
    let last = match look.picks && moved.len() < look.most {
        true => last_row(main, last, &values)?,
        false => None,
    };
    let moved = Seen::new(look, moved, last);
    let tail = Seen::new(look, read(main, TAIL, &values)?, None);
    Ok(look::page(query, [moved, tail]))
}

/// The parameters of all these statements, by their numbers.
fn values(look: &Look, filter: &PastFilter) -> [Value; 13] {
    let id = |id: AllocationId| Value::Blob(id.as_bytes().to_vec());
    let count = |count: usize| Value::Integer(i64::try_from(count).unwrap_or(i64::MAX));
    let number = |number: Option<PhoneNumber>| number.map(|number| number.e164_digits() as i64);
    let (first, last) = look.instants();
    [
        id(look.from),
        id(look.below),
        count(look.rows),
        first.into(),
        last.into(),
        number(filter.number).into(),
        number(filter.destination).into(),
        filter.call_id.as_ref().map(ToString::to_string).into(),
        filter.campaign.as_ref().map(ToString::to_string).into(),
        filter.agent.as_ref().map(ToString::to_string).into(),
        filter.pool.as_ref().map(ToString::to_string).into(),
        filter.reserved_at.map(Timestamp::as_ms).into(),
        count(look.most),
    ]
}

/// Binds those of the values that the statement has.
pub(super) fn bind(statement: &mut CachedStatement<'_>, values: &[Value]) -> rusqlite::Result<()> {
    let most = statement.parameter_count();
    for (place, value) in (1..=most).zip(values) {
        statement.raw_bind_parameter(place, value)?;
    }
    Ok(())
}

fn read(main: &Connection, sql: &str, values: &[Value]) -> Result<Vec<PastAllocation>, StoreError> {
    let mut select = main.prepare_cached(sql).map_err(sqlite)?;
    bind(&mut select, values).map_err(sqlite)?;
    let mut ends = main.prepare_cached(TAIL_END).map_err(sqlite)?;
    let mut reader = PastReader::default();
    let mut rows = select.raw_query();
    let mut read = Vec::new();
    while let Some(row) = rows.next().map_err(sqlite)? {
        let mut past = reader.read(row)?;
        let mut said = ends.query([past.record.id.as_bytes()]).map_err(sqlite)?;
        if let Some(row) = said.next().map_err(sqlite)? {
            EndReader.read(row)?.tell(&mut past);
        }
        read.push(past);
    }
    Ok(read)
}

fn last_row(
    main: &Connection,
    sql: &str,
    values: &[Value],
) -> Result<Option<AllocationId>, StoreError> {
    let mut select = main.prepare_cached(sql).map_err(sqlite)?;
    bind(&mut select, values).map_err(sqlite)?;
    let mut rows = select.raw_query();
    let row = rows.next().map_err(sqlite)?;
    row.map(|row| Ok(AllocationId::from_bytes(column(row, 0)?)))
        .transpose()
}
