//! What is written, on its way to the engine while more is written.

use std::sync::Arc;

use super::InventorySync;

/// So many numbers may be written that the engine does not know: who is ahead by more waits, so that nobody waits long at the end.
const AHEAD_MOST: u64 = 20_000;

/// Has what an import or a bulk change writes brought, batch by batch.
pub struct Bringing {
    sync: Option<Arc<InventorySync>>,
    /// So many numbers are brought.
    brought: u64,
}

impl Bringing {
    /// By this; without it nothing is brought.
    pub const fn by(sync: Option<Arc<InventorySync>>) -> Self {
        Self { sync, brought: 0 }
    }

    /// So many numbers are written so far. Returns at once, or when the engine knows them all; after 10 seconds at most.
    pub async fn written(&mut self, numbers: u64) {
        let Some(sync) = &self.sync else {
            return;
        };
        if numbers < self.brought + AHEAD_MOST {
            sync.soon();
            return;
        }
        self.brought = numbers;
        if let Err(error) = sync.now().await {
            // Whoever waits at the end is told, if it fails then, too. Until then nobody waits.
            tracing::debug!(%error, "what is written goes on ahead of the engine");
            self.sync = None;
        }
    }
}
