//! Pools that rows name and that are not there: they are made with the first row that is written.

use std::collections::HashSet;

use caller_id_core::store::{Field, OnDuplicate, Written};
use caller_id_core::{InventoryStore, Number, PoolId, StoreError};

use super::Watcher;

/// The pools that were there, and those that were told of.
#[derive(Default)]
pub(super) struct NewPools {
    known: Option<HashSet<PoolId>>,
}

impl NewPools {
    /// Of each number its pool, where nobody knows that; the numbers go to the store meanwhile.
    pub(super) async fn strange(
        &mut self,
        store: Option<&dyn InventoryStore>,
        numbers: &[Number],
    ) -> Result<Vec<(usize, PoolId)>, StoreError> {
        let known = match self.known.take() {
            Some(known) => known,
            None => match store {
                Some(store) => store
                    .pools()
                    .await?
                    .into_iter()
                    .map(|pool| pool.id)
                    .collect(),
                None => HashSet::from([PoolId::default()]),
            },
        };
        let strange = numbers.iter().enumerate();
        let strange = strange.filter(|(_, number)| !known.contains(&number.pool));
        let strange = strange.map(|(row, number)| (row, number.pool.clone()));
        let strange = strange.collect();
        self.known = Some(known);
        Ok(strange)
    }

    /// Tells of those whose rows are written.
    pub(super) fn tell(
        &mut self,
        strange: Vec<(usize, PoolId)>,
        written: &[Written],
        on_duplicate: OnDuplicate,
        watcher: &mut dyn Watcher,
    ) {
        let takes_pool = |written: &Written| match (written, on_duplicate) {
            (Written::Added, _) => true,
            (Written::Updated, OnDuplicate::Update(fields)) => fields.has(Field::Pool),
            _ => false,
        };
        let known = self.known.get_or_insert_default();
        for (row, pool) in strange {
            if written.get(row).is_some_and(takes_pool) && known.insert(pool.clone()) {
                watcher.new_pool(pool.as_str());
            }
        }
    }
}
