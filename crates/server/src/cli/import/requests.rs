//! The requests under way, and what came of them.

use std::collections::{HashMap, HashSet};
use std::sync::mpsc;

use caller_id_core::PhoneNumber;

use super::chunk::Chunk;
use super::client::{Answer, Client};
use crate::rows::{FileError, Intake, Options, Tally, Watcher};

/// Counts what the answers say. Two chunks that share a number are never under way together: which of their rows wins
/// must not depend on which request is faster.
pub(super) struct Requests<'a> {
    watcher: &'a mut dyn Watcher,
    tally: Tally,
    new_pools: HashSet<String>,
    failure: Option<anyhow::Error>,
    under_way: HashMap<u64, HashSet<PhoneNumber>>,
    next_id: u64,
    answers: mpsc::Sender<Answered>,
    answered: mpsc::Receiver<Answered>,
}

/// A request that is to be made on a thread of its own.
pub(super) struct Request {
    id: u64,
    chunk: Chunk,
    answers: mpsc::Sender<Answered>,
}

struct Answered {
    id: u64,
    chunk: Chunk,
    answer: Answer,
}

impl Request {
    /// Makes it; ends with the answer, or with the client's deadline.
    pub(super) fn make(self, client: &Client, options: Options) {
        let answer = client.import(self.chunk.body(), options);
        let answered = Answered {
            id: self.id,
            chunk: self.chunk,
            answer,
        };
        // The other end waits for every request that was begun.
        let _ = self.answers.send(answered);
    }
}

impl<'a> Requests<'a> {
    pub(super) fn new(watcher: &'a mut dyn Watcher) -> Self {
        let (answers, answered) = mpsc::channel();
        Self {
            watcher,
            tally: Tally::default(),
            new_pools: HashSet::new(),
            failure: None,
            under_way: HashMap::new(),
            next_id: 0,
            answers,
            answered,
        }
    }

    /// Whether a request failed.
    pub(super) fn failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Counts the rows that are not sent, and tells the bad ones.
    pub(super) fn tell_unsent(&mut self, chunk: &mut Chunk) {
        let (tally, bad) = chunk.take_unsent();
        self.tally.add(&tally);
        bad.into_iter().for_each(|row| self.watcher.bad_row(row));
    }

    /// Waits until fewer than `most` requests are under way, and none that shares a number with `chunk`.
    pub(super) fn make_room(&mut self, most: usize, chunk: &Chunk) {
        let in_the_way = |requests: &Self| {
            let shares = |numbers: &HashSet<_>| !numbers.is_disjoint(chunk.numbers());
            requests.under_way.len() >= most || requests.under_way.values().any(shares)
        };
        while in_the_way(self) {
            self.wait();
        }
    }

    /// Takes `chunk` as under way.
    pub(super) fn begin(&mut self, chunk: Chunk) -> Request {
        let id = self.next_id;
        self.next_id += 1;
        self.under_way.insert(id, chunk.numbers().clone());
        Request {
            id,
            chunk,
            answers: self.answers.clone(),
        }
    }

    /// Waits for all requests. `file_error` is why the file was not read to its end, if it was not.
    pub(super) fn finish(mut self, file_error: Option<FileError>) -> Intake<anyhow::Error> {
        while !self.under_way.is_empty() {
            self.wait();
        }
        Intake {
            tally: self.tally,
            stopped: self.failure.or(file_error.map(Into::into)),
        }
    }

    fn wait(&mut self) {
        let Ok(answered) = self.answered.recv() else {
            // We hold a sender ourselves, so this is never reached; nothing would ever come.
            self.under_way.clear();
            return;
        };
        let Answered { id, chunk, answer } = answered;
        self.under_way.remove(&id);
        self.tally.add(&answer.tally);
        for pool in answer.new_pools {
            // Of a dry run each request tells it anew.
            if self.new_pools.insert(pool.clone()) {
                self.watcher.new_pool(&pool);
            }
        }
        for row in answer.errors {
            self.watcher.bad_row(chunk.in_file(row));
        }
        if let Some(failure) = answer.failure {
            self.failure.get_or_insert(failure);
        }
        self.watcher.progress(&self.tally);
    }
}
