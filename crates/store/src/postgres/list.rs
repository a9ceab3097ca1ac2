//! Lists of numbers for people.

use caller_id_core::PhoneNumber;
use caller_id_core::listing::{NumberFilter, NumberQuery, NumberRow};
use sqlx_core::query::{Query, query};
use sqlx_core::row::Row;
use sqlx_core::sql_str::AssertSqlSafe;
use sqlx_postgres::{PgArguments, PgConnection, PgRow, Postgres};

use super::error::Fault;
use super::rows::{column, read_row};
use crate::lists::sql::{Dialect, Statement, Value};
use crate::lists::{self, COLUMNS, Listing, Plan};

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

/// A page, in a transaction where it is to show one moment.
pub(super) async fn page(
    connection: &mut PgConnection,
    query: &NumberQuery,
) -> Result<Vec<NumberRow>, Fault> {
    let listing = Listing::new(query, Dialect::Postgres);
    let counted = match listing.probe() {
        Some(probe) => counts(connection, probe).await?,
        None => Vec::new(),
    };
    let mut found = Vec::new();
    match listing.plan(&counted) {
        Plan::InTurn(walks) => {
            for walk in walks {
                if found.len() >= query.most {
                    break;
                }
                found.extend(rows(connection, walk).await?);
            }
            found.truncate(query.most);
            return Ok(found);
        }
        Plan::Together(walks) => {
            for walk in walks {
                found.extend(rows(connection, walk).await?);
            }
        }
        Plan::Given(numbers) => found = given(connection, &numbers).await?,
    }
    Ok(lists::page(query, found))
}

/// How many numbers a filter asks for.
pub(super) async fn count(
    connection: &mut PgConnection,
    filter: &NumberFilter,
) -> Result<u64, Fault> {
    if let Some(count) = lists::count(filter, Dialect::Postgres) {
        let counts = counts(connection, count).await?;
        return Ok(counts.first().copied().unwrap_or_default().unsigned_abs());
    }
    let query = lists::in_order(filter, None, usize::MAX);
    Ok(page(connection, &query).await?.len() as u64)
}

/// The one row of a statement that counts.
async fn counts(connection: &mut PgConnection, count: Statement) -> Result<Vec<i64>, Fault> {
    let row = bound(count).fetch_one(connection).await?;
    (0..row.len()).map(|place| column(&row, place)).collect()
}
