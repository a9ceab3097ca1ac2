//! Which numbers a file had already.

use std::collections::HashSet;

use caller_id_core::PhoneNumber;

/// The numbers of a dry run, which writes nothing that could tell it. Remembers the first four million, in about 100 MB.
#[derive(Debug, Default)]
pub struct Seen {
    numbers: HashSet<PhoneNumber, ahash::RandomState>,
}

impl Seen {
    const MOST: usize = 4_000_000;

    /// Takes `number` in; tells whether it is new.
    pub fn insert(&mut self, number: PhoneNumber) -> bool {
        if self.numbers.len() < Self::MOST {
            self.numbers.insert(number)
        } else {
            !self.numbers.contains(&number)
        }
    }
}
