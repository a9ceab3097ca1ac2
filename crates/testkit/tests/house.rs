//! The invariants of docs/ARCHITECTURE.md that no compiler checks.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All source files under a folder of the project, with their text, tests cut off.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("source is UTF-8");
                // What follows on `mod tests;` is no test: those are a file of their own.
                let begin = ["mod tests {", "pub(crate) mod tests {"];
                let code = text.lines().take_while(|line| !begin.contains(line));
                let code = code.collect::<Vec<_>>().join("\n");
                let name = path
                    .strip_prefix(root())
                    .unwrap_or(&path)
                    .display()
                    .to_string();
                found.push((name, code));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has source files");
    found
}

/// The names under `[dependencies]` of a crate.
fn dependencies(krate: &str) -> Vec<String> {
    let manifest = fs::read_to_string(root().join(krate).join("Cargo.toml")).expect("a manifest");
    let section = manifest.split("[dependencies]").nth(1).unwrap_or_default();
    let lines = section
        .lines()
        .skip(1)
        .take_while(|line| !line.starts_with('['));
    lines
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

fn files_with(folder: &str, words: &[&str], allowed: impl Fn(&str) -> bool) -> Vec<String> {
    let all = sources(folder)
        .into_iter()
        .filter(|(name, _)| !allowed(name));
    all.filter(|(_, code)| words.iter().any(|word| code.contains(word)))
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn core_depends_on_no_crate_of_ours_and_on_none_that_does_io() {
    let allowed = [
        "async-trait",
        "jiff",
        "serde",
        "serde_json",
        "sha2",
        "smallvec",
        "thiserror",
        "uuid",
    ];
    assert_eq!(dependencies("crates/core"), allowed);
}

#[test]
fn engine_and_store_know_core_alone() {
    for krate in ["crates/engine", "crates/store", "crates/testkit"] {
        let ours: Vec<_> = dependencies(krate)
            .into_iter()
            .filter(|name| name.starts_with("caller-id"))
            .collect();
        assert_eq!(ours, ["caller-id-core"], "{krate}");
    }
}

#[test]
fn only_app_names_concrete_engines_and_stores() {
    let words = [
        "MemoryAllocator",
        "RedisAllocator",
        "SqliteStore",
        "PostgresStore",
        "caller_id_engine::",
        "caller_id_store::",
    ];
    let found = files_with("crates/server/src", &words, |name| {
        name.ends_with("src/app.rs") || name.contains("src/app/")
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn status_codes_stand_in_http_and_in_pages_alone() {
    let found = files_with("crates/server/src", &["StatusCode"], |name| {
        name.contains("src/http") || name.contains("src/dashboard")
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn http_fastagi_and_the_command_line_do_not_import_one_another() {
    let ways_in = ["http", "fastagi", "cli"];
    for own in ways_in {
        let others: Vec<String> = ways_in
            .into_iter()
            .filter(|other| *other != own)
            .map(|other| format!("crate::{other}"))
            .collect();
        let words: Vec<&str> = others.iter().map(String::as_str).collect();
        let folder = format!("src/{own}");
        let found = files_with("crates/server/src", &words, |name| {
            !name.contains(&format!("{folder}/")) && !name.ends_with(&format!("{folder}.rs"))
        });
        assert_eq!(found, Vec::<String>::new(), "{own}");
    }
}

#[test]
fn sql_stands_in_the_store_alone() {
    let statements = [
        "SELECT ",
        "INSERT INTO",
        "DELETE FROM",
        "PRAGMA ",
        "CREATE TABLE",
        "DROP TABLE",
        "UPDATE ",
    ];
    for folder in ["crates/core/src", "crates/engine/src", "crates/server/src"] {
        assert_eq!(
            files_with(folder, &statements, |_| false),
            Vec::<String>::new()
        );
    }
}

#[test]
fn no_type_of_the_driver_is_in_a_public_signature_of_the_store() {
    for (name, code) in sources("crates/store/src") {
        let public = code
            .lines()
            .filter(|line| line.trim_start().starts_with("pub "))
            .filter(|line| {
                ["rusqlite", "sqlx"]
                    .iter()
                    .any(|driver| line.contains(driver))
            });
        assert_eq!(public.count(), 0, "{name}");
    }
}

#[test]
fn no_type_of_the_driver_is_in_a_public_signature_of_the_engine() {
    let drivers = ["ConnectionManager", "Client", "RedisResult", "::redis::"];
    for (name, code) in sources("crates/engine/src") {
        let mut public = code
            .lines()
            .filter(|line| line.trim_start().starts_with("pub "));
        let shown = public.find(|line| drivers.iter().any(|driver| line.contains(driver)));
        assert_eq!(shown, None, "{name}");
    }
}

#[test]
fn redis_keys_are_made_in_one_place_and_never_listed_or_flushed() {
    let found = files_with("crates", &["caller-id:{"], |name| {
        name.ends_with("redis/keys.rs") || name.contains("/tests/")
    });
    assert_eq!(found, Vec::<String>::new());
    let scripts = root().join("crates/engine/src/redis/scripts");
    for entry in fs::read_dir(scripts).expect("the scripts are there") {
        let path = entry.expect("an entry").path();
        let script = fs::read_to_string(&path).expect("a script is text");
        for word in ["caller-id:", "'KEYS'", "FLUSHDB", "FLUSHALL"] {
            assert!(!script.contains(word), "{} has {word}", path.display());
        }
        let lines = script.lines().count();
        assert!(lines <= 400, "{} has {lines} lines", path.display());
    }
}

#[test]
fn no_file_has_more_than_400_lines_before_its_tests() {
    for folder in ["crates", "bench/src"] {
        for (name, code) in sources(folder) {
            let lines = code.lines().count();
            assert!(lines <= 400, "{name} has {lines} lines: one idea a file");
        }
    }
}

#[test]
fn no_test_is_left_out_or_tried_again() {
    let marker = ["#[", "ignore"].concat();
    // The half of the kill test that is killed: its other half runs it.
    let victim = |name: &str| name == "crates/store/tests/sqlite/kill.rs";
    let found = files_with("crates", &[&marker], victim);
    assert_eq!(found, Vec::<String>::new());
    let nextest = fs::read_to_string(root().join(".config/nextest.toml"))
        .expect("the settings of the test runner");
    assert!(nextest.contains("retries = 0"));
    // The one that needs root is run by a script of its own, which says loudly when it cannot.
    let left_out: Vec<_> = nextest.matches("default-filter = 'not ").collect();
    assert_eq!(left_out.len(), 1);
    assert!(nextest.contains("default-filter = 'not binary(asterisk)'"));
    let makefile = fs::read_to_string(root().join("Makefile")).expect("the commands");
    assert!(makefile.contains("scripts/asterisk/test.sh where-possible"));
}

#[test]
fn packages_that_tests_work_with_come_from_the_public_registry_alone() {
    for folder in ["oidc", "axe"] {
        let path = format!("crates/testkit/{folder}/package-lock.json");
        let lock = fs::read_to_string(root().join(path)).expect("the versions of packages");
        let elsewhere: Vec<_> = lock
            .lines()
            .filter(|line| line.contains("\"resolved\""))
            .filter(|line| !line.contains("\"https://registry.npmjs.org/"))
            .collect();
        assert_eq!(elsewhere, Vec::<&str>::new());
        assert!(lock.contains("\"integrity\": \"sha512-"));
    }
}
