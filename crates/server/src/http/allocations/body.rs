//! An allocation as the API shows it.

use caller_id_core::{PastAllocation, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// An allocation, and how it ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "019aab38-6c00-7000-8002-0d7f1a0b5c24", "at": "2026-11-22T12:00:00.000000Z", "caller_id": "+13125550100",
    "destination": "+12125551212", "campaign": "SOLAR", "agent": "1001", "call_id": "V1122120000000012345",
    "pool": "default", "rung": "any", "reserved_until": "2026-11-22T12:05:00.000000Z", "state": "released",
    "ended_at": "2026-11-22T12:01:10.000000Z", "status": "ANSWER", "reported_at": "2026-11-22T12:01:10.000000Z",
    "answered_seconds": 52, "dialed_seconds": 70, "hangup_cause": 16, "sip_code": 200
}))]
pub struct AllocationBody {
    /// Its id, also that of its reservation.
    id: String,
    /// When the number was chosen (RFC 3339).
    at: String,
    /// The number presented.
    caller_id: String,
    /// The called party.
    destination: String,
    /// The dialer's campaign, where it said one.
    campaign: Option<String>,
    /// Who made the call, where the dialer said so.
    agent: Option<String>,
    /// The dialer's id of the call, where it said one.
    call_id: Option<String>,
    /// The pool that the number was in.
    pool: String,
    /// How it was chosen: sticky, area_code, overlay, region or any.
    rung: &'static str,
    /// The end of its reservation when nobody ended it.
    reserved_until: String,
    /// reserved (it lives), released (somebody ended it) or expired.
    state: &'static str,
    /// When its reservation was ended, if anybody did.
    ended_at: Option<String>,
    /// How the call ended: Asterisk's DIALSTATUS, or RELEASED where nobody said; null as long as nobody said anything.
    status: Option<&'static str>,
    /// When the dialer said how the call went, if it did.
    reported_at: Option<String>,
    /// How long the two talked, where that was said.
    answered_seconds: Option<u32>,
    /// How long the call took from dialing to its end, where that was said.
    dialed_seconds: Option<u32>,
    /// The cause of the hang-up (ITU-T Q.850), where that was said.
    hangup_cause: Option<u16>,
    /// The last answer of the other side (SIP), where that was said.
    sip_code: Option<u16>,
}

impl AllocationBody {
    /// `past`, seen at `now`.
    pub fn new(past: &PastAllocation, now: Timestamp) -> Self {
        let record = &past.record;
        let report = past.result.map(|result| result.report).unwrap_or_default();
        Self {
            id: record.id.to_string(),
            at: record.at.to_string(),
            caller_id: record.number.to_string(),
            destination: record.destination.to_string(),
            campaign: record.campaign.as_ref().map(ToString::to_string),
            agent: record.agent.as_ref().map(ToString::to_string),
            call_id: record.call_id.as_ref().map(ToString::to_string),
            pool: record.pool.to_string(),
            rung: record.rung.as_str(),
            reserved_until: record.reserved_until.to_string(),
            state: state(past, now),
            ended_at: past.ended.map(|end| end.at.to_string()),
            status: status(past),
            reported_at: past.result.map(|result| result.at.to_string()),
            answered_seconds: report.answered_seconds,
            dialed_seconds: report.dialed_seconds,
            hangup_cause: report.hangup_cause,
            sip_code: report.sip_code,
        }
    }
}

/// How the call ended, as far as anybody said anything.
pub(super) fn status(past: &PastAllocation) -> Option<&'static str> {
    let said = past.ended.is_some() || past.result.is_some();
    said.then(|| past.status().as_str())
}

/// Whether its reservation lives, was ended, or ran out. An end may be written with the clock of another machine.
fn state(past: &PastAllocation, now: Timestamp) -> &'static str {
    match past.ended {
        Some(_) => "released",
        None if past.record.reserved_until > now => "reserved",
        None => "expired",
    }
}
