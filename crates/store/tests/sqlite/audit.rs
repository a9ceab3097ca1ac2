//! The audit log, and hands on it.

use std::sync::Arc;

use caller_id_core::AuditLog;
use caller_id_store::SqliteStore;
use caller_id_testkit::store_suite::{add_at_once, audit_event, broken_at};
use rusqlite::Connection;

use super::{Folder, meddle, options};

async fn log_of_five() -> (Folder, Arc<SqliteStore>) {
    let folder = Folder::new();
    let store = folder.open();
    for subject in ["a", "b", "c", "d", "e"] {
        let event = audit_event("ana", "number.update", subject);
        store.add(event).await.unwrap();
    }
    (folder, store)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_file_make_one_chain() {
    let folder = Folder::new();
    let patient = || caller_id_store::SqliteOptions {
        wait: std::time::Duration::from_secs(30),
        ..options()
    };
    let server = SqliteStore::open(&folder.main(), patient()).unwrap();
    let beside = SqliteStore::open_beside(&folder.main(), patient()).unwrap();
    add_at_once(&[server, beside]).await;
}

#[tokio::test]
async fn an_entry_is_neither_changed_nor_removed_by_accident() {
    let (folder, store) = log_of_five().await;
    let stranger = Connection::open(folder.main()).unwrap();
    for sql in [
        "UPDATE audit SET author = 'bob' WHERE place = 2",
        "DELETE FROM audit WHERE place = 2",
        "DELETE FROM audit",
    ] {
        let refused = stranger.execute_batch(sql).unwrap_err().to_string();
        assert!(refused.contains("entries of the audit log"), "{refused}");
    }
    assert_eq!(broken_at(&*store).await, None);
}

#[tokio::test]
async fn what_was_done_to_the_log_on_purpose_is_found() {
    const ALLOW: &str = "DROP TRIGGER audit_is_never_changed; DROP TRIGGER audit_is_never_removed;";
    for (sql, found, found_later) in [
        ("UPDATE audit SET author = 'bob' WHERE place = 2", 2, 2),
        ("UPDATE audit SET after = NULL WHERE place = 3", 3, 3),
        ("UPDATE audit SET address = NULL WHERE place = 1", 1, 1),
        ("UPDATE audit SET at = at + 1 WHERE place = 5", 5, 5),
        ("UPDATE audit SET link = zeroblob(32) WHERE place = 4", 4, 4),
        ("DELETE FROM audit WHERE place = 3", 4, 4),
        ("DELETE FROM audit WHERE place = 1", 2, 2),
        // Entries that come later do not make up for those that were taken off the end.
        ("DELETE FROM audit WHERE place > 3", 4, 6),
        ("DELETE FROM audit", 1, 6),
    ] {
        let (folder, store) = log_of_five().await;
        meddle(&folder.main(), &format!("{ALLOW} {sql}"));
        assert_eq!(broken_at(&*store).await, Some(found), "{sql}");
        let event = audit_event("ana", "number.update", "f");
        store.add(event).await.unwrap();
        assert_eq!(broken_at(&*store).await, Some(found_later), "{sql}");
    }
}
