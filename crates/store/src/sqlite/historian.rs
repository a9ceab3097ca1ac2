//! The historian: moves batches from the journal into the indexed history, in the background.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use caller_id_core::{AllocationRecord, JournalEvent, StoreError};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::time::Instant;

use super::checkpoint;
use super::error::{on, sqlite};
use super::health::Health;
use super::journal::{self, Command};
use super::progress::{Next, Progress};
use super::tail;

const INSERT: &str = "INSERT INTO allocations
    (id, at, number, destination, campaign, agent, call_id, pool, rung, reserved_until)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (id) DO NOTHING";
/// The first end counts; the end of an allocation that is unknown, or pruned already, is nothing to keep.
const END: &str =
    "UPDATE allocations SET ended_at = ?2, call_end = iif(coalesce(call_end, 'RELEASED') = 'RELEASED', ?3, call_end)
    WHERE id = ?1 AND ended_at IS NULL";
/// The first report counts; its status where none was said before.
const RESULT: &str = "UPDATE allocations SET result_at = ?2, answered_seconds = ?4, dialed_seconds = ?5, hangup_cause = ?6,
        sip_code = ?7, call_end = iif(coalesce(call_end, 'RELEASED') = 'RELEASED', ?3, call_end)
    WHERE id = ?1 AND result_at IS NULL";
const MARK: &str = "UPDATE meta SET value = ?1 WHERE key = 'applied_seq'";

/// About how many events one transaction moves: 20 to 100 ms of work, so other writers wait no longer.
const EVENTS_AT_ONCE: usize = 2_000;
/// The same on a disk that was full a moment ago: less log.
const EVENTS_AT_ONCE_CRAMPED: usize = 200;
/// How many batches it reads out of the journal at once.
const BATCHES_AT_ONCE: usize = 16;
/// How long it gathers after a silence: few calls a second make few transactions.
const GATHER: Duration = Duration::from_millis(250);
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(500);

/// The thread that moves the journal into history.
///
/// A batch and the mark that it was moved are one transaction, and the journal's row is deleted after it: a crash in
/// between leaves a row that the mark says to ignore.
pub(super) struct Historian {
    pub(super) main: Connection,
    pub(super) journal: Connection,
    pub(super) progress: Arc<Progress>,
    pub(super) tidy: SyncSender<Command>,
    pub(super) backlog_most: u64,
    /// How long it waits for others that write the main file.
    pub(super) wait: Duration,
}

/// Whether there was room for the last attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disk {
    Roomy,
    Full,
}

/// Some batches out of the journal.
struct Load {
    events: Vec<JournalEvent>,
    upto: i64,
}

impl Historian {
    /// Works until it is told to stop. What is not moved then is moved after the next start.
    pub(super) fn run(mut self) {
        let mut health = Health::new("moving the journal into history");
        let mut disk = Disk::Roomy;
        let mut next = self.progress.await_work(GATHER);
        while next != Next::Stop {
            let began = Instant::now();
            let moved = self.step(disk);
            health.note(moved.as_ref().err());
            let done = self.progress.applied() >= self.progress.committed();
            next = match moved {
                Err(error) => {
                    if matches!(error, StoreError::Full(_)) {
                        disk = Disk::Full;
                    }
                    self.progress.note_failed(&error);
                    self.progress.rest(PAUSE_AFTER_FAILURE)
                }
                Ok(()) if done => {
                    disk = Disk::Roomy;
                    self.progress.await_work(GATHER)
                }
                Ok(()) if next == Next::Hurry => self.progress.rest(Duration::ZERO),
                Ok(()) => {
                    let backlog = self.progress.backlog();
                    let rest = rest_for(began.elapsed(), backlog, self.backlog_most);
                    self.progress.rest(rest)
                }
            };
        }
    }

    /// On a disk that was full, both logs give back what they can before a step, so that whatever room comes back goes
    /// to history and not to logs that could then not be emptied any more.
    fn make_room(&self) -> Result<(), StoreError> {
        // When the channel is full, the journal's thread is at it.
        let _ = self.tidy.try_send(Command::MakeRoom);
        checkpoint::only_full(checkpoint::make_room(&self.main, self.wait))
    }

