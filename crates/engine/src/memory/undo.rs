//! How to take a change back. Changes are always taken back newest first, so each finds the state it left.

use caller_id_core::agent_limit::Arrival;
use caller_id_core::usage::Hold;
use caller_id_core::{AgentId, AllocationId, CallId, PhoneNumber, Timestamp};

use super::expiring::Expiring;
use super::pool::Shown;
use super::state::Call;

/// How to take one change back.
pub(super) struct Undo {
    /// Where the number is.
    pub(super) slot: u32,
    /// Where it stood before.
    pub(super) available_at: Option<Timestamp>,
    /// How many changes of numbers and pools there had been: after another one, where it stood before is not where it
    /// belongs.
    pub(super) inventory: u64,
    /// What was done to it.
    pub(super) done: Done,
}

/// What a change did to a number.
pub(super) enum Done {
    /// It was allocated.
    Allocated {
        id: AllocationId,
        at: Timestamp,
        /// The use before.
        last_used_at: Timestamp,
        replaced: Replaced,
    },
    /// A reservation of it was released.
    Released {
        hold: Hold,
        /// The last end before.
        last_end_at: Timestamp,
    },
}

/// What an allocation replaced besides the number's use.
pub(super) struct Replaced {
    pub(super) call: Option<(CallId, Option<Expiring<Call>>)>,
    pub(super) agent: Option<(AgentId, Option<Expiring<Arrival>>)>,
    pub(super) shown: Option<(u32, PhoneNumber, Option<Expiring<Shown>>)>,
}
