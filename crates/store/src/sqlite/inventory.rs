//! Numbers, pools and campaigns.

use async_trait::async_trait;
use caller_id_core::listing::{
    BulkStep, Changed, Expected, NumberChange, NumberFilter, NumberGroup, NumberQuery, NumberRow,
    PoolCount, PoolRemoval,
};
use caller_id_core::store::{Changes, OnDuplicate, Revision, Written};
use caller_id_core::{
    Author, Campaign, CampaignId, InventoryStore, Number, PhoneNumber, Pool, PoolId, StoreError,
    Timestamp,
};
use rusqlite::{Connection, OptionalExtension};

use super::changes::{changes, unchanged};
use super::error::sqlite;
use super::list::{self, list};
use super::present;
use super::rows::{self, select_numbers};
use super::things::{CAMPAIGNS, POOLS};
use super::write::Change;
use super::{SqliteStore, meta};
use crate::values::new_identity;

const NUMBERS: &str = select_numbers!("WHERE number > ?1 ORDER BY number LIMIT ?2");
const COUNT: &str = "SELECT count(*) FROM numbers";
const FORGET_IDENTITY: &str = "DELETE FROM meta WHERE key = 'identity'";
pub(super) const IDENTITY: &str = "SELECT value FROM meta WHERE key = 'identity'";
/// From so many numbers on a write is one that can wait.
const BULK_LEAST: usize = 100;
/// Whoever comes first makes it.
const MAKE_IDENTITY: &str =
    "INSERT INTO meta (key, value) VALUES ('identity', ?1) ON CONFLICT (key) DO NOTHING";

impl SqliteStore {
    /// [`InventoryStore::identity`], if it was asked for before. Nothing is written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn known_identity(&self) -> Result<Option<i64>, StoreError> {
        self.readers
            .run(|main| {
                let mut select = main.prepare_cached(IDENTITY).map_err(sqlite)?;
                select
                    .query_row([], |row| row.get(0))
                    .optional()
                    .map_err(sqlite)
            })
            .await
    }

    /// Does `work` as one change of the inventory.
    async fn change<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Change<'_>) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let now = self.clock.now();
        self.writer.run(move |main| as_one(main, now, work)).await
    }

    /// The same for one of many numbers, which makes way for calls: they never wait for the main file.
    async fn change_many<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Change<'_>) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let now = self.clock.now();
        self.writer
            .run_aside(&self.calls, move |main| as_one(main, now, work))
            .await
    }
}

