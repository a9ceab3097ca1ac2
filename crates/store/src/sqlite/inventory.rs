//! Numbers, pools and campaigns.

use async_trait::async_trait;
use caller_id_core::store::{Changes, OnDuplicate, Revision, Written, missing_pools};
use caller_id_core::{Campaign, CampaignId, InventoryStore, Number, PhoneNumber, Pool, StoreError};
use rusqlite::{Connection, OptionalExtension, Row};

use super::error::sqlite;
use super::rows::{self, REVISION_PLACE, select_numbers};
use super::write::{Change, Part, to_json};
use super::{SqliteStore, meta};
use crate::values::new_identity;

const NUMBER: &str = select_numbers!("WHERE number = ?1");
const NUMBERS: &str = select_numbers!("WHERE number > ?1 ORDER BY number LIMIT ?2");
const CHANGED: &str =
    select_numbers!("WHERE (revision, number) > (?1, ?2) ORDER BY revision, number LIMIT ?3");
const POOLS: &str = "SELECT id, policy FROM pools ORDER BY id";
const PUT_POOL: &str = "INSERT INTO pools (id, policy) VALUES (?1, ?2)
    ON CONFLICT (id) DO UPDATE SET policy = excluded.policy WHERE policy <> excluded.policy";
const CAMPAIGNS: &str = "SELECT id, pools FROM campaigns ORDER BY id";
const PUT_CAMPAIGN: &str = "INSERT INTO campaigns (id, pools) VALUES (?1, ?2)
    ON CONFLICT (id) DO UPDATE SET pools = excluded.pools WHERE pools <> excluded.pools";
const DELETE_CAMPAIGN: &str = "DELETE FROM campaigns WHERE id = ?1";
const FORGET_IDENTITY: &str = "DELETE FROM meta WHERE key = 'identity'";
const IDENTITY: &str = "SELECT value FROM meta WHERE key = 'identity'";
/// Whoever comes first makes it.
const MAKE_IDENTITY: &str =
    "INSERT INTO meta (key, value) VALUES ('identity', ?1) ON CONFLICT (key) DO NOTHING";
const COUNT: &str = "SELECT count(*) FROM numbers";

fn list<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut select = connection.prepare_cached(sql).map_err(sqlite)?;
    let mut rows = select.query(parameters).map_err(sqlite)?;
    let mut list = Vec::new();
    while let Some(row) = rows.next().map_err(sqlite)? {
        list.push(read(row)?);
    }
    Ok(list)
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

fn digits(number: PhoneNumber) -> i64 {
    number.e164_digits() as i64
}

/// The numbers of a page of changes, and where the page ends when there are more.
fn changed_numbers(
    connection: &Connection,
    since: Revision,
    after: Option<PhoneNumber>,
    most: usize,
) -> Result<(Vec<Number>, Option<Revision>), StoreError> {
    // Without a number to go on after, the revision itself is complete: no number is greater than this.
    let after = after.map_or(i64::MAX, digits);
    // One more than asked for tells whether there are more.
    let most_and_one = limit(most).saturating_add(1);
    let read = |row: &Row<'_>| {
        let revision = row.get(REVISION_PLACE).map_err(sqlite)?;
        Ok((rows::read_number(row)?, Revision(revision)))
    };
    let mut page = list(connection, CHANGED, (since.0, after, most_and_one), read)?;
    let cut = page.len() > most;
    page.truncate(most);
    let end = page.last().filter(|_| cut).map(|(_, revision)| *revision);
    Ok((page.into_iter().map(|(number, _)| number).collect(), end))
}

