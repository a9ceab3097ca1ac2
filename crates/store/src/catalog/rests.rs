//! When rests end: for each number that rests, and in the order of their ends.

use std::collections::{BTreeSet, HashMap};

/// The rests of numbers, which are known by their packed digits. Instants are milliseconds.
#[derive(Debug, Default)]
pub(super) struct Rests {
    until: HashMap<u64, i64>,
    ends: BTreeSet<(i64, u64)>,
    /// The end of the last one that was over.
    over: Option<i64>,
}

impl Rests {
    /// A number rests until then, or not at all.
    pub(super) fn put(&mut self, digits: u64, until: Option<i64>) {
        if let Some(before) = self.until.remove(&digits) {
            self.ends.remove(&(before, digits));
        }
        if let Some(until) = until {
            self.until.insert(digits, until);
            self.ends.insert((until, digits));
        }
    }

    /// Whose rest is over at `now`, each told once; `None` where it was told of a rest that is not over yet.
    pub(super) fn over(&mut self, now: i64) -> Option<Vec<u64>> {
        if self.over.is_some_and(|last| last > now) {
            return None;
        }
        let mut over = Vec::new();
        while let Some((until, digits)) = self.ends.first().copied().filter(|end| end.0 <= now) {
            self.ends.pop_first();
            self.until.remove(&digits);
            self.over = Some(until);
            over.push(digits);
        }
        Some(over)
    }
}
