//! The records of a backup in the form in which they are written. Names and places of fields are the format.

use std::net::IpAddr;

use caller_id_core::audit::{AuditEntry, AuditEvent, Author, AuthorKind, Link};
use caller_id_core::history_query::Calls;
use caller_id_core::roles::{ApiKey, KeyId};
use caller_id_core::takeover::{DaySum, HourPlace, HourSum, RemovedNumber};
use caller_id_core::{
    AgentId, AllocationId, AllocationRecord, AreaCode, Attestation, CallEnd, CallId, CallReport,
    CallResult, CampaignId, EndRecord, Limits, Number, PastAllocation, PhoneNumber, PoolId, Status,
    Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NumberLine {
    number: PhoneNumber,
    area_code: Option<AreaCode>,
    carrier: Option<String>,
    attestation: Option<Attestation>,
    status: Status,
    pool: PoolId,
    limits: Limits,
    /// As text: no digit of a number in it is another one on its way.
    meta: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallLine {
    id: String,
    at: i64,
    number: PhoneNumber,
    to: PhoneNumber,
    campaign: Option<CampaignId>,
    agent: Option<AgentId>,
    call: Option<CallId>,
    pool: PoolId,
    rung: String,
    until: i64,
    /// When its reservation ended, and how.
    ended: Option<(i64, String)>,
    result: Option<ResultLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResultLine {
    at: i64,
    status: String,
    answered_seconds: Option<u32>,
    dialed_seconds: Option<u32>,
    hangup_cause: Option<u16>,
    sip_code: Option<u16>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeletedLine {
    number: PhoneNumber,
    area_code: Option<AreaCode>,
    pool: PoolId,
    limits: Limits,
    at: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyLine {
    id: String,
    name: String,
    role: String,
    sha256: String,
    addresses: Vec<String>,
    campaigns: Vec<CampaignId>,
    created_at: i64,
    created_by: String,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
    last_used_at: Option<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HourLine {
    what: i16,
    hour: i64,
    pool: String,
    campaign: String,
    key: String,
    calls: [u64; 7],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DayLine {
    day: i64,
    number: PhoneNumber,
    calls: [u64; 7],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntryLine {
    place: i64,
    at: i64,
    kind: String,
    author: String,
    address: Option<IpAddr>,
    action: String,
    subject: String,
    before: Option<String>,
    after: Option<String>,
    link: String,
}

impl NumberLine {
    pub(super) fn of(number: &Number) -> Self {
        Self {
            number: number.number,
            area_code: number.area_code,
            carrier: number.carrier.clone(),
            attestation: number.attestation,
            status: number.status,
            pool: number.pool.clone(),
            limits: number.limits,
            meta: number.meta.as_ref().map(Value::to_string),
        }
    }

    pub(super) fn read(self) -> Result<Number, String> {
        let meta = self
            .meta
            .map(|text| serde_json::from_str(&text).map_err(|cause| format!("meta: {cause}")));
        Ok(Number {
            number: self.number,
            area_code: self.area_code,
            carrier: self.carrier,
            attestation: self.attestation,
            status: self.status,
            pool: self.pool,
            limits: self.limits,
            meta: meta.transpose()?,
        })
    }
}

impl CallLine {
    pub(super) fn of(past: &PastAllocation) -> Self {
        let record = &past.record;
        Self {
            id: record.id.to_string(),
            at: record.at.as_ms(),
            number: record.number,
            to: record.destination,
            campaign: record.campaign.clone(),
            agent: record.agent.clone(),
            call: record.call_id.clone(),
            pool: record.pool.clone(),
            rung: record.rung.as_str().to_owned(),
            until: record.reserved_until.as_ms(),
            ended: past
                .ended
                .map(|end| (end.at.as_ms(), end.end.as_str().to_owned())),
            result: past.result.map(|result| ResultLine {
                at: result.at.as_ms(),
                status: result.report.status.as_str().to_owned(),
                answered_seconds: result.report.answered_seconds,
                dialed_seconds: result.report.dialed_seconds,
                hangup_cause: result.report.hangup_cause,
                sip_code: result.report.sip_code,
            }),
        }
    }

    pub(super) fn read(self) -> Result<PastAllocation, String> {
        let id: AllocationId = self.id.parse()?;
        let ended = |(at, end): (i64, String)| {
            Ok::<_, String>(EndRecord {
                id,
                at: Timestamp::from_ms(at),
                end: end.parse()?,
            })
        };
        let result = |line: ResultLine| {
            let status: CallEnd = line.status.parse()?;
            Ok::<_, String>(CallResult {
                id,
                at: Timestamp::from_ms(line.at),
                report: CallReport {
                    status,
                    answered_seconds: line.answered_seconds,
                    dialed_seconds: line.dialed_seconds,
                    hangup_cause: line.hangup_cause,
                    sip_code: line.sip_code,
                },
            })
        };
        Ok(PastAllocation {
            record: AllocationRecord {
                id,
                at: Timestamp::from_ms(self.at),
                number: self.number,
                destination: self.to,
                campaign: self.campaign,
                agent: self.agent,
                call_id: self.call,
                pool: self.pool,
                rung: self.rung.parse()?,
                reserved_until: Timestamp::from_ms(self.until),
            },
            ended: self.ended.map(ended).transpose()?,
            result: self.result.map(result).transpose()?,
        })
    }
}

impl HourLine {
    pub(super) fn of(sum: &HourSum) -> Self {
        let place = &sum.place;
        Self {
            what: place.what,
            hour: place.hour_ms,
            pool: place.pool.clone(),
            campaign: place.campaign.clone(),
            key: place.key.clone(),
            calls: sum.calls.counts(),
        }
    }

    pub(super) fn read(self) -> HourSum {
        HourSum {
            place: HourPlace {
                what: self.what,
                hour_ms: self.hour,
                pool: self.pool,
                campaign: self.campaign,
                key: self.key,
            },
            calls: Calls::of_counts(self.calls),
        }
    }
}

impl DayLine {
    pub(super) const fn of(sum: &DaySum) -> Self {
        Self {
            day: sum.place.0,
            number: sum.place.1,
            calls: sum.calls.counts(),
        }
    }

    pub(super) const fn read(self) -> DaySum {
        DaySum {
            place: (self.day, self.number),
            calls: Calls::of_counts(self.calls),
        }
    }
}

impl DeletedLine {
    pub(super) fn of(removed: &RemovedNumber) -> Self {
        Self {
            number: removed.number,
            area_code: removed.area_code,
            pool: removed.pool.clone(),
            limits: removed.limits,
            at: removed.removed_at.as_ms(),
        }
    }

    pub(super) fn read(self) -> RemovedNumber {
        RemovedNumber {
            number: self.number,
            area_code: self.area_code,
            pool: self.pool,
            limits: self.limits,
            removed_at: Timestamp::from_ms(self.at),
        }
    }
}

impl KeyLine {
    pub(super) fn of(key: &ApiKey) -> Self {
        Self {
            id: key.id.0.clone(),
            name: key.name.clone(),
            role: key.role.as_str().to_owned(),
            sha256: hex(key.hash),
            addresses: key.addresses.clone(),
            campaigns: key.campaigns.clone(),
            created_at: key.created_at.as_ms(),
            created_by: key.created_by.clone(),
            expires_at: key.expires_at.map(Timestamp::as_ms),
            revoked_at: key.revoked_at.map(Timestamp::as_ms),
            last_used_at: key.last_used_at.map(Timestamp::as_ms),
        }
    }

    pub(super) fn read(self) -> Result<ApiKey, String> {
        Ok(ApiKey {
            id: KeyId(self.id),
            name: self.name,
            role: self.role.parse()?,
            hash: unhex(&self.sha256)?,
            addresses: self.addresses,
            campaigns: self.campaigns,
            created_at: Timestamp::from_ms(self.created_at),
            created_by: self.created_by,
            expires_at: self.expires_at.map(Timestamp::from_ms),
            revoked_at: self.revoked_at.map(Timestamp::from_ms),
            last_used_at: self.last_used_at.map(Timestamp::from_ms),
        })
    }
}

impl EntryLine {
    pub(super) fn of(entry: &AuditEntry) -> Self {
        let event = &entry.event;
        Self {
            place: entry.place,
            at: entry.at.as_ms(),
            kind: event.author.kind.as_str().to_owned(),
            author: event.author.name.clone(),
            address: event.author.address,
            action: event.action.clone(),
            subject: event.subject.clone(),
            before: event.before.clone(),
            after: event.after.clone(),
            link: entry.link.to_string(),
        }
    }

    pub(super) fn read(self) -> Result<AuditEntry, String> {
        let kind = AuthorKind::from_word(&self.kind);
        Ok(AuditEntry {
            place: self.place,
            at: Timestamp::from_ms(self.at),
            event: AuditEvent {
                author: Author {
                    kind: kind.ok_or_else(|| format!("author `{}` is unknown", self.kind))?,
                    name: self.author,
                    address: self.address,
                },
                action: self.action,
                subject: self.subject,
                before: self.before,
                after: self.after,
            },
            link: Link(unhex(&self.link)?),
        })
    }
}

fn hex(bytes: [u8; 32]) -> String {
    Link(bytes).to_string()
}

fn unhex(text: &str) -> Result<[u8; 32], String> {
    let wrong = || format!("`{}` is no SHA-256 in 64 digits", text.escape_debug());
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return Err(wrong());
    }
    for (byte, place) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&text[place..place + 2], 16).map_err(|_| wrong())?;
    }
    Ok(bytes)
}
