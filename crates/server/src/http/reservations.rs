//! `GET /api/v1/reservations`: which numbers are held now, and for whom.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use caller_id_core::history_query::{PastFilter, PastQuery};
use caller_id_core::{AllocationRecord, PastAllocation};
use serde::Serialize;
use utoipa::ToSchema;

use super::page::{List, Parameters};
use super::past;
use super::{Api, ApiError, Viewer};

/// A live reservation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "019aab38-6c00-7000-8002-0d7f1a0b5c24", "caller_id": "+13125550100", "destination": "+12125551212",
    "campaign": "SOLAR", "agent": "1001", "call_id": "V1122120000000012345", "pool": "default", "rung": "any",
    "since": "2026-11-22T12:00:00.000000Z", "until": "2026-11-22T12:05:00.000000Z"
}))]
pub struct ReservationBody {
    /// Its id, also that of its allocation.
    id: String,
    /// The number that it holds.
    caller_id: String,
    /// The called party.
    destination: String,
    /// The dialer's campaign, where it said one.
    campaign: Option<String>,
    /// Who makes the call, where the dialer said so.
    agent: Option<String>,
    /// The dialer's id of the call, where it said one.
    call_id: Option<String>,
    /// Out of which pool the number is.
    pool: String,
    /// How it was chosen: sticky, area_code, overlay, region or any.
    rung: &'static str,
    /// When it was allocated (RFC 3339).
    since: String,
    /// When it ends unless somebody ends it before.
    until: String,
}

impl From<&AllocationRecord> for ReservationBody {
    fn from(record: &AllocationRecord) -> Self {
        Self {
            id: record.id.to_string(),
            caller_id: record.number.to_string(),
            destination: record.destination.to_string(),
            campaign: record.campaign.as_ref().map(ToString::to_string),
            agent: record.agent.as_ref().map(ToString::to_string),
            call_id: record.call_id.as_ref().map(ToString::to_string),
            pool: record.pool.to_string(),
            rung: record.rung.as_str(),
            since: record.at.to_string(),
            until: record.reserved_until.to_string(),
        }
    }
}

/// A page of live reservations.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReservationList {
    /// Newest first.
    reservations: Vec<ReservationBody>,
    /// Give it back as `cursor` for what comes behind; null: that was all. A page may be short, even empty, and yet go on.
    next: Option<String>,
}

/// The reservations that live now, newest first. In a cluster with the state in Redis those of the last moment may be missing.
#[utoipa::path(get, path = "/api/v1/reservations", tag = "calls", security(("admin_token" = []), ("bearer" = [])),
    params(
        ("number" = Option<String>, Query, description = "Only of this number", example = "3125550100"),
        ("destination" = Option<String>, Query, description = "Only for calls to this party"),
        ("campaign" = Option<String>, Query, description = "Only of this campaign"),
        ("agent" = Option<String>, Query, description = "Only of this agent"),
        ("call_id" = Option<String>, Query, description = "Only of this call"),
        ("pool" = Option<String>, Query, description = "Only of numbers out of this pool"),
        ("limit" = Option<u32>, Query, description = "At most so many, 1 to 1,000; 50 when nothing is said", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses(
        (status = 200, body = ReservationList),
        (status = 422, description = "A parameter cannot be understood", body = super::openapi::ProblemBody,
            content_type = "application/problem+json"),
        (status = 503, description = "The store is not available", body = super::openapi::ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub async fn list(
    State(api): State<Arc<Api>>,
    _viewer: Viewer,
    RawQuery(query): RawQuery,
) -> Result<Json<ReservationList>, ApiError> {
    let list = List::of(query.as_deref());
    let mut asked = read(query.as_deref(), &list)?;
    asked.filter.reserved_at = Some(api.clock.now());
    let page = past::page(&api, asked).await?;
    let body = |past: &PastAllocation| ReservationBody::from(&past.record);
    Ok(Json(ReservationList {
        reservations: page.allocations.iter().map(body).collect(),
        next: page.next.map(|next| list.cursor(&next)),
    }))
}

fn read(query: Option<&str>, list: &List) -> Result<PastQuery, ApiError> {
    const KNOWN: [&str; 8] = [
        "number",
        "destination",
        "campaign",
        "agent",
        "call_id",
        "pool",
        "limit",
        "cursor",
    ];
    let mut parameters = Parameters::new(query, &KNOWN);
    let asked = PastQuery {
        filter: PastFilter::default(),
        before: parameters.place(list),
        most: parameters.limit(),
    };
    let filter = past::filter(&mut parameters);
    parameters.finish()?;
    Ok(PastQuery { filter, ..asked })
}
