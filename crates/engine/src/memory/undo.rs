//! How to take a change back. Changes are always taken back newest first, so each finds the state it left.

use std::sync::Arc;

use caller_id_core::agent_limit::Arrival;
use caller_id_core::usage::Hold;
use caller_id_core::{AllocationRecord, Timestamp};

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
        record: Arc<AllocationRecord>,
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
    /// Nothing: it was said how a call went, after the end of its reservation.
    Nothing,
}

/// What an allocation replaced besides the number's use.
pub(super) struct Replaced {
    /// What its call had got before.
    pub(super) call: Option<Call>,
    /// Where it counted for an agent: what was stored for that agent before.
    pub(super) agent: Option<Option<Arrival>>,
    /// Where it is remembered for its destination: by which pool, and what the destination was shown before.
    pub(super) shown: Option<(u32, Option<Shown>)>,
}
