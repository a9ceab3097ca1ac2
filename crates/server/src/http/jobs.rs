//! Jobs: imports and changes of many numbers that go on after their request was answered.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::fields::PathId;
use super::{Api, ApiError, Operator};
use crate::jobs::{Ending, Job, JobKind, Progress};
use crate::rows::{BadRow, Tally, WriteMode};

/// A job and how far it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobBody {
    id: String,
    /// `import` or `bulk`.
    kind: &'static str,
    /// `running`, `done`, `cancelled` or `failed`. Whatever was written stays.
    state: &'static str,
    /// Why it failed, or what else should be known.
    problem: Option<String>,
    /// Who began it.
    by: String,
    /// RFC 3339.
    started_at: String,
    /// RFC 3339; null while it runs.
    ended_at: Option<String>,
    /// It writes nothing; the counts tell what would have been.
    dry_run: bool,
    /// Of an import.
    import: Option<ImportProgress>,
    /// Of a change of many numbers.
    bulk: Option<BulkProgress>,
}

/// How far an import is.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportProgress {
    #[serde(flatten)]
    tally: Tally,
    /// Bytes of the file that were read, as they came.
    bytes: u64,
    /// The first 5,000 bad rows, by line; none in the list of jobs.
    errors: Vec<BadRow>,
    /// How many bad rows more there are.
    errors_left_out: u64,
    /// Columns of the file that mean nothing to us.
    unknown_columns: Vec<String>,
}

/// How far a change of many numbers is.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkProgress {
    /// How many numbers were asked for when it began.
    total: u64,
    /// How many it looked at.
    matched: u64,
    /// How many of these changed, or would; the others are so already.
    changed: u64,
}

/// The jobs of this node.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobList {
    /// The newest first.
    jobs: Vec<JobBody>,
}

impl JobBody {
    /// A job as it is now, without the bad rows of its file.
    fn brief(job: &Job) -> Self {
        Self::with(
            job,
            &Progress {
                errors: Vec::new(),
                ..job.progress().clone()
            },
        )
    }

    /// A job as it is now.
    pub(super) fn new(job: &Job) -> Self {
        let progress = job.progress().clone();
        Self::with(job, &progress)
    }

    fn with(job: &Job, progress: &Progress) -> Self {
        let (state, problem) = match &progress.ending {
            None => ("running", None),
            Some(Ending::Done) => ("done", None),
            Some(Ending::Cancelled) => ("cancelled", None),
            Some(Ending::Failed(why)) => ("failed", Some(why.clone())),
        };
        let import = || ImportProgress {
            tally: progress.tally,
            bytes: job.bytes(),
            errors: progress.errors.clone(),
            errors_left_out: progress.errors_left_out,
            unknown_columns: progress.unknown_columns.clone(),
        };
        let bulk = || BulkProgress {
            total: progress.total.max(progress.matched),
            matched: progress.matched,
            changed: progress.changed,
        };
        Self {
            id: job.id.to_string(),
            kind: job.kind.as_str(),
            state,
            problem: problem.or_else(|| progress.note.clone()),
            by: job.by.clone(),
            started_at: job.started_at.to_string(),
            ended_at: progress.ended_at.map(|at| at.to_string()),
            dry_run: job.mode == WriteMode::DryRun,
            import: (job.kind == JobKind::Import).then(import),
            bulk: (job.kind == JobKind::Bulk).then(bulk),
        }
    }
}

/// 202 with the job, and where it is.
pub(super) fn accepted(job: &Job) -> Response {
    let mut answer = (StatusCode::ACCEPTED, Json(JobBody::new(job))).into_response();
    if let Ok(place) = HeaderValue::try_from(format!("/api/v1/jobs/{}", job.id)) {
        answer.headers_mut().insert(LOCATION, place);
    }
    answer
}

/// The jobs that this node runs, and the last ones that it ran. They are forgotten when it stops.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    responses((status = 200, description = "At most 20", body = JobList)))]
pub async fn list(State(api): State<Arc<Api>>, _operator: Operator) -> Json<JobList> {
    let jobs = api.jobs.all();
    Json(JobList {
        jobs: jobs.iter().rev().map(|job| JobBody::brief(job)).collect(),
    })
}

/// A job of this node: other nodes do not know it.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 200, description = "How far it is", body = JobBody),
        (status = 404, description = "There is none, or it is another node's", body = super::openapi::ProblemBody),
        (status = 422, description = "The path is not UTF-8", body = super::openapi::ProblemBody),
    ))]
pub async fn show(
    State(api): State<Arc<Api>>,
    _operator: Operator,
    id: PathId,
) -> Result<Json<JobBody>, ApiError> {
    Ok(Json(JobBody::new(&*job(&api, &id)?)))
}

/// Cancels a job: it ends after what it is just writing, and that stays. One that has ended stays as it is.
#[utoipa::path(delete, path = "/api/v1/jobs/{id}", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 200, description = "As it is now; it may still run for a moment", body = JobBody),
        (status = 404, description = "There is none, or it is another node's", body = super::openapi::ProblemBody),
        (status = 422, description = "The path is not UTF-8", body = super::openapi::ProblemBody),
    ))]
pub async fn cancel(
    State(api): State<Arc<Api>>,
    _operator: Operator,
    id: PathId,
) -> Result<Json<JobBody>, ApiError> {
    let job = job(&api, &id)?;
    job.cancel();
    Ok(Json(JobBody::new(&job)))
}

fn job(api: &Api, PathId(id): &PathId) -> Result<Arc<Job>, ApiError> {
    let found = Uuid::try_parse(id).ok().and_then(|id| api.jobs.get(id));
    found.ok_or_else(|| ApiError::no_such("job", &caller_id_core::text::shown(id)))
}
