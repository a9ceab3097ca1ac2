//! What a dry run's rows would become.

use std::collections::HashSet;

use caller_id_core::store::{OnDuplicate, Written};
use caller_id_core::{InventoryStore, PhoneNumber, StoreError};

use super::seen::Seen;

/// Remembers the numbers of a file, and asks the inventory for those of a batch at once, as a real import does.
#[derive(Default)]
pub(super) struct Foresight {
    seen: Seen,
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
            Some(store) if !numbers.is_empty() => store.owned(&numbers).await?,
            _ => Vec::new(),
        };
        let owned: HashSet<PhoneNumber, ahash::RandomState> = owned.into_iter().collect();
        let told = numbers.into_iter().map(|number| {
            let new = self.seen.insert(number) && !owned.contains(&number);
            match on_duplicate {
                _ if new => Written::Added,
                OnDuplicate::Skip => Written::Skipped,
                OnDuplicate::Update(_) => Written::Updated,
                OnDuplicate::Fail => Written::Exists,
            }
        });
        Ok(told.collect())
    }
}
