//! `GET /health`, `/live` and `/ready`: whether the service runs, and whether it can hand out numbers and record what it does.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use caller_id_core::shared::{Lag, Shared};
use caller_id_core::{Clock, Journal, Standing, Timestamp};
use serde::Serialize;
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use super::{Api, ApiError};
use crate::fence::Gate;
use crate::telemetry::outage::{Outages, User};

/// A result is given to everybody for so long, so that asking often does not load the store, in milliseconds.
const SHARED_MS: i64 = 1_000;
/// A store that takes longer to commit nothing cannot commit; the same for Redis.
const PROBE_DEADLINE: Duration = Duration::from_millis(800);
/// What is told of it then.
const LATE: &str = "it took no write in time";
/// So often it is looked whether what failed is over.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);

/// Whether store and engine can work, asked at most once a second.
pub struct Vitals {
    journal: Arc<dyn Journal>,
    shared: Option<Together>,
    last: Mutex<Option<(Timestamp, Signs)>>,
    outages: Arc<Outages>,
}

/// What many nodes share, and what is known of it.
pub struct Together {
    /// The state, and what waits.
    pub shared: Shared,
    /// Whether the database belongs to the state.
    pub gate: watch::Receiver<Gate>,
    /// Whether Redis is set as it must not be: a node would refuse to start on it.
    pub unfit: watch::Receiver<bool>,
}

/// What was found.
#[derive(Debug, Clone, Copy)]
pub struct Signs {
    /// Whether the store can commit.
    pub store: bool,
    /// The state in Redis, where it is there: `None` when Redis does not answer, or refuses to write.
    pub state: Option<Option<Standing>>,
    /// Whether the database belongs to that state, as far as known.
    pub ours: bool,
    /// Whether Redis is set as it must not be: it may drop keys, above all.
    pub unfit: bool,
    /// What waits for the store, as far as known.
    pub lag: Option<Lag>,
}

impl Signs {
    /// Whether numbers are handed out.
    pub fn serves(&self) -> bool {
        match self.state {
            // All state is here, and each answer waits for the store.
            None => self.store,
            Some(state) => {
                self.ours
                    && matches!(state, Some(Standing::Ready(_)))
                    && self.lag.is_none_or(|lag| lag.events < lag.most)
            }
        }
    }

    /// Whether nothing is to be looked at: all is there, and history is and stays complete.
    fn is_well(&self) -> bool {
        let complete = self.lag.is_none_or(|lag| lag.aside == 0);
        self.store && self.serves() && complete && !self.unfit
    }

    /// Whether the state in Redis is there, whole and ours; `None` without Redis.
    pub(super) fn redis_up(&self) -> Option<bool> {
        self.state
            .map(|state| self.ours && matches!(state, Some(Standing::Ready(_))))
    }

    fn redis(&self) -> &'static str {
        match self.state {
            Some(Some(Standing::Ready(_))) if !self.ours => "refused",
            Some(Some(Standing::Ready(_))) if self.unfit => "unfit",
            None | Some(Some(Standing::Ready(_))) => "ok",
            Some(Some(Standing::Lost { .. })) => "rebuilding",
            Some(None) => "error",
        }
    }
}

impl Vitals {
    /// The vitals of a service with this store and, perhaps, a state that is shared. What fails is told by `outages`.
    pub fn new(journal: Arc<dyn Journal>, shared: Option<Together>, outages: Arc<Outages>) -> Self {
        Self {
            journal,
            shared,
            last: Mutex::default(),
            outages,
        }
    }

    /// How all is now, or was within the last second.
    pub async fn signs(&self, now: Timestamp) -> Signs {
        let mut last = self.last.lock().await;
        if let Some((at, signs)) = *last
            && now.ms_since(at) < SHARED_MS
        {
            return signs;
        }
        let (store, state, lag) = tokio::join!(self.can_commit(), self.state(), self.lag());
        let signs = Signs {
            store,
            state,
            ours: self.ours(),
            unfit: self.unfit(),
            lag,
        };
        *last = Some((now, signs));
        signs
    }

    /// Looks again once a second while what somebody asked for fails, until `stop`: the end of it is told when it is over, not
    /// when somebody asks next. Nothing is asked while all is well.
    pub async fn follow(&self, clock: &dyn Clock, stop: CancellationToken) {
        let following = async {
            let Outages { redis, database } = &*self.outages;
            loop {
                tokio::time::sleep(FOLLOW_EVERY).await;
                if redis.is_failing(User::Health) || database.is_failing(User::Health) {
                    self.signs(clock.now()).await;
                }
            }
        };
        let _: Option<()> = stop.run_until_cancelled(following).await;
    }

