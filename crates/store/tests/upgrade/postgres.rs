use std::sync::Arc;

use caller_id_core::{Journal, ManualClock, StoreError};
use caller_id_store::{PostgresOptions, PostgresStore};
use caller_id_testkit::builders::START;
use caller_id_testkit::postgres::Postgres;
use caller_id_testkit::store_suite::records::{allocated, own, record};

use crate::content::{assert_all_is_there, statements};
use crate::migrations;

/// How the parts of history are made that this version made in a database.
const PARTS: &str = "SELECT format('CREATE TABLE caller_id.%I PARTITION OF caller_id.allocations %s;', c.relname,
        pg_get_expr(c.relpartbound, c.oid))
    FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid WHERE i.inhparent = 'caller_id.allocations'::regclass";
const COLUMNS: &str = "SELECT table_name, column_name, data_type, is_nullable, column_default
    FROM information_schema.columns WHERE table_schema = 'caller_id' ORDER BY table_name, column_name";
const INDEXES: &str =
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'caller_id' ORDER BY indexdef";

async fn open(server: &Postgres, database: &str) -> Result<Arc<PostgresStore>, StoreError> {
    let options = PostgresOptions::new(Arc::new(ManualClock::at(START)));
    PostgresStore::open(&server.url(database), options).await
}

#[tokio::test]
async fn databases_of_every_earlier_schema_are_taken_along() {
    let server = Postgres::shared();
    let new = server.database();
    drop(open(&server, &new).await.unwrap());
    let parts = server.psql(&new, PARTS);
    let all = migrations("postgres");
    for version in 1..=all.len() {
        let old = server.database();
        server.psql(
            &old,
            "CREATE SCHEMA caller_id; CREATE TABLE caller_id.migrations
                (version INTEGER PRIMARY KEY, applied_at TIMESTAMPTZ NOT NULL DEFAULT now())",
        );
        for (migration, number) in all[..version].iter().zip(1..) {
            server.psql(&old, migration);
            server.psql(
                &old,
                &format!("INSERT INTO caller_id.migrations (version) VALUES ({number})"),
            );
        }
        server.psql(&old, &parts);
        server.psql(&old, &statements("caller_id.", |id| format!("'{id}'")));
        let store = open(&server, &old).await.unwrap();
        assert_all_is_there(&*store, version).await;
        let event = allocated(&record(9_000, 9, own(1)));
        store.commit(vec![event]).await.unwrap();
        for what in [COLUMNS, INDEXES] {
            let (old, new) = (server.psql(&old, what), server.psql(&new, what));
            assert_eq!(old, new, "from schema {version}");
        }
    }
}

#[tokio::test]
async fn a_database_of_a_later_schema_is_refused_and_nothing_in_it_changes() {
    let server = Postgres::shared();
    let database = server.database();
    drop(open(&server, &database).await.unwrap());
    let known = migrations("postgres").len();
    let later = known + 1;
    server.psql(
        &database,
        &format!("INSERT INTO caller_id.migrations (version) VALUES ({later})"),
    );
    let look = || {
        let tables = ["migrations", "owner", "meta", "pools"];
        let all = tables.map(|table| format!("SELECT * FROM caller_id.{table} ORDER BY 1"));
        let all = all.iter().map(String::as_str).chain([COLUMNS, INDEXES]);
        let found = all.map(|sql| server.psql(&database, sql));
        found.collect::<Vec<_>>()
    };
    let before = look();
    let refused = open(&server, &database).await.err();
    let Some(StoreError::Unreadable(text)) = refused else {
        panic!("{refused:?}");
    };
    let told = format!(
        "schema version {later}, this caller-id knows up to {known}: use a newer caller-id"
    );
    assert!(text.contains(&told) && text.contains(&database), "{text}");
    assert_eq!(look(), before);
}
