//! The memory engine and the naive model answer alike, whatever happens.

use std::sync::Arc;

use caller_id_core::ManualClock;
use caller_id_engine::MemoryAllocator;
use caller_id_testkit::builders::START;
use caller_id_testkit::memory_history::MemoryHistory;
use caller_id_testkit::random_walk::{any_walk, walk};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

fn walk_in_memory(steps: &[caller_id_testkit::random_walk::Step]) -> TestCaseResult {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let clock = Arc::new(ManualClock::at(START));
        let history = Arc::new(MemoryHistory::default());
        let engine = MemoryAllocator::new(history.clone(), clock.clone());
        let fault = |on: bool| history.fail_every(on.then_some(1));
        let result = walk(&*engine, &clock, &fault, steps).await;
        engine.stop().await;
        result
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_memory_engine_and_the_naive_model_agree_on_random_histories(steps in any_walk(150)) {
        walk_in_memory(&steps)?;
    }
}
