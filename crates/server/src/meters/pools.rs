//! Pools that are counted by name: as many as a program that measures can bear, and all others together.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use caller_id_core::PoolId;

/// So many pools have a name of their own in labels.
pub const POOLS_MOST: usize = 64;
/// The label of all others.
pub const OTHER: &str = "other";

/// Twice as many as there may be, so that looking for one ends soon.
const PLACES: usize = 2 * POOLS_MOST;
/// The place of those without a name.
pub(super) const OTHER_PLACE: usize = PLACES;
/// Places of pools, that of the others included.
pub(super) const ALL_PLACES: usize = PLACES + 1;

/// The pools seen so far, each at a place that never changes. Looking for one takes no lock.
pub(super) struct Pools {
    places: [OnceLock<PoolId>; PLACES],
    named: AtomicUsize,
    hash: ahash::RandomState,
}

impl Default for Pools {
    fn default() -> Self {
        Self {
            places: std::array::from_fn(|_| OnceLock::new()),
            named: AtomicUsize::new(0),
            hash: ahash::RandomState::new(),
        }
    }
}

impl Pools {
    /// The place of a pool; one that is new gets one, as long as there are any.
    pub(super) fn place(&self, pool: &PoolId) -> usize {
        let mut place = self.hash.hash_one(pool.as_str()) as usize % PLACES;
        loop {
            match self.places[place].get() {
                Some(known) if known == pool => return place,
                Some(_) => place = (place + 1) % PLACES,
                None if !self.may_name_one() => return OTHER_PLACE,
                None => {
                    if self.places[place].set(pool.clone()).is_ok() {
                        return place;
                    }
                    // Another thread was quicker, perhaps with this very pool.
                    self.named.fetch_sub(1, Ordering::Relaxed);
                }
            }
        }
    }

    fn may_name_one(&self) -> bool {
        let one_more = |named| (named < POOLS_MOST).then_some(named + 1);
        let named = &self.named;
        named
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .is_ok()
    }

    /// All places that have a name, and that of the others.
    pub(super) fn named(&self) -> impl Iterator<Item = (usize, &str)> {
        let named = self.places.iter().enumerate();
        let named = named.filter_map(|(place, pool)| Some((place, pool.get()?.as_str())));
        named.chain([(OTHER_PLACE, OTHER)])
    }
}
