//! Random histories: the same steps to an engine and to the model, which must answer alike.

use std::sync::Arc;

use caller_id_core::inspection::Foreseen;
use caller_id_core::{
    AgentLimit, AllocationRequest, AllocatorError, Ask, CallEnd, CallReport, EngineNumber,
    ManualClock, Outcome, PhoneNumber, Policy, PoolId, ReleaseTarget, Reported,
};
use proptest::prelude::*;

use crate::allocator_suite::Engine;
use crate::builders::{START, agent, call, pool};
use crate::model::{Answer, Model};

mod look;
mod steps;

pub use self::steps::any_walk;
use self::steps::{POOLS, zone};

/// Allocations a minute of one agent, in random walks.
pub const AGENT_LIMIT: u32 = 7;

/// One step of a random history.
#[derive(Debug, Clone)]
pub enum Step {
    /// Ask for a number.
    Allocate {
        /// Which destination.
        destination: PhoneNumber,
        /// Which pools, in order.
        pools: Vec<PoolId>,
        /// Which agent, 0 = none.
        agent: u8,
        /// Which call, 0 = none.
        call: u8,
    },
    /// Give back what a call got.
    Release(u8),
    /// Say how a call went that may still hold its number.
    Report(u8),
    /// Let time pass; a negative step is a clock that goes back.
    Pass(i64),
    /// Add or change a number.
    Number(EngineNumber),
    /// Change the policy of a pool.
    Pool(PoolId, Box<Policy>),
    /// Ask for a number, or give one back, while nothing can be recorded: an error, and no trace of it.
    Fail(Box<Step>),
}

/// Makes the next commit of an engine's journal fail, or no more.
pub type Fault<'a> = &'a (dyn Fn(bool) + Sync);

/// Before each of so many requests all of the engine is looked at, those for the calls that this divides.
const LOOKS_EVERY: u8 = 4;

/// Takes the steps with engine and model, and fails where they differ.
///
/// # Errors
/// The step at which they answered differently, and both answers.
pub async fn walk(
    allocator: &dyn Engine,
    clock: &Arc<ManualClock>,
    fault: Fault<'_>,
    steps: &[Step],
) -> Result<(), TestCaseError> {
    let mut walker = Walker {
        allocator,
        clock,
        fault,
        model: Model::new(AGENT_LIMIT),
        now: START,
    };
    for name in POOLS {
        let policy = Policy {
            sticky_ms: if name == "solar" { 1_800_000 } else { 0 },
            time_zone: zone(),
            ..Policy::default()
        };
        walker.put_pool(&pool(name), &policy).await;
    }
    for (place, step) in steps.iter().enumerate() {
        walker
            .take(step)
            .await
            .map_err(|error| TestCaseError::fail(format!("step {place}: {step:?}: {error}")))?;
    }
    Ok(())
}

struct Walker<'a> {
    allocator: &'a dyn Engine,
    clock: &'a Arc<ManualClock>,
    fault: Fault<'a>,
    model: Model,
    now: caller_id_core::Timestamp,
}

