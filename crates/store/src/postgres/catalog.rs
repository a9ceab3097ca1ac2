//! The catalog of a PostgreSQL store: what it has not seen is read in the moment of the page, in parts where it is much.

use std::sync::Arc;

use caller_id_core::listing::{NumberFilter, NumberQuery, NumberRow, PoolCount};
use caller_id_core::{Clock, StoreError};
use sqlx_core::connection::Connection;
use sqlx_core::query::query;
use sqlx_core::query_as::query_as;
use sqlx_core::query_scalar::query_scalar;
use sqlx_core::sql_str::SqlStr;
use sqlx_postgres::{PgConnection, PgRow, Postgres};
use tokio::sync::Mutex;

use super::PostgresStore;
use super::changes::ONE_MOMENT;
use super::error::Fault;
use super::list;
use super::rows::column;
use crate::catalog::{Catalog, Described, Entries, Mark, News, Texts};
use crate::lists;

/// So many rows are read at once: no part takes as long as one may wait for an answer.
const PART: usize = 20_000;
const AT: &str = "SELECT (SELECT value FROM caller_id.meta WHERE key = 'revision'),
    (SELECT value FROM caller_id.meta WHERE key = 'identity')";
const CHANGED: &str =
    "SELECT number, area_code, carrier, attestation, status, pool, created_at, updated_at, revision,
        resting_until
    FROM caller_id.numbers WHERE (revision, number) > ($1, $2) ORDER BY revision, number LIMIT $3";
const REMOVED: &str = "SELECT number FROM caller_id.removed_numbers WHERE revision > $1";

/// The catalog of all that list numbers of a store.
pub(super) type Shared = Arc<Mutex<Catalog>>;

/// What is asked of it.
#[derive(Clone)]
enum Asked {
    Page(NumberQuery),
    Count(NumberFilter),
    Pools,
}

/// What came of a look.
enum Look {
    /// There is more to be taken in first.
    Behind,
    /// The page; whether it is what the catalog promised.
    Page(Vec<NumberRow>, bool),
    Count(u64),
    Pools(Vec<PoolCount>),
}

impl PostgresStore {
    /// The page that is asked for.
    pub(super) async fn page(&self, query: &NumberQuery) -> Result<Vec<NumberRow>, StoreError> {
        let mut again = true;
        loop {
            match self.look(Asked::Page(query.clone())).await? {
                Look::Page(_, false) if again => {
                    tracing::warn!(
                        "the list of numbers was not what the database has, and is made anew"
                    );
                    *self.catalog.lock().await = Catalog::default();
                    again = false;
                }
                Look::Page(page, _) => return Ok(page),
                _ => {}
            }
        }
    }

    /// How many numbers a filter asks for.
    pub(super) async fn count(&self, filter: &NumberFilter) -> Result<u64, StoreError> {
        loop {
            if let Look::Count(count) = self.look(Asked::Count(filter.clone())).await? {
                return Ok(count);
            }
        }
    }

    /// How many numbers each pool has.
    pub(super) async fn counts_of_pools(&self) -> Result<Vec<PoolCount>, StoreError> {
        loop {
            if let Look::Pools(counts) = self.look(Asked::Pools).await? {
                return Ok(counts);
            }
        }
    }

    async fn look(&self, asked: Asked) -> Result<Look, StoreError> {
        let (catalog, clock) = (Arc::clone(&self.catalog), Arc::clone(&self.clock));
        self.lane
            .run(|connection| Box::pin(look(connection, catalog, clock, asked)))
            .await
    }
}

async fn look(
    connection: &mut PgConnection,
    catalog: Shared,
    clock: Arc<dyn Clock>,
    asked: Asked,
) -> Result<Look, Fault> {
    // Locked before the moment begins: a catalog is never ahead of who looks into it.
    let mut catalog = catalog.lock_owned().await;
    let mut moment = connection
        .begin_with(SqlStr::from_static(ONE_MOMENT))
        .await?;
    let (revision, identity) = query_as::<Postgres, (i64, Option<i64>)>(AT)
        .fetch_one(&mut *moment)
        .await?;
    let now = clock.now();
    if !catalog.wake(now) {
        *catalog = Catalog::default();
    }
    if let Some(from) = catalog.missing(revision, identity) {
        let (news, upto) = news(&mut moment, from, revision).await?;
        catalog.take(news, upto);
        if upto != Mark::whole(revision) {
            moment.commit().await?;
            return Ok(Look::Behind);
        }
        // None of these was over before.
        let _ = catalog.wake(now);
    }
    let entries = catalog.entries();
    drop(catalog);
    let looked = match asked {
        Asked::Count(filter) => {
            let count = aside(entries, move |entries| entries.count(&filter));
            Look::Count(count.await?)
        }
        Asked::Pools => {
            let counts = aside(entries, |entries| entries.pool_counts());
            Look::Pools(counts.await??)
        }
        Asked::Page(query) => {
            let asked = query.clone();
            let numbers = aside(entries, move |entries| entries.page(&asked)).await?;
            let rows = list::given(&mut moment, &numbers, now).await?;
            let page = lists::page(&query, rows);
            let is_whole = page.len() == numbers.len();
            Look::Page(page, is_whole)
        }
    };
    moment.commit().await?;
    Ok(looked)
}

/// A walk through all entries takes milliseconds: too long for a thread that answers others.
async fn aside<T: Send + 'static>(
    entries: Arc<Entries>,
    search: impl FnOnce(&Entries) -> T + Send + 'static,
) -> Result<T, StoreError> {
    let found = tokio::task::spawn_blocking(move || search(&entries)).await;
    found.map_err(|lost| StoreError::Failed(lost.into()))
}

/// What changed, and up to where that is.
async fn news(moment: &mut PgConnection, from: Mark, revision: i64) -> Result<(News, Mark), Fault> {
    let (mut news, mut texts) = (News::default(), Texts::default());
    let rows = query::<Postgres>(CHANGED)
        .bind(from.revision)
        .bind(from.number)
        .bind(PART as i64)
        .fetch_all(&mut *moment)
        .await?;
    for row in &rows {
        news.push(&described(row)?, &mut texts)?;
    }
    if let Some(last) = rows.last().filter(|_| rows.len() == PART) {
        let upto = Mark {
            revision: column(last, 8)?,
            number: column(last, 0)?,
            ..from
        };
        return Ok((news, upto));
    }
    let removed = query_scalar::<Postgres, i64>(REMOVED).bind(from.removed);
    for number in removed.fetch_all(moment).await? {
        news.remove(number);
    }
    Ok((news, Mark::whole(revision)))
}

fn described(row: &PgRow) -> Result<Described<'_>, Fault> {
    Ok(Described {
        number: column(row, 0)?,
        area_code: column::<Option<i32>>(row, 1)?.map(Into::into),
        carrier: column(row, 2)?,
        attestation: column(row, 3)?,
        status: column(row, 4)?,
        pool: column(row, 5)?,
        created_at: column(row, 6)?,
        updated_at: column(row, 7)?,
        resting_until: column(row, 9)?,
    })
}
