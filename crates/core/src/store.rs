//! The store's ports: inventory, policy and history.

use async_trait::async_trait;
use thiserror::Error;

use crate::audit::Author;
use crate::ids::{AllocationId, CampaignId, PoolId};
use crate::inventory::{Campaign, Number, Pool};
use crate::listing::{
    BulkStep, Changed, Expected, NumberChange, NumberFilter, NumberGroup, NumberQuery, NumberRow,
    PoolCount, PoolRemoval,
};
use crate::number::PhoneNumber;
use crate::past::Sought;
use crate::time::Timestamp;

/// The store could not do its work.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The disk is full, or a bound on the files' size is reached.
    #[error("the store is full: {0}")]
    Full(#[source] BoxError),
    /// Somebody else held the store for longer than we wait.
    #[error("the store is busy: {0}")]
    Busy(#[source] BoxError),
    /// What was read is not what this program writes.
    #[error("the store holds something this version cannot read: {0}")]
    Unreadable(String),
    /// A row names something that is not there.
    #[error("{0}")]
    Missing(String),
    /// Another node works on the store, and both would give the same numbers out; or it did meanwhile.
    #[error("{0}")]
    Owned(String),
    /// Everything else.
    #[error("the store failed: {0}")]
    Failed(#[source] BoxError),
    /// The store is shutting down, or its thread ended.
    #[error("the store is closed")]
    Closed,
}

/// What a driver said.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

pub use crate::fields::{Field, Fields};

/// What to do with a row whose number the inventory has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDuplicate {
    /// Keep what is there.
    Skip,
    /// Take the row's values of these fields, keep the others.
    Update(Fields),
    /// Refuse the row.
    Fail,
}

/// What became of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It is new.
    Added,
    /// It replaced what was there.
    Updated,
    /// What was there stays, and equals neither more nor less: see [`OnDuplicate::Skip`].
    Skipped,
    /// It was refused: the number exists, see [`OnDuplicate::Fail`].
    Exists,
}

/// Counts transactions that changed the inventory; later ones have greater revisions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision(pub i64);

/// Up to where somebody knows the inventory. The default is: nothing of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    /// Of which store: its [`InventoryStore::identity`]. `None`: of whichever it is.
    pub store: Option<i64>,
    /// The last revision of which something is known; all before it are known whole.
    pub since: Revision,
    /// Of that revision the numbers up to this one are known; `None`: all of it.
    pub after: Option<PhoneNumber>,
}

/// What changed in the inventory after a revision.
#[derive(Debug, Default)]
pub struct Changes {
    /// As they are now. At most the number asked for.
    pub numbers: Vec<Number>,
    /// At which revision each of them changed, in the same order.
    pub revisions: Vec<Revision>,
    /// All pools, when any changed.
    pub pools: Option<Vec<Pool>>,
    /// All campaigns, when any changed.
    pub campaigns: Option<Vec<Campaign>>,
    /// The revision at which any campaign changed last, even when that was before.
    pub campaigns_at: Revision,
    /// The revision up to which this is complete. Ask again from here until it stays the same. It is less than what was
    /// asked for when this store never was there: another one was.
    pub upto: Revision,
    /// Where in `upto` the numbers end, when there were more than asked for: pass it back.
    pub after: Option<PhoneNumber>,
}

/// Keeper of numbers, pools and campaigns.
///
/// A rest ends by itself: at its instant the number is active, for whoever reads, lists, counts or changes it, and nothing is
/// written for that. The instant is told by the store's clock. Only [`InventoryStore::numbers`] and
/// [`InventoryStore::changes`] give the status as it was written, for engines and copies, which know the instant themselves.
///
/// What implementers hold: each method is one transaction; a change is seen by [`InventoryStore::changes`] in every
/// process that has the store open, whoever made it. What a method changes, and its entry by `by` in the audit log, are one
/// transaction; what a change expects is looked at inside it; where nothing changes there is no entry.
#[async_trait]
pub trait InventoryStore: Send + Sync {
    /// Which database this is: a number that no other has, made at random when it is first asked for and kept with the data;
    /// never 0. Whoever has the same database open gets the same one; what is moved into another database gets another.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn identity(&self) -> Result<i64, StoreError>;

    /// Gives it another identity when it is next asked for: what was made from it before knows nothing of what comes now.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn forget_identity(&self) -> Result<(), StoreError>;

    /// Writes numbers in one transaction, and tells for each what became of it. Pools that do not exist are made.
    ///
    /// All numbers that changed are one entry: `number.create` or `number.update` of a single number, `numbers.import` of more; before
    /// it comes a `pool.create` for each pool that is made.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is written then.
    async fn write_numbers(
        &self,
        numbers: Vec<Number>,
        on_duplicate: OnDuplicate,
        by: &Author,
    ) -> Result<Vec<Written>, StoreError>;

    /// Changes or deletes one number (`number.update`, `number.delete`), if it is what is expected. A number that is not
    /// there is [`Changed::Missing`], or [`Changed::Differs`] where one was expected.
    ///
    /// # Errors
    /// [`StoreError::Missing`] names a pool that does not exist.
    async fn change_number(
        &self,
        number: PhoneNumber,
        change: &NumberChange,
        expected: Expected<Number>,
        by: &Author,
    ) -> Result<Changed<Number>, StoreError>;

    /// Changes or deletes the next numbers that `filter` asks for, in their order, from the first or after one; at most `most`
    /// are looked at, as one transaction and one entry (`numbers.update`, `numbers.delete`). Call it until nothing is next.
    ///
    /// # Errors
    /// [`StoreError::Missing`] names a pool that does not exist.
    async fn change_numbers(
        &self,
        filter: &NumberFilter,
        change: &NumberChange,
        after: Option<PhoneNumber>,
        most: usize,
        by: &Author,
    ) -> Result<BulkStep, StoreError>;

