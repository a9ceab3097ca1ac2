//! Who may use a PostgreSQL database: one node alone, or the nodes of a cluster, and who takes over.

use std::sync::Arc;
use std::time::Duration;

use caller_id_core::{AllocationRecord, InventoryStore, Journal, ManualClock, StoreError};
use caller_id_store::{Ownership, PostgresOptions, PostgresStore};
use caller_id_testkit::builders::START;
use caller_id_testkit::postgres::Postgres;
use caller_id_testkit::store_suite::records::{allocated, own, record};

use super::Database;

/// Ends the sessions that hold the lock of owners, as a network that breaks would.
pub(super) const END_OWNERS: &str = "SELECT pg_terminate_backend(pid) FROM pg_locks
    WHERE locktype = 'advisory' AND objid = 4409669 AND granted";

pub(super) type Opening = tokio::task::JoinHandle<Result<Arc<PostgresStore>, StoreError>>;

impl Database {
    pub(super) async fn sole(&self, node: &str) -> Result<Arc<PostgresStore>, StoreError> {
        PostgresStore::open(&self.url(), sole(node)).await
    }

    pub(super) async fn shared(&self, node: &str) -> Result<Arc<PostgresStore>, StoreError> {
        PostgresStore::open(&self.url(), shared(node)).await
    }

    /// Stands by alone, in a task, until the log of the server's sessions shows it.
    pub(super) async fn standby(&self, node: &str) -> Opening {
        self.standby_as(sole(node)).await
    }

    pub(super) async fn standby_as(&self, options: PostgresOptions) -> Opening {
        let node = options.ownership.node().to_owned();
        let task = self.opening(PostgresOptions {
            standby: true,
            ..options
        });
        let waits = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'caller-id %: {node}'"
        );
        while self.psql(&waits) == "0" {
            tokio::task::yield_now().await;
        }
        task
    }

    pub(super) fn opening(&self, options: PostgresOptions) -> Opening {
        let url = self.url();
        tokio::spawn(async move { PostgresStore::open(&url, options).await })
    }
}

pub(super) fn options() -> PostgresOptions {
    PostgresOptions::new(Arc::new(ManualClock::at(START)))
}

pub(super) fn sole(node: &str) -> PostgresOptions {
    let node = node.to_owned();
    PostgresOptions {
        ownership: Ownership::Sole { node },
        ..options()
    }
}

pub(super) fn shared(node: &str) -> PostgresOptions {
    let node = node.to_owned();
    PostgresOptions {
        ownership: Ownership::Shared { node },
        ..options()
    }
}

