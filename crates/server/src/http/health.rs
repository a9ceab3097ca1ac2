//! `GET /health`, `/live` and `/ready`: whether the service runs, and whether it can record what it does.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use caller_id_core::{Journal, Timestamp};
use serde::Serialize;
use tokio::sync::Mutex;
use utoipa::ToSchema;

use super::{Api, ApiError};
use crate::telemetry::throttle::Throttle;

/// A result is given to everybody for so long, so that asking often does not load the store, in milliseconds.
const SHARED_MS: i64 = 1_000;
/// A store that takes longer to commit nothing cannot commit.
const PROBE_DEADLINE: Duration = Duration::from_millis(800);

/// Whether the store can commit, asked at most once a second.
pub struct StoreHealth {
    journal: Arc<dyn Journal>,
    last: Mutex<Option<(Timestamp, bool)>>,
    failures: Throttle,
}

impl StoreHealth {
    /// The health of the store behind this journal.
    pub fn new(journal: Arc<dyn Journal>) -> Self {
        Self {
            journal,
            last: Mutex::default(),
            failures: Throttle::new(),
        }
    }

    /// Whether a commit succeeds now, or did within the last second.
    pub async fn can_commit(&self, now: Timestamp) -> bool {
        let mut last = self.last.lock().await;
        if let Some((at, can)) = *last
            && now.ms_since(at) < SHARED_MS
        {
            return can;
        }
        let can = match tokio::time::timeout(PROBE_DEADLINE, self.journal.probe()).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                if let Some(times) = self.failures.note() {
                    tracing::error!(%error, times, "the store cannot commit");
                }
                false
            }
            Err(_) => {
                if let Some(times) = self.failures.note() {
                    tracing::error!(times, "the store did not commit in time");
                }
                false
            }
        };
        *last = Some((now, can));
        can
    }
}

/// How the service is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`, or `degraded` when the store cannot commit.
    status: &'static str,
    /// `ok` or `error`.
    db: &'static str,
    /// `ok`: the reference's field. There is no Redis here, the hot state is in the process.
    redis: &'static str,
    /// Now (RFC 3339).
    timestamp: String,
    /// Where the hot state is.
    engine: &'static str,
    /// The version of the service.
    version: &'static str,
}

/// How the service is; 503 when it cannot record allocations.
#[utoipa::path(get, path = "/health", tag = "monitoring", responses(
    (status = 200, description = "All is well", body = Health),
    (status = 503, description = "The store cannot commit: no number is handed out", body = Health),
))]
pub async fn health(State(api): State<Arc<Api>>) -> Response {
    let now = api.clock.now();
    let can_commit = api.health.can_commit(now).await;
    let body = Json(Health {
        status: if can_commit { "ok" } else { "degraded" },
        db: if can_commit { "ok" } else { "error" },
        redis: "ok",
        timestamp: now.to_string(),
        engine: "memory",
        version: env!("CARGO_PKG_VERSION"),
    });
    if can_commit {
        body.into_response()
    } else {
        super::error::not_ready(body)
    }
}

/// Whether the process answers at all.
#[utoipa::path(get, path = "/live", tag = "monitoring", responses((status = 200, description = "It does")))]
pub async fn live() -> &'static str {
    "ok\n"
}

/// Whether requests should be sent here.
#[utoipa::path(get, path = "/ready", tag = "monitoring", responses(
    (status = 200, description = "Yes"),
    (status = 503, description = "The store cannot commit", body = super::openapi::ProblemBody),
))]
pub async fn ready(State(api): State<Arc<Api>>) -> Result<&'static str, ApiError> {
    if api.health.can_commit(api.clock.now()).await {
        Ok("ok\n")
    } else {
        Err(ApiError::NotReady)
    }
}
