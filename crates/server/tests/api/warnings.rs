//! What an admin should know, and is told before or at the start.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use caller_id_core::listing::Expected;
use caller_id_core::{
    HistoryStore, InventoryStore, Journal, PolicyOverrides, Pool, PoolId, SystemClock,
};
use caller_id_store::{SqliteOptions, SqliteStore};
use caller_id_testkit::builders::somebody;
use caller_id_testkit::store_suite::records::{allocated, own, record};

use crate::process::{Served, binary, folder, run, text};

/// What the service logs from its start to its end.
fn log_of(command: &mut Command) -> String {
    let (served, _) = Served::start(command, "The admin token is kept");
    let (code, log) = served.terminate();
    assert_eq!(code, Some(0), "{log}");
    log
}

/// Does something with the store of a service that is not running.
fn with_store(database: &Path, work: impl AsyncFnOnce(&SqliteStore)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let options = SqliteOptions::new(Arc::new(SystemClock::new()));
    let store = SqliteStore::open(database, options).expect("a store");
    runtime.block_on(async {
        work(&store).await;
        store.close().await;
    });
}

#[test]
fn what_is_sticky_for_longer_than_history_is_kept_is_told_before_and_at_the_start() {
    let folder = folder();
    let sticky = |command: &mut Command| {
        command
            .env("STICKY_SECONDS", "864001")
            .env("HISTORY_RETENTION_DAYS", "10");
    };
    let mut check = binary(folder.path());
    sticky(check.arg("check-config"));
    let warned = text(&run(&mut check).stderr);
    let said = "STICKY_SECONDS (864001 seconds) is longer than HISTORY_RETENTION_DAYS keeps history (10 days)";
    assert!(warned.contains(said), "{warned}");
    with_store(&folder.path().join("data/caller-id.db"), async |store| {
        let policy = PolicyOverrides {
            sticky_ms: Some(365 * 86_400_000),
            ..PolicyOverrides::default()
        };
        let id = PoolId::new("solar").expect("a name");
        store
            .put_pool(Pool { id, policy }, Expected::Any, &somebody())
            .await
            .expect("written");
    });
    let mut serve = binary(folder.path());
    sticky(serve.args(["serve", "--api-port=0"]));
    let log = log_of(&mut serve);
    assert!(log.contains(said), "{log}");
    let pool = "sticky_seconds of the pool `solar` (31536000 seconds) is longer than HISTORY_RETENTION_DAYS";
    assert!(log.contains(pool), "{log}");
}

#[test]
fn a_trusted_proxy_on_this_machine_with_no_way_in_for_dialers_is_told() {
    let folder = folder();
    let warned = |name: &str, value: &str| {
        let mut check = binary(folder.path());
        check
            .arg("check-config")
            .env("TRUSTED_PROXIES", "10.0.0.1,127.0.0.1");
        text(&run(check.env(name, value)).stderr)
    };
    let said = "all dialers without an API key are refused, those on this machine too";
    assert!(warned("DIALER_ALLOW", "").contains(said));
    assert!(!warned("DIALER_ALLOW", "127.0.0.1").contains(said));
    assert!(!warned("TRUSTED_PROXIES", "10.0.0.1").contains(said));
}

#[test]
fn a_journal_that_somebody_took_away_is_missed_by_name() {
    let folder = folder();
    let data = folder.path().join("data");
    let log = || log_of(binary(folder.path()).args(["serve", "--api-port=0"]));
    let warns = |log: &str| log.contains("WARN") && log.contains("caller-id.journal.db");
    let first = log();
    assert!(!warns(&first), "a first start misses nothing: {first}");
    with_store(&data.join("caller-id.db"), async |store| {
        let batch = vec![allocated(&record(0, 1, own(1)))];
        store.commit(batch).await.expect("committed");
        store.settle().await.expect("moved");
    });
    let whole = log();
    assert!(!warns(&whole), "an empty journal is no new one: {whole}");
    std::fs::remove_file(data.join("caller-id.journal.db")).expect("removed");
    let missed = log();
    assert!(warns(&missed), "{missed}");
    assert!(
        missed.contains("calls answered in its last moments may be lost"),
        "{missed}"
    );
}
