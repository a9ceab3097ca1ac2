//! What is logged when a node of a cluster loses its lock on the database.

use sqlx_core::connection::Connection;
use sqlx_core::raw_sql::raw_sql;
use sqlx_postgres::PgConnection;

use super::Database;
use super::log::Log;

/// Ends the session that holds the lock of owners.
const END_OWNER: &str = "SELECT pg_terminate_backend(pid) FROM pg_locks
    WHERE locktype = 'advisory' AND objid = 4409669 AND granted";

#[tokio::test]
async fn a_node_that_finds_another_alone_after_an_outage_says_so_once() {
    let (log, _listens) = Log::listen();
    let database = Database::new();
    let _node = database.open().await.unwrap();
    let mut alone = PgConnection::connect(&database.url()).await.unwrap();
    let named = "SET application_name = 'caller-id alone: host-b'";
    raw_sql(named).execute(&mut alone).await.unwrap();
    let allow = |whether: bool| {
        let allow = format!("ALTER DATABASE {} ALLOW_CONNECTIONS {whether}", database.1);
        database.0.psql("postgres", &allow);
    };

    allow(false);
    database.0.psql("postgres", END_OWNER);
    log.until("not currently accepting connections").await;
    let take = "SELECT pg_advisory_lock(4409669)";
    raw_sql(take).execute(&mut alone).await.unwrap();
    allow(true);
    log.until("in use by the node `host-b`").await;
    alone.close().await.unwrap();
    log.until("holds its lock on the database again").await;
    for part in ["not currently accepting", "host-b", "the database again"] {
        assert_eq!(log.count(part), 1, "{part}");
    }
}
