//! One batch of events as bytes: a version, then the events in postcard's compact form.

use caller_id_core::{
    AgentId, AllocationId, AllocationRecord, CallEnd, CallId, CallReport, CallResult, CampaignId,
    EndRecord, IdError, JournalEvent, PhoneNumber, PoolId, Rung, StoreError, Timestamp,
};
use serde::{Deserialize, Serialize, Serializer};

/// The first byte of a batch without results, which every version reads. A change of [`Event`] needs another one, and a reader
/// for all.
const VERSION: u8 = 1;
/// Of a batch in which somebody said how a call went.
const VERSION_OF_RESULTS: u8 = 2;

/// An event as it is written. Its order of variants and fields is the format.
#[derive(Serialize, Deserialize)]
enum Event<'a> {
    #[serde(borrow)]
    Allocated(Row<'a>),
    Ended {
        id: [u8; 16],
        at_ms: i64,
        end: u8,
    },
    Reported {
        id: [u8; 16],
        at_ms: i64,
        status: u8,
        answered_seconds: Option<u32>,
        dialed_seconds: Option<u32>,
        hangup_cause: Option<u16>,
        sip_code: Option<u16>,
    },
}

#[derive(Serialize, Deserialize)]
struct Row<'a> {
    id: [u8; 16],
    at_ms: i64,
    number: u64,
    destination: u64,
    campaign: Option<&'a str>,
    agent: Option<&'a str>,
    call_id: Option<&'a str>,
    pool: &'a str,
    rung: u8,
    reserved_until_ms: i64,
}

/// The batch as bytes.
pub(super) fn encode(events: &[JournalEvent]) -> Result<Vec<u8>, StoreError> {
    const BYTES_EXPECTED: usize = 112;
    let mut bytes = Vec::with_capacity(8 + events.len() * BYTES_EXPECTED);
    let is_result = |event: &JournalEvent| matches!(event, JournalEvent::Reported(_));
    bytes.push(match events.iter().any(is_result) {
        true => VERSION_OF_RESULTS,
        false => VERSION,
    });
    postcard::to_extend(&Batch(events), bytes).map_err(|cause| StoreError::Failed(Box::new(cause)))
}

/// The batch that `encode` made into `bytes`.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<JournalEvent>, StoreError> {
    let (events, rest) = postcard::take_from_bytes::<Vec<Event<'_>>>(body(bytes)?)
        .map_err(|cause| unreadable(&cause.to_string()))?;
    if !rest.is_empty() {
        return Err(unreadable(&format!("{} bytes too many", rest.len())));
    }
    events.iter().map(Event::read).collect()
}

/// How many events the batch has, without reading them.
pub(super) fn count(bytes: &[u8]) -> Result<u64, StoreError> {
    postcard::take_from_bytes::<u64>(body(bytes)?)
        .map(|(count, _)| count)
        .map_err(|cause| unreadable(&cause.to_string()))
}

fn body(bytes: &[u8]) -> Result<&[u8], StoreError> {
    match bytes.split_first() {
        Some((&(VERSION | VERSION_OF_RESULTS), body)) => Ok(body),
        Some((version, _)) => Err(unreadable(&format!("it has version {version}, not 1 or 2"))),
        None => Err(unreadable("it is empty")),
    }
}

/// Which batch it is, who reads it knows.
fn unreadable(why: &str) -> StoreError {
    StoreError::Unreadable(why.to_owned())
}

/// Writes events straight out of what the engine gave, with no copy of them in between.
struct Batch<'a>(&'a [JournalEvent]);

impl Serialize for Batch<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Event::write))
    }
}

impl<'a> Event<'a> {
    fn write(event: &'a JournalEvent) -> Self {
        match event {
            JournalEvent::Allocated(record) => Self::Allocated(Row {
                id: *record.id.as_bytes(),
                at_ms: record.at.as_ms(),
                number: record.number.e164_digits(),
                destination: record.destination.e164_digits(),
                campaign: record.campaign.as_ref().map(CampaignId::as_str),
                agent: record.agent.as_ref().map(AgentId::as_str),
                call_id: record.call_id.as_ref().map(CallId::as_str),
                pool: record.pool.as_str(),
                rung: code(&Rung::ALL, record.rung),
                reserved_until_ms: record.reserved_until.as_ms(),
            }),
            JournalEvent::Ended(end) => Self::Ended {
                id: *end.id.as_bytes(),
                at_ms: end.at.as_ms(),
                end: code(&CallEnd::ALL, end.end),
            },
            JournalEvent::Reported(CallResult { id, at, report }) => Self::Reported {
                id: *id.as_bytes(),
                at_ms: at.as_ms(),
                status: code(&CallEnd::ALL, report.status),
                answered_seconds: report.answered_seconds,
                dialed_seconds: report.dialed_seconds,
                hangup_cause: report.hangup_cause,
                sip_code: report.sip_code,
            },
        }
    }

    fn read(&self) -> Result<JournalEvent, StoreError> {
        match self {
            Self::Allocated(row) => row
                .read()
                .map(|record| JournalEvent::Allocated(record.into())),
            Self::Ended { id, at_ms, end } => Ok(JournalEvent::Ended(EndRecord {
                id: AllocationId::from_bytes(*id),
                at: Timestamp::from_ms(*at_ms),
                end: meaning(&CallEnd::ALL, *end, "end of a call")?,
            })),
            Self::Reported {
                id,
                at_ms,
                status,
                answered_seconds,
                dialed_seconds,
                hangup_cause,
                sip_code,
            } => Ok(JournalEvent::Reported(CallResult {
                id: AllocationId::from_bytes(*id),
                at: Timestamp::from_ms(*at_ms),
                report: CallReport {
                    status: meaning(&CallEnd::ALL, *status, "end of a call")?,
                    answered_seconds: *answered_seconds,
                    dialed_seconds: *dialed_seconds,
                    hangup_cause: *hangup_cause,
                    sip_code: *sip_code,
                },
            })),
        }
    }
}

