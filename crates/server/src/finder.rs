//! Calls that the engine knows no more, looked for in history: a report may come long after its reservation.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use caller_id_core::{
    AllocationId, CallFinder, Clock, HistoryStore, Outbox, Sought, StoreError, Timestamp,
};
use tokio::time::Instant;

/// A call is over by then; and the dialer's ids of calls may come again.
const LOOK_BACK_MS: i64 = 24 * 3_600_000;
/// So long what waits for the store is waited for: half of what an answer may take.
const PATIENCE: Duration = Duration::from_millis(250);
/// How often it is looked whether it is there.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Ages are told in whole milliseconds, and by another clock.
const SLACK: Duration = Duration::from_millis(2);

/// Looks for calls in the store.
pub struct Finder {
    /// What was allocated.
    pub history: Arc<dyn HistoryStore>,
    /// What waits for the store, where the engine does not write it itself: allocations of a moment ago are there.
    pub outbox: Option<Arc<dyn Outbox>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Finder {
    fn since(&self) -> Timestamp {
        self.clock.now().plus_ms(-LOOK_BACK_MS)
    }

    /// Waits until the store has what was allocated before this was asked, or until that takes too long.
    async fn catch_up(&self) {
        let Some(outbox) = &self.outbox else { return };
        let began = Instant::now();
        let caught_up = async {
            // That Redis is away is told by the report itself, which needs it.
            loop {
                // Taken before it is asked: an answer that is late makes nothing newer than it is.
                let asked = began.elapsed();
                let Ok(lag) = outbox.lag().await else { return };
                let newer = Duration::from_millis(lag.oldest_ms.unsigned_abs()) + SLACK < asked;
                if lag.events == 0 || newer {
                    return;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        // A store that is further behind is told of by the drainer.
        let _ = tokio::time::timeout(PATIENCE, caught_up).await;
    }
}

#[async_trait]
impl CallFinder for Finder {
    async fn find(&self, sought: &Sought) -> Result<Option<AllocationId>, StoreError> {
        let since = self.since();
        // The engine knows the calls of the last moments: what history has of another one is the latest.
        if let Sought::Call(_) = sought {
            let found = self.history.find(sought, since).await?;
            if found.is_some() || self.outbox.is_none() {
                return Ok(found);
            }
        }
        // What a destination was shown may be on its way to the store, while something older is there.
        self.catch_up().await;
        self.history.find(sought, since).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use caller_id_core::shared::{Lag, Taken};
    use caller_id_core::{AllocatorError, Journal, ManualClock};
    use caller_id_testkit::builders::{START, call};
    use caller_id_testkit::memory_history::MemoryHistory;
    use caller_id_testkit::store_suite::records::{allocated, full_record, own};

    use super::*;

    /// An outbox that is stored when somebody looks for the third time, or never.
    struct Late {
        history: Arc<MemoryHistory>,
        looks_left: Mutex<Option<u32>>,
    }

    #[async_trait]
    impl Outbox for Late {
        async fn take(&self, _: usize) -> Result<Option<Taken>, AllocatorError> {
            Ok(None)
        }

        async fn done(&self, _: &Taken) -> Result<(), AllocatorError> {
            Ok(())
        }

        async fn leave(&self) -> Result<(), AllocatorError> {
            Ok(())
        }

        async fn lag(&self) -> Result<Lag, AllocatorError> {
            let left = {
                let mut left = self.looks_left.lock().unwrap();
                *left = left.map(|left| left.saturating_sub(1));
                *left
            };
            if left == Some(0) {
                let event = allocated(&full_record(1, 1, own(1)));
                self.history.commit(vec![event]).await.unwrap();
                return Ok(Lag::default());
            }
            Ok(Lag {
                events: 1,
                oldest_ms: 10_000,
                most: 10,
                aside: 0,
            })
        }
    }

    fn finder(looks: Option<u32>) -> Finder {
        let history = Arc::new(MemoryHistory::default());
        let outbox = Late {
            history: history.clone(),
            looks_left: Mutex::new(looks),
        };
        Finder {
            history,
            outbox: Some(Arc::new(outbox)),
            clock: Arc::new(ManualClock::at(START.plus_ms(1_000))),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_on_its_way_to_the_store_is_found_when_it_is_there() {
        let record = full_record(1, 1, own(1));
        let shown = Sought::Shown {
            number: record.number,
            destination: record.destination,
        };
        let by_call = Sought::Call(record.call_id.clone().unwrap());
        for sought in [shown, by_call] {
            let found = finder(Some(3)).find(&sought).await;
            assert_eq!(found.unwrap(), Some(record.id));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_is_far_behind_is_not_waited_for_long() {
        let began = Instant::now();
        let found = finder(None).find(&Sought::Call(call("V1"))).await;
        assert_eq!(found.unwrap(), None);
        assert!(began.elapsed() <= PATIENCE + LOOK_EVERY);
    }
}
