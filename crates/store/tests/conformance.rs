//! The suite that every store passes, over the SQLite and the PostgreSQL store.

#![expect(clippy::unwrap_used, reason = "every function here is a test")]

use std::sync::Arc;

use async_trait::async_trait;
use caller_id_core::ManualClock;
use caller_id_store::{Durability, PostgresOptions, PostgresStore, SqliteOptions, SqliteStore};
use caller_id_testkit::builders::START;
use caller_id_testkit::postgres::Postgres;
use caller_id_testkit::store_suite::{DataSet, OpenStore, StoreFactory};
use tempfile::TempDir;

struct Sqlite(Durability);

#[async_trait]
impl StoreFactory for Sqlite {
    async fn data_set(&self) -> Box<dyn DataSet> {
        Box::new(Folder(tempfile::tempdir().unwrap(), self.0))
    }
}

struct Folder(TempDir, Durability);

#[async_trait]
impl DataSet for Folder {
    async fn open(&mut self) -> OpenStore {
        let clock = Arc::new(ManualClock::at(START));
        let options = SqliteOptions {
            durability: self.1,
            ..SqliteOptions::new(clock.clone())
        };
        let store = SqliteStore::open(&self.0.path().join("caller-id.db"), options).unwrap();
        OpenStore {
            inventory: store.clone(),
            history: store.clone(),
            reader: store.clone(),
            journal: store.clone(),
            audit: store.clone(),
            keys: store,
            clock,
        }
    }
}

struct OnPostgres;

#[async_trait]
impl StoreFactory for OnPostgres {
    async fn data_set(&self) -> Box<dyn DataSet> {
        let server = Postgres::shared();
        let database = server.database();
        Box::new(Database(server, database))
    }
}

struct Database(Arc<Postgres>, String);

#[async_trait]
impl DataSet for Database {
    async fn open(&mut self) -> OpenStore {
        let clock = Arc::new(ManualClock::at(START));
        let options = PostgresOptions::new(clock.clone());
        let store = PostgresStore::open(&self.0.url(&self.1), options)
            .await
            .unwrap();
        OpenStore {
            inventory: store.clone(),
            history: store.clone(),
            reader: store.clone(),
            journal: store.clone(),
            audit: store.clone(),
            keys: store,
            clock,
        }
    }
}

mod process {
    use super::{Durability, Sqlite};

    caller_id_testkit::store_suite!(Sqlite(Durability::Process));
}

mod power {
    use super::{Durability, Sqlite};

    caller_id_testkit::store_suite!(Sqlite(Durability::Power));
}

mod postgres {
    use super::OnPostgres;

    caller_id_testkit::store_suite!(OnPostgres);
}
