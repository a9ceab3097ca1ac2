//! Checksums of rows: the same for the same rows, in whatever order and store.

use std::fmt;

use caller_id_core::audit::AuditEntry;
use caller_id_core::history_query::Calls;
use caller_id_core::roles::ApiKey;
use caller_id_core::takeover::{DaySum, HourSum, RemovedNumber, SumMarks};
use caller_id_core::{
    AllocationRecord, CallResult, Campaign, EndRecord, Number, PhoneNumber, Pool, Status, Timestamp,
};
use sha2::{Digest as _, Sha256};

/// How many rows there are, and the sum of their hashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::cli) struct Digest {
    /// How many.
    pub(in crate::cli) rows: u64,
    sum: u128,
}

impl Digest {
    /// Counts a row in.
    pub(in crate::cli) fn add(&mut self, row: &impl Canonical) {
        let mut bytes = Bytes::default();
        row.write(&mut bytes);
        let hash = Sha256::digest(&bytes.0);
        let mut half = [0; 16];
        half.copy_from_slice(&hash[..16]);
        self.rows += 1;
        // A sum, and not an exclusive or: a row twice is not the same as none.
        self.sum = self.sum.wrapping_add(u128::from_be_bytes(half));
    }
}

impl fmt::Display for Digest {
    /// The first half of the checksum: enough for eyes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", (self.sum >> 64) as u64)
    }
}

/// What has one form in bytes; two values have the same only when they are the same.
pub(in crate::cli) trait Canonical {
    /// Writes all that is kept of it.
    fn write(&self, bytes: &mut Bytes);
}

/// The form of a row.
#[derive(Default)]
pub(in crate::cli) struct Bytes(Vec<u8>);

impl Bytes {
    fn number(&mut self, number: u64) {
        self.0.extend(number.to_be_bytes());
    }

    fn instant(&mut self, at: Timestamp) {
        self.0.extend(at.as_ms().to_be_bytes());
    }

    fn phone(&mut self, phone: PhoneNumber) {
        self.number(phone.e164_digits());
    }

    /// With its length, so that no two texts flow into one another.
    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend(text.as_bytes());
    }

    fn optional(&mut self, text: Option<&str>) {
        self.0.push(u8::from(text.is_some()));
        self.text(text.unwrap_or_default());
    }

    fn said(&mut self, number: Option<u32>) {
        self.0.push(u8::from(number.is_some()));
        self.number(number.unwrap_or_default().into());
    }
}

impl Canonical for Number {
    fn write(&self, bytes: &mut Bytes) {
        bytes.phone(self.number);
        bytes.number(self.area_code.map_or(0, |code| code.get().into()));
        bytes.optional(self.carrier.as_deref());
        bytes.optional(self.attestation.map(|level| level.to_string()).as_deref());
        bytes.text(match self.status {
            Status::Active => "active",
            Status::Paused => "paused",
            Status::Resting(_) => "resting",
            Status::Retired => "retired",
        });
        bytes.instant(match self.status {
            Status::Resting(until) => until,
            Status::Active | Status::Paused | Status::Retired => Timestamp::ZERO,
        });
        bytes.text(self.pool.as_str());
        for limit in [self.limits.daily, self.limits.hourly] {
            bytes.number(limit.map_or(0, |limit| limit.get().into()));
        }
        bytes.optional(self.meta.as_ref().map(ToString::to_string).as_deref());
    }
}

impl Canonical for Pool {
    fn write(&self, bytes: &mut Bytes) {
        bytes.text(self.id.as_str());
        let policy = serde_json::to_string(&self.policy).expect("a policy is plain data");
        bytes.text(&policy);
    }
}

impl Canonical for Campaign {
    fn write(&self, bytes: &mut Bytes) {
        bytes.text(self.id.as_str());
        for pool in &self.pools {
            bytes.text(pool.as_str());
        }
        bytes.said(self.agent_limit_per_minute);
    }
}

impl Canonical for AllocationRecord {
    fn write(&self, bytes: &mut Bytes) {
        bytes.0.extend(self.id.as_bytes());
        bytes.instant(self.at);
        bytes.phone(self.number);
        bytes.phone(self.destination);
        bytes.optional(self.campaign.as_ref().map(|id| id.as_str()));
        bytes.optional(self.agent.as_ref().map(|id| id.as_str()));
        bytes.optional(self.call_id.as_ref().map(|id| id.as_str()));
        bytes.text(self.pool.as_str());
        bytes.text(self.rung.as_str());
        bytes.instant(self.reserved_until);
    }
}

impl Canonical for EndRecord {
    fn write(&self, bytes: &mut Bytes) {
        bytes.0.extend(self.id.as_bytes());
        bytes.instant(self.at);
        bytes.text(self.end.as_str());
    }
}

