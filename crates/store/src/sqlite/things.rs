//! Pools and campaigns: put and deleted, if they are what is expected.

use caller_id_core::listing::{Changed, Expected, PoolRemoval};
use caller_id_core::store::missing_pools;
use caller_id_core::{Author, Campaign, CampaignId, Pool, PoolId, StoreError};
use rusqlite::{OptionalExtension, Params, Row};

use super::error::sqlite;
use super::list::list;
use super::rows::{read_campaign, read_pool};
use super::write::{Change, Part, to_json};
use crate::entries::put_or_deleted;
use crate::expectations::{self, no_pool_of};

/// All pools, by name.
pub(super) const POOLS: &str = "SELECT id, policy FROM pools ORDER BY id";
/// All campaigns, by id.
pub(super) const CAMPAIGNS: &str =
    "SELECT id, pools, agent_limit_per_minute FROM campaigns ORDER BY id";
const POOL: &str = "SELECT id, policy FROM pools WHERE id = ?1";
const PUT_POOL: &str = "INSERT INTO pools (id, policy) VALUES (?1, ?2)
    ON CONFLICT (id) DO UPDATE SET policy = excluded.policy";
const DELETE_POOL: &str = "DELETE FROM pools WHERE id = ?1";
const NUMBERS_IN: &str = "SELECT count(*) FROM numbers WHERE pool = ?1";
const CAMPAIGN: &str = "SELECT id, pools, agent_limit_per_minute FROM campaigns WHERE id = ?1";
const PUT_CAMPAIGN: &str =
    "INSERT INTO campaigns (id, pools, agent_limit_per_minute) VALUES (?1, ?2, ?3)
    ON CONFLICT (id) DO UPDATE SET pools = excluded.pools, agent_limit_per_minute = excluded.agent_limit_per_minute";
const DELETE_CAMPAIGN: &str = "DELETE FROM campaigns WHERE id = ?1";

impl Change<'_> {
    fn one<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut select = self.connection().prepare_cached(sql).map_err(sqlite)?;
        select
            .query_row(parameters, |row| Ok(read(row)))
            .optional()
            .map_err(sqlite)?
            .transpose()
    }

    /// The pool, if it is there.
    pub(super) fn pool(&self, id: &PoolId) -> Result<Option<Pool>, StoreError> {
        self.one(POOL, [id.as_str()], read_pool)
    }

    /// See [`caller_id_core::InventoryStore::put_pool`].
    pub(super) fn put_pool(
        &mut self,
        pool: &Pool,
        expected: &Expected<Pool>,
        by: &Author,
    ) -> Result<Changed<Pool>, StoreError> {
        let changed = expectations::put(self.pool(&pool.id)?, pool, expected);
        let before = match &changed {
            Changed::Made => None,
            Changed::From(before) => Some(before),
            Changed::Same | Changed::Missing | Changed::Differs(_) => return Ok(changed),
        };
        let policy = to_json(&pool.policy)?;
        self.execute(Part::Pools, PUT_POOL, (pool.id.as_str(), policy))?;
        self.tell(put_or_deleted(before, Some(pool), by));
        Ok(changed)
    }

    /// See [`caller_id_core::InventoryStore::delete_pool`].
    pub(super) fn delete_pool(
        &mut self,
        id: &PoolId,
        expected: &Expected<Pool>,
        by: &Author,
    ) -> Result<PoolRemoval, StoreError> {
        let found = self.pool(id)?;
        let numbers: i64 = self
            .connection()
            .query_row(NUMBERS_IN, [id.as_str()], |row| row.get(0))
            .map_err(sqlite)?;
        let campaigns = list(self.connection(), CAMPAIGNS, [], read_campaign)?;
        let numbers = numbers.unsigned_abs();
        let (removal, gone) = expectations::removal(id, found, expected, numbers, &campaigns);
        if let Some(gone) = gone {
            self.execute(Part::Pools, DELETE_POOL, [id.as_str()])?;
            self.tell(put_or_deleted(Some(&gone), None, by));
        }
        Ok(removal)
    }

    /// See [`caller_id_core::InventoryStore::put_campaign`].
    pub(super) fn put_campaign(
        &mut self,
        campaign: &Campaign,
        expected: &Expected<Campaign>,
        by: &Author,
    ) -> Result<Changed<Campaign>, StoreError> {
        let found = self.one(CAMPAIGN, [campaign.id.as_str()], read_campaign)?;
        let changed = expectations::put(found, campaign, expected);
        let before = match &changed {
            Changed::Made => None,
            Changed::From(before) => Some(before),
            Changed::Same | Changed::Missing | Changed::Differs(_) => return Ok(changed),
        };
        let pools = list(self.connection(), POOLS, [], read_pool)?;
        let known: Vec<_> = pools.into_iter().map(|pool| pool.id).collect();
        if let Some(missing) = missing_pools(campaign, &known).first() {
            return Err(no_pool_of(campaign, missing));
        }
        let (id, limit) = (campaign.id.as_str(), campaign.agent_limit_per_minute);
        let pools = to_json(&campaign.pools)?;
        self.execute(Part::Campaigns, PUT_CAMPAIGN, (id, pools, limit))?;
        self.tell(put_or_deleted(before, Some(campaign), by));
        Ok(changed)
    }

    /// See [`caller_id_core::InventoryStore::delete_campaign`].
    pub(super) fn delete_campaign(
        &mut self,
        id: &CampaignId,
        expected: &Expected<Campaign>,
        by: &Author,
    ) -> Result<Changed<Campaign>, StoreError> {
        let found = self.one(CAMPAIGN, [id.as_str()], read_campaign)?;
        let changed = expectations::delete(found, expected);
        if let Changed::From(gone) = &changed {
            self.execute(Part::Campaigns, DELETE_CAMPAIGN, [id.as_str()])?;
            self.tell(put_or_deleted(Some(gone), None, by));
        }
        Ok(changed)
    }
}
