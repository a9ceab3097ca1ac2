//! The ports of an engine whose state lives outside this process, where many nodes share it and where it may be lost
//! without them.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;

use crate::agent_limit::AgentLimits;
use crate::alert_board::AlertBoard;
use crate::allocator::{Allocator, AllocatorError};
use crate::job_board::JobBoard;
use crate::journal::JournalEvent;
use crate::store::{PastAllocation, StoreError};
use crate::time::Timestamp;

/// Which state it is: each rebuild makes another one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StateId(pub u64);

/// What every node brings to a state that was rebuilt, sooner or later: what it acknowledged in another state, as far as
/// this one may not know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merge {
    /// The state.
    pub state: StateId,
    /// What happened before this instant it knows; `None`: nothing is certain.
    pub since: Option<Timestamp>,
}

/// The work of rebuilding a state, taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The engine's time when somebody first took it since the loss.
    pub begun: Timestamp,
    /// Up to when the state knows everything; `None`: it knows nothing.
    pub known_until: Option<Timestamp>,
    /// Nothing was counted into it yet: it is empty, and no rebuild came further. Else some may be there of what it does not know.
    pub untouched: bool,
}

/// How the shared state is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Numbers are handed out.
    Ready(Merge),
    /// It may have forgotten something: no number is handed out until it is rebuilt.
    Lost {
        /// Up to when it knows everything; `None`: it knows nothing.
        known_until: Option<Timestamp>,
        /// History is in: now each node brings what it acknowledged.
        merging: Option<Merge>,
        /// Which state it was before, if anything of it is left.
        of: Option<StateId>,
    },
}

/// What a node tells the others of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// What it is called.
    pub node: String,
    /// What it tells.
    pub text: String,
}

/// An engine whose state is shared by many nodes.
///
/// What implementers hold: the state belongs to one run of one server. Wherever another one holds it (started anew, put
/// back from a copy, a replica that took over, an empty one), it is [`Standing::Lost`] for all nodes at once and every
/// request gets [`AllocatorError`], until one node has called [`SharedAllocator::declare_ready`].
///
/// Whoever rebuilds holds a claim. Once it is another's, or the state was lost once more, nothing that belongs to the old
/// claim is taken: [`SharedAllocator::replay`], [`SharedAllocator::declare_ready`] and
/// [`Allocator::recover`] fail, however long their caller slept.
#[async_trait]
pub trait SharedAllocator: Allocator {
    /// How the state is now.
    ///
    /// # Errors
    /// [`AllocatorError`].
    async fn standing(&self) -> Result<Standing, AllocatorError>;

    /// Shows that the state could be written now.
    ///
    /// # Errors
    /// [`AllocatorError`] when it could not: its server is full, or refuses.
    async fn probe(&self) -> Result<(), AllocatorError>;

    /// Tells all others that the node of that name tells `text` of itself, for the next minute; empty: it leaves. Gives what
    /// the others tell.
    ///
    /// # Errors
    /// [`AllocatorError`].
    async fn announce(&self, node: &str, text: &str) -> Result<Vec<Announcement>, AllocatorError>;

    /// Resolves when a request met a lost state; at once when one did since the last time.
    async fn loss_met(&self);

    /// Declares that state lost, up to its beginning: it does not know what was handed out from another one since. `false`:
    /// it is another by now, or lost already.
    ///
    /// # Errors
    /// [`AllocatorError`].
    async fn disown(&self, state: StateId) -> Result<bool, AllocatorError>;

    /// Takes the work of rebuilding for some seconds; `None` while another node has it, or the state is whole.
    ///
    /// # Errors
    /// [`AllocatorError`].
    async fn claim_rebuild(&self) -> Result<Option<Claim>, AllocatorError>;

    /// Keeps the work for some seconds more.
    ///
    /// # Errors
    /// [`AllocatorError`], also when it is another's now.
    async fn keep_claim(&self) -> Result<(), AllocatorError>;

    /// Lets another node rebuild: this one cannot.
    ///
    /// # Errors
    /// [`AllocatorError`]: others wait some seconds longer.
    async fn leave_rebuild(&self) -> Result<(), AllocatorError>;

    /// From now on each node brings what it acknowledged since then.
    ///
    /// # Errors
    /// As [`SharedAllocator::keep_claim`].
    async fn begin_merging(&self, since: Option<Timestamp>) -> Result<Merge, AllocatorError>;

    /// Counts allocations that the state may not know, each once, in any order.
    ///
    /// # Errors
    /// As [`SharedAllocator::keep_claim`]: some may be counted; doing it again changes nothing.
    async fn replay(
        &self,
        past: Vec<PastAllocation>,
        agent_limits: &AgentLimits,
    ) -> Result<(), AllocatorError>;

    /// Notes that these were counted, with their ends, as a part of what [`Allocator::recover`] brought: whoever brings one of
    /// them counts it no more. They are in the store.
    ///
    /// # Errors
    /// As [`SharedAllocator::keep_claim`]: some may be noted; doing it again changes nothing.
    async fn note_counted(&self, past: &[PastAllocation]) -> Result<(), AllocatorError>;

    /// Counts what this node acknowledged in other states, as far as it remembers, each event once, and records it once
    /// more for the store. What was counted already is in the store, or on its way there, and is left out. Tells how many events
    /// were brought. What was brought is not brought again.
    ///
    /// # Errors
    /// [`AllocatorError`], also when the state is another one by now; doing it again changes nothing.
    async fn hand_in(
        &self,
        merge: Merge,
        agent_limits: &AgentLimits,
    ) -> Result<usize, AllocatorError>;

    /// The state is whole again: numbers are handed out from now on. `false` while some node still brings what it knows.
    ///
    /// # Errors
    /// As [`SharedAllocator::keep_claim`].
    async fn declare_ready(&self) -> Result<bool, AllocatorError>;
}

