//! One step of the script `decide` as bytes.

use caller_id_core::area_codes::{self, Region};
use caller_id_core::{
    AgentId, AreaCode, Ask, CallEnd, CallId, CallReport, PhoneNumber, ReleaseTarget,
};

use super::event;

const ALLOCATE: u8 = 1;
const RELEASE: u8 = 2;
const REPORT: u8 = 3;
/// What stands for a number without region.
const NO_REGION: &str = "--";

/// Arguments of a script, in order.
pub(super) type Arguments = Vec<Vec<u8>>;

/// A number as a script knows it: 15 digits, so that text sorts as numbers do.
pub(super) fn digits(number: PhoneNumber) -> Vec<u8> {
    format!("{:015}", number.e164_digits()).into_bytes()
}

/// A request, as `ASK` in `scripts/decide.lua` reads it.
pub(super) fn allocate(ask: &Ask<'_>) -> Vec<u8> {
    let request = ask.request;
    let code = request.destination.area_code();
    let interval_us = ask.agent_limit.interval_us().unwrap_or(0);
    let call_id = request.call_id.as_ref().map_or("", CallId::as_str);
    let agent = request.agent.as_ref().map_or("", AgentId::as_str);
    let mut bytes = Vec::with_capacity(256);
    bytes.push(ALLOCATE);
    bytes.extend(digits(request.destination));
    bytes.extend(u32::try_from(interval_us).unwrap_or(u32::MAX).to_be_bytes());
    match code {
        Some(code) => bytes.extend(code.to_string().into_bytes()),
        None => bytes.extend(b"---"),
    }
    bytes.extend(region(code).as_bytes());
    named(&mut bytes, &code.map(overlay).unwrap_or_default());
    named(&mut bytes, call_id);
    named(&mut bytes, agent);
    bytes.extend((ask.pools.len() as u16).to_be_bytes());
    for pool in ask.pools {
        named(&mut bytes, pool.as_str());
    }
    event::rest_into(&mut bytes, request);
    bytes
}

/// A release, as `RELEASE` in `scripts/decide.lua` reads it. `None` when the id names no number, so no reservation of ours.
pub(super) fn release(target: &ReleaseTarget, end: CallEnd) -> Option<Vec<u8>> {
    let mut bytes = vec![RELEASE, event::end_code(end)];
    meant(&mut bytes, target)?;
    Some(bytes)
}

/// A report, as `REPORT` in `scripts/decide.lua` reads it. `None` as of a release.
pub(super) fn report(target: &ReleaseTarget, report: &CallReport) -> Option<Vec<u8>> {
    let mut bytes = vec![REPORT];
    field(&mut bytes, &event::said(report));
    meant(&mut bytes, target)?;
    Some(bytes)
}

/// The number and the allocation, or no number and the call.
fn meant(bytes: &mut Vec<u8>, target: &ReleaseTarget) -> Option<()> {
    match target {
        ReleaseTarget::Reservation(id) => {
            field(bytes, &digits(id.number()?));
            field(bytes, id.as_bytes());
        }
        ReleaseTarget::Call(call) => {
            field(bytes, b"");
            field(bytes, call.as_str().as_bytes());
        }
    }
    Some(())
}

/// The region of an area code: two letters, or what stands for none.
pub(super) fn region(code: Option<AreaCode>) -> String {
    let region = code.and_then(|code| area_codes::table().region(code));
    region.as_ref().map_or(NO_REGION, Region::as_str).to_owned()
}

/// The group that a number of this area code stands in; `scripts/orders.lua` says what that is.
pub(super) fn group(number: PhoneNumber, code: Option<AreaCode>) -> String {
    let Some(code) = code else {
        return "!0".to_owned();
    };
    let own = number.e164_digits() / 10_000_000 == 1_000 + u64::from(code.get());
    let odd = if own { "" } else { "!" };
    format!("{odd}{code}")
}

/// The area code of a group.
pub(super) fn area_code(group: &[u8]) -> Option<AreaCode> {
    let code = group.strip_prefix(b"!").unwrap_or(group);
    AreaCode::new(std::str::from_utf8(code).ok()?.parse().ok()?)
}

fn overlay(code: AreaCode) -> String {
    let codes = area_codes::table().overlay(code).iter();
    codes.map(AreaCode::to_string).collect()
}

fn named(bytes: &mut Vec<u8>, name: &str) {
    field(bytes, name.as_bytes());
}

/// Its length (one byte) and itself: names have 128 bytes at most.
fn field(bytes: &mut Vec<u8>, field: &[u8]) {
    bytes.push(field.len() as u8);
    bytes.extend(field);
}

#[cfg(test)]
mod tests {
    use caller_id_testkit::builders::{area, number};

    use super::*;

    #[test]
    fn a_group_has_its_area_code_and_tells_whether_the_number_begins_with_it() {
        let own = number(312, 1);
        for (code, expected) in [
            (Some(area(312)), "312"),
            (Some(area(773)), "!773"),
            (None, "!0"),
        ] {
            let group = group(own, code);
            assert_eq!(group, expected);
            assert_eq!(area_code(group.as_bytes()), code);
        }
    }
}
