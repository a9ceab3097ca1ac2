//! One moment of a data set that a service may be using, to be read for as long as it takes.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use caller_id_core::StoreError;
use rusqlite::Connection;

use super::calls::Calls;
use super::error::{on, sqlite};
use super::files::Files;
use super::history::HistoryReader;
use super::lane::Lane;
use super::progress::Progress;
use super::{SqliteOptions, SqliteStore, catalog, schema};

impl SqliteStore {
    /// Opens one moment of the data set beside a server that may use it, to be read alone: whatever is written from now on is not
    /// seen, and all that was committed before is, what only the journal has included. Nothing is changed.
    ///
    /// Writers of the main file wait while it begins, some milliseconds; the journal is read whole then and let go. As long
    /// as it is open the log of the main file grows with what is written. On a file system that is read-only no server may use
    /// it, and none can until this is closed.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is none; [`StoreError::Unreadable`] when it does not have the tables of this version;
    /// others when it cannot be read.
    pub fn open_moment(path: &Path, options: SqliteOptions) -> Result<Arc<Self>, StoreError> {
        let files = Files::existing(path)?;
        if files.are_fixed() {
            return Self::open_fixed(&files, options);
        }
        let manner = options.manner();
        let connect = || schema::connect(&files.main, manner);
        let guard = connect()?;
        schema::check_current(&guard, &files.main)?;
        let journal = match files.have_journal() {
            true => Some(schema::connect(&files.journal, manner)?),
            false => None,
        };
        let (reader, past) = (connect()?, HistoryReader::new(connect()?, journal)?);
        let fail = |error| on(&guard, sqlite(error));
        // Nobody writes the main file until both have their look at it: both see the same.
        guard.execute_batch("BEGIN IMMEDIATE").map_err(fail)?;
        let begun = past.hold().and_then(|past| {
            begin(&reader)?;
            Ok(past)
        });
        guard.execute_batch("ROLLBACK").map_err(fail)?;
        let past = begun?.fill()?;
        Ok(Self::of_moment(&files, options, reader, past))
    }

    /// The same on a file system that is read-only, as a snapshot's is: what is there is one moment.
    fn open_fixed(files: &Files, options: SqliteOptions) -> Result<Arc<Self>, StoreError> {
        // By another name it may be writable.
        let lock = files.lock_shared().map_err(|error| match error {
            StoreError::Busy(why) => StoreError::Busy(
                format!("{why}, which can only be read here: back it up where it can be written")
                    .into(),
            ),
            other => other,
        })?;
        let manner = options.manner();
        let connect = |path| schema::connect_fixed(path, manner);
        let reader = connect(&files.main)?;
        schema::check_current(&reader, &files.main)?;
        let journal = match files.have_journal() {
            true => Some(connect(&files.journal)?),
            false => None,
        };
        let past = HistoryReader::new(connect(&files.main)?, journal)?.hold()?;
        begin(&reader)?;
        let store = Self::of_moment(files, options, reader, past.fill()?);
        *store.lock() = lock;
        Ok(store)
    }

    fn of_moment(
        files: &Files,
        options: SqliteOptions,
        reader: Connection,
        past: HistoryReader,
    ) -> Arc<Self> {
        let progress = Arc::new(Progress::new(0, 0, 0));
        progress.stop();
        Arc::new(Self {
            writer: Lane::new(
                1,
                options.wait,
                || Err(StoreError::Closed),
                |_, error| error,
            ),
            readers: Lane::new(1, options.wait, only(reader), on),
            history: Lane::new(1, options.wait, only(past), |_, error| error),
            catalog: catalog::Shared::new(Arc::clone(&options.clock)),
            clock: options.clock,
            progress,
            journal: None,
            calls: Arc::new(Calls::there(files.journal_log())),
            threads: Mutex::new(None),
            lock: Mutex::new(None),
        })
    }
}

/// Begins to read: SQLite takes its snapshot at the first look, not at BEGIN.
fn begin(connection: &Connection) -> Result<(), StoreError> {
    connection
        .execute_batch("BEGIN; SELECT max(value) FROM meta")
        .map_err(|error| on(connection, sqlite(error)))
}

/// Gives this one, and no other after it.
fn only<T: Send>(one: T) -> impl Fn() -> Result<T, StoreError> + Send + Sync {
    let one = Mutex::new(Some(one));
    move || {
        let mut one = one.lock().unwrap_or_else(PoisonError::into_inner);
        one.take()
            .ok_or_else(|| StoreError::Failed("the moment that was read is over".into()))
    }
}
