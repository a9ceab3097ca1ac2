//! The store in two SQLite files: inventory and history in one, the journal in the other.
//!
//! Commits of the engine touch the journal alone: nothing an admin, an import or the historian does to the main file
//! makes them wait. See `docs/adr/0002-two-sqlite-files.md`.

mod audit;
mod calls;
mod catalog;
mod changes;
mod checkpoint;
mod codec;
mod error;
mod files;
mod find;
mod health;
mod historian;
mod history;
mod inspect;
mod inventory;
mod journal;
mod keys;
mod lag;
mod lane;
mod list;
mod merge;
mod numbers;
mod pace;
mod past;
mod present;
mod progress;
mod rows;
mod schema;
mod sessions;
mod stats;
mod sums;
mod tail;
mod takeover;
mod things;
mod threads;
mod write;

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use caller_id_core::{Clock, Journal, JournalEvent, StoreError};
use rusqlite::Connection;

use calls::Calls;
use error::sqlite;
use files::Files;
use history::HistoryReader;
pub use inspect::{SqliteFile, SqliteInspection, inspect_sqlite};
use journal::JournalSender;
use lane::Lane;
use progress::Progress;
use schema::Manner;
use threads::Threads;

/// What a commit survives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process, however sudden.
    #[default]
    Process,
    /// The end of the machine's power, too: each commit waits for the disk.
    Power,
}

/// How a [`SqliteStore`] works.
#[derive(Clone)]
pub struct SqliteOptions {
    /// What a commit survives; [`Durability::Process`] unless set.
    pub durability: Durability,
    /// Gives rows of the inventory their times.
    pub clock: Arc<dyn Clock>,
    /// Most events that may be committed and not yet in history; past it commits fail. 5,000,000 unless set.
    pub backlog_most: u64,
    /// About how long the journal's write-ahead log may get, in bytes. 64 MiB unless set.
    pub log_bytes_most: u64,
    /// How large the journal's file may get, in bytes; past it commits fail. No bound but the disk's unless set.
    pub journal_bytes_most: Option<u64>,
    /// How long work on the main file waits for others that write it or read it. 5 s unless set.
    pub wait: Duration,
}

impl SqliteOptions {
    /// The defaults, with this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            durability: Durability::default(),
            clock,
            backlog_most: 5_000_000,
            log_bytes_most: 64 << 20,
            journal_bytes_most: None,
            wait: Duration::from_secs(5),
        }
    }

    fn manner(&self) -> Manner {
        Manner {
            durability: self.durability,
            wait: self.wait,
            // About 64 MB of log: the same pages change again and again, and are copied to the file once.
            checkpoint_pages: 16_000,
            cache_kib: 2_048,
        }
    }
}

/// Keeper of inventory, history and journal in two files on a local disk.
///
/// Implements [`InventoryStore`](caller_id_core::InventoryStore), [`HistoryStore`](caller_id_core::HistoryStore),
/// [`HistoryReader`](caller_id_core::HistoryReader), [`AuditLog`](caller_id_core::AuditLog), [`KeyStore`](caller_id_core::KeyStore) and [`Journal`]. Its methods need a tokio runtime with its timers on.
pub struct SqliteStore {
    writer: Lane<Connection>,
    readers: Lane<Connection>,
    history: Lane<HistoryReader>,
    catalog: catalog::Shared,
    /// What can wait makes way for them.
    calls: Arc<Calls>,
    clock: Arc<dyn Clock>,
    progress: Arc<Progress>,
    /// None when opened beside a server.
    journal: Option<JournalSender>,
    threads: Mutex<Option<Threads>>,
    /// Held where nobody may write, this store neither.
    lock: Mutex<Option<File>>,
}

