//! Rows of numbers, found by their keys or on a walk through all.

use caller_id_core::listing::{NumberFilter, NumberRow};
use caller_id_core::{PhoneNumber, StoreError};
use rusqlite::types::{ToSql, ToSqlOutput};
use rusqlite::{Connection, Params, Row, params_from_iter};

use super::error::sqlite;
use super::rows::read_row;
use crate::lists::sql::{Dialect, Statement, Value};
use crate::lists::{self, COLUMNS, Walk};

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

fn rows(connection: &Connection, select: &Statement) -> Result<Vec<NumberRow>, StoreError> {
    let values = params_from_iter(&select.values);
    list(connection, &select.text, values, read_row)
}

/// One number, if it is there.
pub(super) fn number_row(
    connection: &Connection,
    number: PhoneNumber,
) -> Result<Option<NumberRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM numbers WHERE number = ?1");
    let digits = [number.e164_digits() as i64];
    let found = list(connection, &sql, digits, read_row)?;
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

/// These numbers, as far as they are there.
pub(super) fn given(
    connection: &Connection,
    numbers: &[PhoneNumber],
) -> Result<Vec<NumberRow>, StoreError> {
    let mut found = Vec::new();
    for number in numbers {
        found.extend(number_row(connection, *number)?);
    }
    Ok(found)
}

/// The next numbers that a filter asks for, as the transaction sees them.
pub(super) fn next(
    connection: &Connection,
    filter: &NumberFilter,
    after: Option<PhoneNumber>,
    most: usize,
) -> Result<Vec<NumberRow>, StoreError> {
    let mut found = Vec::new();
    match lists::walk(filter, after, most, Dialect::Sqlite) {
        Walk::InTurn(walks) => {
            for walk in walks {
                if found.len() >= most {
                    break;
                }
                found.extend(rows(connection, &walk)?);
            }
            found.truncate(most);
            Ok(found)
        }
        Walk::Given(numbers) => {
            let rows = given(connection, &numbers)?;
            Ok(lists::given(filter, after, most, rows))
        }
    }
}