fn changes(
    connection: &mut Connection,
    since: Revision,
    after: Option<PhoneNumber>,
    most: usize,
) -> Result<Changes, StoreError> {
    let moment = connection.transaction().map_err(sqlite)?;
    let upto = Revision(meta(&moment, "revision")?);
    let campaigns_at = Revision(meta(&moment, "campaigns_revision")?);
    if upto <= since && after.is_none() {
        return Ok(Changes {
            upto,
            campaigns_at,
            ..Changes::default()
        });
    }
    let (numbers, cut_at) = changed_numbers(&moment, since, after, most.max(1))?;
    let pools = match meta(&moment, "pools_revision")? > since.0 {
        true => Some(list(&moment, POOLS, [], rows::read_pool)?),
        false => None,
    };
    let campaigns = match campaigns_at > since {
        true => Some(list(&moment, CAMPAIGNS, [], rows::read_campaign)?),
        false => None,
    };
    Ok(Changes {
        after: cut_at.and(numbers.last().map(|last| last.number)),
        numbers,
        pools,
        campaigns,
        campaigns_at,
        upto: cut_at.unwrap_or(upto),
    })
}

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
    ) -> Result<Vec<Written>, StoreError> {
        let now = self.clock.now();
        self.writer
            .run(move |main| {
                let mut change = Change::begin(main, now)?;
                let written = change.write_numbers(&numbers, on_duplicate)?;
                change.commit()?;
                Ok(written)
            })
            .await
    }

    async fn number(&self, number: PhoneNumber) -> Result<Option<Number>, StoreError> {
        self.readers
            .run(move |main| {
                let mut select = main.prepare_cached(NUMBER).map_err(sqlite)?;
                select
                    .query_row([digits(number)], |row| Ok(rows::read_number(row)))
                    .optional()
                    .map_err(sqlite)?
                    .transpose()
            })
            .await
    }

    async fn numbers(
        &self,
        after: Option<PhoneNumber>,
        most: usize,
    ) -> Result<Vec<Number>, StoreError> {
        let after = after.map_or(0, digits);
        self.readers
            .run(move |main| list(main, NUMBERS, (after, limit(most)), rows::read_number))
            .await
    }

    async fn count_numbers(&self) -> Result<u64, StoreError> {
        self.readers
            .run(|main| {
                let count: i64 = main
                    .query_row(COUNT, [], |row| row.get(0))
                    .map_err(sqlite)?;
                Ok(count.unsigned_abs())
            })
            .await
    }

    async fn pools(&self) -> Result<Vec<Pool>, StoreError> {
        self.readers
            .run(|main| list(main, POOLS, [], rows::read_pool))
            .await
    }

    async fn put_pool(&self, pool: Pool) -> Result<(), StoreError> {
        let now = self.clock.now();
        let policy = to_json(&pool.policy)?;
        self.writer
            .run(move |main| {
                let mut change = Change::begin(main, now)?;
                change.execute(Part::Pools, PUT_POOL, (pool.id.as_str(), &policy))?;
                change.commit()
            })
            .await
    }

    async fn campaigns(&self) -> Result<Vec<Campaign>, StoreError> {
        self.readers
            .run(|main| list(main, CAMPAIGNS, [], rows::read_campaign))
            .await
    }

    async fn put_campaign(&self, campaign: Campaign) -> Result<(), StoreError> {
        let now = self.clock.now();
        let pools = to_json(&campaign.pools)?;
        self.writer
            .run(move |main| {
                let mut change = Change::begin(main, now)?;
                let known: Vec<_> = list(change.connection(), POOLS, [], rows::read_pool)?
                    .into_iter()
                    .map(|pool| pool.id)
                    .collect();
                if let Some(missing) = missing_pools(&campaign, &known).first() {
                    return Err(StoreError::Missing(format!(
                        "campaign `{}` names the pool `{missing}`, which does not exist",
                        campaign.id
                    )));
                }
                change.execute(
                    Part::Campaigns,
                    PUT_CAMPAIGN,
                    (campaign.id.as_str(), &pools),
                )?;
                change.commit()
            })
            .await
    }

    async fn delete_campaign(&self, id: CampaignId) -> Result<bool, StoreError> {
        let now = self.clock.now();
        self.writer
            .run(move |main| {
                let mut change = Change::begin(main, now)?;
                let rows = change.execute(Part::Campaigns, DELETE_CAMPAIGN, [id.as_str()])?;
                change.commit()?;
                Ok(rows > 0)
            })
            .await
    }

    async fn changes(
        &self,
        since: Revision,
        after: Option<PhoneNumber>,
        most: usize,
    ) -> Result<Changes, StoreError> {
        self.readers
            .run(move |main| changes(main, since, after, most))
            .await
    }
}
