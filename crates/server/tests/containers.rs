//! `Dockerfile` and `docker-compose.yml`, as far as they can be checked without a container engine: what they promise, and
//! that every name in them is a real one. `make test-containers` has other programs check them, too.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "containers/compose.rs"]
mod compose;
#[path = "containers/dockerfile.rs"]
mod dockerfile;
#[path = "containers/redis.rs"]
mod redis;

use std::path::{Path, PathBuf};

use serde_yaml_ng::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn file(name: &str) -> String {
    let path = root().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// `docker-compose.yml` with its anchors in place.
fn stack() -> Value {
    let mut stack: Value = serde_yaml_ng::from_str(&file("docker-compose.yml")).unwrap();
    // Twice: an anchor takes in another.
    stack.apply_merge().unwrap();
    stack.apply_merge().unwrap();
    stack
}

/// The texts of a list.
fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_sequence().expect("a list");
    list.iter().map(|it| it.as_str().expect("a text")).collect()
}

/// Whether an image is named with a version of two numbers at least: `17.6-bookworm`.
fn is_pinned(image: &str) -> bool {
    let version = image.split_once(':').map(|(_, version)| version);
    let numbers = version.and_then(|version| version.split('-').next());
    let mut numbers = numbers.unwrap_or_default().split('.');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
    numbers.clone().count() >= 2 && numbers.all(is_number)
}

#[test]
fn a_version_of_one_number_or_none_is_not_pinned() {
    for image in ["debian:12.11-slim", "rust:1.95.0", "redis:7.4.6-bookworm"] {
        assert!(is_pinned(image), "{image}");
    }
    for image in ["debian", "debian:latest", "redis:7", "postgres:17-bookworm"] {
        assert!(!is_pinned(image), "{image}");
    }
}
