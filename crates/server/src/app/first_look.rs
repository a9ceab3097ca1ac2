//! Redis as it is found: what numbers must not be handed out from is refused at the start of a node, and told of later.

use std::time::Duration;

use anyhow::{Context, bail};
use caller_id_core::shared::Shared;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
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
/// How often it is looked whether it can still be used.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How often it is told again that it cannot.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// What was found.
#[derive(Default)]
struct Look {
    /// Why numbers must not be handed out from it.
    refusal: Option<String>,
    /// What is to be known of it.
    warning: Option<String>,
}

/// Looks once; `None` where Redis was not reached.
async fn look_once(cluster: &ClusterConfig) -> Option<Look> {
    let redis = inspect::redis(cluster, Duration::ZERO).await?.ok()?;
    let refusal = judge::refusal(&redis);
    Some(Look {
        refusal: refusal.map(|found| format!("REDIS_URL cannot be used: {}", found.told())),
        warning: judge::warning(&redis).map(|found| found.told()),
    })
}

/// Looks once. Tells whether Redis was reached.
///
/// # Errors
/// What is wrong with it, and what to set.
pub(super) async fn look(cluster: &ClusterConfig) -> anyhow::Result<bool> {
    let Some(found) = look_once(cluster).await else {
        return Ok(false);
    };
    if let Some(refusal) = found.refusal {
        bail!(refusal);
    }
    if let Some(warning) = found.warning {
        tracing::warn!("{warning}");
    }
    Ok(true)
}

/// Looks until `stop`, first for a Redis that was not `reached`, then whether it can still be used: somebody may set it
/// otherwise, or another master may be asked. What is wrong with it then is logged, again every minute, and told to `unfit`, because
/// calls are under way by now.
pub(super) async fn keep_looking(
    cluster: ClusterConfig,
    reached: bool,
    unfit: watch::Sender<bool>,
    stop: CancellationToken,
) {
    let mut known = reached.then(Look::default);
    let mut told = Instant::now();
    let looking = async {
        loop {
            let pause = known.as_ref().map_or(LOOK_EVERY, |_| LOOK_AGAIN);
            tokio::time::sleep(pause).await;
            let Some(found) = look_once(&cluster).await else {
                continue;
            };
            if let (None, Some(warning)) = (&known, &found.warning) {
                tracing::warn!("{warning}");
            }
            let before = known.take().and_then(|known| known.refusal);
            match &found.refusal {
                Some(refusal) if before != found.refusal || told.elapsed() >= TELL_EVERY => {
                    told = Instant::now();
                    tracing::error!("{refusal}");
                }
                None if before.is_some() => tracing::info!("redis can be used again"),
                _ => {}
            }
            unfit.send_replace(found.refusal.is_some());
            known = Some(found);
        }
    };
    stop.run_until_cancelled(looking).await;
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
