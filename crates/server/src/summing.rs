//! History is summed up, so that counting it stays quick however long it is.

use std::sync::Arc;
use std::time::Duration;

use caller_id_core::{Clock, HistoryReader};
use tokio_util::sync::CancellationToken;

use crate::telemetry::outage::{Outages, User};

/// A start has better things to do.
const FIRST_ROUND: Duration = Duration::from_secs(60);
const BETWEEN_ROUNDS: Duration = Duration::from_secs(60);
/// A store that is away is tried again soon: that it is back is told when it serves everybody.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// The first time after an update there is a whole history to sum up: others want the store, too.
const BETWEEN_STEPS: Duration = Duration::from_millis(50);

/// Sums up what can be summed up, once a minute.
pub struct Summing {
    history: Arc<dyn HistoryReader>,
    clock: Arc<dyn Clock>,
    outages: Arc<Outages>,
}

impl Summing {
    /// Sums up this history. What fails is told by `outages`.
    pub fn new(
        history: Arc<dyn HistoryReader>,
        clock: Arc<dyn Clock>,
        outages: Arc<Outages>,
    ) -> Self {
        Self {
            history,
            clock,
            outages,
        }
    }

    /// Sums up, waits a minute, and again, until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        let mut pause = FIRST_ROUND;
        while stop
            .run_until_cancelled(tokio::time::sleep(pause))
            .await
            .is_some()
        {
            // None: it was stopped meanwhile, and the pause ends at once.
            let done = stop.run_until_cancelled(self.round()).await;
            pause = done.unwrap_or(BETWEEN_ROUNDS);
        }
    }

    /// Sums up all that can be, step by step; gives how long to wait then. A failure ends the round; the next tries again.
    async fn round(&self) -> Duration {
        let database = &self.outages.database;
        loop {
            match self.history.sum_up(self.clock.now()).await {
                Ok(more) => {
                    database.served(User::Sums);
                    if !more {
                        return BETWEEN_ROUNDS;
                    }
                    tokio::time::sleep(BETWEEN_STEPS).await;
                }
                Err(error) => {
                    database.failed(User::Sums, &error);
                    return AFTER_FAILURE;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use caller_id_core::history_query::{
        Activity, Falling, PastPage, PastQuery, StatsQuery, StatsRow,
    };
    use caller_id_core::{CampaignId, ManualClock, StoreError, Timestamp};

    use super::*;

    /// What it answers, the last first; then that there is no more.
    struct Answers(Mutex<Vec<Result<bool, StoreError>>>);

    #[async_trait]
    impl HistoryReader for Answers {
        async fn past(&self, _: &PastQuery) -> Result<PastPage, StoreError> {
            Ok(PastPage::default())
        }

        async fn stats(&self, _: &StatsQuery, _: usize) -> Result<Vec<StatsRow>, StoreError> {
            Ok(Vec::new())
        }

        async fn campaigns_seen(&self, _: Timestamp) -> Result<Vec<(CampaignId, u64)>, StoreError> {
            Ok(Vec::new())
        }

        async fn activity(&self, _: Timestamp, _: Timestamp) -> Result<Vec<Activity>, StoreError> {
            Ok(Vec::new())
        }

        async fn falling(&self, _: usize) -> Result<(Timestamp, Vec<Falling>), StoreError> {
            Ok((Timestamp::ZERO, Vec::new()))
        }

        async fn sum_up(&self, _: Timestamp) -> Result<bool, StoreError> {
            self.0.lock().unwrap().pop().unwrap_or(Ok(false))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_round_sums_up_until_there_is_no_more_and_a_failure_is_tried_again_soon() {
        let answers = vec![Ok(true), Err(StoreError::Closed), Ok(true), Ok(true)];
        let history = Arc::new(Answers(Mutex::new(answers)));
        let clock = Arc::new(ManualClock::at(Timestamp::ZERO));
        let summing = Summing::new(history.clone(), clock, Arc::default());
        assert_eq!(summing.round().await, AFTER_FAILURE);
        assert_eq!(history.0.lock().unwrap().len(), 1);
        assert_eq!(summing.round().await, BETWEEN_ROUNDS);
        assert_eq!(history.0.lock().unwrap().len(), 0);
    }
}
