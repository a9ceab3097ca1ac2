//! What a call is answered with.

use caller_id_core::{AgentId, Allocation, AreaCode, CallId, CampaignId, NumberFormat, Rung};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use utoipa::ToSchema;

/// The reference's answer when there is no agent or no limit.
const NO_AGENT_LIMIT: u32 = 999_999;

/// The answer to a call: the reference's fields in its order, then ours.
#[derive(Debug, Serialize, ToSchema)]
pub struct NextCid<'a> {
    /// The number to present, always a string.
    #[schema(example = "3125550100")]
    caller_id: String,
    /// As asked.
    agent: Option<&'a str>,
    /// As asked.
    campaign: Option<&'a str>,
    /// The called party; NANP numbers without the leading 1.
    destination: String,
    /// The chosen number's.
    #[schema(value_type = Option<String>)]
    area_code: Option<AreaCode>,
    /// When the reservation ends if nobody releases it (RFC 3339).
    expires_at: String,
    /// Seconds from the allocation to `expires_at`.
    reservation_ttl: i64,
    /// The number's limits; null is none.
    limits: LimitsBody,
    /// How many allocations the agent may make at once; 999999 without agent or limit.
    rate_limit_remaining: u32,
    /// For `DELETE /api/v1/reservations/{id}`.
    reservation_id: String,
    /// The pool the number is in.
    pool: &'a str,
    /// How it was chosen: sticky, area_code, overlay, region or any.
    rung: &'static str,
    /// The destination was shown this number before.
    sticky: bool,
    /// The call's id, as asked.
    call_id: Option<&'a str>,
    /// The same call asked before: the same answer, counted once.
    repeated: bool,
}

/// Most uses of a number; null is no limit.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct LimitsBody {
    daily_limit: Option<u32>,
    hourly_limit: Option<u32>,
}

impl<'a> NextCid<'a> {
    /// What `allocation` is answered with.
    pub(super) fn new(allocation: &'a Allocation, format: NumberFormat) -> Self {
        let record = &*allocation.record;
        Self {
            caller_id: record.number.format(format),
            agent: record.agent.as_ref().map(AgentId::as_str),
            campaign: record.campaign.as_ref().map(CampaignId::as_str),
            destination: record.destination.format(NumberFormat::National),
            area_code: allocation.area_code,
            expires_at: record.reserved_until.to_string(),
            reservation_ttl: record.reserved_until.ms_since(record.at) / 1_000,
            limits: LimitsBody {
                daily_limit: allocation.limits.daily.map(Into::into),
                hourly_limit: allocation.limits.hourly.map(Into::into),
            },
            rate_limit_remaining: allocation.agent_remaining.unwrap_or(NO_AGENT_LIMIT),
            reservation_id: record.id.to_string(),
            pool: record.pool.as_str(),
            rung: record.rung.as_str(),
            sticky: record.rung == Rung::Sticky,
            call_id: record.call_id.as_ref().map(CallId::as_str),
            repeated: allocation.repeated,
        }
    }

    /// The answer in JSON. Its order is the order of the fields.
    pub(super) fn json(&self) -> Vec<u8> {
        /// Answers are shorter, so the buffer never grows.
        const ROOM: usize = 768;
        let mut json = Vec::with_capacity(ROOM);
        serde_json::to_writer(&mut json, self)
            .expect("writing plain data into memory does not fail");
        json
    }

    /// The digits and a newline.
    pub(super) fn text(&self) -> Vec<u8> {
        format!("{}\n", self.caller_id).into_bytes()
    }

    /// The answer as `a=b&c=d`.
    pub(super) fn pairs(&self) -> String {
        let area_code = self
            .area_code
            .map(|code| code.to_string())
            .unwrap_or_default();
        let ttl = self.reservation_ttl.to_string();
        let pairs = [
            ("caller_id", self.caller_id.as_str()),
            ("area_code", &area_code),
            ("destination", &self.destination),
            ("expires_at", &self.expires_at),
            ("reservation_ttl", &ttl),
            ("reservation_id", &self.reservation_id),
            ("pool", self.pool),
            ("rung", self.rung),
        ];
        let encoded = pairs.map(|(name, value)| {
            format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))
        });
        encoded.join("&")
    }
}
