//! The dashboard and the alerts of `deploy/` against what the service really tells, and against Prometheus's own tool.

#[path = "metrics/expressions.rs"]
mod expressions;
#[path = "metrics/traffic.rs"]
mod traffic;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use caller_id::metrics::{FAMILIES, Kind};
use serde_json::Value;

use expressions::Used;

fn deploy(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join("deploy").join(path)
}

/// Runs Prometheus's own tool. Where it is missing the test fails: `make deps` installs it.
fn promtool(arguments: &[&str], input: &str) {
    let mut tool = Command::new("promtool")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool, of the package prometheus: `make deps` installs it");
    let mut stdin = tool.stdin.take().expect("its input");
    stdin.write_all(input.as_bytes()).expect("written");
    drop(stdin);
    let done = tool.wait_with_output().expect("its end");
    let said = [done.stdout, done.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(done.status.success(), "promtool {arguments:?}: {said}");
}

/// Labels of each metric in the text, by the name that stands there.
fn told(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut told = BTreeMap::<String, BTreeSet<String>>::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let used = expressions::read(line.rsplit_once(' ').map_or("", |(metric, _)| metric));
        for (name, labels) in used.metrics {
            told.entry(name).or_default().extend(labels);
        }
    }
    told
}

/// Every expression that the dashboard and the rules ask.
fn asked() -> Vec<(String, Used)> {
    let mut asked = Vec::new();
    let dashboard = std::fs::read_to_string(deploy("grafana/caller-id.json")).expect("it");
    let dashboard: Value = serde_json::from_str(&dashboard).expect("JSON");
    expressions::of_dashboard(&dashboard, &mut asked);
    assert!(asked.len() > 40, "{} in the dashboard", asked.len());
    let rules = std::fs::read_to_string(deploy("prometheus/caller-id.rules.yml")).expect("it");
    let of_rules = expressions::of_rules(&rules);
    let alerts = rules.matches("- alert:").count();
    assert_eq!(of_rules.len(), alerts, "an expression of each alert");
    asked.extend(of_rules);
    let read = |text: String| (text.clone(), expressions::read(&text));
    asked.into_iter().map(read).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_dashboard_and_alerts_ask_is_what_the_service_tells() {
    let texts = [traffic::alone().await, traffic::of_a_node().await];
    for text in &texts {
        promtool(&["check", "metrics"], text);
    }
    let told = told(&texts.concat());
    let mut names: BTreeSet<String> = told.keys().cloned().collect();
    for family in FAMILIES {
        let parts = match family.kind {
            Kind::Histogram => &["_bucket", "_count", "_sum"][..],
            Kind::Counter | Kind::Gauge => &[""],
        };
        for part in parts {
            let name = format!("{}{part}", family.name);
            assert!(names.remove(&name), "{name} was not told");
        }
    }
    assert!(names.is_empty(), "not in the list of metrics: {names:?}");

    /// What Prometheus adds itself.
    const ADDED: [&str; 2] = ["job", "instance"];
    let none = BTreeSet::new();
    for (text, used) in asked() {
        assert!(!used.metrics.is_empty(), "{text} asks for nothing");
        let mut known: BTreeSet<&str> = ADDED.into();
        for (name, labels) in &used.metrics {
            let own = match name.as_str() {
                "up" => &none,
                name => told.get(name).unwrap_or_else(|| panic!("{name} in {text}")),
            };
            for label in labels {
                let is_known = own.contains(label) || ADDED.contains(&label.as_str());
                assert!(is_known, "{name} has no label {label}: {text}");
            }
            known.extend(own.iter().map(String::as_str));
        }
        for label in &used.grouped {
            assert!(known.contains(label.as_str()), "by {label}: {text}");
        }
    }
}

#[test]
fn the_alerts_are_good_and_come_when_they_should() {
    let path = |name: &str| {
        let path = deploy("prometheus").join(name);
        path.to_str().expect("a plain path").to_owned()
    };
    promtool(&["check", "rules", &path("caller-id.rules.yml")], "");
    promtool(&["test", "rules", &path("caller-id.rules.test.yml")], "");
}

#[test]
fn every_metric_is_in_the_dashboard() {
    let dashboard = std::fs::read_to_string(deploy("grafana/caller-id.json")).expect("it");
    /// The alert is enough of it.
    const NOT_SHOWN: [&str; 2] = ["caller_id_pool_inactive", "caller_id_redis_unfit"];
    for family in FAMILIES {
        let is_shown = dashboard.contains(family.name);
        let may_miss = NOT_SHOWN.contains(&family.name);
        assert!(is_shown != may_miss, "{}", family.name);
    }
}
