//! Old history goes, in steps too small to be noticed.

use std::sync::Arc;
use std::time::Duration;

use caller_id_core::{Clock, HistoryStore, Policy, PoolId};
use tokio_util::sync::CancellationToken;

const DAY_MS: i64 = 24 * 3_600_000;
/// Start-up reads the last 26 hours: they are always kept. What is sticky for longer is not: see [`Kept::warning`].
const DAYS_LEAST: u32 = 2;
/// Most allocations removed in one step.
const STEP: usize = 500;
const BETWEEN_STEPS: Duration = Duration::from_millis(50);
const BETWEEN_ROUNDS: Duration = Duration::from_secs(3_600);
/// A start has better things to do.
const FIRST_ROUND: Duration = Duration::from_secs(60);

/// How much of history is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// All of it.
    All,
    /// So many days of it, 2 at least.
    Days(u32),
}

impl Kept {
    /// What the setting means: 0 keeps all.
    pub fn of_setting(days: u32) -> Self {
        match days {
            0 => Self::All,
            days => Self::Days(days.max(DAYS_LEAST)),
        }
    }

    /// What to say to who makes a destination sticky for longer than history is kept: a start has only history to know
    /// it from. `name` is the setting or field that says so. None when there is nothing to say.
    pub fn warning(self, name: &str, policy: &Policy) -> Option<String> {
        let Self::Days(days) = self else { return None };
        let seconds = policy.sticky_ms / 1_000;
        (policy.sticky_ms > i64::from(days) * DAY_MS).then(|| {
            format!(
                "{name} ({seconds} seconds) is longer than HISTORY_RETENTION_DAYS keeps history ({days} days): \
                 a restart forgets which number a destination was shown before that"
            )
        })
    }

    /// The same for each pool that says otherwise than `global`.
    pub fn pool_warnings(self, pools: &[(PoolId, Policy)], global: &Policy) -> Vec<String> {
        let own = pools
            .iter()
            .filter(|(_, policy)| policy.sticky_ms != global.sticky_ms);
        let warn = |(id, policy): &(PoolId, Policy)| {
            self.warning(&format!("sticky_seconds of the pool `{id}`"), policy)
        };
        own.filter_map(warn).collect()
    }
}

/// Removes what is older than the settings say, once an hour.
pub struct Retention {
    history: Arc<dyn HistoryStore>,
    clock: Arc<dyn Clock>,
    kept: Kept,
}

impl Retention {
    /// Keeps so much of history.
    pub fn new(history: Arc<dyn HistoryStore>, clock: Arc<dyn Clock>, kept: Kept) -> Self {
        Self {
            history,
            clock,
            kept,
        }
    }

    /// Removes, waits an hour, and again, until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        if self.kept == Kept::All {
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
        let Kept::Days(days) = self.kept else { return };
        let before = self.clock.now().plus_ms(-i64::from(days) * DAY_MS);
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use caller_id_core::store::{PastAllocation, PastSink};
    use caller_id_core::{AllocationId, ManualClock, PhoneNumber, Sought, StoreError, Timestamp};

    use super::*;

    /// So many old allocations, and what was asked to be removed.
    struct Old {
        left: Mutex<usize>,
        asked: Mutex<Vec<Timestamp>>,
    }

    #[async_trait]
    impl HistoryStore for Old {
        async fn allocations_since(&self, _: Timestamp, _: PastSink<'_>) -> Result<(), StoreError> {
            Ok(())
        }

        async fn allocations_page(
            &self,
            _: AllocationId,
            _: usize,
        ) -> Result<Vec<PastAllocation>, StoreError> {
            Ok(Vec::new())
        }

        async fn find(&self, _: &Sought, _: Timestamp) -> Result<Option<AllocationId>, StoreError> {
            Ok(None)
        }

        async fn last_uses(&self) -> Result<Vec<(PhoneNumber, Timestamp)>, StoreError> {
            Ok(Vec::new())
        }

        async fn prune(&self, before: Timestamp, most: usize) -> Result<usize, StoreError> {
            self.asked.lock().unwrap().push(before);
            let mut left = self.left.lock().unwrap();
            let removed = most.min(*left);
            *left -= removed;
            Ok(removed)
        }

        fn backlog(&self) -> u64 {
            0
        }

        async fn settle(&self) -> Result<(), StoreError> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_round_removes_all_that_is_too_old_in_small_steps() {
        let old = Arc::new(Old {
            left: Mutex::new(1_200),
            asked: Mutex::default(),
        });
        let clock = Arc::new(ManualClock::at(Timestamp::from_ms(100 * DAY_MS)));
        Retention::new(old.clone(), clock, Kept::of_setting(30))
            .round()
            .await;
        assert_eq!(*old.left.lock().unwrap(), 0);
        assert_eq!(
            *old.asked.lock().unwrap(),
            [Timestamp::from_ms(70 * DAY_MS); 3]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_start_reads_is_never_removed() {
        let old = Arc::new(Old {
            left: Mutex::new(0),
            asked: Mutex::default(),
        });
        let clock = Arc::new(ManualClock::at(Timestamp::from_ms(100 * DAY_MS)));
        Retention::new(old.clone(), clock, Kept::of_setting(1))
            .round()
            .await;
        assert_eq!(
            *old.asked.lock().unwrap(),
            [Timestamp::from_ms(98 * DAY_MS)]
        );
    }

    #[test]
    fn who_is_sticky_for_longer_than_history_is_kept_is_warned() {
        let sticky = |days: i64| Policy {
            sticky_ms: days * DAY_MS,
            ..Policy::default()
        };
        let warns = |days, policy: &Policy| Kept::of_setting(days).warning("X", policy);
        assert_eq!(
            warns(30, &sticky(31)).as_deref(),
            Some(
                "X (2678400 seconds) is longer than HISTORY_RETENTION_DAYS keeps history (30 days): \
                 a restart forgets which number a destination was shown before that"
            )
        );
        for (days, policy) in [(30, sticky(30)), (0, sticky(366)), (1, sticky(2))] {
            assert_eq!(warns(days, &policy), None, "{days} days");
        }
    }
}
