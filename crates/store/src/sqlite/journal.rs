//! The journal: one row a batch, written through one connection that does nothing else.

mod kept;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use caller_id_core::{JournalEvent, StoreError};
use rusqlite::Connection;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Durability;
use super::calls::Calls;
use super::checkpoint::LogKeeper;
use super::codec;
use super::error::{on, sqlite};
use super::files::Opened;
use super::health::Health;
use super::pace::Pace;
use super::progress::Progress;
pub(super) use kept::{Flow, bounds, count_after, each_after, some_after};

const INSERT: &str = "INSERT INTO journal (seq, events) VALUES (?1, ?2)";
const DELETE: &str = "DELETE FROM journal WHERE seq <= ?1";

/// How many commands may wait for the thread: far more than callers there are.
pub(super) const COMMANDS_MOST: usize = 256;
/// How many batches are deleted at once: about a tenth of a millisecond, so no commit waits long for it.
const DELETED_AT_ONCE: i64 = 64;
/// How many commits go by between two times of looking after the file.
const COMMITS_BETWEEN: u32 = 32;
/// After so many commits without such a look the next ones wait for it: on a busy machine the thread may get no time while
/// callers commit on, and the log has no bound but the disk's.
const UNLOOKED_MOST: u32 = 2 * COMMITS_BETWEEN;

/// What the journal's thread is asked to do.
pub(super) enum Command {
    /// Write a batch through to the disk, and answer when it is there.
    Commit(Batch),
    /// Delete what was moved into history, and look after the log.
    Tidy,
    /// The disk is full: give back what the log takes.
    MakeRoom,
    /// End.
    Stop,
}

/// A batch on its way to the thread.
pub(super) struct Batch {
    bytes: Vec<u8>,
    events: u64,
    reply: oneshot::Sender<Result<(), StoreError>>,
}

/// The callers' end of the journal.
pub(super) struct JournalSender {
    pub(super) writer: SharedWriter,
    pub(super) commands: SyncSender<Command>,
    pub(super) progress: Arc<Progress>,
    pub(super) backlog_most: u64,
    pub(super) durability: Durability,
    pub(super) files: Opened,
    pub(super) pace: Pace,
    pub(super) calls: Arc<Calls>,
}

impl JournalSender {
    /// Writes the batch, also an empty one, and comes back when it is durable.
    ///
    /// A commit that only has to survive the process is made at once, by the caller: it writes some pages into the
    /// machine's memory and takes tens of microseconds, less than waking a thread and being woken by it. One that has
    /// to survive the loss of power waits for the disk, and that is the thread's work; so it is when the disk was slow a
    /// moment ago, so that no event loop stands still for longer than one such commit; and so it is when the thread has
    /// not come to look after the log for a while.
    ///
    /// There is no deadline here: once begun, nobody can tell how a commit will end before it does.
    pub(super) async fn commit(&self, events: &[JournalEvent]) -> Result<(), StoreError> {
        if !events.is_empty() {
            self.calls.note();
        }
        self.check_backlog(events.len() as u64)?;
        let bytes = codec::encode(events)?;
        let count = events.len() as u64;
        if self.durability == Durability::Power || self.writer.is_unlooked() {
            return self.commit_by_thread(bytes, count).await;
        }
        let began = Instant::now();
        let written = match self.pace.is_quick() {
            true => self.commit_here(&bytes, count),
            false => self.commit_by_thread(bytes, count).await,
        };
        self.pace.note(began.elapsed());
        written
    }

    fn commit_here(&self, bytes: &[u8], events: u64) -> Result<(), StoreError> {
        let (written, due) = self.writer.commit(bytes, events);
        if due {
            // When the channel is full, the thread is at it.
            let _ = self.commands.try_send(Command::Tidy);
        }
        written
    }

    fn check_backlog(&self, events: u64) -> Result<(), StoreError> {
        let backlog = self.progress.backlog();
        // A probe asks whether one event would be taken.
        if backlog + events.max(1) <= self.backlog_most {
            return Ok(());
        }
        let message = format!(
            "{backlog} events wait to be moved into history, at most {} may: is the main file's disk full or slow?",
            self.backlog_most
        );
        Err(StoreError::Full(message.into()))
    }

    async fn commit_by_thread(&self, bytes: Vec<u8>, events: u64) -> Result<(), StoreError> {
        let (reply, done) = oneshot::channel();
        let batch = Batch {
            bytes,
            events,
            reply,
        };
        let sent = self.commands.try_send(Command::Commit(batch));
        sent.map_err(|refused| match refused {
            TrySendError::Full(_) => {
                StoreError::Busy("too many batches wait for the journal".into())
            }
            TrySendError::Disconnected(_) => StoreError::Closed,
        })?;
        done.await.unwrap_or(Err(StoreError::Closed))
    }
}

/// The writer, shared by those who commit and the thread that looks after it; none once that thread has ended.
#[derive(Clone)]
pub(super) struct SharedWriter(Arc<Shared>);

struct Shared {
    writer: Mutex<Option<JournalWriter>>,
    /// How many found the writer taken. A lock that is given free and taken again at once leaves them asleep.
    waiting: AtomicU32,
    /// How many commits were made since the file was looked after.
    unlooked: AtomicU32,
}

impl SharedWriter {
    pub(super) fn new(writer: JournalWriter) -> Self {
        Self(Arc::new(Shared {
            writer: Mutex::new(Some(writer)),
            waiting: AtomicU32::new(0),
            unlooked: AtomicU32::new(0),
        }))
    }

    /// Writes a batch; tells also whether it is time to look after the file.
    fn commit(&self, bytes: &[u8], events: u64) -> (Result<(), StoreError>, bool) {
        self.0.unlooked.fetch_add(1, Ordering::Relaxed);
        let written = self.with(|writer| writer.commit(bytes, events));
        written.unwrap_or((Err(StoreError::Closed), false))
    }