    /// The number's row, if we own it.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn number(&self, number: PhoneNumber) -> Result<Option<Number>, StoreError>;

    /// Those of these numbers that we own, in no certain order; asked for at once, whatever an answer takes on its way.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn owned(&self, numbers: &[PhoneNumber]) -> Result<Vec<PhoneNumber>, StoreError>;

    /// The next numbers in order, as they were written, at most `most`, from the first or after one.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn numbers(
        &self,
        after: Option<PhoneNumber>,
        most: usize,
    ) -> Result<Vec<Number>, StoreError>;

    /// How many numbers there are.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn count_numbers(&self) -> Result<u64, StoreError>;

    /// The page that `query` asks for: exactly the numbers for which [`NumberFilter::has`] holds, in the order of
    /// [`NumberQuery::compare`], behind the place that is given.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn list_numbers(&self, query: &NumberQuery) -> Result<Vec<NumberRow>, StoreError>;

    /// How many numbers `filter` asks for.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn count_matching(&self, filter: &NumberFilter) -> Result<u64, StoreError>;

    /// How many numbers each pool has, in no order: all counts are of one moment, and pools without numbers may be left out.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn pool_counts(&self) -> Result<Vec<PoolCount>, StoreError>;

    /// All numbers, counted by what they have in common, in no order. It looks at each number.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn number_groups(&self) -> Result<Vec<NumberGroup>, StoreError>;

    /// The number with what is known of its row, if we own it.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn number_row(&self, number: PhoneNumber) -> Result<Option<NumberRow>, StoreError>;

    /// All pools, by name. The pool `default` is always among them.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn pools(&self) -> Result<Vec<Pool>, StoreError>;

    /// Makes or replaces a pool, if what is there is expected.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn put_pool(
        &self,
        pool: Pool,
        expected: Expected<Pool>,
        by: &Author,
    ) -> Result<Changed<Pool>, StoreError>;

    /// Removes a pool that is what is expected, and that nothing uses. Engines may keep it: it has no numbers.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn delete_pool(
        &self,
        id: PoolId,
        expected: Expected<Pool>,
        by: &Author,
    ) -> Result<PoolRemoval, StoreError>;

    /// All campaigns, by id.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn campaigns(&self) -> Result<Vec<Campaign>, StoreError>;

    /// Makes or replaces a campaign, if what is there is expected.
    ///
    /// # Errors
    /// [`StoreError::Missing`] names a pool that does not exist.
    async fn put_campaign(
        &self,
        campaign: Campaign,
        expected: Expected<Campaign>,
        by: &Author,
    ) -> Result<Changed<Campaign>, StoreError>;

    /// Removes a campaign that is what is expected. One that is not there is [`Changed::Missing`], or [`Changed::Differs`]
    /// where one was expected.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn delete_campaign(
        &self,
        id: CampaignId,
        expected: Expected<Campaign>,
        by: &Author,
    ) -> Result<Changed<Campaign>, StoreError>;

    /// What changed after the revision `since` (and, when given, after that number in it), at most `most` numbers. A number
    /// that was deleted comes as one that is retired, so that its uses count on where it comes back.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn changes(
        &self,
        since: Revision,
        after: Option<PhoneNumber>,
        most: usize,
    ) -> Result<Changes, StoreError>;
}

pub use crate::past::PastAllocation;

/// Receives rows of history one by one, so that a million need no memory.
pub type PastSink<'a> = &'a mut (dyn FnMut(PastAllocation) + Send);

/// Keeper of what was allocated.
///
/// What implementers hold: everything a [`crate::Journal`] of the same store has committed is seen, indexed or not yet.
#[async_trait]
pub trait HistoryStore: Send + Sync {
    /// Every allocation made at `since` or later, in the order of their times (of equal times: of their ids).
    ///
    /// # Errors
    /// [`StoreError`].
    async fn allocations_since(
        &self,
        since: Timestamp,
        sink: PastSink<'_>,
    ) -> Result<(), StoreError>;

    /// The next allocations in the order of their ids, at most `most`, from the id `from` on. Fewer than `most` are the
    /// last ones. Each page is a moment of its own: for walking through a history of any length at the caller's pace.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn allocations_page(
        &self,
        from: AllocationId,
        most: usize,
    ) -> Result<Vec<PastAllocation>, StoreError>;

    /// The latest allocation of such a call made at `since` or later, if there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn find(
        &self,
        sought: &Sought,
        since: Timestamp,
    ) -> Result<Option<AllocationId>, StoreError>;

    /// When each number was last allocated, of those that ever were.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn last_uses(&self) -> Result<Vec<(PhoneNumber, Timestamp)>, StoreError>;

    /// Removes at most `most` of the oldest allocations made before `before`; tells how many.
    ///
    /// A store that keeps spans of time apart may remove a span whole, however many it has, where that costs no more;
    /// and may leave the begun one of many rows until all of it is past. It then tells about how many.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn prune(&self, before: Timestamp, most: usize) -> Result<usize, StoreError>;

    /// How many events are committed but not yet in the indexed history.
    fn backlog(&self) -> u64;

    /// Moves all that is committed into the indexed history; for tests, shutdown and backup.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn settle(&self) -> Result<(), StoreError>;
}

/// The pools that `campaign` names and `known` has not.
pub fn missing_pools(campaign: &Campaign, known: &[PoolId]) -> Vec<PoolId> {
    campaign
        .pools
        .iter()
        .filter(|pool| !known.contains(pool))
        .cloned()
        .collect()
}
