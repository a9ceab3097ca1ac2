//! Sessions of people.

use caller_id_core::Timestamp;
use caller_id_core::roles::Session;
use sqlx_core::connection::Connection;
use sqlx_core::query::query;
use sqlx_postgres::{PgConnection, PgRow, Postgres};

use super::error::Fault;
use super::rows::column;
use crate::values::unreadable;

/// Those that another node is about to forget are left to it.
const FORGET: &str = "DELETE FROM caller_id.sessions WHERE hash IN
    (SELECT hash FROM caller_id.sessions WHERE expires_at < $1 FOR UPDATE SKIP LOCKED)";
const BEGIN: &str = "INSERT INTO caller_id.sessions (hash, name, role, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5)";
const FIND: &str =
    "SELECT name, role, created_at, expires_at FROM caller_id.sessions WHERE hash = $1";
const END: &str = "DELETE FROM caller_id.sessions WHERE hash = $1";

/// Keeps a session, and forgets those that ended before `now`.
pub(super) async fn begin(
    connection: &mut PgConnection,
    session: Session,
    now: Timestamp,
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
        .bind(session.created_at.as_ms())
        .bind(session.expires_at.as_ms())
        .execute(&mut *transaction)
        .await?;
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
pub(super) async fn end(connection: &mut PgConnection, hash: [u8; 32]) -> Result<bool, Fault> {
    let ended = query::<Postgres>(END)
        .bind(&hash[..])
        .execute(connection)
        .await?;
    Ok(ended.rows_affected() > 0)
}

fn read_session(row: &PgRow, hash: [u8; 32]) -> Result<Session, Fault> {
    let name: String = column(row, 0)?;
    let role = column::<&str>(row, 1)?.parse();
    let fail = |why: String| unreadable(&format!("session of `{name}`"), &why);
    Ok(Session {
        hash,
        role: role.map_err(fail)?,
        created_at: Timestamp::from_ms(column(row, 2)?),
        expires_at: Timestamp::from_ms(column(row, 3)?),
        name,
    })
}
