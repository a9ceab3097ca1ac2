//! Changes of the inventory on their way to the engine: one path for all of them, whoever made them.

use std::sync::Arc;
use std::time::Duration;

use caller_id_core::rotator::Routes;
use caller_id_core::store::Revision;
use caller_id_core::{
    Allocator, AllocatorError, EngineNumber, InventoryStore, PhoneNumber, Policy, PoolId, Rotator,
    StoreError,
};
use thiserror::Error;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// So many numbers are read at once.
const PAGE: usize = 5_000;
/// So long an admin's request waits until the engine knows what it changed: longer than a whole import takes to be brought.
const DEADLINE: Duration = Duration::from_secs(10);
/// How often the store is asked what other processes changed.
const POLL_EVERY: Duration = Duration::from_millis(200);

/// Brings what the store says to the engine and to the rotator's routes.
pub struct InventorySync {
    inventory: Arc<dyn InventoryStore>,
    allocator: Arc<dyn Allocator>,
    rotator: Arc<Rotator>,
    policy: Policy,
    position: Mutex<Position>,
}

/// Up to where the engine knows the inventory.
#[derive(Debug, Clone, Copy, Default)]
struct Position {
    since: Revision,
    after: Option<PhoneNumber>,
}

impl InventorySync {
    /// A sync that has brought nothing yet; pools follow `policy` where they say nothing else.
    pub fn new(
        inventory: Arc<dyn InventoryStore>,
        allocator: Arc<dyn Allocator>,
        rotator: Arc<Rotator>,
        policy: Policy,
    ) -> Self {
        Self {
            inventory,
            allocator,
            rotator,
            policy,
            position: Mutex::default(),
        }
    }

    /// Brings everything, at start. Gives the pools with their whole policies.
    ///
    /// # Errors
    /// [`SyncError`].
    pub async fn load(&self) -> Result<Vec<(PoolId, Policy)>, SyncError> {
        let pools = self.inventory.pools().await?;
        let pools: Vec<(PoolId, Policy)> = pools
            .into_iter()
            .map(|pool| (pool.id, pool.policy.over(&self.policy)))
            .collect();
        self.allocator.put_pools(pools.clone()).await?;
        let campaigns = self.inventory.campaigns().await?;
        self.rotator.set_routes(Routes::new(campaigns));
        self.catch_up().await?;
        Ok(pools)
    }

    /// Brings all that is committed in the store at this moment; returns when the engine knows it, after 10 seconds at
    /// most: others may be at it, with more.
    ///
    /// # Errors
    /// [`SyncError`]; [`InventorySync::run`] goes on from where this stopped.
    pub async fn now(&self) -> Result<(), SyncError> {
        tokio::time::timeout(DEADLINE, self.catch_up())
            .await
            .unwrap_or(Err(SyncError::Late))
    }

    async fn catch_up(&self) -> Result<(), SyncError> {
        let mut position = self.position.lock().await;
        loop {
            let Position { since, after } = *position;
            let changes = self.inventory.changes(since, after, PAGE).await?;
            let next = Position {
                since: changes.upto,
                after: changes.after,
            };
            let done = changes.after.is_none();
            // Pools before numbers: a number must find its pool with the right policy.
            if let Some(pools) = changes.pools {
                let policies = pools
                    .into_iter()
                    .map(|pool| (pool.id, pool.policy.over(&self.policy)));
                self.allocator.put_pools(policies.collect()).await?;
            }
            if let Some(campaigns) = changes.campaigns {
                self.rotator.set_routes(Routes::new(campaigns));
            }
            if !changes.numbers.is_empty() {
                let numbers = changes.numbers.iter().map(EngineNumber::from).collect();
                self.allocator.put_numbers(numbers).await?;
            }
            *position = next;
            if done {
                return Ok(());
            }
        }
    }

    /// Asks the store again and again, until `stop`. A failure is logged when it begins and when it ends.
    pub async fn run(&self, stop: CancellationToken) {
        let mut failing = false;
        while stop
            .run_until_cancelled(tokio::time::sleep(POLL_EVERY))
            .await
            .is_some()
        {
            match (self.catch_up().await, failing) {
                (Ok(()), true) => {
                    failing = false;
                    tracing::info!("changes of the inventory are seen again");
                }
                (Err(error), false) => {
                    failing = true;
                    tracing::error!(%error, "changes of the inventory are not seen");
                }
                _ => {}
            }
        }
    }
}

/// Changes could not be brought.
#[derive(Debug, Error)]
pub enum SyncError {
    /// The store could not be read.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The engine did not take them.
    #[error("{0}")]
    Allocator(#[from] AllocatorError),
    /// It takes longer than anybody waits. It goes on without them.
    #[error("changes are written, and not in force after {} seconds", DEADLINE.as_secs())]
    Late,
}
