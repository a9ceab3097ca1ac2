//! Events as the journal in Redis keeps them: written by the scripts, read here.
//!
//! An event is bytes, integers big endian: its kind (1 allocated, 2 ended, 3 reported), the allocation's id (16), the instant (6, in
//! milliseconds). Then of an allocation: the end of its reservation (6), the number (7), the rung (1), the pool, and the
//! rest, which the asker gives and no script reads: destination (7), campaign, agent, call id. A name is its length (1
//! byte, 0 = none) and its bytes. Of an end: how the call ended (1). Of a result: how the call ended (1), which of the following
//! were said (1, the lowest bit for the first), seconds answered (4), seconds dialed (4), cause of the hang-up (2), SIP code (2).

use caller_id_core::{
    AgentId, AllocationId, AllocationRecord, AllocationRequest, CallEnd, CallId, CallReport,
    CallResult, CampaignId, EndRecord, IdError, JournalEvent, PhoneNumber, PoolId, Rung, Timestamp,
};

use super::error::Unreadable;

const ALLOCATED: u8 = 1;
const ENDED: u8 = 2;
const REPORTED: u8 = 3;

/// The rest of an allocation's event: what the request says.
pub(super) fn rest_into(bytes: &mut Vec<u8>, request: &AllocationRequest) {
    bytes.extend(seven(request.destination));
    name(bytes, request.campaign.as_ref().map(CampaignId::as_str));
    name(bytes, request.agent.as_ref().map(AgentId::as_str));
    name(bytes, request.call_id.as_ref().map(CallId::as_str));
}

/// The whole event of an allocation.
pub(super) fn allocated(record: &AllocationRecord) -> Vec<u8> {
    let mut bytes = vec![ALLOCATED];
    bytes.extend(record.id.as_bytes());
    bytes.extend(six(record.at));
    bytes.extend(six(record.reserved_until));
    bytes.extend(seven(record.number));
    bytes.push(
        Rung::ALL
            .iter()
            .position(|rung| *rung == record.rung)
            .unwrap_or(0) as u8,
    );
    name(&mut bytes, Some(record.pool.as_str()));
    let request = AllocationRequest {
        destination: record.destination,
        campaign: record.campaign.clone(),
        agent: record.agent.clone(),
        call_id: record.call_id.clone(),
    };
    rest_into(&mut bytes, &request);
    bytes
}

/// The whole event of an end.
pub(super) fn ended(end: &EndRecord) -> Vec<u8> {
    let mut bytes = vec![ENDED];
    bytes.extend(end.id.as_bytes());
    bytes.extend(six(end.at));
    bytes.push(end_code(end.end));
    bytes
}

/// The whole event of how a call went.
pub(super) fn reported(result: &CallResult) -> Vec<u8> {
    let mut bytes = vec![REPORTED];
    bytes.extend(result.id.as_bytes());
    bytes.extend(six(result.at));
    bytes.extend(said(&result.report));
    bytes
}

/// The end of that event: what the report says.
pub(super) fn said(report: &CallReport) -> Vec<u8> {
    let given = [
        report.answered_seconds.is_some(),
        report.dialed_seconds.is_some(),
        report.hangup_cause.is_some(),
        report.sip_code.is_some(),
    ];
    let places = given.into_iter().zip(0..);
    let mut bytes = vec![
        end_code(report.status),
        places.map(|(given, place)| u8::from(given) << place).sum(),
    ];
    for seconds in [report.answered_seconds, report.dialed_seconds] {
        bytes.extend(seconds.unwrap_or(0).to_be_bytes());
    }
    for code in [report.hangup_cause, report.sip_code] {
        bytes.extend(code.unwrap_or(0).to_be_bytes());
    }
    bytes
}

/// The code of how a call ended.
pub(super) fn end_code(end: CallEnd) -> u8 {
    CallEnd::ALL
        .iter()
        .position(|known| *known == end)
        .unwrap_or(0) as u8
}

