//! What a dry run's rows would become.

use caller_id_core::store::{OnDuplicate, Written};
use caller_id_core::{InventoryStore, PhoneNumber, StoreError};
use futures_util::future::try_join_all;

use super::seen::Seen;

/// Look-ups under way at once: as many as the store does at once. More would only make threads wait.
const LOOK_UPS_AT_ONCE: usize = 4;
/// After so many look-ups it is quicker to read the whole inventory. More rows than one request of the command line has,
/// so that an import in many requests does not read it many times.
const LOOK_UPS_MOST: usize = 20_000;
/// The whole inventory is read in pages of so many numbers.
const PAGE: usize = 5_000;

/// Remembers the numbers of a file, and knows those of the inventory.
#[derive(Default)]
pub(super) struct Foresight {
    seen: Seen,
    look_ups: usize,
    inventory: Option<Seen>,
}

impl Foresight {
    /// What writing `numbers` would tell; with no `store`, to an inventory that has none yet.
    pub(super) async fn tell(
        &mut self,
        store: Option<&dyn InventoryStore>,
        numbers: impl Iterator<Item = PhoneNumber>,
        on_duplicate: OnDuplicate,
    ) -> Result<Vec<Written>, StoreError> {
        let numbers: Vec<PhoneNumber> = numbers.collect();
        let owned = match store {
            Some(store) => self.owned(store, &numbers).await?,
            None => vec![false; numbers.len()],
        };
        let told = numbers.into_iter().zip(owned).map(|(number, owned)| {
            let new = self.seen.insert(number) && !owned;
            match on_duplicate {
                _ if new => Written::Added,
                OnDuplicate::Skip => Written::Skipped,
                OnDuplicate::Update(_) => Written::Updated,
                OnDuplicate::Fail => Written::Exists,
            }
        });
        Ok(told.collect())
    }

    async fn owned(
        &mut self,
        store: &dyn InventoryStore,
        numbers: &[PhoneNumber],
    ) -> Result<Vec<bool>, StoreError> {
        if self.inventory.is_none()
            && self.look_ups >= LOOK_UPS_MOST
            && store.count_numbers().await? <= Seen::MOST as u64
        {
            self.inventory = Some(read(store).await?);
        }
        if let Some(inventory) = &self.inventory {
            return Ok(numbers
                .iter()
                .map(|number| inventory.contains(*number))
                .collect());
        }
        self.look_ups += numbers.len();
        let mut owned = Vec::with_capacity(numbers.len());
        for some in numbers.chunks(LOOK_UPS_AT_ONCE) {
            let found = try_join_all(some.iter().map(|number| store.number(*number))).await?;
            owned.extend(found.iter().map(Option::is_some));
        }
        Ok(owned)
    }
}

async fn read(store: &dyn InventoryStore) -> Result<Seen, StoreError> {
    let (mut inventory, mut after) = (Seen::default(), None);
    loop {
        let page = store.numbers(after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(inventory);
        };
        after = Some(last.number);
        for number in &page {
            inventory.insert(number.number);
        }
    }
}
