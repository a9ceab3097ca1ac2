//! What is particular to PostgreSQL: many nodes, lost connections, parts of history.

#![expect(clippy::unwrap_used, reason = "every function here is a test")]

use std::sync::Arc;
use std::time::Duration;

use caller_id_core::store::{OnDuplicate, Revision};
use caller_id_core::{
    AllocationRecord, CallEnd, HistoryStore, InventoryStore, Journal, ManualClock, StoreError,
    Timestamp,
};
use caller_id_store::{PostgresOptions, PostgresStore};
use caller_id_testkit::builders::START;
use caller_id_testkit::postgres::Postgres;
use caller_id_testkit::store_suite::records::{allocated, at, ended, own, record};
use sqlx_core::connection::Connection;
use sqlx_core::raw_sql::raw_sql;
use sqlx_postgres::PgConnection;

const WEEK_MS: i64 = 7 * 24 * 3_600_000;
const PARTS: &str =
    "SELECT count(*) FROM pg_class WHERE relname ~ '^allocations_[0-9]+$' AND relkind = 'r'";

struct Database(Arc<Postgres>, String);

impl Database {
    fn new() -> Self {
        let server = Postgres::shared();
        let database = server.database();
        Self(server, database)
    }

    fn url(&self) -> String {
        self.0.url(&self.1)
    }

    async fn open(&self) -> Result<Arc<PostgresStore>, StoreError> {
        self.open_with(|_| {}).await
    }

    async fn open_with(
        &self,
        set: impl FnOnce(&mut PostgresOptions),
    ) -> Result<Arc<PostgresStore>, StoreError> {
        let mut options = PostgresOptions::new(Arc::new(ManualClock::at(START)));
        set(&mut options);
        PostgresStore::open(&self.url(), options).await
    }

    fn psql(&self, sql: &str) -> String {
        self.0.psql(&self.1, sql).trim().to_owned()
    }
}

async fn past(store: &PostgresStore) -> Vec<AllocationRecord> {
    let mut past = Vec::new();
    store
        .allocations_since(Timestamp::ZERO, &mut |one| past.push(one.record))
        .await
        .unwrap();
    past
}

