//! The memory engine passes the conformance suite.

use std::sync::Arc;

use async_trait::async_trait;
use caller_id_core::ManualClock;
use caller_id_engine::MemoryAllocator;
use caller_id_testkit::allocator_suite::{EngineFactory, EngineUnderTest};
use caller_id_testkit::builders::START;
use caller_id_testkit::memory_history::MemoryHistory;

struct Memory;

#[async_trait]
impl EngineFactory for Memory {
    async fn start(&self) -> EngineUnderTest {
        let clock = Arc::new(ManualClock::at(START));
        let history = Arc::new(MemoryHistory::default());
        let allocator = MemoryAllocator::new(history.clone(), clock.clone());
        let keep = Box::new(());
        EngineUnderTest {
            allocator,
            clock,
            history,
            keep,
        }
    }
}

caller_id_testkit::allocator_suite!(Memory);
