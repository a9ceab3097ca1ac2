//! `docker-compose.yml`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use caller_id::config::describe::{env_example, settings};
use serde_yaml_ng::Value;

use crate::{file, is_pinned, stack, texts};

const SERVICES: [&str; 4] = ["api", "db", "redis", "embedded"];
/// Those that are ours.
const OURS: [&str; 2] = ["api", "embedded"];
/// Names of the images of PostgreSQL and Redis, which are no settings of ours.
const OF_OTHERS: [&str; 2] = ["PGDATA", "REDISCLI_AUTH"];

/// Every key of a service that is used here, from the Compose Specification: a typing error is none of them.
const KEYS: [&str; 21] = [
    "build",
    "cap_drop",
    "command",
    "depends_on",
    "env_file",
    "environment",
    "healthcheck",
    "image",
    "logging",
    "ports",
    "profiles",
    "read_only",
    "restart",
    "security_opt",
    "shm_size",
    "stop_grace_period",
    "tmpfs",
    "ulimits",
    "user",
    "volumes",
    "networks",
];

fn names_of_settings() -> BTreeSet<String> {
    settings().into_iter().map(|setting| setting.name).collect()
}

fn environment(service: &Value) -> Vec<(String, String)> {
    let pairs = service["environment"].as_mapping().expect("a mapping");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

/// The names in `${NAME…}`.
fn asked(text: &str) -> BTreeSet<String> {
    let parts = text.split("${").skip(1);
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    parts
        .map(|part| part.chars().take_while(|&letter| is_name(letter)).collect())
        .collect()
}

#[test]
fn the_services_are_those_of_the_brief_and_have_only_keys_that_there_are() {
    let stack = stack();
    let services = stack["services"].as_mapping().unwrap();
    let names: Vec<&str> = services.keys().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(names, SERVICES);
    for (name, service) in services {
        for key in service.as_mapping().unwrap().keys() {
            let key = key.as_str().unwrap();
            assert!(KEYS.contains(&key), "{name:?} has {key}");
        }
    }
    let top = stack.as_mapping().unwrap().keys();
    let top = top.map(|key| key.as_str().unwrap());
    for key in top.filter(|key| !key.starts_with("x-")) {
        let known = ["name", "services", "networks", "volumes"];
        assert!(known.contains(&key), "{key}");
    }
}

#[test]
fn everything_listens_on_loopback_alone_at_the_ports_of_the_brief() {
    let stack = stack();
    let ports = |name: &str| texts(&stack["services"][name]["ports"]).join(" ");
    let own = "127.0.0.1:${API_PORT:-8000}:8000 127.0.0.1:4573:4573";
    assert_eq!(ports("api"), own);
    assert_eq!(ports("embedded"), own);
    assert_eq!(ports("db"), "127.0.0.1:5433:5432");
    assert_eq!(ports("redis"), "127.0.0.1:6380:6379");
}

#[test]
fn no_container_is_root_or_writes_anywhere_but_to_its_volumes() {
    let stack = stack();
    for name in SERVICES {
        let service = &stack["services"][name];
        assert_eq!(service["read_only"], Value::Bool(true), "{name}");
        assert_eq!(texts(&service["cap_drop"]), ["ALL"], "{name}");
        let options = texts(&service["security_opt"]);
        assert_eq!(options, ["no-new-privileges:true"], "{name}");
        assert_eq!(service["restart"].as_str(), Some("unless-stopped"));
        // Ours have a user in their image.
        let user = service["user"].as_str();
        assert!(OURS.contains(&name) || user == Some("999:999"), "{name}");
    }
}

/// The kernel counts from 20 downwards: 20 is niceness 0, which a thread that stepped aside comes back to. More would let it go above
/// all others.
#[test]
fn what_stepped_aside_for_calls_may_be_called_back() {
    let stack = stack();
    for name in OURS {
        let nice = &stack["services"][name]["ulimits"]["nice"];
        for limit in ["soft", "hard"] {
            assert_eq!(nice[limit].as_u64(), Some(20), "{name}: {limit}");
        }
    }
}

#[test]
fn state_is_in_named_volumes_which_are_declared() {
    let stack = stack();
    let declared = stack["volumes"].as_mapping().unwrap();
    let mut used = BTreeSet::new();
    for name in SERVICES {
        for volume in texts(&stack["services"][name]["volumes"]) {
            let (volume, place) = volume.split_once(':').expect("volume:place");
            assert!(declared.contains_key(volume), "{volume}");
            assert!(place.starts_with('/'), "{place}");
            used.insert(volume.to_owned());
        }
    }
    assert_eq!(used.len(), declared.len(), "each is used");
    let volumes = |name: &str| texts(&stack["services"][name]["volumes"]).join(" ");
    assert_eq!(volumes("db"), "postgres_data:/var/lib/postgresql/data");
    assert_eq!(volumes("redis"), "redis_data:/data");
    for name in OURS {
        assert!(volumes(name).contains(":/var/lib/caller-id"));
        assert!(volumes(name).contains("logs:/var/log/caller-id"));
    }
}

#[test]
fn images_are_pinned_and_ours_has_our_version() {
    let stack = stack();
    for name in SERVICES {
        let image = stack["services"][name]["image"].as_str().unwrap();
        assert!(is_pinned(image), "{image}");
        if OURS.contains(&name) {
            assert_eq!(image, concat!("caller-id:", env!("CARGO_PKG_VERSION")));
            assert_eq!(stack["services"][name]["build"].as_str(), Some("."));
        }
    }
}

#[test]
fn the_service_waits_until_database_and_redis_are_well() {
    let stack = stack();
    for name in ["db", "redis"] {
        let waits = &stack["services"]["api"]["depends_on"][name]["condition"];
        assert_eq!(waits.as_str(), Some("service_healthy"));
        let check = &stack["services"][name]["healthcheck"];
        for key in ["test", "interval", "timeout", "retries", "start_period"] {
            assert!(!check[key].is_null(), "{name} has no {key}");
        }
    }
    let embedded = &stack["services"]["embedded"];
    assert_eq!(texts(&embedded["profiles"]), ["embedded"]);
    assert!(embedded["depends_on"].is_null());
}

#[test]
fn every_setting_of_dot_env_reaches_the_service_and_every_name_is_one() {
    let (stack, known) = (stack(), names_of_settings());
    for name in OURS {
        let service = &stack["services"][name];
        // All of `.env`; what stands under `environment` wins.
        assert_eq!(texts(&service["env_file"]), [".env"], "{name}");
        for (setting, _) in environment(service) {
            assert!(known.contains(&setting), "{name} sets {setting}");
        }
    }
    for name in ["db", "redis"] {
        for (setting, _) in environment(&stack["services"][name]) {
            let ours = known.contains(&setting);
            assert!(ours || OF_OTHERS.contains(&&*setting), "{setting}");
        }
    }
    for name in asked(&file("docker-compose.yml")) {
        assert!(known.contains(&name), "no setting is called {name}");
    }
    let example = env_example();
    for name in &known {
        assert!(example.contains(&format!("\n{name}=")), "{name}");
    }
}

#[test]
fn in_a_container_the_service_listens_to_the_others_and_keeps_its_data_in_the_volume() {
    let stack = stack();
    for name in OURS {
        let pairs = environment(&stack["services"][name]);
        for (setting, value) in [
            ("API_HOST", "0.0.0.0"),
            ("API_PORT", "8000"),
            ("AGI_LISTEN", "0.0.0.0:4573"),
            ("DATA_DIR", "/var/lib/caller-id"),
            // It would only be warned of.
            ("POSTGRES_USER", ""),
        ] {
            assert!(
                pairs.contains(&(setting.to_owned(), value.to_owned())),
                "{name}: {setting}"
            );
        }
    }
    let alone = environment(&stack["services"]["embedded"]);
    for setting in ["DATABASE_URL", "REDIS_URL"] {
        assert!(alone.contains(&(setting.to_owned(), String::new())));
    }
}

/// What Compose makes of `${NAME:-default}` and `${NAME:?refusal}`.
fn filled(text: &str, values: &BTreeMap<String, String>) -> String {
    let Some((before, rest)) = text.split_once("${") else {
        return text.to_owned();
    };
    let (asked, after) = rest.split_once('}').expect("an end");
    let (name, default) = asked.split_once(":-").unwrap_or((asked, ""));
    let name = name.split(":?").next().expect("a name");
    let value = values.get(name).filter(|value| !value.is_empty());
    let value = value.map_or(default, |value| value);
    format!("{before}{value}{}", filled(after, values))
}

#[test]
fn in_a_container_nothing_of_the_file_as_it_is_written_is_warned_of() {
    // In the container there is no `.env`: Compose makes variables of it.
    let [here, inside] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let command = |folder: &Path, word: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_caller-id"));
        command.env_clear().current_dir(folder).arg(word);
        command
    };
    let made = command(here.path(), "init-env").output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let written = std::fs::read_to_string(here.path().join(".env")).unwrap();
    let lines = written.lines().filter_map(|line| line.split_once('='));
    let values = lines.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()));
    let values: BTreeMap<String, String> = values.collect();
    let stack = stack();
    for (name, database) in [("api", "postgres://"), ("embedded", "caller-id.db")] {
        let others = environment(&stack["services"][name]);
        let others = others.into_iter();
        let others = others.map(|(name, value)| (name, filled(&value, &values)));
        let mut check = command(inside.path(), "check-config");
        let checked = check.envs(&values).envs(others).output().unwrap();
        let told = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success(), "{name}: {told}");
        assert_eq!(told, "", "{name}");
        let shown = String::from_utf8_lossy(&checked.stdout);
        let shown = shown.rsplit("The database is ").next().unwrap();
        assert!(shown.contains(database), "{name}: {shown}");
    }
}

#[test]
fn no_secret_has_a_default() {
    let text = file("docker-compose.yml");
    for secret in settings().into_iter().filter(|setting| setting.secret) {
        assert!(!text.contains(&format!("${{{}:-", secret.name)));
        assert!(!text.contains(&format!("${{{}-", secret.name)));
    }
    for name in ["ADMIN_TOKEN", "POSTGRES_PASSWORD", "REDIS_PASSWORD"] {
        assert!(text.contains(&format!("${{{name}:?")), "{name}");
    }
}

#[test]
fn the_gateway_that_the_guide_trusts_is_the_one_of_the_network() {
    let stack = stack();
    let network = &stack["networks"]["default"]["ipam"]["config"][0];
    assert_eq!(network["subnet"].as_str(), Some("172.30.80.0/24"));
    let gateway = network["gateway"].as_str().unwrap();
    for page in ["docs/plesk.md", "docs/docker.md"] {
        assert!(file(page).contains(&format!("TRUSTED_PROXIES={gateway}")));
    }
}
