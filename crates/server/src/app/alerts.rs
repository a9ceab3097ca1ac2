//! Alerts: who looks, and who posts.

use std::sync::Arc;

use caller_id_core::shared::Shared;

use super::App;
use crate::alerts::message::Teller;
use crate::alerts::watch::Rules;
use crate::alerts::{Delivery, Receiver, Watch, deliver};
use crate::config::Settings;
use crate::http::Api;

impl App {
    /// Who looks for what is to be told, where somebody is to be told.
    pub fn alerts(&self) -> Option<Arc<Watch>> {
        self.alerts.clone()
    }

    /// Starts to look, and to post, where the settings say where.
    pub(super) fn start_alerts(
        &mut self,
        api: Arc<Api>,
        settings: &Settings,
        shared: Option<Shared>,
    ) {
        let Some(receiver) = Receiver::of(&settings.alerts, deliver::WITHIN) else {
            return;
        };
        let (outgoing, clock) = (api.alerts.clone(), api.clock.clone());
        let rules = Rules {
            teller: Teller {
                node: settings.cluster.node_name(),
                origin: settings.sso.origin(),
            },
            repeat_ms: settings.alerts.repeat_ms(),
            quiet: settings.alerts.alert_quiet_hours,
            zone: settings.rotation.timezone.clone(),
            folder: settings.storage.folder().ok(),
        };
        let board = shared.map(|shared| shared.alerts);
        let watch = Arc::new(Watch::new(api, rules, board, outgoing.clone()));
        self.alerts = Some(watch.clone());
        let deadline = self.deadline.clone();
        let delivery = Delivery::new(outgoing, receiver, clock, deadline.clone());
        let (looking, posting) = (self.stop.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            tokio::join!(watch.run(looking), delivery.run(posting));
            watch.end(&deadline).await;
            "the alerts"
        });
    }
}
