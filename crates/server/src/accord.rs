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
/// How often a process told it: who says something new runs.
const BEAT: &str = "BEAT";

/// Tells the settings of this node, and warns of nodes with others, and of others with its name.
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

    /// Until `stop`. Each difference is told once, and so is a second node of the same name. That Redis is away is told by others.
    pub async fn run(&self, stop: CancellationToken) {
        let (mut heard, mut known) = (Heard::default(), BTreeSet::new());
        // Two processes are two nodes, whatever they are called.
        let process = format!("{}/{:08x}", self.node, rand::random::<u32>());
        let mut ticks = tokio::time::interval(TELL_EVERY);
        for beat in 0_u64.. {
            if stop.run_until_cancelled(ticks.tick()).await.is_none() {
                break;
            }
            let text = format!("{}\n{BEAT}={beat}", self.settings);
            let Ok(others) = self.engine.announce(&process, &text).await else {
                ticks.reset_after(Duration::from_secs(1));
                continue;
            };
            let found = heard.compare(&self.node, &self.settings, others);
            for difference in found.difference(&known) {
                difference.tell();
            }
            known = found;
        }
        // Where it cannot be said, it is forgotten in a minute.
        let _ = self.engine.announce(&process, "").await;
    }
}

/// What is wrong among nodes.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Discord {
    /// Two have the same name.
    Twins(String),
    /// A setting is not everywhere the same.
    Setting(String),
}

impl Discord {
    fn tell(&self) {
        match self {
            Self::Twins(name) => tracing::error!(
                "another node that runs is called `{name}`, too: set another NODE_NAME for each, or logs and the doctor take them \
                 for one"
            ),
            Self::Setting(difference) => tracing::warn!(
                "nodes have different settings: {difference}; set the same everywhere"
            ),
        }
    }
}

/// What others said before. One of the same name may be what this node was before it was killed: it is one that runs when
/// it says something new.
#[derive(Default)]
struct Heard(BTreeMap<String, String>);

impl Heard {
    fn compare(
        &mut self,
        node: &str,
        settings: &str,
        others: Vec<Announcement>,
    ) -> BTreeSet<Discord> {
        let said = others
            .iter()
            .map(|other| (other.node.clone(), other.text.clone()));
        let before = std::mem::replace(&mut self.0, said.collect());
        let runs = |twin: &Announcement| {
            before
                .get(&twin.node)
                .is_some_and(|text| *text != twin.text)
        };
        let is_twin = |other: &Announcement| name_of(&other.node) == node;
        let others: Vec<_> = others
            .into_iter()
            .filter(|other| !is_twin(other) || runs(other))
            .collect();
        let mut found: BTreeSet<_> = differences(node, settings, &others)
            .into_iter()
            .map(Discord::Setting)
            .collect();
        if others.iter().any(is_twin) {
            found.insert(Discord::Twins(node.to_owned()));
        }
        found
    }
}

/// The name of the node that a process says it is: without what tells apart processes of one name.
pub fn name_of(process: &str) -> &str {
    match process.rsplit_once('/') {
        Some((name, salt))
            if salt.len() == 8 && salt.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            name
        }
        _ => process,
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
                    name_of(&other.node)
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

    fn says(node: &str, text: &str) -> Announcement {
        Announcement {
            node: node.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn another_node_of_the_same_name_is_told_of_with_what_differs_once_it_is_seen_to_run() {
        let mut heard = Heard::default();
        let ours = "LADDER=any";
        let other = |beat| vec![says("a/0123abcd", &format!("LADDER=region\nBEAT={beat}"))];
        // It may be what this node was before it was killed.
        for _ in 0..3 {
            assert_eq!(heard.compare("a", ours, other(7)), BTreeSet::new());
        }
        let found = heard.compare("a", ours, other(8));
        let difference = "LADDER is `any` on the node `a`, `region` on `a`".to_owned();
        let both = [Discord::Twins("a".to_owned()), Discord::Setting(difference)];
        assert_eq!(found, both.into());
        // Nodes of other names are believed at once, those of the version before, too.
        let found = heard.compare("b", ours, vec![says("a", "LADDER=region")]);
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn a_process_has_the_name_of_its_node() {
        for (process, name) in [
            ("a/0123abcd", "a"),
            ("a", "a"),
            ("a/b", "a/b"),
            ("a/b/0123abcd", "a/b"),
        ] {
            assert_eq!(name_of(process), name);
        }
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
