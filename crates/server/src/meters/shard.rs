//! Counters of calls, in as many copies as threads may count at the same time: two that count never wait for each other's
//! piece of memory.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use caller_id_core::Rung;
use caller_id_core::meter::{Histogram, Seen};

use super::CLASSES;
use super::pools::ALL_PLACES;
use crate::pulse::Outcome;

/// What Asterisk asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// A number.
    NextCid,
    /// It tells how a call went.
    CallResult,
    /// Something that there is not.
    Other,
}

impl Script {
    /// All of them, by their places.
    pub const ALL: [Self; 3] = [Self::NextCid, Self::CallResult, Self::Other];

    /// The label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NextCid => "next-cid",
            Self::CallResult => "call-result",
            Self::Other => "other",
        }
    }
}

/// How a dialog with Asterisk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was told all.
    Answered,
    /// Its deadline passed.
    Deadline,
    /// Asterisk hung up before.
    HungUp,
    /// Something else ended it.
    CutOff,
}

impl Ended {
    /// All of them, by their places.
    pub const ALL: [Self; 4] = [Self::Answered, Self::Deadline, Self::HungUp, Self::CutOff];

    /// The label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Deadline => "deadline",
            Self::HungUp => "hung_up",
            Self::CutOff => "cut_off",
        }
    }
}

const RUNGS: usize = Rung::ALL.len();
const OUTCOMES: usize = Outcome::ALL.len();

/// The counters of some threads. It begins at a piece of memory that no other one has part of.
#[repr(align(128))]
pub(super) struct Shard {
    outcomes: [AtomicU64; OUTCOMES],
    allocations: [[AtomicU64; RUNGS]; ALL_PLACES],
    calls: [Histogram; CLASSES.len()],
    dialogs: [[Histogram; Ended::ALL.len()]; Script::ALL.len()],
}

impl Default for Shard {
    fn default() -> Self {
        Self {
            outcomes: Default::default(),
            allocations: std::array::from_fn(|_| Default::default()),
            calls: Default::default(),
            dialogs: Default::default(),
        }
    }
}

impl Shard {
    pub(super) fn asked(&self, outcome: Outcome) {
        self.outcomes[outcome as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn allocated(&self, pool: usize, rung: Rung) {
        self.allocations[pool][rung as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn called(&self, class: usize) -> &Histogram {
        &self.calls[class]
    }

    pub(super) fn talked(&self, script: Script, ended: Ended) -> &Histogram {
        &self.dialogs[script as usize][ended as usize]
    }
}

/// All of them.
pub(super) struct Shards(Box<[Shard]>);

impl Default for Shards {
    /// Threads count with their turn: there are more of them than cores, but no more work at the same time.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let count = (2 * cores).next_power_of_two().min(64);
        Self(std::iter::repeat_with(Shard::default).take(count).collect())
    }
}

impl Shards {
    /// That of this thread.
    pub(super) fn mine(&self) -> &Shard {
        &self.0[this_thread() % self.0.len()]
    }

    pub(super) fn outcome(&self, outcome: Outcome) -> u64 {
        self.sum(|shard| &shard.outcomes[outcome as usize])
    }

    pub(super) fn allocations(&self, pool: usize, rung: Rung) -> u64 {
        self.sum(|shard| &shard.allocations[pool][rung as usize])
    }

    pub(super) fn calls(&self, class: usize) -> Seen {
        self.seen(|shard| shard.called(class))
    }

    pub(super) fn dialogs(&self, script: Script, ended: Ended) -> Seen {
        self.seen(|shard| shard.talked(script, ended))
    }

    fn sum(&self, of: impl Fn(&Shard) -> &AtomicU64) -> u64 {
        let shards = self.0.iter();
        shards.map(|shard| of(shard).load(Ordering::Relaxed)).sum()
    }

    fn seen(&self, of: impl Fn(&Shard) -> &Histogram) -> Seen {
        let mut sum = Seen::default();
        for shard in &self.0 {
            sum.add(&of(shard).seen());
        }
        sum
    }
}

/// A number of this thread, never that of another one.
fn this_thread() -> usize {
    static LAST: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static THIS: Cell<usize> = const { Cell::new(usize::MAX) });
    THIS.with(|this| {
        if this.get() == usize::MAX {
            this.set(LAST.fetch_add(1, Ordering::Relaxed));
        }
        this.get()
    })
}