impl Row<'_> {
    fn read(&self) -> Result<AllocationRecord, StoreError> {
        Ok(AllocationRecord {
            id: AllocationId::from_bytes(self.id),
            at: Timestamp::from_ms(self.at_ms),
            number: number(self.number)?,
            destination: number(self.destination)?,
            campaign: self.campaign.map(CampaignId::new).transpose().map_err(id)?,
            agent: self.agent.map(AgentId::new).transpose().map_err(id)?,
            call_id: self.call_id.map(CallId::new).transpose().map_err(id)?,
            pool: PoolId::new(self.pool).map_err(id)?,
            rung: meaning(&Rung::ALL, self.rung, "rung")?,
            reserved_until: Timestamp::from_ms(self.reserved_until_ms),
        })
    }
}

fn code<T: PartialEq + Copy>(known: &[T], value: T) -> u8 {
    known
        .iter()
        .position(|other| *other == value)
        .map_or(u8::MAX, |place| place as u8)
}

fn meaning<T: Copy>(known: &[T], code: u8, what: &str) -> Result<T, StoreError> {
    known
        .get(usize::from(code))
        .copied()
        .ok_or_else(|| unreadable(&format!("{what} {code} is unknown")))
}

fn number(digits: u64) -> Result<PhoneNumber, StoreError> {
    PhoneNumber::from_e164_digits(digits)
        .ok_or_else(|| unreadable(&format!("{digits} is no phone number")))
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
fn id(error: IdError) -> StoreError {
    unreadable(&error.to_string())
}

#[cfg(test)]
mod tests {
    use caller_id_testkit::store_suite::records::{
        allocated, ended, full_record, full_report, own, record, reported,
    };
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn events() -> impl Strategy<Value = Vec<JournalEvent>> {
        let event = (
            0..1_000_000_000_i64,
            any::<u64>(),
            0..9_999_u64,
            0..5_u8,
            0..CallEnd::ALL.len(),
        )
            .prop_map(|(ms, n, line, kind, end)| match kind {
                0 => allocated(&record(ms, n, own(line))),
                1 => allocated(&full_record(ms, n, own(line))),
                2 => reported(&record(ms, n, own(line)), ms, CallReport::default()),
                3 => reported(
                    &record(ms, n, own(line)),
                    ms,
                    full_report(CallEnd::ALL[end]),
                ),
                _ => ended(&record(ms, n, own(line)), ms, CallEnd::ALL[end]),
            });
        vec(event, 0..40)
    }

    proptest! {
        #[test]
        fn a_batch_reads_back_as_it_was_written(events in events()) {
            let bytes = encode(&events).unwrap();
            prop_assert_eq!(count(&bytes).unwrap(), events.len() as u64);
            prop_assert_eq!(decode(&bytes).unwrap(), events);
        }

        #[test]
        fn a_batch_cut_short_is_unreadable(events in events(), part in 0.0..1.0) {
            let bytes = encode(&events).unwrap();
            let cut = &bytes[..(bytes.len() as f64 * part) as usize];
            prop_assert!(matches!(decode(cut), Err(StoreError::Unreadable(_))));
        }

        #[test]
        fn garbage_is_unreadable_or_some_batch_and_never_a_panic(
            mut garbage in vec(any::<u8>(), 0..300),
            of_this_version in any::<bool>(),
        ) {
            if let Some(first) = garbage.first_mut().filter(|_| of_this_version) {
                *first = VERSION;
            }
            match decode(&garbage) {
                Ok(events) => prop_assert_eq!(count(&garbage).unwrap(), events.len() as u64),
                Err(error) => prop_assert!(matches!(error, StoreError::Unreadable(_)), "{error}"),
            }
        }
    }

    #[test]
    fn an_allocation_takes_about_a_hundred_bytes() {
        let bytes = encode(&[allocated(&full_record(1, 1, own(1)))]).unwrap();
        assert!(bytes.len() < 112, "{} bytes", bytes.len());
    }

    #[test]
    fn the_bytes_of_version_1_never_change() {
        let bytes = encode(&[
            allocated(&record(1, 2, own(3))),
            ended(&record(1, 2, own(3)), 4, CallEnd::Busy),
        ])
        .unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = [
            "0102",                               // version and count
            "0001a203c56d8170008000000000020000", // allocated: id
            "82b6abbcc068",                       // at
            "b3ffdff230",                         // number
            "b29af2dd34",                         // destination
            "000000",                             // no campaign, agent, call
            "0764656661756c74",                   // pool
            "04",                                 // rung
            "c285d0bcc068",                       // reserved until
            "0101a203c56d8170008000000000020000", // ended: id
            "88b6abbcc068",                       // at
            "02",                                 // how
        ];
        assert_eq!(hex, expected.concat());
    }

    #[test]
    fn the_bytes_of_version_2_never_change() {
        let full = full_report(CallEnd::Busy);
        let bytes = encode(&[reported(&record(1, 2, own(3)), 4, full)]).unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = [
            "0201",                               // version and count
            "0201a203c56d8170008000000000020000", // reported: id
            "88b6abbcc068",                       // at
            "02",                                 // how
            "012a",                               // seconds answered
            "013c",                               // seconds dialed
            "0110",                               // cause
            "01c801",                             // SIP code
        ];
        assert_eq!(hex, expected.concat());
    }
}
