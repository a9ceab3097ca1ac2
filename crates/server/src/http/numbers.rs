//! Numbers: `POST /add-number` as in the service that this one replaces, and all that people do with them.

pub mod body;
pub mod bulk;
pub mod export;
pub mod fields;
mod filter;
pub mod list;
mod live;
pub mod one;
pub mod status;

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use caller_id_core::store::{OnDuplicate, Written};
use caller_id_core::{
    AreaCode, Attestation, Limits, Number, NumberFormat, PhoneNumber, PoolId, Status, Timestamp,
    area_codes, inventory,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::body::Object;
use super::fields::{Fields, Given};
use super::{Api, ApiError, FormerAdmin};
use crate::defaults;

/// What `POST /add-number` takes.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that all faults are named at once"
)]
pub struct AddNumber {
    /// The number in any form: 13125550100, 312-555-0100, +442079460958.
    caller_id: String,
    /// Who carries calls from it.
    carrier: Option<String>,
    /// The area code it stands for; its own when not given. Only for NANP numbers.
    area_code: Option<String>,
    /// Most uses from midnight to midnight; 500 when not given, null for no limit.
    #[schema(minimum = 1)]
    daily_limit: Option<u32>,
    /// Most uses in any 60 minutes; 50 when not given, null for no limit.
    #[schema(minimum = 1)]
    hourly_limit: Option<u32>,
    /// Whatever else is kept with it.
    #[schema(value_type = Option<Object>)]
    meta: Option<Map<String, Value>>,
    /// The pool it is in; `default` when not given. Made when there is none of that name.
    pool: Option<String>,
    /// STIR/SHAKEN level: A, B or C.
    attestation: Option<String>,
    /// `active` (default), `paused`, `retired`, or `resting:<instant>`.
    status: Option<String>,
}

/// A number as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct NumberBody {
    caller_id: String,
    carrier: Option<String>,
    #[schema(value_type = Option<String>)]
    area_code: Option<AreaCode>,
    daily_limit: Option<u32>,
    hourly_limit: Option<u32>,
    #[schema(value_type = Option<Object>)]
    meta: Option<Value>,
    /// When it was last allocated; null for a new one.
    last_used: Option<String>,
    pool: String,
    attestation: Option<String>,
    status: String,
}

impl NumberBody {
    fn new(number: Number, format: NumberFormat) -> Self {
        Self {
            caller_id: number.number.format(format),
            carrier: number.carrier,
            area_code: number.area_code,
            daily_limit: number.limits.daily.map(NonZeroU32::get),
            hourly_limit: number.limits.hourly.map(NonZeroU32::get),
            meta: number.meta,
            last_used: None,
            pool: number.pool.to_string(),
            attestation: number.attestation.map(|level| level.to_string()),
            status: number.status.to_string(),
        }
    }
}

/// Adds a number. When the answer is there, the engine knows it.
#[utoipa::path(
    post,
    path = "/add-number",
    tag = "inventory",
    request_body = AddNumber,
    security(("admin_token" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "It is added", body = NumberBody),
        (status = 401, description = "No admin token, or a wrong one", body = super::openapi::ProblemBody),
        (status = 403, description = "No admin, or an address that is not allowed", body = super::openapi::ProblemBody),
        (status = 409, description = "It is there already", body = super::openapi::ProblemBody),
        (status = 413, description = "The body is too large", body = super::openapi::ProblemBody),
        (status = 422, description = "A field cannot be understood", body = super::openapi::ProblemBody),
    )
)]
pub async fn add_number(
    State(api): State<Arc<Api>>,
    FormerAdmin(who): FormerAdmin,
    Object(members): Object,
) -> Result<Json<NumberBody>, ApiError> {
    let number = read(members, api.clock.now())?;
    let written = api
        .inventory
        .write_numbers(vec![number.clone()], OnDuplicate::Fail, &who.author)
        .await?;
    if written.first() == Some(&Written::Exists) {
        return Err(ApiError::AlreadyExists);
    }
    api.sync.now().await?;
    Ok(Json(NumberBody::new(number, api.answers.format)))
}

fn read(members: Map<String, Value>, now: Timestamp) -> Result<Number, ApiError> {
    let mut fields = Fields::new(members);
    let caller_id = fields.text("caller_id", PhoneNumber::parse);
    let caller_id = fields.required("caller_id", caller_id);
    let limits = Limits {
        daily: limit(&mut fields, "daily_limit", defaults::LIMITS.daily),
        hourly: limit(&mut fields, "hourly_limit", defaults::LIMITS.hourly),
    };
    let carrier = fields.text("carrier", inventory::carrier).value();
    let area_code = fields
        .text("area_code", |text| area_code(text, caller_id))
        .value();
    let attestation = fields
        .text("attestation", str::parse::<Attestation>)
        .value();
    let status = fields.text("status", |text| match text.parse::<Status>()? {
        over if over.at(now) != over => {
            Err("status: a rest that ends at an instant still to come is expected".to_owned())
        }
        status => Ok(status),
    });
    let status = status.value();
    let pool = fields.text("pool", PoolId::to_make).value();
    let meta = fields.read("meta", object).value();
    fields.finish()?;
    let number = Number::new(caller_id.ok_or(ApiError::Invalid(Vec::new()))?);
    Ok(Number {
        area_code: area_code.or(number.area_code),
        carrier,
        attestation,
        status: status.unwrap_or(number.status),
        pool: pool.unwrap_or_default(),
        limits,
        meta,
        ..number
    })
}

fn limit(fields: &mut Fields, name: &str, default: Option<NonZeroU32>) -> Option<NonZeroU32> {
    match fields.count(name, 1, Limits::MOST) {
        Given::Missing => default,
        Given::Null => None,
        Given::Value(limit) => NonZeroU32::new(limit),
    }
}

fn area_code(text: &str, number: Option<PhoneNumber>) -> Result<AreaCode, String> {
    let code: AreaCode = text.trim().parse()?;
    // Without a number its own fault is told.
    number.map_or(Ok(()), |number| area_codes::check_chosen(code, number))?;
    Ok(code)
}

fn object(value: &Value) -> Result<Value, String> {
    match value {
        Value::Object(_) => inventory::meta(value.clone()),
        _ => Err("meta: an object is expected".to_owned()),
    }
}
