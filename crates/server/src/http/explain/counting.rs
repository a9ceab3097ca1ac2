//! Counts for people who ask why: some at a time, and none for longer than somebody waits.

use std::time::Duration;

use caller_id_core::explain::Tried;
use caller_id_core::inspection::Counts;
use caller_id_core::ladder::Candidates;
use caller_id_core::listing::{NumberFilter, StatusKind};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::http::{Api, ApiError};

/// So many answers are counted for at the same time; others wait.
const AT_ONCE: usize = 2;
/// All counts of one answer take no longer.
const DEADLINE: Duration = Duration::from_secs(2);

/// Lets some count while others wait.
#[derive(Debug)]
pub struct Counting(Semaphore);

impl Default for Counting {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
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
    /// Counts as far as it comes in time.
    pub(super) async fn count(&self, api: &Api, steps: &[Tried]) -> Counteds {
        let mut rungs = Vec::with_capacity(steps.len());
        let counting = async {
            let turn = self.0.acquire().await;
            for step in steps {
                rungs.push(Some(count(api, step).await?));
            }
            drop(turn);
            Ok::<_, ApiError>(())
        };
        let left_out = match tokio::time::timeout_at(Instant::now() + DEADLINE, counting).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => {
                tracing::debug!(?error, "an explanation goes without counts");
                Some("they could not be read")
            }
            Err(_) => Some("to count them takes longer than 2 seconds"),
        };
        rungs.resize(steps.len(), None);
        Counteds { rungs, left_out }
    }
}

async fn count(api: &Api, step: &Tried) -> Result<Counted, ApiError> {
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
        live: api.inspector.counts(&step.pool, step.among).await?,
        paused: api.inventory.count_matching(&paused).await?,
        retired: api.inventory.count_matching(&retired).await?,
    })
}
