//! Brings the engine to where it was: alone out of the history, or together with the nodes that share its state.

use std::sync::Arc;

use anyhow::Context;
use caller_id_core::shared::Shared;
use caller_id_core::{Clock, recovery};
use tokio::sync::watch;

use super::ways_in::warn_of_pools;
use super::{App, first_look};
use crate::accord::Accord;
use crate::config::Settings;
use crate::drainer::Drainer;
use crate::fence::Gate;
use crate::rebuild::Rebuild;
use crate::sync::{InventorySync, SyncError};

impl App {
    /// Inventory first, then what history knows of it: the engine in this process is where it was.
    pub(super) async fn bring_up(
        &self,
        sync: &InventorySync,
        settings: &Settings,
        clock: &dyn Clock,
    ) -> anyhow::Result<()> {
        let pools = sync.load().await.context("cannot read the inventory")?;
        warn_of_pools(&pools, settings);
        let global = settings.rotation.policy();
        let limits = sync.agent_limits();
        let rules = recovery::Rules {
            pools: &pools,
            global: &global,
            agent_limits: &limits,
        };
        let recovered = recovery::recover(&*self.store.history, rules, clock.now());
        let recovered = recovered.await.context("cannot read the history")?;
        let engine = self.engine.allocator();
        engine
            .recover(recovered)
            .await
            .context("cannot take over the history")
    }

    /// Joins the nodes that share the state, or is the first of them: waits some seconds until it can be used.
    pub(super) async fn join(
        &mut self,
        shared: Shared,
        sync: Arc<InventorySync>,
        (gate, unfit): (watch::Sender<Gate>, watch::Sender<bool>),
        settings: &Settings,
    ) -> anyhow::Result<()> {
        let reached = first_look::look(&settings.cluster).await?;
        let (cluster, stop) = (settings.cluster.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            first_look::keep_looking(cluster, reached, unfit, stop).await;
            "the look at how Redis is set"
        });
        // Only looked at: where the state is lost, whoever rebuilds it brings the inventory.
        match sync.look().await {
            Ok(pools) => warn_of_pools(&pools, settings),
            Err(error @ SyncError::OtherStore(_)) => return Err(error.into()),
            // That Redis is away now is told by the watch.
            Err(_) => {}
        }
        let opens = gate.subscribe();
        let fence = first_look::fence(&shared, &self.store, gate, &settings.cluster);
        let fence_stop = self.stop.clone();
        self.tasks.spawn(async move {
            fence.run(fence_stop).await;
            "the watch over whose state the database has"
        });
        let (belongs, outages) = (sync.belongs(), sync.outages());
        let rebuild = Rebuild {
            engine: shared.state,
            sync,
            history: self.store.history.clone(),
            global: settings.rotation.policy(),
        };
        let drainer = Drainer {
            outbox: shared.outbox,
            journal: self.store.journal.clone(),
            belongs,
            outages,
        };
        if let Some(engine) = self.engine.in_redis() {
            let accord = Accord::of(engine, settings);
            let stop = self.stop.clone();
            self.tasks.spawn(async move {
                accord.run(stop).await;
                "the comparison with other nodes"
            });
        }
        let (tell, mut told) = watch::channel(false);
        let (rebuild_stop, drainer_stop) = (self.stop.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            rebuild.run(tell, rebuild_stop).await;
            "the watch over the shared state"
        });
        self.tasks.spawn(async move {
            drainer.run(drainer_stop).await;
            "the drainer of the outbox"
        });
        first_look::wait(&mut told, opens).await
    }
}
