//! Messages that wait to be posted, and what became of the others.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::kind::Severity;
use super::message::Message;

/// So many may wait, the one that is being posted too.
pub const WAITING_MOST: usize = 64;
/// Of so many that were settled it is known: another node may name them as waiting, and they are not posted again.
const SETTLED_MOST: usize = 256;

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

/// Messages that are not settled yet: bounded. What is serious is dropped last.
#[derive(Debug, Default)]
pub struct Outgoing {
    queue: Mutex<Queue>,
    wake: Notify,
    settled: Notify,
    outcomes: [AtomicU64; Outcome::ALL.len()],
    retries: AtomicU64,
    /// Why nobody is told, as far as nobody is.
    trouble: Mutex<Option<String>>,
}

#[derive(Debug, Default)]
struct Queue {
    /// The oldest first.
    messages: VecDeque<Message>,
    /// The first of them is on its way.
    is_posting: bool,
    /// The ids of those that were settled last.
    settled: VecDeque<String>,
}

impl Queue {
    fn knows(&self, id: &str) -> bool {
        self.messages.iter().any(|message| message.id == id)
            || self.settled.iter().any(|settled| settled == id)
    }

    /// Takes out what there is no place for: the oldest that is not serious, never the one that is on its way.
    fn too_many(&mut self) -> Option<Message> {
        if self.messages.len() <= WAITING_MOST {
            return None;
        }
        let first = usize::from(self.is_posting);
        let mut rest = self.messages.iter().skip(first);
        let warning = rest.position(|message| message.severity < Severity::Serious);
        self.messages.remove(first + warning.unwrap_or(0))
    }

    fn remember(&mut self, id: &str) {
        if self.settled.len() >= SETTLED_MOST {
            self.settled.pop_front();
        }
        self.settled.push_back(id.to_owned());
    }
}

impl Outgoing {
    /// Puts a message behind the others, unless it waits already or was settled lately. Where there is no place the oldest goes
    /// that is not serious.
    pub fn push(&self, message: Message) {
        let mut queue = self.queue();
        if queue.knows(&message.id) {
            return;
        }
        queue.messages.push_back(message);
        let dropped = queue.too_many();
        drop(queue);
        if let Some(dropped) = dropped {
            let why = format!("more than {WAITING_MOST} alerts wait");
            tracing::error!(
                kind = dropped.kind.as_str(),
                id = dropped.id,
                "an alert is dropped: {why}"
            );
            self.settle(&dropped.id, Outcome::Dropped, Some(why));
        }
        self.wake.notify_one();
    }

    /// The first message, when there is one. It waits on until it is settled.
    pub async fn next(&self) -> Message {
        loop {
            if let Some(message) = self.first() {
                return message;
            }
            self.wake.notified().await;
        }
    }

    fn first(&self) -> Option<Message> {
        let mut queue = self.queue();
        let first = queue.messages.front().cloned();
        queue.is_posting = first.is_some();
        first
    }

    /// All that wait, the one that is on its way too: the oldest first.
    pub fn unsettled(&self) -> Vec<Message> {
        self.queue().messages.iter().cloned().collect()
    }

    /// A message waits no longer. Counts what became of it, and why where nobody was told.
    pub fn settle(&self, id: &str, outcome: Outcome, why: Option<String>) {
        let mut queue = self.queue();
        if outcome != Outcome::Dropped {
            queue.is_posting = false;
        }
        queue.messages.retain(|message| message.id != id);
        queue.remember(id);
        drop(queue);
        self.outcomes[outcome as usize].fetch_add(1, Ordering::Relaxed);
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = why;
        self.settled.notify_one();
    }

    /// Waits until a message was settled since this was asked last.
    pub async fn settled(&self) {
        self.settled.notified().await;
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
        Counts {
            outcomes: std::array::from_fn(|place| self.outcomes[place].load(Ordering::Relaxed)),
            retries: self.retries.load(Ordering::Relaxed),
            waiting: self.queue().messages.len() as u64,
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
