//! Rows of numbers, found by their keys or on a walk through all.

use caller_id_core::PhoneNumber;
use caller_id_core::listing::{NumberFilter, NumberRow};
use sqlx_core::query::{Query, query};
use sqlx_core::sql_str::AssertSqlSafe;
use sqlx_postgres::{PgArguments, PgConnection, PgRow, Postgres};

use super::error::Fault;
use super::rows::{column, read_row};
use crate::lists::sql::{Dialect, Statement, Value};
use crate::lists::{self, COLUMNS, Walk};
use crate::values;

/// All that a statement gives.
pub(super) async fn list<T>(
    connection: &mut PgConnection,
    sql: &'static str,
    read: fn(&PgRow) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let rows = query::<Postgres>(sql).fetch_all(connection).await?;
    rows.iter().map(read).collect()
}

/// The statement with its values. Its text is built of our own words.
fn bound(statement: Statement) -> Query<'static, Postgres, PgArguments> {
    let Statement { text, values, .. } = statement;
    let mut bound = query::<Postgres>(AssertSqlSafe(text));
    for value in values {
        bound = match value {
            Value::Whole(value) => bound.bind(value),
            // No text here has a control character; the server refuses this one.
            Value::Text(text) => bound.bind(text.replace('\0', "\u{1}")),
        };
    }
    bound
}

async fn rows(connection: &mut PgConnection, select: Statement) -> Result<Vec<NumberRow>, Fault> {
    let rows = bound(select).fetch_all(connection).await?;
    rows.iter().map(read_row).collect()
}

/// These numbers, as far as they are there.
pub(super) async fn given(
    connection: &mut PgConnection,
    numbers: &[PhoneNumber],
) -> Result<Vec<NumberRow>, Fault> {
    let digits = numbers.iter().map(|number| number.e164_digits() as i64);
    let sql = format!("SELECT {COLUMNS} FROM caller_id.numbers WHERE number = ANY($1)");
    let select = query::<Postgres>(AssertSqlSafe(sql)).bind(digits.collect::<Vec<_>>());
    let rows = select.fetch_all(connection).await?;
    rows.iter().map(read_row).collect()
}

/// Those of these numbers that are there.
pub(super) async fn owned(
    connection: &mut PgConnection,
    numbers: &[PhoneNumber],
) -> Result<Vec<PhoneNumber>, Fault> {
    let digits = numbers.iter().map(|number| number.e164_digits() as i64);
    let select = query::<Postgres>("SELECT number FROM caller_id.numbers WHERE number = ANY($1)");
    let rows = select.bind(digits.collect::<Vec<_>>());
    let rows = rows.fetch_all(connection).await?;
    let read = |row: &PgRow| Ok(values::number(column(row, 0)?)?);
    rows.iter().map(read).collect()
}

/// The next numbers that a filter asks for, as the transaction sees them.
pub(super) async fn next(
    connection: &mut PgConnection,
    filter: &NumberFilter,
    after: Option<PhoneNumber>,
    most: usize,
) -> Result<Vec<NumberRow>, Fault> {
    let mut found = Vec::new();
    match lists::walk(filter, after, most, Dialect::Postgres) {
        Walk::InTurn(walks) => {
            for walk in walks {
                if found.len() >= most {
                    break;
                }
                found.extend(rows(connection, walk).await?);
            }
            found.truncate(most);
            Ok(found)
        }
        Walk::Given(numbers) => {
            let rows = given(connection, &numbers).await?;
            Ok(lists::given(filter, after, most, rows))
        }
    }
}
