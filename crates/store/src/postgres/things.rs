//! Pools and campaigns: put and deleted, if they are what is expected.

use caller_id_core::listing::{Changed, Expected, PoolRemoval};
use caller_id_core::store::missing_pools;
use caller_id_core::{Author, Campaign, CampaignId, Pool, PoolId};
use sqlx_core::query::query;
use sqlx_core::query_scalar::query_scalar;
use sqlx_postgres::{PgRow, Postgres};

use super::error::Fault;
use super::list::list;
use super::rows::{read_campaign, read_pool};
use super::write::{self, Change};
use crate::entries::put_or_deleted;
use crate::expectations::{self, no_pool_of};
use crate::values::to_json;

/// All pools, by name.
pub(super) const POOLS: &str = "SELECT id, policy FROM caller_id.pools ORDER BY id";
/// All campaigns, by id.
pub(super) const CAMPAIGNS: &str =
    "SELECT id, pools, agent_limit_per_minute FROM caller_id.campaigns ORDER BY id";
const POOL: &str = "SELECT id, policy FROM caller_id.pools WHERE id = $1";
const PUT_POOL: &str = "INSERT INTO caller_id.pools (id, policy) VALUES ($1, $2)
    ON CONFLICT (id) DO UPDATE SET policy = excluded.policy";
const DELETE_POOL: &str = "DELETE FROM caller_id.pools WHERE id = $1";
const NUMBERS_IN: &str = "SELECT count(*) FROM caller_id.numbers WHERE pool = $1";
const CAMPAIGN: &str =
    "SELECT id, pools, agent_limit_per_minute FROM caller_id.campaigns WHERE id = $1";
const PUT_CAMPAIGN: &str = "INSERT INTO caller_id.campaigns (id, pools, agent_limit_per_minute) VALUES ($1, $2, $3)
    ON CONFLICT (id) DO UPDATE SET pools = excluded.pools, agent_limit_per_minute = excluded.agent_limit_per_minute";
const DELETE_CAMPAIGN: &str = "DELETE FROM caller_id.campaigns WHERE id = $1";

impl Change<'_> {
    async fn one<T>(
        &mut self,
        sql: &'static str,
        id: &str,
        read: fn(&PgRow) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let found = query::<Postgres>(sql)
            .bind(id)
            .fetch_optional(self.connection())
            .await?;
        found.as_ref().map(read).transpose()
    }

    /// The pool, if it is there.
    pub(super) async fn pool(&mut self, id: &PoolId) -> Result<Option<Pool>, Fault> {
        self.one(POOL, id.as_str(), read_pool).await
    }

    async fn delete(
        &mut self,
        sql: &'static str,
        mark: &'static str,
        id: &str,
    ) -> Result<(), Fault> {
        let deleted = query::<Postgres>(sql)
            .bind(id)
            .execute(self.connection())
            .await?;
        self.changed(mark, deleted.rows_affected());
        Ok(())
    }

    /// See [`caller_id_core::InventoryStore::put_pool`].
    pub(super) async fn put_pool(
        &mut self,
        pool: &Pool,
        expected: &Expected<Pool>,
        by: &Author,
    ) -> Result<Changed<Pool>, Fault> {
        let changed = expectations::put(self.pool(&pool.id).await?, pool, expected);
        let before = match &changed {
            Changed::Made => None,
            Changed::From(before) => Some(before),
            Changed::Same | Changed::Missing | Changed::Differs(_) => return Ok(changed),
        };
        let put = query::<Postgres>(PUT_POOL)
            .bind(pool.id.as_str())
            .bind(to_json(&pool.policy)?)
            .execute(self.connection())
            .await?;
        self.changed(write::POOLS, put.rows_affected());
        self.tell(put_or_deleted(before, Some(pool), by));
        Ok(changed)
    }

    /// See [`caller_id_core::InventoryStore::delete_pool`].
    pub(super) async fn delete_pool(
        &mut self,
        id: &PoolId,
        expected: &Expected<Pool>,
        by: &Author,
    ) -> Result<PoolRemoval, Fault> {
        let found = self.pool(id).await?;
        let numbers: i64 = query_scalar::<Postgres, _>(NUMBERS_IN)
            .bind(id.as_str())
            .fetch_one(self.connection())
            .await?;
        let campaigns = list(self.connection(), CAMPAIGNS, read_campaign).await?;
        let numbers = numbers.unsigned_abs();
        let (removal, gone) = expectations::removal(id, found, expected, numbers, &campaigns);
        if let Some(gone) = gone {
            self.delete(DELETE_POOL, write::POOLS, id.as_str()).await?;
            self.tell(put_or_deleted(Some(&gone), None, by));
        }
        Ok(removal)
    }

    /// See [`caller_id_core::InventoryStore::put_campaign`].
    pub(super) async fn put_campaign(
        &mut self,
        campaign: &Campaign,
        expected: &Expected<Campaign>,
        by: &Author,
    ) -> Result<Changed<Campaign>, Fault> {
        let id = campaign.id.as_str();
        let found = self.one(CAMPAIGN, id, read_campaign).await?;
        let changed = expectations::put(found, campaign, expected);
        let before = match &changed {
            Changed::Made => None,
            Changed::From(before) => Some(before),
            Changed::Same | Changed::Missing | Changed::Differs(_) => return Ok(changed),
        };
        let pools = list(self.connection(), POOLS, read_pool).await?;
        let known: Vec<_> = pools.into_iter().map(|pool| pool.id).collect();
        if let Some(missing) = missing_pools(campaign, &known).first() {
            return Err(no_pool_of(campaign, missing).into());
        }
        let limit = campaign.agent_limit_per_minute;
        let put = query::<Postgres>(PUT_CAMPAIGN)
            .bind(id)
            .bind(to_json(&campaign.pools)?)
            .bind(limit.map(|limit| limit as i32))
            .execute(self.connection())
            .await?;
        self.changed(write::CAMPAIGNS, put.rows_affected());
        self.tell(put_or_deleted(before, Some(campaign), by));
        Ok(changed)
    }

    /// See [`caller_id_core::InventoryStore::delete_campaign`].
    pub(super) async fn delete_campaign(
        &mut self,
        id: &CampaignId,
        expected: &Expected<Campaign>,
        by: &Author,
    ) -> Result<Changed<Campaign>, Fault> {
        let found = self.one(CAMPAIGN, id.as_str(), read_campaign).await?;
        let changed = expectations::delete(found, expected);
        if let Changed::From(gone) = &changed {
            self.delete(DELETE_CAMPAIGN, write::CAMPAIGNS, id.as_str())
                .await?;
            self.tell(put_or_deleted(Some(gone), None, by));
        }
        Ok(changed)
    }
}
