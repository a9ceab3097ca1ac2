//! Rows of numbers, found by their keys or on a walk through all.

use caller_id_core::listing::NumberRow;
use caller_id_core::{PhoneNumber, StoreError, Timestamp};
use rusqlite::types::{ToSql, ToSqlOutput};
use rusqlite::{Connection, Params, Row, params_from_iter};

use super::error::sqlite;
use super::rows::read_row;
use crate::lists::sql::{Dialect, Value};
use crate::lists::{self, COLUMNS, Next, Walk};

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Whole(value) => value.to_sql(),
            Self::Text(value) => value.to_sql(),
        }
    }
}

/// All that a statement gives.
pub(super) fn list<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut select = connection.prepare_cached(sql).map_err(sqlite)?;
    let mut rows = select.query(parameters).map_err(sqlite)?;
    let mut list = Vec::new();
    while let Some(row) = rows.next().map_err(sqlite)? {
        list.push(read(row)?);
    }
    Ok(list)
}

/// A row as it is at `now`.
fn row_at(now: Timestamp) -> impl Fn(&Row<'_>) -> Result<NumberRow, StoreError> {
    move |row| Ok(read_row(row)?.at(now))
}

/// One number as it is at `now`, if it is there.
pub(super) fn number_row(
    connection: &Connection,
    number: PhoneNumber,
    now: Timestamp,
) -> Result<Option<NumberRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM numbers WHERE number = ?1");
    let digits = [number.e164_digits() as i64];
    let found = list(connection, &sql, digits, row_at(now))?;
    Ok(found.into_iter().next())
}

/// Those of these numbers that are there.
pub(super) fn owned(
    connection: &Connection,
    mut numbers: Vec<PhoneNumber>,
) -> Result<Vec<PhoneNumber>, StoreError> {
    let select = "SELECT 1 FROM numbers WHERE number = ?1";
    let mut select = connection.prepare_cached(select).map_err(sqlite)?;
    let mut failed = None;
    numbers.retain(|number| {
        let found = select.exists([number.e164_digits() as i64]);
        found.unwrap_or_else(|error| {
            failed = Some(error);
            false
        })
    });
    failed.map_or(Ok(numbers), |error| Err(sqlite(error)))
}

/// These numbers as they are at `now`, as far as they are there.
pub(super) fn given(
    connection: &Connection,
    numbers: &[PhoneNumber],
    now: Timestamp,
) -> Result<Vec<NumberRow>, StoreError> {
    let mut found = Vec::new();
    for number in numbers {
        found.extend(number_row(connection, *number, now)?);
    }
    Ok(found)
}

/// The next numbers that a filter asks for, as the transaction sees them.
pub(super) fn next(connection: &Connection, next: Next<'_>) -> Result<Vec<NumberRow>, StoreError> {
    let mut found = Vec::new();
    match lists::walk(next, Dialect::Sqlite) {
        Walk::InTurn(walks) => {
            for walk in walks {
                if found.len() >= next.most {
                    break;
                }
                let values = params_from_iter(&walk.values);
                found.extend(list(connection, &walk.text, values, row_at(next.now))?);
            }
            found.truncate(next.most);
            Ok(found)
        }
        Walk::Given(numbers) => {
            let rows = given(connection, &numbers, next.now)?;
            Ok(lists::given(next, rows))
        }
    }
}
