//! A page of history, newest first.

use caller_id_core::history_query::{PastPage, PastQuery};
use caller_id_core::{AllocationId, PhoneNumber, StoreError, Timestamp};
use sqlx_core::query::Query;
use sqlx_core::query::query;
use sqlx_postgres::{PgArguments, PgConnection, PgRow, Postgres};
use uuid::Uuid;

use super::PostgresStore;
use super::commit::uuid;
use super::error::Fault;
use super::rows::{PastReader, column};
use crate::look::{self, Look, Seen, Through};

/// The rows that a look goes through: an index gives them in this order, and no more of them than are read.
macro_rules! rows {
    ($condition:literal) => {
        concat!(
            "SELECT id, at, number, destination, campaign, agent, call_id, pool, rung, reserved_until, ended_at, \
             call_end, result_at, answered_seconds, dialed_seconds, hangup_cause, sip_code FROM caller_id.allocations \
             WHERE ",
            $condition,
            " id >= $1 AND id < $2 ORDER BY id DESC LIMIT $3"
        )
    };
}
/// Those of them that are asked for. Plans are made for the values at hand, so what is not given costs nothing.
macro_rules! asked {
    ($rows:expr) => {
        concat!(
            "SELECT * FROM (",
            $rows,
            ") AS seen WHERE ($4::bigint IS NULL OR number = $4) AND ($5::bigint IS NULL OR destination = $5)
                AND ($6::text IS NULL OR call_id = $6) AND ($7::text IS NULL OR campaign = $7)
                AND ($8::text IS NULL OR agent = $8) AND ($9::text IS NULL OR pool = $9)
                AND ($10::bigint IS NULL OR reserved_until > $10 AND (ended_at IS NULL OR ended_at > $10))
             ORDER BY id DESC LIMIT $11"
        )
    };
}
/// The last of the rows, when there are as many as may be looked at.
macro_rules! last {
    ($condition:literal) => {
        concat!(
            "SELECT id FROM caller_id.allocations WHERE ",
            $condition,
            " id >= $1 AND id < $2 ORDER BY id DESC LIMIT 1 OFFSET $3 - 1"
        )
    };
}
/// For each index: what is asked for, and the last row.
const BY_CALL: [&str; 2] = [asked!(rows!("call_id = $6 AND")), last!("call_id = $4 AND")];
const BY_DESTINATION: [&str; 2] = [
    asked!(rows!("destination = $5 AND")),
    last!("destination = $4 AND"),
];
const BY_NUMBER: [&str; 2] = [asked!(rows!("number = $4 AND")), last!("number = $4 AND")];
const BY_TIME: [&str; 2] = [asked!(rows!("")), last!("")];

type Asking<'q> = Query<'q, Postgres, PgArguments>;

fn digits(number: Option<PhoneNumber>) -> Option<i64> {
    number.map(|number| number.e164_digits() as i64)
}

fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn begin<'q>(sql: &'static str, look: &Look) -> Asking<'q> {
    query::<Postgres>(sql)
        .bind(uuid(look.from))
        .bind(uuid(look.below))
        .bind(count(look.rows))
}

async fn read(
    connection: &mut PgConnection,
    sql: &'static str,
    look: &Look,
    asked: &PastQuery,
) -> Result<Vec<PgRow>, Fault> {
    let filter = &asked.filter;
    let text = |text: Option<String>| text;
    let asking = begin(sql, look)
        .bind(digits(filter.number))
        .bind(digits(filter.destination))
        .bind(text(filter.call_id.as_ref().map(ToString::to_string)))
        .bind(text(filter.campaign.as_ref().map(ToString::to_string)))
        .bind(text(filter.agent.as_ref().map(ToString::to_string)))
        .bind(text(filter.pool.as_ref().map(ToString::to_string)))
        .bind(filter.reserved_at.map(Timestamp::as_ms))
        .bind(count(look.most));
    Ok(asking.fetch_all(connection).await?)
}

async fn last_row(
    connection: &mut PgConnection,
    sql: &'static str,
    look: &Look,
    asked: &PastQuery,
) -> Result<Option<AllocationId>, Fault> {
    let (asking, filter) = (begin(sql, look), &asked.filter);
    let asking = match look.through {
        Through::Call => asking.bind(filter.call_id.as_ref().map(ToString::to_string)),
        Through::Destination => asking.bind(digits(filter.destination)),
        Through::Number => asking.bind(digits(filter.number)),
        Through::Time => asking,
    };
    let row = asking.fetch_optional(connection).await?;
    let id = row.map(|row| column::<Uuid>(&row, 0)).transpose()?;
    Ok(id.map(|id| AllocationId::from_bytes(id.into_bytes())))
}

async fn see(connection: &mut PgConnection, look: &Look, asked: &PastQuery) -> Result<Seen, Fault> {
    let [sql, last] = match look.through {
        Through::Call => BY_CALL,
        Through::Destination => BY_DESTINATION,
        Through::Number => BY_NUMBER,
        Through::Time => BY_TIME,
    };
    let rows = read(connection, sql, look, asked).await?;
    let last = match look.picks && rows.len() < look.most {
        true => last_row(connection, last, look, asked).await?,
        false => None,
    };
    let mut reader = PastReader::default();
    let rows: Result<Vec<_>, Fault> = rows.iter().map(|row| reader.read(row)).collect();
    Ok(Seen::new(look, rows?, last))
}

impl PostgresStore {
    /// A page of history, newest first.
    pub(super) async fn past_page(&self, asked: &PastQuery) -> Result<PastPage, StoreError> {
        let Some(look) = Look::new(asked) else {
            return Ok(PastPage::default());
        };
        let query = asked.clone();
        let seen = self
            .lane
            .run(|connection| Box::pin(async move { see(connection, &look, &query).await }));
        Ok(look::page(asked, [seen.await?]))
    }
}
