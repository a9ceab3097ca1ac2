//! How many numbers pools have.

use caller_id_core::listing::{NumberFilter, StatusKind};
use caller_id_core::{InventoryStore, Pool, StoreError};
use futures_util::future::try_join_all;
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

/// The counts of each of `pools`.
pub(super) async fn counts(
    store: &dyn InventoryStore,
    pools: &[Pool],
) -> Result<Vec<PoolNumbers>, StoreError> {
    let mut all = Vec::with_capacity(pools.len());
    for pool in pools {
        let filters = StatusKind::ALL.map(|status| NumberFilter {
            pools: vec![pool.id.clone()],
            statuses: vec![status],
            ..NumberFilter::default()
        });
        let counted = filters.iter().map(|filter| store.count_matching(filter));
        let counted = try_join_all(counted).await?;
        if let [active, paused, resting, retired] = counted[..] {
            all.push(PoolNumbers {
                active,
                paused,
                resting,
                retired,
            });
        }
    }
    Ok(all)
}
