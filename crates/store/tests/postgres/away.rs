//! Connections that are lost, and servers that are away or hang.

use std::sync::Arc;
use std::time::Duration;

use caller_id_core::store::{OnDuplicate, Revision};
use caller_id_core::{HistoryStore, InventoryStore, Journal, ManualClock, StoreError};
use caller_id_store::{PostgresOptions, PostgresStore};
use caller_id_testkit::builders::{START, somebody};
use caller_id_testkit::postgres::Postgres;
use caller_id_testkit::store_suite::records::{allocated, at, own, record};
use sqlx_core::connection::Connection;
use sqlx_core::raw_sql::raw_sql;
use sqlx_postgres::PgConnection;

use super::{Database, past};

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
            .write_numbers(Vec::new(), OnDuplicate::Skip, &somebody())
            .await
            .err(),
        store.prune(at(0), 10).await.err(),
    ];
    for error in hung {
        assert!(matches!(error, Some(StoreError::Busy(_))), "{error:?}");
    }
    raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
    // A busy machine may keep it longer than that at first.
    let again = async {
        while store.commit(vec![allocated(&one)]).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    let again = tokio::time::timeout(Duration::from_secs(60), again);
    again.await.unwrap();
    assert_eq!(past(&database.open().await.unwrap()).await, [one]);
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