impl Walker<'_> {
    async fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Allocate { .. } | Step::Release(_) | Step::Report(_) => {
                self.compare(step).await?;
            }
            Step::Fail(step) => {
                (self.fault)(true);
                let failed = self.ask(step).await;
                (self.fault)(false);
                // What needs no commit is answered all the same, and then the model must know of it.
                if failed.is_ok() {
                    prop_assert_eq!(failed.ok(), Some(self.expect(step)));
                } else {
                    self.model.see(self.now);
                }
            }
            Step::Pass(ms) => {
                self.clock.advance_ms(*ms);
                self.now = self.now.plus_ms(*ms);
            }
            Step::Number(number) => {
                let numbers = vec![number.clone()];
                self.allocator
                    .put_numbers(numbers)
                    .await
                    .expect("numbers are taken");
                self.model.put_number(number.clone(), self.now);
            }
            Step::Pool(id, policy) => self.put_pool(id, policy).await,
        }
        Ok(())
    }

    async fn put_pool(&mut self, id: &PoolId, policy: &Policy) {
        let pools = vec![(id.clone(), policy.clone())];
        self.allocator
            .put_pools(pools)
            .await
            .expect("pools are taken");
        self.model.put_pool(id, policy.clone(), self.now);
    }

    async fn compare(&mut self, step: &Step) -> Result<(), TestCaseError> {
        if let Step::Allocate {
            destination,
            pools,
            call,
            ..
        } = step
        {
            // The model takes long for it, so not each time.
            if call % LOOKS_EVERY == 0 {
                self.look(*destination, pools).await?;
            }
            return self.compare_foreseen(step).await;
        }
        let answer = self.ask(step).await;
        let expected = self.expect(step);
        prop_assert_eq!(answer.expect("the journal takes it"), expected);
        Ok(())
    }

    /// What is foreseen is what is answered then.
    async fn compare_foreseen(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let request = request(step);
        let ask = ask_of(step, &request);
        let foreseen = self.allocator.foresee(ask).await.expect("it is foreseen");
        let answer = self.allocator.allocate(ask).await;
        let answer = answer.expect("the journal takes it");
        prop_assert_eq!(foreseen, Foreseen::from(&answer));
        prop_assert_eq!(Said::Answer(seen(&answer)), self.expect(step));
        Ok(())
    }

    async fn ask(&self, step: &Step) -> Result<Said, AllocatorError> {
        match step {
            Step::Allocate { .. } => {
                let request = request(step);
                let answer = self.allocator.allocate(ask_of(step, &request)).await?;
                Ok(Said::Answer(seen(&answer)))
            }
            Step::Release(name) => {
                let target = ReleaseTarget::Call(call(&name.to_string()));
                let ended = self.allocator.release(&target, CallEnd::Answer).await?;
                Ok(Said::Released(ended.is_some()))
            }
            Step::Report(name) => {
                let target = ReleaseTarget::Call(call(&name.to_string()));
                let report = CallReport::default();
                let kept = self.allocator.report(&target, &report).await?;
                let released = matches!(kept, Reported::Kept { released: true, .. });
                Ok(Said::Released(released))
            }
            other => unreachable!("{other:?} asks nothing"),
        }
    }

    fn expect(&mut self, step: &Step) -> Said {
        match step {
            Step::Allocate { pools, .. } => {
                Said::Answer(self.model.allocate(&request(step), pools, self.now))
            }
            Step::Release(name) | Step::Report(name) => {
                Said::Released(self.model.release_call(&call(&name.to_string()), self.now))
            }
            other => unreachable!("{other:?} asks nothing"),
        }
    }
}

/// What was answered to a step.
#[derive(Debug, PartialEq)]
enum Said {
    Answer(Answer),
    Released(bool),
}

fn ask_of<'a>(step: &'a Step, request: &'a AllocationRequest) -> Ask<'a> {
    let Step::Allocate { pools, .. } = step else {
        unreachable!("{step:?} is no request")
    };
    Ask {
        request,
        pools,
        agent_limit: AgentLimit::per_minute(AGENT_LIMIT),
    }
}

fn request(step: &Step) -> AllocationRequest {
    let Step::Allocate {
        destination,
        agent: agent_number,
        call: call_number,
        ..
    } = step
    else {
        unreachable!("{step:?} is no request")
    };
    AllocationRequest {
        destination: *destination,
        campaign: None,
        agent: (*agent_number > 0).then(|| agent(&agent_number.to_string())),
        call_id: (*call_number > 0).then(|| call(&call_number.to_string())),
    }
}

fn seen(outcome: &Outcome) -> Answer {
    match outcome {
        Outcome::Allocated(allocation) => Answer::Allocated {
            number: allocation.record.number,
            rung: allocation.record.rung,
            pool: allocation.record.pool.clone(),
            reserved_until: allocation.record.reserved_until,
            agent_remaining: allocation.agent_remaining,
            repeated: allocation.repeated,
        },
        Outcome::Exhausted(exhausted) => Answer::Exhausted(exhausted.earliest, exhausted.cause),
        Outcome::AgentLimited { retry_after_ms } => Answer::AgentLimited(*retry_after_ms),
    }
}
