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

/// The counts of each of `pools`, each of a moment of its own.
///
/// To count one status of one pool each number of the pool is looked at; all numbers of a pool, or of a status, are counted at
/// once. So the status that most numbers have is what remains, and one that no number has is not looked for.
pub(super) async fn counts(
    store: &dyn InventoryStore,
    pools: &[Pool],
) -> Result<Vec<PoolNumbers>, StoreError> {
    let everywhere = StatusKind::ALL.map(|status| NumberFilter {
        statuses: vec![status],
        ..NumberFilter::default()
    });
    let everywhere = everywhere.iter().map(|filter| store.count_matching(filter));
    let everywhere = try_join_all(everywhere).await?;
    let common = (0..everywhere.len())
        .max_by_key(|&place| everywhere[place])
        .unwrap_or_default();
    let mut all = Vec::with_capacity(pools.len());
    for pool in pools {
        let within = |statuses| NumberFilter {
            pools: vec![pool.id.clone()],
            statuses,
            ..NumberFilter::default()
        };
        let mut rest = store.count_matching(&within(Vec::new())).await?;
        let mut counted = [0; StatusKind::ALL.len()];
        for (place, status) in StatusKind::ALL.into_iter().enumerate() {
            if place != common && everywhere[place] > 0 && rest > 0 {
                let found = store.count_matching(&within(vec![status])).await?;
                counted[place] = found;
                rest = rest.saturating_sub(found);
            }
        }
        counted[common] = rest;
        let [active, paused, resting, retired] = counted;
        all.push(PoolNumbers {
            active,
            paused,
            resting,
            retired,
        });
    }
    Ok(all)
}
