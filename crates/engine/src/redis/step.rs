//! One step of the script `decide` as arguments.

use caller_id_core::area_codes::{self, Region};
use caller_id_core::{AreaCode, Ask, CallEnd, CallId, PhoneNumber, ReleaseTarget};

use super::event;

/// Arguments of a script, in order.
pub(super) type Arguments = Vec<Vec<u8>>;

/// A number as a script knows it: 15 digits, so that text sorts as numbers do.
pub(super) fn digits(number: PhoneNumber) -> Vec<u8> {
    format!("{:015}", number.e164_digits()).into_bytes()
}

/// A request.
pub(super) fn allocate(ask: &Ask<'_>) -> Arguments {
    let request = ask.request;
    let code = request.destination.area_code();
    let interval_us = ask.agent_limit.interval_us().unwrap_or(0);
    let mut arguments: Arguments = vec![
        b"allocate".to_vec(),
        digits(request.destination),
        request.call_id.as_ref().map_or("", CallId::as_str).into(),
        request
            .agent
            .as_ref()
            .map_or("", |agent| agent.as_str())
            .into(),
        interval_us.to_string().into(),
        code.map(|code| code.to_string()).unwrap_or_default().into(),
        code.map(overlay).unwrap_or_default().into(),
        region(code).into(),
        event::rest(request),
        ask.pools.len().to_string().into(),
    ];
    arguments.extend(ask.pools.iter().map(|pool| pool.as_str().into()));
    arguments
}

/// A release. `None` when the id names no number, so no reservation of ours.
pub(super) fn release(target: &ReleaseTarget, end: CallEnd) -> Option<Arguments> {
    let (number, id) = match target {
        ReleaseTarget::Reservation(id) => (digits(id.number()?), id.as_bytes().to_vec()),
        ReleaseTarget::Call(call) => (Vec::new(), call.as_str().into()),
    };
    let how = vec![event::end_code(end)];
    Some(vec![b"release".to_vec(), number, id, how])
}

/// The region of an area code, empty where there is none.
pub(super) fn region(code: Option<AreaCode>) -> String {
    let region = code.and_then(|code| area_codes::table().region(code));
    region.as_ref().map_or("", Region::as_str).to_owned()
}

fn overlay(code: AreaCode) -> String {
    let codes = area_codes::table().overlay(code).iter();
    codes.map(AreaCode::to_string).collect()
}