    /// Whether nodes share their state, in Redis.
    pub(super) const fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    fn ours(&self) -> bool {
        let shared = self.shared.as_ref();
        shared.is_none_or(|together| *together.gate.borrow() == Gate::Open)
    }

    fn unfit(&self) -> bool {
        let shared = self.shared.as_ref();
        shared.is_some_and(|together| *together.unfit.borrow())
    }

    async fn can_commit(&self) -> bool {
        let database = &self.outages.database;
        match tokio::time::timeout(PROBE_DEADLINE, self.journal.probe()).await {
            Ok(Ok(())) => {
                database.served(User::Health);
                return true;
            }
            Ok(Err(error)) => database.failed(User::Health, &error),
            Err(_) => database.failed(User::Health, &LATE),
        }
        false
    }

    async fn state(&self) -> Option<Option<Standing>> {
        let Together { shared, .. } = self.shared.as_ref()?;
        let asked = async {
            let standing = shared.state.standing().await?;
            shared.state.probe().await.map(|()| standing)
        };
        Some(match tokio::time::timeout(PROBE_DEADLINE, asked).await {
            Ok(Ok(standing)) => {
                self.outages.redis.served(User::Health);
                Some(standing)
            }
            Ok(Err(error)) => {
                self.outages.redis.failed(User::Health, &error);
                None
            }
            Err(_) => {
                self.outages.redis.failed(User::Health, &LATE);
                None
            }
        })
    }

    async fn lag(&self) -> Option<Lag> {
        let Together { shared, .. } = self.shared.as_ref()?;
        let asked = tokio::time::timeout(PROBE_DEADLINE, shared.outbox.lag()).await;
        asked.ok().and_then(Result::ok)
    }
}

/// How the service is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`, or `degraded` when something is not as it should be.
    status: &'static str,
    /// `ok`, or `error` when the store cannot commit.
    db: &'static str,
    /// `ok`, `error` when it does not answer or refuses to write, `rebuilding` when it lost its state,
    /// `refused` while the database belongs to another state than the one that is there, `unfit` when it is set as it must not be:
    /// its `maxmemory-policy` drops keys, say; the log and `caller-id doctor` tell. Without Redis always `ok`: the hot state is in
    /// the process.
    redis: &'static str,
    /// Now (RFC 3339).
    timestamp: String,
    /// Where the hot state is: `memory` or `redis`.
    engine: &'static str,
    /// The version of the service.
    version: &'static str,
    /// With Redis: what waits there for the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    outbox: Option<OutboxHealth>,
}

/// What waits for the store.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutboxHealth {
    /// Allocations and ends.
    events: u64,
    /// For how long the oldest of them waits, in milliseconds.
    oldest_ms: i64,
    /// With so many, no number is handed out.
    limit: u64,
    /// So many more could not be read: they are kept, and in no history. Not 0: `degraded`.
    aside: u64,
}

/// How the service is; 503 when it hands out no numbers. With Redis it goes on while the store is away: `degraded`, and 200.
#[utoipa::path(get, path = "/health", tag = "monitoring", responses(
    (status = 200, description = "Numbers are handed out", body = Health),
    (status = 503, description = "No number is handed out: the store cannot commit, or Redis is away, empty or full, or not the one that the database belongs to", body = Health),
))]
pub async fn health(State(api): State<Arc<Api>>) -> Response {
    let now = api.clock.now();
    let signs = api.health.signs(now).await;
    let serves = signs.serves() && api.rotator.is_routed();
    let well = signs.is_well() && serves;
    let body = Json(Health {
        status: if well { "ok" } else { "degraded" },
        db: if signs.store { "ok" } else { "error" },
        redis: signs.redis(),
        timestamp: now.to_string(),
        engine: if signs.state.is_some() {
            "redis"
        } else {
            "memory"
        },
        version: env!("CARGO_PKG_VERSION"),
        outbox: signs.lag.map(|lag| OutboxHealth {
            events: lag.events,
            oldest_ms: lag.oldest_ms,
            limit: lag.most,
            aside: lag.aside,
        }),
    });
    if serves {
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
    (status = 503, description = "No number is handed out", body = super::openapi::ProblemBody),
))]
pub async fn ready(State(api): State<Arc<Api>>) -> Result<&'static str, ApiError> {
    let signs = api.health.signs(api.clock.now()).await;
    if signs.serves() && api.rotator.is_routed() {
        Ok("ok\n")
    } else {
        Err(ApiError::NotReady)
    }
}
