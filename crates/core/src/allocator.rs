//! The engine's port.

use std::sync::Arc;

use async_trait::async_trait;
use thiserror::Error;

use crate::agent_limit::Arrival;
use crate::area_code::AreaCode;
use crate::call_report::{CallReport, Reported};
use crate::ids::{AgentId, PoolId};
use crate::inventory::{Limits, Number, Status};
use crate::journal::{AllocationRecord, CallEnd, EndRecord};
use crate::number::PhoneNumber;
use crate::outcome::{Outcome, ReleaseTarget};
use crate::policy::Policy;
use crate::request::Ask;
use crate::store::{Position, StoreError};
use crate::time::Timestamp;
use crate::usage::Usage;

/// Holder of the hot state of rotation.
///
/// What implementers hold: choosing, reserving and counting are one atomic step that follows the rule book to the letter;
/// an answer is given only after it is durable; an error leaves nothing reserved or counted, as far as can be known.
#[async_trait]
pub trait Allocator: Send + Sync {
    /// Chooses a number, reserves it, and counts the use.
    ///
    /// # Errors
    /// [`AllocatorError`]: no number was handed out.
    async fn allocate(&self, ask: Ask<'_>) -> Result<Outcome, AllocatorError>;

    /// Ends a reservation. `None` when there was no live one: released before, run out, or never known.
    ///
    /// # Errors
    /// [`AllocatorError`]: the reservation lives on.
    async fn release(
        &self,
        target: &ReleaseTarget,
        end: CallEnd,
    ) -> Result<Option<EndRecord>, AllocatorError>;

    /// Keeps how a call went with its allocation, and ends its reservation where that lives, in one step. Known are: by an
    /// id, every allocation of a number that the engine has, live or not, and whether it was ever made is not looked up; by a
    /// call, those whose reservations live or ended a moment ago.
    ///
    /// # Errors
    /// [`AllocatorError`]: nothing was kept, and the reservation lives on.
    async fn report(
        &self,
        target: &ReleaseTarget,
        report: &CallReport,
    ) -> Result<Reported, AllocatorError>;

    /// Makes pools, or changes their policy; counts and reservations are kept.
    ///
    /// # Errors
    /// [`AllocatorError`].
    async fn put_pools(&self, pools: Vec<(PoolId, Policy)>) -> Result<(), AllocatorError>;

    /// Adds numbers, or changes their pool, limits, area code and status; counts and reservations are kept.
    /// A pool that was never put is made, with the default policy.
    ///
    /// # Errors
    /// [`AllocatorError`].
    async fn put_numbers(&self, numbers: Vec<EngineNumber>) -> Result<(), AllocatorError>;

    /// Up to where the engine knows the inventory: where [`Allocator::follow`] left it last.
    ///
    /// # Errors
    /// [`AllocatorError`].
    async fn known_inventory(&self) -> Result<Position, AllocatorError>;

    /// Takes a step of the inventory, as [`Allocator::put_pools`] and [`Allocator::put_numbers`] do. `false`: the engine is
    /// not where the step begins, another node brought it somewhere else, and nothing was changed.
    ///
    /// # Errors
    /// [`AllocatorError`]; where the engine is then, [`Allocator::known_inventory`] tells. What is left of the step is done
    /// when it is asked, or when the step is taken again.
    async fn follow(&self, step: InventoryStep) -> Result<bool, AllocatorError>;

    /// How many numbers a step may have at most.
    fn step_most(&self) -> usize;

    /// Takes over what history knows, once, at start, after the numbers were put.
    ///
    /// # Errors
    /// [`AllocatorError`].
    async fn recover(&self, recovered: Recovered) -> Result<(), AllocatorError>;

    /// The live state of one number, if the engine has it.
    ///
    /// # Errors
    /// [`AllocatorError`].
    async fn number_state(
        &self,
        number: PhoneNumber,
    ) -> Result<Option<NumberState>, AllocatorError>;
}

/// What an engine needs to know of a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineNumber {
    /// The number.
    pub number: PhoneNumber,
    /// The area code it stands for.
    pub area_code: Option<AreaCode>,
    /// Whether it may be presented.
    pub status: Status,
    /// The pool it is in.
    pub pool: PoolId,
    /// Most uses in an hour and a day.
    pub limits: Limits,
}

impl From<&Number> for EngineNumber {
    fn from(number: &Number) -> Self {
        Self {
            number: number.number,
            area_code: number.area_code,
            status: number.status,
            pool: number.pool.clone(),
            limits: number.limits,
        }
    }
}

/// Changes of the inventory between two positions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InventoryStep {
    /// Where it begins.
    pub from: Position,
    /// All pools with their whole policies, when any changed.
    pub pools: Vec<(PoolId, Policy)>,
    /// The numbers that changed.
    pub numbers: Vec<EngineNumber>,
    /// Where it ends.
    pub to: Position,
}

/// What history knows that an engine must not forget.
#[derive(Debug, Default)]
pub struct Recovered {
    /// The use of each number that was ever used.
    pub usages: Vec<(PhoneNumber, Usage)>,
    /// Allocations whose reservations may still live, and that have a call id.
    pub calls: Vec<AllocationRecord>,
    /// Which number each destination was last shown, oldest first.
    pub shown: Vec<Shown>,
    /// The limit state of each agent.
    pub agents: Vec<(AgentId, Arrival)>,
}

/// A destination was shown a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// By which pool.
    pub pool: PoolId,
    /// Who.
    pub destination: PhoneNumber,
    /// Which number.
    pub number: PhoneNumber,
    /// When.
    pub at: Timestamp,
}

/// The live state of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberState {
    /// From when it is free; `None` while it is paused or retired.
    pub available_at: Option<Timestamp>,
    /// When it was last allocated.
    pub last_used_at: Option<Timestamp>,
    /// Uses that count against the hourly limit now.
    pub uses_in_hour: u32,
    /// Uses that count against the daily limit now.
    pub uses_today: u32,
    /// Live reservations now.
    pub reservations: u32,
}

/// The engine could not do its work. Nothing was handed out.
#[derive(Debug, Clone, Error)]
pub enum AllocatorError {
    /// The journal did not take it.
    #[error("not recorded: {0}")]
    NotRecorded(#[source] Arc<StoreError>),
    /// As many wait for the journal as may wait.
    #[error("{0} allocations wait for the journal, no more may")]
    Overloaded(usize),
    /// The server that holds the engine's state did not answer, or refused. When it was asked and did not answer in time,
    /// it may have done what was asked; nobody was told of it.
    #[error("{0}")]
    Unavailable(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// As many events wait for the store as may wait: with more it would not be known what was handed out.
    #[error("{0} events wait for the store, no more may: is the database away?")]
    OutboxFull(u64),
    /// The engine stopped.
    #[error("the engine has stopped")]
    Stopped,
}
