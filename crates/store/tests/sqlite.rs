//! What is particular to SQLite: files, locks, faults, kills.

#![expect(clippy::unwrap_used, reason = "every function here is a test")]

#[cfg(target_os = "linux")]
#[path = "sqlite/aside.rs"]
mod aside;
#[path = "sqlite/audit.rs"]
mod audit;
#[path = "sqlite/faults.rs"]
mod faults;
#[path = "sqlite/keys.rs"]
mod keys;
#[path = "sqlite/kill.rs"]
mod kill;
#[path = "sqlite/sharing.rs"]
mod sharing;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use caller_id_core::store::PastAllocation;
use caller_id_core::{AllocationId, HistoryStore, ManualClock, StoreError, Timestamp};
use caller_id_store::{SqliteOptions, SqliteStore};
use caller_id_testkit::builders::START;
use rusqlite::Connection;
use tempfile::TempDir;

/// A data set in a folder of its own.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn main(&self) -> PathBuf {
        self.file("caller-id.db")
    }

    fn journal(&self) -> PathBuf {
        self.file("caller-id.journal.db")
    }

    fn open(&self) -> Arc<SqliteStore> {
        self.open_with(|_| {})
    }

    fn open_with(&self, set: impl FnOnce(&mut SqliteOptions)) -> Arc<SqliteStore> {
        let mut options = options();
        set(&mut options);
        SqliteStore::open(&self.main(), options).unwrap()
    }

    /// Takes the right to write the main file, so that nothing is moved into history until it is dropped.
    fn hold_main(&self) -> Connection {
        let connection = Connection::open(self.main()).unwrap();
        connection.busy_timeout(Duration::from_secs(5)).unwrap();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        connection
    }
}

fn options() -> SqliteOptions {
    SqliteOptions {
        // Whoever meets a held lock in these tests meets it on purpose, and need not wait for long.
        wait: Duration::from_millis(100),
        ..SqliteOptions::new(Arc::new(ManualClock::at(START)))
    }
}

async fn past(store: &SqliteStore) -> Result<Vec<PastAllocation>, StoreError> {
    let mut past = Vec::new();
    store
        .allocations_since(Timestamp::ZERO, &mut |one| past.push(one))
        .await?;
    Ok(past)
}

async fn ids(store: &SqliteStore) -> Vec<AllocationId> {
    let past = past(store).await.unwrap();
    past.into_iter().map(|past| past.record.id).collect()
}

/// Runs one statement on a file, as a stranger would.
fn meddle(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

/// Lets others work until it is so; what another thread does a moment later has to come some time.
async fn until(mut so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !so().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting)
        .await
        .expect("it never came");
}
