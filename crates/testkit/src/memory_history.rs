//! A journal and history in memory, with faults on demand.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use caller_id_core::store::{PastAllocation, PastSink};
use caller_id_core::{
    AllocationId, HistoryStore, Journal, JournalEvent, PhoneNumber, Sought, StoreError, Timestamp,
};
use tokio::sync::watch;

/// Keeps what is committed. Commits can be made to fail or to wait.
#[derive(Debug)]
pub struct MemoryHistory {
    kept: Mutex<Kept>,
    gate: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Kept {
    events: Vec<JournalEvent>,
    commits: u64,
    fail_every: Option<u64>,
}

impl Default for MemoryHistory {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            gate: watch::Sender::new(true),
        }
    }
}

impl MemoryHistory {
    /// From now on every `nth` commit fails and keeps nothing; `None` ends that.
    pub fn fail_every(&self, nth: Option<u64>) {
        let mut kept = self.kept();
        kept.commits = 0;
        kept.fail_every = nth;
    }

    /// Holds commits back until [`MemoryHistory::open_gate`].
    pub fn close_gate(&self) {
        self.gate.send_replace(false);
    }

    /// Lets commits through again.
    pub fn open_gate(&self) {
        self.gate.send_replace(true);
    }

    /// All that was committed, by time.
    pub fn history(&self) -> Vec<PastAllocation> {
        let mut by_id: BTreeMap<AllocationId, PastAllocation> = BTreeMap::new();
        for event in &self.kept().events {
            match event {
                JournalEvent::Allocated(record) => {
                    let past = PastAllocation::new((**record).clone());
                    assert!(
                        by_id.insert(record.id, past).is_none(),
                        "allocation {} is journaled twice",
                        record.id
                    );
                }
                JournalEvent::Ended(end) => {
                    let past = by_id
                        .get_mut(&end.id)
                        .expect("an end comes after its allocation");
                    assert!(past.ended.is_none(), "allocation {} ends twice", end.id);
                    past.end(*end);
                }
                JournalEvent::Reported(result) => {
                    let past = by_id
                        .get_mut(&result.id)
                        .expect("a result comes after its allocation");
                    past.report(*result);
                }
            }
        }
        let mut history: Vec<PastAllocation> = by_id.into_values().collect();
        history.sort_by_key(|past| (past.record.at, past.record.id));
        history
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Journal for MemoryHistory {
    async fn commit(&self, events: Vec<JournalEvent>) -> Result<(), StoreError> {
        let mut gate = self.gate.subscribe();
        gate.wait_for(|open| *open)
            .await
            .map_err(|_| StoreError::Closed)?;
        let mut kept = self.kept();
        kept.commits += 1;
        if kept
            .fail_every
            .is_some_and(|nth| kept.commits.is_multiple_of(nth))
        {
            return Err(StoreError::Full("injected fault".into()));
        }
        kept.events.extend(events);
        Ok(())
    }

    async fn probe(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl HistoryStore for MemoryHistory {
    async fn allocations_since(
        &self,
        since: Timestamp,
        sink: PastSink<'_>,
    ) -> Result<(), StoreError> {
        self.history()
            .into_iter()
            .filter(|past| past.record.at >= since)
            .for_each(sink);
        Ok(())
    }

    async fn allocations_page(
        &self,
        from: AllocationId,
        most: usize,
    ) -> Result<Vec<PastAllocation>, StoreError> {
        let mut history = self.history();
        history.sort_by_key(|past| past.record.id);
        history.retain(|past| past.record.id >= from);
        history.truncate(most);
        Ok(history)
    }

    async fn find(
        &self,
        sought: &Sought,
        since: Timestamp,
    ) -> Result<Option<AllocationId>, StoreError> {
        let history = self.history().into_iter();
        let found = history.filter(|past| past.record.at >= since && sought.is(&past.record));
        Ok(found.map(|past| past.record.id).max())
    }

    async fn last_uses(&self) -> Result<Vec<(PhoneNumber, Timestamp)>, StoreError> {
        let mut last = BTreeMap::new();
        for past in self.history() {
            last.insert(past.record.number, past.record.at);
        }
        Ok(last.into_iter().collect())
    }

    async fn prune(&self, _before: Timestamp, _most: usize) -> Result<usize, StoreError> {
        Ok(0)
    }

    fn backlog(&self) -> u64 {
        0
    }

    async fn settle(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
