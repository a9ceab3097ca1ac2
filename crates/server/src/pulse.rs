//! Requests for numbers, counted in steps of ten seconds, over the last hour: by what became of them, and by rung. Kept in
//! memory; where nodes share a Redis, there too, so that every node shows the sum of all.

mod counts;
mod ring;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use caller_id_core::shared::Board;
use caller_id_core::{AllocatorError, Clock, Rung, Timestamp};
use tokio_util::sync::CancellationToken;

pub use self::counts::{Counts, Outcome};
use self::ring::Ring;

/// How long a step is, in milliseconds.
pub const STEP_MS: i64 = 10_000;
/// So many steps are shown: an hour, with the one that is not over.
pub const STEPS: usize = 360;
/// How often a node tells the others what it counted.
const TELL_EVERY: Duration = Duration::from_millis(500);
/// Redis may take so long, then the node shows what it counted itself.
const WAIT_MOST: Duration = Duration::from_secs(1);

/// Counts requests for numbers.
pub struct Pulse {
    /// Which run of which node: no other has it.
    run: String,
    ring: Ring,
    board: Option<Arc<dyn Board>>,
    /// From when on it counts, where it alone does.
    since: Option<Timestamp>,
    /// What the others were told of each step.
    told: Mutex<HashMap<i64, Counts>>,
}

/// What was counted in the last hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hour {
    /// When the first step begins.
    pub begins: Timestamp,
    /// From when on is counted: later than `begins` where the only node was started since.
    pub since: Timestamp,
    /// By step, the oldest first; the last is not over.
    pub steps: Vec<Counts>,
    /// False: these are only what this node counted, the others could not be read.
    pub all_nodes: bool,
}

impl Pulse {
    /// Nothing counted. `board` is where nodes tell each other.
    pub fn new(board: Option<Arc<dyn Board>>) -> Self {
        Self {
            run: format!("{:016x}", rand::random::<u64>()),
            ring: Ring::new(),
            board,
            since: None,
            told: Mutex::default(),
        }
    }

    /// The same, begun at `at`. What other nodes count is of before that, too.
    pub fn begun(self, at: Timestamp) -> Self {
        let since = self.board.is_none().then_some(at);
        Self { since, ..self }
    }

    /// Counts a request that came at `at`: what became of it, in the word of answers and of the list of requests, and the rung
    /// of a number that was chosen. Other words are not counted. Nobody waits for anybody here.
    pub fn count(&self, at: Timestamp, outcome: &str, rung: Option<Rung>) {
        let Some(outcome) = Outcome::of(outcome) else {
            return;
        };
        let step = at.as_ms().div_euclid(STEP_MS);
        self.ring.add(step, outcome.place());
        if let (Outcome::Allocated, Some(rung)) = (outcome, rung) {
            self.ring.add(step, counts::place_of(rung));
        }
    }

    /// The last hour, of all nodes.
    pub async fn hour(&self, now: Timestamp) -> Hour {
        let shown = shown(now);
        let mut steps: Vec<Counts> = shown.clone().map(|step| self.ring.step(step)).collect();
        let others = self.others(shown.clone()).await;
        let all_nodes = others.is_some();
        for (step, told) in steps.iter_mut().zip(others.unwrap_or_default()) {
            for counts in told {
                step.add(&counts);
            }
        }
        let begins = Timestamp::from_ms(shown.start.saturating_mul(STEP_MS));
        Hour {
            begins,
            since: self.since.map_or(begins, |since| since.max(begins)),
            steps,
            all_nodes,
        }
    }

    /// What the other nodes counted; none when that cannot be read.
    async fn others(&self, shown: Range<i64>) -> Option<Vec<Vec<Counts>>> {
        let Some(board) = &self.board else {
            return Some(Vec::new());
        };
        let told = tokio::time::timeout(WAIT_MOST, board.told_counts(shown)).await;
        let told = told.ok()?.ok()?;
        let of_others = |nodes: Vec<(String, String)>| {
            let others = nodes.iter().filter(|(run, _)| *run != self.run);
            others
                .filter_map(|(_, counts)| Counts::read(counts))
                .collect()
        };
        Some(told.into_iter().map(of_others).collect())
    }

    /// Tells the others what this node counts, until `stop`. What they missed while Redis was away they are told when it is
    /// back.
    pub async fn run(&self, clock: Arc<dyn Clock>, stop: CancellationToken) {
        let Some(board) = &self.board else {
            return stop.cancelled().await;
        };
        let mut ticks = tokio::time::interval(TELL_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            if self.tell(&**board, clock.now()).await.is_err() {
                ticks.reset_after(WAIT_MOST);
            }
        }
        // The last word of a node that stops.
        let _ = tokio::time::timeout(WAIT_MOST, self.tell(&**board, clock.now())).await;
    }

    async fn tell(&self, board: &dyn Board, now: Timestamp) -> Result<(), AllocatorError> {
        let changed = self.changed(now);
        if changed.is_empty() {
            return Ok(());
        }
        let written = changed
            .iter()
            .map(|(step, counts)| (*step, counts.written()));
        let written: Vec<_> = written.collect();
        board.tell_counts(&self.run, &written).await?;
        self.told().extend(changed);
        Ok(())
    }

    /// The steps of which the others do not know all.
    fn changed(&self, now: Timestamp) -> Vec<(i64, Counts)> {
        let shown = shown(now);
        let mut told = self.told();
        told.retain(|step, _| shown.contains(step));
        let counted = shown.map(|step| (step, self.ring.step(step)));
        counted
            .filter(|(step, counts)| told.get(step).copied().unwrap_or_default() != *counts)
            .collect()
    }

    fn told(&self) -> std::sync::MutexGuard<'_, HashMap<i64, Counts>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The steps of the last hour.
fn shown(now: Timestamp) -> Range<i64> {
    let end = now.as_ms().div_euclid(STEP_MS) + 1;
    end - STEPS as i64..end
}

#[cfg(test)]
mod tests;
