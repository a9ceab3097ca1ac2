//! `GET /api/v1/allocations`: which number was shown to whom, for which call, and how that ended.

mod body;
mod export;

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::response::{IntoResponse, Response};
use caller_id_core::AllocationId;
use caller_id_core::history_query::{PastFilter, PastQuery};
use serde::Serialize;
use utoipa::ToSchema;

pub use self::body::AllocationBody;

use self::export::Source;
use super::fields::PathId;
use super::page::{List, Parameters};
use super::past;
use super::times::{SINCE, TIME_ZONE, Times, UNTIL};
use super::{Api, ApiError, Viewer};

/// A page of allocations.
#[derive(Debug, Serialize, ToSchema)]
pub struct AllocationList {
    /// Newest first.
    allocations: Vec<AllocationBody>,
    /// Give it back as `cursor` for what comes behind; null: that was all. A page may be short, even empty, and yet go on.
    next: Option<String>,
}

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Csv,
}

/// The history of allocations, newest first. New calls move no page: they come before the first. As CSV all that is asked for,
/// in one answer: for the requests of carriers who trace a call back.
#[utoipa::path(get, path = "/api/v1/allocations", tag = "calls", security(("admin_token" = []), ("bearer" = [])),
    params(
        ("number" = Option<String>, Query, description = "Only of this number", example = "3125550100"),
        ("destination" = Option<String>, Query, description = "Only for calls to this party"),
        ("campaign" = Option<String>, Query, description = "Only of this campaign"),
        ("agent" = Option<String>, Query, description = "Only of this agent"),
        ("call_id" = Option<String>, Query, description = "Only of this call"),
        ("pool" = Option<String>, Query, description = "Only of numbers out of this pool"),
        ("since" = Option<String>, Query, description = "Only those made at this instant or later; of a date, from its beginning", example = "2026-11-22"),
        ("until" = Option<String>, Query, description = "Only those made before this instant; of a date, up to its end", example = "2026-11-22T12:00:00Z"),
        ("time_zone" = Option<String>, Query, description = "Where dates begin; UTC when nothing is said", example = "America/Chicago"),
        ("format" = Option<String>, Query, description = "json (default) or csv, which `Accept: text/csv` asks for, too"),
        ("limit" = Option<u32>, Query, description = "At most so many, 1 to 1,000; 50 when nothing is said. CSV has no pages", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses(
        (status = 200, content((AllocationList = "application/json"), (String = "text/csv"))),
        (status = 422, description = "A parameter cannot be understood", body = super::openapi::ProblemBody,
            content_type = "application/problem+json"),
        (status = 503, description = "The store is not available", body = super::openapi::ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub async fn list(
    State(api): State<Arc<Api>>,
    _viewer: Viewer,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let list = List::of(query.as_deref());
    let (asked, form) = read(query.as_deref(), &list)?;
    let now = api.clock.now();
    if form.unwrap_or_else(|| accepted(&headers)) == Form::Csv {
        return export::answer(source(&api), asked, now).await;
    }
    let page = past::page(&api, asked).await?;
    let allocations = page.allocations.iter();
    let allocations = allocations.map(|past| AllocationBody::new(past, now));
    let body = AllocationList {
        allocations: allocations.collect(),
        next: page.next.map(|next| list.cursor(&next)),
    };
    Ok(Json(body).into_response())
}

/// The same as CSV: times in UTC, numbers in E.164; what a spreadsheet would take for a formula begins with an apostrophe.
/// Attestation, carrier and area code of a number are not kept with its calls: `attestation` and `carrier` are those that the
/// number has now, and empty where it is no longer there. What they were at the call tells the audit log (`/api/v1/audit?subject=`).
#[utoipa::path(get, path = "/api/v1/allocations.csv", tag = "calls", security(("admin_token" = []), ("bearer" = [])),
    params(
        ("number" = Option<String>, Query, description = "Only of this number", example = "3125550100"),
        ("destination" = Option<String>, Query, description = "Only for calls to this party"),
        ("campaign" = Option<String>, Query, description = "Only of this campaign"),
        ("agent" = Option<String>, Query, description = "Only of this agent"),
        ("call_id" = Option<String>, Query, description = "Only of this call"),
        ("pool" = Option<String>, Query, description = "Only of numbers out of this pool"),
        ("since" = Option<String>, Query, description = "Only those made at this instant or later; of a date, from its beginning", example = "2026-11-22"),
        ("until" = Option<String>, Query, description = "Only those made before this instant; of a date, up to its end", example = "2026-11-22T12:00:00Z"),
        ("time_zone" = Option<String>, Query, description = "Where dates begin; UTC when nothing is said", example = "America/Chicago"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/csv"),
        (status = 422, description = "A parameter cannot be understood", body = super::openapi::ProblemBody,
            content_type = "application/problem+json"),
        (status = 503, description = "The store is not available", body = super::openapi::ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub async fn csv(
    State(api): State<Arc<Api>>,
    _viewer: Viewer,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let mut parameters = Parameters::new(query.as_deref(), &FILTERS);
    let filter = filter(&mut parameters);
    parameters.finish()?;
    let now = api.clock.now();
    let asked = PastQuery {
        filter,
        ..PastQuery::default()
    };
    export::answer(source(&api), asked, now).await
}

/// One allocation.
#[utoipa::path(get, path = "/api/v1/allocations/{id}", tag = "calls", security(("admin_token" = []), ("bearer" = [])),
    params(("id" = String, Path, description = "`reservation_id` of the answer to the dialer", example = "019aab38-6c00-7000-8002-0d7f1a0b5c24")),
    responses(
        (status = 200, body = AllocationBody),
        (status = 404, description = "There is none, or history has forgotten it", body = super::openapi::ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "The id is none", body = super::openapi::ProblemBody,
            content_type = "application/problem+json"),
        (status = 503, description = "The store is not available", body = super::openapi::ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub async fn show(
    State(api): State<Arc<Api>>,
    _viewer: Viewer,
    id: PathId,
) -> Result<Json<AllocationBody>, ApiError> {
    let id = id.parse(str::parse::<AllocationId>)?;
    // The newest from its instant on that is not newer than it.
    let asked = PastQuery {
        filter: PastFilter {
            since: Some(id.at()),
            ..PastFilter::default()
        },
        before: id.next(),
        most: 1,
    };
    let page = past::page(&api, asked).await?;
    let found = page.allocations.iter().find(|past| past.record.id == id);
    let past = found.ok_or_else(|| ApiError::no_such("allocation", &id))?;
    Ok(Json(AllocationBody::new(past, api.clock.now())))
}

fn source(api: &Api) -> Source {
    Source {
        history: api.history.clone(),
        inventory: api.inventory.clone(),
    }
}

const FILTERS: [&str; 9] = [
    "number",
    "destination",
    "campaign",
    "agent",
    "call_id",
    "pool",
    SINCE,
    UNTIL,
    TIME_ZONE,
];

fn read(query: Option<&str>, list: &List) -> Result<(PastQuery, Option<Form>), ApiError> {
    let known = [&FILTERS[..], &["format", "limit", "cursor"]].concat();
    let mut parameters = Parameters::new(query, &known);
    let form = parameters.one("format", |text| match text.trim() {
        "json" => Ok(Form::Json),
        "csv" => Ok(Form::Csv),
        _ => Err("format: json or csv is expected"),
    });
    let asked = PastQuery {
        filter: filter(&mut parameters),
        before: parameters.place(list),
        most: parameters.limit(),
    };
    parameters.finish()?;
    Ok((asked, form))
}

fn filter(parameters: &mut Parameters<'_>) -> PastFilter {
    let times = Times::read(parameters);
    PastFilter {
        since: times.since,
        until: times.until,
        ..past::filter(parameters)
    }
}

/// What the client wants, where it wants CSV.
fn accepted(headers: &HeaderMap) -> Form {
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    let mut kinds = accepted.unwrap_or_default().split(',');
    match kinds.any(|kind| kind.trim().starts_with("text/csv")) {
        true => Form::Csv,
        false => Form::Json,
    }
}
