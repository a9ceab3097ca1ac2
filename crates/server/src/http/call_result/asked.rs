//! What a report says, read field by field, so that one answer names every fault.

use caller_id_core::{
    AllocationId, CallId, CallReport, DestinationError, PhoneNumber, ReportTarget, call_report,
};
use serde_json::{Map, Value};

use super::super::fields::{Fields, Given, number_in_digits};
use super::super::query::Query;
use super::super::{Answers, ApiError};

const NAMES: [&str; 12] = [
    "reservation",
    "reservation_id",
    "call",
    "call_id",
    "caller_id",
    "to",
    "dialstatus",
    "answered_seconds",
    "dialed_seconds",
    "hangup_cause",
    "sip_code",
    "format",
];

/// The parameters of a query or a form, as members of an object.
pub(super) fn members(query: &Query<'_>) -> Result<Map<String, Value>, ApiError> {
    let mut members = Map::new();
    for name in NAMES {
        let value = query
            .get(name)
            .map_err(|fault| ApiError::Invalid(vec![fault]))?;
        if let Some(value) = value {
            members.insert(name.to_owned(), value.into_owned().into());
        }
    }
    Ok(members)
}

/// A report, understood.
pub(super) struct Asked {
    /// Which call; none where the destination is one that no number is ever shown to.
    pub(super) target: Option<ReportTarget>,
    /// How it went.
    pub(super) report: CallReport,
}

impl Asked {
    /// Reads all fields.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] names each that cannot be understood, or what is missing to say which call.
    pub(super) fn read(fields: Fields, answers: &Answers) -> Result<Self, ApiError> {
        let mut fields = fields;
        // Also of those that are not needed to find the call.
        for name in [
            "reservation",
            "reservation_id",
            "call",
            "call_id",
            "caller_id",
            "to",
        ] {
            fields.read(name, |value| match value {
                Value::String(_) => Ok(()),
                number if number_in_digits(number).is_some() => Ok(()),
                _ => Err(format!("{name}: a text or a whole number is expected")),
            });
        }
        let mut fields = fields.sound()?;
        let target = target(&mut fields, answers);
        let report = CallReport {
            status: optional(&mut fields, "dialstatus", |text| {
                call_report::dial_status(text).map(Some)
            })
            .unwrap_or_default(),
            answered_seconds: optional(&mut fields, "answered_seconds", call_report::seconds),
            dialed_seconds: optional(&mut fields, "dialed_seconds", call_report::seconds),
            hangup_cause: optional(&mut fields, "hangup_cause", call_report::hangup_cause),
            sip_code: optional(&mut fields, "sip_code", call_report::sip_code),
        };
        fields.finish()?;
        Ok(Self { target, report })
    }
}

/// By the reservation, else by the call, else by what was shown to whom. None with a fault noted, or without one: there can be no
/// such call.
fn target(fields: &mut Fields, answers: &Answers) -> Option<ReportTarget> {
    for name in ["reservation", "reservation_id"] {
        if let Some(id) = optional(fields, name, |text| {
            text.trim().parse::<AllocationId>().map(Some)
        }) {
            return Some(ReportTarget::Reservation(id));
        }
    }
    for name in ["call", "call_id"] {
        let call = optional(fields, name, |text| {
            CallId::new(text)
                .map(Some)
                .map_err(|error| error.to_string())
        });
        if let Some(call) = call {
            return Some(ReportTarget::Call(call));
        }
    }
    if ["reservation", "reservation_id", "call", "call_id"]
        .iter()
        .any(|name| fields.has_fault(name))
    {
        return None;
    }
    shown(fields, answers)
}

fn shown(fields: &mut Fields, answers: &Answers) -> Option<ReportTarget> {
    let number = optional(fields, "caller_id", |text| {
        PhoneNumber::parse(text)
            .map(Some)
            .map_err(|error| error.to_string())
    });
    let mut is_never_rotated = false;
    let destination = optional(fields, "to", |text| {
        match answers.dial_plan.destination(text) {
            Ok(destination) => Ok(Some(destination)),
            Err(DestinationError::NotRotated { .. }) => {
                is_never_rotated = true;
                Ok(None)
            }
            Err(error) => Err(error.to_string()),
        }
    });
    if is_never_rotated {
        return None;
    }
    if number.is_none()
        && destination.is_none()
        && !fields.has_fault("caller_id")
        && !fields.has_fault("to")
    {
        let expected = "which call? reservation, or call, or caller_id and to together expected";
        fields.fault("reservation", expected.to_owned());
        return None;
    }
    let given = |value: Option<PhoneNumber>| value.map_or(Given::Missing, Given::Value);
    let number = fields.required("caller_id", given(number));
    let destination = fields.required("to", given(destination));
    Some(ReportTarget::Shown {
        number: number?,
        destination: destination?,
    })
}

/// A field as whatever `parse` makes of its text, or of its number; an empty one is none.
pub(super) fn optional<T>(
    fields: &mut Fields,
    name: &str,
    parse: impl FnOnce(&str) -> Result<Option<T>, String>,
) -> Option<T> {
    let given = fields.read(name, |value| {
        let text = match value {
            Value::String(text) => Some(text.clone()),
            number => number_in_digits(number),
        };
        let expected = || format!("{name}: a text or a whole number is expected");
        let text = text.ok_or_else(expected)?;
        if text.trim().is_empty() {
            return Ok(None);
        }
        parse(&text).map_err(|error| format!("{name}: {error}"))
    });
    given.value().flatten()
}