    /// Whether the thread must look after the file before anybody else commits.
    fn is_unlooked(&self) -> bool {
        self.0.unlooked.load(Ordering::Relaxed) >= UNLOOKED_MOST
    }

    fn look_at_log(&self) {
        self.with(|writer| {
            self.0.unlooked.store(0, Ordering::Relaxed);
            writer.look_at_log();
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut JournalWriter) -> T) -> Option<T> {
        self.lock().as_mut().map(work)
    }

    fn lock(&self) -> MutexGuard<'_, Option<JournalWriter>> {
        match self.0.writer.try_lock() {
            Ok(writer) => writer,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                self.0.waiting.fetch_add(1, Ordering::Relaxed);
                let writer = self.0.writer.lock();
                self.0.waiting.fetch_sub(1, Ordering::Relaxed);
                writer.unwrap_or_else(PoisonError::into_inner)
            }
        }
    }

    /// The journal's thread: works until it is told to stop, or nobody is left who could.
    pub(super) fn run(self, commands: &Receiver<Command>) {
        let ended = Ended(self);
        ended.0.serve(commands);
    }

    fn serve(&self, commands: &Receiver<Command>) {
        let writer = self;
        let mut untidy = false;
        loop {
            let command = match commands.try_recv() {
                Ok(command) => command,
                Err(TryRecvError::Empty) if untidy => {
                    untidy = writer.tidy();
                    continue;
                }
                Err(TryRecvError::Empty) => match commands.recv() {
                    Ok(command) => command,
                    Err(_) => return,
                },
                Err(TryRecvError::Disconnected) => return,
            };
            match command {
                Command::Commit(batch) => {
                    let (written, due) = writer.commit(&batch.bytes, batch.events);
                    // A caller that is gone needs no answer.
                    let _ = batch.reply.send(written);
                    let due = due || writer.is_unlooked();
                    if due {
                        writer.look_at_log();
                    }
                    // Also where one commit follows the other, something is deleted.
                    untidy = (untidy || due) && writer.tidy();
                }
                Command::Tidy => {
                    writer.look_at_log();
                    untidy = true;
                }
                Command::MakeRoom => drop(writer.with(JournalWriter::make_room)),
                Command::Stop => return,
            }
        }
    }

    /// One step; those who commit go first, so that none waits for more than one. Tells whether there may be more to do.
    fn tidy(&self) -> bool {
        while self.0.waiting.load(Ordering::Relaxed) > 0 {
            std::thread::yield_now();
        }
        self.with(JournalWriter::tidy) == Some(true)
    }
}

/// The thread's end, also by a panic: nobody may commit, and whoever waits for the writer's other ends must not wait on.
struct Ended(SharedWriter);

impl Drop for Ended {
    fn drop(&mut self) {
        *self.0.lock() = None;
    }
}

/// The one connection that writes the journal.
pub(super) struct JournalWriter {
    connection: Connection,
    progress: Arc<Progress>,
    log: LogKeeper,
    next_seq: i64,
    deleted: i64,
    commits: u32,
    /// The last batch found no room.
    full: bool,
    health: Health,
}

impl JournalWriter {
    /// A writer that goes on after what is committed.
    pub(super) fn new(
        connection: Connection,
        progress: Arc<Progress>,
        log: LogKeeper,
        first: i64,
    ) -> Self {
        Self {
            next_seq: progress.committed() + 1,
            // One below the oldest row; with none there is nothing to delete.
            deleted: match first {
                0 => progress.applied(),
                first => first - 1,
            },
            connection,
            progress,
            log,
            commits: 0,
            full: false,
            health: Health::new("deleting moved batches from the journal"),
        }
    }

    /// Writes a batch; tells also whether it is time to look after the file.
    fn commit(&mut self, bytes: &[u8], events: u64) -> (Result<(), StoreError>, bool) {
        let seq = self.next_seq;
        // A number that failed is not used again: a recovery might find what the failed commit left in the log.
        self.next_seq += 1;
        let mut written = match self.full {
            true => Err(StoreError::Full("it was full a moment ago".into())),
            false => self.insert(seq, bytes),
        };
        if matches!(written, Err(StoreError::Full(_))) {
            // Room that came back goes to the file first: the log could take all of it, and never be moved again.
            written = self.make_room().and_then(|()| self.insert(seq, bytes));
        }
        self.full = matches!(written, Err(StoreError::Full(_)));
        if written.is_ok() {
            self.progress.note_committed(seq, events);
        }
        self.commits = (self.commits + 1) % COMMITS_BETWEEN;
        (written, self.commits == 0)
    }

    fn insert(&self, seq: i64, bytes: &[u8]) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(INSERT)
            .and_then(|mut insert| insert.execute((seq, bytes)))
            .map(drop)
            .map_err(|error| on(&self.connection, sqlite(error)))
    }

    fn make_room(&mut self) -> Result<(), StoreError> {
        self.log.make_room(&self.connection)
    }

    fn look_at_log(&mut self) {
        self.log.look_after(&self.connection);
    }

    /// Deletes some of what is moved; tells whether there was any.
    fn tidy(&mut self) -> bool {
        let applied = self.progress.applied();
        if applied <= self.deleted {
            return false;
        }
        let upto = applied.min(self.deleted + DELETED_AT_ONCE);
        let done = self
            .connection
            .prepare_cached(DELETE)
            .and_then(|mut delete| delete.execute([upto]))
            .map_err(|error| on(&self.connection, sqlite(error)));
        self.health.note(done.as_ref().err());
        if done.is_err() {
            return false;
        }
        self.deleted = upto;
        true
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
