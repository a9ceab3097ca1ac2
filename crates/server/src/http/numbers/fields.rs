//! What a body says of a number: of a new one, and of what changes.

use std::num::NonZeroU32;

use caller_id_core::listing::NumberPatch;
use caller_id_core::{
    AreaCode, Attestation, Limits, Number, PhoneNumber, PoolId, Status, Timestamp, area_codes,
    inventory,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::defaults;
use crate::http::ApiError;
use crate::http::fields::{Fields, Given};

/// The names that a change may have.
pub(super) const CHANGEABLE: [&str; 9] = [
    "pool",
    "status",
    "resting_until",
    "carrier",
    "area_code",
    "attestation",
    "daily_limit",
    "hourly_limit",
    "meta",
];

/// A new number.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body; it is read field by field")]
pub struct NewNumber {
    /// In any form: +13125550100, 312-555-0100, +442079460958.
    #[schema(example = "+13125550100")]
    number: String,
    /// The pool it is in; `default` when not given. Made when there is none of that name.
    pool: Option<String>,
    /// `active` (default), `paused`, `resting` or `retired`.
    status: Option<String>,
    /// Until when it rests (RFC 3339), with the status `resting`.
    resting_until: Option<String>,
    /// Who carries calls from it.
    carrier: Option<String>,
    /// The area code it stands for; its own when not given. Only for NANP numbers.
    area_code: Option<String>,
    /// STIR/SHAKEN level: A, B or C.
    attestation: Option<String>,
    /// Most uses from midnight to midnight; 500 when not given, null for no limit.
    #[schema(minimum = 1)]
    daily_limit: Option<u32>,
    /// Most uses in any 60 minutes; 50 when not given, null for no limit.
    #[schema(minimum = 1)]
    hourly_limit: Option<u32>,
    /// Whatever else is kept with it.
    #[schema(value_type = Option<Object>)]
    meta: Option<Map<String, Value>>,
}

/// What changes of a number (JSON merge patch, RFC 7396): what is not there stays, `null` takes it away. Only `meta` is
/// replaced as a whole.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"carrier": "Carrier B", "daily_limit": null}))]
#[expect(dead_code, reason = "describes the body; it is read field by field")]
pub struct NumberPatchBody {
    /// A pool that exists.
    pool: Option<String>,
    /// `active`, `paused`, `resting` or `retired`.
    status: Option<String>,
    /// Until when it rests (RFC 3339); alone it means the status `resting`.
    resting_until: Option<String>,
    /// Who carries calls from it.
    carrier: Option<String>,
    /// The area code it stands for; null is its own.
    area_code: Option<String>,
    /// STIR/SHAKEN level: A, B or C.
    attestation: Option<String>,
    /// Most uses from midnight to midnight; null is no limit.
    #[schema(minimum = 1)]
    daily_limit: Option<u32>,
    /// Most uses in any 60 minutes; null is no limit.
    #[schema(minimum = 1)]
    hourly_limit: Option<u32>,
    /// Whatever else is kept with it.
    #[schema(value_type = Option<Object>)]
    meta: Option<Map<String, Value>>,
}

/// Reads a new number; what is not said is the default.
///
/// # Errors
/// 422 that names every field.
pub(super) fn new_number(
    mut members: Map<String, Value>,
    now: Timestamp,
) -> Result<Number, ApiError> {
    // Where there is nothing yet there is nothing to take away.
    members.retain(|name, value| {
        let is_empty = value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
        !(is_empty && matches!(name.as_str(), "pool" | "status" | "resting_until"))
    });
    let mut fields = Fields::new(members);
    let known: Vec<&str> = ["number"].into_iter().chain(CHANGEABLE).collect();
    fields.only(&known);
    let number = fields.text("number", PhoneNumber::parse);
    let number = fields.required("number", number);
    let daily = limit(&mut fields, "daily_limit");
    let hourly = limit(&mut fields, "hourly_limit");
    let patch = NumberPatch {
        daily_limit: daily.or(Some(defaults::LIMITS.daily)),
        hourly_limit: hourly.or(Some(defaults::LIMITS.hourly)),
        ..read(&mut fields, number, now)
    };
    fields.finish()?;
    let number = number.ok_or(ApiError::Invalid(Vec::new()))?;
    Ok(patch.applied(&Number::new(number)))
}

/// Reads what changes of `number`; of many at once where none is given: then nothing may be said that could not hold of each.
///
/// # Errors
/// 422 that names every field.
pub(super) fn patch(
    mut fields: Fields,
    number: Option<PhoneNumber>,
    now: Timestamp,
) -> Result<NumberPatch, ApiError> {
    if let Some(number) = number {
        let known: Vec<&str> = ["number"].into_iter().chain(CHANGEABLE).collect();
        fields.only(&known);
        let is_it = |text: &str| match PhoneNumber::parse(text) {
            Ok(given) if given == number => Ok(()),
            _ => Err(format!(
                "number: the path says `{number}`, and a number cannot be changed"
            )),
        };
        fields.text("number", is_it);
    } else {
        fields.only(&CHANGEABLE);
    }
    let daily_limit = limit(&mut fields, "daily_limit");
    let hourly_limit = limit(&mut fields, "hourly_limit");
    if fields.is_null("pool") {
        fields.fault("pool", "pool: every number is in one".to_owned());
    }
    let patch = NumberPatch {
        daily_limit,
        hourly_limit,
        ..read(&mut fields, number, now)
    };
    if number.is_none() && patch.area_code.is_some_and(|code| code.is_some()) {
        let why = "area_code: not for many numbers at once; null gives each its own";
        fields.fault("area_code", why.to_owned());
    }
    fields.finish()?;
    Ok(patch)
}

/// All but the limits, whose defaults differ.
fn read(fields: &mut Fields, number: Option<PhoneNumber>, now: Timestamp) -> NumberPatch {
    let area_code = |text: &str| {
        let code: AreaCode = text.parse()?;
        number
            .map_or(Ok(()), |number| area_codes::check_chosen(code, number))
            .map(|()| code)
    };
    NumberPatch {
        status: status(fields, now),
        pool: fields.text("pool", PoolId::to_make).value(),
        carrier: changed(fields.text("carrier", inventory::carrier)),
        attestation: changed(fields.text("attestation", str::parse::<Attestation>)),
        area_code: changed(fields.text("area_code", area_code)),
        meta: changed(fields.read("meta", meta)),
        ..NumberPatch::default()
    }
}

/// The status; a rest that is over before it begins is a typing error.
fn status(fields: &mut Fields, now: Timestamp) -> Option<Status> {
    let status = said(fields);
    if status.is_some_and(|status| status.at(now) != status) {
        let why = "resting_until: an instant that is still to come is expected";
        fields.fault("resting_until", why.to_owned());
    }
    status
}

/// The status, with its instant where it has one.
fn said(fields: &mut Fields) -> Option<Status> {
    let until = fields.text("resting_until", str::parse::<Timestamp>);
    let word = fields.text("status", |text| match text.trim() {
        word if word.eq_ignore_ascii_case("resting") => Ok(None),
        word => word.parse::<Status>().map(Some),
    });
    let has_instant = fields.has_fault("resting_until");
    match (word, until) {
        (Given::Null, _) => {
            let why = "status: active, paused, resting or retired is expected";
            fields.fault("status", why.to_owned());
            None
        }
        (Given::Value(None) | Given::Missing, Given::Value(until)) => Some(Status::Resting(until)),
        (Given::Value(None), _) => {
            if !has_instant {
                let why = "resting_until: with the status resting an instant is expected";
                fields.fault("resting_until", why.to_owned());
            }
            None
        }
        (Given::Value(Some(_)), Given::Value(_)) => {
            let why = "resting_until: only with the status resting";
            fields.fault("resting_until", why.to_owned());
            None
        }
        (Given::Value(Some(status)), _) => Some(status),
        (Given::Missing, Given::Null) if !fields.has_fault("status") => {
            let why = "resting_until: give the status that it has then";
            fields.fault("resting_until", why.to_owned());
            None
        }
        (Given::Missing, _) => None,
    }
}

fn limit(fields: &mut Fields, name: &str) -> Option<Option<NonZeroU32>> {
    match fields.count(name, 1, Limits::MOST) {
        Given::Missing => None,
        Given::Null => Some(None),
        Given::Value(limit) => Some(NonZeroU32::new(limit)),
    }
}

fn changed<T>(given: Given<T>) -> Option<Option<T>> {
    match given {
        Given::Missing => None,
        Given::Null => Some(None),
        Given::Value(value) => Some(Some(value)),
    }
}

fn meta(value: &Value) -> Result<Value, String> {
    match value {
        Value::Object(_) => inventory::meta(value.clone()),
        _ => Err("meta: a JSON object is expected".to_owned()),
    }
}
