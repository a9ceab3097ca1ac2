//! Lists of numbers for people.

use caller_id_core::listing::{NumberFilter, NumberQuery, NumberRow};
use caller_id_core::{PhoneNumber, StoreError};
use rusqlite::types::{ToSql, ToSqlOutput};
use rusqlite::{Connection, Params, Row, params_from_iter};

use super::error::sqlite;
use super::rows::read_row;
use crate::lists::sql::{Dialect, Statement, Value};
use crate::lists::{self, COLUMNS, Listing, Plan};

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

fn given(connection: &Connection, numbers: &[PhoneNumber]) -> Result<Vec<NumberRow>, StoreError> {
    let mut found = Vec::new();
    for number in numbers {
        found.extend(number_row(connection, *number)?);
    }
    Ok(found)
}

/// A page, in a transaction where it is to show one moment.
pub(super) fn page(
    connection: &Connection,
    query: &NumberQuery,
) -> Result<Vec<NumberRow>, StoreError> {
    let listing = Listing::new(query, Dialect::Sqlite);
    let counts = match listing.probe() {
        Some(probe) => counts(connection, &probe)?,
        None => Vec::new(),
    };
    let mut found = Vec::new();
    match listing.plan(&counts) {
        Plan::InTurn(walks) => {
            for walk in walks {
                if found.len() >= query.most {
                    break;
                }
                found.extend(rows(connection, &walk)?);
            }
            found.truncate(query.most);
            return Ok(found);
        }
        Plan::Together(walks) => {
            for walk in walks {
                found.extend(rows(connection, &walk)?);
            }
        }
        Plan::Given(numbers) => found = given(connection, &numbers)?,
    }
    Ok(lists::page(query, found))
}

/// How many numbers a filter asks for.
pub(super) fn count(connection: &Connection, filter: &NumberFilter) -> Result<u64, StoreError> {
    if let Some(count) = lists::count(filter, Dialect::Sqlite) {
        let counts = counts(connection, &count)?;
        return Ok(counts.first().copied().unwrap_or_default().unsigned_abs());
    }
    let query = lists::in_order(filter, None, usize::MAX);
    Ok(page(connection, &query)?.len() as u64)
}

/// The one row of a statement that counts.
fn counts(connection: &Connection, count: &Statement) -> Result<Vec<i64>, StoreError> {
    let values = params_from_iter(&count.values);
    let read = |row: &Row<'_>| {
        let columns = 0..row.as_ref().column_count();
        let counts: Result<Vec<i64>, _> = columns.map(|place| row.get(place)).collect();
        counts.map_err(sqlite)
    };
    let found = list(connection, &count.text, values, read)?;
    Ok(found.into_iter().next().unwrap_or_default())
}
