//! Two lists in the order of their keys, walked side by side, page by page: no memory grows with them.

use std::cmp::Ordering;
use std::collections::VecDeque;

use async_trait::async_trait;
use caller_id_core::audit::AuditEntry;
use caller_id_core::store::PastAllocation;
use caller_id_core::takeover::{DaySum, HourPlace, HourSum, RemovedNumber};
use caller_id_core::{AllocationId, Number, PhoneNumber};

use super::source::Source;

/// A row of a list that is read in pages.
#[async_trait]
pub(super) trait Row: Sized + Send {
    /// What the list is ordered by; no two rows have the same.
    type Key: Ord + Clone + Send;

    /// This row's.
    fn key(&self) -> Self::Key;

    /// The rows after one, or the first ones; none at the end.
    async fn page(source: &mut dyn Source, after: Option<Self::Key>) -> anyhow::Result<Vec<Self>>;
}

#[async_trait]
impl Row for Number {
    type Key = PhoneNumber;

    fn key(&self) -> PhoneNumber {
        self.number
    }

    async fn page(
        source: &mut dyn Source,
        after: Option<PhoneNumber>,
    ) -> anyhow::Result<Vec<Self>> {
        source.numbers(after).await
    }
}

#[async_trait]
impl Row for PastAllocation {
    type Key = AllocationId;

    fn key(&self) -> AllocationId {
        self.record.id
    }

    async fn page(
        source: &mut dyn Source,
        after: Option<AllocationId>,
    ) -> anyhow::Result<Vec<Self>> {
        source.history(after).await
    }
}

#[async_trait]
impl Row for RemovedNumber {
    type Key = PhoneNumber;

    fn key(&self) -> PhoneNumber {
        self.number
    }

    async fn page(
        source: &mut dyn Source,
        after: Option<PhoneNumber>,
    ) -> anyhow::Result<Vec<Self>> {
        source.removed(after).await
    }
}

#[async_trait]
impl Row for HourSum {
    type Key = HourPlace;

    fn key(&self) -> HourPlace {
        self.place.clone()
    }

    async fn page(source: &mut dyn Source, after: Option<HourPlace>) -> anyhow::Result<Vec<Self>> {
        source.hours(after).await
    }
}

#[async_trait]
impl Row for DaySum {
    type Key = (i64, PhoneNumber);

    fn key(&self) -> (i64, PhoneNumber) {
        self.place
    }

    async fn page(
        source: &mut dyn Source,
        after: Option<(i64, PhoneNumber)>,
    ) -> anyhow::Result<Vec<Self>> {
        source.days(after).await
    }
}

#[async_trait]
impl Row for AuditEntry {
    type Key = i64;

    fn key(&self) -> i64 {
        self.place
    }

    async fn page(source: &mut dyn Source, after: Option<i64>) -> anyhow::Result<Vec<Self>> {
        source.entries(after).await
    }
}

/// What both sides have of one key.
pub(super) enum Pair<R> {
    /// Only the source has it.
    Missing(R),
    /// Only the target has it.
    Extra(R),
    /// Both have it: the source's row, the target's row.
    Both(R, R),
}

/// The walk through both.
pub(super) struct Walk<'a, R: Row> {
    source: Side<'a, R>,
    target: Side<'a, R>,
}

impl<'a, R: Row> Walk<'a, R> {
    /// From the first rows on.
    pub(super) fn new(source: &'a mut dyn Source, target: &'a mut dyn Source) -> Self {
        Self {
            source: Side::new(source),
            target: Side::new(target),
        }
    }

    /// The next key's rows. What is written into the target meanwhile must come before them.
    pub(super) async fn next(&mut self) -> anyhow::Result<Option<Pair<R>>> {
        let order = match (self.source.key().await?, self.target.key().await?) {
            (None, None) => return Ok(None),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(source), Some(target)) => source.cmp(&target),
        };
        Ok(match order {
            Ordering::Less => self.source.take().map(Pair::Missing),
            Ordering::Greater => self.target.take().map(Pair::Extra),
            Ordering::Equal => self
                .source
                .take()
                .zip(self.target.take())
                .map(|(source, target)| Pair::Both(source, target)),
        })
    }
}

struct Side<'a, R: Row> {
    rows: &'a mut dyn Source,
    ahead: VecDeque<R>,
    last: Option<R::Key>,
    ended: bool,
}

impl<'a, R: Row> Side<'a, R> {
    fn new(rows: &'a mut dyn Source) -> Self {
        Self {
            rows,
            ahead: VecDeque::new(),
            last: None,
            ended: false,
        }
    }

    /// The key of the next row; none at the end.
    async fn key(&mut self) -> anyhow::Result<Option<R::Key>> {
        if self.ahead.is_empty() && !self.ended {
            self.ahead = R::page(self.rows, self.last.clone()).await?.into();
            self.ended = self.ahead.is_empty();
        }
        Ok(self.ahead.front().map(R::key))
    }

    fn take(&mut self) -> Option<R> {
        let row = self.ahead.pop_front()?;
        self.last = Some(row.key());
        Some(row)
    }
}
