//! How far a long way to the engine is: told while somebody waits for it.

use std::time::Duration;

use caller_id_core::InventoryStore;
use tokio::time::Instant;

use crate::digits::grouped;

/// Who waits for less is told nothing; for more, this often.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// Numbers on their way to the engine.
pub(super) struct Progress {
    brought: u64,
    all: Option<u64>,
    told: Instant,
}

impl Progress {
    /// None is on its way yet.
    pub(super) fn new() -> Self {
        Self {
            brought: 0,
            all: None,
            told: Instant::now(),
        }
    }

    /// So many more are; tells it when it is time. How many there are altogether is asked once, and only then.
    pub(super) async fn more(&mut self, numbers: usize, inventory: &dyn InventoryStore) {
        if self.told.elapsed() >= TELL_EVERY {
            self.told = Instant::now();
            if self.all.is_none() {
                // Whether the store answers is told by who reads the numbers.
                self.all = inventory.count_numbers().await.ok();
            }
            tracing::info!("{}", line(self.brought, self.all));
        }
        self.brought += numbers as u64;
    }
}

fn line(brought: u64, all: Option<u64>) -> String {
    let brought = grouped(brought);
    match all {
        Some(all) => format!(
            "bringing numbers to the engine: {brought} of {}",
            grouped(all)
        ),
        None => format!("bringing numbers to the engine: {brought}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_with_all_there_is_where_that_is_known() {
        assert_eq!(
            line(120_000, Some(1_500_000)),
            "bringing numbers to the engine: 120,000 of 1,500,000"
        );
        assert_eq!(line(999, None), "bringing numbers to the engine: 999");
    }
}