/// The ports of an engine whose state is shared.
#[derive(Clone)]
pub struct Shared {
    /// The state.
    pub state: Arc<dyn SharedAllocator>,
    /// What waits for the store.
    pub outbox: Arc<dyn Outbox>,
    /// What every node shows.
    pub board: Arc<dyn Board>,
    /// What every node shows of jobs.
    pub jobs: Arc<dyn JobBoard>,
    /// Which node tells people of what is wrong.
    pub alerts: Arc<dyn AlertBoard>,
}

/// Lists that nodes keep together. Whatever comes into one, the other stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoardList {
    /// What was asked by those who may ask.
    Requests,
    /// What was asked by anybody.
    Refusals,
}

/// Where nodes put what people are shown on every one of them. What is there may be lost.
#[async_trait]
pub trait Board: Send + Sync {
    /// Puts lines into a list, oldest first; only the latest `most` of all nodes are kept.
    ///
    /// # Errors
    /// [`AllocatorError`]; some of the lines may be there.
    async fn post(
        &self,
        list: BoardList,
        lines: Vec<String>,
        most: usize,
    ) -> Result<(), AllocatorError>;

    /// The lines of all nodes in a list, oldest first, at most `most`.
    ///
    /// # Errors
    /// [`AllocatorError`].
    async fn posted(&self, list: BoardList, most: usize) -> Result<Vec<String>, AllocatorError>;

    /// Says what `node` counted in each of some steps of time, in place of what it said of them before. `node` has letters and
    /// digits, and no other process the same; counts have no line's end. What is said is kept for an hour and a minute.
    ///
    /// # Errors
    /// [`AllocatorError`]; some of it may be there.
    async fn tell_counts(&self, node: &str, counts: &[(i64, String)])
    -> Result<(), AllocatorError>;

    /// What all nodes counted in each of `steps`, in their order: node and counts.
    ///
    /// # Errors
    /// [`AllocatorError`].
    async fn told_counts(
        &self,
        steps: Range<i64>,
    ) -> Result<Vec<Vec<(String, String)>>, AllocatorError>;
}

/// Where the events of a shared engine wait for the store.
///
/// What implementers hold: one node empties it at a time, in order, so that no end comes before its allocation; another
/// takes over when it is gone for some seconds. What was taken and not [`Outbox::done`] is given again.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// The oldest events, at most `most`; `None` while another node empties it.
    ///
    /// # Errors
    /// [`AllocatorError`].
    async fn take(&self, most: usize) -> Result<Option<Taken>, AllocatorError>;

    /// Forgets what was taken: it is stored. In the same step what could not be read is set aside, where it is kept until a
    /// version reads it.
    ///
    /// # Errors
    /// [`AllocatorError`]: it may be given again; also when so much is set aside that no more may be.
    async fn done(&self, taken: &Taken) -> Result<(), AllocatorError>;

    /// Lets another node empty it: this one cannot bring anything to the store.
    ///
    /// # Errors
    /// [`AllocatorError`]: others wait some seconds longer.
    async fn leave(&self) -> Result<(), AllocatorError>;

    /// How much waits.
    ///
    /// # Errors
    /// [`AllocatorError`].
    async fn lag(&self) -> Result<Lag, AllocatorError>;
}

/// Some events out of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// What happened, oldest first.
    pub events: Vec<JournalEvent>,
    /// What stands between them and cannot be read.
    pub unread: Vec<Unread>,
    /// Where in the outbox the last of all stands; empty where nothing was taken.
    pub upto: String,
}

/// Something in the outbox that is no event to this version: another one wrote it, or somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Where in the outbox it stands.
    pub place: String,
    /// What it is called there.
    pub field: Vec<u8>,
    /// What it is.
    pub bytes: Vec<u8>,
    /// Why it is not read.
    pub why: String,
}

/// How far the store is behind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lag {
    /// Events that wait.
    pub events: u64,
    /// For how long the oldest of them waits, in milliseconds.
    pub oldest_ms: i64,
    /// So many may wait; with more, no number is handed out.
    pub most: u64,
    /// So many could not be read: they wait no more, are kept, and are in no history.
    pub aside: u64,
}

/// What a node sees of the shared state, when it asks whether numbers may be handed out from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It is whole.
    Whole(StateId),
    /// It is to be rebuilt; which one it was before, if anything of it is left.
    Lost {
        /// That one.
        of: Option<StateId>,
    },
}

/// Whether numbers may be handed out from a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agreement {
    /// Yes: it is the one that the store has recorded.
    Agreed,
    /// Nobody can tell while the state is lost.
    Undecided,
    /// Another one is recorded, and it is not certain yet that its nodes have the store: why. Who handed out numbers goes on,
    /// who did not waits.
    Waiting(String),
    /// It may take the place of the recorded one once it was made anew: it may not know what was handed out from that one.
    Stale,
    /// No: nodes of another one have the store. Says who, and what to look at.
    Refused(String),
}

/// Where a store records which shared state its numbers are handed out from: two of them would hand out the same number.
///
/// One node is one implementer: it remembers with which record it agreed, and lives as long as the node holds the store.
#[async_trait]
pub trait StateRecord: Send + Sync {
    /// Compares the state that this node sees with the record, and writes it there when it follows the recorded one (this
    /// node agreed with it, and its own Redis was rebuilt since), when none is recorded, or when no node has held the
    /// recorded one for a while. `at` says where the state is, for people.
    ///
    /// # Errors
    /// [`StoreError`]: nothing new is known; [`StoreError::Owned`] when one node has the store to itself.
    async fn agree(&self, seen: Seen, at: &str) -> Result<Agreement, StoreError>;
}
