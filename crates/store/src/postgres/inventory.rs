//! Numbers, pools and campaigns.

use std::time::Duration;

use async_trait::async_trait;
use caller_id_core::store::{Changes, OnDuplicate, Revision, Written, missing_pools};
use caller_id_core::{Campaign, CampaignId, InventoryStore, Number, PhoneNumber, Pool, StoreError};
use sqlx_core::connection::Connection;
use sqlx_core::query::query;
use sqlx_core::query_as::query_as;
use sqlx_core::query_scalar::query_scalar;
use sqlx_core::sql_str::SqlStr;
use sqlx_postgres::{PgConnection, PgRow, Postgres};

use super::PostgresStore;
use super::error::Fault;
use super::rows::{self, REVISION_PLACE, column, read_number, select_numbers};
use super::write::{self, Change, pool_names};
use crate::values::{new_identity, to_json};

const NUMBER: &str = select_numbers!("WHERE number = $1");
const NUMBERS: &str = select_numbers!("WHERE number > $1 ORDER BY number LIMIT $2");
const CHANGED: &str =
    select_numbers!("WHERE (revision, number) > ($1, $2) ORDER BY revision, number LIMIT $3");
const COUNT: &str = "SELECT count(*) FROM caller_id.numbers";
const POOLS: &str = "SELECT id, policy FROM caller_id.pools ORDER BY id";
const PUT_POOL: &str = "INSERT INTO caller_id.pools AS p (id, policy) VALUES ($1, $2)
    ON CONFLICT (id) DO UPDATE SET policy = excluded.policy WHERE p.policy <> excluded.policy";
const CAMPAIGNS: &str = "SELECT id, pools FROM caller_id.campaigns ORDER BY id";
const PUT_CAMPAIGN: &str = "INSERT INTO caller_id.campaigns AS c (id, pools) VALUES ($1, $2)
    ON CONFLICT (id) DO UPDATE SET pools = excluded.pools WHERE c.pools <> excluded.pools";
const DELETE_CAMPAIGN: &str = "DELETE FROM caller_id.campaigns WHERE id = $1";
const FORGET_IDENTITY: &str = "DELETE FROM caller_id.meta WHERE key = 'identity'";
pub(super) const IDENTITY: &str = "SELECT value FROM caller_id.meta WHERE key = 'identity'";
/// Whoever comes first makes it.
const MAKE_IDENTITY: &str = "INSERT INTO caller_id.meta (key, value) VALUES ('identity', $1)
    ON CONFLICT (key) DO NOTHING";
const REVISIONS: &str = "SELECT
    (SELECT value FROM caller_id.meta WHERE key = 'revision'),
    (SELECT value FROM caller_id.meta WHERE key = 'pools_revision'),
    (SELECT value FROM caller_id.meta WHERE key = 'campaigns_revision')";
/// How long a connection may have rested that reads changes without being asked whether it lives.
const TRUST: Duration = Duration::from_secs(10);
/// All that is read shows one moment.
const ONE_MOMENT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

fn digits(number: PhoneNumber) -> i64 {
    number.e164_digits() as i64
}

async fn list<T>(
    connection: &mut PgConnection,
    sql: &'static str,
    read: fn(&PgRow) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let rows = query::<Postgres>(sql).fetch_all(connection).await?;
    rows.iter().map(read).collect()
}

/// Where a page of changes begins, and how long it may be.
#[derive(Clone, Copy)]
struct Page {
    since: Revision,
    after: Option<PhoneNumber>,
    most: usize,
}

impl Page {
    /// The numbers of the page, and where it ends when there are more.
    async fn numbers(
        self,
        connection: &mut PgConnection,
    ) -> Result<(Vec<Number>, Option<Revision>), Fault> {
        let mut rows = query::<Postgres>(CHANGED)
            .bind(self.since.0)
            // Without a number to go on after, the revision itself is complete: no number is greater than this.
            .bind(self.after.map_or(i64::MAX, digits))
            // One more than asked for tells whether there are more.
            .bind(limit(self.most).saturating_add(1))
            .fetch_all(connection)
            .await?;
        let cut = rows.len() > self.most;
        rows.truncate(self.most);
        let end = match rows.last().filter(|_| cut) {
            Some(last) => Some(Revision(column(last, REVISION_PLACE)?)),
            None => None,
        };
        let numbers: Result<_, _> = rows.iter().map(read_number).collect();
        Ok((numbers?, end))
    }

