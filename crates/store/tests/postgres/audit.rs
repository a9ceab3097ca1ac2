//! The audit log of many nodes, and hands on it.

use std::sync::Arc;

use caller_id_core::AuditLog;
use caller_id_store::PostgresStore;
use caller_id_testkit::store_suite::{add_at_once, audit_event, broken_at, whole_log};
use sqlx_core::connection::Connection;
use sqlx_core::raw_sql::raw_sql;
use sqlx_postgres::PgConnection;

use super::Database;

async fn log_of_five() -> (Database, Arc<PostgresStore>) {
    let database = Database::new();
    let store = database.open().await.unwrap();
    for subject in ["a", "b", "c", "d", "e"] {
        let event = audit_event("ana", "number.update", subject);
        store.add(event).await.unwrap();
    }
    (database, store)
}

/// What the database answers to a stranger.
async fn meddle(database: &Database, sql: &'static str) -> Result<(), sqlx_core::Error> {
    let mut stranger = PgConnection::connect(&database.url()).await?;
    raw_sql(sql).execute(&mut stranger).await?;
    stranger.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_of_two_nodes_make_one_chain() {
    let database = Database::new();
    let [a, b] = [
        database.open().await.unwrap(),
        database.open().await.unwrap(),
    ];
    add_at_once(&[a, b]).await;
}

#[tokio::test]
async fn an_entry_is_neither_changed_nor_removed_by_accident() {
    let (database, store) = log_of_five().await;
    for sql in [
        "UPDATE caller_id.audit SET author = 'bob' WHERE place = 2",
        "DELETE FROM caller_id.audit WHERE place = 2",
        "TRUNCATE caller_id.audit",
    ] {
        let refused = meddle(&database, sql).await.unwrap_err().to_string();
        assert!(refused.contains("entries of the audit log"), "{refused}");
    }
    assert_eq!(broken_at(&*store).await, None);
}

#[tokio::test]
async fn what_was_done_to_the_log_on_purpose_is_found() {
    let (database, store) = log_of_five().await;
    let whole = whole_log(&*store, 10).await;
    database.psql(
        "ALTER TABLE caller_id.audit DISABLE TRIGGER USER; CREATE TABLE kept AS SELECT * FROM caller_id.audit",
    );
    for (sql, expected) in [
        (
            "UPDATE caller_id.audit SET author = 'bob' WHERE place = 2",
            2,
        ),
        ("UPDATE caller_id.audit SET after = NULL WHERE place = 3", 3),
        (
            "UPDATE caller_id.audit SET address = NULL WHERE place = 1",
            1,
        ),
        ("UPDATE caller_id.audit SET at = at + 1 WHERE place = 5", 5),
        (
            "UPDATE caller_id.audit SET link = sha256('') WHERE place = 4",
            4,
        ),
        ("DELETE FROM caller_id.audit WHERE place = 3", 4),
        ("DELETE FROM caller_id.audit WHERE place = 1", 2),
        ("DELETE FROM caller_id.audit WHERE place > 3", 4),
        ("TRUNCATE caller_id.audit", 1),
    ] {
        database.psql(sql);
        assert_eq!(broken_at(&*store).await, Some(expected), "{sql}");
        database.psql("TRUNCATE caller_id.audit; INSERT INTO caller_id.audit SELECT * FROM kept");
        assert_eq!(whole_log(&*store, 10).await, whole);
    }
    // Entries that come later do not make up for those that were taken off the end.
    database.psql("DELETE FROM caller_id.audit WHERE place > 3");
    let event = audit_event("ana", "number.update", "f");
    store.add(event).await.unwrap();
    assert_eq!(broken_at(&*store).await, Some(6));
}

/// A node that dies in the middle leaves neither an entry nor its lock.
#[tokio::test]
async fn a_lock_that_a_dead_session_held_keeps_nobody_waiting() {
    let (database, store) = log_of_five().await;
    let mut dying = PgConnection::connect(&database.url()).await.unwrap();
    let half = "BEGIN; SELECT place FROM caller_id.audit_head FOR UPDATE;
        INSERT INTO caller_id.audit SELECT place + 5, at, author_kind, author, address, action, subject, before, after, link
            FROM caller_id.audit WHERE place = 1";
    raw_sql(half).execute(&mut dying).await.unwrap();
    let event = audit_event("ana", "number.update", "f");
    let adding = store.add(event);
    let (added, ended) = tokio::join!(adding, dying.close());
    added.unwrap();
    ended.unwrap();
    assert_eq!(store.head().await.unwrap().0, 6);
    assert_eq!(broken_at(&*store).await, None);
}
