//! Opening a file and bringing its schema up to date.

use std::path::Path;
use std::time::Duration;

use caller_id_core::StoreError;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::error::{in_file, sqlite};
use super::{Durability, files};

/// What a file is, and how it came to be so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schema {
    /// Oldest first. They are only ever added.
    migrations: &'static [&'static str],
    /// The mark in the file's head by which it is known as ours; the second migration sets it.
    application_id: i64,
    /// A table of the first migration, by which files are known that have no mark yet.
    table: &'static str,
}

/// The main file.
pub(super) const MAIN: Schema = Schema {
    migrations: &[
        include_str!("../../migrations/sqlite/0001_inventory_and_history.sql"),
        include_str!("../../migrations/sqlite/0002_application_id.sql"),
        include_str!("../../migrations/sqlite/0003_results.sql"),
        include_str!("../../migrations/sqlite/0004_audit_and_keys.sql"),
        include_str!("../../migrations/sqlite/0005_lists.sql"),
        include_str!("../../migrations/sqlite/0006_sums.sql"),
    ],
    application_id: 0x4349_4401,
    table: "allocations",
};
/// The journal file.
pub(super) const JOURNAL: Schema = Schema {
    migrations: &[
        include_str!("../../migrations/sqlite-journal/0001_journal.sql"),
        include_str!("../../migrations/sqlite-journal/0002_application_id.sql"),
    ],
    application_id: 0x4349_4402,
    table: "journal",
};

impl Schema {
    /// The version that this program brings the file to.
    pub(super) const fn known(self) -> usize {
        self.migrations.len()
    }

    /// The version of a file with these marks in its head; None when it is not ours. Only its first version had no mark.
    pub(super) fn version(self, application_id: i64, user_version: i64) -> Option<usize> {
        let ours =
            application_id == self.application_id || (application_id == 0 && user_version == 1);
        usize::try_from(user_version).ok().filter(|_| ours)
    }
}

/// How a connection behaves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// When a commit counts as done.
    pub(super) durability: Durability,
    /// How long to wait for somebody else's transaction.
    pub(super) wait: Duration,
    /// After how many pages in the write-ahead log a commit moves them into the file itself; 0 = never.
    pub(super) checkpoint_pages: u32,
    /// How many KiB of pages it keeps in memory.
    pub(super) cache_kib: u32,
}

/// A spike must not leave a log of its size behind for ever.
const LOG_BYTES_KEPT: u64 = 64 << 20;
const TRIES_LEAST: u32 = 50;
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// A connection to an existing file, whose schema may still be old.
pub(super) fn connect(path: &Path, manner: Manner) -> Result<Connection, StoreError> {
    open(path, manner).map_err(|error| in_file(path, error))
}

