//! The reference service's tables as a source.

mod mapping;

use std::collections::{BTreeMap, VecDeque};

use crate::app::stores::ReferenceDatabase;
use async_trait::async_trait;
use caller_id_core::store::{Field, Fields, PastAllocation};
use caller_id_core::{
    AllocationId, Campaign, Clock, Number, PhoneNumber, Pool, SystemClock, Timestamp,
};

use self::mapping::History;
use super::bad_rows::BadRows;
use super::source::Source;
use crate::rows::BadRow;

/// So many rows are fetched at once.
const ROWS_AT_ONCE: usize = 4_000;

/// What the reference knows of a number. Who put it into a pool since, or named its level, did so on purpose.
const FIELDS: Fields = Fields::NONE
    .with(Field::AreaCode)
    .with(Field::Carrier)
    .with(Field::DailyLimit)
    .with(Field::HourlyLimit)
    .with(Field::Meta);

/// The reference's database, its rows in the order and the form of ours.
pub(super) struct Reference<'a> {
    database: ReferenceDatabase,
    numbers: BTreeMap<PhoneNumber, Number>,
    mapping: History,
    bad: &'a mut BadRows,
    /// The next allocations, in order.
    ready: VecDeque<PastAllocation>,
    /// Of the latest instant read, to which more may come.
    open: Vec<PastAllocation>,
    /// The allocation that was given last.
    given: Option<AllocationId>,
    reading: Reading,
}

/// How far the reservations are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// For the first time: bad rows are told.
    First,
    /// Again.
    Again,
}

impl<'a> Reference<'a> {
    /// Reads all numbers, as the service itself does; history is read as it is asked for.
    pub(super) async fn open(
        mut database: ReferenceDatabase,
        reservation_ms: u32,
        bad: &'a mut BadRows,
    ) -> anyhow::Result<Self> {
        let mut numbers = BTreeMap::new();
        database.begin_numbers().await?;
        loop {
            let rows = database.numbers(ROWS_AT_ONCE).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                let reason = match mapping::number(&row) {
                    Ok(number) if !numbers.contains_key(&number.number) => {
                        numbers.insert(number.number, number);
                        continue;
                    }
                    Ok(number) => format!("number {} is there twice", number.number),
                    Err(reason) => reason,
                };
                bad.take(&BadRow {
                    line: row.row,
                    caller_id: mapping::shown_caller_id(row.caller_id.as_deref()),
                    reason: format!("caller_ids: {reason}"),
                });
            }
        }
        Ok(Self {
            database,
            numbers,
            mapping: History {
                now: SystemClock::new().now(),
                reservation_ms,
            },
            bad,
            ready: VecDeque::new(),
            open: Vec::new(),
            given: None,
            reading: Reading::First,
        })
    }

    /// Reads until there is something to give, or nothing more.
    async fn read_on(&mut self) -> anyhow::Result<()> {
        while self.ready.is_empty() {
            let rows = self.database.reservations(ROWS_AT_ONCE).await?;
            let ended = rows.is_empty();
            for row in rows {
                match self.mapping.allocation(&row) {
                    Ok(past) => self.open.push(past),
                    Err(reason) if self.reading == Reading::First => self.bad.take(&BadRow {
                        line: row.row,
                        caller_id: mapping::shown_caller_id(row.caller_id.as_deref()),
                        reason: format!("reservations: {reason}"),
                    }),
                    Err(_) => {}
                }
            }
            self.put_in_order(ended);
            if ended {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Rows come by their times; those of one instant are put in the order of their ids when all of them are there.
    fn put_in_order(&mut self, ended: bool) {
        let latest = self.open.last().map(|past| past.record.at);
        let upto = match latest {
            Some(latest) if !ended => self.open.partition_point(|past| past.record.at < latest),
            _ => self.open.len(),
        };
        let mut whole: Vec<_> = self.open.drain(..upto).collect();
        whole.sort_by_key(|past| past.record.id);
        whole.dedup_by_key(|past| past.record.id);
        self.ready.extend(whole);
    }
}

#[async_trait]
impl Source for Reference<'_> {
    fn fields(&self) -> Fields {
        match self.database.tells_status() {
            true => FIELDS.with(Field::Status),
            false => FIELDS,
        }
    }

    fn is_ours(&self) -> bool {
        false
    }

    async fn pools(&mut self) -> anyhow::Result<Vec<Pool>> {
        Ok(Vec::new())
    }

    async fn campaigns(&mut self) -> anyhow::Result<Vec<Campaign>> {
        Ok(Vec::new())
    }

    async fn numbers(&mut self, after: Option<PhoneNumber>) -> anyhow::Result<Vec<Number>> {
        let from = match after {
            Some(after) => std::ops::Bound::Excluded(after),
            None => std::ops::Bound::Unbounded,
        };
        let rest = self.numbers.range((from, std::ops::Bound::Unbounded));
        Ok(rest
            .take(ROWS_AT_ONCE)
            .map(|(_, number)| number.clone())
            .collect())
    }

    /// It is read from its beginning to its end, each time.
    async fn history(
        &mut self,
        after: Option<AllocationId>,
    ) -> anyhow::Result<Vec<PastAllocation>> {
        if after.is_none() || after != self.given {
            self.ready.clear();
            self.open.clear();
            self.database
                .begin_reservations(self.mapping.reservation_ms)
                .await?;
        }
        loop {
            self.read_on().await?;
            if self.ready.is_empty() {
                // Whoever reads again sees the same moment: nothing bad that was not told.
                self.reading = Reading::Again;
                self.given = None;
                return Ok(Vec::new());
            }
            self.ready.retain(|past| Some(past.record.id) > after);
            if let Some(last) = self.ready.back() {
                self.given = Some(last.record.id);
                return Ok(self.ready.drain(..).collect());
            }
        }
    }
}

/// An instant before which no reference ran.
const EARLIEST: Timestamp = Timestamp::from_ms(946_684_800_000);
