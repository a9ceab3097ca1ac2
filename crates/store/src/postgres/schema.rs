//! The tables, and how a database is brought up to date.

use std::time::Duration;

use caller_id_core::StoreError;
use sqlx_core::connection::Connection;
use sqlx_core::query::query;
use sqlx_core::query_scalar::query_scalar;
use sqlx_core::raw_sql::raw_sql;
use sqlx_postgres::{PgConnection, Postgres};
use tokio::time::timeout;

use super::error::Fault;
use super::locks;
use super::place::Place;

const MIGRATIONS: [&str; 7] = [
    include_str!("../../migrations/postgres/0001_inventory_and_history.sql"),
    include_str!("../../migrations/postgres/0002_owner.sql"),
    include_str!("../../migrations/postgres/0003_state.sql"),
    include_str!("../../migrations/postgres/0004_results.sql"),
    include_str!("../../migrations/postgres/0005_audit_and_keys.sql"),
    include_str!("../../migrations/postgres/0006_lists.sql"),
    include_str!("../../migrations/postgres/0007_sums.sql"),
];

/// The version that this program brings the tables to.
pub(super) const KNOWN: usize = MIGRATIONS.len();

/// Since this version the owner's row says which state in Redis has the numbers.
const STATES: usize = 3;

/// Whoever changes tables waits here for others who do.
const LOCK: &str = "SELECT pg_advisory_xact_lock($1)";
const SERVER_VERSION: &str = "SELECT current_setting('server_version_num')::int";
/// Parts of history are taken off without a stop of writers since PostgreSQL 14.
const SERVER_VERSION_LEAST: i32 = 140_000;
/// Names are looked up in the catalog's rows: a name that was missing once stays so in a session's memory (`to_regclass`)
/// while another node makes it.
const HAS_SCHEMA: &str =
    "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'caller_id' AND c.relname = 'migrations')";
const VERSION: &str = "SELECT coalesce(max(version), 0) FROM caller_id.migrations";
const HAS_NAMESPACE: &str = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'caller_id')";
const MAKE_NAMESPACE: &str = "CREATE SCHEMA caller_id";
const MAKE_MIGRATIONS: &str = "CREATE TABLE IF NOT EXISTS caller_id.migrations
    (version INTEGER PRIMARY KEY, applied_at TIMESTAMPTZ NOT NULL DEFAULT now())";
const DONE: &str = "INSERT INTO caller_id.migrations (version) VALUES ($1)";

/// How long a start waits for another node that brings the database up to date.
const WAIT: Duration = Duration::from_secs(60);

/// Brings the database up to date; several nodes may do so at once.
///
/// # Errors
/// [`StoreError::Unreadable`] when a newer version wrote it: it is not touched.
pub(super) async fn migrate(place: &Place) -> Result<(), StoreError> {
    let migrating = async {
        let mut connection = place.connect().await?;
        bring_up_to_date(&mut connection).await
    };
    timeout(WAIT, migrating)
        .await
        .unwrap_or_else(|_| {
            let text = format!("it could not be brought up to date within {WAIT:?}");
            Err(StoreError::Busy(text.into()).into())
        })
        .map_err(|fault| fault.at(place))
}

async fn bring_up_to_date(connection: &mut PgConnection) -> Result<(), Fault> {
    check_server(connection).await?;
    if version(connection).await? == KNOWN {
        return Ok(());
    }
    let mut transaction = connection.begin().await?;
    lock(&mut transaction).await?;
    // Another node may have come first while this one waited.
    let done = version(&mut transaction).await?;
    if !query_scalar::<Postgres, bool>(HAS_NAMESPACE)
        .fetch_one(&mut *transaction)
        .await?
    {
        raw_sql(MAKE_NAMESPACE).execute(&mut *transaction).await?;
    }
    raw_sql(MAKE_MIGRATIONS).execute(&mut *transaction).await?;
    for (migration, number) in MIGRATIONS.into_iter().zip(1_i32..).skip(done) {
        raw_sql(migration).execute(&mut *transaction).await?;
        query(DONE).bind(number).execute(&mut *transaction).await?;
    }
    Ok(transaction.commit().await?)
}

/// Waits until nobody else makes or drops tables; held until the end of the transaction.
pub(super) async fn lock(transaction: &mut PgConnection) -> Result<(), Fault> {
    let lock = query::<Postgres>(LOCK).bind(locks::TABLES);
    lock.execute(transaction).await?;
    Ok(())
}

async fn check_server(connection: &mut PgConnection) -> Result<(), Fault> {
    let version: i32 = query_scalar::<Postgres, _>(SERVER_VERSION)
        .fetch_one(connection)
        .await?;
    if version < SERVER_VERSION_LEAST {
        let text = format!("it has version {}, 14 or newer expected", version / 10_000);
        return Err(StoreError::Failed(text.into()).into());
    }
    Ok(())
}

/// The version of the tables; 0 where there are none.
pub(super) async fn found(connection: &mut PgConnection) -> Result<usize, Fault> {
    if !query_scalar::<Postgres, bool>(HAS_SCHEMA)
        .fetch_one(&mut *connection)
        .await?
    {
        return Ok(0);
    }
    let version: i32 = query_scalar::<Postgres, _>(VERSION)
        .fetch_one(connection)
        .await?;
    Ok(usize::try_from(version).unwrap_or_default())
}

/// Looks whether the database has the tables of this version, and changes nothing.
///
/// # Errors
/// [`StoreError::Missing`] where there are none, [`StoreError::Unreadable`] where they are others.
pub(super) async fn check_current(connection: &mut PgConnection) -> Result<(), Fault> {
    match version(connection).await? {
        0 => Err(StoreError::Missing("it has no tables of caller-id".to_owned()).into()),
        KNOWN => Ok(()),
        older => Err(StoreError::Unreadable(format!(
            "it has schema version {older}, and this caller-id reads {KNOWN}: a start of the service brings it up to date, or \
             use the caller-id that runs now"
        ))
        .into()),
    }
}

/// Whether the tables know of states in Redis.
pub(super) async fn has_states(connection: &mut PgConnection) -> Result<bool, Fault> {
    Ok(found(connection).await? >= STATES)
}

async fn version(connection: &mut PgConnection) -> Result<usize, Fault> {
    let version = found(connection).await?;
    if version > KNOWN {
        return Err(StoreError::Unreadable(format!(
            "it has schema version {version}, this caller-id knows up to {KNOWN}: use a newer caller-id"
        ))
        .into());
    }
    Ok(version)
}