fn as_one<R>(
    main: &mut Connection,
    now: Timestamp,
    work: impl FnOnce(&mut Change<'_>) -> Result<R, StoreError>,
) -> Result<R, StoreError> {
    let mut change = Change::begin(main, now)?;
    let done = work(&mut change)?;
    change.commit()?;
    Ok(done)
}

#[async_trait]
impl InventoryStore for SqliteStore {
    async fn identity(&self) -> Result<i64, StoreError> {
        if let Some(known) = self.known_identity().await? {
            return Ok(known);
        }
        self.writer
            .run(|main| {
                main.execute(MAKE_IDENTITY, [new_identity()])
                    .map_err(sqlite)?;
                meta(main, "identity")
            })
            .await
    }

    async fn forget_identity(&self) -> Result<(), StoreError> {
        if self.known_identity().await?.is_none() {
            return Ok(());
        }
        self.writer
            .run(|main| main.execute(FORGET_IDENTITY, []).map_err(sqlite))
            .await
            .map(drop)
    }

    async fn write_numbers(
        &self,
        numbers: Vec<Number>,
        on_duplicate: OnDuplicate,
        by: &Author,
    ) -> Result<Vec<Written>, StoreError> {
        let by = by.clone();
        let is_bulk = numbers.len() >= BULK_LEAST;
        let work = move |change: &mut Change<'_>| change.write_numbers(&numbers, on_duplicate, &by);
        match is_bulk {
            true => self.change_many(work).await,
            false => self.change(work).await,
        }
    }

    async fn change_number(
        &self,
        number: PhoneNumber,
        change: &NumberChange,
        expected: Expected<Number>,
        by: &Author,
    ) -> Result<Changed<Number>, StoreError> {
        let (asked, by) = (change.clone(), by.clone());
        self.change(move |change| change.change_number(number, &asked, &expected, &by))
            .await
    }

    async fn change_numbers(
        &self,
        filter: &NumberFilter,
        change: &NumberChange,
        after: Option<PhoneNumber>,
        most: usize,
        by: &Author,
    ) -> Result<BulkStep, StoreError> {
        let (filter, asked, by) = (filter.clone(), change.clone(), by.clone());
        self.change_many(move |change| change.change_numbers(&filter, &asked, after, most, &by))
            .await
    }

    async fn number(&self, number: PhoneNumber) -> Result<Option<Number>, StoreError> {
        Ok(self.number_row(number).await?.map(|row| row.number))
    }

    async fn owned(&self, numbers: &[PhoneNumber]) -> Result<Vec<PhoneNumber>, StoreError> {
        let numbers = numbers.to_vec();
        self.readers
            .run(move |main| list::owned(main, numbers))
            .await
    }

    async fn numbers(
        &self,
        after: Option<PhoneNumber>,
        most: usize,
    ) -> Result<Vec<Number>, StoreError> {
        let after = after.map_or(0, |number| number.e164_digits() as i64);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let read =
            move |main: &mut Connection| list(main, NUMBERS, (after, most), rows::read_number);
        self.readers.run_aside(&self.calls, read).await
    }

    async fn count_numbers(&self) -> Result<u64, StoreError> {
        let read = |row: &rusqlite::Row<'_>| rows::column::<i64>(row, 0);
        let counted = self.readers.run(move |main| list(main, COUNT, [], read));
        Ok(counted.await?.first().map_or(0, |all| all.unsigned_abs()))
    }

    async fn list_numbers(&self, query: &NumberQuery) -> Result<Vec<NumberRow>, StoreError> {
        let (query, catalog) = (query.clone(), self.catalog.clone());
        self.readers
            .run(move |main| catalog.page(main, &query))
            .await
    }

    async fn count_matching(&self, filter: &NumberFilter) -> Result<u64, StoreError> {
        let (filter, catalog) = (filter.clone(), self.catalog.clone());
        self.readers
            .run(move |main| catalog.count(main, &filter))
            .await
    }

    async fn pool_counts(&self) -> Result<Vec<PoolCount>, StoreError> {
        let catalog = self.catalog.clone();
        self.readers
            .run(move |main| catalog.pool_counts(main))
            .await
    }

    async fn number_groups(&self) -> Result<Vec<NumberGroup>, StoreError> {
        let now = self.clock.now();
        self.readers
            .run(move |main| present::groups(main, now))
            .await
    }

    async fn number_row(&self, number: PhoneNumber) -> Result<Option<NumberRow>, StoreError> {
        let now = self.clock.now();
        self.readers
            .run(move |main| list::number_row(main, number, now))
            .await
    }

    async fn pools(&self) -> Result<Vec<Pool>, StoreError> {
        self.readers
            .run(|main| list(main, POOLS, [], rows::read_pool))
            .await
    }

    async fn put_pool(
        &self,
        pool: Pool,
        expected: Expected<Pool>,
        by: &Author,
    ) -> Result<Changed<Pool>, StoreError> {
        let by = by.clone();
        self.change(move |change| change.put_pool(&pool, &expected, &by))
            .await
    }

    async fn delete_pool(
        &self,
        id: PoolId,
        expected: Expected<Pool>,
        by: &Author,
    ) -> Result<PoolRemoval, StoreError> {
        let by = by.clone();
        self.change(move |change| change.delete_pool(&id, &expected, &by))
            .await
    }

    async fn campaigns(&self) -> Result<Vec<Campaign>, StoreError> {
        self.readers
            .run(|main| list(main, CAMPAIGNS, [], rows::read_campaign))
            .await
    }

    async fn put_campaign(
        &self,
        campaign: Campaign,
        expected: Expected<Campaign>,
        by: &Author,
    ) -> Result<Changed<Campaign>, StoreError> {
        let by = by.clone();
        self.change(move |change| change.put_campaign(&campaign, &expected, &by))
            .await
    }

    async fn delete_campaign(
        &self,
        id: CampaignId,
        expected: Expected<Campaign>,
        by: &Author,
    ) -> Result<Changed<Campaign>, StoreError> {
        let by = by.clone();
        self.change(move |change| change.delete_campaign(&id, &expected, &by))
            .await
    }

    async fn changes(
        &self,
        since: Revision,
        after: Option<PhoneNumber>,
        most: usize,
    ) -> Result<Changes, StoreError> {
        // It is asked for all the time, and mostly there is nothing.
        if after.is_none()
            && let Some(none) = self.readers.run(move |main| unchanged(main, since)).await?
        {
            return Ok(none);
        }
        let read = move |main: &mut Connection| changes(main, since, after, most);
        self.readers.run_aside(&self.calls, read).await
    }
}
