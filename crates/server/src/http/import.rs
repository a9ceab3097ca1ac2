//! `POST /api/v1/numbers/import`: many numbers in one request, as CSV or NDJSON.

mod feed;
mod job;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use caller_id_core::store::OnDuplicate;
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;
use utoipa::ToSchema;

use self::feed::{Begun, Patience, ahead, feed};
use super::jobs::accepted;
use super::query::Query;
use super::{Api, ApiError, Fault, Operator};
use crate::jobs::JobKind;
use crate::rows::{
    self, BadRow, FileError, Form, Intake, NAMED_MOST, NEW_POOLS_MOST, Options, Stop, Tally,
    Target, Watcher, WriteMode,
};

/// Rows of one transaction: few enough that allocations do not wait for it.
const BATCH_ROWS: usize = 2_000;
/// A body may take so long as a whole; two million rows over a slow line come in less.
const WHOLE_BODY: Duration = Duration::from_secs(3_600);

/// What became of the rows.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportBody {
    #[serde(flatten)]
    tally: Tally,
    /// Nothing was written; the counts tell what would have been.
    dry_run: bool,
    /// The first 5,000 bad rows, by line. The header is line 1.
    errors: Vec<BadRow>,
    /// How many bad rows more there are.
    errors_left_out: u64,
    /// Columns of the file that mean nothing to us.
    unknown_columns: Vec<String>,
    /// The first 1,000 pools that rows name and that were not there: they are made, or would be.
    new_pools: Vec<String>,
}

/// Reads numbers as CSV or NDJSON from the body, plain or gzip, and writes them, a batch of rows in one transaction.
///
/// Bad rows are told in the answer and do not hinder the others. An empty status, pool or limit is the default in a new number, and
/// leaves a number that is there as it is; an empty carrier, attestation, area code or meta takes it away. A rest that is over is none. A
/// pool that a row names is made where it is not there: `new_pools` tells which. `meta` has at most 4,096 bytes. What is written stays written, also when the request
/// fails later. When the answer is there, the engine knows the numbers.
///
/// As a job the answer comes once 8 MiB of the file are here, or all of it: go on sending, and ask the job how far it is.
#[utoipa::path(
    post,
    path = "/api/v1/numbers/import",
    tag = "inventory",
    params(
        ("on_duplicate" = Option<String>, Query, description = "skip (default), update (columns that the file has not keep their values, and so do empty cells of status, pool and limits) or fail: what to do with numbers that are there"),
        ("dry_run" = Option<bool>, Query, description = "true: write nothing, tell what would be written"),
        ("job" = Option<bool>, Query, description = "true: answer with a job that goes on"),
    ),
    request_body(
        content(
            (String = "text/csv", example = "caller_id,carrier,area_code,daily_limit,hourly_limit,pool,attestation,status,meta\n+13125550100,Carrier A,312,500,none,default,A,active,\n"),
            (String = "application/x-ndjson", example = "{\"number\":\"+13125550100\",\"carrier\":\"Carrier A\",\"hourly_limit\":null}\n"),
        ),
        description = "CSV: a header that names caller_id (or number, did) and where wanted carrier, area_code, daily_limit, hourly_limit, pool, attestation, status, meta; then one number a row. NDJSON: an object with these names on each line"
    ),
    security(("admin_token" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "The file was read to its end", body = ImportBody),
        (status = 202, description = "It is begun, as a job", body = super::jobs::JobBody, headers(("Location" = String, description = "Where it is asked how far it is"))),
        (status = 401, description = "No admin token, or a wrong one", body = super::openapi::ProblemBody),
        (status = 403, description = "No admin, or an address that is not allowed", body = super::openapi::ProblemBody),
        (status = 408, description = "The body stalled; rows before that are written", body = super::openapi::ProblemBody),
        (status = 415, description = "The body says to be something else", body = super::openapi::ProblemBody),
        (status = 422, description = "The file cannot be read, or not to its end; says how many rows are written", body = super::openapi::ProblemBody),
        (status = 503, description = "The store failed; says how many rows are written", body = super::openapi::ProblemBody),
    )
)]
pub async fn import(
    State(api): State<Arc<Api>>,
    Operator(who): Operator,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let form = form(&headers)?;
    let (options, as_job) = options(query.as_deref().unwrap_or_default(), form)?;
    let patience = Patience {
        stall: api.answers.body_deadline,
        until: Instant::now() + WHOLE_BODY,
    };
    let target = Target {
        store: api.inventory.clone(),
        by: who.author,
        sync: Some(api.sync.clone()),
    };
    if as_job {
        let running = api
            .jobs
            .begin(JobKind::Import, &target.by.name, options.mode)?;
        let job = running.job().clone();
        let begun = tokio::select! {
            biased;
            // Whoever cancels it does not wait for what is still to come of its body, nor does the body's sender.
            () = job.cancelled() => Begun::nothing(),
            begun = ahead(body, patience) => begun,
        };
        let (pump, input) = feed(begun.body, patience, job.byte_counter());
        let taking = job::run(api.clone(), pump, input, (target, options), running);
        tokio::spawn(taking);
        let mut answer = accepted(&api, &job).await;
        if !begun.is_whole {
            // On a connection that stays open hyper tells the end of a body that comes after its answer only with the next
            // request.
            let close = HeaderValue::from_static("close");
            answer.headers_mut().insert(CONNECTION, close);
        }
        return Ok(answer);
    }
    let (pump, input) = feed(body, patience, Arc::default());
    let mut named = Named::default();
    let taking = rows::take_in(input, target, options, &mut named);
    let ((), intake) = tokio::join!(pump, taking);
    let Intake { tally, stopped } = intake;
    if options.mode == WriteMode::Write && tally.added + tally.updated > 0 {
        let synced = api.sync.now().await;
        synced.map_err(|error| ApiError::Partly {
            cause: Box::new(error.into()),
            tally,
        })?;
    }
    if let Some(stop) = stopped {
        return Err(failure(stop, tally, options));
    }
    let body = ImportBody {
        tally,
        dry_run: options.mode == WriteMode::DryRun,
        errors: named.rows,
        errors_left_out: named.left_out,
        unknown_columns: named.unknown_columns,
        new_pools: named.new_pools,
    };
    Ok(Json(body).into_response())
}

