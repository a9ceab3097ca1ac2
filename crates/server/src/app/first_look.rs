//! Redis as it is found at the start of a node: what numbers must not be handed out from is refused.

use std::time::Duration;

use anyhow::bail;
use tokio_util::sync::CancellationToken;

use super::inspect;
use crate::config::cluster::ClusterConfig;
use crate::doctor::redis as judge;

/// How often a Redis that is away is looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Looks once. Tells whether Redis was reached.
///
/// # Errors
/// What is wrong with it, and what to set.
pub(super) async fn look(cluster: &ClusterConfig) -> anyhow::Result<bool> {
    let Some(Ok(redis)) = inspect::redis(cluster, Duration::ZERO).await else {
        return Ok(false);
    };
    if let Some(refusal) = judge::refusal(&redis) {
        bail!("REDIS_URL cannot be used: {}", refusal.told());
    }
    if let Some(warning) = judge::warning(&redis) {
        tracing::warn!("{}", warning.told());
    }
    Ok(true)
}

/// Looks until Redis was reached: what is wrong with it then is logged, because calls are under way by now. Returns at
/// `stop` alone.
pub(super) async fn look_later(cluster: ClusterConfig, stop: CancellationToken) {
    let looking = async {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            match look(&cluster).await {
                Ok(false) => {}
                Ok(true) => return,
                Err(error) => {
                    tracing::error!("{error}: numbers may be forgotten and handed out twice");
                    return;
                }
            }
        }
    };
    stop.run_until_cancelled(looking).await;
    stop.cancelled().await;
}
