//! What is particular to PostgreSQL: many nodes and who may be one, lost connections, parts of history, encryption.

#![expect(clippy::unwrap_used, reason = "every function here is a test")]

#[path = "postgres/audit.rs"]
mod audit;
#[path = "postgres/away.rs"]
mod away;
#[path = "postgres/inspect.rs"]
mod inspect;
#[path = "postgres/keeper.rs"]
mod keeper;
#[path = "postgres/keys.rs"]
mod keys;
#[path = "postgres/log.rs"]
mod log;
#[path = "postgres/owner.rs"]
mod owner;
#[path = "postgres/parts.rs"]
mod parts;
#[path = "postgres/pooled.rs"]
mod pooled;
#[path = "postgres/refused.rs"]
mod refused;
#[path = "postgres/standby.rs"]
mod standby;
#[path = "postgres/states.rs"]
mod states;
#[path = "postgres/tls.rs"]
mod tls;

use std::sync::Arc;

use caller_id_core::{
    AllocationRecord, CallEnd, HistoryStore, InventoryStore, Journal, ManualClock, StoreError,
    Timestamp,
};
use caller_id_store::{PostgresOptions, PostgresStore};
use caller_id_testkit::builders::START;
use caller_id_testkit::postgres::Postgres;
use caller_id_testkit::store_suite::records::{
    allocated, ended, full_record, full_report, own, record, reported, result_record,
};
use sqlx_core::connection::Connection;
use sqlx_core::raw_sql::raw_sql;
use sqlx_postgres::PgConnection;

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

#[tokio::test]
async fn a_node_takes_no_more_connections_than_it_may() {
    const CONNECTIONS: &str = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'caller-id%'";
    for (most, taken) in [(4, "2"), (6, "4")] {
        let database = Database::new();
        let store = database.open_with(|options| options.connections = most);
        let store = store.await.unwrap();
        let mut locker = PgConnection::connect(&database.url()).await.unwrap();
        let lock = "BEGIN; LOCK TABLE caller_id.pools";
        raw_sql(lock).execute(&mut locker).await.unwrap();
        let mut asked = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let store = store.clone();
            asked.spawn(async move { store.pools().await.map(drop) });
        }
        // They come one after the other; each that can have a connection waits for the lock.
        while database.psql(CONNECTIONS).as_str() < taken {
            tokio::task::yield_now().await;
        }
        locker.close().await.unwrap();
        for answered in asked.join_all().await {
            answered.unwrap();
        }
        // The two that commit are made when they are first needed.
        assert_eq!(database.psql(CONNECTIONS), taken, "{most}");
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
async fn history_of_the_version_before_is_kept_and_takes_results() {
    let database = Database::new();
    let store = database.open().await.unwrap();
    let old = full_record(1, 1, own(1));
    store.commit(vec![allocated(&old)]).await.unwrap();
    // As the version before left it.
    database.psql(
        "DROP INDEX caller_id.allocations_by_call; DELETE FROM caller_id.migrations WHERE version > 3;
         ALTER TABLE caller_id.allocations DROP COLUMN result_at, DROP COLUMN answered_seconds,
            DROP COLUMN dialed_seconds, DROP COLUMN hangup_cause, DROP COLUMN sip_code;
         DROP TABLE caller_id.audit, caller_id.audit_head, caller_id.keys, caller_id.sessions, caller_id.cookie_key;
         DROP FUNCTION caller_id.audit_is_only_added_to; DELETE FROM caller_id.meta WHERE key = 'keys_revision';
         DROP TABLE caller_id.sums_by_hour, caller_id.sums_by_day; DELETE FROM caller_id.meta WHERE key LIKE 'summed%';
         DROP TABLE caller_id.removed_numbers; ALTER TABLE caller_id.campaigns DROP COLUMN agent_limit_per_minute",
    );
    let newer = database.open().await.unwrap();
    let a_week_later = full_record(7 * 24 * 3_600_000, 2, own(1));
    // Whoever has it open meanwhile goes on, also with a part of its own.
    store.commit(vec![allocated(&a_week_later)]).await.unwrap();
    for record in [&old, &a_week_later] {
        let said = reported(record, 5, full_report(CallEnd::Busy));
        newer.commit(vec![said]).await.unwrap();
        let page = newer.allocations_page(record.id, 1).await.unwrap();
        assert_eq!(
            page[0].result,
            Some(result_record(record, 5, full_report(CallEnd::Busy)))
        );
    }
    let indexed = "SELECT count(*) FROM pg_indexes WHERE indexdef LIKE '%(call_id, id)%' AND tablename LIKE 'allocations_2%'";
    let parts = "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'allocations_2%'";
    assert_eq!(database.psql(indexed), database.psql(parts));
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