/// A connection to a file that nobody can write, on a file system that is read-only: nothing is made beside it.
///
/// # Errors
/// [`StoreError::Failed`] when its log has something that is not in the file yet.
pub(super) fn connect_fixed(path: &Path, manner: Manner) -> Result<Connection, StoreError> {
    let log = files::log_of(path);
    if !files::is_nothing(&log) {
        // SQLite reads a log by an index beside it, which it would have to make.
        let text = format!(
            "`{}` is on a read-only file system, and its log `{}` has what is not in it yet: copy both, with all that is named \
             alike, to where they can be written, and name the copy",
            path.display(),
            log.display()
        );
        return Err(StoreError::Failed(text.into()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let uri = format!("file:{}?immutable=1", escaped(path));
    Connection::open_with_flags(uri, flags)
        .map_err(sqlite)
        .and_then(|connection| prepared(connection, manner))
        .map_err(|error| in_file(path, error))
}

/// A path as it stands in a URI.
fn escaped(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    bytes
        .map(|&byte| match byte {
            b'/' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

fn open(path: &Path, manner: Manner) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(sqlite)?;
    prepared(connection, manner)
}

fn prepared(connection: Connection, manner: Manner) -> Result<Connection, StoreError> {
    connection.busy_timeout(manner.wait).map_err(sqlite)?;
    connection.set_prepared_statement_cache_capacity(64);
    let synchronous = match manner.durability {
        Durability::Process => "NORMAL",
        Durability::Power => "FULL",
    };
    connection
        .execute_batch(&format!(
            "PRAGMA synchronous = {synchronous}; PRAGMA wal_autocheckpoint = {};
             PRAGMA cache_size = -{}; PRAGMA journal_size_limit = {LOG_BYTES_KEPT};
             PRAGMA foreign_keys = ON;",
            manner.checkpoint_pages, manner.cache_kib
        ))
        .map_err(sqlite)?;
    Ok(connection)
}

/// Brings the file up to date; several processes may do so at once.
///
/// # Errors
/// [`StoreError::Unreadable`] when the file was written by a newer version, or by another program: it is not touched.
pub(super) fn migrate(
    connection: &mut Connection,
    path: &Path,
    schema: Schema,
) -> Result<(), StoreError> {
    bring_up_to_date(connection, schema).map_err(|error| in_file(path, error))
}

fn bring_up_to_date(connection: &mut Connection, schema: Schema) -> Result<(), StoreError> {
    let migrations = schema.migrations;
    let known = migrations.len();
    check_owner(connection, schema)?;
    if check_version(connection, known)? < known || !is_wal(connection)? {
        patiently(|| {
            connection
                .execute_batch("PRAGMA journal_mode = WAL")
                .map_err(sqlite)
        })?;
        // Another process may have come first while this one waited: the version is read again inside.
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(sqlite)?;
        let done = check_version(&transaction, known)?;
        for migration in &migrations[done..] {
            transaction.execute_batch(migration).map_err(sqlite)?;
        }
        transaction
            .pragma_update(None, "user_version", known as i64)
            .map_err(sqlite)?;
        transaction.commit().map_err(sqlite)?;
        // Into the file itself, as far as nobody reads it: whoever looks at its head alone sees whose it is.
        connection
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
            .map_err(sqlite)?;
    }
    Ok(())
}

/// Looks whether the main file has the tables of this version, and changes nothing.
///
/// # Errors
/// [`StoreError::Unreadable`] tells what it has.
pub(super) fn check_current(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let check = || {
        check_owner(connection, MAIN)?;
        let known = MAIN.known();
        match check_version(connection, known)? {
            version if version == known => Ok(()),
            version => Err(StoreError::Unreadable(format!(
                "it has schema version {version}, and this caller-id reads {known}: a start of the service brings it up to \
                 date, or use the caller-id that runs now"
            ))),
        }
    };
    check().map_err(|error| in_file(path, error))
}

/// Whether nobody has written to the file yet.
pub(super) fn is_new(connection: &Connection) -> Result<bool, StoreError> {
    pragma(connection, "user_version").map(|version| version == 0)
}

/// Whether it has no table at all, nobody's.
pub(super) fn is_blank(connection: &Connection) -> Result<bool, StoreError> {
    connection
        .query_row(
            "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)",
            [],
            |row| row.get(0),
        )
        .map_err(sqlite)
}

fn is_wal(connection: &Connection) -> Result<bool, StoreError> {
    connection
        .pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0))
        .map(|mode| mode == "wal")
        .map_err(sqlite)
}

/// Refuses the file of another program, that has tables of its own.
fn check_owner(connection: &Connection, schema: Schema) -> Result<(), StoreError> {
    let id: i64 = pragma(connection, "application_id")?;
    let (tables, ours): (i64, i64) = connection
        .query_row(
            "SELECT count(*), coalesce(sum(name = ?1), 0) FROM sqlite_schema",
            [schema.table],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .map_err(sqlite)?;
    // Read last: while this looks, another process may be making the tables.
    let version: i64 = pragma(connection, "user_version")?;
    let before_the_mark = tables == 0 || (ours > 0 && version > 0);
    if id == schema.application_id || (id == 0 && before_the_mark) {
        return Ok(());
    }
    Err(StoreError::Unreadable(
        "it is a database of another program, expected one of caller-id or a name that is free"
            .to_owned(),
    ))
}

fn pragma(connection: &Connection, name: &str) -> Result<i64, StoreError> {
    connection
        .pragma_query_value(None, name, |row| row.get(0))
        .map_err(sqlite)
}

fn check_version(connection: &Connection, known: usize) -> Result<usize, StoreError> {
    let version: u32 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(sqlite)?;
    let version = version as usize;
    if version > known {
        return Err(StoreError::Unreadable(format!(
            "it has schema version {version}, this caller-id knows up to {known}: use a newer caller-id"
        )));
    }
    Ok(version)
}

/// Changing to the write-ahead log is the one thing for which SQLite's own waiting does not count.
fn patiently(mut attempt: impl FnMut() -> Result<(), StoreError>) -> Result<(), StoreError> {
    for _ in 0..TRIES_LEAST {
        match attempt() {
            Err(StoreError::Busy(_)) => std::thread::sleep(TRY_AGAIN_AFTER),
            other => return other,
        }
    }
    attempt()
}
