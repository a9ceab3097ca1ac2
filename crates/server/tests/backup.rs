//! `caller-id backup` and `caller-id restore`, as their users see them.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "backup/broken.rs"]
mod broken;
#[path = "migrate/data.rs"]
#[expect(dead_code, reason = "what only migrations need")]
mod data;
#[path = "backup/folder.rs"]
mod folder;
#[path = "backup/killed.rs"]
mod killed;
#[path = "backup/places.rs"]
mod places;
#[path = "backup/under_load.rs"]
mod under_load;

// What load is made of.
#[path = "process_kit/client.rs"]
mod client;
#[path = "process_kit/inventory.rs"]
mod inventory;
#[path = "process_kit/load.rs"]
#[expect(dead_code, reason = "asking again after a restart is for who kills")]
mod load;
#[path = "process_kit/process.rs"]
#[expect(dead_code, reason = "so is killing")]
mod process;
#[path = "process_kit/verdict.rs"]
mod verdict;

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use caller_id_core::store::{Fields, OnDuplicate};
use caller_id_core::{InventoryStore, Number};
use caller_id_testkit::builders::somebody;
use caller_id_testkit::store_suite::records::own;

use data::{Postgres, Sqlite, audit, export, fill, more, said, status};

/// A command with these words, and nothing of this process's environment.
fn command(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_caller-id"));
    command.env_clear().args(words).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(words: &[&str]) -> Output {
    command(words).output().unwrap()
}

/// A backup of a database in a file.
fn backup(url: &str, to: &Path) {
    let done = run(&[
        "backup",
        "--database-url",
        url,
        "--to",
        to.to_str().unwrap(),
    ]);
    assert_eq!(status(&done), 0, "{}", said(&done));
}

fn restore(file: &Path, to: &str) -> Output {
    run(&["restore", file.to_str().unwrap(), "--to", to])
}

/// A small database, and a backup of it.
async fn small(folder: &Path) -> (Sqlite, PathBuf) {
    let source = Sqlite::new();
    fill(&source, 200).await;
    let file = folder.join("small.backup.gz");
    backup(&source.url(), &file);
    (source, file)
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_comes_back_in_sqlite_and_in_postgresql_whichever_it_came_from() {
    let folder = tempfile::tempdir().unwrap();
    let (first, database, second) = (Sqlite::new(), Postgres::new(), Sqlite::new());
    fill(&first, 1_500).await;
    // Some of it is in the journal alone.
    more(&first, 1_500..1_900).await;
    let [of_first, of_database] = ["one.gz", "two.gz"].map(|name| folder.path().join(name));
    backup(&first.url(), &of_first);
    let restored = restore(&of_first, &database.url());
    assert_eq!(status(&restored), 0, "{}", said(&restored));
    backup(&database.url(), &of_database);
    let restored = restore(&of_database, &second.url());
    assert_eq!(status(&restored), 0, "{}", said(&restored));
    let whole = first.contents().await;
    assert_eq!(whole.history.len(), 1_900);
    assert_eq!(whole, database.contents().await);
    assert_eq!(whole, second.contents().await);
    let least = [
        whole.keys.len() >= 2,
        !whole.removed.is_empty(),
        whole.hours.len() >= 30,
        whole.days.len() >= 100,
        whole.entries.len() >= 9,
    ];
    assert_eq!(least, [true; 5], "it shows too little");
    for url in [database.url(), second.url()] {
        let verified = audit(&["verify"], &url);
        assert_eq!(status(&verified), 0, "{}", said(&verified));
        assert_eq!(export(&url), export(&first.url()));
    }
    let identities = [
        first.open().identity().await.unwrap(),
        database.open().await.identity().await.unwrap(),
        second.open().identity().await.unwrap(),
    ];
    assert_eq!(HashSet::from(identities).len(), 3, "none is restored");
    let checked = run(&["backup", "--check", of_first.to_str().unwrap()]);
    assert_eq!(status(&checked), 0, "{}", said(&checked));
    let told = String::from_utf8(checked.stdout).unwrap();
    assert!(told.contains("whole, of 20"), "{told}");
    assert!(told.contains("1,900 calls"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_goes_through_a_pipe_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let source = Sqlite::new();
    fill(&source, 300).await;
    let before = source.contents().await;
    let piped = run(&["backup", "--database-url", &source.url(), "--to", "-"]);
    assert_eq!(status(&piped), 0, "{}", said(&piped));
    let file = folder.path().join("piped.gz");
    fs::write(&file, &piped.stdout).unwrap();
    let target = Sqlite::new();
    let restored = restore(&file, &target.url());
    assert_eq!(status(&restored), 0, "{}", said(&restored));
    assert_eq!(target.contents().await, before);
    assert_eq!(source.contents().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_has_anything_is_not_restored_into_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (_source, file) = small(folder.path()).await;
    let (sqlite, postgres) = (Sqlite::new(), Postgres::new());
    more(&sqlite, 0..5).await;
    let loaded = restore(&file, &postgres.url());
    assert_eq!(status(&loaded), 0, "{}", said(&loaded));
    let (in_sqlite, in_postgres) = (sqlite.contents().await, postgres.contents().await);
    for (url, has) in [
        (sqlite.url(), "calls in its history"),
        (postgres.url(), "120 numbers"),
    ] {
        let refused = restore(&file, &url);
        assert_eq!(status(&refused), 1);
        for part in ["is not empty, and nothing is written", has] {
            assert!(said(&refused).contains(part), "{}", said(&refused));
        }
    }
    assert_eq!(sqlite.contents().await, in_sqlite);
    assert_eq!(postgres.contents().await, in_postgres);
    // One that a service made at its first start is empty.
    let (sqlite, postgres) = (Sqlite::new(), Postgres::new());
    sqlite.open().close().await;
    postgres.open().await.close();
    for url in [sqlite.url(), postgres.url()] {
        let restored = restore(&file, &url);
        assert_eq!(status(&restored), 0, "{}", said(&restored));
    }
    assert_eq!(sqlite.contents().await, in_postgres);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_in_use_is_backed_up_and_not_restored_into() {
    let folder = tempfile::tempdir().unwrap();
    let (source, file) = small(folder.path()).await;
    let (sqlite, postgres) = (Sqlite::new(), Postgres::new());
    let (held, held_too) = (sqlite.open(), postgres.open().await);
    for url in [sqlite.url(), postgres.url()] {
        let refused = restore(&file, &url);
        assert_eq!(status(&refused), 1);
        let said = said(&refused);
        assert!(said.contains("is in use: stop the services"), "{said}");
    }
    held.close().await;
    held_too.close();
    let held = source.open();
    backup(&source.url(), &folder.path().join("again.gz"));
    held.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_log_that_was_changed_is_told_and_can_be_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (Sqlite::new(), Sqlite::new());
    fill(&source, 50).await;
    source.sql(
        "DROP TRIGGER audit_is_never_changed; UPDATE audit SET subject = 'nothing' WHERE place = 3",
    );
    let file = folder.path().join("a.gz");
    let to = file.to_str().unwrap();
    let made = run(&["backup", "--database-url", &source.url(), "--to", to]);
    assert_eq!(status(&made), 0, "a backup with it is better than none");
    let told = "does not hold at place 3";
    assert!(said(&made).contains(told), "{}", said(&made));
    let refused = restore(&file, &target.url());
    assert_eq!(status(&refused), 1);
    assert!(said(&refused).contains(told), "{}", said(&refused));
    let url = target.url();
    let restored = run(&["restore", to, "--to", &url, "--without-audit-log"]);
    assert_eq!(status(&restored), 0, "{}", said(&restored));
    assert_eq!(status(&audit(&["verify"], &url)), 0);
    let own = target.contents().await.entries;
    assert!(!own.is_empty());
    for entry in own {
        let by = entry.event.author.name;
        assert!(
            by.starts_with("restore ("),
            "{} by {by}",
            entry.event.action
        );
    }
    let (source, target) = (source.contents().await, target.contents().await);
    assert_eq!((source.history, source.keys), (target.history, target.keys));
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_with_many_digits_come_back_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let (source, database, target) = (Sqlite::new(), Postgres::new(), Sqlite::new());
    // Of all sizes; one in some is another number when it is read in a hurry.
    let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        f64::from_bits(bits)
    };
    let floats = std::iter::repeat_with(next).filter(|float| float.is_finite());
    let floats: Vec<f64> = floats.take(4_000).collect();
    let numbers: Vec<_> = floats
        .chunks(100)
        .zip(0..)
        .map(|(floats, line)| Number {
            meta: Some(serde_json::json!({ "of": floats, "near": 0.1 + 0.2 })),
            ..Number::new(own(line))
        })
        .collect();
    let store = source.open();
    let update = OnDuplicate::Update(Fields::ALL);
    let by = somebody();
    let written = store.write_numbers(numbers.clone(), update, &by);
    written.await.unwrap();
    store.close().await;
    let [of_source, of_database] = ["one.gz", "two.gz"].map(|name| folder.path().join(name));
    backup(&source.url(), &of_source);
    let restored = restore(&of_source, &database.url());
    assert_eq!(status(&restored), 0, "{}", said(&restored));
    backup(&database.url(), &of_database);
    let restored = restore(&of_database, &target.url());
    assert_eq!(status(&restored), 0, "{}", said(&restored));
    assert!(
        target.contents().await.numbers == numbers,
        "a digit is another"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_command_line_says_needs_no_setting_that_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let (_source, file) = small(folder.path()).await;
    fs::write(
        folder.path().join(".env"),
        "ADMIN_TOKEN='open\nDATA_DIR=x\n",
    )
    .unwrap();
    let target = Sqlite::new();
    let (file, url) = (file.to_str().unwrap(), target.url());
    let beside = |words: &[&str]| {
        let mut command = command(words);
        command.current_dir(folder.path());
        command.env("IP_WHITELIST", OsStr::from_bytes(b"10.0.0.0/8\xff"));
        command
            .env("DATABASE_URL", "mysql://nothing")
            .output()
            .unwrap()
    };
    for words in [
        &["backup", "--check", file][..],
        &["restore", file, "--to", &url],
    ] {
        let done = beside(words);
        assert_eq!(status(&done), 0, "{words:?}: {}", said(&done));
    }
    for words in [&["backup"][..], &["restore", file]] {
        let refused = beside(words);
        assert_eq!(status(&refused), 2, "{words:?}: {}", said(&refused));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_another_version_is_not_read_and_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let source = Sqlite::new();
    fill(&source, 10).await;
    let to = folder.path().join("a.gz");
    for (version, told) in [(99, "schema version 99"), (5, "schema version 5, and this")] {
        source.sql(&format!("PRAGMA user_version = {version}"));
        let url = source.url();
        let refused = run(&[
            "backup",
            "--database-url",
            &url,
            "--to",
            to.to_str().unwrap(),
        ]);
        assert_eq!(status(&refused), 1);
        assert!(said(&refused).contains(told), "{}", said(&refused));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "no draft");
    }
    let nowhere = format!("sqlite:{}", folder.path().join("x/nowhere.db").display());
    let refused = run(&[
        "backup",
        "--database-url",
        &nowhere,
        "--to",
        to.to_str().unwrap(),
    ]);
    assert_eq!(status(&refused), 1);
    assert!(
        said(&refused).contains("there is no database"),
        "{}",
        said(&refused)
    );
    assert!(!folder.path().join("x").exists());
}