/// What the query may say: each name, and the same in the spelling of the command line.
const PARAMETERS: [&str; 5] = ["on_duplicate", "on-duplicate", "dry_run", "dry-run", "job"];

/// A name that is not known is refused, and one that is given twice: a `dryrun=true` that is passed over would write.
fn options(query: &str, form: Form) -> Result<(Options, bool), ApiError> {
    let query = Query::parse(query.as_bytes(), "query");
    let both = |name: &'static str, other| (query.has(name) && query.has(other)).then_some(name);
    let twice = both("on-duplicate", "on_duplicate").or_else(|| both("dry-run", "dry_run"));
    if let Some(fault) = query.misnamed(&PARAMETERS) {
        return Err(ApiError::Invalid(vec![fault]));
    } else if let Some(name) = twice {
        let expected = format!("{name}: given in two spellings, one expected");
        let kind = "unexpected_parameter";
        return Err(ApiError::invalid(&["query", name], kind, expected));
    }
    let on_duplicate = || {
        let given = query.parsed("on_duplicate", rows::parse_on_duplicate)?;
        let spelled = query.parsed("on-duplicate", rows::parse_on_duplicate)?;
        Ok(given.or(spelled).unwrap_or(OnDuplicate::Skip))
    };
    let mode = || {
        let given = write_mode(&query, "dry_run")?;
        let spelled = write_mode(&query, "dry-run")?;
        Ok(given.or(spelled).unwrap_or(WriteMode::Write))
    };
    let as_job = || query.parsed("job", parse_job);
    match (on_duplicate(), mode(), as_job()) {
        (Ok(on_duplicate), Ok(mode), Ok(as_job)) => {
            let options = Options {
                form,
                on_duplicate,
                mode,
                batch_rows: BATCH_ROWS,
            };
            Ok((options, as_job.unwrap_or_default()))
        }
        (on_duplicate, mode, as_job) => {
            let faults = on_duplicate.err().into_iter();
            let faults = faults.chain(mode.err()).chain(as_job.err());
            Err(ApiError::Invalid(faults.collect()))
        }
    }
}

