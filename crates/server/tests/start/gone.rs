//! A database that was taken away from its journal: whoever comes next begins nothing anew.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::run::Running;

fn command(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_caller-id"));
    command.env_clear().current_dir(folder).args(words);
    command.env("DATA_DIR", folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn nothing_begins_anew_beside_the_journal_of_a_file_that_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = Running::start(folder.path(), &[]);
    service.until(&["listens on"]);
    assert_eq!(service.stop().0, Some(0));
    let main = folder.path().join("caller-id.db");
    let kept = fs::read(&main).unwrap();
    let csv = folder.path().join("numbers.csv");
    fs::write(&csv, "caller_id\n13125550123\n").unwrap();
    let csv = csv.to_str().unwrap();
    for empty in [false, true] {
        match empty {
            false => fs::remove_file(&main).unwrap(),
            true => fs::write(&main, "").unwrap(),
        }
        let (code, said) = Running::start(folder.path(), &[]).end();
        assert_eq!(code, Some(1), "{said:?}");
        let served = said.join("\n");
        let imported = command(folder.path(), &["import", "--mode", "db", "--csv", csv]);
        assert_ne!(imported.status.code(), Some(0));
        let imported = text(&imported.stderr);
        let exported = command(folder.path(), &["export"]);
        assert_ne!(exported.status.code(), Some(0));
        for said in [&served, &imported] {
            for part in [
                "caller-id.db` is missing or empty",
                "caller-id.journal.db` is there",
                "caller-id restore FILE",
            ] {
                assert!(said.contains(part), "no `{part}`: {said}");
            }
        }
        let looked = command(folder.path(), &["doctor"]);
        assert_eq!(looked.status.code(), Some(1));
        let looked = text(&looked.stdout);
        let line = looked
            .lines()
            .find(|line| line.starts_with("error    sqlite: file: "))
            .unwrap_or_else(|| panic!("{looked}"));
        assert!(line.contains("its journal is there: "), "{line}");
        assert!(line.contains("caller-id restore FILE"), "{line}");
        assert_eq!(fs::read(&main).is_ok(), empty, "nothing was made");
        assert!(!empty || fs::read(&main).unwrap().is_empty());
    }
    fs::write(&main, kept).unwrap();
    let mut service = Running::start(folder.path(), &[]);
    service.until(&["listens on"]);
    assert_eq!(service.stop().0, Some(0));
}

#[test]
fn a_database_that_is_damaged_is_told_with_how_to_restore_it() {
    const PAGE: usize = 4_096;
    let folder = tempfile::tempdir().unwrap();
    let mut service = Running::start(folder.path(), &[]);
    service.until(&["listens on"]);
    assert_eq!(service.stop().0, Some(0));
    let main = folder.path().join("caller-id.db");
    let mut bytes = fs::read(&main).unwrap();
    bytes[PAGE..].fill(0x5a);
    fs::write(&main, bytes).unwrap();
    let looked = command(folder.path(), &["doctor"]);
    assert_eq!(looked.status.code(), Some(1));
    let looked = text(&looked.stdout);
    let line = looked
        .lines()
        .find(|line| line.starts_with("error    sqlite: contents: "))
        .unwrap_or_else(|| panic!("{looked}"));
    assert!(line.contains("-> keep the files as they are"), "{line}");
    assert!(line.contains("caller-id restore FILE"), "{line}");
}