/// The event that a script made into `bytes`.
///
/// # Errors
/// [`Unreadable`] when no version of ours wrote it.
pub(super) fn decode(bytes: &[u8]) -> Result<JournalEvent, Unreadable> {
    let mut reader = Reader(bytes);
    let event = match reader.byte()? {
        ALLOCATED => JournalEvent::Allocated(reader.record()?.into()),
        ENDED => JournalEvent::Ended(reader.end()?),
        REPORTED => JournalEvent::Reported(reader.result()?),
        kind => return Err(unreadable(&format!("has the kind {kind}"))),
    };
    reader.finish().map(|()| event)
}

/// The event of an allocation.
///
/// # Errors
/// [`Unreadable`] when it is none.
pub(super) fn decode_allocation(bytes: &[u8]) -> Result<AllocationRecord, Unreadable> {
    let mut reader = Reader(bytes);
    if reader.byte()? != ALLOCATED {
        return Err(unreadable("is no allocation"));
    }
    let record = reader.record()?;
    reader.finish().map(|()| record)
}

/// An instant in 6 bytes; before the epoch is the epoch, after the year 10,000 the last one that fits.
pub(super) fn six(at: Timestamp) -> [u8; 6] {
    integer(at.as_ms().clamp(0, (1 << 48) - 1) as u64)
}

fn seven(number: PhoneNumber) -> [u8; 7] {
    integer(number.e164_digits())
}

/// The last `N` bytes of a big endian integer.
fn integer<const N: usize>(value: u64) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&value.to_be_bytes()[8 - N..]);
    bytes
}

fn name(bytes: &mut Vec<u8>, name: Option<&str>) {
    let name = name.unwrap_or_default();
    bytes.push(name.len() as u8);
    bytes.extend(name.as_bytes());
}

fn unreadable(why: &str) -> Unreadable {
    Unreadable(format!("an event {why}"))
}

