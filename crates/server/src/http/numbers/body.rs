//! A number as people see it: what its owner says of it, and how it stands now.

use std::num::NonZeroU32;

use caller_id_core::listing::{NumberRow, StatusKind};
use caller_id_core::{AreaCode, Number, NumberState, Status, area_codes};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::http::etag;

/// What the owner says of a number; the tag (ETag) is of this alone.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NumberFields {
    /// In E.164.
    #[schema(example = "+13125550100")]
    number: String,
    /// The pool it is in.
    #[schema(example = "default")]
    pool: String,
    /// `active`, `paused`, `resting` or `retired`.
    #[schema(example = "active")]
    status: &'static str,
    /// Until when it rests (RFC 3339); from then on it is active by itself, whatever `status` says.
    resting_until: Option<String>,
    /// Who carries calls from it.
    carrier: Option<String>,
    /// The area code it stands for; none outside the North American plan.
    #[schema(value_type = Option<String>, example = "312")]
    area_code: Option<AreaCode>,
    /// STIR/SHAKEN level: A, B or C.
    attestation: Option<String>,
    /// Most uses from midnight to midnight; null is no limit.
    daily_limit: Option<u32>,
    /// Most uses in any 60 minutes; null is no limit.
    hourly_limit: Option<u32>,
    /// Whatever else is kept with it.
    #[schema(value_type = Option<Object>)]
    meta: Option<Value>,
}

/// How a number stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LiveState {
    /// Uses that count against the hourly limit.
    uses_in_hour: u32,
    /// Uses that count against the daily limit.
    uses_today: u32,
    /// Live reservations.
    reservations: u32,
    /// From when it is free, now or then (RFC 3339); null while it is paused or retired.
    available_at: Option<String>,
    /// When it was last allocated (RFC 3339); null: never, as far as is known.
    last_used_at: Option<String>,
}

/// A number, with what is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = number_example)]
pub struct NumberShown {
    #[serde(flatten)]
    fields: NumberFields,
    /// The state or province of its area code.
    region: Option<String>,
    /// When it was added (RFC 3339).
    created_at: String,
    /// When it was last changed (RFC 3339).
    updated_at: String,
    /// How it stands now; null where the engine does not know it, or could not be asked.
    live: Option<LiveState>,
}

fn number_example() -> Value {
    json!({
        "number": "+13125550100", "pool": "default", "status": "active", "resting_until": null,
        "carrier": "Carrier A", "area_code": "312", "attestation": "A", "daily_limit": 500,
        "hourly_limit": 50, "meta": {"owner": "west"}, "region": "IL",
        "created_at": "2026-11-22T07:47:40.052000Z", "updated_at": "2026-11-22T07:47:40.052000Z",
        "live": {"uses_in_hour": 3, "uses_today": 17, "reservations": 0,
                 "available_at": "2026-11-22T12:00:00.000000Z", "last_used_at": "2026-11-22T11:58:00.000000Z"}
    })
}

impl From<&Number> for NumberFields {
    fn from(number: &Number) -> Self {
        Self {
            number: number.number.to_string(),
            pool: number.pool.to_string(),
            status: StatusKind::of(number.status).as_str(),
            resting_until: match number.status {
                Status::Resting(until) => Some(until.to_string()),
                _ => None,
            },
            carrier: number.carrier.clone(),
            area_code: number.area_code,
            attestation: number.attestation.map(|level| level.to_string()),
            daily_limit: number.limits.daily.map(NonZeroU32::get),
            hourly_limit: number.limits.hourly.map(NonZeroU32::get),
            meta: number.meta.clone(),
        }
    }
}

impl From<NumberState> for LiveState {
    fn from(state: NumberState) -> Self {
        Self {
            uses_in_hour: state.uses_in_hour,
            uses_today: state.uses_today,
            reservations: state.reservations,
            available_at: state.available_at.map(|at| at.to_string()),
            last_used_at: state.last_used_at.map(|at| at.to_string()),
        }
    }
}

impl NumberShown {
    /// A row of the store with the engine's state, where it has one.
    pub(super) fn new(row: &NumberRow, state: Option<NumberState>) -> Self {
        let region = row.number.area_code;
        let region = region.and_then(|code| area_codes::table().region(code));
        Self {
            fields: NumberFields::from(&row.number),
            region: region.map(|region| region.as_str().to_owned()),
            created_at: row.created_at.to_string(),
            updated_at: row.updated_at.to_string(),
            live: state.map(LiveState::from),
        }
    }
}

/// The tag of a number.
pub(super) fn tag(number: &Number) -> String {
    etag::tag(&NumberFields::from(number))
}