    /// Moves the next batches in one transaction.
    fn step(&mut self, disk: Disk) -> Result<(), StoreError> {
        let most = match disk {
            Disk::Roomy => EVENTS_AT_ONCE,
            Disk::Full => {
                self.make_room()?;
                EVENTS_AT_ONCE_CRAMPED
            }
        };
        let load = self.load(most)?;
        let written = write(&mut self.main, &load);
        written.map_err(|error| on(&self.main, sqlite(error)))?;
        self.progress
            .note_applied(load.upto, load.events.len() as u64);
        // Its log grows much faster than the file, and would fill a small rest of a disk long before it is moved by itself.
        checkpoint::only_full(checkpoint::keep_short(&self.main, self.wait))?;
        // When the channel is full, commits are flowing, and each of them tidies up too.
        let _ = self.tidy.try_send(Command::Tidy);
        Ok(())
    }

    /// Reads them whole before the main file is touched, and decodes them between two times of reading, so that the journal's
    /// log is not held meanwhile: while somebody reads, it cannot start anew.
    fn load(&self, most: usize) -> Result<Load, StoreError> {
        let committed = self.progress.committed();
        let mut load = Load {
            events: Vec::new(),
            upto: self.progress.applied(),
        };
        'reading: while load.events.len() < most {
            let some = journal::some_after(&self.journal, load.upto, BATCHES_AT_ONCE)?;
            let was_all = some.len() < BATCHES_AT_ONCE;
            for batch in some {
                // What is in the file, but not counted yet, cannot be taken off.
                if batch.seq > committed || load.events.len() >= most {
                    break 'reading;
                }
                load.events.extend(batch.events()?);
                load.upto = batch.seq;
            }
            if was_all {
                break;
            }
        }
        if load.events.len() < most {
            // That was all, even if somebody took the last rows away: never look for them again and again.
            load.upto = load.upto.max(committed);
        }
        Ok(load)
    }
}

/// The events and the mark, in one transaction.
fn write(main: &mut Connection, load: &Load) -> rusqlite::Result<()> {
    let transaction = main.transaction_with_behavior(TransactionBehavior::Immediate)?;
    apply(&transaction, load)?;
    transaction.commit()
}

fn apply(transaction: &Transaction<'_>, load: &Load) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(INSERT)?;
    let mut end = transaction.prepare_cached(END)?;
    let mut result = transaction.prepare_cached(RESULT)?;
    for event in &load.events {
        match event {
            JournalEvent::Allocated(record) => insert_record(&mut insert, record)?,
            JournalEvent::Ended(record) => tail::write_end(&mut end, record)?,
            JournalEvent::Reported(record) => tail::write_result(&mut result, record)?,
        }
    }
    transaction.prepare_cached(MARK)?.execute([load.upto])?;
    Ok(())
}

/// Binds a record to the ten parameters that history and the table of unmoved allocations have in common.
pub(super) fn insert_record(
    insert: &mut rusqlite::CachedStatement<'_>,
    record: &AllocationRecord,
) -> rusqlite::Result<()> {
    insert.execute((
        record.id.as_bytes(),
        record.at.as_ms(),
        record.number.e164_digits() as i64,
        record.destination.e164_digits() as i64,
        record.campaign.as_ref().map(|id| id.as_str()),
        record.agent.as_ref().map(|id| id.as_str()),
        record.call_id.as_ref().map(|id| id.as_str()),
        record.pool.as_str(),
        record.rung.as_str(),
        record.reserved_until.as_ms(),
    ))?;
    Ok(())
}

/// How long to rest after working so long: allocation needs the processor more than history does.
///
/// Up to a fifth of the bound thirty-one times as long as it worked, so it takes a thirty-second of one core: enough
/// for some hundred calls a second, and hardly felt at any peak. Up to a half as long as it worked. Beyond that not at all,
/// because a full backlog refuses allocations.
fn rest_for(worked: Duration, backlog: u64, most: u64) -> Duration {
    if backlog <= most / 5 {
        worked * 31
    } else if backlog <= most / 2 {
        worked
    } else {
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_historian_rests_less_the_more_there_is_to_do() {
        let worked = Duration::from_millis(10);
        assert_eq!(rest_for(worked, 200, 1_000), worked * 31);
        assert_eq!(rest_for(worked, 201, 1_000), worked);
        assert_eq!(rest_for(worked, 501, 1_000), Duration::ZERO);
    }
}