/// What the one writing connection may keep in memory beside the engine's own state, in KiB.
const SERVER_CACHE_KIB: u32 = 8_192;
/// The same in a process that imports: a million numbers in any order change pages all over the table.
const IMPORT_CACHE_KIB: u32 = 65_536;
/// How many inventory reads may run at once; they are short.
const READERS: usize = 4;
/// How many history reads may run at once; they may be long.
const HISTORY_READERS: usize = 2;

impl SqliteStore {
    /// Whether `path` is one of the files of the store at `database`, also where that is not made yet.
    pub fn keeps(database: &Path, path: &Path) -> bool {
        Files::have(database, path)
    }

    /// Opens the data set whose main file is `path`, alone: makes it where it is missing, brings it up to date, and
    /// starts the threads that commit and that move the journal into history. Blocks for some milliseconds.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another server uses it; [`StoreError::Unreadable`] when a newer version wrote it;
    /// others when the files cannot be made or read.
    pub fn open(path: &Path, options: SqliteOptions) -> Result<Arc<Self>, StoreError> {
        let files = Files::prepare(path)?;
        let lock = files.lock()?;
        let main = migrate_main(&files, &options)?;
        files.prepare_journal()?;
        look_at_journal(&files, &options, &main)?;
        let calls = Arc::new(Calls::here());
        let (journal, progress, threads) = threads::start(&files, &options, &calls, lock)?;
        let mut store = Self::assemble(files, options, progress, calls, SERVER_CACHE_KIB);
        store.journal = Some(journal);
        *store.threads() = Some(threads);
        Ok(Arc::new(store))
    }

    /// Opens the data set beside a server that may use it: for inventory and for reading history.
    ///
    /// [`Journal::commit`] and `settle` answer [`StoreError::Closed`] here, and `backlog` is always 0.
    ///
    /// # Errors
    /// As [`SqliteStore::open`], but never because a server uses it.
    pub fn open_beside(path: &Path, options: SqliteOptions) -> Result<Arc<Self>, StoreError> {
        let files = Files::prepare(path)?;
        migrate_main(&files, &options)?;
        let progress = Arc::new(Progress::new(0, 0, 0));
        progress.stop();
        let calls = Arc::new(Calls::there(files.journal_log()));
        let store = Self::assemble(files, options, progress, calls, IMPORT_CACHE_KIB);
        Ok(Arc::new(store))
    }

    /// Opens an existing data set to be read alone: no server uses it, and none can until this is closed. What the
    /// journal has is read from it and stays in it.
    ///
    /// # Errors
    /// As [`SqliteStore::open`], and [`StoreError::Missing`] when there is none.
    pub fn open_to_read(path: &Path, options: SqliteOptions) -> Result<Arc<Self>, StoreError> {
        if !path.exists() {
            let text = format!("there is no database `{}`", path.display());
            return Err(StoreError::Missing(text));
        }
        let lock = Files::prepare(path)?.lock()?;
        let store = Self::open_beside(path, options)?;
        *store.lock() = Some(lock);
        Ok(store)
    }

    fn assemble(
        files: Files,
        options: SqliteOptions,
        progress: Arc<Progress>,
        calls: Arc<Calls>,
        writer_cache_kib: u32,
    ) -> Self {
        let manner = options.manner();
        let writer_manner = Manner {
            cache_kib: writer_cache_kib,
            ..manner
        };
        let [main, to_write] = [files.main.clone(), files.main.clone()];
        let connect = move || schema::connect(&main, manner);
        Self {
            writer: Lane::new(
                1,
                options.wait,
                move || schema::connect(&to_write, writer_manner),
                error::on,
            ),
            readers: Lane::new(READERS, options.wait, connect.clone(), error::on),
            history: Lane::new(
                HISTORY_READERS,
                options.wait,
                move || {
                    let journal = match files.journal.exists() {
                        true => Some(schema::connect(&files.journal, manner)?),
                        false => None,
                    };
                    HistoryReader::new(connect()?, journal)
                },
                // It reads two files, and names them itself.
                |_, error| error,
            ),
            catalog: catalog::Shared::new(Arc::clone(&options.clock)),
            calls,
            clock: options.clock,
            progress,
            journal: None,
            threads: Mutex::new(None),
            lock: Mutex::new(None),
        }
    }

