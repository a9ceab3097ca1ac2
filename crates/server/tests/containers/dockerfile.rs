//! `Dockerfile` and `.dockerignore`.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{file, is_pinned, root};

/// The instructions: a word, and the rest of its lines.
fn instructions() -> Vec<(String, String)> {
    let text = file("Dockerfile");
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    let joined = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let lines = joined.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            let (word, rest) = line.split_once(' ').expect("an instruction");
            (word.to_owned(), rest.trim().to_owned())
        })
        .collect()
}

fn all(word: &str) -> Vec<String> {
    let all = instructions().into_iter().filter(|(it, _)| it == word);
    all.map(|(_, rest)| rest).collect()
}

#[test]
fn it_is_built_in_one_image_and_runs_in_a_smaller_one_both_pinned() {
    let from = all("FROM");
    assert_eq!(from.len(), 2);
    for from in &from {
        assert!(is_pinned(from.split(' ').next().unwrap()), "{from}");
    }
    assert!(from[0].starts_with("rust:") && from[0].ends_with(" AS build"));
    assert!(from[1].contains("-slim"));
    let copied = all("COPY");
    assert_eq!(copied[0], ". .");
    assert_eq!(
        copied[1],
        "--from=build /out/caller-id /usr/local/bin/caller-id"
    );
    assert_eq!(copied.len(), 2, "nothing else is in it");
}

#[test]
fn it_is_built_with_a_rust_that_the_project_takes() {
    let text = file("Cargo.toml");
    let least = text.split("rust-version = \"").nth(1).unwrap();
    let least = least.split('"').next().unwrap();
    let minor = |version: &str| -> u32 { version.split('.').nth(1).unwrap().parse().unwrap() };
    let from = all("FROM")[0].clone();
    let version = from.strip_prefix("rust:").unwrap().split('-').next();
    assert!(minor(version.unwrap()) >= minor(least));
    assert!(all("RUN")[0].contains("cargo build --release --locked --package caller-id"));
}

#[test]
fn it_runs_as_a_user_by_number_who_is_not_root_and_last_of_all() {
    let users = all("USER");
    assert_eq!(
        users,
        ["10001:10001"],
        "a number: Kubernetes can see that it is not root"
    );
    let text = instructions();
    let place = |word: &str| text.iter().rposition(|(it, _)| it == word).unwrap();
    assert!(place("USER") > place("RUN") && place("USER") > place("COPY"));
    assert!(all("RUN")[1].contains("--uid 10001"));
}

#[test]
fn it_starts_without_a_shell_and_asks_itself_whether_it_is_well() {
    assert_eq!(all("ENTRYPOINT"), ["[\"caller-id\"]"]);
    assert_eq!(all("CMD"), ["[\"serve\"]"]);
    let check = &all("HEALTHCHECK")[0];
    assert!(
        check.ends_with("CMD [\"caller-id\", \"health\", \"--local\"]"),
        "{check}"
    );
    assert!(check.contains("--timeout=5s"), "longer than `health` waits");
}

#[test]
fn nothing_is_fetched_without_being_put_away_again() {
    for run in all("RUN") {
        assert!(!run.contains("sudo") && !run.contains("curl "), "{run}");
        if run.contains("apt-get install") {
            assert!(run.contains("--no-install-recommends"), "{run}");
            assert!(run.contains("rm -rf /var/lib/apt/lists"), "{run}");
        }
    }
    assert!(all("ADD").is_empty());
}

#[test]
fn every_variable_is_a_setting() {
    let known = caller_id::config::describe::settings();
    for line in all("ENV") {
        for pair in line.split_whitespace() {
            let name = pair.split('=').next().unwrap();
            assert!(known.iter().any(|setting| setting.name == name), "{name}");
        }
    }
}

/// What the build is given: the lines of `.dockerignore` that begin with `!`.
fn given() -> Vec<String> {
    let text = file(".dockerignore");
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(lines.next(), Some("*"), "nothing but what is named");
    let named = lines.map(|line| line.strip_prefix('!').expect("a thing that is needed"));
    named.map(str::to_owned).collect()
}

#[test]
fn the_build_is_given_no_secrets_and_all_that_the_sources_take_in() {
    let given = given();
    assert!(
        !given
            .iter()
            .any(|name| name.contains(".env") || name == "target")
    );
    let mut seen = 0;
    for name in given.iter().filter(|name| root().join(name).is_dir()) {
        taken_in(&root().join(name), &given, &mut seen);
    }
    assert!(seen > 10, "files that are taken in");
}

/// Files that sources take in with `include_str!` and `include_bytes!`.
fn taken_in(folder: &Path, given: &[String], seen: &mut usize) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.ends_with("tests") {
                continue;
            }
            taken_in(&path, given, seen);
            continue;
        }
        if path.extension().is_none_or(|kind| kind != "rs") || path.ends_with(file!()) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        // What only tests take in is not built.
        let text = text.split("#[cfg(test)]").next().unwrap();
        for part in ["include_str!(\"", "include_bytes!(\""] {
            for rest in text.split(part).skip(1) {
                let name = rest.split('"').next().unwrap();
                let from = path.parent().unwrap().join(name).canonicalize();
                let from = from.unwrap_or_else(|error| panic!("{path:?} takes in {name}: {error}"));
                let within = from.strip_prefix(root().canonicalize().unwrap()).unwrap();
                let is_given = given.iter().any(|name| within.starts_with(name));
                assert!(is_given, "{path:?} takes in {name}");
                *seen += 1;
            }
        }
    }
}

#[test]
fn cargo_finds_the_whole_project_in_what_the_build_is_given() {
    let folder = tempfile::tempdir().unwrap();
    for name in given() {
        let mut copy = Command::new("cp");
        copy.args(["-R", "--parents", &name]).arg(folder.path());
        copy.current_dir(root());
        let status = copy.status().unwrap();
        assert!(status.success(), "{name}");
    }
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--no-deps"])
        .args(["--format-version", "1"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let why = String::from_utf8_lossy(&metadata.stderr);
    assert!(metadata.status.success(), "{why}");
}
