//! Keys of many nodes, and changes of keys that fail half way.

use std::time::Duration;

use caller_id_core::roles::KeyAdded;
use caller_id_core::{AuditLog, Author, KeyStore};
use caller_id_testkit::builders::START;
use caller_id_testkit::store_suite::{api_key, broken_at};
use sqlx_core::connection::Connection;
use sqlx_core::raw_sql::raw_sql;
use sqlx_postgres::PgConnection;

use super::Database;

#[tokio::test]
async fn a_node_learns_of_keys_that_another_changed() {
    let database = Database::new();
    let [a, b] = [
        database.open().await.unwrap(),
        database.open().await.unwrap(),
    ];
    let (key, by) = (api_key("a", "one"), Author::command("keys"));
    let before = a.keys_revision().await.unwrap();
    b.add_key(key.clone(), &by).await.unwrap();
    let made = a.keys_revision().await.unwrap();
    assert!(made > before);
    assert_eq!(a.keys().await.unwrap().len(), 1);
    b.revoke_key(&key.id, START, &by).await.unwrap();
    assert!(a.keys_revision().await.unwrap() > made);
    assert!(!a.keys().await.unwrap()[0].is_good(START));
}

#[tokio::test]
async fn two_nodes_never_make_two_keys_of_one_name() {
    let database = Database::new();
    let nodes = [
        database.open().await.unwrap(),
        database.open().await.unwrap(),
    ];
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..20 {
        let node = nodes[n % 2].clone();
        let key = api_key(&format!("k{n}"), &format!("name {}", n / 4));
        tasks.spawn(async move { node.add_key(key, &Author::command("keys")).await.unwrap() });
    }
    let answers = tasks.join_all().await;
    let added = answers.iter().filter(|answer| **answer == KeyAdded::Added);
    assert_eq!(added.count(), 5);
    assert_eq!(nodes[0].keys().await.unwrap().len(), 5);
    assert_eq!(nodes[0].head().await.unwrap().0, 5);
    assert_eq!(broken_at(&*nodes[1]).await, None);
}

/// The session ends where the key is written and its entry is not.
#[tokio::test]
async fn a_session_that_is_lost_leaves_neither_a_key_nor_an_entry() {
    const END: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let database = Database::new();
    // It waits until its session is ended, however busy the machine.
    let patient = database.open_with(|options| options.wait = Duration::from_secs(60));
    let store = patient.await.unwrap();
    let by = Author::command("keys");
    let kept = api_key("a", "one");
    store.add_key(kept.clone(), &by).await.unwrap();
    let revision = store.keys_revision().await.unwrap();
    let mut holder = PgConnection::connect(&database.url()).await.unwrap();
    let hold = "BEGIN; SELECT place FROM caller_id.audit_head FOR UPDATE";
    raw_sql(hold).execute(&mut holder).await.unwrap();
    for revokes in [false, true] {
        let (node, key) = (store.clone(), kept.clone());
        let changing = tokio::spawn(async move {
            let by = Author::command("keys");
            match revokes {
                false => node.add_key(api_key("b", "two"), &by).await.map(drop),
                true => node.revoke_key(&key.id, START, &by).await.map(drop),
            }
        });
        while !changing.is_finished() && database.psql(END) == "0" {
            tokio::task::yield_now().await;
        }
        changing.await.unwrap().unwrap_err();
    }
    holder.close().await.unwrap();
    assert_eq!(store.keys().await.unwrap(), [kept]);
    assert_eq!(store.keys_revision().await.unwrap(), revision);
    assert_eq!(store.head().await.unwrap().0, 1);
    assert_eq!(broken_at(&*store).await, None);
    let added = store.add_key(api_key("b", "two"), &by).await.unwrap();
    assert_eq!(added, KeyAdded::Added);
}
