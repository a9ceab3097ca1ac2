//! Where rows come from: a store of ours, or the reference's tables.

use async_trait::async_trait;
use caller_id_core::audit::AuditEntry;
use caller_id_core::roles::ApiKey;
use caller_id_core::store::{Fields, PastAllocation};
use caller_id_core::takeover::{DaySum, HourPlace, HourSum, RemovedNumber, SumMarks};
use caller_id_core::{AllocationId, Campaign, Number, PhoneNumber, Pool, Timestamp};

use crate::app::stores::OpenStore;

/// So many numbers are read at once.
const NUMBERS_AT_ONCE: usize = 2_000;
/// So many deleted numbers, or sums.
const ROWS_AT_ONCE: usize = 5_000;
/// So many entries of the audit log: one of a large import has some hundred kilobytes.
const ENTRIES_AT_ONCE: usize = 50;
/// So many allocations: about two megabytes.
const ALLOCATIONS_AT_ONCE: usize = 8_000;

/// Something that is read in the order of its keys, as often as wanted; what it gives stays the same as long as nobody
/// writes it.
#[async_trait]
pub(in crate::cli) trait Source: Send {
    /// Begins at its first rows again.
    async fn rewind(&mut self) -> anyhow::Result<()> {
        Ok(())
    }

    /// The fields of a number that it knows. The others stay as the target has them.
    fn fields(&self) -> Fields;

    /// Whether it is a store of ours: it has pools and campaigns, keys, an audit log, sums. Others know nothing of such things.
    fn is_ours(&self) -> bool;

    /// All pools.
    async fn pools(&mut self) -> anyhow::Result<Vec<Pool>>;

    /// All campaigns.
    async fn campaigns(&mut self) -> anyhow::Result<Vec<Campaign>>;

    /// The next numbers, from the first or after one; none at the end.
    async fn numbers(&mut self, after: Option<PhoneNumber>) -> anyhow::Result<Vec<Number>>;

    /// The next allocations, from the first or after one; none at the end.
    async fn history(&mut self, after: Option<AllocationId>)
    -> anyhow::Result<Vec<PastAllocation>>;

    /// All API keys, in the order they were made.
    async fn keys(&mut self) -> anyhow::Result<Vec<ApiKey>> {
        Ok(Vec::new())
    }

    /// The next deleted numbers, from the first or after one; none at the end.
    async fn removed(&mut self, _: Option<PhoneNumber>) -> anyhow::Result<Vec<RemovedNumber>> {
        Ok(Vec::new())
    }

    /// The next sums by hour, from the first or after one; none at the end.
    async fn hours(&mut self, _: Option<HourPlace>) -> anyhow::Result<Vec<HourSum>> {
        Ok(Vec::new())
    }

    /// The next sums by day, from the first or after one; none at the end.
    async fn days(&mut self, _: Option<(i64, PhoneNumber)>) -> anyhow::Result<Vec<DaySum>> {
        Ok(Vec::new())
    }

    /// How far it is summed up.
    async fn marks(&mut self) -> anyhow::Result<SumMarks> {
        Ok(SumMarks::default())
    }

    /// The next entries of the audit log, from the first or after one; none at the end.
    async fn entries(&mut self, _: Option<i64>) -> anyhow::Result<Vec<AuditEntry>> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Source for &OpenStore {
    fn fields(&self) -> Fields {
        Fields::ALL
    }

    fn is_ours(&self) -> bool {
        true
    }

    async fn pools(&mut self) -> anyhow::Result<Vec<Pool>> {
        Ok(self.inventory.pools().await?)
    }

    async fn campaigns(&mut self) -> anyhow::Result<Vec<Campaign>> {
        Ok(self.inventory.campaigns().await?)
    }

    async fn numbers(&mut self, after: Option<PhoneNumber>) -> anyhow::Result<Vec<Number>> {
        Ok(self.inventory.numbers(after, NUMBERS_AT_ONCE).await?)
    }

    async fn history(
        &mut self,
        after: Option<AllocationId>,
    ) -> anyhow::Result<Vec<PastAllocation>> {
        let from = match after {
            None => AllocationId::first_at(Timestamp::ZERO),
            Some(after) => match after.next() {
                Some(next) => next,
                None => return Ok(Vec::new()),
            },
        };
        let page = self.history.allocations_page(from, ALLOCATIONS_AT_ONCE);
        Ok(page.await?)
    }

    async fn keys(&mut self) -> anyhow::Result<Vec<ApiKey>> {
        Ok(self.keys.keys().await?)
    }

    async fn removed(&mut self, after: Option<PhoneNumber>) -> anyhow::Result<Vec<RemovedNumber>> {
        Ok(self.takeover.removed_numbers(after, ROWS_AT_ONCE).await?)
    }

    async fn hours(&mut self, after: Option<HourPlace>) -> anyhow::Result<Vec<HourSum>> {
        Ok(self.takeover.hour_sums(after, ROWS_AT_ONCE).await?)
    }

    async fn days(&mut self, after: Option<(i64, PhoneNumber)>) -> anyhow::Result<Vec<DaySum>> {
        Ok(self.takeover.day_sums(after, ROWS_AT_ONCE).await?)
    }

    async fn marks(&mut self) -> anyhow::Result<SumMarks> {
        Ok(self.takeover.sum_marks().await?)
    }

    async fn entries(&mut self, after: Option<i64>) -> anyhow::Result<Vec<AuditEntry>> {
        let page = self.audit.after(after, ENTRIES_AT_ONCE);
        Ok(page.await?)
    }
}
