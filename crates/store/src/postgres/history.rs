//! Reading and pruning history.

use std::collections::HashMap;

use async_trait::async_trait;
use caller_id_core::store::{PastAllocation, PastSink};
use caller_id_core::{AllocationId, HistoryStore, PhoneNumber, StoreError, Timestamp};
use sqlx_core::query::query;
use sqlx_core::query_as::query_as;
use sqlx_core::query_scalar::query_scalar;
use sqlx_core::sql_str::AssertSqlSafe;
use sqlx_postgres::{PgConnection, Postgres};
use uuid::Uuid;

use super::PostgresStore;
use super::commit::uuid;
use super::error::Fault;
use super::parts::{self, Part};
use super::rows::PastReader;
use crate::values::number;

const SINCE: &str = "
    SELECT id, at, number, destination, campaign, agent, call_id, pool, rung, reserved_until, ended_at, call_end
    FROM caller_id.allocations WHERE id >= $1 ORDER BY id LIMIT $2";
const PRUNE: &str = "DELETE FROM caller_id.allocations WHERE id IN
    (SELECT id FROM caller_id.allocations WHERE id < $1 ORDER BY id LIMIT $2) AND id < $1";

/// How many rows one statement reads. No statement is long, so none stands in the way of who drops a part.
const PAGE: usize = 4_096;
/// A part that has more rows is not emptied row by row: it goes when all of it may.
const SMALL: usize = 100_000;

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

/// One seek in the index for each number of the part, and not a look at each allocation.
async fn last_uses(
    connection: &mut PgConnection,
    table: &str,
    below: i64,
) -> Result<Vec<(i64, i64)>, Fault> {
    let latest = |condition: &str| {
        format!(
            "SELECT number, at FROM caller_id.{table} WHERE number < {condition} ORDER BY number DESC, id DESC LIMIT 1"
        )
    };
    let sql = format!(
        "WITH RECURSIVE used AS (
             ({}) UNION ALL SELECT next.* FROM used, LATERAL ({}) next
         ) SELECT number, at FROM used LIMIT {PAGE}",
        latest("$1"),
        latest("used.number")
    );
    let page = query_as::<Postgres, (i64, i64)>(AssertSqlSafe(sql))
        .bind(below)
        .persistent(false)
        .fetch_all(connection)
        .await;
    match page.map_err(Fault::from) {
        // Somebody dropped the part meanwhile.
        Err(fault) if fault.is_no_table() => Ok(Vec::new()),
        other => other,
    }
}

/// How many rows a part has; of a large one about.
async fn rows(connection: &mut PgConnection, part: &Part) -> Result<usize, Fault> {
    if let Some(rows) = part.rows.filter(|rows| *rows > SMALL) {
        return Ok(rows);
    }
    let sql = format!(
        "SELECT count(*) FROM (SELECT FROM caller_id.{} LIMIT {}) AS counted",
        part.table,
        SMALL + 1
    );
    let rows: i64 = query_scalar::<Postgres, _>(AssertSqlSafe(sql))
        .persistent(false)
        .fetch_one(connection)
        .await?;
    Ok(rows as usize)
}

async fn prune(
    connection: &mut PgConnection,
    before: Timestamp,
    most: usize,
) -> Result<usize, Fault> {
    let mut pruned = 0;
    for part in parts::list(connection).await? {
        if pruned >= most {
            return Ok(pruned);
        }
        let rows = rows(connection, &part).await?;
        if part.end().is_some_and(|end| end <= before) {
            part.drop_whole(connection).await?;
            pruned += rows;
            continue;
        }
        // The oldest that is not past. Deleting millions of rows one by one is work for weeks of vacuum; they go with
        // their part, in a week at most.
        if rows <= SMALL {
            let delete = query::<Postgres>(PRUNE)
                .bind(uuid(AllocationId::first_at(before)))
                .bind(limit(most - pruned));
            pruned += delete.execute(connection).await?.rows_affected() as usize;
        }
        break;
    }
    Ok(pruned)
}

impl PostgresStore {
    async fn page(
        &self,
        from: Uuid,
        mut reader: PastReader,
    ) -> Result<(Vec<PastAllocation>, PastReader), StoreError> {
        self.lane
            .run(|connection| {
                Box::pin(async move {
                    let rows = query::<Postgres>(SINCE)
                        .bind(from)
                        .bind(limit(PAGE))
                        .fetch_all(connection)
                        .await?;
                    let page: Result<_, Fault> = rows.iter().map(|row| reader.read(row)).collect();
                    Ok((page?, reader))
                })
            })
            .await
    }
}

#[async_trait]
impl HistoryStore for PostgresStore {
    async fn allocations_since(
        &self,
        since: Timestamp,
        sink: PastSink<'_>,
    ) -> Result<(), StoreError> {
        let mut from = uuid(AllocationId::first_at(since));
        let mut reader = PastReader::default();
        loop {
            let (page, again) = self.page(from, reader).await?;
            reader = again;
            let whole = page.len() == PAGE;
            if let Some(last) = page.last() {
                from = Uuid::from_u128(uuid(last.record.id).as_u128().saturating_add(1));
            }
            page.into_iter().for_each(&mut *sink);
            if !whole {
                return Ok(());
            }
        }
    }

    async fn last_uses(&self) -> Result<Vec<(PhoneNumber, Timestamp)>, StoreError> {
        let mut uses = HashMap::new();
        let all = self
            .lane
            .run(|connection| Box::pin(parts::list(connection)))
            .await?;
        // The newest part first: what an older one says of the same number counts no more.
        for part in all.iter().rev() {
            let mut below = Some(i64::MAX);
            while let Some(from) = below.take() {
                let table = part.table.clone();
                let page = self
                    .lane
                    .run(|connection| {
                        Box::pin(async move { last_uses(connection, &table, from).await })
                    })
                    .await?;
                if page.len() == PAGE {
                    below = page.last().map(|(number, _)| *number);
                }
                for (digits, at) in page {
                    uses.entry(digits).or_insert(at);
                }
            }
        }
        let read = |(digits, at)| Ok((number(digits)?, Timestamp::from_ms(at)));
        uses.into_iter().map(read).collect()
    }

    async fn prune(&self, before: Timestamp, most: usize) -> Result<usize, StoreError> {
        self.lane
            .run(|connection| Box::pin(prune(connection, before, most)))
            .await
    }

    /// Always 0: a commit writes history itself.
    fn backlog(&self) -> u64 {
        0
    }

    /// Nothing is left to do.
    async fn settle(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
