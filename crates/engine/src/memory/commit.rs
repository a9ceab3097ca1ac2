//! The batch that waits for the journal, and those who commit it.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use caller_id_core::{AllocatorError, CallResult, Journal, JournalEvent};
use tokio::sync::{Mutex as Turns, Notify};

use super::failures::Failures;
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
    /// What it keeps beside that, in the same commit: how the call went whose reservation ended.
    pub(super) result: Option<CallResult>,
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
    parties: Parties,
    /// The last change on its way into the journal, and who waits for it.
    in_flight: Option<(u64, Parties)>,
    /// The last change that is in the journal.
    committed: u64,
    closed: bool,
}

/// What a leader took out of the batch.
struct Taken {
    events: Vec<JournalEvent>,
    undo: Vec<Undo>,
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

    /// How many events wait for the next commit.
    pub(super) const fn waiting(&self) -> usize {
        self.events.len()
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// Adds a change; tells what to wait for, and whether the caller is the first of its thread and must lead it.
    pub(super) fn join(&mut self, change: Change) -> (Party, bool) {
        self.events.push(change.event);
        let result = change.result.map(JournalEvent::Reported);
        self.events.extend(result);
        self.undo.push(change.undo);
        self.parties.join()
    }

    /// What to wait for until the change with this sequence is committed; `None` when it is. Another thread's party may
    /// be joined: its leader tells everybody.
    pub(super) fn party(&self, sequence: u64) -> Option<Party> {
        if sequence <= self.committed {
            return None;
        }
        let in_flight = self
            .in_flight
            .as_ref()
            .filter(|(last, _)| sequence <= *last);
        let parties = in_flight.map_or(&self.parties, |(_, parties)| parties);
        parties.nearest()
    }

    /// Empties the batch of what nobody tried to commit yet, and of what could not be committed.
    pub(super) fn abandon(&mut self) -> (Vec<Undo>, Parties) {
        self.events.clear();
        let mut parties = std::mem::take(&mut self.parties);
        if let Some((_, failed)) = self.in_flight.take() {
            parties.0.extend(failed.0);
        }
        (std::mem::take(&mut self.undo), parties)
    }

    fn take(&mut self, last: u64) -> Taken {
        self.in_flight = Some((last, std::mem::take(&mut self.parties)));
        let room = self.events.len();
        Taken {
            events: std::mem::replace(&mut self.events, Vec::with_capacity(room)),
            undo: std::mem::replace(&mut self.undo, Vec::with_capacity(room)),
        }
    }

    fn landed(&mut self) -> Parties {
        let Some((last, parties)) = self.in_flight.take() else {
            return Parties::default();
        };
        self.committed = last;
        parties
    }
}

/// Those who wait for one commit, by the thread that they came on.
#[derive(Default)]
pub(super) struct Parties(Vec<Party>);

impl Parties {
    fn join(&mut self) -> (Party, bool) {
        let thread = this_thread();
        match self.0.iter().find(|party| party.0.thread == thread) {
            Some(party) => {
                party.0.members.fetch_add(1, Ordering::Relaxed);
                (party.clone(), false)
            }
            None => {
                let party = Party::new(thread);
                self.0.push(party.clone());
                (party, true)
            }
        }
    }

    fn nearest(&self) -> Option<Party> {
        let thread = this_thread();
        let own = self.0.iter().find(|party| party.0.thread == thread);
        own.or(self.0.first()).cloned()
    }

    pub(super) fn tell(&self, result: &Result<(), AllocatorError>) {
        for party in &self.0 {
            // A party is told once: by the leader that took it, or by the one that abandoned it.
            let _ = party.0.result.set(result.clone());
            party.0.told.notify_one();
        }
    }

    /// Tells everybody: a leader may be no more.
    pub(super) fn dissolve(&self) {
        self.tell(&Err(AllocatorError::Stopped));
        for party in &self.0 {
            party.pass_on();
        }
    }
}

/// A number of this thread, never that of another one.
fn this_thread() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    thread_local!(static THIS: Cell<u64> = const { Cell::new(0) });
    THIS.with(|this| {
        if this.get() == 0 {
            this.set(LAST.fetch_add(1, Ordering::Relaxed) + 1);
        }
        this.get()
    })
}

/// Those of one thread who wait for the same commit.
///
/// Whoever commits wakes only the leader of each party, and that one wakes its own: on an event loop of its own thread
/// that costs nothing, where waking each of them from elsewhere would cost a system call each.
#[derive(Clone)]
pub(super) struct Party(Arc<Members>);

struct Members {
    thread: u64,
    members: AtomicU64,
    result: OnceLock<Result<(), AllocatorError>>,
    /// Wakes the leader.
    told: Notify,
    /// Wakes the others.
    done: Notify,
}

impl Party {
    fn new(thread: u64) -> Self {
        Self(Arc::new(Members {
            thread,
            members: AtomicU64::new(1),
            result: OnceLock::new(),
            told: Notify::new(),
            done: Notify::new(),
        }))
    }

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

    pub(super) fn is_told(&self) -> bool {
        self.0.result.get().is_some()
    }

    /// Wakes the members: what their leader was told is theirs to read.
    pub(super) fn pass_on(&self) {
        self.0.done.notify_waiters();
    }

    /// Whoever is ready to ask joins first: one commit for more of them.
    async fn gather(&self) {
        let mut joined = 0;
        for _ in 0..GATHERED_MOST {
            tokio::task::yield_now().await;
            let members = self.0.members.load(Ordering::Relaxed);
            if members == joined || self.is_told() {
                return;
            }
            joined = members;
        }
    }
}

/// The way into the journal: one commit at a time, each for all that wait.
pub(super) struct Commits {
    journal: Arc<dyn Journal>,
    turns: Turns<()>,
    failures: Failures,
}

impl Commits {
    pub(super) fn new(journal: Arc<dyn Journal>) -> Self {
        Self {
            journal,
            turns: Turns::new(()),
            failures: Failures::default(),
        }
    }

    /// Sees to it that the party is committed, by another leader or by this one.
    pub(super) async fn lead(&self, shared: &Mutex<Shared>, party: &Party) {
        party.gather().await;
        tokio::select! {
            biased;
            () = party.0.told.notified() => {}
            _turn = self.turns.lock() => {
                // It may have been told while this leader waited in the queue.
                if !party.is_told() {
                    self.commit(shared).await;
                }
            }
        }
    }

    /// Commits all that waits. Whoever calls it has the turn.
    async fn commit(&self, shared: &Mutex<Shared>) {
        let taken = {
            let mut shared = lock(shared);
            let last = shared.state.changes();
            shared.batch.take(last)
        };
        match self.journal.commit(taken.events).await {
            Ok(()) => {
                let parties = lock(shared).batch.landed();
                parties.tell(&Ok(()));
                self.failures.end();
            }
            Err(error) => {
                let parties = lock(shared).unwind(taken.undo);
                self.failures.note(&error);
                parties.tell(&Err(AllocatorError::NotRecorded(Arc::new(error))));
            }
        }
    }
}
