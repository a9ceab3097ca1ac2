//! A shared state that was lost is made whole again from the store, by one node, while all others wait for it.
//!
//! See `docs/adr/0011-a-shared-state-that-may-be-lost.md`.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use caller_id_core::shared::{Claim, Merge};
use caller_id_core::store::PastAllocation;
use caller_id_core::{
    AllocationId, AllocatorError, HistoryStore, Policy, PoolId, Recovered, SharedAllocator,
    Standing, StoreError, Timestamp, recovery,
};
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::sync::{InventorySync, SyncError};
use crate::telemetry::outage::User;

/// How often the state is looked at when no request told that it is lost.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// So long the other nodes have to notice and to bring what they acknowledged lately.
const MERGING_FOR: Duration = Duration::from_millis(400);
/// A node that does not reach the store lets others try for so long.
const OTHERS_TURN: Duration = Duration::from_millis(500);
/// Whoever still brings something then is waited for, looking this often.
const BUSY_PAUSE: Duration = Duration::from_millis(50);
/// What is younger than this nodes may bring too, so that the state is told of each that is in it; of what is older it is not.
const RECENT_MS: i64 = 2 * 60_000;
/// Who waits for longer is told how far it is, this often.
const TELL_EVERY: Duration = Duration::from_secs(2);
/// So many of them are read at once.
const PAGE: usize = 4_096;
/// What other nodes remember covers this; then a store that is away need not be waited for.
const REMEMBERED_MS: i64 = 60_000;

/// Watches over a shared state, and rebuilds it.
pub struct Rebuild {
    /// The state.
    pub engine: Arc<dyn SharedAllocator>,
    /// Brings the inventory.
    pub sync: Arc<InventorySync>,
    /// What the store knows of the past.
    pub history: Arc<dyn HistoryStore>,
    /// Policies where pools say nothing.
    pub global: Policy,
}

/// What was brought of what the store knows.
struct Brought {
    /// From when on nodes bring theirs.
    since: Option<Timestamp>,
    /// From when on the store is looked at once more: who emptied the outbox when the state was lost may have written
    /// to it meanwhile. Without what was counted before.
    again: Option<(Timestamp, HashSet<AllocationId>)>,
}

/// What this node has done already.
#[derive(Default)]
struct Done {
    /// Its policies and routes are in force.
    loaded: bool,
    /// How often the store failed it since the state was found lost.
    failures: u32,
    /// Until then it lets others try.
    rests_until: Option<Instant>,
}

