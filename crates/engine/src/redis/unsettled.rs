//! Pools that were put and whose numbers may still stand in the wrong place.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use caller_id_core::PoolId;

/// What must be looked at once more when Redis failed, or whoever waited gave up, before a pool's numbers were put into
/// their places. What a node that is gone began others end: Redis has it, too (`unsettled`).
#[derive(Debug, Default)]
pub(super) struct Unsettled(Mutex<Pools>);

#[derive(Debug, Default)]
struct Pools {
    /// Which change of the pool was last.
    changes: BTreeMap<PoolId, u64>,
    last: u64,
}

impl Unsettled {
    /// Numbers of these pools may stand in the wrong place from now on. Gives the change by which they do.
    pub(super) fn add<'a>(&self, pools: impl Iterator<Item = &'a PoolId>) -> u64 {
        let mut known = self.pools();
        known.last += 1;
        let last = known.last;
        known.changes.extend(pools.map(|pool| (pool.clone(), last)));
        last
    }

    /// One of them, with its last change.
    pub(super) fn first(&self) -> Option<(PoolId, u64)> {
        let known = self.pools();
        let (pool, change) = known.changes.first_key_value()?;
        Some((pool.clone(), *change))
    }

    /// The numbers of the pool stand where they should, unless it changed once more.
    pub(super) fn settled(&self, pool: &PoolId, change: u64) {
        let mut known = self.pools();
        if known.changes.get(pool) == Some(&change) {
            known.changes.remove(pool);
        }
    }

    fn pools(&self) -> MutexGuard<'_, Pools> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_that_changed_once_more_is_not_settled_by_what_was_done_before() {
        let unsettled = Unsettled::default();
        let pool = PoolId::default();
        unsettled.add([&pool].into_iter());
        let first = unsettled.first();
        let (_, before) = first.expect("it was added");
        unsettled.add([&pool].into_iter());
        unsettled.settled(&pool, before);
        let again = unsettled.first();
        let (_, since) = again.expect("it changed once more");
        unsettled.settled(&pool, since);
        assert_eq!(unsettled.first(), None);
    }
}
