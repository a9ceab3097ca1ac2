//! What is found of a PostgreSQL server, for `caller-id doctor`.

use std::sync::Arc;
use std::time::Duration;

use caller_id_core::{Clock, ManualClock, SystemClock};
use caller_id_store::{
    Ownership, PostgresInspection, PostgresOptions, PostgresStore, inspect_postgres,
};
use caller_id_testkit::builders::START;
use caller_id_testkit::postgres::Postgres;

const WAIT: Duration = Duration::from_secs(60);

pub(super) async fn inspect(url: &str) -> PostgresInspection {
    inspect_postgres(url, Arc::new(SystemClock::new()), WAIT)
        .await
        .unwrap()
}

#[tokio::test]
async fn an_empty_database_is_described_and_left_empty() {
    let server = Postgres::shared();
    let name = server.database();
    let found = inspect(&server.url(&name)).await;
    assert_eq!(
        (found.database.as_str(), found.user.as_str()),
        (&*name, "postgres")
    );
    assert!(
        found.place.ends_with(&format!("/{name}")),
        "{}",
        found.place
    );
    assert!(found.version_number >= 140_000);
    let major = (found.version_number / 10_000).to_string();
    assert!(found.version.starts_with(&major), "{}", found.version);
    assert_eq!(found.encryption, None);
    assert!(!found.in_recovery && !found.fsync);
    assert_eq!(found.synchronous_commit, "on");
    assert!(found.rights.create_schema);
    assert_eq!(
        (found.rights.create_tables, found.rights.own_history),
        (None, None)
    );
    assert!((1..found.connections_most).contains(&found.connections_used));
    assert!(found.latency.median_us <= found.latency.most_us);
    assert_eq!((found.schema_found, found.holders.len()), (0, 0));
    assert!(found.schema_known > 0);
    // One machine has one clock.
    assert!(
        found.clock_offset_ms.abs() < 1_000,
        "{}",
        found.clock_offset_ms
    );
    assert_eq!(inspect(&server.url(&name)).await.schema_found, 0);
}

#[tokio::test]
async fn a_clock_that_is_off_is_seen() {
    let server = Postgres::shared();
    let name = server.database();
    let before = SystemClock::new().now().plus_ms(-3_600_000);
    let clock = Arc::new(ManualClock::at(before));
    let found = inspect_postgres(&server.url(&name), clock, WAIT)
        .await
        .unwrap();
    assert!(
        found.clock_offset_ms >= 3_600_000,
        "{}",
        found.clock_offset_ms
    );
}

#[tokio::test]
async fn who_uses_a_database_is_named() {
    let server = Postgres::shared();
    let name = server.database();
    let url = server.url(&name);
    let alone = Ownership::Sole {
        node: "host-a".to_owned(),
    };
    let options = PostgresOptions {
        ownership: alone,
        ..PostgresOptions::new(Arc::new(ManualClock::at(START)))
    };
    let _store = PostgresStore::open(&url, options).await.unwrap();
    let found = inspect(&url).await;
    assert_eq!(found.schema_found, found.schema_known);
    assert_eq!(found.rights.own_history, Some(true));
    let [holder] = found.holders.as_slice() else {
        panic!("{:?}", found.holders);
    };
    assert_eq!((holder.node.as_str(), holder.alone), ("host-a", true));
}

#[tokio::test]
async fn a_user_without_rights_is_seen() {
    let server = Postgres::shared();
    let name = server.database();
    let url = server.url(&name);
    let options = PostgresOptions::new(Arc::new(ManualClock::at(START)));
    PostgresStore::open_beside(&url, options).await.unwrap();
    let user = format!("reader_{name}");
    let make = format!(
        "CREATE ROLE {user} LOGIN; GRANT USAGE ON SCHEMA caller_id TO {user};
         GRANT SELECT ON ALL TABLES IN SCHEMA caller_id TO {user}"
    );
    server.psql(&name, &make);
    let found = inspect(&url.replace("postgres:secret@", &format!("{user}@"))).await;
    assert_eq!(found.user, user);
    assert!(!found.rights.create_schema);
    assert_eq!(
        (found.rights.create_tables, found.rights.own_history),
        (Some(false), Some(false))
    );
}
