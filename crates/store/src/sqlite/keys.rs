//! API keys, and the sessions of people.

use async_trait::async_trait;
use caller_id_core::roles::{ApiKey, KeyAdded, KeyId, Session};
use caller_id_core::{Author, KeyStore, StoreError, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior};

use super::error::sqlite;
use super::rows::{column, text, unreadable};
use super::{SqliteStore, audit, meta, sessions};
use crate::key_events;
use crate::values::to_json;

/// A SELECT from `keys` with the columns in the order that [`read_key`] expects.
macro_rules! select_keys {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, role, hash, addresses, campaigns, created_at, created_by, expires_at, revoked_at, \
             last_used_at FROM keys ",
            $rest
        )
    };
}

const KEYS: &str = select_keys!("ORDER BY made");
const KEY: &str = select_keys!("WHERE id = ?1");
/// A key that is not revoked has its name for itself.
const ADD: &str = "INSERT INTO keys
    (id, name, role, hash, addresses, campaigns, created_at, created_by, expires_at, revoked_at, last_used_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING";
const PUT: &str = "INSERT INTO keys
    (id, name, role, hash, addresses, campaigns, created_at, created_by, expires_at, revoked_at, last_used_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, role = excluded.role, hash = excluded.hash,
        addresses = excluded.addresses, campaigns = excluded.campaigns, created_at = excluded.created_at,
        created_by = excluded.created_by, expires_at = excluded.expires_at, revoked_at = excluded.revoked_at,
        last_used_at = excluded.last_used_at";
const REVOKE: &str = "UPDATE keys SET revoked_at = ?2 WHERE id = ?1";
const TOUCH: &str =
    "UPDATE keys SET last_used_at = ?2 WHERE id = ?1 AND coalesce(last_used_at < ?2, true)";
const CHANGED: &str = "UPDATE meta SET value = value + 1 WHERE key = 'keys_revision'";

/// Begins a transaction beside which nobody else writes.
fn begin(main: &mut Connection) -> Result<Transaction<'_>, StoreError> {
    main.transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(sqlite)
}

fn keys(main: &Connection) -> Result<Vec<ApiKey>, StoreError> {
    let mut select = main.prepare_cached(KEYS).map_err(sqlite)?;
    let mut rows = select.query([]).map_err(sqlite)?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next().map_err(sqlite)? {
        keys.push(read_key(row)?);
    }
    Ok(keys)
}

fn key(main: &Connection, id: &KeyId) -> Result<Option<ApiKey>, StoreError> {
    main.prepare_cached(KEY)
        .and_then(|mut select| {
            select
                .query_row([&id.0], |row| Ok(read_key(row)))
                .optional()
        })
        .map_err(sqlite)?
        .transpose()
}

/// Writes a key; tells how many rows that changed.
fn write(transaction: &Connection, sql: &str, key: &ApiKey) -> Result<usize, StoreError> {
    let instant = |at: Option<Timestamp>| at.map(Timestamp::as_ms);
    let row = (
        &key.id.0,
        &key.name,
        key.role.as_str(),
        key.hash,
        to_json(&key.addresses)?,
        to_json(&key.campaigns)?,
        key.created_at.as_ms(),
        &key.created_by,
        instant(key.expires_at),
        instant(key.revoked_at),
        instant(key.last_used_at),
    );
    transaction.execute(sql, row).map_err(sqlite)
}

/// Puts keys of another store, as part of a transaction.
pub(super) fn restore(transaction: &Connection, keys: &[ApiKey]) -> Result<(), StoreError> {
    for key in keys {
        write(transaction, PUT, key)?;
    }
    transaction.execute(CHANGED, []).map(drop).map_err(sqlite)
}

fn add(
    main: &mut Connection,
    key: &ApiKey,
    by: Author,
    now: Timestamp,
) -> Result<KeyAdded, StoreError> {
    let transaction = begin(main)?;
    if write(&transaction, ADD, key)? == 0 {
        return Ok(KeyAdded::NameTaken);
    }
    transaction.execute(CHANGED, []).map_err(sqlite)?;
    audit::append(&transaction, now, key_events::created(key, by)?)?;
    transaction.commit().map_err(sqlite)?;
    Ok(KeyAdded::Added)
}

fn revoke(
    main: &mut Connection,
    id: &KeyId,
    at: Timestamp,
    by: Author,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let transaction = begin(main)?;
    let Some(key) = key(&transaction, id)? else {
        return Ok(false);
    };
    if key.revoked_at.is_some() {
        return Ok(true);
    }
    transaction
        .execute(REVOKE, (&id.0, at.as_ms()))
        .and_then(|_| transaction.execute(CHANGED, []))
        .map_err(sqlite)?;
    audit::append(&transaction, now, key_events::revoked(&key, at, by)?)?;
    transaction.commit().map_err(sqlite)?;
    Ok(true)
}

fn touch(main: &mut Connection, used: &[(KeyId, Timestamp)]) -> Result<(), StoreError> {
    let transaction = begin(main)?;
    for (id, at) in used {
        transaction
            .prepare_cached(TOUCH)
            .and_then(|mut touch| touch.execute((&id.0, at.as_ms())))
            .map_err(sqlite)?;
    }
    transaction.commit().map_err(sqlite)
}

fn read_key(row: &Row<'_>) -> Result<ApiKey, StoreError> {
    let id: String = column(row, 0)?;
    let fail = |why: &str| unreadable(&format!("key `{id}`"), why);
    let role = text(row, 2)?.unwrap_or_default().parse();
    let addresses = serde_json::from_str(text(row, 4)?.unwrap_or_default());
    let campaigns = serde_json::from_str(text(row, 5)?.unwrap_or_default());
    let instant = |place| Ok(column::<Option<i64>>(row, place)?.map(Timestamp::from_ms));
    Ok(ApiKey {
        name: column(row, 1)?,
        role: role.map_err(|cause: String| fail(&cause))?,
        hash: column(row, 3)?,
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
impl KeyStore for SqliteStore {
    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.readers.run(|main| keys(main)).await
    }

    async fn keys_revision(&self) -> Result<i64, StoreError> {
        self.readers.run(|main| meta(main, "keys_revision")).await
    }

    async fn add_key(&self, key: ApiKey, by: &Author) -> Result<KeyAdded, StoreError> {
        let (by, now) = (by.clone(), self.clock.now());
        self.writer.run(move |main| add(main, &key, by, now)).await
    }

    async fn revoke_key(&self, id: &KeyId, at: Timestamp, by: &Author) -> Result<bool, StoreError> {
        let (id, by, now) = (id.clone(), by.clone(), self.clock.now());
        self.writer
            .run(move |main| revoke(main, &id, at, by, now))
            .await
    }

    async fn touch_keys(&self, used: &[(KeyId, Timestamp)]) -> Result<(), StoreError> {
        if used.is_empty() {
            return Ok(());
        }
        let used = used.to_vec();
        self.writer.run(move |main| touch(main, &used)).await
    }

    async fn begin_session(
        &self,
        session: Session,
        now: Timestamp,
        by: &Author,
    ) -> Result<(), StoreError> {
        let by = by.clone();
        self.writer
            .run(move |main| sessions::begin(begin(main)?, &session, now, by))
            .await
    }

    async fn session(&self, hash: [u8; 32]) -> Result<Option<Session>, StoreError> {
        self.readers
            .run(move |main| sessions::find(main, hash))
            .await
    }

    async fn end_session(&self, hash: [u8; 32], by: &Author) -> Result<bool, StoreError> {
        let (by, now) = (by.clone(), self.clock.now());
        self.writer
            .run(move |main| sessions::end(begin(main)?, hash, now, by))
            .await
    }

    async fn cookie_key(&self) -> Result<[u8; 32], StoreError> {
        self.readers.run(|main| sessions::cookie_key(main)).await
    }
}
