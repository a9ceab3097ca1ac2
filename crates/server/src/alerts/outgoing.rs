//! Messages that wait to be posted, and what became of the others.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::kind::Severity;
use super::message::Message;

/// So many may wait.
pub const WAITING_MOST: usize = 64;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver took it.
    Delivered,
    /// The receiver could not be reached, or failed, until there was no more time for it.
    Failed,
    /// The receiver refused it.
    Refused,
    /// There were too many.
    Dropped,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Delivered, Self::Failed, Self::Refused, Self::Dropped];

    /// The word of metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Dropped => "dropped",
        }
    }
}

/// What was counted since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages by what became of them, in the order of [`Outcome::ALL`].
    pub outcomes: [u64; Outcome::ALL.len()],
    /// Tries that failed and were to be made again.
    pub retries: u64,
    /// Messages that wait, the one that is being posted too.
    pub waiting: u64,
}

/// Messages that wait: bounded. What is serious is dropped last.
#[derive(Debug, Default)]
pub struct Outgoing {
    queue: Mutex<VecDeque<Message>>,
    wake: Notify,
    outcomes: [AtomicU64; Outcome::ALL.len()],
    retries: AtomicU64,
    posting: AtomicU64,
    /// Why nobody is told, as far as nobody is.
    trouble: Mutex<Option<String>>,
}

impl Outgoing {
    /// Puts a message behind the others. Where there is no place the oldest goes that is not serious.
    pub fn push(&self, message: Message) {
        let mut queue = self.queue();
        queue.push_back(message);
        let dropped = (queue.len() > WAITING_MOST).then(|| {
            let warning = queue.iter().position(|it| it.severity < Severity::Serious);
            queue.remove(warning.unwrap_or(0))
        });
        drop(queue);
        if let Some(dropped) = dropped.flatten() {
            let why = format!("more than {WAITING_MOST} alerts wait");
            tracing::error!(
                kind = dropped.kind.as_str(),
                id = dropped.id,
                "an alert is dropped: {why}"
            );
            self.settle(Outcome::Dropped, Some(why));
        }
        self.wake.notify_one();
    }

    /// The next message, when there is one. Whoever takes it settles it, or puts it back.
    pub async fn next(&self) -> Message {
        loop {
            if let Some(message) = self.take() {
                return message;
            }
            self.wake.notified().await;
        }
    }

    /// The next message, if there is one now.
    pub fn take(&self) -> Option<Message> {
        let message = self.queue().pop_front();
        self.posting
            .store(u64::from(message.is_some()), Ordering::Relaxed);
        message
    }

    /// Puts a message that was taken before all others.
    pub fn put_back(&self, message: Message) {
        self.queue().push_front(message);
        self.posting.store(0, Ordering::Relaxed);
    }

    /// Counts what became of a message, and why where nobody was told.
    pub fn settle(&self, outcome: Outcome, why: Option<String>) {
        self.outcomes[outcome as usize].fetch_add(1, Ordering::Relaxed);
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = why;
        if outcome != Outcome::Dropped {
            self.posting.store(0, Ordering::Relaxed);
        }
    }

    /// Counts a try that failed and is to be made again.
    pub fn retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// Why the latest message reached nobody; none where it did.
    pub fn trouble(&self) -> Option<String> {
        self.trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What was counted.
    pub fn counts(&self) -> Counts {
        let waiting = self.queue().len() as u64;
        Counts {
            outcomes: std::array::from_fn(|place| self.outcomes[place].load(Ordering::Relaxed)),
            retries: self.retries.load(Ordering::Relaxed),
            waiting: waiting + self.posting.load(Ordering::Relaxed),
        }
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Message>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
