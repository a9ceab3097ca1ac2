//! What a dialer is answered. Refusals are values, not errors.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::area_code::AreaCode;
use crate::ids::{AllocationId, CallId};
use crate::inventory::Limits;
use crate::journal::AllocationRecord;
use crate::time::Timestamp;

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A number was chosen, reserved and counted.
    Allocated(Allocation),
    /// No number of the campaign's pools is eligible now.
    Exhausted(Exhausted),
    /// The agent has used up its limit.
    AgentLimited {
        /// Milliseconds until one allocation is free; at least 1.
        retry_after_ms: i64,
    },
}

/// A number chosen for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocation {
    /// What history keeps of it.
    pub record: Arc<AllocationRecord>,
    /// The number's area code.
    pub area_code: Option<AreaCode>,
    /// The number's limits.
    pub limits: Limits,
    /// How many allocations the agent may make at once after this one; none without agent or limit.
    pub agent_remaining: Option<u32>,
    /// The same call asked before, and gets the same answer, counted once.
    pub repeated: bool,
}

/// No number is eligible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted {
    /// When the first number that the ladder allows is free again; none when there is no active one at all.
    pub earliest: Option<Timestamp>,
    /// How long that is, in milliseconds, by the clock of the engine, which may be another machine's; 0 when there is none.
    pub wait_ms: i64,
    /// What holds that number until then.
    pub cause: Cause,
}

impl Exhausted {
    /// No active number at all.
    pub const EMPTY: Self = Self {
        earliest: None,
        wait_ms: 0,
        cause: Cause::Empty,
    };
}

/// What keeps a number from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// It has as many live reservations as its pool allows.
    Reserved,
    /// It rests between two uses.
    Cooldown,
    /// It was used as often in the last hour as its limit says.
    HourlyLimit,
    /// It was used as often today as its limit says.
    DailyLimit,
    /// Its status is `resting`.
    Resting,
    /// There is no active number.
    Empty,
}

impl Cause {
    /// The word used in answers and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Cooldown => "cooldown",
            Self::HourlyLimit => "hourly_limit",
            Self::DailyLimit => "daily_limit",
            Self::Resting => "resting",
            Self::Empty => "empty",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which reservation is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseTarget {
    /// By the id in the answer.
    Reservation(AllocationId),
    /// By the dialer's id of the call.
    Call(CallId),
}
