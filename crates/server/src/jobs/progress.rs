//! How far a job is.

use caller_id_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::rows::{BadRow, NAMED_MOST, NEW_POOLS_MOST, Tally, Watcher};

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// It did all.
    Done,
    /// Somebody ended it; what it wrote stays.
    Cancelled,
    /// It could not go on; what it wrote stays.
    Failed(String),
    /// The node that ran it is gone; what it wrote stays.
    Interrupted,
}

/// How far a job is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Of an import: what became of the rows.
    pub tally: Tally,
    /// Of an import: the first bad rows.
    #[serde(skip)]
    pub errors: Vec<BadRow>,
    /// How many bad rows more there are.
    pub errors_left_out: u64,
    /// Columns that mean nothing to us.
    pub unknown_columns: Vec<String>,
    /// Of an import: pools that it made, or would, the first of them.
    #[serde(default)]
    pub new_pools: Vec<String>,
    /// Of a change of many numbers: how many it will look at, about.
    pub total: u64,
    /// How many it looked at.
    pub matched: u64,
    /// How many of these changed, or would.
    pub changed: u64,
    /// How it ended, if it did.
    pub ending: Option<Ending>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What else should be known: that the engine does not know yet what is written.
    pub note: Option<String>,
}

impl Progress {
    /// The same without the bad rows.
    pub fn brief(&self) -> Self {
        Self {
            tally: self.tally,
            errors: Vec::new(),
            errors_left_out: self.errors_left_out,
            unknown_columns: self.unknown_columns.clone(),
            new_pools: self.new_pools.clone(),
            total: self.total,
            matched: self.matched,
            changed: self.changed,
            ending: self.ending.clone(),
            ended_at: self.ended_at,
            note: self.note.clone(),
        }
    }
}

impl Watcher for Progress {
    fn unknown_columns(&mut self, names: &[String]) {
        self.unknown_columns = names.to_vec();
    }

    fn new_pool(&mut self, name: &str) {
        if self.new_pools.len() < NEW_POOLS_MOST {
            self.new_pools.push(name.to_owned());
        }
    }

    fn bad_row(&mut self, row: BadRow) {
        if self.errors.len() < NAMED_MOST {
            self.errors.push(row);
        } else {
            self.errors_left_out += 1;
        }
    }

    fn progress(&mut self, tally: &Tally) {
        self.tally = *tally;
    }
}
