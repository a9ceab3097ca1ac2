//! How far the journal is written and moved, and what the historian is asked to do: shared by the threads.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use caller_id_core::StoreError;
use tokio::sync::oneshot;

use super::error::again;

/// What the threads of one store know of one another.
#[derive(Debug)]
pub(super) struct Progress {
    committed: AtomicI64,
    applied: AtomicI64,
    backlog: AtomicU64,
    idle: AtomicBool,
    orders: Mutex<Orders>,
    called: Condvar,
}

/// What the historian is asked to do.
#[derive(Debug, Default)]
struct Orders {
    stop: bool,
    settlers: Vec<Settler>,
}

/// Somebody who waits until all up to a batch is in history.
#[derive(Debug)]
struct Settler {
    seq: i64,
    reply: oneshot::Sender<Result<(), StoreError>>,
}

/// What the historian does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Move, and rest between.
    Work,
    /// Move without rest: somebody waits.
    Hurry,
    /// End.
    Stop,
}

impl Progress {
    /// All up to `applied` is in history; `backlog` events up to the batch `committed` are not.
    pub(super) fn new(committed: i64, applied: i64, backlog: u64) -> Self {
        Self {
            committed: AtomicI64::new(committed),
            applied: AtomicI64::new(applied),
            backlog: AtomicU64::new(backlog),
            idle: AtomicBool::new(false),
            orders: Mutex::new(Orders::default()),
            called: Condvar::new(),
        }
    }

    /// The last batch that is committed.
    pub(super) fn committed(&self) -> i64 {
        self.committed.load(Ordering::SeqCst)
    }

    /// The last batch that is in history.
    pub(super) fn applied(&self) -> i64 {
        self.applied.load(Ordering::SeqCst)
    }

    /// How many events are committed and not in history.
    pub(super) fn backlog(&self) -> u64 {
        self.backlog.load(Ordering::SeqCst)
    }

    /// A batch was committed: wakes the historian when it has nothing to do.
    pub(super) fn note_committed(&self, seq: i64, events: u64) {
        // The events first: the historian takes them off again, which must never come before they are counted.
        self.backlog.fetch_add(events, Ordering::SeqCst);
        self.committed.store(seq, Ordering::SeqCst);
        if self.idle.swap(false, Ordering::SeqCst) {
            // With the lock held the historian is either before its last look at `committed` or asleep already.
            drop(self.orders());
            self.called.notify_all();
        }
    }

    /// All up to a batch is in history: tells those who waited for it.
    pub(super) fn note_applied(&self, seq: i64, events: u64) {
        self.applied.store(seq, Ordering::SeqCst);
        self.backlog.fetch_sub(events, Ordering::SeqCst);
        let mut orders = self.orders();
        for settler in orders.settlers.extract_if(.., |settler| settler.seq <= seq) {
            // A settler that stopped waiting needs no answer.
            let _ = settler.reply.send(Ok(()));
        }
    }

    /// The historian could not move: nobody waits for ever for a disk that is full.
    pub(super) fn note_failed(&self, error: &StoreError) {
        for settler in self.orders().settlers.drain(..) {
            let _ = settler.reply.send(Err(again(error)));
        }
    }

    /// Waits until all that is committed now is in history.
    pub(super) async fn settle(&self) -> Result<(), StoreError> {
        let (reply, done) = oneshot::channel();
        {
            let mut orders = self.orders();
            if orders.stop {
                return Err(StoreError::Closed);
            }
            let seq = self.committed();
            if self.applied() >= seq {
                return Ok(());
            }
            orders.settlers.push(Settler { seq, reply });
        }
        self.called.notify_all();
        // Each attempt of the historian ends within its own wait, and answers this one, well or not.
        done.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Asks the historian to end.
    pub(super) fn stop(&self) {
        let mut orders = self.orders();
        orders.stop = true;
        orders.settlers.clear();
        drop(orders);
        self.called.notify_all();
    }

    /// For the historian: sleeps until something is committed, and a little more, so that it moves many batches at once.
    pub(super) fn await_work(&self, gather: Duration) -> Next {
        let mut orders = self.orders();
        while !orders.stop && self.applied() >= self.committed() {
            self.idle.store(true, Ordering::SeqCst);
            if self.applied() < self.committed() {
                break;
            }
            orders = self
                .called
                .wait(orders)
                .unwrap_or_else(PoisonError::into_inner);
        }
        self.idle.store(false, Ordering::SeqCst);
        drop(orders);
        self.rest(gather)
    }

    /// For the historian: sleeps so long, unless somebody is in a hurry.
    pub(super) fn rest(&self, time: Duration) -> Next {
        let (orders, _) = self
            .called
            .wait_timeout_while(self.orders(), time, |orders| {
                !orders.stop && orders.settlers.is_empty()
            })
            .unwrap_or_else(PoisonError::into_inner);
        match (orders.stop, orders.settlers.is_empty()) {
            (true, _) => Next::Stop,
            (false, true) => Next::Work,
            (false, false) => Next::Hurry,
        }
    }

    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
