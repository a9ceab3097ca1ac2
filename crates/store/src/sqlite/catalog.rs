//! The catalog of a SQLite store: what it has not seen is read in the moment of the page.

use std::sync::{Arc, Mutex, PoisonError};

use caller_id_core::listing::{NumberFilter, NumberQuery, NumberRow, PoolCount};
use caller_id_core::{Clock, StoreError, Timestamp};
use rusqlite::{Connection, OptionalExtension, Transaction};

use super::error::sqlite;
use super::inventory::IDENTITY;
use super::rows::{column, text};
use super::{list, meta};
use crate::catalog::{Catalog, Described, Entries, Mark, News, Texts};
use crate::lists;

/// All, quicker than by the index of revisions.
const ALL: &str =
    "SELECT number, area_code, carrier, attestation, status, pool, created_at, updated_at,
    resting_until FROM numbers
    WHERE ?1 = 0 ORDER BY number";
const CHANGED: &str =
    "SELECT number, area_code, carrier, attestation, status, pool, created_at, updated_at,
    resting_until FROM numbers
    WHERE revision > ?1 ORDER BY revision";
const REMOVED: &str = "SELECT number FROM removed_numbers WHERE revision > ?1";

/// The catalog of all readers of a store.
#[derive(Clone)]
pub(super) struct Shared {
    catalog: Arc<Mutex<Catalog>>,
    clock: Arc<dyn Clock>,
}

/// All that is there, and the moment it is of.
struct Look<'c> {
    moment: Transaction<'c>,
    now: Timestamp,
    entries: Arc<Entries>,
}

impl Shared {
    /// An empty one.
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            catalog: Arc::default(),
            clock,
        }
    }

    /// The page that is asked for.
    pub(super) fn page(
        &self,
        main: &mut Connection,
        query: &NumberQuery,
    ) -> Result<Vec<NumberRow>, StoreError> {
        let (page, expected) = self.try_page(main, query)?;
        if page.len() == expected {
            return Ok(page);
        }
        tracing::warn!("the list of numbers was not what the database has, and is made anew");
        *self.catalog.lock().unwrap_or_else(PoisonError::into_inner) = Catalog::default();
        Ok(self.try_page(main, query)?.0)
    }

    /// The page, and how many rows the catalog promised.
    fn try_page(
        &self,
        main: &mut Connection,
        query: &NumberQuery,
    ) -> Result<(Vec<NumberRow>, usize), StoreError> {
        let Look {
            moment,
            now,
            entries,
        } = self.look(main)?;
        let numbers = entries.page(query);
        let rows = list::given(&moment, &numbers, now)?;
        Ok((lists::page(query, rows), numbers.len()))
    }

    /// How many numbers a filter asks for.
    pub(super) fn count(
        &self,
        main: &mut Connection,
        filter: &NumberFilter,
    ) -> Result<u64, StoreError> {
        Ok(self.look(main)?.entries.count(filter))
    }

    /// How many numbers each pool has.
    pub(super) fn pool_counts(&self, main: &mut Connection) -> Result<Vec<PoolCount>, StoreError> {
        self.look(main)?.entries.pool_counts()
    }

    fn look<'c>(&self, main: &'c mut Connection) -> Result<Look<'c>, StoreError> {
        // Locked before the moment begins: a catalog is never ahead of who looks into it.
        let mut catalog = self.catalog.lock().unwrap_or_else(PoisonError::into_inner);
        let moment = main.transaction().map_err(sqlite)?;
        let now = self.clock.now();
        if !catalog.wake(now) {
            *catalog = Catalog::default();
        }
        let revision = meta(&moment, "revision")?;
        let identity = identity(&moment)?;
        if let Some(from) = catalog.missing(revision, identity) {
            let news = news(&moment, from)?;
            catalog.take(news, Mark::whole(revision));
            // None of these was over before.
            let _ = catalog.wake(now);
        }
        let entries = catalog.entries();
        Ok(Look {
            moment,
            now,
            entries,
        })
    }
}

fn identity(moment: &Connection) -> Result<Option<i64>, StoreError> {
    let mut select = moment.prepare_cached(IDENTITY).map_err(sqlite)?;
    let identity = select.query_row([], |row| row.get(0));
    identity.optional().map_err(sqlite)
}

fn news(moment: &Connection, from: Mark) -> Result<News, StoreError> {
    let (mut news, mut texts) = (News::default(), Texts::default());
    let sql = if from.revision == 0 { ALL } else { CHANGED };
    let mut select = moment.prepare_cached(sql).map_err(sqlite)?;
    let mut rows = select.query([from.revision]).map_err(sqlite)?;
    while let Some(row) = rows.next().map_err(sqlite)? {
        let number = Described {
            number: column(row, 0)?,
            area_code: column(row, 1)?,
            carrier: text(row, 2)?,
            attestation: text(row, 3)?,
            status: text(row, 4)?.unwrap_or_default(),
            pool: text(row, 5)?.unwrap_or_default(),
            created_at: column(row, 6)?,
            updated_at: column(row, 7)?,
            resting_until: column(row, 8)?,
        };
        news.push(&number, &mut texts)?;
    }
    for number in list::list(moment, REMOVED, [from.removed], |row| column(row, 0))? {
        news.remove(number);
    }
    Ok(news)
}
