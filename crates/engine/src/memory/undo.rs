//! How to take a change back. Changes are always taken back newest first, so each finds the state it left.

use caller_id_core::agent_limit::Arrival;
use caller_id_core::usage::Usage;
use caller_id_core::{AgentId, AllocationId, CallId};

use super::state::{Call, Reservation, StickyKey, StickyShown};

/// What a change replaced.
pub(super) struct Undo {
    /// Where the number is.
    pub(super) slot: u32,
    /// Its use before.
    pub(super) usage: Usage,
    /// The rest, by kind of change.
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    Allocated(Box<Replaced>),
    Ended {
        id: AllocationId,
        reservation: Reservation,
        call: Option<Call>,
    },
}

/// What an allocation replaced; boxed, because most of it is empty as a rule.
pub(super) struct Replaced {
    pub(super) id: AllocationId,
    pub(super) call: Option<(CallId, Option<Call>)>,
    pub(super) agent: Option<(AgentId, Option<Arrival>)>,
    pub(super) sticky: Option<(StickyKey, Option<StickyShown>)>,
}