    async fn changes(self, connection: &mut PgConnection) -> Result<Changes, Fault> {
        let (upto, _, campaigns_at) = revisions(connection).await?;
        if upto <= self.since.0 && self.after.is_none() {
            return Ok(Changes {
                upto: Revision(upto),
                campaigns_at: Revision(campaigns_at),
                ..Changes::default()
            });
        }
        let mut moment = connection
            .begin_with(SqlStr::from_static(ONE_MOMENT))
            .await?;
        let (upto, pools_at, campaigns_at) = revisions(&mut moment).await?;
        let (numbers, cut_at) = self.numbers(&mut moment).await?;
        let pools = match pools_at > self.since.0 {
            true => Some(list(&mut moment, POOLS, rows::read_pool).await?),
            false => None,
        };
        let campaigns = match campaigns_at > self.since.0 {
            true => Some(list(&mut moment, CAMPAIGNS, rows::read_campaign).await?),
            false => None,
        };
        moment.commit().await?;
        Ok(Changes {
            after: cut_at.and(numbers.last().map(|last| last.number)),
            numbers,
            pools,
            campaigns,
            campaigns_at: Revision(campaigns_at),
            upto: cut_at.unwrap_or(Revision(upto)),
        })
    }
}

/// Of anything, of pools, of campaigns.
async fn revisions(connection: &mut PgConnection) -> Result<(i64, i64, i64), Fault> {
    Ok(query_as::<Postgres, _>(REVISIONS)
        .fetch_one(connection)
        .await?)
}

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

async fn put_campaign(connection: &mut PgConnection, campaign: Campaign) -> Result<(), Fault> {
    let pools = to_json(&campaign.pools)?;
    let mut change = Change::begin(connection).await?;
    let known = pool_names(change.connection()).await?;
    if let Some(missing) = missing_pools(&campaign, &known).first() {
        return Err(StoreError::Missing(format!(
            "campaign `{}` names the pool `{missing}`, which does not exist",
            campaign.id
        ))
        .into());
    }
    let put = query::<Postgres>(PUT_CAMPAIGN)
        .bind(campaign.id.as_str())
        .bind(pools)
        .execute(change.connection())
        .await?;
    change.changed(write::CAMPAIGNS, put.rows_affected());
    change.commit().await
}

async fn delete_campaign(connection: &mut PgConnection, id: CampaignId) -> Result<bool, Fault> {
    let mut change = Change::begin(connection).await?;
    let deleted = query::<Postgres>(DELETE_CAMPAIGN)
        .bind(id.as_str())
        .execute(change.connection())
        .await?
        .rows_affected();
    change.changed(write::CAMPAIGNS, deleted);
    change.commit().await?;
    Ok(deleted > 0)
}

async fn put_pool(connection: &mut PgConnection, pool: Pool) -> Result<(), Fault> {
    let policy = to_json(&pool.policy)?;
    let mut change = Change::begin(connection).await?;
    let put = query::<Postgres>(PUT_POOL)
        .bind(pool.id.as_str())
        .bind(policy)
        .execute(change.connection())
        .await?;
    change.changed(write::POOLS, put.rows_affected());
    change.commit().await
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
    ) -> Result<Vec<Written>, StoreError> {
        let now = self.clock.now();
        self.lane
            .run(|connection| {
                Box::pin(async move {
                    let mut change = Change::begin(connection).await?;
                    let written = change.write_numbers(&numbers, on_duplicate, now).await?;
                    change.commit().await?;
                    Ok(written)
                })
            })
            .await
    }

    async fn number(&self, number: PhoneNumber) -> Result<Option<Number>, StoreError> {
        self.lane
            .run(|connection| {
                Box::pin(async move {
                    let row = query::<Postgres>(NUMBER)
                        .bind(digits(number))
                        .fetch_optional(connection)
                        .await?;
                    row.as_ref().map(read_number).transpose()
                })
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
                        .bind(after.map_or(0, digits))
                        .bind(limit(most))
                        .fetch_all(connection)
                        .await?;
                    rows.iter().map(read_number).collect()
                })
            })
            .await
    }

    async fn count_numbers(&self) -> Result<u64, StoreError> {
        self.lane
            .run(|connection| {
                Box::pin(async move {
                    let count: i64 = query_scalar::<Postgres, _>(COUNT)
                        .fetch_one(connection)
                        .await?;
                    Ok(count.unsigned_abs())
                })
            })
            .await
    }

    async fn pools(&self) -> Result<Vec<Pool>, StoreError> {
        self.lane
            .run(|connection| Box::pin(list(connection, POOLS, rows::read_pool)))
            .await
    }

    async fn put_pool(&self, pool: Pool) -> Result<(), StoreError> {
        self.lane
            .run(|connection| Box::pin(put_pool(connection, pool)))
            .await
    }

    async fn campaigns(&self) -> Result<Vec<Campaign>, StoreError> {
        self.lane
            .run(|connection| Box::pin(list(connection, CAMPAIGNS, rows::read_campaign)))
            .await
    }

    async fn put_campaign(&self, campaign: Campaign) -> Result<(), StoreError> {
        self.lane
            .run(|connection| Box::pin(put_campaign(connection, campaign)))
            .await
    }

    async fn delete_campaign(&self, id: CampaignId) -> Result<bool, StoreError> {
        self.lane
            .run(|connection| Box::pin(delete_campaign(connection, id)))
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
