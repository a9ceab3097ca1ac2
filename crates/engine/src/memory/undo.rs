//! How to take a change back. Changes are always taken back newest first, so each finds the state it left.

use caller_id_core::agent_limit::Arrival;
use caller_id_core::usage::Hold;
use caller_id_core::{AgentId, AllocationId, CallId, PhoneNumber, Timestamp};

use super::expiring::Expiring;
use super::pool::Shown;
use super::state::Call;

/// What a change did to the number in a slot.
pub(super) enum Undo {
    /// It was allocated.
    Allocated {
        slot: u32,
        id: AllocationId,
        at: Timestamp,
        /// The use before.
        last_used_at: Timestamp,
        replaced: Replaced,
    },
    /// A reservation of it was released.
    Released {
        slot: u32,
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
