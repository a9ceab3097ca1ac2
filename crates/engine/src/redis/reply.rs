//! What scripts reply, read into what the port answers.

use std::num::NonZeroU32;

use caller_id_core::inspection::Counts;
use caller_id_core::shared::StateId;
use caller_id_core::{
    Allocation, AllocationId, CallEnd, CallReport, CallResult, Cause, EndRecord, Exhausted, Limits,
    NumberState, Outcome, PhoneNumber, PoolId, Rung, Timestamp,
};
use redis::Value;

use super::error::Unreadable;
use super::{event, step};

mod looks;

/// The reply to one step.
#[derive(Debug)]
pub(super) enum Reply {
    /// To a request.
    Outcome(Outcome),
    /// A reservation ended, then.
    Ended(AllocationId, Timestamp),
    /// How a call went is kept with this allocation, since then; whether its reservation ended by it.
    Reported(AllocationId, Timestamp, bool),
    /// There was no live reservation, or nothing is known of the call.
    Nothing,
    /// Done.
    Done,
    /// Pools and numbers are put, behind so many events; numbers of these pools may stand in the wrong place.
    Put(i64, Vec<String>),
    /// There is more: where to go on.
    More(Vec<u8>),
    /// It would be the turn of a number.
    Turn {
        /// The number.
        number: PhoneNumber,
        /// Its pool.
        pool: PoolId,
        /// By which rung.
        rung: Rung,
    },
    /// The states of numbers, where they are known.
    States(Vec<Option<NumberState>>),
    /// The groups of a pool.
    Groups(Vec<String>),
    /// How many numbers were counted, in how many groups, and where to go on in the next.
    Counted(Counts, usize, Vec<u8>),
    /// It could not be done: why.
    Failed(String),
    /// The state is not whole.
    Lost,
    /// So many events wait in the journal, no more may.
    Full(i64),
    /// It belongs to a rebuild that is over, or to another state.
    Superseded,
    /// Of each event, whether the state lacks it.
    Missing(Vec<bool>),
    /// The inventory is not where the step begins.
    Elsewhere,
    /// A pool needs its local days, then ask again.
    Days {
        /// Its name.
        pool: String,
        /// Its time zone.
        zone: String,
        /// The instant whose day is missing.
        now: Timestamp,
    },
}

impl Reply {
    /// The reply in a value.
    pub(super) fn read(value: Value) -> Result<Self, Unreadable> {
        let fields = match value {
            Value::BulkString(got) => {
                return allocation(&got).map(|got| Self::Outcome(Outcome::Allocated(got)));
            }
            Value::Array(fields) => Fields(fields),
            _ => return Err(Unreadable("a reply is no array".to_owned())),
        };
        match fields.bytes(0)? {
            b"none" => fields
                .exhausted()
                .map(|none| Self::Outcome(Outcome::Exhausted(none))),
            b"over" => {
                let retry_after_ms = fields.integer(1)?;
                Ok(Self::Outcome(Outcome::AgentLimited { retry_after_ms }))
            }
            b"ended" => Ok(Self::Ended(fields.id(1)?, fields.instant(2)?)),
            b"reported" => {
                let released = fields.integer(3)? == 1;
                Ok(Self::Reported(fields.id(1)?, fields.instant(2)?, released))
            }
            b"nothing" => Ok(Self::Nothing),
            b"done" => Ok(Self::Done),
            b"put" => Ok(Self::Put(fields.integer(1)?, fields.texts_from(2)?)),
            b"more" => Ok(Self::More(fields.bytes(1)?.to_vec())),
            b"turn" => fields.turn(),
            b"states" => fields.states().map(Self::States),
            b"groups" => fields.texts().map(Self::Groups),
            b"counted" => fields.counted(),
            b"lost" => Ok(Self::Lost),
            b"full" => fields.integer(1).map(Self::Full),
            b"superseded" => Ok(Self::Superseded),
            b"missing" => {
                let each = fields.bytes(1)?.iter();
                Ok(Self::Missing(each.map(|one| *one == b'1').collect()))
            }
            b"elsewhere" => Ok(Self::Elsewhere),
            b"failed" => fields.text(1).map(Self::Failed),
            b"days" => Ok(Self::Days {
                pool: fields.text(1)?,
                zone: fields.text(2)?,
                now: fields.instant(3)?,
            }),
            other => Err(Unreadable(format!(
                "a reply is `{}`",
                String::from_utf8_lossy(other)
            ))),
        }
    }

    /// The outcome of a request.
    pub(super) fn outcome(self) -> Result<Outcome, Unreadable> {
        match self {
            Self::Outcome(outcome) => Ok(outcome),
            other => Err(other.unexpected()),
        }
    }