/// `?dry_run` alone is meant as a yes: taken for nothing given, it would write.
fn write_mode(query: &Query<'_>, name: &str) -> Result<Option<WriteMode>, Fault> {
    let mode = query.parsed(name, parse_dry_run)?;
    if mode.is_none() && query.has(name) {
        let expected = format!("{name} has no value, true or false expected");
        return Err(Fault::new(
            &["query", name],
            "missing",
            expected,
            Value::Null,
        ));
    }
    Ok(mode)
}

fn parse_dry_run(text: &str) -> Result<WriteMode, &'static str> {
    match text {
        "true" | "1" => Ok(WriteMode::DryRun),
        "false" | "0" => Ok(WriteMode::Write),
        _ => Err("dry_run: true or false expected"),
    }
}

fn parse_job(text: &str) -> Result<bool, &'static str> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("job: true or false expected"),
    }
}

/// Refuses bodies that say to be what we cannot read. Whether it is packed is told from its first bytes, and what
/// `curl --data-binary` and browsers call a CSV file is taken for one.
fn form(headers: &HeaderMap) -> Result<Form, ApiError> {
    let text = |name: HeaderName| {
        let value = headers.get(name)?.to_str().unwrap_or("unreadable");
        let kind = value.split(';').next().unwrap_or_default().trim();
        Some(kind.to_ascii_lowercase())
    };
    let kind = text(CONTENT_TYPE).unwrap_or_default();
    let is_ndjson = matches!(
        kind.as_str(),
        "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines"
            | "application/jsonlines"
    );
    let plausible = is_ndjson
        || kind.starts_with("text/")
        || matches!(
            kind.as_str(),
            "" | "application/csv"
                | "application/gzip"
                | "application/x-gzip"
                | "application/octet-stream"
                | "application/vnd.ms-excel"
                | "application/x-www-form-urlencoded"
        );
    if !plausible {
        return Err(ApiError::MediaType(
            "text/csv, application/x-ndjson or application/gzip",
        ));
    }
    let coding = text(CONTENT_ENCODING).unwrap_or_default();
    if !matches!(coding.as_str(), "" | "identity" | "gzip" | "x-gzip") {
        return Err(ApiError::MediaType(
            "text/csv, with content-encoding gzip or none,",
        ));
    }
    Ok(match is_ndjson {
        true => Form::Ndjson,
        false => Form::Csv,
    })
}

/// The error for a file that was not read to its end.
fn failure(stop: Stop, tally: Tally, options: Options) -> ApiError {
    let written = match options.mode {
        WriteMode::Write => tally.added + tally.updated,
        WriteMode::DryRun => 0,
    };
    let cause = match stop {
        Stop::Store(error) => ApiError::from(error),
        Stop::File(FileError::Read { source, .. }) if source.kind() == io::ErrorKind::TimedOut => {
            ApiError::TooSlow
        }
        Stop::File(error) => ApiError::invalid(
            &["body"],
            match options.form {
                Form::Csv => "csv",
                Form::Ndjson => "ndjson",
            },
            format!(
                "{error} ({} rows were read, {written} of them written)",
                tally.rows
            ),
        ),
    };
    ApiError::Partly {
        cause: Box::new(cause),
        tally,
    }
}

/// The bad rows that the answer names.
#[derive(Default)]
struct Named {
    rows: Vec<BadRow>,
    left_out: u64,
    unknown_columns: Vec<String>,
    new_pools: Vec<String>,
}

impl Watcher for Named {
    fn unknown_columns(&mut self, names: &[String]) {
        self.unknown_columns = names.to_vec();
    }

    fn new_pool(&mut self, name: &str) {
        if self.new_pools.len() < NEW_POOLS_MOST {
            self.new_pools.push(name.to_owned());
        }
    }

    fn bad_row(&mut self, row: BadRow) {
        if self.rows.len() < NAMED_MOST {
            self.rows.push(row);
        } else {
            self.left_out += 1;
        }
    }

    fn progress(&mut self, _tally: &Tally) {}
}
