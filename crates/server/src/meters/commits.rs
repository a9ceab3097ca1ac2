//! Commits of the store: how long they take, how many events they have, how many fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use caller_id_core::meter::Calls;
use caller_id_core::{Journal, JournalEvent, StoreError};
use tokio::time::Instant;

/// What was committed.
#[derive(Debug, Default)]
pub struct Commits {
    /// The commits.
    pub calls: Calls,
    events: AtomicU64,
}

impl Commits {
    /// How many events were committed.
    pub fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }
}

/// A journal whose commits are measured.
pub struct Metered {
    /// Where they go.
    pub journal: Arc<dyn Journal>,
    /// What counts them.
    pub commits: Arc<Commits>,
}

#[async_trait]
impl Journal for Metered {
    async fn commit(&self, events: Vec<JournalEvent>) -> Result<(), StoreError> {
        let (count, began) = (events.len() as u64, Instant::now());
        let committed = self.journal.commit(events).await;
        self.commits.calls.note(began.elapsed(), committed.is_err());
        if committed.is_ok() {
            self.commits.events.fetch_add(count, Ordering::Relaxed);
        }
        committed
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.journal.probe().await
    }
}