impl Rebuild {
    /// Watches until `stop`, and tells `ready` how the state is. What fails is told by [`InventorySync::outages`]. It ends
    /// by itself, and says why, when the state is of another store.
    pub async fn run(&self, ready: watch::Sender<bool>, stop: CancellationToken) {
        let outages = self.sync.outages();
        let mut done = Done::default();
        loop {
            let looked = stop.run_until_cancelled(self.look(&mut done)).await;
            let Some(looked) = looked else {
                // Or the others would wait until this node is missed. Where it fails, they do.
                let _ = self.engine.leave_rebuild().await;
                return;
            };
            ready.send_replace(matches!(looked, Ok(true)));
            match looked {
                Err(error @ RebuildError::Sync(SyncError::OtherStore(_))) => {
                    tracing::error!("{error}");
                    return;
                }
                Ok(true) => {
                    outages.redis.served(User::Watch);
                    outages.database.served(User::Watch);
                }
                // Another node rebuilds it.
                Ok(false) => {}
                Err(RebuildError::Store(error) | RebuildError::Sync(SyncError::Store(error))) => {
                    outages.database.failed(User::Watch, &error);
                }
                Err(error) => outages.redis.failed(User::Watch, &error),
            }
            let pause = tokio::time::timeout(LOOK_EVERY, self.engine.loss_met());
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
    }

    /// Looks once, and does what is to be done. Tells whether the state is whole.
    async fn look(&self, done: &mut Done) -> Result<bool, RebuildError> {
        match self.engine.standing().await? {
            Standing::Ready(merge) => {
                // Whoever slept while the others did so, or was told something by a server that was no master any more.
                self.hand_in(merge).await?;
                if !done.loaded {
                    self.sync.load().await?;
                    done.loaded = true;
                }
                return Ok(true);
            }
            Standing::Lost {
                merging: Some(merge),
                ..
            } => self.hand_in(merge).await?,
            Standing::Lost { merging: None, .. } => {}
        }
        if done.rests_until.is_some_and(|until| Instant::now() < until) {
            return Ok(false);
        }
        // What is known is what the claim says: the state may have been lost once more since it was looked at.
        let Some(claim) = self.engine.claim_rebuild().await? else {
            return Ok(false);
        };
        let rebuilt = self.rebuild(claim, done.failures).await;
        if let Err(
            RebuildError::Store(_)
            | RebuildError::Sync(SyncError::Store(_) | SyncError::OtherStore(_)),
        ) = &rebuilt
        {
            done.failures += 1;
            done.rests_until = Some(Instant::now() + OTHERS_TURN);
            self.engine.leave_rebuild().await?;
        }
        rebuilt?;
        done.failures = 0;
        Ok(true)
    }

    async fn hand_in(&self, merge: Merge) -> Result<(), AllocatorError> {
        let events = self
            .engine
            .hand_in(merge, &self.sync.agent_limits())
            .await?;
        if events > 0 {
            tracing::info!(
                events,
                "what this node acknowledged in another state is counted again"
            );
        }
        Ok(())
    }

    /// Makes the state whole, from where it is known.
    async fn rebuild(&self, claim: Claim, failures: u32) -> Result<(), RebuildError> {
        let Claim {
            begun, known_until, ..
        } = claim;
        let started = Instant::now();
        match known_until {
            // It was said before.
            _ if failures > 0 => {}
            None => tracing::warn!("the shared state is empty: it is rebuilt from the store"),
            Some(until) => tracing::warn!(
                %until,
                "another run of Redis has the shared state: what came since is brought from the store"
            ),
        }
        let working = async {
            match known_until {
                None => self.everything(claim).await,
                Some(until) => self.since(until, begun, failures).await,
            }
        };
        let Brought { since, again } = self.claiming(working).await?;
        let merging_until = Instant::now() + MERGING_FOR;
        let merge = self.engine.begin_merging(since).await?;
        let merging = async {
            let late = async {
                if let Some((since, counted)) = &again {
                    self.replay_since(*since, counted).await?;
                    tracing::debug!("the store was looked at once more");
                }
                Ok::<_, RebuildError>(())
            };
            let own = async { Ok(self.hand_in(merge).await?) };
            tokio::try_join!(own, late)?;
            tokio::time::sleep_until(merging_until).await;
            self.ready().await
        };
        self.claiming(merging).await?;
        let took_ms = started.elapsed().as_millis();
        tracing::info!(took_ms, "the shared state is whole: numbers are handed out");
        Ok(())
    }

    /// Declares the state whole, once no node brings anything more.
    async fn ready(&self) -> Result<(), RebuildError> {
        let mut told = Instant::now();
        while !self.engine.declare_ready().await? {
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                tracing::info!("waiting for a node that still brings what it acknowledged");
            }
            tokio::time::sleep(BUSY_PAUSE).await;
        }
        Ok(())
    }