impl Canonical for CallResult {
    fn write(&self, bytes: &mut Bytes) {
        bytes.0.extend(self.id.as_bytes());
        bytes.instant(self.at);
        let report = self.report;
        bytes.text(report.status.as_str());
        for seconds in [report.answered_seconds, report.dialed_seconds] {
            bytes.said(seconds);
        }
        for code in [report.hangup_cause, report.sip_code] {
            bytes.said(code.map(u32::from));
        }
    }
}

impl Canonical for RemovedNumber {
    fn write(&self, bytes: &mut Bytes) {
        bytes.phone(self.number);
        bytes.number(self.area_code.map_or(0, |code| code.get().into()));
        bytes.text(self.pool.as_str());
        for limit in [self.limits.daily, self.limits.hourly] {
            bytes.number(limit.map_or(0, |limit| limit.get().into()));
        }
        bytes.instant(self.removed_at);
    }
}

impl Canonical for ApiKey {
    fn write(&self, bytes: &mut Bytes) {
        bytes.text(&self.id.0);
        bytes.text(&self.name);
        bytes.text(self.role.as_str());
        bytes.0.extend(self.hash);
        bytes.number(self.addresses.len() as u64);
        self.addresses.iter().for_each(|entry| bytes.text(entry));
        bytes.number(self.campaigns.len() as u64);
        self.campaigns.iter().for_each(|id| bytes.text(id.as_str()));
        bytes.instant(self.created_at);
        bytes.text(&self.created_by);
        for at in [self.expires_at, self.revoked_at, self.last_used_at] {
            bytes.optional(at.map(|at| at.as_ms().to_string()).as_deref());
        }
    }
}

impl Canonical for Calls {
    fn write(&self, bytes: &mut Bytes) {
        for count in self.counts() {
            bytes.number(count);
        }
    }
}

impl Canonical for HourSum {
    fn write(&self, bytes: &mut Bytes) {
        let place = &self.place;
        bytes.0.extend(place.what.to_be_bytes());
        bytes.0.extend(place.hour_ms.to_be_bytes());
        for text in [&place.pool, &place.campaign, &place.key] {
            bytes.text(text);
        }
        self.calls.write(bytes);
    }
}

impl Canonical for DaySum {
    fn write(&self, bytes: &mut Bytes) {
        bytes.0.extend(self.place.0.to_be_bytes());
        bytes.phone(self.place.1);
        self.calls.write(bytes);
    }
}

impl Canonical for SumMarks {
    fn write(&self, bytes: &mut Bytes) {
        let marks = self.0.iter();
        marks.for_each(|mark| bytes.0.extend(mark.to_be_bytes()));
    }
}

impl Canonical for AuditEntry {
    fn write(&self, bytes: &mut Bytes) {
        let event = &self.event;
        bytes.0.extend(self.place.to_be_bytes());
        bytes.instant(self.at);
        bytes.text(event.author.kind.as_str());
        bytes.text(&event.author.name);
        let address = event.author.address.map(|address| address.to_string());
        bytes.optional(address.as_deref());
        bytes.text(&event.action);
        bytes.text(&event.subject);
        bytes.optional(event.before.as_deref());
        bytes.optional(event.after.as_deref());
        bytes.0.extend(self.link.0);
    }
}

#[cfg(test)]
mod tests {
    use caller_id_testkit::builders::{full_number, number};

    use super::*;

    fn digest(rows: &[Number]) -> Digest {
        let mut digest = Digest::default();
        rows.iter().for_each(|row| digest.add(row));
        digest
    }

    #[test]
    fn the_order_of_rows_makes_no_difference_and_every_field_does() {
        let [one, two] = [full_number(number(312, 1)), full_number(number(312, 2))];
        let both = digest(&[one.clone(), two.clone()]);
        assert_eq!(both, digest(&[two.clone(), one.clone()]));
        assert_ne!(digest(&[one.clone(), one.clone()]), both);
        let others = [
            Number {
                area_code: None,
                ..one.clone()
            },
            Number {
                carrier: None,
                ..one.clone()
            },
            Number {
                carrier: Some(String::new()),
                ..one.clone()
            },
            Number {
                attestation: None,
                ..one.clone()
            },
            Number {
                status: Status::Active,
                ..one.clone()
            },
            Number {
                status: Status::Resting(Timestamp::ZERO),
                ..one.clone()
            },
            Number {
                pool: caller_id_core::PoolId::default(),
                ..one.clone()
            },
            Number {
                limits: caller_id_core::Limits::new(50, 500),
                ..one.clone()
            },
            Number { meta: None, ..one },
        ];
        for other in others {
            assert_ne!(digest(&[other.clone(), two.clone()]), both, "{other:?}");
        }
    }
}
