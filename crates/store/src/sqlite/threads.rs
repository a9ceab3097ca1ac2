//! The store's threads: the journal's writer, its checkpointer and the historian. Started and ended here.

use std::fs::File;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use caller_id_core::StoreError;
use rusqlite::Connection;

use super::calls::Calls;
use super::checkpoint::{self, Checkpointer, LogKeeper};
use super::error::{on, sqlite};
use super::files::Files;
use super::historian::Historian;
use super::journal::{self, COMMANDS_MOST, Command, JournalSender, JournalWriter, SharedWriter};
use super::pace::Pace;
use super::progress::Progress;
use super::schema::{self, Manner};
use super::{SqliteOptions, meta};
use crate::background::step_back;

/// The pages of a new file; SQLite's default, and what `journal_bytes_most` is counted in.
const PAGE_BYTES: u64 = 4_096;
/// The historian writes all over two indexes: pages it keeps in memory are pages it need not read again.
const HISTORIAN_CACHE_KIB: u32 = 8_192;

/// The running threads, and what they hold together.
pub(super) struct Threads {
    files: Files,
    manner: Manner,
    progress: Arc<Progress>,
    commands: SyncSender<Command>,
    running: Vec<JoinHandle<()>>,
    lock: File,
}

/// Starts them on files that exist.
pub(super) fn start(
    files: &Files,
    options: &SqliteOptions,
    calls: &Arc<Calls>,
    lock: File,
) -> Result<(JournalSender, Arc<Progress>, Threads), StoreError> {
    let manner = options.manner();
    // Commits never move the log themselves, except past its bound.
    let journal_manner = Manner {
        checkpoint_pages: 0,
        ..manner
    };
    let historian_manner = Manner {
        cache_kib: HISTORIAN_CACHE_KIB,
        ..manner
    };
    let main = schema::connect(&files.main, historian_manner)?;
    let mut writing = schema::connect(&files.journal, journal_manner)?;
    schema::migrate(&mut writing, &files.journal, schema::JOURNAL)?;
    if let Some(bytes) = options.journal_bytes_most {
        bound_file(&writing, bytes)?;
    }
    let (progress, first) = take_stock(&main, &writing)?;
    let progress = Arc::new(progress);
    let (commands, received) = sync_channel(COMMANDS_MOST);
    let (ask, asked) = sync_channel(1);
    let turn = Arc::new(Mutex::new(()));
    let log = LogKeeper::new(options.log_bytes_most, options.wait, ask, Arc::clone(&turn));
    let writer = JournalWriter::new(writing, Arc::clone(&progress), log, first);
    let writer = SharedWriter::new(writer);
    let running = writer.clone();
    let checkpointer = Checkpointer {
        connection: schema::connect(&files.journal, journal_manner)?,
        asked,
        turn,
    };
    let historian = Historian {
        main,
        journal: schema::connect(&files.journal, journal_manner)?,
        progress: Arc::clone(&progress),
        tidy: commands.clone(),
        backlog_most: options.backlog_most,
        wait: options.wait,
    };
    let mut threads = Threads {
        files: files.clone(),
        manner: journal_manner,
        progress: Arc::clone(&progress),
        commands: commands.clone(),
        running: Vec::new(),
        lock,
    };
    threads.spawn("journal", move || running.run(&received))?;
    // What history needs can wait, where a call cannot: little beside calls, enough for some thousand of them a second.
    threads.spawn("checkpointer", || {
        step_back();
        checkpointer.run();
    })?;
    threads.spawn("historian", || {
        step_back();
        historian.run();
    })?;
    let sender = JournalSender {
        writer,
        commands,
        progress: Arc::clone(&progress),
        backlog_most: options.backlog_most,
        durability: options.durability,
        files: files.opened()?,
        pace: Pace::of_commits(),
        calls: Arc::clone(calls),
    };
    Ok((sender, progress, threads))
}

/// What is in the files at the start: the progress, and the number of the journal's oldest batch (0 for none).
fn take_stock(main: &Connection, journal: &Connection) -> Result<(Progress, i64), StoreError> {
    let applied = meta(main, "applied_seq").map_err(|error| on(main, error))?;
    let (first, last) = journal::bounds(journal)?;
    let backlog = journal::count_after(journal, applied)?;
    // After a loss of power the journal may end before the mark in the main file. New batches must still come after
    // the mark, or they would count as moved.
    Ok((Progress::new(last.max(applied), applied, backlog), first))
}

fn bound_file(journal: &Connection, bytes: u64) -> Result<(), StoreError> {
    let pages = (bytes / PAGE_BYTES).max(1);
    journal
        .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
        .map_err(|error| on(journal, sqlite(error)))
}

impl Threads {
    fn spawn(
        &mut self,
        name: &str,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<(), StoreError> {
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(work)
            .map_err(|cause| StoreError::Failed(cause.into()))?;
        self.running.push(thread);
        Ok(())
    }

    /// Lets each finish the transaction it is in, empties the logs, and gives the lock free.
    pub(super) fn end(mut self) {
        self.stop();
        for path in [&self.files.journal, &self.files.main] {
            let tidied = schema::connect(path, self.manner)
                .and_then(|connection| checkpoint::truncate(&connection));
            if let Err(error) = tidied {
                // Nothing is lost: the next start reads the log.
                tracing::warn!(%error, "a log stays");
            }
        }
    }

    fn stop(&mut self) {
        self.progress.stop();
        // The thread takes commands as long as it lives; when it does not, there is nobody to tell.
        let _ = self.commands.send(Command::Stop);
        for thread in self.running.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the store panicked");
            }
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.stop();
        // It ends with the file anyway; said here because the order matters: first the threads, then the lock.
        let _ = self.lock.unlock();
    }
}
