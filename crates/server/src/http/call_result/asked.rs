//! What a report says, read field by field: what cannot be understood is named, and keeps no number reserved.

use caller_id_core::{
    AllocationId, CallId, CallReport, DestinationError, PhoneNumber, ReportTarget, call_report,
};
use serde_json::{Map, Value};

use super::super::fields::{Fields, Given, number_in_digits};
use super::super::query::Query;
use super::super::{Answers, ApiError, Fault};

/// What is read; the first six say which call.
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

/// The parameters of a query or a form, as members of an object, and faults of those that are not UTF-8.
pub(super) fn members(query: &Query<'_>) -> (Map<String, Value>, Vec<Fault>) {
    let (mut members, mut faults) = (Map::new(), Vec::new());
    for name in NAMES {
        match query.get(name) {
            Ok(Some(value)) => drop(members.insert(name.to_owned(), value.into_owned().into())),
            Ok(None) => {}
            Err(fault) => faults.push(fault),
        }
    }
    (members, faults)
}

/// A report, understood.
pub(super) struct Asked {
    /// Which call; none where the destination is one that no number is ever shown to.
    pub(super) target: Option<ReportTarget>,
    /// How it went.
    pub(super) report: CallReport,
    /// What cannot be understood beside that, or contradicts itself, and counts as not said: the call is over all the same.
    pub(super) ignored: Vec<Fault>,
}

impl Asked {
    /// Reads all fields.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] where nothing says which call; it names every field that cannot be understood.
    pub(super) fn read(mut fields: Fields, answers: &Answers) -> Result<Self, ApiError> {
        let which = which(&mut fields, answers);
        let status = optional(&mut fields, "dialstatus", |text| {
            call_report::dial_status(text).map(Some)
        });
        let status = status.unwrap_or_default();
        let report = CallReport {
            status,
            answered_seconds: optional(&mut fields, "answered_seconds", |text| {
                call_report::answered_seconds(text, status)
            }),
            dialed_seconds: optional(&mut fields, "dialed_seconds", call_report::seconds),
            hangup_cause: optional(&mut fields, "hangup_cause", call_report::hangup_cause),
            sip_code: optional(&mut fields, "sip_code", call_report::sip_code),
        };
        let target = match which {
            Which::Call(target) => Some(target),
            Which::NeverRotated => None,
            Which::Unreadable => return Err(ApiError::Invalid(fields.into_faults())),
        };
        Ok(Self {
            target,
            report,
            ignored: fields.into_faults(),
        })
    }
}

/// Which call is meant.
enum Which {
    /// This one.
    Call(ReportTarget),
    /// There can be none: no number is ever shown to this destination.
    NeverRotated,
    /// Nothing says it; faults are noted.
    Unreadable,
}

/// By the reservation, else by the call, else by what was shown to whom: by the first of these that can be read.
fn which(fields: &mut Fields, answers: &Answers) -> Which {
    for name in ["reservation", "reservation_id"] {
        if let Some(id) = optional(fields, name, |text| {
            text.trim().parse::<AllocationId>().map(Some)
        }) {
            return Which::Call(ReportTarget::Reservation(id));
        }
    }
    for name in ["call", "call_id"] {
        let call = optional(fields, name, |text| {
            CallId::new(text)
                .map(Some)
                .map_err(|error| error.to_string())
        });
        if let Some(call) = call {
            return Which::Call(ReportTarget::Call(call));
        }
    }
    shown(fields, answers)
}

fn shown(fields: &mut Fields, answers: &Answers) -> Which {
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
        return Which::NeverRotated;
    }
    let is_given = |name| fields.has_fault(name);
    match (number, destination) {
        (Some(number), Some(destination)) => Which::Call(ReportTarget::Shown {
            number,
            destination,
        }),
        (None, None) if NAMES[..6].iter().any(|name| is_given(name)) => Which::Unreadable,
        (None, None) => {
            let expected =
                "which call? reservation, or call, or caller_id and to together expected";
            fields.fault("reservation", expected.to_owned());
            Which::Unreadable
        }
        (number, destination) => {
            let given = |value: Option<PhoneNumber>| value.map_or(Given::Missing, Given::Value);
            fields.required("caller_id", given(number));
            fields.required("to", given(destination));
            Which::Unreadable
        }
    }
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
