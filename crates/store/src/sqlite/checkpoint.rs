//! Keeps write-ahead logs short: the journal's off the path of commits while that is possible, both where the disk is soon full.

use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::Duration;

use caller_id_core::StoreError;
use rusqlite::Connection;

use super::error::{on, sqlite};
use super::health::Health;

/// Moves what it can into the file without making anybody wait.
const PASSIVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";
/// Moves nothing, but tells how long the log is.
const MEASURE: &str = "PRAGMA wal_checkpoint(NOOP)";
/// Moves all, and waits for readers so that the next commit starts the log anew.
const RESTART: &str = "PRAGMA wal_checkpoint(RESTART)";
/// Moves all and cuts the log's file to nothing.
const TRUNCATE: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
/// A disk with less room than this will soon be full: the log is kept short on it, for what is in the log can be moved into
/// the file only while there is room for the file to grow.
const ROOM_LEAST_BYTES: u64 = 16 << 20;
/// How long the log may get on such a disk.
const CRAMPED_LOG_BYTES: u64 = 128 << 10;
/// A frame of the log: a page and its head.
const FRAME_BYTES: u64 = 4_096 + 24;

/// How long the log is, in frames, and how much of it is in the file already.
#[derive(Debug, Clone, Copy)]
struct Log {
    frames: u64,
    moved: u64,
}

fn checkpoint(connection: &Connection, pragma: &str) -> Result<Log, StoreError> {
    connection
        .prepare_cached(pragma)
        .and_then(|mut checkpoint| {
            checkpoint.query_row([], |row| {
                let frames = row.get::<_, i64>(1)?.max(0) as u64;
                let moved = row.get::<_, i64>(2)?.max(0) as u64;
                Ok(Log { frames, moved })
            })
        })
        .map_err(|error| on(connection, sqlite(error)))
}

/// Leaves a file whose log is empty; when others still use it, as short as it can be now.
pub(super) fn truncate(connection: &Connection) -> Result<(), StoreError> {
    checkpoint(connection, TRUNCATE).map(drop)
}

/// Gives back the room that a log takes, on a disk that is full: what is in it is mostly older versions of pages.
/// Whoever reads at the moment is waited for no longer than a blink.
pub(super) fn make_room(connection: &Connection, wait: Duration) -> Result<(), StoreError> {
    within_a_blink(connection, wait, TRUNCATE)
}

/// Keeps the log of the connection's file short on a disk that will soon be full; elsewhere it does nothing.
pub(super) fn keep_short(connection: &Connection, wait: Duration) -> Result<(), StoreError> {
    let log = checkpoint(connection, MEASURE)?;
    match needs_room(connection, log) {
        true => make_room(connection, wait),
        false => Ok(()),
    }
}

/// Whether the log is longer than it may be on a disk that will soon be full, and is on one.
fn needs_room(connection: &Connection, log: Log) -> bool {
    log.frames * FRAME_BYTES > CRAMPED_LOG_BYTES && is_cramped(connection)
}

/// Whether the disk that the connection's file is on will soon be full, as far as somebody tells.
fn is_cramped(connection: &Connection) -> bool {
    #[cfg(unix)]
    {
        let disk = connection
            .path()
            .and_then(|path| rustix::fs::statvfs(path).ok());
        disk.is_some_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < ROOM_LEAST_BYTES)
    }
    #[cfg(not(unix))]
    {
        let _ = connection;
        false
    }
}

/// Leaves out what hinders nobody from writing.
pub(super) fn only_full(made: Result<(), StoreError>) -> Result<(), StoreError> {
    match made {
        Err(full @ StoreError::Full(_)) => Err(full),
        _ => Ok(()),
    }
}

fn within_a_blink(connection: &Connection, wait: Duration, pragma: &str) -> Result<(), StoreError> {
    const BLINK: Duration = Duration::from_millis(50);
    connection.busy_timeout(BLINK).map_err(sqlite)?;
    let done = checkpoint(connection, pragma).map(drop);
    connection.busy_timeout(wait).map_err(sqlite)?;
    done
}

/// The part of it that belongs to the thread that commits.
///
/// The other thread moves pages while commits go on, but only a moment without commits lets the log start anew. Such a
/// moment may never come under load, so past the bound the committing thread makes one: it moves the little that is
/// left. Past twice the bound it waits, a blink, for the other thread and for readers.
pub(super) struct LogKeeper {
    bytes_most: u64,
    wait: Duration,
    asked_at_frames: u64,
    ask: SyncSender<()>,
    turn: Arc<Mutex<()>>,
    health: Health,
}

impl LogKeeper {
    /// Keeps the log under about `bytes_most`; `wait` is how long its connection waits for others.
    pub(super) fn new(
        bytes_most: u64,
        wait: Duration,
        ask: SyncSender<()>,
        turn: Arc<Mutex<()>>,
    ) -> Self {
        Self {
            bytes_most,
            wait,
            asked_at_frames: 0,
            ask,
            turn,
            health: Health::new("shortening the journal's log"),
        }
    }

    /// To be called every few commits.
    pub(super) fn look_after(&mut self, connection: &Connection) {
        let looked = self.look(connection);
        self.health.note(looked.err().as_ref());
    }

    /// To be called when the disk is full; waits for the other thread, which may hold the log.
    ///
    /// # Errors
    /// [`StoreError::Full`]: not even the log can be moved into its file. Whoever wrote more now would take the room that
    /// this needs as soon as there is some, and then nothing could ever be moved. Of other failures nothing is said here.
    pub(super) fn make_room(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let made = make_room(connection, self.wait);
        drop(turn);
        self.health.note(made.as_ref().err());
        only_full(made)
    }

    fn look(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let log = checkpoint(connection, MEASURE)?;
        if needs_room(connection, log) {
            self.asked_at_frames = 0;
            let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            return make_room(connection, self.wait);
        }
        let bytes = log.frames * FRAME_BYTES;
        if bytes > self.bytes_most {
            self.brake(connection, bytes)?;
            self.asked_at_frames = 0;
            return Ok(());
        }
        // The log has started anew since.
        self.asked_at_frames = self.asked_at_frames.min(log.frames);
        if (log.frames - self.asked_at_frames) * FRAME_BYTES > self.bytes_most / 8 {
            self.asked_at_frames = log.frames;
            // When it is asked already, or gone, there is nothing more to say.
            let _ = self.ask.try_send(());
        }
        Ok(())
    }

    fn brake(&self, connection: &Connection, bytes: u64) -> Result<(), StoreError> {
        if bytes > 2 * self.bytes_most {
            let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            return within_a_blink(connection, self.wait, RESTART);
        }
        match self.turn.try_lock() {
            Ok(_turn) => checkpoint(connection, PASSIVE).map(drop),
            Err(TryLockError::Poisoned(_) | TryLockError::WouldBlock) => Ok(()),
        }
    }
}

/// The thread that moves pages while commits go on.
pub(super) struct Checkpointer {
    pub(super) connection: Connection,
    pub(super) asked: Receiver<()>,
    pub(super) turn: Arc<Mutex<()>>,
}

impl Checkpointer {
    /// Works until nobody is left who could ask.
    pub(super) fn run(self) {
        let mut health = Health::new("moving the journal's log into its file");
        while self.asked.recv().is_ok() {
            let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            let done = checkpoint(&self.connection, PASSIVE);
            drop(turn);
            if let Ok(log) = &done {
                tracing::trace!(frames = log.frames, moved = log.moved, "journal checkpoint");
            }
            health.note(done.err().as_ref());
        }
    }
}