pub(super) fn refused(opened: Result<Arc<PostgresStore>, StoreError>) -> String {
    match opened.err() {
        Some(StoreError::Owned(text)) => text,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

pub(super) async fn commit(store: &PostgresStore, n: i64) -> Result<(), StoreError> {
    let one = record(n, n as u64, own(1));
    store.commit(vec![allocated(&one)]).await
}

pub(super) async fn past(store: &PostgresStore) -> Vec<i64> {
    let past = super::past(store).await;
    let ms = |one: AllocationRecord| one.at.as_ms() - START.as_ms();
    past.into_iter().map(ms).collect()
}

#[tokio::test]
async fn a_second_node_with_an_engine_in_memory_is_refused_and_told_why() {
    let database = Database::new();
    let first = database.sole("host-a").await.unwrap();
    let said = refused(database.sole("host-b").await);
    for part in [
        database.1.as_str(),
        "`host-a`",
        "engine is in memory (since 20",
        "same numbers out twice",
        "REDIS_URL",
        "STANDBY=true",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!said.contains("secret"), "{said}");
    commit(&first, 1).await.unwrap();
}

#[tokio::test]
async fn nodes_of_a_cluster_and_a_node_alone_keep_one_another_out() {
    let database = Database::new();
    let nodes = [
        database.shared("host-a").await.unwrap(),
        database.shared("host-b").await.unwrap(),
    ];
    let said = refused(database.sole("host-c").await);
    assert!(
        said.contains("`host-a`") && said.contains("`host-b`") && said.contains("Redis"),
        "{said}"
    );
    drop(nodes);
    let alone = eventually(|| database.sole("host-c")).await;
    let said = refused(database.shared("host-a").await);
    assert!(
        said.contains("`host-c`, whose engine is in memory"),
        "{said}"
    );
    drop(alone);
    eventually(|| database.shared("host-a")).await;
}

/// The server notices the end of a connection in its own time.
pub(super) async fn eventually<F>(open: impl Fn() -> F) -> Arc<PostgresStore>
where
    F: Future<Output = Result<Arc<PostgresStore>, StoreError>>,
{
    loop {
        match open().await {
            Ok(store) => return store,
            Err(StoreError::Owned(_)) => tokio::task::yield_now().await,
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn the_command_line_works_beside_a_node_that_is_alone() {
    let database = Database::new();
    let alone = database.sole("host-a").await.unwrap();
    let beside = PostgresStore::open_beside(&database.url(), sole("cli"))
        .await
        .unwrap();
    assert_eq!(beside.count_numbers().await.unwrap(), 0);
    commit(&beside, 1).await.unwrap();
    commit(&alone, 2).await.unwrap();
    assert_eq!(past(&alone).await, [1, 2]);
}

#[tokio::test]
async fn a_node_whose_place_was_taken_never_commits_again() {
    let database = Database::new();
    let first = database.sole("host-a").await.unwrap();
    commit(&first, 1).await.unwrap();
    // Another one came and went while the connection was lost: the row of openings tells.
    database.psql("UPDATE caller_id.owner SET epoch = epoch + 1, node = 'host-b'");
    commit(&first, 2).await.unwrap();
    database.psql(END_OWNERS);
    for result in [
        commit(&first, 3).await,
        first.probe().await,
        commit(&first, 4).await,
    ] {
        match result {
            Err(StoreError::Owned(text)) => assert!(
                text.contains("taken over by the node `host-b`")
                    && text.contains("this node stops"),
                "{text}"
            ),
            other => panic!("expected an end for good, got {other:?}"),
        }
    }
    // It holds nothing any more.
    let next = eventually(|| database.sole("host-c")).await;
    assert_eq!(past(&next).await, [1, 2]);
}

#[tokio::test]
async fn a_node_that_lost_its_session_to_one_that_stood_by_never_commits_again() {
    let database = Database::new();
    let first = database.sole("host-a").await.unwrap();
    commit(&first, 1).await.unwrap();
    let second = database.standby("host-b").await;
    // The first one asks for its lock again each second: until the other comes before it.
    let end = format!(
        "{END_OWNERS} AND pid IN (SELECT pid FROM pg_stat_activity WHERE application_name LIKE '%host-a')"
    );
    while !second.is_finished() {
        database.psql(&end);
        tokio::task::yield_now().await;
    }
    let second = second.await.unwrap().unwrap();
    for result in [commit(&first, 2).await, first.probe().await] {
        match result {
            Err(StoreError::Owned(text)) => assert!(text.contains("`host-b`"), "{text}"),
            other => panic!("expected an end for good, got {other:?}"),
        }
    }
    commit(&second, 3).await.unwrap();
    drop(second);
    // Nor after the other is gone.
    let third = commit(&first, 4).await;
    assert!(matches!(third, Err(StoreError::Owned(_))), "{third:?}");
    let next = eventually(|| database.sole("host-c")).await;
    assert_eq!(past(&next).await, [1, 3]);
}

#[tokio::test]
async fn a_session_that_was_lost_is_made_again_where_nobody_came() {
    let database = Database::new();
    let first = database.sole("host-a").await.unwrap();
    for n in 0..10 {
        commit(&first, n).await.unwrap();
        database.psql(END_OWNERS);
    }
    first.probe().await.unwrap();
    assert_eq!(past(&first).await.len(), 10);
    refused(database.sole("host-b").await);
}

#[tokio::test]
async fn a_session_that_is_lost_between_commits_is_made_again_without_any() {
    let database = Database::new();
    let first = database.sole("host-a").await.unwrap();
    let node = database.shared("host-b").await;
    refused(node);
    let holder = "SELECT coalesce(max(pid), 0) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4409669";
    let before = database.psql(holder);
    database.psql(END_OWNERS);
    while [before.as_str(), "0"].contains(&database.psql(holder).as_str()) {
        tokio::task::yield_now().await;
    }
    commit(&first, 1).await.unwrap();
}

#[tokio::test]
async fn a_node_of_a_cluster_that_lost_its_session_loses_no_history_to_one_that_came_alone() {
    let database = Database::new();
    let node = database.shared("host-a").await.unwrap();
    // It asks for its lock again each second: until the other comes before it.
    let end = format!("{END_OWNERS} AND mode = 'ShareLock'");
    let alone = eventually(|| {
        database.psql(&end);
        database.sole("host-b")
    });
    let alone = alone.await;
    commit(&node, 1).await.unwrap();
    commit(&alone, 2).await.unwrap();
    assert_eq!(past(&alone).await, [1, 2]);
}

#[tokio::test]
async fn a_statement_that_the_server_refuses_does_not_cost_the_lock() {
    let database = Database::new();
    let first = database.sole("host-a").await.unwrap();
    let holder = "SELECT max(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4409669";
    let before = database.psql(holder);
    database.psql("ALTER TABLE caller_id.allocations RENAME TO gone");
    commit(&first, 1).await.unwrap_err();
    database.psql("ALTER TABLE caller_id.gone RENAME TO allocations");
    commit(&first, 2).await.unwrap();
    assert_eq!(database.psql(holder), before);
}

#[tokio::test]
async fn a_session_of_our_own_that_hangs_on_the_server_is_ended() {
    let database = Database::new();
    let first = PostgresStore::open(
        &database.url(),
        PostgresOptions {
            wait: Duration::from_secs(2),
            ..sole("host-a")
        },
    )
    .await
    .unwrap();
    commit(&first, 1).await.unwrap();
    // A commit is given up, and hangs on in the server, deaf to its deadline.
    let hang = "CREATE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_sleep(3600); RETURN NEW;
            EXCEPTION WHEN query_canceled THEN PERFORM pg_sleep(3600); RETURN NEW; END';
        CREATE TRIGGER hang BEFORE INSERT ON caller_id.allocations FOR EACH ROW
            WHEN (NEW.destination % 1000 = 2) EXECUTE FUNCTION hang()";
    database.psql(hang);
    let one = record(2, 2, own(1));
    let given_up = first.commit(vec![allocated(&one)]).await;
    assert!(matches!(given_up, Err(StoreError::Busy(_))), "{given_up:?}");
    commit(&first, 3).await.unwrap();
    assert_eq!(past(&first).await, [1, 3]);
}

#[tokio::test]
async fn what_was_acknowledged_before_a_restart_of_the_server_is_there_after_it() {
    let server = Arc::new(Postgres::start());
    let name = server.database();
    let database = Database(server, name);
    let store = database.sole("host-a").await.unwrap();
    let (committer, server) = (Arc::clone(&store), Arc::clone(&database.0));
    let restarts = tokio::task::spawn_blocking(move || {
        for _ in 0..3 {
            server.down();
            server.up();
        }
    });
    let mut acknowledged = Vec::new();
    let mut n = 0;
    let mut after = 0;
    while after < 50 {
        n += 1;
        if commit(&committer, n).await.is_ok() {
            acknowledged.push(n);
            after += i32::from(restarts.is_finished());
        }
    }
    restarts.await.unwrap();
    let past = past(&store).await;
    let missing: Vec<_> = acknowledged.iter().filter(|n| !past.contains(n)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    refused(database.sole("host-b").await);
}
