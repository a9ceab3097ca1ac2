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
use crate::jobs::{Ending, Job, JobKind, JobShown};
use crate::rows::{BadRow, Tally, WriteMode};

/// Why a job was interrupted.
const GONE: &str = "the node that ran it is gone; what it had written stays";

/// A job and how far it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobBody {
    id: String,
    /// `import` or `bulk`.
    kind: &'static str,
    /// `running`, `done`, `cancelled`, `failed`, or `interrupted`: the node that ran it is gone. Whatever was written stays.
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
    /// Pools that were not there before, the first 1,000: made, or of a dry run those that would be.
    new_pools: Vec<String>,
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

/// Jobs.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobList {
    /// The newest first.
    jobs: Vec<JobBody>,
    /// False: Redis was not reached, and these are only those of this node.
    all_nodes: bool,
}

impl From<JobShown> for JobBody {
    fn from(job: JobShown) -> Self {
        let progress = job.progress;
        let (state, problem) = match progress.ending {
            None => ("running", None),
            Some(Ending::Done) => ("done", None),
            Some(Ending::Cancelled) => ("cancelled", None),
            Some(Ending::Failed(why)) => ("failed", Some(why)),
            Some(Ending::Interrupted) => ("interrupted", Some(GONE.to_owned())),
        };
        let (import, bulk) = match job.kind {
            JobKind::Import => {
                let import = ImportProgress {
                    tally: progress.tally,
                    bytes: job.bytes,
                    errors: progress.errors,
                    errors_left_out: progress.errors_left_out,
                    unknown_columns: progress.unknown_columns,
                    new_pools: progress.new_pools,
                };
                (Some(import), None)
            }
            JobKind::Bulk => {
                let bulk = BulkProgress {
                    total: progress.total.max(progress.matched),
                    matched: progress.matched,
                    changed: progress.changed,
                };
                (None, Some(bulk))
            }
        };
        Self {
            id: job.id.to_string(),
            kind: job.kind.as_str(),
            state,
            problem: problem.or(progress.note),
            by: job.by,
            started_at: job.started_at.to_string(),
            ended_at: progress.ended_at.map(|at| at.to_string()),
            dry_run: job.mode == WriteMode::DryRun,
            import,
            bulk,
        }
    }
}

/// 202 with the job, and where it is: every node knows it by then.
pub(super) async fn accepted(api: &Api, job: &Job) -> Response {
    api.jobs.tell(job).await;
    let body = JobBody::from(JobShown::whole(job));
    let mut answer = (StatusCode::ACCEPTED, Json(body)).into_response();
    if let Ok(place) = HeaderValue::try_from(format!("/api/v1/jobs/{}", job.id)) {
        answer.headers_mut().insert(LOCATION, place);
    }
    answer
}

/// The jobs that run, and the last ones that ran; in a cluster those of all nodes. A service without Redis forgets them when
/// it stops.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    responses((status = 200, description = "The last 20, and besides those that run", body = JobList)))]
pub async fn list(State(api): State<Arc<Api>>, _operator: Operator) -> Json<JobList> {
    let (jobs, all_nodes) = api.jobs.everywhere().await;
    Json(JobList {
        jobs: jobs.into_iter().map(JobBody::from).collect(),
        all_nodes,
    })
}

/// A job, whichever node runs it. What another node does is told once a second.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 200, description = "How far it is", body = JobBody),
        (status = 404, description = "There is none", body = super::openapi::ProblemBody),
        (status = 422, description = "The path is not UTF-8", body = super::openapi::ProblemBody),
        (status = 503, description = "It is none of this node, and Redis, where the others tell of theirs, does not answer", body = super::openapi::ProblemBody),
    ))]
pub async fn show(
    State(api): State<Arc<Api>>,
    _operator: Operator,
    id: PathId,
) -> Result<Json<JobBody>, ApiError> {
    let found = match read(&id) {
        Some(id) => api.jobs.find(id).await?,
        None => None,
    };
    shown(found, &id)
}

/// Cancels a job, whichever node runs it: it ends after what it is just writing, and that stays. One that has ended stays as it
/// is.
#[utoipa::path(delete, path = "/api/v1/jobs/{id}", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 200, description = "As it is now; it may still run for a moment, one of another node for a second", body = JobBody),
        (status = 404, description = "There is none", body = super::openapi::ProblemBody),
        (status = 422, description = "The path is not UTF-8", body = super::openapi::ProblemBody),
        (status = 503, description = "It is none of this node, and Redis, where the others are told, does not answer", body = super::openapi::ProblemBody),
    ))]
pub async fn cancel(
    State(api): State<Arc<Api>>,
    _operator: Operator,
    id: PathId,
) -> Result<Json<JobBody>, ApiError> {
    let found = match read(&id) {
        Some(id) => api.jobs.cancel(id).await?,
        None => None,
    };
    shown(found, &id)
}

fn read(PathId(id): &PathId) -> Option<Uuid> {
    Uuid::try_parse(id).ok()
}

fn shown(found: Option<JobShown>, PathId(id): &PathId) -> Result<Json<JobBody>, ApiError> {
    let job = found.ok_or_else(|| ApiError::no_such("job", &caller_id_core::text::shown(id)))?;
    Ok(Json(job.into()))
}
