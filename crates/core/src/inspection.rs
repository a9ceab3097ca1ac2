//! The engine's port for people: what it would do, and how its numbers are. Nothing here changes anything.

use std::ops::AddAssign;

use async_trait::async_trait;

use crate::allocator::{AllocatorError, NumberState};
use crate::ids::PoolId;
use crate::ladder::{Candidates, Rung};
use crate::number::PhoneNumber;
use crate::outcome::{Cause, Exhausted, Outcome};
use crate::request::Ask;

/// How many of some numbers are free, and what holds the others. Paused and retired numbers are in none of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Free now.
    pub eligible: u64,
    /// With as many live reservations as may be, and nothing that holds them longer.
    pub reserved: u64,
    /// Resting between two uses.
    pub cooldown: u64,
    /// Used as often in the last hour as they may.
    pub hourly_limit: u64,
    /// Used as often today as they may.
    pub daily_limit: u64,
    /// With the status `resting`.
    pub resting: u64,
}

impl Counts {
    /// All of them.
    pub const fn total(&self) -> u64 {
        self.eligible
            + self.reserved
            + self.cooldown
            + self.hourly_limit
            + self.daily_limit
            + self.resting
    }

    /// Counts one number: what holds it now, or `None` when it is free.
    pub const fn count(&mut self, held_by: Option<Cause>) {
        match held_by {
            None => self.eligible += 1,
            Some(Cause::Reserved) => self.reserved += 1,
            Some(Cause::Cooldown) => self.cooldown += 1,
            Some(Cause::HourlyLimit) => self.hourly_limit += 1,
            Some(Cause::DailyLimit) => self.daily_limit += 1,
            Some(Cause::Resting) => self.resting += 1,
            Some(Cause::Empty) => {}
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.eligible += other.eligible;
        self.reserved += other.reserved;
        self.cooldown += other.cooldown;
        self.hourly_limit += other.hourly_limit;
        self.daily_limit += other.daily_limit;
        self.resting += other.resting;
    }
}

/// What would be answered to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Foreseen {
    /// This call asked before: it gets the same number again.
    Repeated {
        /// That number.
        number: PhoneNumber,
    },
    /// This number would be chosen.
    Number {
        /// The number.
        number: PhoneNumber,
        /// Out of which pool.
        pool: PoolId,
        /// On which rung.
        rung: Rung,
    },
    /// None is free.
    Exhausted(Exhausted),
    /// The agent has used up its limit.
    AgentLimited {
        /// Milliseconds until one allocation is free; at least 1.
        retry_after_ms: i64,
    },
}

impl From<&Outcome> for Foreseen {
    /// What is foreseen where this is answered.
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Allocated(got) if got.repeated => Self::Repeated {
                number: got.record.number,
            },
            Outcome::Allocated(got) => Self::Number {
                number: got.record.number,
                pool: got.record.pool.clone(),
                rung: got.record.rung,
            },
            Outcome::Exhausted(exhausted) => Self::Exhausted(*exhausted),
            Outcome::AgentLimited { retry_after_ms } => Self::AgentLimited {
                retry_after_ms: *retry_after_ms,
            },
        }
    }
}

/// Looks into an engine.
///
/// What implementers hold: nothing is changed, and allocations wait for none of it longer than for some other allocations: what
/// takes longer is done in parts, each of a moment of its own.
#[async_trait]
pub trait Inspector: Send + Sync {
    /// The live state of each number, in the order asked; `None` for those that the engine has not. At most
    /// [`STATES_MOST`] at once.
    ///
    /// # Errors
    /// [`AllocatorError`].
    async fn states(
        &self,
        numbers: &[PhoneNumber],
    ) -> Result<Vec<Option<NumberState>>, AllocatorError>;

    /// What would be answered to `ask` now.
    ///
    /// # Errors
    /// [`AllocatorError`].
    async fn foresee(&self, ask: Ask<'_>) -> Result<Foreseen, AllocatorError>;

    /// How many of a pool's candidates are free, and what holds the others. A pool that is not there has none.
    ///
    /// # Errors
    /// [`AllocatorError`].
    async fn counts(&self, pool: &PoolId, among: Candidates) -> Result<Counts, AllocatorError>;
}

/// Most numbers whose states are asked for at once.
pub const STATES_MOST: usize = 1_000;
