//! Old history goes, in steps too small to be noticed.

use std::sync::Arc;
use std::time::Duration;

use caller_id_core::{Clock, HistoryStore};
use tokio_util::sync::CancellationToken;

const DAY_MS: i64 = 24 * 3_600_000;
/// Start-up reads the last 26 hours: they are always kept.
const DAYS_LEAST: u32 = 2;
/// Most allocations removed in one step.
const STEP: usize = 500;
const BETWEEN_STEPS: Duration = Duration::from_millis(50);
const BETWEEN_ROUNDS: Duration = Duration::from_secs(3_600);
/// A start has better things to do.
const FIRST_ROUND: Duration = Duration::from_secs(60);

/// Removes what is older than the settings say, once an hour.
pub struct Retention {
    history: Arc<dyn HistoryStore>,
    clock: Arc<dyn Clock>,
    /// 0 keeps all.
    days: u32,
}

impl Retention {
    /// Keeps `days` days of history; 0 keeps all.
    pub fn new(history: Arc<dyn HistoryStore>, clock: Arc<dyn Clock>, days: u32) -> Self {
        Self {
            history,
            clock,
            days,
        }
    }

    /// Removes, waits an hour, and again, until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        if self.days == 0 {
            stop.cancelled().await;
            return;
        }
        let mut pause = FIRST_ROUND;
        while stop
            .run_until_cancelled(tokio::time::sleep(pause))
            .await
            .is_some()
        {
            stop.run_until_cancelled(self.round()).await;
            pause = BETWEEN_ROUNDS;
        }
    }

    /// Removes all that is too old, step by step. A failure ends the round; the next tries again.
    pub async fn round(&self) {
        let days = i64::from(self.days.max(DAYS_LEAST));
        let before = self.clock.now().plus_ms(-days * DAY_MS);
        loop {
            match self.history.prune(before, STEP).await {
                Ok(removed) if removed < STEP => return,
                Ok(_) => tokio::time::sleep(BETWEEN_STEPS).await,
                Err(error) => {
                    tracing::warn!(%error, "old history could not be removed");
                    return;
                }
            }
        }
    }
}
