//! Reading and pruning history.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use caller_id_core::store::{PastAllocation, PastSink};
use caller_id_core::{AllocationId, HistoryStore, PhoneNumber, Sought, StoreError, Timestamp};
use sqlx_core::query::query;
use sqlx_core::query_as::query_as;
use sqlx_core::query_scalar::query_scalar;
use sqlx_core::sql_str::AssertSqlSafe;
use sqlx_postgres::{PgConnection, PgRow, Postgres};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::PostgresStore;
use super::commit::uuid;
use super::error::Fault;
use super::parts::{self, Part};
use super::rows::{PastReader, column};
use crate::values::number;

const SINCE: &str = "
    SELECT id, at, number, destination, campaign, agent, call_id, pool, rung, reserved_until, ended_at, call_end,
        result_at, answered_seconds, dialed_seconds, hangup_cause, sip_code
    FROM caller_id.allocations WHERE id >= $1 ORDER BY id LIMIT $2";
const PRUNE: &str = "DELETE FROM caller_id.allocations WHERE id IN
    (SELECT id FROM caller_id.allocations WHERE id < $1 ORDER BY id LIMIT $2) AND id < $1";

/// How many rows one statement reads. No statement is long, so none stands in the way of who drops a part.
const PAGE: usize = 4_096;
/// A part that has more rows is not emptied row by row: it goes when all of it may.
const SMALL: usize = 100_000;

/// A row has no fewer bytes.
const ROW_BYTES: usize = 128;
/// Seeking the last use of a number costs as much as reading so many rows.
const SEEK_ROWS: usize = 16;
/// More rows are not read in one statement to find the last uses.
const READ_ROWS: usize = 2_000_000;

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

/// A page of last uses in a part, numbers falling from below `below`: one seek in the index for each number, and not a
/// look at each allocation.
fn seek_uses(table: &str) -> String {
    let latest = |condition: &str| {
        format!(
            "SELECT number, at FROM caller_id.{table} WHERE number < {condition} ORDER BY number DESC, id DESC LIMIT 1"
        )
    };
    format!(
        "WITH RECURSIVE used AS (
             ({}) UNION ALL SELECT next.* FROM used, LATERAL ({}) next
         ) SELECT number, at FROM used LIMIT {PAGE}",
        latest("$1"),
        latest("used.number")
    )
}

/// All last uses in a part, by a look at each allocation.
fn read_uses(table: &str) -> String {
    format!("SELECT number, max(at) FROM caller_id.{table} WHERE number < $1 GROUP BY number")
}

/// Last uses in a part that may be gone meanwhile.
async fn uses(
    connection: &mut PgConnection,
    sql: String,
    below: i64,
) -> Result<Vec<(i64, i64)>, Fault> {
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
    /// Reads a page in a task, so that the server finds it while the one before is looked at.
    fn read_ahead(&self, from: Uuid, pages: &mut JoinSet<Result<Vec<PgRow>, StoreError>>) {
        let lane = Arc::clone(&self.lane);
        pages.spawn(async move {
            let read = lane.run(|connection| {
                let since = query::<Postgres>(SINCE).bind(from).bind(limit(PAGE));
                Box::pin(async move { Ok(since.fetch_all(connection).await?) })
            });
            read.await
        });
    }

    /// The last uses in one part. `numbers` is how many there are likely to be.
    async fn uses_in(&self, part: &Part, numbers: usize) -> Result<Vec<(i64, i64)>, StoreError> {
        let rows = part.rows.unwrap_or(part.bytes / ROW_BYTES);
        if rows <= (SEEK_ROWS * numbers).min(READ_ROWS) {
            let sql = read_uses(&part.table);
            return self
                .lane
                .run(|connection| Box::pin(uses(connection, sql, i64::MAX)))
                .await;
        }
        let mut all = Vec::new();
        loop {
            let below = all.last().map_or(i64::MAX, |(number, _)| *number);
            let sql = seek_uses(&part.table);
            let page = self
                .lane
                .run(|connection| Box::pin(uses(connection, sql, below)))
                .await?;
            let whole = page.len() == PAGE;
            all.extend(page);
            if !whole {
                return Ok(all);
            }
        }
    }
}

#[async_trait]
impl HistoryStore for PostgresStore {
    async fn allocations_since(
        &self,
        since: Timestamp,
        sink: PastSink<'_>,
    ) -> Result<(), StoreError> {
        let mut reader = PastReader::default();
        let mut pages = JoinSet::new();
        self.read_ahead(uuid(AllocationId::first_at(since)), &mut pages);
        while let Some(page) = pages.join_next().await {
            // A task that did not end: the runtime is shutting down.
            let rows = page.map_err(|_| StoreError::Closed)??;
            let at = |fault: Fault| fault.at(self.lane.place());
            if rows.len() == PAGE {
                let last: Uuid = column(&rows[PAGE - 1], 0).map_err(at)?;
                let next = Uuid::from_u128(last.as_u128().saturating_add(1));
                self.read_ahead(next, &mut pages);
            }
            for row in &rows {
                sink(reader.read(row).map_err(at)?);
            }
        }
        Ok(())
    }

    async fn allocations_page(
        &self,
        from: AllocationId,
        most: usize,
    ) -> Result<Vec<PastAllocation>, StoreError> {
        self.page_from(from, most).await
    }

    async fn find(
        &self,
        sought: &Sought,
        since: Timestamp,
    ) -> Result<Option<AllocationId>, StoreError> {
        self.latest(sought, since).await
    }

    async fn last_uses(&self) -> Result<Vec<(PhoneNumber, Timestamp)>, StoreError> {
        let mut uses = HashMap::new();
        let all = self
            .lane
            .run(|connection| Box::pin(parts::list(connection)))
            .await?;
        // The newest part first: what an older one says of the same number counts no more.
        for part in all.iter().rev() {
            for (digits, at) in self.uses_in(part, uses.len()).await? {
                uses.entry(digits).or_insert(at);
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
