//! Which number each destination was last shown by a pool.

use ahash::{AHashMap, RandomState};
use caller_id_core::{PhoneNumber, Timestamp};

/// A table that grows is copied whole, so there are many small ones: a copy takes a fraction of a millisecond, not fifty.
const SHARDS: usize = 256;
/// Destinations remembered in each half. Past it the older half is forgotten early.
const HALF_MOST: usize = 2_000_000;

/// Which number a destination was shown, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    /// Where the number is.
    pub(super) slot: u32,
    /// When it was shown.
    pub(super) at: Timestamp,
}

/// The memory of a pool, in two halves: the young one takes what comes; when it has been taking for the sticky time, the
/// old one is forgotten whole, and the young becomes the old. So nothing is ever searched for what has expired, and every
/// destination is remembered for at least the sticky time.
#[derive(Debug, Default)]
pub(super) struct ShownNumbers {
    young: Half,
    old: Half,
    young_since: Timestamp,
}

impl ShownNumbers {
    /// The number `destination` was last shown within `sticky_ms` before `now`.
    pub(super) fn get(
        &self,
        destination: PhoneNumber,
        sticky_ms: i64,
        now: Timestamp,
    ) -> Option<Shown> {
        let shown = self
            .young
            .get(destination)
            .or_else(|| self.old.get(destination))?;
        (shown.at.plus_ms(sticky_ms) > now).then_some(shown)
    }

    /// Remembers what `destination` is shown; gives what this replaces.
    pub(super) fn insert(
        &mut self,
        destination: PhoneNumber,
        shown: Shown,
        sticky_ms: i64,
    ) -> Option<Shown> {
        if self.young_since.plus_ms(sticky_ms) <= shown.at || self.young.len >= HALF_MOST {
            self.old = std::mem::take(&mut self.young);
            self.young_since = shown.at;
        }
        let before = self.young.insert(destination, shown);
        before.or_else(|| self.old.get(destination))
    }

    /// Puts back what [`ShownNumbers::insert`] replaced.
    pub(super) fn restore(&mut self, destination: PhoneNumber, before: Option<Shown>) {
        match before {
            Some(before) => drop(self.young.insert(destination, before)),
            None => {
                self.young.remove(destination);
                self.old.remove(destination);
            }
        }
    }
}

#[derive(Debug, Default)]
struct Half {
    shards: Vec<AHashMap<PhoneNumber, Shown>>,
    hasher: RandomState,
    len: usize,
}

impl Half {
    fn get(&self, destination: PhoneNumber) -> Option<Shown> {
        self.shards
            .get(self.shard(destination))?
            .get(&destination)
            .copied()
    }

    fn insert(&mut self, destination: PhoneNumber, shown: Shown) -> Option<Shown> {
        if self.shards.is_empty() {
            self.shards.resize_with(SHARDS, AHashMap::new);
        }
        let shard = self.shard(destination);
        let before = self.shards[shard].insert(destination, shown);
        self.len += usize::from(before.is_none());
        before
    }

    fn remove(&mut self, destination: PhoneNumber) {
        let shard = self.shard(destination);
        let gone = self
            .shards
            .get_mut(shard)
            .and_then(|shard| shard.remove(&destination));
        self.len -= usize::from(gone.is_some());
    }

    fn shard(&self, destination: PhoneNumber) -> usize {
        self.hasher.hash_one(destination) as usize % SHARDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_ms(1_795_359_600_000 + minute * 60_000)
    }

    fn destination(line: u64) -> PhoneNumber {
        PhoneNumber::from_e164_digits(13_125_550_000 + line).expect("a number")
    }

    #[test]
    fn a_destination_is_remembered_for_exactly_the_sticky_time() {
        let mut numbers = ShownNumbers::default();
        for minute in 0..300 {
            numbers.insert(
                destination(minute),
                Shown {
                    slot: minute as u32,
                    at: at(minute as i64),
                },
                HOUR,
            );
            for before in 0..=minute {
                let known = numbers
                    .get(destination(before), HOUR, at(minute as i64))
                    .map(|shown| shown.slot);
                assert_eq!(
                    known,
                    (minute - before < 60).then_some(before as u32),
                    "{before} at {minute}"
                );
            }
        }
        assert!(
            numbers.young.len + numbers.old.len <= 121,
            "what has expired is forgotten"
        );
    }

    #[test]
    fn restore_puts_back_what_was_there() {
        let mut numbers = ShownNumbers::default();
        let (first, second) = (
            Shown { slot: 1, at: at(0) },
            Shown {
                slot: 2,
                at: at(61),
            },
        );
        let nothing = numbers.insert(destination(1), first, HOUR);
        numbers.restore(destination(1), nothing);
        assert_eq!(numbers.get(destination(1), HOUR, at(0)), None);
        numbers.insert(destination(1), first, HOUR);
        let before = numbers.insert(destination(1), second, HOUR);
        numbers.restore(destination(1), before);
        assert_eq!(numbers.get(destination(1), HOUR, at(1)), Some(first));
    }
}
