//! Redis as it is found at the start of a node: what numbers must not be handed out from is refused.

use std::time::Duration;

use anyhow::{Context, bail};
use caller_id_core::shared::Shared;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::stores::OpenStore;
use super::{engines, inspect};
use crate::config::cluster::ClusterConfig;
use crate::doctor::redis as judge;
use crate::fence::{Fence, Gate};

/// A node waits so long at its start for Redis and its state; then it serves anyway, and refuses what it cannot answer.
const START_WAIT: Duration = Duration::from_secs(2);
/// So long it waits while the database belongs to another state, whose nodes may follow or may come back: it ends then, or
/// the time that they are given is over.
const OTHERS_WAIT: Duration = Duration::from_secs(30);
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
                    tracing::error!("{error}");
                    return;
                }
            }
        }
    };
    stop.run_until_cancelled(looking).await;
    stop.cancelled().await;
}

/// Waits some seconds until the state is whole (`ready`) and the database belongs to it (`gate`).
///
/// # Errors
/// When nodes of another state have the database, or a watch ended.
pub(super) async fn wait(
    ready: &mut watch::Receiver<bool>,
    mut gate: watch::Receiver<Gate>,
) -> anyhow::Result<()> {
    const ENDED: &str = "the watch over the shared state ended";
    let now = gate.clone();
    let opened = async {
        let decided = |gate: &Gate| matches!(gate, Gate::Open | Gate::Closed(_));
        let decision = gate.wait_for(decided).await.context(ENDED)?.clone();
        if let Gate::Closed(why) = decision {
            bail!("{why}");
        }
        ready
            .wait_for(|ready| *ready)
            .await
            .map(drop)
            .context(ENDED)
    };
    tokio::pin!(opened);
    if let Ok(opened) = timeout(START_WAIT, &mut opened).await {
        return opened;
    }
    if matches!(&*now.borrow(), Gate::Waiting(_))
        && let Ok(opened) = timeout(OTHERS_WAIT, opened).await
    {
        return opened;
    }
    tracing::warn!(
        "the shared state cannot be used yet; serving anyway, calls are refused until it can"
    );
    Ok(())
}

/// What compares the state with the one that the database has recorded.
pub(super) fn fence(
    shared: &Shared,
    store: &OpenStore,
    gate: watch::Sender<Gate>,
    cluster: &ClusterConfig,
) -> Fence {
    let place = engines::redis_settings(cluster).map(|redis| redis.place());
    Fence {
        engine: shared.state.clone(),
        record: store.state_record(),
        at: place.unwrap_or_default(),
        gate,
    }
}
