//! Whether calls are made at the moment: what can wait leaves them the processor, and has all of it when there are none.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::pace::Pace;
use crate::background::may_come_back;

/// So long after its commit a call counts as one of this moment.
const MOMENT: Duration = Duration::from_secs(1);
/// Work that takes longer aside gets hardly any of the processor, and others may wait for what it holds: it is called back.
const STARVED: Duration = Duration::from_millis(250);
/// So many pieces of work are then done with more right to the processor.
const FED: u32 = 64;

/// How work is done that can wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// As all other work: there are no calls.
    Freely,
    /// On a thread that stepped back: aside it would starve, or could not be called back.
    Back,
    /// On a thread that stepped aside, and is called back after so long.
    Aside(Duration),
}

/// What is known of calls, and of work that made way for them.
#[derive(Debug)]
pub(super) struct Calls {
    seen: Seen,
    pace: Pace,
    may_come_back: bool,
}

#[derive(Debug)]
enum Seen {
    /// This process commits them.
    Here {
        began: Instant,
        /// One more than the milliseconds from `began` to the last commit; 0 before the first.
        last: AtomicU64,
    },
    /// Another process commits them, into this log of its journal.
    There { log: PathBuf, last: Mutex<Last> },
}

/// How a log was when it was looked at last, and when it was seen to change.
#[derive(Debug, Default)]
struct Last {
    looked: bool,
    log: Option<(SystemTime, u64)>,
    changed: Option<Instant>,
}

impl Calls {
    /// Calls that this process commits.
    pub(super) fn here() -> Self {
        Self::new(Seen::Here {
            began: Instant::now(),
            last: AtomicU64::new(0),
        })
    }

    /// Calls that a service commits whose journal has its write-ahead log at `log`.
    pub(super) fn there(log: PathBuf) -> Self {
        let last = Mutex::default();
        Self::new(Seen::There { log, last })
    }

    fn new(seen: Seen) -> Self {
        Self {
            seen,
            pace: Pace::new(STARVED, FED),
            may_come_back: may_come_back(),
        }
    }

    /// One is committed now.
    pub(super) fn note(&self) {
        if let Seen::Here { began, last } = &self.seen {
            last.store(began.elapsed().as_millis() as u64 + 1, Ordering::Relaxed);
        }
    }

    /// How work that can wait is done now.
    pub(super) fn manner(&self) -> Manner {
        match self.are_made() {
            false => Manner::Freely,
            true if self.may_come_back && self.pace.is_quick() => Manner::Aside(STARVED),
            true => Manner::Back,
        }
    }

    /// Work that made way for calls took so long.
    pub(super) fn note_work(&self, took: Duration) {
        self.pace.note(took);
    }

    fn are_made(&self) -> bool {
        match &self.seen {
            Seen::Here { began, last } => {
                let last = last.load(Ordering::Relaxed);
                let since = began.elapsed().as_millis() as u64;
                last > 0 && since + 1 < last + MOMENT.as_millis() as u64
            }
            Seen::There { log, last } => {
                let now = log
                    .metadata()
                    .and_then(|log| Ok((log.modified()?, log.len())));
                let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
                last.look(now.ok());
                last.changed.is_some_and(|at| at.elapsed() < MOMENT)
            }
        }
    }
}

impl Last {
    fn look(&mut self, now: Option<(SystemTime, u64)>) {
        if self.looked && self.log != now {
            self.changed = Some(Instant::now());
        }
        self.looked = true;
        self.log = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In a process whose threads may come back.
    fn free(calls: Calls) -> Calls {
        Calls {
            may_come_back: true,
            ..calls
        }
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_could_not_be_called_back_steps_back_and_not_aside() {
        let calls = Calls {
            may_come_back: false,
            ..Calls::here()
        };
        assert_eq!(calls.manner(), Manner::Freely);
        calls.note();
        assert_eq!(calls.manner(), Manner::Back);
    }

    #[tokio::test(start_paused = true)]
    async fn work_makes_way_for_a_moment_after_each_call() {
        let calls = free(Calls::here());
        assert_eq!(calls.manner(), Manner::Freely);
        for _ in 0..2 {
            calls.note();
            tokio::time::advance(MOMENT - Duration::from_millis(1)).await;
            assert_eq!(calls.manner(), Manner::Aside(STARVED));
            tokio::time::advance(Duration::from_millis(1)).await;
            assert_eq!(calls.manner(), Manner::Freely);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_starved_aside_is_done_with_more_right_for_a_while() {
        let calls = free(Calls::here());
        calls.note();
        calls.note_work(STARVED);
        assert_eq!(calls.manner(), Manner::Aside(STARVED));
        calls.note_work(STARVED + Duration::from_millis(1));
        for _ in 0..FED {
            assert_eq!(calls.manner(), Manner::Back);
            calls.note_work(Duration::from_millis(20));
        }
        assert_eq!(calls.manner(), Manner::Aside(STARVED));
        tokio::time::advance(MOMENT).await;
        assert_eq!(calls.manner(), Manner::Freely, "without calls");
    }

    #[tokio::test(start_paused = true)]
    async fn calls_of_another_process_are_seen_by_its_journals_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("a.journal.db-wal");
        let calls = free(Calls::there(log.clone()));
        assert_eq!(calls.manner(), Manner::Freely, "there is none");
        for text in ["1", "12"] {
            std::fs::write(&log, text).unwrap();
            assert_eq!(calls.manner(), Manner::Aside(STARVED));
            tokio::time::advance(MOMENT).await;
            assert_eq!(calls.manner(), Manner::Freely, "it stays as it is");
        }
        let long_ago = free(Calls::there(log));
        assert_eq!(
            long_ago.manner(),
            Manner::Freely,
            "nobody was seen to write it"
        );
    }
}
