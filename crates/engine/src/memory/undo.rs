//! How to take a change back. Changes are always taken back newest first, so each finds the state it left.

use caller_id_core::agent_limit::Arrival;
use caller_id_core::usage::Usage;
use caller_id_core::{AgentId, CallId, PhoneNumber};

use super::expiring::Expiring;
use super::pool::Shown;
use super::state::Call;

/// What a change replaced.
pub(super) struct Undo {
    /// Where the number is.
    pub(super) slot: u32,
    /// Its use before.
    pub(super) usage: Usage,
    /// What else an allocation replaced. The end of a reservation replaces nothing else.
    pub(super) replaced: Replaced,
}

/// What an allocation replaced besides the number's use.
#[derive(Default)]
pub(super) struct Replaced {
    pub(super) call: Option<(CallId, Option<Expiring<Call>>)>,
    pub(super) agent: Option<(AgentId, Option<Expiring<Arrival>>)>,
    pub(super) shown: Option<(u32, PhoneNumber, Option<Expiring<Shown>>)>,
}
