//! Where rows come from: a store of ours, or the reference's tables.

use async_trait::async_trait;
use caller_id_core::store::{Fields, PastAllocation};
use caller_id_core::{AllocationId, Campaign, Number, PhoneNumber, Pool, Timestamp};

use crate::app::stores::OpenStore;

/// So many numbers are read at once.
const NUMBERS_AT_ONCE: usize = 2_000;
/// So many allocations: about two megabytes.
const ALLOCATIONS_AT_ONCE: usize = 8_000;

/// Something that is read in the order of its keys, as often as wanted; what it gives stays the same as long as nobody
/// writes it.
#[async_trait]
pub(super) trait Source: Send {
    /// The fields of a number that it knows. The others stay as the target has them.
    fn fields(&self) -> Fields;

    /// Whether it has pools and campaigns, or knows nothing of such things.
    fn has_pools(&self) -> bool;

    /// All pools.
    async fn pools(&mut self) -> anyhow::Result<Vec<Pool>>;

    /// All campaigns.
    async fn campaigns(&mut self) -> anyhow::Result<Vec<Campaign>>;

    /// The next numbers, from the first or after one; none at the end.
    async fn numbers(&mut self, after: Option<PhoneNumber>) -> anyhow::Result<Vec<Number>>;

    /// The next allocations, from the first or after one; none at the end.
    async fn history(&mut self, after: Option<AllocationId>)
    -> anyhow::Result<Vec<PastAllocation>>;
}

#[async_trait]
impl Source for &OpenStore {
    fn fields(&self) -> Fields {
        Fields::ALL
    }

    fn has_pools(&self) -> bool {
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
}
