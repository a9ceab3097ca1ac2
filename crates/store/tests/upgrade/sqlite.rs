use std::path::{Path, PathBuf};
use std::sync::Arc;

use caller_id_core::{Journal, ManualClock, StoreError};
use caller_id_store::{SqliteOptions, SqliteStore};
use caller_id_testkit::builders::START;
use caller_id_testkit::store_suite::records::{allocated, own, record};
use rusqlite::Connection;

use crate::content::{assert_all_is_there, statements};
use crate::migrations;

fn options() -> SqliteOptions {
    SqliteOptions::new(Arc::new(ManualClock::at(START)))
}

fn written_with(path: &Path, migrations: &[String], sql: &str) {
    let file = Connection::open(path).unwrap();
    for migration in migrations {
        file.execute_batch(migration).unwrap();
    }
    file.execute_batch(sql).unwrap();
    file.pragma_update(None, "user_version", migrations.len() as i64)
        .unwrap();
}

/// The text of the bytes of an id.
fn id(id: caller_id_core::AllocationId) -> String {
    let bytes = id.as_bytes().iter();
    format!(
        "X'{}'",
        bytes.map(|byte| format!("{byte:02x}")).collect::<String>()
    )
}

#[tokio::test]
async fn files_of_every_earlier_schema_are_taken_along() {
    let all = migrations("sqlite");
    for version in 1..=all.len() {
        let folder = tempfile::tempdir().unwrap();
        let main = folder.path().join("caller-id.db");
        written_with(&main, &all[..version], &statements("", id));
        let store = SqliteStore::open(&main, options()).unwrap();
        assert_all_is_there(&*store, version).await;
        let event = allocated(&record(9_000, 9, own(1)));
        store.commit(vec![event]).await.unwrap();
        store.close().await;
        let file = Connection::open(&main).unwrap();
        let now: i64 = file
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap();
        assert_eq!(now, all.len() as i64, "from schema {version}");
        let columns = |path: &Path| tables(&Connection::open(path).unwrap());
        assert_eq!(
            columns(&main),
            columns(&new(folder.path())),
            "from schema {version}"
        );
    }
}

/// A file that this version makes.
fn new(folder: &Path) -> PathBuf {
    let path = folder.join("new").join("caller-id.db");
    std::fs::create_dir(folder.join("new")).unwrap();
    drop(SqliteStore::open(&path, options()).unwrap());
    path
}

fn tables(file: &Connection) -> Vec<String> {
    let mut all = file
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
        .unwrap();
    let all = all.query_map([], |row| row.get(0)).unwrap();
    all.map(Result::unwrap).collect()
}

#[tokio::test]
async fn what_waits_in_a_journal_of_the_first_schema_is_taken_along() {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("caller-id.db");
    let journal = folder.path().join("caller-id.journal.db");
    let record = record(1, 1, own(1));
    let store = SqliteStore::open(&main, options()).unwrap();
    let held = Connection::open(&main).unwrap();
    // Nothing is moved into history meanwhile.
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    store.commit(vec![allocated(&record)]).await.unwrap();
    store.close().await;
    drop(held);
    // As the first version had it.
    let file = Connection::open(&journal).unwrap();
    file.execute_batch("PRAGMA application_id = 0; PRAGMA user_version = 1")
        .unwrap();
    let waits: i64 = file
        .query_row("SELECT count(*) FROM journal", [], |row| row.get(0))
        .unwrap();
    assert_eq!(waits, 1);
    drop(file);
    let store = SqliteStore::open(&main, options()).unwrap();
    let mut found = Vec::new();
    let mut keep = |past: caller_id_core::store::PastAllocation| found.push(past.record);
    caller_id_core::HistoryStore::allocations_since(
        &*store,
        caller_id_core::Timestamp::ZERO,
        &mut keep,
    )
    .await
    .unwrap();
    assert_eq!(found, [record]);
}

#[tokio::test]
async fn files_of_a_later_schema_are_refused_and_not_a_byte_of_them_changes() {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("caller-id.db");
    SqliteStore::open(&main, options()).unwrap().close().await;
    for name in ["caller-id.db", "caller-id.journal.db"] {
        let path = folder.path().join(name);
        let set = |version: i64| {
            let file = Connection::open(&path).unwrap();
            file.execute_batch(&format!(
                "PRAGMA user_version = {version}; PRAGMA wal_checkpoint(TRUNCATE)"
            ))
            .unwrap();
        };
        let file = Connection::open(&path).unwrap();
        let known: i64 = file
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap();
        drop(file);
        set(known + 1);
        let before = std::fs::read(&path).unwrap();
        let refused = SqliteStore::open(&main, options()).err();
        let Some(StoreError::Unreadable(text)) = refused else {
            panic!("{refused:?}");
        };
        let told = format!(
            "schema version {}, this caller-id knows up to {known}: use a newer caller-id",
            known + 1
        );
        assert!(text.contains(&told) && text.contains(name), "{text}");
        assert_eq!(
            std::fs::read(&path).unwrap(),
            before,
            "{name} was written to"
        );
        set(known);
    }
    drop(SqliteStore::open(&main, options()).unwrap());
}
