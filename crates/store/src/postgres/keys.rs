//! API keys, and the sessions of people.

use async_trait::async_trait;
use caller_id_core::roles::{ApiKey, KeyAdded, KeyId, Session};
use caller_id_core::{Author, KeyStore, StoreError, Timestamp};
use sqlx_core::connection::Connection;
use sqlx_core::query::query;
use sqlx_core::query_scalar::query_scalar;
use sqlx_core::transaction::Transaction;
use sqlx_postgres::{PgConnection, PgRow, Postgres};

use super::error::Fault;
use super::rows::{column, hash};
use super::{PostgresStore, audit, sessions};
use crate::key_events;
use crate::values::{to_json, unreadable};

/// A SELECT from `keys` with the columns in the order that [`read_key`] expects.
macro_rules! select_keys {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, role, hash, addresses, campaigns, created_at, created_by, expires_at, revoked_at, \
             last_used_at FROM caller_id.keys ",
            $rest
        )
    };
}

const KEYS: &str = select_keys!("ORDER BY made");
const KEY: &str = select_keys!("WHERE id = $1");
const REVISION: &str = "SELECT value FROM caller_id.meta WHERE key = 'keys_revision'";
/// Whoever changes keys holds this row, so that nobody meets a key that another one is changing.
const BEGIN: &str = "SELECT value FROM caller_id.meta WHERE key = 'keys_revision' FOR UPDATE";
const CHANGED: &str = "UPDATE caller_id.meta SET value = value + 1 WHERE key = 'keys_revision'";
/// A key that is not revoked has its name for itself.
const ADD: &str = "INSERT INTO caller_id.keys
    (id, name, role, hash, addresses, campaigns, created_at, created_by, expires_at, revoked_at, last_used_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING";
const PUT: &str = "INSERT INTO caller_id.keys
    (id, name, role, hash, addresses, campaigns, created_at, created_by, expires_at, revoked_at, last_used_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, role = excluded.role, hash = excluded.hash,
        addresses = excluded.addresses, campaigns = excluded.campaigns, created_at = excluded.created_at,
        created_by = excluded.created_by, expires_at = excluded.expires_at, revoked_at = excluded.revoked_at,
        last_used_at = excluded.last_used_at";
const REVOKE: &str = "UPDATE caller_id.keys SET revoked_at = $2 WHERE id = $1";
const TOUCH: &str = "UPDATE caller_id.keys k SET last_used_at = used.at
    FROM (SELECT id, max(at) AS at FROM UNNEST($1::text[], $2::bigint[]) AS t (id, at) GROUP BY id) AS used
    WHERE k.id = used.id AND coalesce(k.last_used_at < used.at, true)";

/// Begins a change of keys; nobody else changes any until its end.
async fn begin(connection: &mut PgConnection) -> Result<Transaction<'_, Postgres>, Fault> {
    let mut transaction = connection.begin().await?;
    query::<Postgres>(BEGIN)
        .fetch_one(&mut *transaction)
        .await?;
    Ok(transaction)
}

/// Writes a key; tells how many rows that changed.
async fn write(
    transaction: &mut PgConnection,
    sql: &'static str,
    key: &ApiKey,
) -> Result<u64, Fault> {
    let instant = |at: Option<Timestamp>| at.map(Timestamp::as_ms);
    let written = query::<Postgres>(sql)
        .bind(&key.id.0)
        .bind(&key.name)
        .bind(key.role.as_str())
        .bind(&key.hash[..])
        .bind(to_json(&key.addresses)?)
        .bind(to_json(&key.campaigns)?)
        .bind(key.created_at.as_ms())
        .bind(&key.created_by)
        .bind(instant(key.expires_at))
        .bind(instant(key.revoked_at))
        .bind(instant(key.last_used_at))
        .execute(transaction)
        .await?;
    Ok(written.rows_affected())
}

/// Puts keys of another store.
pub(super) async fn restore(connection: &mut PgConnection, keys: Vec<ApiKey>) -> Result<(), Fault> {
    let mut transaction = begin(connection).await?;
    for key in &keys {
        write(&mut transaction, PUT, key).await?;
    }
    query::<Postgres>(CHANGED)
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}

async fn add(
    connection: &mut PgConnection,
    key: ApiKey,
    by: Author,
    now: Timestamp,
) -> Result<KeyAdded, Fault> {
    let mut transaction = begin(connection).await?;
    if write(&mut transaction, ADD, &key).await? == 0 {
        transaction.rollback().await?;
        return Ok(KeyAdded::NameTaken);
    }
    query::<Postgres>(CHANGED)
        .execute(&mut *transaction)
        .await?;
    audit::append(&mut transaction, now, key_events::created(&key, by)?).await?;
    transaction.commit().await?;
    Ok(KeyAdded::Added)
}

async fn revoke(
    connection: &mut PgConnection,
    id: KeyId,
    at: Timestamp,
    by: Author,
    now: Timestamp,
) -> Result<bool, Fault> {
    let mut transaction = begin(connection).await?;
    let row = query::<Postgres>(KEY)
        .bind(&id.0)
        .fetch_optional(&mut *transaction)
        .await?;
    let key = row.as_ref().map(read_key).transpose()?;
    let there = key.is_some();
    let Some(key) = key.filter(|key| key.revoked_at.is_none()) else {
        transaction.rollback().await?;
        return Ok(there);
    };
    query::<Postgres>(REVOKE)
        .bind(&id.0)
        .bind(at.as_ms())
        .execute(&mut *transaction)
        .await?;
    query::<Postgres>(CHANGED)
        .execute(&mut *transaction)
        .await?;
    audit::append(&mut transaction, now, key_events::revoked(&key, at, by)?).await?;
    transaction.commit().await?;
    Ok(true)
}

async fn touch(connection: &mut PgConnection, used: Vec<(KeyId, Timestamp)>) -> Result<(), Fault> {
    let mut transaction = begin(connection).await?;
    let (ids, instants): (Vec<_>, Vec<_>) =
        used.into_iter().map(|(id, at)| (id.0, at.as_ms())).unzip();
    query::<Postgres>(TOUCH)
        .bind(ids)
        .bind(instants)
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}

fn read_key(row: &PgRow) -> Result<ApiKey, Fault> {
    let id: String = column(row, 0)?;
    let name = format!("key `{id}`");
    let fail = |why: &str| unreadable(&name, why);
    let role = column::<&str>(row, 2)?.parse();
    let addresses = serde_json::from_str(column(row, 4)?);
    let campaigns = serde_json::from_str(column(row, 5)?);
    let instant = |place| -> Result<_, Fault> {
        Ok(column::<Option<i64>>(row, place)?.map(Timestamp::from_ms))
    };
    Ok(ApiKey {
        name: column(row, 1)?,
        role: role.map_err(|cause: String| fail(&cause))?,
        hash: hash(row, 3, &name)?,
        addresses: addresses.map_err(|cause| fail(&cause.to_string()))?,
        campaigns: campaigns.map_err(|cause| fail(&cause.to_string()))?,
        created_at: Timestamp::from_ms(column(row, 6)?),
        created_by: column(row, 7)?,
        expires_at: instant(8)?,
        revoked_at: instant(9)?,
        last_used_at: instant(10)?,
        id: KeyId(id),
    })
}

#[async_trait]
impl KeyStore for PostgresStore {
    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.lane
            .run(|connection| {
                Box::pin(async move {
                    let rows = query::<Postgres>(KEYS).fetch_all(connection).await?;
                    rows.iter().map(read_key).collect()
                })
            })
            .await
    }

    async fn keys_revision(&self) -> Result<i64, StoreError> {
        self.lane
            .run(|connection| {
                Box::pin(async move {
                    let revision = query_scalar::<Postgres, _>(REVISION);
                    Ok(revision.fetch_one(connection).await?)
                })
            })
            .await
    }

    async fn add_key(&self, key: ApiKey, by: &Author) -> Result<KeyAdded, StoreError> {
        let (by, now) = (by.clone(), self.clock.now());
        self.lane
            .run(|connection| Box::pin(add(connection, key, by, now)))
            .await
    }

    async fn revoke_key(&self, id: &KeyId, at: Timestamp, by: &Author) -> Result<bool, StoreError> {
        let (id, by, now) = (id.clone(), by.clone(), self.clock.now());
        self.lane
            .run(|connection| Box::pin(revoke(connection, id, at, by, now)))
            .await
    }

    async fn touch_keys(&self, used: &[(KeyId, Timestamp)]) -> Result<(), StoreError> {
        if used.is_empty() {
            return Ok(());
        }
        let used = used.to_vec();
        self.lane
            .run(|connection| Box::pin(touch(connection, used)))
            .await
    }

    async fn begin_session(
        &self,
        session: Session,
        now: Timestamp,
        by: &Author,
    ) -> Result<(), StoreError> {
        let by = by.clone();
        self.lane
            .run(|connection| Box::pin(sessions::begin(connection, session, now, by)))
            .await
    }

    async fn session(&self, hash: [u8; 32]) -> Result<Option<Session>, StoreError> {
        self.lane
            .run(|connection| Box::pin(sessions::find(connection, hash)))
            .await
    }

    async fn end_session(&self, hash: [u8; 32], by: &Author) -> Result<bool, StoreError> {
        let (by, now) = (by.clone(), self.clock.now());
        self.lane
            .run(|connection| Box::pin(sessions::end(connection, hash, now, by)))
            .await
    }

    async fn cookie_key(&self) -> Result<[u8; 32], StoreError> {
        self.lane
            .run(|connection| Box::pin(sessions::cookie_key(connection)))
            .await
    }
}
