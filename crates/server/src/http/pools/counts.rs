//! How many numbers pools have.

use std::collections::HashMap;

use caller_id_core::{InventoryStore, Pool, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

/// How many numbers are in a pool, by their status as it was set.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
pub struct PoolNumbers {
    active: u64,
    paused: u64,
    resting: u64,
    retired: u64,
}

/// The counts of each of `pools`, all of one moment.
pub(super) async fn counts(
    store: &dyn InventoryStore,
    pools: &[Pool],
) -> Result<Vec<PoolNumbers>, StoreError> {
    let counted = store.pool_counts().await?.into_iter();
    let by_pool: HashMap<_, _> = counted.map(|one| (one.pool, one.by_status)).collect();
    let of = |pool: &Pool| {
        let [active, paused, resting, retired] = by_pool.get(&pool.id).copied().unwrap_or_default();
        PoolNumbers {
            active,
            paused,
            resting,
            retired,
        }
    };
    Ok(pools.iter().map(of).collect())
}
