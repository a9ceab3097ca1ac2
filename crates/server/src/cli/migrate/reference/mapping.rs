//! A row of the reference as one of ours, or why it is none.

use crate::app::stores::{ReferenceLimit, ReferenceNumber, ReferenceReservation};
use caller_id_core::recovery::RESERVATION_MOST_MS;
use caller_id_core::store::PastAllocation;
use caller_id_core::text::shown;
use caller_id_core::{
    AgentId, AllocationId, AllocationRecord, AreaCode, CampaignId, Number, PhoneNumber, PoolId,
    Rung, Timestamp, area_codes,
};
use sha2::{Digest, Sha256};

use super::EARLIEST;
use crate::rows::{Column, number_of_cells};

/// The number of a row of `caller_ids`.
pub(super) fn number(row: &ReferenceNumber) -> Result<Number, String> {
    let caller_id = trimmed(row.caller_id.as_deref());
    let area_code = own_area_code(caller_id, trimmed(row.area_code.as_deref()));
    let daily = limit(&row.daily_limit);
    let hourly = limit(&row.hourly_limit);
    let status = status(row)?;
    // An empty object is what its importer writes where nobody said anything.
    let meta = match trimmed(row.meta.as_deref()) {
        "{}" | "null" => "",
        meta => meta,
    };
    number_of_cells(|column| match column {
        Column::CallerId => caller_id,
        Column::Carrier => trimmed(row.carrier.as_deref()),
        Column::AreaCode => area_code,
        Column::DailyLimit => daily,
        Column::HourlyLimit => hourly,
        Column::Status => status,
        Column::Meta => meta,
        Column::Pool | Column::Attestation => "",
    })
}

/// The caller ID of a bad row, for the report.
pub(super) fn shown_caller_id(text: Option<&str>) -> String {
    shown(text.unwrap_or_default())
}

fn trimmed(text: Option<&str>) -> &str {
    text.map(str::trim).unwrap_or_default()
}

/// It takes any first three digits for an area code, also of numbers that have none: such a one is not theirs.
fn own_area_code<'a>(caller_id: &str, text: &'a str) -> &'a str {
    let fits = |number| -> Result<(), String> {
        let code: AreaCode = text.parse()?;
        area_codes::check_chosen(code, number)
    };
    match PhoneNumber::parse(caller_id) {
        Ok(number) if fits(number).is_err() => "",
        _ => text,
    }
}

/// It counts uses against a limit only where there is one: NULL and 0 are no limit.
fn limit(limit: &ReferenceLimit) -> &str {
    match limit {
        ReferenceLimit::NoColumn => "",
        ReferenceLimit::Null => "none",
        ReferenceLimit::Text(text) => match text.trim() {
            "0" => "none",
            text => text,
        },
    }
}

fn status(row: &ReferenceNumber) -> Result<&str, String> {
    let active = match trimmed(row.is_active.as_deref()) {
        "" | "true" | "t" | "1" => true,
        "false" | "f" | "0" => false,
        other => {
            return Err(format!(
                "is_active `{}` is unknown, expected true or false",
                shown(other)
            ));
        }
    };
    Ok(match trimmed(row.status.as_deref()) {
        "retired" => "retired",
        _ if !active => "paused",
        "inactive" | "disabled" => "paused",
        word => word,
    })
}

/// How reservations become history.
#[derive(Debug, Clone, Copy)]
pub(super) struct History {
    /// The present instant.
    pub(super) now: Timestamp,
    /// How long a reservation lasts, in milliseconds.
    pub(super) reservation_ms: u32,
}

impl History {
    /// The allocation that a row of `reservations` tells of. The reference keeps no ends of calls.
    pub(super) fn allocation(&self, row: &ReferenceReservation) -> Result<PastAllocation, String> {
        let number = PhoneNumber::parse(trimmed(row.caller_id.as_deref()))
            .map_err(|error| error.to_string())?;
        let (Some(until), Some(at)) = (row.reserved_until_ms, row.at_ms) else {
            return Err("reserved_until is empty or infinite, an instant expected".to_owned());
        };
        let [at, until] = [at, until].map(Timestamp::from_ms);
        if at < EARLIEST || at > self.now.plus_ms(RESERVATION_MOST_MS) {
            return Err(format!(
                "its time {at} cannot be, expected one from {EARLIEST} to now"
            ));
        }
        if until < at {
            return Err(format!("it ends at {until}, before it begins at {at}"));
        }
        let destination = PhoneNumber::parse(trimmed(row.destination.as_deref()));
        let record = AllocationRecord {
            id: AllocationId::of(number, at, salt(row)),
            at,
            number,
            // Most versions keep none; the number itself is nobody who is called.
            destination: destination.unwrap_or(number),
            campaign: CampaignId::new(trimmed(row.campaign.as_deref())).ok(),
            agent: AgentId::new(trimmed(row.agent.as_deref())).ok(),
            call_id: None,
            pool: PoolId::default(),
            rung: Rung::Any,
            reserved_until: until,
        };
        Ok(PastAllocation::new(record))
    }
}

/// Tells apart the reservations of one number in one millisecond; the same row has the same each time.
fn salt(row: &ReferenceReservation) -> u32 {
    const BITS: u32 = 0xff_ffff;
    let id = row.id.as_deref().and_then(|id| id.parse::<u64>().ok());
    match id {
        Some(id) => (id & u64::from(BITS)) as u32,
        None => {
            let names = [&row.id, &row.agent, &row.campaign, &row.destination];
            let hash = Sha256::digest(format!("{names:?} {:?}", row.reserved_until_ms));
            u32::from_be_bytes([0, hash[0], hash[1], hash[2]])
        }
    }
}
