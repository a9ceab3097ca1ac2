//! History in order of time, put together from what is moved and what is not.

use std::str::FromStr;

use caller_id_core::store::PastAllocation;
use caller_id_core::{
    AgentId, AllocationId, AllocationRecord, CallEnd, CallId, CallReport, CallResult, CampaignId,
    EndRecord, IdError, PoolId, Rung, StoreError, Timestamp,
};
use rusqlite::{CachedStatement, Row, Rows};

use super::error::sqlite;
use super::rows::{column, number, text, unreadable};
use crate::values::Known;

/// Three streams in order of ids, read side by side: no memory grows with them.
pub(super) struct Merge<'a> {
    /// What is in history.
    pub(super) moved: Stream<'a, PastReader>,
    /// What is not in history yet.
    pub(super) tail: Stream<'a, PastReader>,
    /// Ends, and how calls went, that are not in history yet, of allocations in either.
    pub(super) ends: Stream<'a, EndReader>,
}

impl Merge<'_> {
    /// The next allocation with its end. One that is in both is given once, as history has it.
    pub(super) fn next(&mut self) -> Result<Option<PastAllocation>, StoreError> {
        let next = match (self.moved.id(), self.tail.id()) {
            (None, None) => return Ok(None),
            (Some(moved), Some(tail)) if moved > tail => self.tail.next()?,
            (None, Some(_)) => self.tail.next()?,
            (moved, tail) => {
                if moved == tail {
                    self.tail.next()?;
                }
                self.moved.next()?
            }
        };
        let Some(mut past) = next else {
            return Ok(None);
        };
        let id = past.record.id;
        // An end of an allocation that is nowhere is passed over.
        while self.ends.id().is_some_and(|end| end <= id) {
            if let Some(said) = self.ends.next()?.filter(|said| said.id == id) {
                said.tell(&mut past);
            }
        }
        Ok(Some(past))
    }
}

/// How rows become values that have an id.
pub(super) trait Reader {
    /// What a row becomes.
    type Value;
    /// Reads a row.
    fn read(&mut self, row: &Row<'_>) -> Result<Self::Value, StoreError>;
    /// The value's id, by which the rows are in order.
    fn id(value: &Self::Value) -> AllocationId;
}

/// Rows in order of ids, with one look ahead.
pub(super) struct Stream<'a, R: Reader> {
    rows: Rows<'a>,
    reader: R,
    ahead: Option<R::Value>,
}

impl<'a, R: Reader> Stream<'a, R> {
    /// The rows that the statement gives from an id on.
    pub(super) fn start(
        statement: &'a mut CachedStatement<'_>,
        first: AllocationId,
        reader: R,
    ) -> Result<Self, StoreError> {
        let rows = statement.query([first.as_bytes()]).map_err(sqlite)?;
        let mut stream = Self {
            rows,
            reader,
            ahead: None,
        };
        stream.next()?;
        Ok(stream)
    }

    fn id(&self) -> Option<AllocationId> {
        self.ahead.as_ref().map(R::id)
    }

    fn next(&mut self) -> Result<Option<R::Value>, StoreError> {
        let following = match self.rows.next().map_err(sqlite)? {
            Some(row) => Some(self.reader.read(row)?),
            None => None,
        };
        Ok(std::mem::replace(&mut self.ahead, following))
    }
}

/// What was said of the end of an allocation.
pub(super) struct Said {
    id: AllocationId,
    ended: Option<EndRecord>,
    result: Option<CallResult>,
}

impl Said {
    /// Tells the allocation, which may know already.
    pub(super) fn tell(self, past: &mut PastAllocation) {
        self.ended.into_iter().for_each(|end| past.end(end));
        self.result
            .into_iter()
            .for_each(|result| past.report(result));
    }
}

/// Reads rows of ends.
pub(super) struct EndReader;

impl Reader for EndReader {
    type Value = Said;

    fn read(&mut self, row: &Row<'_>) -> Result<Said, StoreError> {
        let id = AllocationId::from_bytes(column(row, 0)?);
        read_said(row, id, 1)
    }

    fn id(value: &Said) -> AllocationId {
        value.id
    }
}

/// Reads the seven columns from `place` on: when and how it ended, and how the call went.
fn read_said(row: &Row<'_>, id: AllocationId, place: usize) -> Result<Said, StoreError> {
    let instant = |place| Ok(column::<Option<i64>>(row, place)?.map(Timestamp::from_ms));
    let word = text(row, place + 1)?.unwrap_or_default();
    let status: CallEnd = word
        .parse()
        .map_err(|cause: String| unreadable(&format!("allocation `{id}`"), &cause))?;
    let ended = |at| EndRecord {
        id,
        at,
        end: status,
    };
    let result = match instant(place + 2)? {
        Some(at) => {
            let report = CallReport {
                status,
                answered_seconds: column(row, place + 3)?,
                dialed_seconds: column(row, place + 4)?,
                hangup_cause: column(row, place + 5)?,
                sip_code: column(row, place + 6)?,
            };
            Some(CallResult { id, at, report })
        }
        None => None,
    };
    Ok(Said {
        id,
        ended: instant(place)?.map(ended),
        result,
    })
}

/// Reads rows of history. The same few campaigns, agents and pools come again and again: each is kept in memory once.
#[derive(Default)]
pub(super) struct PastReader {
    campaigns: Known<CampaignId>,
    agents: Known<AgentId>,
    pools: Known<PoolId>,
    rungs: Known<Rung>,
}

impl Reader for PastReader {
    type Value = PastAllocation;

    fn read(&mut self, row: &Row<'_>) -> Result<PastAllocation, StoreError> {
        self.past(row)
    }

    fn id(value: &PastAllocation) -> AllocationId {
        value.record.id
    }
}

impl PastReader {
    fn past(&mut self, row: &Row<'_>) -> Result<PastAllocation, StoreError> {
        let id = AllocationId::from_bytes(column(row, 0)?);
        let fail = |why: &str| unreadable(&format!("allocation `{id}`"), why);
        let name = |cause: IdError| fail(&cause.to_string());
        let record = AllocationRecord {
            id,
            at: Timestamp::from_ms(column(row, 1)?),
            number: number(column(row, 2)?)?,
            destination: number(column(row, 3)?)?,
            campaign: match text(row, 4)? {
                Some(campaign) => Some(
                    self.campaigns
                        .get(campaign, CampaignId::new)
                        .map_err(name)?,
                ),
                None => None,
            },
            agent: match text(row, 5)? {
                Some(agent) => Some(self.agents.get(agent, AgentId::new).map_err(name)?),
                None => None,
            },
            call_id: text(row, 6)?.map(CallId::new).transpose().map_err(name)?,
            pool: self
                .pools
                .get(text(row, 7)?.unwrap_or_default(), PoolId::new)
                .map_err(name)?,
            rung: self
                .rungs
                .get(text(row, 8)?.unwrap_or_default(), Rung::from_str)
                .map_err(|cause| fail(&cause))?,
            reserved_until: Timestamp::from_ms(column(row, 9)?),
        };
        let Said { ended, result, .. } = read_said(row, id, 10)?;
        Ok(PastAllocation {
            record,
            ended,
            result,
        })
    }
}