    /// Ends the threads, leaves the files tidy and gives the lock free. What the journal has is moved into history
    /// after the next start; call `settle` first to have it moved now. Everything asked later is answered
    /// [`StoreError::Closed`].
    pub async fn close(&self) {
        self.close_lanes();
        let threads = self.threads().take();
        if let Some(threads) = threads {
            let ended = tokio::task::spawn_blocking(move || threads.end());
            if let Err(lost) = ended.await {
                tracing::error!(error = %lost, "closing the store failed");
            }
        }
        *self.lock() = None;
    }

    fn close_lanes(&self) {
        self.writer.close();
        self.readers.close();
        self.history.close();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<File>> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn threads(&self) -> std::sync::MutexGuard<'_, Option<Threads>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.close_lanes();
        if let Some(threads) = self.threads().take() {
            threads.end();
        }
    }
}

#[async_trait]
impl Journal for SqliteStore {
    async fn commit(&self, events: Vec<JournalEvent>) -> Result<(), StoreError> {
        match &self.journal {
            Some(journal) => journal.commit(&events).await,
            None => Err(StoreError::Closed),
        }
    }

    async fn probe(&self) -> Result<(), StoreError> {
        match &self.journal {
            Some(journal) => {
                journal.files.check()?;
                journal.commit(&[]).await
            }
            None => Err(StoreError::Closed),
        }
    }
}

fn migrate_main(files: &Files, options: &SqliteOptions) -> Result<Connection, StoreError> {
    let mut main = schema::connect(&files.main, options.manner())?;
    schema::migrate(&mut main, &files.main, schema::MAIN)?;
    Ok(main)
}

/// A journal that is damaged is told by its own name, and one that somebody took away is missed.
fn look_at_journal(
    files: &Files,
    options: &SqliteOptions,
    main: &Connection,
) -> Result<(), StoreError> {
    let mut connection = schema::connect(&files.journal, options.manner())?;
    let new = schema::is_new(&connection).map_err(|error| error::on(&connection, error))?;
    schema::migrate(&mut connection, &files.journal, schema::JOURNAL)?;
    journal::bounds(&connection)?;
    let applied = meta(main, "applied_seq").map_err(|error| error::on(main, error))?;
    if new && applied > 0 {
        tracing::warn!(
            "the journal `{}` was missing or empty and is made anew, but `{}` has {applied} batches from the one before: \
             calls answered in its last moments may be lost, and their numbers handed out before they are free. \
             If you have that file, stop now, and put it back with its `-wal`",
            files.journal.display(),
            files.main.display()
        );
    }
    Ok(())
}

/// One of the marks and counters of the main file.
fn meta(connection: &Connection, key: &str) -> Result<i64, StoreError> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE key = ?1")
        .and_then(|mut select| select.query_row([key], |row| row.get(0)))
        .map_err(sqlite)
}

#[cfg(test)]
mod tests {
    use caller_id_core::SystemClock;

    use super::*;

    #[test]
    fn a_commit_waits_for_the_disk_when_it_has_to_survive_the_loss_of_power() {
        const NORMAL: i64 = 1;
        const FULL: i64 = 2;
        let folder = tempfile::tempdir().unwrap();
        let files = Files::prepare(&folder.path().join("a.db")).unwrap();
        for (durability, expected) in [(Durability::Process, NORMAL), (Durability::Power, FULL)] {
            let options = SqliteOptions {
                durability,
                ..SqliteOptions::new(Arc::new(SystemClock::new()))
            };
            let connection = schema::connect(&files.main, options.manner()).unwrap();
            let synchronous = connection
                .pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0))
                .unwrap();
            assert_eq!(synchronous, expected, "{durability:?}");
        }
    }
}