/// What of an event is not read yet.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn record(&mut self) -> Result<AllocationRecord, Unreadable> {
        Ok(AllocationRecord {
            id: self.id()?,
            at: self.instant()?,
            reserved_until: self.instant()?,
            number: self.number()?,
            rung: meaning(&Rung::ALL, self.byte()?)?,
            pool: self
                .name(PoolId::new)?
                .ok_or_else(|| unreadable("has no pool"))?,
            destination: self.number()?,
            campaign: self.name(CampaignId::new)?,
            agent: self.name(AgentId::new)?,
            call_id: self.name(CallId::new)?,
        })
    }

    fn end(&mut self) -> Result<EndRecord, Unreadable> {
        Ok(EndRecord {
            id: self.id()?,
            at: self.instant()?,
            end: meaning(&CallEnd::ALL, self.byte()?)?,
        })
    }

    fn result(&mut self) -> Result<CallResult, Unreadable> {
        let (id, at) = (self.id()?, self.instant()?);
        let status = meaning(&CallEnd::ALL, self.byte()?)?;
        let given = self.byte()?;
        let seconds = [self.integer(4)?, self.integer(4)?].map(|seconds| seconds as u32);
        let codes = [self.integer(2)?, self.integer(2)?].map(|code| code as u16);
        let is_given = |place: u8| given >> place & 1 == 1;
        let report = CallReport {
            status,
            answered_seconds: is_given(0).then_some(seconds[0]),
            dialed_seconds: is_given(1).then_some(seconds[1]),
            hangup_cause: is_given(2).then_some(codes[0]),
            sip_code: is_given(3).then_some(codes[1]),
        };
        Ok(CallResult { id, at, report })
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Unreadable> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or_else(|| unreadable("is cut off"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Unreadable> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn integer(&mut self, count: usize) -> Result<u64, Unreadable> {
        let bytes = self.take(count)?;
        Ok(bytes
            .iter()
            .fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn instant(&mut self) -> Result<Timestamp, Unreadable> {
        self.integer(6).map(|ms| Timestamp::from_ms(ms as i64))
    }

    fn number(&mut self) -> Result<PhoneNumber, Unreadable> {
        let digits = self.integer(7)?;
        PhoneNumber::from_e164_digits(digits)
            .ok_or_else(|| unreadable(&format!("has the number {digits}")))
    }

    fn id(&mut self) -> Result<AllocationId, Unreadable> {
        let mut id = [0; 16];
        id.copy_from_slice(self.take(16)?);
        Ok(AllocationId::from_bytes(id))
    }

    fn name<T>(
        &mut self,
        new: impl Fn(&str) -> Result<T, IdError>,
    ) -> Result<Option<T>, Unreadable> {
        let count = self.byte()?;
        if count == 0 {
            return Ok(None);
        }
        let text = std::str::from_utf8(self.take(count.into())?)
            .map_err(|_| unreadable("has a name that is not UTF-8"))?;
        new(text)
            .map(Some)
            .map_err(|error| unreadable(&format!("has a name that is none: {error}")))
    }

    fn finish(self) -> Result<(), Unreadable> {
        match self.0.len() {
            0 => Ok(()),
            more => Err(unreadable(&format!("has {more} bytes too many"))),
        }
    }
}

fn meaning<T: Copy>(known: &[T], code: u8) -> Result<T, Unreadable> {
    known
        .get(usize::from(code))
        .copied()
        .ok_or_else(|| unreadable(&format!("has the code {code}")))
}

#[cfg(test)]
mod tests {
    use caller_id_testkit::builders::{START, agent, call, campaign_id, number, pool};

    use super::*;

    fn record() -> AllocationRecord {
        AllocationRecord {
            id: AllocationId::of(number(312, 1), START, 7),
            at: START,
            number: number(312, 1),
            destination: number(212, 2),
            campaign: Some(campaign_id("SOLAR")),
            agent: Some(agent(&"x".repeat(128))),
            call_id: Some(call("V1")),
            pool: pool("roof"),
            rung: Rung::Overlay,
            reserved_until: START.plus_ms(60_000),
        }
    }

    #[test]
    fn an_allocation_reads_back_as_it_was_written() {
        let bare = AllocationRecord {
            campaign: None,
            agent: None,
            call_id: None,
            ..record()
        };
        for record in [record(), bare] {
            let bytes = allocated(&record);
            assert_eq!(
                decode(&bytes),
                Ok(JournalEvent::Allocated(record.clone().into()))
            );
            assert_eq!(decode_allocation(&bytes), Ok(record));
        }
    }

    #[test]
    fn an_end_reads_back_and_nothing_else_is_taken_for_an_event() {
        let id = record().id;
        let end = EndRecord {
            id,
            at: START,
            end: CallEnd::NoAnswer,
        };
        let bytes = ended(&end);
        assert_eq!(decode(&bytes), Ok(JournalEvent::Ended(end)));
        for wrong in [
            &bytes[..bytes.len() - 1],
            &[4],
            &[],
            &[bytes.as_slice(), &[0]].concat(),
        ] {
            assert!(decode(wrong).is_err(), "{wrong:?}");
        }
        assert!(decode_allocation(&bytes).is_err());
    }
    #[test]
    fn a_result_reads_back_with_what_was_said_and_what_was_not() {
        let full = CallReport {
            status: CallEnd::Busy,
            answered_seconds: Some(u32::MAX),
            dialed_seconds: Some(0),
            hangup_cause: Some(17),
            sip_code: Some(486),
        };
        let half = CallReport {
            answered_seconds: None,
            sip_code: None,
            ..full
        };
        for report in [full, half, CallReport::default()] {
            let (id, at) = (record().id, START);
            let result = CallResult { id, at, report };
            let bytes = reported(&result);
            assert_eq!(decode(&bytes), Ok(JournalEvent::Reported(result)));
            assert!(decode(&bytes[..bytes.len() - 1]).is_err());
        }
    }
}