    /// How a reservation ended, when it did.
    pub(super) fn end(self, end: CallEnd) -> Result<Option<EndRecord>, Unreadable> {
        match self {
            Self::Ended(id, at) => Ok(Some(EndRecord { id, at, end })),
            Self::Nothing => Ok(None),
            other => Err(other.unexpected()),
        }
    }

    /// What was kept of a report, and whether a reservation ended by it.
    pub(super) fn result(
        self,
        report: &CallReport,
    ) -> Result<Option<(CallResult, bool)>, Unreadable> {
        let report = *report;
        match self {
            Self::Reported(id, at, released) => Ok(Some((CallResult { id, at, report }, released))),
            Self::Nothing => Ok(None),
            other => Err(other.unexpected()),
        }
    }

    pub(super) fn unexpected(&self) -> Unreadable {
        Unreadable(format!("a reply is not to what was asked: {self:?}"))
    }
}

/// The id of a state: hexadecimal digits; of one that nobody rebuilt none.
pub(super) fn state_id(value: &Value) -> Result<StateId, Unreadable> {
    let unreadable = || Unreadable(format!("the id of a state is {value:?}"));
    let Value::BulkString(digits) = value else {
        return Err(unreadable());
    };
    if digits.is_empty() {
        return Ok(StateId::default());
    }
    let digits = std::str::from_utf8(digits).map_err(|_| unreadable())?;
    let id = u64::from_str_radix(digits, 16).map_err(|_| unreadable())?;
    Ok(StateId(id))
}

/// The id of a state as scripts know it.
pub(super) fn digits_of(state: StateId) -> Vec<u8> {
    format!("{:016x}", state.0).into_bytes()
}

/// A number that was given out, as `GOT` in `scripts/decide.lua` writes it.
fn allocation(bytes: &[u8]) -> Result<Allocation, Unreadable> {
    let read = || {
        let (&[repeated, group], rest) = bytes.split_first_chunk()?;
        let (group, rest) = rest.split_at_checked(group.into())?;
        let (daily, rest) = rest.split_first_chunk()?;
        let (hourly, rest) = rest.split_first_chunk()?;
        let (left, event) = rest.split_first_chunk()?;
        let integers = [daily, hourly, left].map(|four| u32::from_be_bytes(*four));
        Some((repeated == 1, group, integers, event))
    };
    let cut_off = || Unreadable("a number that was given out is cut off".to_owned());
    let (repeated, group, [daily, hourly, left], event) = read().ok_or_else(cut_off)?;
    Ok(Allocation {
        record: event::decode_allocation(event)?.into(),
        area_code: step::area_code(group),
        limits: Limits {
            daily: NonZeroU32::new(daily),
            hourly: NonZeroU32::new(hourly),
        },
        agent_remaining: (left != u32::MAX).then_some(left),
        repeated,
    })
}

struct Fields(Vec<Value>);

impl Fields {
    fn exhausted(&self) -> Result<Exhausted, Unreadable> {
        let cause = match self.integer(2)? {
            0 => return Ok(Exhausted::EMPTY),
            1 => Cause::Reserved,
            2 => Cause::Cooldown,
            3 => Cause::HourlyLimit,
            4 => Cause::DailyLimit,
            5 => Cause::Resting,
            other => return Err(Unreadable(format!("a cause is {other}"))),
        };
        let [earliest, now] = [self.instant(1)?, self.instant(3)?];
        Ok(Exhausted {
            earliest: Some(earliest),
            wait_ms: earliest.ms_since(now),
            cause,
        })
    }

    fn bytes(&self, place: usize) -> Result<&[u8], Unreadable> {
        match self.0.get(place) {
            Some(Value::BulkString(bytes)) => Ok(bytes),
            other => Err(unexpected(place, other)),
        }
    }

    fn text(&self, place: usize) -> Result<String, Unreadable> {
        self.bytes(place)
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    fn integer(&self, place: usize) -> Result<i64, Unreadable> {
        match self.0.get(place) {
            Some(Value::Int(value)) => Ok(*value),
            other => Err(unexpected(place, other)),
        }
    }

    fn texts(&self) -> Result<Vec<String>, Unreadable> {
        self.texts_from(1)
    }

    fn texts_from(&self, first: usize) -> Result<Vec<String>, Unreadable> {
        (first..self.0.len())
            .map(|place| self.text(place))
            .collect()
    }

    fn instant(&self, place: usize) -> Result<Timestamp, Unreadable> {
        self.integer(place).map(Timestamp::from_ms)
    }

    fn id(&self, place: usize) -> Result<AllocationId, Unreadable> {
        let bytes = self.bytes(place)?;
        let id = bytes.try_into().map(AllocationId::from_bytes);
        id.map_err(|_| Unreadable(format!("an id has {} bytes", bytes.len())))
    }
}

fn unexpected(place: usize, found: Option<&Value>) -> Unreadable {
    Unreadable(format!("field {place} of a reply is {found:?}"))
}
