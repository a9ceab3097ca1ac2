//! How far history is behind the journal.

use std::sync::Arc;

use caller_id_core::shared::Lag;
use caller_id_core::{JournalEvent, StoreError, Timestamp};

use super::SqliteStore;
use super::journal::some_after;

impl SqliteStore {
    /// What is committed and not yet moved into history. Nothing waits beside a server.
    ///
    /// # Errors
    /// [`StoreError`] when the journal cannot be read.
    pub async fn lag(&self) -> Result<Lag, StoreError> {
        let Some(journal) = &self.journal else {
            return Ok(Lag::default());
        };
        let (events, most) = (self.progress.backlog(), journal.backlog_most);
        let mut lag = Lag {
            events,
            most,
            ..Lag::default()
        };
        if events == 0 {
            return Ok(lag);
        }
        let progress = Arc::clone(&self.progress);
        let oldest = self.history.run(move |reader| {
            let Some(journal) = reader.journal() else {
                return Ok(None);
            };
            let batches = some_after(journal, progress.applied(), 1)?;
            let events = batches.first().map(|batch| batch.events()).transpose()?;
            Ok(events.and_then(|events| events.iter().map(at).min()))
        });
        if let Some(oldest) = oldest.await? {
            lag.oldest_ms = self.clock.now().ms_since(oldest).max(0);
        }
        Ok(lag)
    }
}

fn at(event: &JournalEvent) -> Timestamp {
    match event {
        JournalEvent::Allocated(record) => record.at,
        JournalEvent::Ended(end) => end.at,
        JournalEvent::Reported(result) => result.at,
    }
}
