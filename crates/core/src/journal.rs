//! What was allocated and how it ended, on its way into the store.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::call_report::CallReport;
use crate::ids::{AgentId, AllocationId, CallId, CampaignId, PoolId};
use crate::ladder::Rung;
use crate::number::PhoneNumber;
use crate::store::StoreError;
use crate::time::Timestamp;

/// One allocation, as history keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllocationRecord {
    /// Its id, also the id of its reservation.
    pub id: AllocationId,
    /// When the number was chosen and counted.
    pub at: Timestamp,
    /// The number presented.
    pub number: PhoneNumber,
    /// The called party.
    pub destination: PhoneNumber,
    /// The dialer's campaign, where it said one.
    pub campaign: Option<CampaignId>,
    /// Who made the call, where the dialer said so.
    pub agent: Option<AgentId>,
    /// The dialer's id of the call, where it said one.
    pub call_id: Option<CallId>,
    /// The pool the number was in.
    pub pool: PoolId,
    /// How it was chosen.
    pub rung: Rung,
    /// The end of its reservation when nobody releases it.
    pub reserved_until: Timestamp,
}

/// One end of a reservation before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndRecord {
    /// The allocation that ended.
    pub id: AllocationId,
    /// When.
    pub at: Timestamp,
    /// How.
    pub end: CallEnd,
}

/// How a call went, as history keeps it with its allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallResult {
    /// The allocation that the call was made with.
    pub id: AllocationId,
    /// When that was said.
    pub at: Timestamp,
    /// What was said.
    pub report: CallReport,
}

/// How a call ended: Asterisk's `DIALSTATUS`, or nothing said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CallEnd {
    /// Released, and nobody said how the call ended.
    #[default]
    Released,
    /// Answered, by a person or by voicemail.
    Answer,
    /// The called party was busy.
    Busy,
    /// Nobody answered in time.
    NoAnswer,
    /// The caller hung up first.
    Cancel,
    /// The network refused the call.
    Congestion,
    /// The way out was not there.
    ChanUnavail,
}

impl CallEnd {
    /// All of them. Kept data has their places here as codes: what comes new comes last.
    pub const ALL: [Self; 7] = [
        Self::Released,
        Self::Answer,
        Self::Busy,
        Self::NoAnswer,
        Self::Cancel,
        Self::Congestion,
        Self::ChanUnavail,
    ];

    /// This, or `later` where this says nothing.
    #[must_use]
    pub const fn or(self, later: Self) -> Self {
        match self {
            Self::Released => later,
            said => said,
        }
    }

    /// The word of `DIALSTATUS`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Released => "RELEASED",
            Self::Answer => "ANSWER",
            Self::Busy => "BUSY",
            Self::NoAnswer => "NOANSWER",
            Self::Cancel => "CANCEL",
            Self::Congestion => "CONGESTION",
            Self::ChanUnavail => "CHANUNAVAIL",
        }
    }
}

impl fmt::Display for CallEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CallEnd {
    type Err = String;

    /// Reads the words of `DIALSTATUS`, in any case; an empty text is [`CallEnd::Released`].
    ///
    /// # Errors
    /// Says what was given and what was expected.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word = text.trim().to_ascii_uppercase();
        let known = Self::ALL.into_iter().find(|end| end.as_str() == word);
        known.or(word.is_empty().then_some(Self::Released)).ok_or_else(|| {
            format!("dial status `{text}` is unknown, expected ANSWER, BUSY, NOANSWER, CANCEL, CONGESTION or CHANUNAVAIL")
        })
    }
}

/// Something to remember.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalEvent {
    /// A number was allocated.
    Allocated(Arc<AllocationRecord>),
    /// A reservation ended before its time.
    Ended(EndRecord),
    /// A dialer said how a call went.
    Reported(CallResult),
}

/// Where an engine that keeps its state in memory commits what it did, before it answers.
///
/// What implementers hold: a batch is committed whole or not at all; batches are kept in the order of the calls; after
/// `Ok` the batch survives the end of the process (and of the machine's power, where so configured); after an error
/// nothing of it was acknowledged to anybody, whether or not a later recovery finds it.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Commits all events in one transaction. Calls never overlap.
    ///
    /// # Errors
    /// [`StoreError`] when the batch is not durable.
    async fn commit(&self, events: Vec<JournalEvent>) -> Result<(), StoreError>;

    /// Shows that a commit would succeed now, by making an empty one.
    ///
    /// # Errors
    /// [`StoreError`] when it does not.
    async fn probe(&self) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files and Redis keep them by their places.
    #[test]
    fn rungs_and_call_ends_keep_their_places() {
        let ends = CallEnd::ALL.map(CallEnd::as_str).join(" ");
        let words = "RELEASED ANSWER BUSY NOANSWER CANCEL CONGESTION CHANUNAVAIL";
        assert_eq!(ends, words);
        let rungs = Rung::ALL.map(Rung::as_str).join(" ");
        assert_eq!(rungs, "sticky area_code overlay region any");
    }

    #[test]
    fn a_call_end_reads_back_what_it_prints() {
        for end in CallEnd::ALL {
            assert_eq!(end.to_string().to_lowercase().parse(), Ok(end));
        }
        assert_eq!("".parse(), Ok(CallEnd::Released));
        assert!("HUNGUP".parse::<CallEnd>().is_err());
    }
}
