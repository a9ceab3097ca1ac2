//! Sessions of people.

use caller_id_core::roles::Session;
use caller_id_core::{StoreError, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};

use super::error::sqlite;
use super::rows::{column, text, unreadable};

const FORGET: &str = "DELETE FROM sessions WHERE expires_at < ?1";
const BEGIN: &str = "INSERT INTO sessions (hash, name, role, created_at, expires_at)
    VALUES (?1, ?2, ?3, ?4, ?5)";
const FIND: &str = "SELECT name, role, created_at, expires_at FROM sessions WHERE hash = ?1";
const END: &str = "DELETE FROM sessions WHERE hash = ?1";

/// Keeps a session, as part of a transaction, and forgets those that ended before `now`.
pub(super) fn begin(
    transaction: &Connection,
    session: &Session,
    now: Timestamp,
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
                    session.created_at.as_ms(),
                    session.expires_at.as_ms(),
                ),
            )
        })
        .map_err(sqlite)?;
    Ok(())
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
pub(super) fn end(main: &Connection, hash: [u8; 32]) -> Result<bool, StoreError> {
    let ended = main.execute(END, [hash]).map_err(sqlite)?;
    Ok(ended > 0)
}

fn read_session(row: &Row<'_>, hash: [u8; 32]) -> Result<Session, StoreError> {
    let name: String = column(row, 0)?;
    let role = text(row, 1)?.unwrap_or_default().parse();
    let fail = |why: String| unreadable(&format!("session of `{name}`"), &why);
    Ok(Session {
        hash,
        role: role.map_err(fail)?,
        created_at: Timestamp::from_ms(column(row, 2)?),
        expires_at: Timestamp::from_ms(column(row, 3)?),
        name,
    })
}
