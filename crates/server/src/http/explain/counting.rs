//! Counts for people who ask why: some at a time, and none for longer than somebody waits.

use std::time::Duration;

use caller_id_core::explain::Tried;
use caller_id_core::inspection::Counts;
use caller_id_core::ladder::Candidates;
use caller_id_core::listing::{NumberFilter, StatusKind};
use caller_id_core::{Inspector, InventoryStore};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::http::ApiError;

/// So many answers are counted for at the same time; others wait.
const AT_ONCE: usize = 2;
/// So many rungs of one answer at the same time: to walk through a million numbers is mostly to wait for one's turn.
const RUNGS_AT_ONCE: usize = 2;
/// All counts of one answer take no longer.
const DEADLINE: Duration = Duration::from_secs(3);

/// Lets some count while others wait.
#[derive(Debug)]
pub struct Counting {
    turns: Semaphore,
    deadline: Duration,
}

impl Default for Counting {
    fn default() -> Self {
        Self::within(DEADLINE)
    }
}

/// The numbers that a rung may choose from, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    /// Those that the engine may choose from, by what holds them.
    pub(super) live: Counts,
    /// With the status `paused`.
    pub(super) paused: u64,
    /// With the status `retired`.
    pub(super) retired: u64,
}

/// The counts of an answer.
#[derive(Debug)]
pub(super) struct Counteds {
    /// Of each rung, in their order; none for those that nobody could wait for.
    pub(super) rungs: Vec<Option<Counted>>,
    /// Why there are none of some.
    pub(super) left_out: Option<&'static str>,
}

impl Counting {
    fn within(deadline: Duration) -> Self {
        Self {
            turns: Semaphore::new(AT_ONCE),
            deadline,
        }
    }

    /// Counts as far as it comes in time: all numbers of a pool last, since they may be a million.
    pub(super) async fn count(&self, numbers: Numbers<'_>, steps: &[Tried]) -> Counteds {
        let mut rungs = vec![None; steps.len()];
        let counting = async {
            let _turn = self.turns.acquire().await;
            let mut order: Vec<usize> = (0..steps.len()).collect();
            order.sort_by_key(|place| steps[*place].among == Candidates::All);
            let counts = order.into_iter().map(|place| async move {
                let counted = numbers.count(&steps[place]).await?;
                Ok::<_, ApiError>((place, counted))
            });
            let mut counts = stream::iter(counts).buffer_unordered(RUNGS_AT_ONCE);
            while let Some((place, counted)) = counts.try_next().await? {
                rungs[place] = Some(counted);
            }
            Ok::<_, ApiError>(())
        };
        let until = Instant::now() + self.deadline;
        let left_out = match tokio::time::timeout_at(until, counting).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => {
                tracing::debug!(?error, "an explanation goes without counts");
                Some("they could not be read")
            }
            Err(_) => Some("to count them takes too long"),
        };
        Counteds { rungs, left_out }
    }
}

/// Who knows the numbers.
#[derive(Clone, Copy)]
pub(super) struct Numbers<'a> {
    /// Those that may be presented.
    pub(super) inspector: &'a dyn Inspector,
    /// All of them.
    pub(super) inventory: &'a dyn InventoryStore,
}

impl Numbers<'_> {
    async fn count(self, step: &Tried) -> Result<Counted, ApiError> {
        let with = |status| NumberFilter {
            pools: vec![step.pool.clone()],
            statuses: vec![status],
            area_codes: match step.among {
                Candidates::Area(code) => vec![code],
                Candidates::Areas(codes) => codes.to_vec(),
                Candidates::All => Vec::new(),
            },
            ..NumberFilter::default()
        };
        let (paused, retired) = (with(StatusKind::Paused), with(StatusKind::Retired));
        Ok(Counted {
            live: self.inspector.counts(&step.pool, step.among).await?,
            paused: self.inventory.count_matching(&paused).await?,
            retired: self.inventory.count_matching(&retired).await?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use caller_id_core::inspection::Foreseen;
    use caller_id_core::{
        AllocationRequest, AllocatorError, Ask, ManualClock, NumberState, PhoneNumber, Policy,
        PoolId, Timestamp,
    };
    use caller_id_store::{SqliteOptions, SqliteStore};

    use super::*;

    /// Counts those of area codes at once, and whole pools never.
    struct Slow;

    #[async_trait]
    impl Inspector for Slow {
        async fn states(
            &self,
            _: &[PhoneNumber],
        ) -> Result<Vec<Option<NumberState>>, AllocatorError> {
            Ok(Vec::new())
        }

        async fn foresee(&self, _: Ask<'_>) -> Result<Foreseen, AllocatorError> {
            std::future::pending().await
        }

        async fn counts(&self, _: &PoolId, among: Candidates) -> Result<Counts, AllocatorError> {
            match among {
                Candidates::All => std::future::pending().await,
                Candidates::Area(_) | Candidates::Areas(_) => Ok(Counts::default()),
            }
        }
    }

    #[tokio::test]
    async fn what_takes_too_long_is_left_out_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(Timestamp::from_ms(1_795_348_800_000)));
        let path = folder.path().join("a.db");
        let store = SqliteStore::open(&path, SqliteOptions::new(clock)).unwrap();
        let request = AllocationRequest::to("13125551212".parse().unwrap());
        let pools = ["first", "second"].map(|name| PoolId::new(name).unwrap());
        let ask = Ask {
            request: &request,
            pools: &pools,
            agent_limit: caller_id_core::AgentLimit::OFF,
        };
        let policy = Policy::default();
        let steps = caller_id_core::explain::way(ask, |_| Some(&policy));
        let numbers = Numbers {
            inspector: &Slow,
            inventory: &*store,
        };
        let counting = Counting::within(Duration::from_secs(1));
        // More than may count at the same time: the others wait no longer either.
        let all = (0..3).map(|_| counting.count(numbers, &steps));
        let counted = futures_util::future::join_all(all).await;
        let of_first = &counted[0];
        for (step, rung) in steps.iter().zip(&of_first.rungs) {
            assert_eq!(rung.is_none(), step.among == Candidates::All, "{step:?}");
        }
        for counted in counted {
            assert_eq!(counted.left_out, Some("to count them takes too long"));
            assert_eq!(counted.rungs.len(), steps.len());
        }
    }
}
