//! Rows that are refused where a batch of nothing is taken: a full disk, above all.

use std::sync::Arc;
use std::time::Duration;

use caller_id_core::{Journal, StoreError};
use caller_id_store::PostgresStore;
use caller_id_testkit::postgres::Postgres;
use caller_id_testkit::store_suite::records::{allocated, own, record};

use super::inspect::inspect;
use super::{Database, past};

/// Refuses each row of history in the words of a disk that is full, and no statement without rows.
const REFUSE: &str = "CREATE OR REPLACE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'no room for it' USING ERRCODE = '53100'; END $$;
    CREATE TRIGGER no_room BEFORE INSERT ON caller_id.allocations FOR EACH ROW EXECUTE FUNCTION no_room()";
const TAKE: &str = "DROP TRIGGER no_room ON caller_id.allocations";
/// So much in one commit that it finds no room beside what is there.
const MANY: i64 = 2_000;

async fn commit(store: &PostgresStore, of: std::ops::Range<i64>) -> Result<(), StoreError> {
    let events = of.map(|n| allocated(&record(n, n as u64, own(1))));
    store.commit(events.collect()).await
}

/// Asks as health does, until it says that all is well again.
async fn until_well(store: &PostgresStore) {
    let asking = async {
        while store.probe().await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let asked = tokio::time::timeout(Duration::from_secs(60), asking).await;
    asked.expect("it is well again, though nobody calls");
}

/// Through the time in which a refusal speaks for itself, and well into that in which rows are tried.
async fn stays_refused(store: &PostgresStore) {
    for _ in 0..10 {
        let refused = store.probe().await;
        assert!(matches!(refused, Err(StoreError::Full(_))), "{refused:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test]
async fn while_rows_are_refused_a_probe_says_so_and_soon_no_more_whether_or_not_anybody_calls() {
    let database = Database::new();
    let store = database.open().await.unwrap();
    commit(&store, 0..1).await.unwrap();
    database.psql(REFUSE);
    store.probe().await.unwrap();
    let refused = commit(&store, 1..2).await.unwrap_err().to_string();
    assert!(refused.contains("no room for it"), "{refused}");
    assert_eq!(store.probe().await.unwrap_err().to_string(), refused);
    stays_refused(&store).await;
    database.psql(TAKE);
    until_well(&store).await;

    database.psql(REFUSE);
    commit(&store, 1..2).await.unwrap_err();
    store.probe().await.unwrap_err();
    database.psql(TAKE);
    commit(&store, 1..2).await.unwrap();
    store.probe().await.unwrap();
    assert_eq!(past(&store).await.len(), 2, "no row that was tried stays");
}

#[tokio::test]
async fn a_full_disk_is_seen_by_who_commits_and_by_who_only_looks_until_there_is_room() {
    let server = Arc::new(Postgres::start());
    let Some((disk, name)) = server.database_on_small_disk(32) else {
        return;
    };
    let database = Database(server.clone(), name);
    let store = database.open().await.unwrap();
    commit(&store, 0..1).await.unwrap();
    assert_eq!(inspect(&database.url()).await.refused, None);
    disk.fill();
    let refused = commit(&store, 1..MANY).await;
    assert!(matches!(refused, Err(StoreError::Full(_))), "{refused:?}");
    stays_refused(&store).await;
    let seen = inspect(&database.url()).await.refused.unwrap();
    assert!(
        seen.contains("No space left on device") && seen.contains(" -> make room"),
        "{seen}"
    );
    disk.make_room();
    until_well(&store).await;
    assert_eq!(inspect(&database.url()).await.refused, None);
    commit(&store, 1..MANY).await.unwrap();
    assert_eq!(past(&store).await.len(), MANY as usize);
}

#[tokio::test]
async fn a_database_that_was_set_to_read_only_is_seen_with_what_to_do() {
    let database = Database::new();
    database.open().await.unwrap();
    let name = &database.1;
    database.psql(&format!(
        "ALTER DATABASE {name} SET default_transaction_read_only = on"
    ));
    let found = inspect(&database.url()).await;
    assert!(!found.in_recovery);
    let refused = found.refused.unwrap();
    assert!(
        refused.contains("read-only transaction")
            && refused.contains("default_transaction_read_only"),
        "{refused}"
    );
}

#[tokio::test]
async fn who_only_looks_leaves_nothing_and_needs_no_right_to_temporary_tables() {
    let database = Database::new();
    database.open().await.unwrap();
    let tables = "SELECT count(*) FROM pg_class WHERE relname LIKE '%trial%'";
    assert_eq!(inspect(&database.url()).await.refused, None);
    assert_eq!(database.psql(tables), "0");
    let (name, user) = (&database.1, format!("reader_{}", database.1));
    database.psql(&format!(
        "CREATE ROLE {user} LOGIN; GRANT USAGE ON SCHEMA caller_id TO {user};
         GRANT SELECT ON ALL TABLES IN SCHEMA caller_id TO {user}; REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC"
    ));
    let url = database
        .url()
        .replace("postgres:secret@", &format!("{user}@"));
    assert_eq!(inspect(&url).await.refused, None);
}
