//! Whether all nodes have the same settings of rotation: each applies its own, so that one that differs does so in silence.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use caller_id_core::SharedAllocator;
use caller_id_core::shared::Announcement;
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::config::rotation::RotationConfig;

/// How often a node tells its own: a node that was not heard of for a minute is gone.
const TELL_EVERY: Duration = Duration::from_secs(20);

/// Tells the settings of this node, and warns of nodes with others.
pub struct Accord {
    /// Where nodes meet.
    pub engine: Arc<dyn SharedAllocator>,
    /// The name of this one.
    pub node: String,
    /// Its settings: [`told`].
    pub settings: String,
}

impl Accord {
    /// That of a node with these settings.
    pub fn of(engine: Arc<dyn SharedAllocator>, settings: &Settings) -> Self {
        Self {
            engine,
            node: settings.cluster.node_name(),
            settings: told(&settings.rotation),
        }
    }

    /// Until `stop`. Each difference is told once. That Redis is away is told by others.
    pub async fn run(&self, stop: CancellationToken) {
        let mut known = BTreeSet::new();
        let mut ticks = tokio::time::interval(TELL_EVERY);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let Ok(others) = self.engine.announce(&self.node, &self.settings).await else {
                ticks.reset_after(Duration::from_secs(1));
                continue;
            };
            let found = differences(&self.node, &self.settings, &others);
            for difference in found.difference(&known) {
                tracing::warn!(
                    "nodes have different settings: {difference}; set the same everywhere"
                );
            }
            known = found;
        }
        // Where it cannot be said, it is forgotten in a minute.
        let _ = self.engine.announce(&self.node, "").await;
    }
}

/// The settings that all nodes should have, a line each.
pub fn told(rotation: &RotationConfig) -> String {
    let prefixes = rotation.dial_prefixes.0.join(",");
    let lines = [
        (
            "RESERVATION_TTL_SECONDS",
            rotation.reservation_ttl_seconds.to_string(),
        ),
        (
            "CALLER_ID_COOLDOWN_SECONDS",
            rotation.caller_id_cooldown_seconds.to_string(),
        ),
        (
            "AGENT_RATE_LIMIT_PER_MIN",
            rotation.agent_rate_limit_per_min.to_string(),
        ),
        (
            "MOST_RESERVATIONS_PER_NUMBER",
            rotation.most_reservations_per_number.to_string(),
        ),
        ("STICKY_SECONDS", rotation.sticky_seconds.to_string()),
        ("LADDER", rotation.ladder.to_string()),
        ("TIMEZONE", rotation.timezone.name().to_owned()),
        ("DIAL_PREFIXES", prefixes),
        ("CALLER_ID_FORMAT", rotation.caller_id_format.to_string()),
    ];
    lines
        .map(|(name, value)| format!("{name}={value}"))
        .join("\n")
}

/// Each setting that another node has otherwise. One that only one of both knows is of another version, and no matter.
pub fn differences(node: &str, settings: &str, others: &[Announcement]) -> BTreeSet<String> {
    let ours = read(settings);
    let mut found = BTreeSet::new();
    for other in others {
        for (name, theirs) in read(&other.text) {
            if let Some(ours) = ours.get(name)
                && *ours != theirs
            {
                found.insert(format!(
                    "{name} is `{ours}` on the node `{node}`, `{theirs}` on `{}`",
                    other.node
                ));
            }
        }
    }
    found
}

fn read(settings: &str) -> BTreeMap<&str, &str> {
    settings
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::serve_settings;

    #[test]
    fn a_setting_that_differs_is_named_with_both_values_and_both_nodes() {
        let of = |pairs: &[(&str, &str)]| told(&serve_settings(pairs).unwrap().rotation);
        let ours = of(&[]);
        let other = |text: String| Announcement {
            node: "b".to_owned(),
            text,
        };
        assert!(differences("a", &ours, &[other(ours.clone())]).is_empty());
        let theirs = of(&[("TIMEZONE", "America/Chicago"), ("LADDER", "any")]);
        let found: Vec<_> = differences("a", &ours, &[other(theirs)])
            .into_iter()
            .collect();
        assert_eq!(
            found,
            [
                "LADDER is `area_code,overlay,region,any` on the node `a`, `any` on `b`",
                "TIMEZONE is `UTC` on the node `a`, `America/Chicago` on `b`",
            ]
        );
        assert!(differences("a", &ours, &[other("NEWER=1".to_owned())]).is_empty());
    }

    #[test]
    fn every_setting_of_the_rotation_is_told() {
        let told = told(&serve_settings(&[]).unwrap().rotation);
        let settings = crate::config::describe::settings();
        let rotation = settings
            .iter()
            .filter(|setting| setting.chapter == "Rotation");
        for setting in rotation {
            assert!(
                told.contains(&format!("{}=", setting.name)),
                "{}",
                setting.name
            );
        }
    }
}