#[tokio::test]
async fn many_nodes_start_at_once_on_an_empty_database() {
    let database = Database::new();
    let nodes = tokio::join!(
        database.open(),
        database.open(),
        database.open(),
        database.open()
    );
    for node in [nodes.0, nodes.1, nodes.2, nodes.3] {
        assert_eq!(node.unwrap().pools().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_named() {
    let database = Database::new();
    database.open().await.unwrap();
    database.psql("INSERT INTO caller_id.migrations (version) VALUES (99)");
    match database.open().await.err() {
        Some(StoreError::Unreadable(text)) => {
            assert!(text.contains("schema version 99") && text.contains(&database.1));
        }
        other => panic!("expected a newer version, got {other:?}"),
    }
}

#[tokio::test]
async fn connections_that_are_lost_are_made_again() {
    let database = Database::new();
    let store = database.open().await.unwrap();
    for n in 0..3 {
        let one = record(n, n as u64, own(1));
        store.commit(vec![allocated(&one)]).await.unwrap();
        database.psql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'caller-id'",
        );
    }
    store.probe().await.unwrap();
    assert_eq!(
        database.psql("SELECT count(*) FROM caller_id.allocations"),
        "3"
    );
}

#[tokio::test]
async fn a_server_that_is_away_is_named_without_the_password_and_found_when_it_is_back() {
    let server = Arc::new(Postgres::start());
    let name = server.database();
    let database = Database(server, name);
    let store = database.open().await.unwrap();
    store
        .commit(vec![allocated(&record(1, 1, own(1)))])
        .await
        .unwrap();
    database.0.down();
    let away = store.probe().await.unwrap_err().to_string();
    assert!(
        away.contains(&database.1) && !away.contains("secret"),
        "{away}"
    );
    database.0.up();
    store.probe().await.unwrap();
    assert_eq!(past(&store).await.len(), 1);
}

#[tokio::test]
async fn the_same_batch_from_two_nodes_at_once_is_in_history_once() {
    let database = Database::new();
    let [a, b] = [
        database.open().await.unwrap(),
        database.open().await.unwrap(),
    ];
    let records: Vec<_> = (0..200).map(|n| record(n, n as u64, own(1))).collect();
    for chunk in records.chunks(20) {
        let forth: Vec<_> = chunk.iter().map(allocated).collect();
        let ends = chunk.iter().map(|one| ended(one, 900, CallEnd::Answer));
        let back = forth.iter().rev().cloned().chain(ends).collect();
        let (a, b) = tokio::join!(a.commit(forth), b.commit(back));
        a.unwrap();
        b.unwrap();
    }
    assert_eq!(past(&a).await, records);
    let open = "SELECT count(*) FROM caller_id.allocations WHERE ended_at IS NULL";
    assert_eq!(database.psql(open), "0");
}

#[tokio::test]
async fn a_batch_over_several_weeks_finds_its_parts_made() {
    let database = Database::new();
    let store = database.open().await.unwrap();
    let records: Vec<_> = (-2..6)
        .map(|week| record(week * WEEK_MS, 1, own(1)))
        .collect();
    store
        .commit(records.iter().map(allocated).collect())
        .await
        .unwrap();
    assert_eq!(past(&store).await, records);
    let last = store.last_uses().await.unwrap();
    assert_eq!(last, [(own(1), at(5 * WEEK_MS))]);
}

#[tokio::test]
async fn weeks_that_are_past_are_dropped_whole() {
    let database = Database::new();
    let store = database.open().await.unwrap();
    let records: Vec<_> = (0..30)
        .map(|n| record((n % 3 - 3) * WEEK_MS, n as u64, own(1)))
        .collect();
    store
        .commit(records.iter().map(allocated).collect())
        .await
        .unwrap();
    let before: i64 = database.psql(PARTS).parse().unwrap();
    assert_eq!(store.prune(at(-WEEK_MS), 500).await.unwrap(), 20);
    let after: i64 = database.psql(PARTS).parse().unwrap();
    assert_eq!((past(&store).await.len(), before - after), (10, 2));
    // A late row of a dropped week is no reason to fail.
    store
        .commit(vec![allocated(&record(-3 * WEEK_MS, 7, own(2)))])
        .await
        .unwrap();
    assert_eq!(past(&store).await.len(), 11);
}

#[tokio::test]
async fn who_prunes_beside_a_long_reader_keeps_no_writer_waiting() {
    let database = Database::new();
    let wait = Duration::from_millis(500);
    let store = database
        .open_with(|options| options.wait = wait)
        .await
        .unwrap();
    let old = record(-3 * WEEK_MS, 1, own(1));
    store.commit(vec![allocated(&old)]).await.unwrap();

    let mut reader = PgConnection::connect(&database.url()).await.unwrap();
    let read = "BEGIN; SELECT count(*) FROM caller_id.allocations";
    raw_sql(read).execute(&mut reader).await.unwrap();
    let (pruned, ()) = tokio::join!(store.prune(at(0), 500), async {
        for n in 0..100 {
            let one = record(n, n as u64, own(1));
            store.commit(vec![allocated(&one)]).await.unwrap();
        }
    });
    assert!(matches!(pruned, Err(StoreError::Busy(_))), "{pruned:?}");

    raw_sql("COMMIT").execute(&mut reader).await.unwrap();
    // What was half done is ended; the one who was given up may still be about it.
    let ending = async {
        while store.prune(at(0), 500).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ending)
        .await
        .unwrap();
    assert_eq!(past(&store).await.len(), 100);
    let left = format!("{PARTS} AND relname < 'allocations_2026'");
    assert_eq!(database.psql(&left), "0");
}

#[tokio::test]
async fn commits_end_while_a_part_waits_to_be_taken_off() {
    let database = Database::new();
    let wait = Duration::from_secs(60);
    let store = database
        .open_with(|options| options.wait = wait)
        .await
        .unwrap();
    let old: Vec<_> = (0..500).map(|n| record(-3 * WEEK_MS, n, own(1))).collect();
    store
        .commit(old.iter().map(allocated).collect())
        .await
        .unwrap();
    let mut reader = PgConnection::connect(&database.url()).await.unwrap();
    let read = "BEGIN; SELECT count(*) FROM caller_id.allocations";
    raw_sql(read).execute(&mut reader).await.unwrap();

    let pruner = Arc::clone(&store);
    let pruning = tokio::spawn(async move { pruner.prune(at(0), usize::MAX).await });
    let waits = "SELECT count(*) FROM pg_stat_activity
        WHERE query LIKE 'ALTER TABLE%DETACH%' AND wait_event_type = 'Lock'";
    while database.psql(waits) == "0" {
        assert!(!pruning.is_finished(), "{:?}", pruning.await);
        tokio::task::yield_now().await;
    }
    for n in 0..100 {
        let one = record(n, n as u64, own(1));
        store.commit(vec![allocated(&one)]).await.unwrap();
        store
            .commit(vec![ended(&one, n + 1, CallEnd::Answer)])
            .await
            .unwrap();
    }
    // A week that has no part yet is no reason to wait either.
    let later = record(10 * WEEK_MS, 1, own(1));
    store.commit(vec![allocated(&later)]).await.unwrap();
    assert!(!pruning.is_finished());
    raw_sql("COMMIT").execute(&mut reader).await.unwrap();
    assert_eq!(pruning.await.unwrap().unwrap(), 500);
    assert_eq!(past(&store).await.len(), 101);
}

#[tokio::test]
async fn last_uses_of_many_numbers_over_weeks_with_few_and_many_rows_are_the_latest() {
    let database = Database::new();
    let store = database.open().await.unwrap();
    let number = |n: u64| own(n % 5_000);
    // The weeks that are past have few rows, the newest has many, and some numbers were used long ago alone.
    let mut records: Vec<_> = (0..5_000)
        .map(|n| record(-3 * WEEK_MS + n, n as u64, number(n as u64)))
        .collect();
    records.extend((0..300).map(|n| record(-WEEK_MS + n, n as u64, number(n as u64 * 3))));
    records.extend((0..9_000).map(|n| record(n, n as u64, number(n as u64 % 4_500))));
    for chunk in records.chunks(4_096) {
        store
            .commit(chunk.iter().map(allocated).collect())
            .await
            .unwrap();
    }
    let latest: std::collections::BTreeMap<_, _> =
        records.iter().map(|one| (one.number, one.at)).collect();
    let found = store.last_uses().await.unwrap();
    assert_eq!(found.len(), 5_000);
    assert_eq!(
        found
            .into_iter()
            .collect::<std::collections::BTreeMap<_, _>>(),
        latest
    );
    assert_eq!(past(&store).await, records);
}

#[tokio::test]
async fn changes_are_found_after_the_connection_that_asked_was_lost() {
    let database = Database::new();
    let store = database.open().await.unwrap();
    for _ in 0..3 {
        let changes = store.changes(Revision::default(), None, 10).await.unwrap();
        assert!(changes.pools.is_some());
        database.psql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'caller-id%'",
        );
    }
}

#[tokio::test]
async fn a_server_that_hangs_keeps_nobody_longer_than_said() {
    let database = Database::new();
    let wait = Duration::from_millis(300);
    let store = database
        .open_with(|options| options.wait = wait)
        .await
        .unwrap();
    let mut holder = PgConnection::connect(&database.url()).await.unwrap();
    let hold = "BEGIN; LOCK TABLE caller_id.allocations, caller_id.meta";
    raw_sql(hold).execute(&mut holder).await.unwrap();
    let one = record(1, 1, own(1));
    let hung = [
        store.commit(vec![allocated(&one)]).await.err(),
        store.last_uses().await.err(),
        store.changes(Revision::default(), None, 10).await.err(),
        store
            .write_numbers(Vec::new(), OnDuplicate::Skip)
            .await
            .err(),
        store.prune(at(0), 10).await.err(),
    ];
    for error in hung {
        assert!(matches!(error, Some(StoreError::Busy(_))), "{error:?}");
    }
    raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
    store.commit(vec![allocated(&one)]).await.unwrap();
    assert_eq!(past(&store).await, [one]);
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut options = PostgresOptions::new(Arc::new(ManualClock::at(START)));
    options.wait = Duration::from_millis(100);
    let url = format!("postgres://me:secret@127.0.0.1:{port}/calls");
    match PostgresStore::open(&url, options).await.err() {
        Some(StoreError::Busy(said)) => {
            let said = said.to_string();
            assert!(
                said.contains(&port.to_string()) && !said.contains("secret"),
                "{said}"
            );
        }
        other => panic!("expected a wait that ends, got {other:?}"),
    }
}
