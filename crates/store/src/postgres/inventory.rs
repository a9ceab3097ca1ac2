//! Numbers, pools and campaigns.

use std::time::Duration;

use async_trait::async_trait;
use caller_id_core::listing::{
    BulkStep, Changed, Expected, NumberChange, NumberFilter, NumberGroup, NumberQuery, NumberRow,
    PoolCount, PoolRemoval,
};
use caller_id_core::store::{Changes, OnDuplicate, Revision, Written};
use caller_id_core::{
    Author, Campaign, CampaignId, InventoryStore, Number, PhoneNumber, Pool, PoolId, StoreError,
};
use sqlx_core::query::query;
use sqlx_core::query_scalar::query_scalar;
use sqlx_postgres::{PgConnection, Postgres};

use super::PostgresStore;
use super::changes::Page;
use super::error::Fault;
use super::lane::Work;
use super::list::{self, list};
use super::rows::{self, read_number, select_numbers};
use super::things::{CAMPAIGNS, POOLS};
use super::write::Change;
use crate::values::new_identity;

const NUMBERS: &str = select_numbers!("WHERE number > $1 ORDER BY number LIMIT $2");
const COUNT: &str = "SELECT count(*) FROM caller_id.numbers";
const FORGET_IDENTITY: &str = "DELETE FROM caller_id.meta WHERE key = 'identity'";
pub(super) const IDENTITY: &str = "SELECT value FROM caller_id.meta WHERE key = 'identity'";
/// Whoever comes first makes it.
const MAKE_IDENTITY: &str = "INSERT INTO caller_id.meta (key, value) VALUES ('identity', $1)
    ON CONFLICT (key) DO NOTHING";
/// How long a connection may have rested that reads changes without being asked whether it lives.
const TRUST: Duration = Duration::from_secs(10);

async fn identity(connection: &mut PgConnection) -> Result<i64, Fault> {
    let known = query_scalar::<Postgres, i64>(IDENTITY)
        .fetch_optional(&mut *connection)
        .await?;
    if let Some(known) = known {
        return Ok(known);
    }
    query::<Postgres>(MAKE_IDENTITY)
        .bind(new_identity())
        .execute(&mut *connection)
        .await?;
    Ok(query_scalar::<Postgres, i64>(IDENTITY)
        .fetch_one(connection)
        .await?)
}

impl PostgresStore {
    /// Does `work` as one change of the inventory.
    async fn change<R: Send + 'static>(
        &self,
        work: impl for<'c, 'd> FnOnce(&'c mut Change<'d>) -> Work<'c, R> + Send + 'static,
    ) -> Result<R, StoreError> {
        let now = self.clock.now();
        self.lane
            .run(|connection| {
                Box::pin(async move {
                    let mut change = Change::begin(connection, now).await?;
                    let done = work(&mut change).await?;
                    change.commit().await?;
                    Ok(done)
                })
            })
            .await
    }
}

#[async_trait]
impl InventoryStore for PostgresStore {
    async fn identity(&self) -> Result<i64, StoreError> {
        self.lane
            .run(|connection| Box::pin(identity(connection)))
            .await
    }

    async fn forget_identity(&self) -> Result<(), StoreError> {
        self.lane
            .run(|connection| {
                Box::pin(async move {
                    query::<Postgres>(FORGET_IDENTITY)
                        .execute(connection)
                        .await?;
                    Ok(())
                })
            })
            .await
    }

    async fn write_numbers(
        &self,
        numbers: Vec<Number>,
        on_duplicate: OnDuplicate,
        by: &Author,
    ) -> Result<Vec<Written>, StoreError> {
        let by = by.clone();
        self.change(move |change| {
            Box::pin(async move { change.write_numbers(&numbers, on_duplicate, &by).await })
        })
        .await
    }

    async fn change_number(
        &self,
        number: PhoneNumber,
        change: &NumberChange,
        expected: Expected<Number>,
        by: &Author,
    ) -> Result<Changed<Number>, StoreError> {
        let (asked, by) = (change.clone(), by.clone());
        self.change(move |change| {
            Box::pin(async move { change.change_number(number, &asked, &expected, &by).await })
        })
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
        self.change(move |change| {
            Box::pin(async move {
                let step = change.change_numbers(&filter, &asked, after, most, &by);
                step.await
            })
        })
        .await
    }

    async fn number(&self, number: PhoneNumber) -> Result<Option<Number>, StoreError> {
        Ok(self.number_row(number).await?.map(|row| row.number))
    }

