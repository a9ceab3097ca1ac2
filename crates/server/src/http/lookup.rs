//! `GET /api/v1/lookup`: who was called from this number. For calls that come back.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use caller_id_core::history_query::PastFilter;
use caller_id_core::listing::{NumberRow, StatusKind};
use caller_id_core::{NumberError, PhoneNumber, Status};
use serde::Serialize;
use utoipa::ToSchema;

use super::allocations::AllocationBody;
use super::page::Parameters;
use super::past;
use super::{Api, ApiError, Fault, Viewer};

/// So many calls are shown when nothing is said.
const CALLS_DEFAULT: usize = 10;
/// So many may be.
const CALLS_MOST: usize = 100;

/// What is known of a number, and who was called from it.
#[derive(Debug, Serialize, ToSchema)]
pub struct LookupBody {
    /// The number asked for, in E.164.
    number: String,
    /// Whether it is in the inventory and not retired.
    ours: bool,
    /// Its row; null when it is not in the inventory (any more).
    row: Option<LookupRow>,
    /// The last calls from it, newest first, whether it is still ours or not.
    calls: Vec<AllocationBody>,
    /// The caller of `from`, in E.164; null without one.
    from: Option<String>,
    /// The last call from this number to that caller: whose call-back this is. Null: there was none, or no caller is given.
    called_back: Option<AllocationBody>,
}

/// What the inventory says of a number.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "status": "active", "resting_until": null, "pool": "solar", "carrier": "Acme", "area_code": "312", "attestation": "A",
    "created_at": "2026-11-01T09:00:00.000000Z", "updated_at": "2026-11-01T09:00:00.000000Z"
}))]
pub struct LookupRow {
    /// active, paused, resting or retired.
    status: &'static str,
    /// The end of its rest, where it rests.
    resting_until: Option<String>,
    /// The pool that it is in.
    pool: String,
    /// Who carries calls from it.
    carrier: Option<String>,
    /// Its area code.
    area_code: Option<String>,
    /// STIR/SHAKEN level of calls from it: A, B or C.
    attestation: Option<String>,
    /// When it was added (RFC 3339).
    created_at: String,
    /// When it was last changed.
    updated_at: String,
}

impl From<&NumberRow> for LookupRow {
    fn from(row: &NumberRow) -> Self {
        let number = &row.number;
        Self {
            status: StatusKind::of(number.status).as_str(),
            resting_until: match number.status {
                Status::Resting(until) => Some(until.to_string()),
                Status::Active | Status::Paused | Status::Retired => None,
            },
            pool: number.pool.to_string(),
            carrier: number.carrier.clone(),
            area_code: number.area_code.map(|code| code.to_string()),
            attestation: number.attestation.map(|level| level.to_string()),
            created_at: row.created_at.to_string(),
            updated_at: row.updated_at.to_string(),
        }
    }
}

/// Who was called from this number. With the number of a caller, which of these calls they answer: an IVR or an agent's
/// screen can bring them back to the campaign, or to the agent. Of numbers that are retired or deleted, too.
#[utoipa::path(get, path = "/api/v1/lookup", tag = "calls", security(("admin_token" = []), ("bearer" = [])),
    params(
        ("number" = String, Query, description = "The number that was called back, in any form", example = "3125550100"),
        ("from" = Option<String>, Query, description = "The caller, in any form; `anonymous`, `restricted`, `private`, `unknown` and `unavailable` are nobody", example = "2125551212"),
        ("limit" = Option<u32>, Query, description = "At most so many calls, 1 to 100; 10 when nothing is said", minimum = 1, maximum = 100),
    ),
    responses(
        (status = 200, body = LookupBody),
        (status = 422, description = "A parameter is missing or cannot be understood", body = super::openapi::ProblemBody,
            content_type = "application/problem+json"),
        (status = 503, description = "The store is not available", body = super::openapi::ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub async fn lookup(
    State(api): State<Arc<Api>>,
    _viewer: Viewer,
    RawQuery(query): RawQuery,
) -> Result<Json<LookupBody>, ApiError> {
    let Asked { number, from, most } = read(query.as_deref())?;
    let row = api.inventory.number_row(number).await?;
    let calls_from = PastFilter {
        number: Some(number),
        ..PastFilter::default()
    };
    let calls = past::latest(&api, calls_from.clone(), most).await?;
    let called_back = match from {
        None => Vec::new(),
        Some(from) => {
            let to_caller = PastFilter {
                destination: Some(from),
                ..calls_from
            };
            past::latest(&api, to_caller, 1).await?
        }
    };
    let now = api.clock.now();
    let body = |past| AllocationBody::new(past, now);
    Ok(Json(LookupBody {
        number: number.to_string(),
        ours: row
            .as_ref()
            .is_some_and(|row| row.number.status != Status::Retired),
        row: row.as_ref().map(LookupRow::from),
        calls: calls.iter().map(body).collect(),
        from: from.map(|from| from.to_string()),
        called_back: called_back.first().map(body),
    }))
}

struct Asked {
    number: PhoneNumber,
    from: Option<PhoneNumber>,
    most: usize,
}

fn read(query: Option<&str>) -> Result<Asked, ApiError> {
    let mut parameters = Parameters::new(query, &["number", "from", "limit"]);
    let number = parameters.one("number", PhoneNumber::parse);
    let from = parameters.one("from", caller).flatten();
    let most = parameters.one("limit", limit).unwrap_or(CALLS_DEFAULT);
    parameters.finish()?;
    let missing = || ApiError::Invalid(vec![Fault::missing(&["query", "number"])]);
    Ok(Asked {
        number: number.ok_or_else(missing)?,
        from,
        most,
    })
}

/// Networks have words for callers who hide their number: they are nobody, and no fault of whoever asks.
fn caller(text: &str) -> Result<Option<PhoneNumber>, NumberError> {
    const NOBODY: [&str; 5] = [
        "anonymous",
        "restricted",
        "private",
        "unknown",
        "unavailable",
    ];
    let word = text.trim().to_ascii_lowercase();
    match NOBODY.contains(&word.as_str()) {
        true => Ok(None),
        false => PhoneNumber::parse(text).map(Some),
    }
}

fn limit(text: &str) -> Result<usize, String> {
    let limit: Option<usize> = text.trim().parse().ok();
    limit
        .filter(|limit| (1..=CALLS_MOST).contains(limit))
        .ok_or_else(|| format!("limit: a whole number from 1 to {CALLS_MOST} is expected"))
}
