//! What HTTP and FastAGI work with.

use std::sync::Arc;

use anyhow::Context;
use caller_id_core::shared::Shared;
use caller_id_core::{Policy, PoolId};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::stores::OpenStore;
use crate::config::{ConfigError, Settings};
use crate::fastagi::FastAgi;
use crate::http::gathered::keep_looking;
use crate::http::{Answers, Api};
use crate::request_log::{Masking, RequestLog};

/// How answers look.
///
/// # Errors
/// A setting that cannot be used.
pub(super) fn answers(settings: &Settings) -> Result<Answers, ConfigError> {
    Ok(Answers {
        dial_plan: settings.rotation.dial_plan()?,
        format: settings.rotation.caller_id_format,
        policy: settings.rotation.policy(),
        kept: settings.history.kept(),
        deadline: settings.listen.request_deadline(),
        body_deadline: settings.listen.body_timeout(),
    })
}

/// The list of requests, that of all nodes where they share a Redis.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn request_log(
    settings: &Settings,
    store: &OpenStore,
    shared: Option<&Shared>,
) -> anyhow::Result<RequestLog> {
    // Nodes that show their lists to each other hide called parties in the same way.
    let salt = match shared {
        Some(_) => store.inventory.identity().await,
        None => Ok(rand::random()),
    };
    let masking = Masking {
        privacy: settings.log.privacy,
        salt: salt.context("cannot read the database")?,
    };
    let most = settings.log.request_log_limit as usize;
    let board = shared.map(|shared| shared.board.clone());
    Ok(RequestLog::new(
        (settings.cluster.node_name(), most),
        masking,
        board,
    ))
}

/// Starts the tasks that share with other nodes what they are asked, and that look after what people watch.
pub(super) fn share(tasks: &mut JoinSet<&'static str>, stop: &CancellationToken, api: Arc<Api>) {
    let (requests, listed) = (api.requests.clone(), stop.clone());
    tasks.spawn(async move {
        requests.run(listed).await;
        "the list of requests"
    });
    let (jobs, told) = (api.jobs.clone(), stop.clone());
    tasks.spawn(async move {
        jobs.run(told).await;
        "the word of jobs"
    });
    let (asked, followed) = (api.clone(), stop.clone());
    tasks.spawn(async move {
        asked.health.follow(&*asked.clock, followed).await;
        "the look at what failed"
    });
    let stop = stop.clone();
    tasks.spawn(async move {
        let telling = api.pulse.run(api.clock.clone(), stop.clone());
        tokio::join!(telling, keep_looking(api.clone(), stop));
        "the pulse"
    });
}

/// The same rotator, dialers, prefixes and form of numbers as over HTTP.
pub(super) fn fast_agi(api: &Api, settings: &Settings) -> FastAgi {
    FastAgi {
        rotator: api.rotator.clone(),
        access: api.access.clone(),
        clock: api.clock.clone(),
        requests: api.requests.clone(),
        pulse: api.pulse.clone(),
        meters: api.meters.clone(),
        dial_plan: api.answers.dial_plan.clone(),
        format: api.answers.format,
        deadline: settings.agi.deadline(),
    }
}

/// A start knows what is sticky from history alone, also a start of the shared state.
pub(super) fn warn_of_pools(pools: &[(PoolId, Policy)], settings: &Settings) {
    let kept = settings.history.kept();
    for warning in kept.pool_warnings(pools, &settings.rotation.policy()) {
        tracing::warn!("{warning}");
    }
}
