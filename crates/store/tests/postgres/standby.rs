//! A node that waits until it may have the database.

use caller_id_core::StoreError;
use caller_id_store::PostgresOptions;
use caller_id_testkit::postgres::Postgres;
use sqlx_core::connection::Connection;
use sqlx_core::raw_sql::raw_sql;
use sqlx_postgres::PgConnection;
use std::sync::Arc;

use super::Database;
use super::owner::{commit, eventually, past, refused, shared, sole};

#[tokio::test]
async fn a_node_that_stands_by_takes_over_when_the_first_is_gone() {
    let database = Database::new();
    let first = database.sole("host-a").await.unwrap();
    commit(&first, 1).await.unwrap();
    let second = database.standby("host-b").await;
    commit(&first, 2).await.unwrap();
    drop(first);
    let second = second.await.unwrap().unwrap();
    assert_eq!(past(&second).await, [1, 2]);
    commit(&second, 3).await.unwrap();
}

#[tokio::test]
async fn a_node_alone_stands_by_for_no_cluster_and_is_told_to_join_it() {
    let database = Database::new();
    let node = database.shared("host-a").await.unwrap();
    let alone = PostgresOptions {
        standby: true,
        ..sole("host-b")
    };
    let said = refused(database.opening(alone).await.unwrap());
    for part in ["`host-a`", "Set REDIS_URL to join them"] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!said.contains("STANDBY"), "{said}");
    commit(&node, 1).await.unwrap();
}

#[tokio::test]
async fn a_node_that_stands_by_is_refused_when_a_cluster_comes_before_it() {
    let database = Database::new();
    let mut session = PgConnection::connect(&database.url()).await.unwrap();
    let alone =
        "SET application_name = 'caller-id alone: host-a'; SELECT pg_advisory_lock(4409669)";
    raw_sql(alone).execute(&mut session).await.unwrap();
    let second = database.standby("host-b").await;
    // One session, so that the one who waits cannot come between the two.
    let cluster = "SET application_name = 'caller-id node: host-a';
        SELECT pg_advisory_lock_shared(4409669); SELECT pg_advisory_unlock(4409669)";
    raw_sql(cluster).execute(&mut session).await.unwrap();
    let said = refused(second.await.unwrap());
    assert!(said.contains("host-a"), "{said}");
}

#[tokio::test]
async fn a_node_of_a_cluster_stands_by_until_a_node_alone_has_ended() {
    let database = Database::new();
    let alone = database.sole("host-a").await.unwrap();
    commit(&alone, 1).await.unwrap();
    let node = database.standby_as(shared("host-b")).await;
    commit(&alone, 2).await.unwrap();
    drop(alone);
    let node = node.await.unwrap().unwrap();
    commit(&node, 3).await.unwrap();
    assert_eq!(past(&node).await, [1, 2, 3]);
}

#[tokio::test]
async fn a_node_that_stands_by_waits_through_a_restart_of_the_server() {
    let server = Arc::new(Postgres::start());
    let name = server.database();
    let database = Database(server, name);
    let first = database.sole("host-a").await.unwrap();
    commit(&first, 1).await.unwrap();
    let second = database.standby("host-b").await;
    database.0.down();
    drop(first);
    let third = database.sole("host-c").await.err();
    assert!(matches!(third, Some(StoreError::Failed(_))), "{third:?}");
    database.0.up();
    let second = second.await.unwrap().unwrap();
    assert_eq!(past(&second).await, [1]);
    commit(&second, 2).await.unwrap();
}

#[tokio::test]
async fn who_stops_waiting_takes_nothing_over() {
    let database = Database::new();
    let first = database.sole("host-a").await.unwrap();
    let second = database.standby("host-b").await;
    second.abort();
    assert!(second.await.is_err_and(|end| end.is_cancelled()));
    drop(first);
    eventually(|| database.sole("host-c")).await;
}
