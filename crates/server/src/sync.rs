//! Changes of the inventory on their way to the engine: one path for all of them, whoever made them.

use std::sync::Arc;
use std::time::Duration;

use caller_id_core::rotator::Routes;
use caller_id_core::store::{Changes, Revision};
use caller_id_core::{
    AgentLimits, Allocator, AllocatorError, InventoryStep, InventoryStore, Policy, Pool, PoolId,
    Position, Rotator, StoreError,
};
use thiserror::Error;
use tokio::sync::{Mutex, Notify, OnceCell, watch};
use tokio_util::sync::CancellationToken;

use crate::mismatch::Mismatch;
use crate::telemetry::outage::{Outages, User};

pub use self::bringing::Bringing;
use self::progress::Progress;
use self::steps::steps;

mod bringing;
mod progress;
mod steps;

/// So long an admin's request waits until the engine knows what it changed: longer than a whole import takes to be brought.
const DEADLINE: Duration = Duration::from_secs(10);
/// How often the store is asked what other processes changed.
const POLL_EVERY: Duration = Duration::from_millis(200);
/// So many numbers are read at once, however few a step may have.
const PAGE_LEAST: usize = 2_048;

/// Brings what the store says to the engine and to the rotator's routes.
pub struct InventorySync {
    inventory: Arc<dyn InventoryStore>,
    allocator: Arc<dyn Allocator>,
    rotator: Arc<Rotator>,
    policy: Policy,
    /// [`InventoryStore::identity`], once it was asked for.
    identity: OnceCell<i64>,
    /// Whether the engine's state is known to be of this store.
    belongs: watch::Sender<bool>,
    outages: Arc<Outages>,
    /// There is something to bring.
    wake: Notify,
    /// Of which revision the rotator's routes are. Whoever brings changes holds it.
    routes_at: Mutex<Option<Revision>>,
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
            identity: OnceCell::new(),
            belongs: watch::Sender::new(false),
            outages: Arc::default(),
            wake: Notify::new(),
            routes_at: Mutex::default(),
        }
    }

    /// What of the things that this needs is away.
    pub fn outages(&self) -> Arc<Outages> {
        self.outages.clone()
    }

    /// Whether the engine's state is known to be of this store: not before it was compared, and not once it is another's.
    pub fn belongs(&self) -> watch::Receiver<bool> {
        self.belongs.subscribe()
    }

    /// Which limit holds for the agents of which campaign, as far as is brought.
    pub fn agent_limits(&self) -> AgentLimits {
        self.rotator.agent_limits()
    }

    /// The pools with their whole policies; nothing is brought.
    ///
    /// # Errors
    /// [`SyncError`], also when the engine's state is of another store.
    pub async fn look(&self) -> Result<Vec<(PoolId, Policy)>, SyncError> {
        let from = self.allocator.known_inventory().await?;
        let changes = self.inventory.changes(from.since, from.after, 1).await?;
        self.compare(from, changes.upto).await?;
        Ok(self.whole(self.inventory.pools().await?))
    }

    /// Brings all policies, and everything else that the engine does not know yet. Gives the pools with their whole policies.
    ///
    /// # Errors
    /// [`SyncError`].
    pub async fn load(&self) -> Result<Vec<(PoolId, Policy)>, SyncError> {
        loop {
            let from = self.allocator.known_inventory().await?;
            let changes = self.inventory.changes(from.since, from.after, 1).await?;
            let identity = self.compare(from, changes.upto).await?;
            let pools = self.whole(self.inventory.pools().await?);
            let step = InventoryStep {
                from,
                pools: pools.clone(),
                to: Position {
                    store: Some(identity),
                    ..from
                },
                ..InventoryStep::default()
            };
            // Where another node was quicker, the pools may have changed since they were read.
            if self.allocator.follow(step).await? {
                self.catch_up().await?;
                return Ok(pools);
            }
        }
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

    /// Has what is committed brought by [`InventorySync::run`] now, not at its next turn: whoever writes much goes on writing
    /// meanwhile, and waits for less in the end.
    pub fn soon(&self) {
        self.wake.notify_one();
    }

    async fn catch_up(&self) -> Result<(), SyncError> {
        let mut routes_at = self.routes_at.lock().await;
        let mut progress = Progress::new();
        let mut ahead = None;
        loop {
            let from = self.allocator.known_inventory().await?;
            let most = self.allocator.step_most().max(1);
            let mut changes = match ahead.take() {
                Some((at, changes)) if at == from => changes,
                // Another node was quicker, or nothing was read ahead.
                _ => self.page(from, most).await?,
            };
            let identity = self.compare(from, changes.upto).await?;
            let campaigns_at = changes.campaigns_at;
            let to = Position {
                store: Some(identity),
                since: changes.upto,
                after: changes.after,
            };
            let pools = self.whole(changes.pools.take().unwrap_or_default());
            let steps = steps((from, to), &changes, pools, most);
            let done = changes.after.is_none();
            // While the engine takes this page the store gives the next.
            let (followed, next) = tokio::join!(self.follow(steps, &mut progress), async {
                match done {
                    true => None,
                    // What fails is asked again, and told then.
                    false => self.page(to, most).await.ok(),
                }
            });
            let followed = followed?;
            ahead = next.map(|changes| (to, changes));
            // After the pools that the routes lead to.
            if routes_at.is_none_or(|at| at < campaigns_at) {
                let campaigns = self.inventory.campaigns().await?;
                self.rotator.set_routes(Routes::new(campaigns));
                *routes_at = Some(campaigns_at);
            }
            if done && followed {
                return Ok(());
            }
        }
    }

    /// What changed since a position, where the engine takes so many numbers at once.
    async fn page(&self, at: Position, most: usize) -> Result<Changes, StoreError> {
        let page = most.max(PAGE_LEAST);
        self.inventory.changes(at.since, at.after, page).await
    }

    /// Takes one step after the other; `false`: another node took another.
    async fn follow(
        &self,
        steps: Vec<InventoryStep>,
        progress: &mut Progress,
    ) -> Result<bool, AllocatorError> {
        for step in steps {
            progress.more(step.numbers.len(), &*self.inventory).await;
            if step.to != step.from && !self.allocator.follow(step).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Gives the store's identity, which is `known`'s too, or it has none.
    async fn compare(&self, known: Position, upto: Revision) -> Result<i64, SyncError> {
        let identity = self.identity.get_or_try_init(|| self.inventory.identity());
        let identity = *identity.await?;
        let mismatch = Mismatch::between(known, Some(identity), upto);
        self.belongs.send_replace(mismatch.is_none());
        mismatch.map_or(Ok(identity), |why| Err(SyncError::OtherStore(why)))
    }

    fn whole(&self, pools: Vec<Pool>) -> Vec<(PoolId, Policy)> {
        let pools = pools.into_iter();
        pools
            .map(|pool| (pool.id, pool.policy.over(&self.policy)))
            .collect()
    }

    /// Asks the store again and again, and when it is called ([`InventorySync::soon`]), until `stop`. What fails is told by [`InventorySync::outages`]. It ends by itself,
    /// and says why, when the engine's state is of another store: nothing good can come of going on.
    pub async fn run(&self, stop: CancellationToken) {
        let turn = async || {
            // Whether it came or was called.
            let _ = tokio::time::timeout(POLL_EVERY, self.wake.notified()).await;
        };
        while stop.run_until_cancelled(turn()).await.is_some() {
            let Outages { redis, database } = &*self.outages;
            match self.catch_up().await {
                Err(error @ SyncError::OtherStore(_)) => {
                    tracing::error!("{error}");
                    return;
                }
                Ok(()) => {
                    redis.served(User::Inventory);
                    database.served(User::Inventory);
                }
                Err(SyncError::Store(error)) => database.failed(User::Inventory, &error),
                // Where the hot state is in this process it does not fail.
                Err(SyncError::Allocator(error)) => redis.failed(User::Inventory, &error),
                Err(SyncError::Late) => {}
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
    /// The engine's state is of another store, or of a later state of this one: they do not belong together.
    #[error(
        "redis has the state of another database: it {0}; expected the database that belongs to it, or another REDIS_TENANT. If it is the right one, and was used without this \
         Redis meanwhile, moved into or restored: empty Redis, and it is rebuilt (docs/cluster.md)"
    )]
    OtherStore(Mismatch),
    /// It takes longer than anybody waits. It goes on without them.
    #[error("changes are written, and not in force after {} seconds", DEADLINE.as_secs())]
    Late,
}
