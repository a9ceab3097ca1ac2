//! The batch that waits for the journal, and the loop that commits it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use caller_id_core::{AllocatorError, Journal, JournalEvent, StoreError};
use tokio::sync::Notify;

use super::undo::Undo;
use super::{Shared, lock};

/// So many changes may wait for the journal; one more is refused.
const WAITING_MOST: usize = 16_384;

/// So often a batch waits for those who are ready to join it: some microseconds each, and none when nobody comes.
const GATHERED_MOST: u32 = 8;

/// A change of the state that the journal must take before anybody is told.
pub struct Change {
    /// What the journal keeps.
    pub(super) event: JournalEvent,
    /// How to take the change back.
    pub(super) undo: Undo,
}

impl Change {
    /// What the journal keeps of the change.
    pub fn into_event(self) -> JournalEvent {
        self.event
    }
}

/// What was decided since the last commit began.
#[derive(Default)]
pub(super) struct Batch {
    events: Vec<JournalEvent>,
    undo: Vec<Undo>,
    ticket: Option<Ticket>,
    /// The last change on its way into the journal, and who waits for it.
    in_flight: Option<(u64, Ticket)>,
    /// The last change that is in the journal.
    committed: u64,
    closed: bool,
}

/// What the commit loop took out of the batch.
struct Taken {
    events: Vec<JournalEvent>,
    undo: Vec<Undo>,
    ticket: Ticket,
}

impl Batch {
    pub(super) fn check_open(&self) -> Result<(), AllocatorError> {
        if self.closed {
            Err(AllocatorError::Stopped)
        } else if self.events.len() >= WAITING_MOST {
            Err(AllocatorError::Overloaded(self.events.len()))
        } else {
            Ok(())
        }
    }

    fn len(&self) -> usize {
        self.events.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn join(&mut self, change: Change) -> Ticket {
        self.events.push(change.event);
        self.undo.push(change.undo);
        self.ticket.get_or_insert_default().clone()
    }

    /// What to wait for until the change with this sequence is committed; `None` when it is.
    pub(super) fn ticket(&self, sequence: u64) -> Option<Ticket> {
        if sequence <= self.committed {
            return None;
        }
        let in_flight = self
            .in_flight
            .as_ref()
            .filter(|(last, _)| sequence <= *last);
        in_flight
            .map(|(_, ticket)| ticket)
            .or(self.ticket.as_ref())
            .cloned()
    }

    /// Empties the batch of what nobody tried to commit yet.
    pub(super) fn abandon(&mut self) -> (Vec<Undo>, Option<Ticket>) {
        self.events.clear();
        self.in_flight = None;
        (std::mem::take(&mut self.undo), self.ticket.take())
    }

    fn take(&mut self, last: u64) -> Option<Taken> {
        let ticket = self.ticket.take()?;
        self.in_flight = Some((last, ticket.clone()));
        let room = self.events.len();
        Some(Taken {
            events: std::mem::replace(&mut self.events, Vec::with_capacity(room)),
            undo: std::mem::replace(&mut self.undo, Vec::with_capacity(room)),
            ticket,
        })
    }

    fn landed(&mut self) {
        if let Some((last, _)) = self.in_flight.take() {
            self.committed = last;
        }
    }
}

/// A place in the queue for one commit, shared by all whose changes are in it.
#[derive(Clone, Default)]
pub(super) struct Ticket(Arc<Commit>);

#[derive(Default)]
struct Commit {
    result: OnceLock<Result<(), AllocatorError>>,
    done: Notify,
}

impl Ticket {
    /// Waits until the commit succeeded or failed.
    pub(super) async fn committed(&self) -> Result<(), AllocatorError> {
        let mut done = std::pin::pin!(self.0.done.notified());
        done.as_mut().enable();
        if let Some(result) = self.0.result.get() {
            return result.clone();
        }
        done.await;
        let result = self.0.result.get().cloned();
        result.expect("the result is set before anybody is notified")
    }

    fn finish(&self, result: Result<(), AllocatorError>) {
        // A ticket is finished once: by the loop that took it, or by the one that abandoned it.
        let _ = self.0.result.set(result);
        self.0.done.notify_waiters();
    }
}

/// The way into the journal: one commit at a time, each for all that wait.
pub(super) struct Commits {
    journal: Arc<dyn Journal>,
    work: Notify,
    /// Commits that failed since the last good one.
    failed: AtomicU64,
}

impl Commits {
    pub(super) fn new(journal: Arc<dyn Journal>) -> Self {
        Self {
            journal,
            work: Notify::new(),
            failed: AtomicU64::new(0),
        }
    }

    /// Tells the loop that there is something to do. Never lost: one wake-up is kept while the loop is busy.
    pub(super) fn wake(&self) {
        self.work.notify_one();
    }

    pub(super) async fn run(&self, shared: &Mutex<Shared>) {
        loop {
            self.gather(shared).await;
            let (taken, closed) = {
                let mut shared = lock(shared);
                let last = shared.state.changes();
                (shared.batch.take(last), shared.batch.closed)
            };
            match taken {
                Some(taken) => self.commit(shared, taken).await,
                None if closed => return,
                None => self.work.notified().await,
            }
        }
    }

    /// Whoever is ready to ask joins the batch first: one commit for more of them.
    async fn gather(&self, shared: &Mutex<Shared>) {
        let mut joined = 0;
        for _ in 0..GATHERED_MOST {
            tokio::task::yield_now().await;
            let waiting = lock(shared).batch.len();
            if waiting == joined {
                return;
            }
            joined = waiting;
        }
    }

    async fn commit(&self, shared: &Mutex<Shared>, taken: Taken) {
        match self.journal.commit(taken.events).await {
            Ok(()) => {
                lock(shared).batch.landed();
                taken.ticket.finish(Ok(()));
                self.note_good();
            }
            Err(error) => {
                let waiting = lock(shared).unwind(taken.undo);
                self.note_failed(&error);
                let error = AllocatorError::NotRecorded(Arc::new(error));
                taken.ticket.finish(Err(error.clone()));
                if let Some(ticket) = waiting {
                    ticket.finish(Err(error));
                }
            }
        }
    }

    /// The first failure is told, and how many there were when it works again: a full disk is no place for more lines.
    fn note_failed(&self, error: &StoreError) {
        if self.failed.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::error!(%error, "nothing can be recorded: allocations are taken back and refused");
        }
    }

    fn note_good(&self) {
        if self.failed.load(Ordering::Relaxed) > 0 {
            let failed = self.failed.swap(0, Ordering::Relaxed);
            tracing::info!("allocations are recorded again, after {failed} commits that failed");
        }
    }
}
