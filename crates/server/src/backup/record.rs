//! What a line of a backup says, and how it becomes what a store keeps. Nothing is taken that a store could not have.

use caller_id_core::audit::AuditEntry;
use caller_id_core::roles::ApiKey;
use caller_id_core::takeover::{DaySum, HourSum, RemovedNumber, SumMarks};
use caller_id_core::{Campaign, Number, PastAllocation, Pool};
use serde::{Deserialize, Serialize};

use super::End;
use super::line::{CallLine, DayLine, DeletedLine, EntryLine, HourLine, KeyLine, NumberLine};

/// The kinds of records, in the order in which a backup has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Pools.
    Pool,
    /// Numbers.
    Number,
    /// Campaigns.
    Campaign,
    /// Calls of history.
    Call,
    /// Deleted numbers.
    Deleted,
    /// API keys.
    Key,
    /// Sums by hour.
    Hour,
    /// Sums by day.
    Day,
    /// How far history is summed up.
    Marks,
    /// Entries of the audit log.
    Entry,
}

/// A record, as a store has it.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A pool.
    Pool(Pool),
    /// A number.
    Number(Number),
    /// A campaign.
    Campaign(Campaign),
    /// A call of history.
    Call(PastAllocation),
    /// A deleted number.
    Deleted(RemovedNumber),
    /// An API key.
    Key(ApiKey),
    /// A sum of an hour.
    Hour(HourSum),
    /// A sum of a day.
    Day(DaySum),
    /// How far history is summed up.
    Marks(SumMarks),
    /// An entry of the audit log.
    Entry(AuditEntry),
}

impl Record {
    /// Of which kind it is.
    pub const fn part(&self) -> Part {
        match self {
            Self::Pool(_) => Part::Pool,
            Self::Number(_) => Part::Number,
            Self::Campaign(_) => Part::Campaign,
            Self::Call(_) => Part::Call,
            Self::Deleted(_) => Part::Deleted,
            Self::Key(_) => Part::Key,
            Self::Hour(_) => Part::Hour,
            Self::Day(_) => Part::Day,
            Self::Marks(_) => Part::Marks,
            Self::Entry(_) => Part::Entry,
        }
    }
}

/// A line behind the first, as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Line {
    Pool(Pool),
    Number(NumberLine),
    Campaign(Campaign),
    Call(Box<CallLine>),
    Deleted(DeletedLine),
    Key(Box<KeyLine>),
    Hour(HourLine),
    Day(DayLine),
    Marks([i64; 4]),
    Entry(Box<EntryLine>),
    End(End),
}

impl Line {
    /// The line of a record.
    pub(super) fn of(record: &Record) -> Self {
        match record {
            Record::Pool(pool) => Self::Pool(pool.clone()),
            Record::Number(number) => Self::Number(NumberLine::of(number)),
            Record::Campaign(campaign) => Self::Campaign(campaign.clone()),
            Record::Call(past) => Self::Call(Box::new(CallLine::of(past))),
            Record::Deleted(removed) => Self::Deleted(DeletedLine::of(removed)),
            Record::Key(key) => Self::Key(Box::new(KeyLine::of(key))),
            Record::Hour(sum) => Self::Hour(HourLine::of(sum)),
            Record::Day(sum) => Self::Day(DayLine::of(sum)),
            Record::Marks(SumMarks(marks)) => Self::Marks(*marks),
            Record::Entry(entry) => Self::Entry(Box::new(EntryLine::of(entry))),
        }
    }

    /// What it says.
    ///
    /// # Errors
    /// Says what is no such thing.
    pub(super) fn read(self) -> Result<Said, String> {
        Ok(Said::Record(match self {
            Self::Pool(pool) => Record::Pool(pool),
            Self::Number(line) => Record::Number(line.read()?),
            Self::Campaign(campaign) => Record::Campaign(campaign),
            Self::Call(line) => Record::Call(line.read()?),
            Self::Deleted(line) => Record::Deleted(line.read()),
            Self::Key(line) => Record::Key(line.read()?),
            Self::Hour(line) => Record::Hour(line.read()),
            Self::Day(line) => Record::Day(line.read()),
            Self::Marks(marks) => Record::Marks(SumMarks(marks)),
            Self::Entry(line) => Record::Entry(line.read()?),
            Self::End(end) => return Ok(Said::End(end)),
        }))
    }
}

/// What a line says.
pub(super) enum Said {
    /// There is this.
    Record(Record),
    /// That was all.
    End(End),
}

/// Instants as people read them.
pub(super) mod instant {
    use caller_id_core::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(at)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        String::deserialize(from)?
            .parse()
            .map_err(de::Error::custom)
    }
}