    /// Keeps the claim while `work` goes on.
    async fn claiming<T>(
        &self,
        work: impl Future<Output = Result<T, RebuildError>>,
    ) -> Result<T, RebuildError> {
        let keep = async {
            let mut ticks = tokio::time::interval(Duration::from_secs(1));
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                if let Err(error) = self.engine.keep_claim().await {
                    return error;
                }
            }
        };
        tokio::select! {
            // Once the work is done, the claim is over: that is no failure.
            biased;
            done = work => done,
            lost = keep => Err(lost.into()),
        }
    }

    /// Everything: the inventory, then what history says. In one go where nothing was counted into the state yet. Else what it
    /// knows of a number stays where that was used as late, so the latest allocations are counted one by one.
    async fn everything(&self, claim: Claim) -> Result<Brought, RebuildError> {
        let pools = self.sync.load().await?;
        let recent = claim.begun.plus_ms(-RECENT_MS);
        tracing::debug!("the inventory is brought: history is read");
        let (recovered, listed) = self.recovered(&pools, claim, recent).await?;
        let (numbers, recent_calls) = (recovered.usages.len(), listed.len());
        tracing::debug!(numbers, recent_calls, "history is read");
        let uses = recovered.usages.iter().map(|(_, usage)| usage.last_used_at);
        let stored_until = uses.max().filter(|at| *at > Timestamp::ZERO);
        self.engine.recover(recovered).await?;
        let mut again = None;
        if claim.untouched {
            // Not before they are: whoever has to go on from here counts too much rather than too little.
            self.engine.note_counted(&listed).await?;
            let counted = listed.iter().map(|past| past.record.id).collect();
            again = Some((recent, counted));
        } else {
            self.replay_since(recent, &HashSet::new()).await?;
        }
        tracing::debug!("what history says is counted: nodes bring what they know");
        // A store that is further behind has all up to its last use, and nothing after it was counted.
        let since = stored_until.map(|until| until.min(recent));
        Ok(Brought { since, again })
    }

    /// What history says, and which of it came after `recent` where it is counted in one go.
    async fn recovered(
        &self,
        pools: &[(PoolId, Policy)],
        claim: Claim,
        recent: Timestamp,
    ) -> Result<(Recovered, Vec<PastAllocation>), StoreError> {
        let (limits, history) = (self.sync.agent_limits(), &*self.history);
        let rules = recovery::Rules {
            pools,
            global: &self.global,
            agent_limits: &limits,
        };
        if claim.untouched {
            return recovery::recover_listing(history, rules, claim.begun, recent).await;
        }
        let recovered = recovery::recover_until(history, rules, claim.begun, recent).await?;
        Ok((recovered, Vec::new()))
    }

    /// Only what came after `until`. Nodes remember the last minute: without the store, that must do.
    async fn since(
        &self,
        until: Timestamp,
        begun: Timestamp,
        failures: u32,
    ) -> Result<Brought, RebuildError> {
        let brought = async {
            self.sync.load().await?;
            self.replay_since(until, &HashSet::new()).await
        };
        match brought.await {
            // First another node has its turn, which may reach the store.
            Err(RebuildError::Store(error) | RebuildError::Sync(SyncError::Store(error)))
                if failures > 0 =>
            {
                self.without_store(&error, until, begun)?;
            }
            other => other?,
        }
        Ok(Brought {
            since: Some(until),
            again: None,
        })
    }

    fn without_store(
        &self,
        error: &StoreError,
        until: Timestamp,
        begun: Timestamp,
    ) -> Result<(), RebuildError> {
        if begun.ms_since(until) > REMEMBERED_MS {
            return Err(RebuildError::Behind {
                until,
                why: error.to_string(),
            });
        }
        tracing::warn!(%error, "the store is away: the state is made whole from what the nodes remember");
        Ok(())
    }

    /// Counts what was made at `since` or later, one by one, without what is `counted` already.
    async fn replay_since(
        &self,
        since: Timestamp,
        counted: &HashSet<AllocationId>,
    ) -> Result<(), RebuildError> {
        // An id begins with its instant.
        let mut from = Some(AllocationId::first_at(since));
        let limits = self.sync.agent_limits();
        let (mut replayed, mut told) = (0, Instant::now());
        while let Some(first) = from {
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                tracing::info!("counting what happened lately: {replayed} allocations so far");
            }
            let mut page = self.history.allocations_page(first, PAGE).await?;
            let last = page.last().filter(|_| page.len() == PAGE);
            from = last.and_then(|last| last.record.id.next());
            page.retain(|past| !counted.contains(&past.record.id));
            if page.is_empty() {
                continue;
            }
            replayed += page.len();
            self.engine.replay(page, &limits).await?;
        }
        Ok(())
    }
}

/// The state could not be made whole.
#[derive(Debug, Error)]
pub enum RebuildError {
    /// The engine's server.
    #[error("{0}")]
    Engine(#[from] AllocatorError),
    /// The store.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Bringing the inventory.
    #[error("{0}")]
    Sync(#[from] SyncError),
    /// The store is away, and nobody remembers all that is missing.
    #[error("redis has the state of {until}, and what came since is in the store alone: {why}")]
    Behind {
        /// What redis knows.
        until: Timestamp,
        /// What the store says.
        why: String,
    },
}
