//! One service is replaced by that of another build: what it had answered holds, and nothing is forgotten.

#![cfg(unix)]

#[path = "process_kit/client.rs"]
mod client;
#[path = "process_kit/inventory.rs"]
mod inventory;
#[path = "process_kit/load.rs"]
mod load;
#[path = "process_kit/older.rs"]
mod older;
#[path = "process_kit/process.rs"]
mod process;
#[path = "process_kit/verdict.rs"]
mod verdict;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use load::{Told, ask_again, callers, load};
use older::older;
use process::{BINARY, Process, configured, serve};
use rusqlite::Connection;
use verdict::{faults, history};

fn serve_older(folder: &Path) -> Command {
    let mut command = Command::new(older());
    command.arg("serve");
    configured(command, folder)
}

/// Puts load on it until so many numbers were handed out.
fn load_on(process: &Process, name: &str, seed: u64) -> Told {
    const ENOUGH: usize = 60;
    let enough = |told: &Told| told.handed.len() >= ENOUGH;
    load((), callers(process, name, seed), enough, |()| {})
}

fn schema(file: &Path) -> i64 {
    let file = Connection::open(file).expect("it is there");
    let version = file.pragma_query_value(None, "user_version", |row| row.get(0));
    version.expect("a version")
}

/// A start that is to fail.
fn refused(mut command: Command) -> String {
    let Output { status, stderr, .. } = command
        .stderr(Stdio::piped())
        .output()
        .expect("it runs and ends");
    let said = String::from_utf8(stderr).expect("text");
    assert!(matches!(status.code(), Some(1 | 2)), "{status}: {said}");
    said
}

#[test]
fn a_new_build_on_the_data_of_an_older_one_forgets_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let main = folder.join("caller-id.db");
    let process = Process::start(serve_older(folder));
    inventory::fill(&mut process.connect());
    let mut told = load_on(&process, "older", 1);
    // However it ends: in order, and then not.
    process.terminate();
    assert_eq!(process.exit_code(), Some(0));
    let process = Process::start(serve_older(folder));
    told.take(load_on(&process, "killed", 2));
    process.kill();
    let before = schema(&main);

    let process = Process::start(serve(folder));
    ask_again(&process, "again", &mut told);
    told.take(load_on(&process, "newer", 3));
    process.terminate();
    assert_eq!(process.exit_code(), Some(0));
    assert_eq!((told.cut, told.unavailable), (0, 0));
    if schema(&main) > before {
        let said = refused(serve_older(folder));
        assert!(said.contains("use a newer caller-id"), "{said}");
    }
    assert_eq!(faults(&history(folder), &told), Vec::<String>::new());
}

#[test]
fn data_of_a_later_version_are_refused_in_a_clear_line_and_not_touched() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let process = Process::start(serve(folder));
    inventory::fill(&mut process.connect());
    process.terminate();
    assert_eq!(process.exit_code(), Some(0));
    let main = folder.join("caller-id.db");
    let later = schema(&main) + 1;
    let file = Connection::open(&main).expect("it is there");
    file.pragma_update(None, "user_version", later)
        .expect("a version");
    drop(file);
    let before = contents(folder);
    for command in [
        vec!["serve"],
        vec!["import", "--mode", "db", "--csv", "none.csv"],
    ] {
        fs::write(folder.join("none.csv"), "caller_id\n3125550199\n").expect("written");
        let mut run = Command::new(BINARY);
        run.args(&command);
        let said = refused(configured(run, folder));
        let told = format!("schema version {later}, this caller-id knows up to");
        assert!(said.contains(&told), "{command:?}: {said}");
        assert!(
            said.contains("use a newer caller-id"),
            "{command:?}: {said}"
        );
        assert!(said.contains("caller-id.db"), "{command:?}: {said}");
    }
    assert_eq!(contents(folder), before);
}

/// The databases of a folder, byte by byte.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut found: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|kind| kind == "db"))
        .map(|path| (path.clone(), fs::read(path).expect("it can be read")))
        .collect();
    found.sort();
    found
}
