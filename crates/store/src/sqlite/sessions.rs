//! Sessions of people.

use caller_id_core::roles::Session;
use caller_id_core::{Author, StoreError, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction};

use super::audit;
use super::error::sqlite;
use super::rows::{column, text, unreadable};
use crate::session_events;

const FORGET: &str = "DELETE FROM sessions WHERE expires_at < ?1";
const BEGIN: &str = "INSERT INTO sessions (hash, name, role, signed_in_by, created_at, expires_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const FIND: &str =
    "SELECT name, role, signed_in_by, created_at, expires_at FROM sessions WHERE hash = ?1";
const END: &str = "DELETE FROM sessions WHERE hash = ?1";
const COOKIE_KEY: &str = "SELECT key FROM cookie_key";

/// Keeps a session, and forgets those that ended before `now`.
pub(super) fn begin(
    transaction: Transaction<'_>,
    session: &Session,
    now: Timestamp,
    by: Author,
) -> Result<(), StoreError> {
    transaction
        .execute(FORGET, [now.as_ms()])
        .and_then(|_| {
            transaction.execute(
                BEGIN,
                (
                    session.hash,
                    &session.name,
                    session.role.as_str(),
                    session.by.to_string(),
                    session.created_at.as_ms(),
                    session.expires_at.as_ms(),
                ),
            )
        })
        .map_err(sqlite)?;
    audit::append(&transaction, now, session_events::begun(session, by)?)?;
    transaction.commit().map_err(sqlite)
}

/// The session with that hash.
pub(super) fn find(main: &Connection, hash: [u8; 32]) -> Result<Option<Session>, StoreError> {
    main.prepare_cached(FIND)
        .and_then(|mut find| {
            find.query_row([hash], |row| Ok(read_session(row, hash)))
                .optional()
        })
        .map_err(sqlite)?
        .transpose()
}

/// Ends it; tells whether there was one.
pub(super) fn end(
    transaction: Transaction<'_>,
    hash: [u8; 32],
    now: Timestamp,
    by: Author,
) -> Result<bool, StoreError> {
    let Some(session) = find(&transaction, hash)? else {
        return Ok(false);
    };
    transaction.execute(END, [hash]).map_err(sqlite)?;
    audit::append(&transaction, now, session_events::ended(&session, by)?)?;
    transaction.commit().map_err(sqlite)?;
    Ok(true)
}

/// What cookies are signed with.
pub(super) fn cookie_key(main: &Connection) -> Result<[u8; 32], StoreError> {
    main.query_row(COOKIE_KEY, [], |row| row.get(0))
        .map_err(sqlite)
}

fn read_session(row: &Row<'_>, hash: [u8; 32]) -> Result<Session, StoreError> {
    let name: String = column(row, 0)?;
    let role = text(row, 1)?.unwrap_or_default().parse();
    let by = text(row, 2)?.unwrap_or_default().parse();
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
