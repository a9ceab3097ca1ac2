//! An engine on a journal that fails on demand.

use std::sync::Arc;
use std::task::Poll;

use caller_id_core::{
    AgentLimit, AllocationId, AllocationRequest, Allocator, AllocatorError, Ask, ManualClock,
    NumberState, Outcome, PhoneNumber, Policy, PoolId,
};
use caller_id_engine::MemoryAllocator;
use caller_id_testkit::builders::{START, engine_number, number};
use caller_id_testkit::memory_history::MemoryHistory;

/// An engine on a journal that can be made to fail or to wait.
pub(crate) struct Rig {
    pub(crate) engine: Arc<MemoryAllocator>,
    pub(crate) history: Arc<MemoryHistory>,
    pub(crate) clock: Arc<ManualClock>,
}

pub(crate) const LIMIT: u32 = 50;

/// So many numbers in the pool `default`, with this policy.
pub(crate) async fn rig(numbers: u64, policy: Policy) -> Rig {
    let history = Arc::new(MemoryHistory::default());
    let clock = Arc::new(ManualClock::at(START));
    let engine = MemoryAllocator::new(history.clone(), clock.clone());
    engine
        .put_pools(vec![(PoolId::default(), policy)])
        .await
        .expect("pools are taken");
    let numbers = (0..numbers)
        .map(|line| engine_number(number(312, line)))
        .collect();
    engine
        .put_numbers(numbers)
        .await
        .expect("numbers are taken");
    Rig {
        engine,
        history,
        clock,
    }
}

impl Rig {
    pub(crate) async fn ask(&self, request: &AllocationRequest) -> Result<Outcome, AllocatorError> {
        let pools = [PoolId::default()];
        self.engine
            .allocate(Ask {
                request,
                pools: &pools,
                agent_limit: AgentLimit::per_minute(LIMIT),
            })
            .await
    }

    pub(crate) async fn states(&self, numbers: u64) -> Vec<Option<NumberState>> {
        let mut states = Vec::new();
        for line in 0..numbers {
            states.push(
                self.engine
                    .number_state(number(312, line))
                    .await
                    .expect("answers"),
            );
        }
        states
    }
}

pub(crate) fn far() -> PhoneNumber {
    number(808, 1)
}

pub(crate) fn id(outcome: &Outcome) -> Option<AllocationId> {
    match outcome {
        Outcome::Allocated(allocation) => Some(allocation.record.id),
        _ => None,
    }
}

pub(crate) async fn futures_poll<T>(
    mut future: std::pin::Pin<&mut impl Future<Output = T>>,
) -> Poll<T> {
    std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}
