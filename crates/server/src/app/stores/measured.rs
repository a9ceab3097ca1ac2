//! What is measured of a store.

use std::sync::Arc;

use caller_id_core::meter::Calls;
use caller_id_core::shared::Lag;

use super::{Kind, OpenStore};

impl OpenStore {
    /// Which kind it is, in a word.
    pub const fn word(&self) -> &'static str {
        match &self.kind {
            Kind::Sqlite(_) => "sqlite",
            Kind::Postgres(_) => "postgres",
        }
    }

    /// What PostgreSQL is asked, where it is there.
    pub fn postgres_calls(&self) -> Option<Arc<Calls>> {
        match &self.kind {
            Kind::Sqlite(_) => None,
            Kind::Postgres(store) => Some(store.calls()),
        }
    }

    /// What is committed and not yet in history, where a journal stands before that and can be read.
    pub async fn journal_lag(&self) -> Option<Lag> {
        match &self.kind {
            Kind::Sqlite(store) => store.lag().await.ok(),
            Kind::Postgres(_) => None,
        }
    }
}
