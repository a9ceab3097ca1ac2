//! A PgBouncer before the server: one that lends sessions serves, one that lends transactions is refused by name.

use std::sync::Arc;
use std::time::Duration;

use caller_id_core::{StoreError, SystemClock};
use caller_id_store::{PostgresStore, inspect_postgres};
use caller_id_testkit::pgbouncer::{Lends, PgBouncer};
use caller_id_testkit::postgres::Postgres;

use super::owner::{commit, eventually, options, past, refused, shared, sole};

const WAIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn through_a_proxy_that_lends_sessions_a_node_alone_has_the_database_until_it_ends() {
    let server = Postgres::shared();
    let proxy = PgBouncer::start(&server, Lends::Sessions);
    let url = proxy.url(&server.database());
    let first = PostgresStore::open(&url, sole("host-a")).await.unwrap();
    commit(&first, 1).await.unwrap();
    for other in [sole("host-b"), shared("host-b")] {
        let said = refused(PostgresStore::open(&url, other).await);
        assert!(said.contains("`host-a`"), "{said}");
    }
    let found = inspect_postgres(&url, Arc::new(SystemClock::new()), WAIT).await;
    assert_eq!(found.unwrap().holders.len(), 1);
    first.close();
    drop(first);
    let second = eventually(|| PostgresStore::open(&url, sole("host-b"))).await;
    commit(&second, 2).await.unwrap();
    assert_eq!(past(&second).await, [1, 2]);
}

#[tokio::test]
async fn a_proxy_that_lends_transactions_is_refused_by_nodes_and_command_line_and_told_what_to_do()
{
    let server = Postgres::shared();
    let name = server.database();
    let proxy = PgBouncer::start(&server, Lends::Transactions);
    let url = proxy.url(&name);
    let clock = Arc::new(SystemClock::new());
    for refused in [
        PostgresStore::open(&url, sole("host-a")).await.err(),
        PostgresStore::open(&url, shared("host-a")).await.err(),
        PostgresStore::open_beside(&url, options()).await.err(),
        inspect_postgres(&url, clock, WAIT).await.err(),
    ] {
        let Some(StoreError::Failed(text)) = refused else {
            panic!("expected a refusal, got {refused:?}");
        };
        let said = text.to_string();
        for part in [&name, "one transaction at a time", "`pool_mode = session`"] {
            assert!(said.contains(part), "{said}");
        }
        assert!(!said.contains("secret"), "{said}");
    }
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'caller_id'";
    assert_eq!(server.psql(&name, schemas).trim(), "0", "nothing is made");
}
