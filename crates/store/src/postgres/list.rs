//! Rows of numbers, found by their keys or on a walk through all.

use caller_id_core::listing::NumberRow;
use caller_id_core::{PhoneNumber, Timestamp};
use sqlx_core::query::{Query, query};
use sqlx_core::sql_str::AssertSqlSafe;
use sqlx_postgres::{PgArguments, PgConnection, PgRow, Postgres};

use super::error::Fault;
use super::rows::{column, read_row};
use crate::lists::sql::{Dialect, Statement, Value};
use crate::lists::{self, COLUMNS, Next, Walk};
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

/// The rows as they are at `now`.
fn rows_at(rows: &[PgRow], now: Timestamp) -> Result<Vec<NumberRow>, Fault> {
    let rows = rows.iter().map(|row| Ok(read_row(row)?.at(now)));
    rows.collect()
}

/// These numbers as they are at `now`, as far as they are there.
pub(super) async fn given(
    connection: &mut PgConnection,
    numbers: &[PhoneNumber],
    now: Timestamp,
) -> Result<Vec<NumberRow>, Fault> {
    let digits = numbers.iter().map(|number| number.e164_digits() as i64);
    let sql = format!("SELECT {COLUMNS} FROM caller_id.numbers WHERE number = ANY($1)");
    let select = query::<Postgres>(AssertSqlSafe(sql)).bind(digits.collect::<Vec<_>>());
    rows_at(&select.fetch_all(connection).await?, now)
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
    next: Next<'_>,
) -> Result<Vec<NumberRow>, Fault> {
    let mut found = Vec::new();
    match lists::walk(next, Dialect::Postgres) {
        Walk::InTurn(walks) => {
            for walk in walks {
                if found.len() >= next.most {
                    break;
                }
                let rows = bound(walk).fetch_all(&mut *connection).await?;
                found.extend(rows_at(&rows, next.now)?);
            }
            found.truncate(next.most);
            Ok(found)
        }
        Walk::Given(numbers) => {
            let rows = given(connection, &numbers, next.now).await?;
            Ok(lists::given(next, rows))
        }
    }
}
