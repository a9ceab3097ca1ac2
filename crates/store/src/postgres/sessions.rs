//! Sessions of people.

use caller_id_core::roles::Session;
use caller_id_core::{Author, Timestamp};
use sqlx_core::connection::Connection;
use sqlx_core::query::query;
use sqlx_core::query_scalar::query_scalar;
use sqlx_postgres::{PgConnection, PgRow, Postgres};

use super::audit;
use super::error::Fault;
use super::rows::column;
use crate::session_events;
use crate::values::unreadable;

/// Those that another node is about to forget are left to it.
const FORGET: &str = "DELETE FROM caller_id.sessions WHERE hash IN
    (SELECT hash FROM caller_id.sessions WHERE expires_at < $1 FOR UPDATE SKIP LOCKED)";
const BEGIN: &str =
    "INSERT INTO caller_id.sessions (hash, name, role, signed_in_by, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6)";
const FIND: &str = "SELECT name, role, signed_in_by, created_at, expires_at FROM caller_id.sessions
    WHERE hash = $1";
const END: &str = "DELETE FROM caller_id.sessions WHERE hash = $1";
const COOKIE_KEY: &str = "SELECT key FROM caller_id.cookie_key";

/// Keeps a session, and forgets those that ended before `now`.
pub(super) async fn begin(
    connection: &mut PgConnection,
    session: Session,
    now: Timestamp,
    by: Author,
) -> Result<(), Fault> {
    let mut transaction = connection.begin().await?;
    query::<Postgres>(FORGET)
        .bind(now.as_ms())
        .execute(&mut *transaction)
        .await?;
    query::<Postgres>(BEGIN)
        .bind(&session.hash[..])
        .bind(&session.name)
        .bind(session.role.as_str())
        .bind(session.by.to_string())
        .bind(session.created_at.as_ms())
        .bind(session.expires_at.as_ms())
        .execute(&mut *transaction)
        .await?;
    audit::append(&mut transaction, now, session_events::begun(&session, by)?).await?;
    Ok(transaction.commit().await?)
}

/// The session with that hash.
pub(super) async fn find(
    connection: &mut PgConnection,
    hash: [u8; 32],
) -> Result<Option<Session>, Fault> {
    let row = query::<Postgres>(FIND)
        .bind(&hash[..])
        .fetch_optional(connection)
        .await?;
    row.map(|row| read_session(&row, hash)).transpose()
}

/// Ends it; tells whether there was one.
pub(super) async fn end(
    connection: &mut PgConnection,
    hash: [u8; 32],
    now: Timestamp,
    by: Author,
) -> Result<bool, Fault> {
    let mut transaction = connection.begin().await?;
    let session = find(&mut transaction, hash).await?;
    let ended = query::<Postgres>(END)
        .bind(&hash[..])
        .execute(&mut *transaction)
        .await?;
    // Another node may have ended it in between.
    let Some(session) = session.filter(|_| ended.rows_affected() > 0) else {
        transaction.rollback().await?;
        return Ok(false);
    };
    audit::append(&mut transaction, now, session_events::ended(&session, by)?).await?;
    transaction.commit().await?;
    Ok(true)
}

/// What cookies are signed with.
pub(super) async fn cookie_key(connection: &mut PgConnection) -> Result<[u8; 32], Fault> {
    let key = query_scalar::<Postgres, Vec<u8>>(COOKIE_KEY)
        .fetch_one(connection)
        .await?;
    let key = key.try_into();
    Ok(key.map_err(|_| unreadable("the key of cookies", "it has not 32 bytes"))?)
}

fn read_session(row: &PgRow, hash: [u8; 32]) -> Result<Session, Fault> {
    let name: String = column(row, 0)?;
    let role = column::<&str>(row, 1)?.parse();
    let by = column::<&str>(row, 2)?.parse();
    let fail = |why: String| unreadable(&format!("session of `{name}`"), &why);
    Ok(Session {
        hash,
        role: role.map_err(fail)?,
        by: by.map_err(fail)?,
        created_at: Timestamp::from_ms(column(row, 3)?),
        expires_at: Timestamp::from_ms(column(row, 4)?),
        name,
    })
}