    async fn owned(&self, numbers: &[PhoneNumber]) -> Result<Vec<PhoneNumber>, StoreError> {
        self.lane
            .run(|connection| {
                let numbers = numbers.to_vec();
                Box::pin(async move { list::owned(connection, &numbers).await })
            })
            .await
    }

    async fn numbers(
        &self,
        after: Option<PhoneNumber>,
        most: usize,
    ) -> Result<Vec<Number>, StoreError> {
        self.lane
            .run(|connection| {
                Box::pin(async move {
                    let rows = query::<Postgres>(NUMBERS)
                        .bind(after.map_or(0, |number| number.e164_digits() as i64))
                        .bind(i64::try_from(most).unwrap_or(i64::MAX))
                        .fetch_all(connection)
                        .await?;
                    rows.iter().map(read_number).collect()
                })
            })
            .await
    }

    async fn count_numbers(&self) -> Result<u64, StoreError> {
        let counted: i64 = self
            .lane
            .run(|connection| {
                Box::pin(async move {
                    let count = query_scalar::<Postgres, _>(COUNT);
                    Ok(count.fetch_one(connection).await?)
                })
            })
            .await?;
        Ok(counted.unsigned_abs())
    }

    async fn list_numbers(&self, query: &NumberQuery) -> Result<Vec<NumberRow>, StoreError> {
        self.page(query).await
    }

    async fn count_matching(&self, filter: &NumberFilter) -> Result<u64, StoreError> {
        self.count(filter).await
    }

    async fn pool_counts(&self) -> Result<Vec<PoolCount>, StoreError> {
        self.counts_of_pools().await
    }

    async fn number_groups(&self) -> Result<Vec<NumberGroup>, StoreError> {
        self.groups().await
    }

    async fn number_row(&self, number: PhoneNumber) -> Result<Option<NumberRow>, StoreError> {
        let now = self.clock.now();
        self.lane
            .run(|connection| {
                Box::pin(async move {
                    let found = list::given(connection, &[number], now).await?;
                    Ok(found.into_iter().next())
                })
            })
            .await
    }

    async fn pools(&self) -> Result<Vec<Pool>, StoreError> {
        self.lane
            .run(|connection| Box::pin(list(connection, POOLS, rows::read_pool)))
            .await
    }

    async fn put_pool(
        &self,
        pool: Pool,
        expected: Expected<Pool>,
        by: &Author,
    ) -> Result<Changed<Pool>, StoreError> {
        let by = by.clone();
        self.change(move |change| {
            Box::pin(async move { change.put_pool(&pool, &expected, &by).await })
        })
        .await
    }

    async fn delete_pool(
        &self,
        id: PoolId,
        expected: Expected<Pool>,
        by: &Author,
    ) -> Result<PoolRemoval, StoreError> {
        let by = by.clone();
        self.change(move |change| {
            Box::pin(async move { change.delete_pool(&id, &expected, &by).await })
        })
        .await
    }

    async fn campaigns(&self) -> Result<Vec<Campaign>, StoreError> {
        self.lane
            .run(|connection| Box::pin(list(connection, CAMPAIGNS, rows::read_campaign)))
            .await
    }

    async fn put_campaign(
        &self,
        campaign: Campaign,
        expected: Expected<Campaign>,
        by: &Author,
    ) -> Result<Changed<Campaign>, StoreError> {
        let by = by.clone();
        self.change(move |change| {
            Box::pin(async move { change.put_campaign(&campaign, &expected, &by).await })
        })
        .await
    }

    async fn delete_campaign(
        &self,
        id: CampaignId,
        expected: Expected<Campaign>,
        by: &Author,
    ) -> Result<Changed<Campaign>, StoreError> {
        let by = by.clone();
        self.change(move |change| {
            Box::pin(async move { change.delete_campaign(&id, &expected, &by).await })
        })
        .await
    }

    async fn changes(
        &self,
        since: Revision,
        after: Option<PhoneNumber>,
        most: usize,
    ) -> Result<Changes, StoreError> {
        let page = Page {
            since,
            after,
            most: most.max(1),
        };
        // Each node asks several times a second, mostly for nothing: one way to the server and back, and another only
        // when the connection was lost.
        let asked = self
            .lane
            .attempt_trusting(TRUST, |connection| Box::pin(page.changes(connection)));
        match asked.await {
            Err(fault) if fault.is_passing() => {}
            asked => return asked.map_err(|fault| fault.at(self.lane.place())),
        }
        self.lane
            .run(|connection| Box::pin(page.changes(connection)))
            .await
    }
}
