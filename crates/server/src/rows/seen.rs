//! A bounded set of numbers.

use std::collections::HashSet;

use caller_id_core::PhoneNumber;

/// The numbers that a dry run came by: it writes nothing that could tell. Remembers the first four million, in about 75 MB.
#[derive(Debug, Default)]
pub struct Seen {
    numbers: HashSet<PhoneNumber, ahash::RandomState>,
}

impl Seen {
    /// So many are remembered.
    pub const MOST: usize = 4_000_000;

    /// Takes `number` in; tells whether it is new.
    pub fn insert(&mut self, number: PhoneNumber) -> bool {
        if self.numbers.len() < Self::MOST {
            self.numbers.insert(number)
        } else {
            !self.numbers.contains(&number)
        }
    }

    /// Whether `number` is in.
    pub fn contains(&self, number: PhoneNumber) -> bool {
        self.numbers.contains(&number)
    }
}
