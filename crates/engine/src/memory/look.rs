//! The memory engine for people: looks into its state, each under the lock for a moment.

use std::time::Duration;

use async_trait::async_trait;
use caller_id_core::inspection::{Counts, Foreseen};
use caller_id_core::ladder::Candidates;
use caller_id_core::{AllocatorError, Ask, Inspector, NumberState, PhoneNumber, PoolId};

use super::MemoryAllocator;

/// So many numbers are looked at in one locked step.
const LOOKED_AT_ONCE: u32 = 3_000;
/// So many candidates are listed in one locked step before they are counted: to list is much quicker than to count.
const LISTED_MOST: usize = 10_000;
/// Between two steps of a count all others have the lock for so long.
const PAUSE: Duration = Duration::from_millis(1);

#[async_trait]
impl Inspector for MemoryAllocator {
    async fn states(
        &self,
        numbers: &[PhoneNumber],
    ) -> Result<Vec<Option<NumberState>>, AllocatorError> {
        let mut states = Vec::with_capacity(numbers.len());
        for some in numbers.chunks(LOOKED_AT_ONCE as usize) {
            let now = self.clock.now();
            let shared = self.lock();
            let some = some.iter();
            states.extend(some.map(|number| shared.state.number_state(*number, now)));
        }
        Ok(states)
    }

    async fn foresee(&self, ask: Ask<'_>) -> Result<Foreseen, AllocatorError> {
        let now = self.clock.now();
        let mut shared = self.engine.sound()?;
        shared.batch.check_open()?;
        Ok(shared.state.foresee(ask, now))
    }

    async fn counts(&self, pool: &PoolId, among: Candidates) -> Result<Counts, AllocatorError> {
        let begun = self.lock().state.tally(pool, among, LISTED_MOST);
        let Some(mut tally) = begun else {
            return Ok(Counts::default());
        };
        loop {
            let now = self.clock.now();
            let counted = self.lock().state.go_on(&mut tally, LOOKED_AT_ONCE, now);
            if let Some(counts) = counted {
                return Ok(counts);
            }
            // The lock goes to whoever asks first, and that would be this task again.
            tokio::time::sleep(PAUSE).await;
        }
    }
}
