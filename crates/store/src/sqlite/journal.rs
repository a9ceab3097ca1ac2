//! The journal: one row a batch, written by one thread that does nothing else.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError};
use std::time::Duration;

use caller_id_core::{JournalEvent, StoreError};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::checkpoint::LogKeeper;
use super::codec;
use super::error::sqlite;
use super::health::Health;
use super::progress::Progress;

const INSERT: &str = "INSERT INTO journal (seq, events) VALUES (?1, ?2)";
const DELETE: &str = "DELETE FROM journal WHERE seq <= ?1";
const BOUNDS: &str = "SELECT coalesce(min(seq), 0), coalesce(max(seq), 0) FROM journal";
const SELECT_AFTER: &str = "SELECT seq, events FROM journal WHERE seq > ?1 ORDER BY seq";

/// How many commands may wait for the thread: far more than callers there are.
pub(super) const COMMANDS_MOST: usize = 256;
/// How many batches are deleted at once: about a tenth of a millisecond, so no commit waits long for it.
const DELETED_AT_ONCE: i64 = 64;

/// What the thread is asked to do.
pub(super) enum Command {
    /// Write a batch, and answer when it is durable.
    Commit(Batch),
    /// Batches were moved into history: delete them.
    Tidy,
    /// The disk is full: give back what the log takes.
    MakeRoom,
    /// End.
    Stop,
}

/// A batch on its way.
pub(super) struct Batch {
    bytes: Vec<u8>,
    events: u64,
    reply: oneshot::Sender<Result<(), StoreError>>,
}

/// The callers' end of the thread.
pub(super) struct JournalSender {
    pub(super) commands: SyncSender<Command>,
    pub(super) progress: Arc<Progress>,
    pub(super) backlog_most: u64,
    pub(super) wait: Duration,
}

impl JournalSender {
    /// Writes the batch, also an empty one, and comes back when it is durable.
    pub(super) async fn commit(&self, events: &[JournalEvent]) -> Result<(), StoreError> {
        let backlog = self.progress.backlog();
        // A probe asks whether one event would be taken.
        if backlog + events.len().max(1) as u64 > self.backlog_most {
            return Err(StoreError::Full(
                format!(
                    "{backlog} events wait to be moved into history, at most {} may: is the main file's disk full or slow?",
                    self.backlog_most
                )
                .into(),
            ));
        }
        let (reply, done) = oneshot::channel();
        let batch = Batch {
            bytes: codec::encode(events)?,
            events: events.len() as u64,
            reply,
        };
        self.commands
            .try_send(Command::Commit(batch))
            .map_err(|refused| match refused {
                TrySendError::Full(_) => {
                    StoreError::Busy("too many batches wait for the journal".into())
                }
                TrySendError::Disconnected(_) => StoreError::Closed,
            })?;
        match tokio::time::timeout(self.wait, done).await {
            Ok(answer) => answer.unwrap_or(Err(StoreError::Closed)),
            Err(_) => Err(StoreError::Busy(
                format!("the journal did not answer in {:?}", self.wait).into(),
            )),
        }
    }
}

/// The thread that writes the journal, and the only one that does.
pub(super) struct JournalWriter {
    pub(super) connection: Connection,
    pub(super) commands: Receiver<Command>,
    pub(super) progress: Arc<Progress>,
    pub(super) log: LogKeeper,
    next_seq: i64,
    deleted: i64,
    health: Health,
}

impl JournalWriter {
    /// A writer that goes on after what is committed.
    pub(super) fn new(
        connection: Connection,
        commands: Receiver<Command>,
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
            commands,
            progress,
            log,
            health: Health::new("deleting moved batches from the journal"),
        }
    }

    /// Works until it is told to stop, or nobody is left who could.
    pub(super) fn run(mut self) {
        loop {
            let command = match self.commands.try_recv() {
                Ok(command) => command,
                Err(TryRecvError::Disconnected) => return,
                // Nobody waits: the time to tidy up. When there is nothing left to tidy, sleep.
                Err(TryRecvError::Empty) if self.tidy(1) => continue,
                Err(TryRecvError::Empty) => match self.commands.recv() {
                    Ok(command) => command,
                    Err(_) => return,
                },
            };
            match command {
                Command::Commit(batch) => self.commit(batch),
                Command::Tidy => {}
                Command::MakeRoom => self.log.make_room(&self.connection),
                Command::Stop => return,
            }
        }
    }

    fn commit(&mut self, batch: Batch) {
        if batch.reply.is_closed() {
            // Nobody would be told, so nobody was allocated anything: better not to write it at all.
            return;
        }
        let seq = self.next_seq;
        // A number that failed is not used again: a recovery might find what the failed commit left in the log.
        self.next_seq += 1;
        let mut written = self.insert(seq, &batch.bytes);
        if matches!(written, Err(StoreError::Full(_))) {
            self.log.make_room(&self.connection);
            written = self.insert(seq, &batch.bytes);
        }
        if written.is_ok() {
            self.progress.note_committed(seq, batch.events);
        }
        // A caller that has stopped waiting took it for an error already.
        let _ = batch.reply.send(written);
        // After the answer: what follows costs the next batch a little, and this one nothing.
        self.log.note_commit(&self.connection);
        self.tidy(DELETED_AT_ONCE);
    }

    fn insert(&self, seq: i64, bytes: &[u8]) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(INSERT)
            .and_then(|mut insert| insert.execute((seq, bytes)))
            .map(drop)
            .map_err(sqlite)
    }

    /// Deletes some of what is moved, when there are at least so many batches; tells whether it did.
    fn tidy(&mut self, least: i64) -> bool {
        let applied = self.progress.applied();
        if applied - self.deleted < least {
            return false;
        }
        let upto = applied.min(self.deleted + DELETED_AT_ONCE);
        let done = self
            .connection
            .prepare_cached(DELETE)
            .and_then(|mut delete| delete.execute([upto]))
            .map_err(sqlite);
        self.health.note(done.as_ref().err());
        if done.is_err() {
            return false;
        }
        self.deleted = upto;
        true
    }
}

/// The numbers of the oldest and the newest batch; 0 when there is none.
pub(super) fn bounds(connection: &Connection) -> Result<(i64, i64), StoreError> {
    connection
        .query_row(BOUNDS, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(sqlite)
}

/// How many events the batches after `seq` have.
pub(super) fn count_after(connection: &Connection, seq: i64) -> Result<u64, StoreError> {
    let mut events = 0;
    each_after(connection, seq, |_, bytes| {
        events += codec::count(bytes)?;
        Ok(Flow::On)
    })?;
    Ok(events)
}

/// Whether to read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// The next one, please.
    On,
    /// Enough.
    End,
}

/// Gives the batches after `seq` one by one, in order, as they were encoded.
pub(super) fn each_after(
    connection: &Connection,
    seq: i64,
    mut take: impl FnMut(i64, &[u8]) -> Result<Flow, StoreError>,
) -> Result<(), StoreError> {
    let mut select = connection.prepare_cached(SELECT_AFTER).map_err(sqlite)?;
    let mut rows = select.query([seq]).map_err(sqlite)?;
    while let Some(row) = rows.next().map_err(sqlite)? {
        let seq = row.get(0).map_err(sqlite)?;
        let bytes = row
            .get_ref(1)
            .map_err(sqlite)?
            .as_blob()
            .map_err(|cause| StoreError::Unreadable(format!("batch {seq}: {cause}")))?;
        if take(seq, bytes)? == Flow::End {
            break;
        }
    }
    Ok(())
}
