//! Which number each destination of a pool was last shown: the largest table of the engine, and packed for it.

use ahash::RandomState;
use caller_id_core::{PhoneNumber, Timestamp};

/// Which number a destination was shown, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Shown {
    /// Where the number is.
    pub(in super::super) slot: u32,
    /// When it was shown.
    pub(in super::super) at: Timestamp,
}

/// From destinations to what each was last shown, for as long as that counts.
///
/// Every request looks here, and nothing of it is in a cache. So an entry takes 16 bytes and lies where its hash says or
/// close behind: to look and to store touch one line of memory, two at times. What is out of date gives its place to what
/// comes. There are many small tables, and one that is nearly full is made anew with what lives, so no request ever pays
/// for a sweep of all.
#[derive(Debug)]
pub(in super::super) struct ShownMap {
    shards: Vec<Shard>,
    hasher: RandomState,
    shard_most: usize,
}

/// With a million entries, making one anew is a fraction of a millisecond, once in thousands of requests.
const SHARDS: usize = 256;

impl ShownMap {
    /// An empty map of at most about `most` entries. A shard in which so many live that it would hold more is emptied.
    pub(in super::super) fn new(most: usize) -> Self {
        Self {
            shards: Vec::new(),
            hasher: RandomState::new(),
            shard_most: most.div_ceil(SHARDS),
        }
    }

    /// What `destination` was last shown, out of date or not: the caller knows how long it counts.
    pub(in super::super) fn get(&self, destination: PhoneNumber) -> Option<Shown> {
        let hash = hash_of(&self.hasher, destination.e164_digits());
        let shard = self.shards.get(shard(hash))?;
        let place = shard.find(destination, hash)?;
        Some(shard.places[place].shown())
    }

    /// Sets what `destination` was shown, and gives what it was shown before. What was shown at `outdated` or earlier
    /// counts no longer, and may be forgotten.
    pub(in super::super) fn insert(
        &mut self,
        destination: PhoneNumber,
        shown: Shown,
        outdated: Timestamp,
    ) -> Option<Shown> {
        if self.shards.is_empty() {
            self.shards.resize_with(SHARDS, Shard::default);
        }
        let hash = hash_of(&self.hasher, destination.e164_digits());
        let shard = &mut self.shards[shard(hash)];
        if shard.is_full() {
            shard.renew(self.shard_most, outdated, &self.hasher);
        }
        shard.insert(Entry::new(destination, shown), hash, outdated)
    }

    /// Puts back what [`ShownMap::insert`] replaced.
    pub(in super::super) fn restore(&mut self, destination: PhoneNumber, before: Option<Shown>) {
        let hash = hash_of(&self.hasher, destination.e164_digits());
        let Some(shard) = self.shards.get_mut(shard(hash)) else {
            return;
        };
        if let Some(place) = shard.find(destination, hash) {
            let before = before.map(|shown| Entry::new(destination, shown));
            shard.places[place] = before.unwrap_or(Entry::GIVEN_BACK);
        }
    }
}

fn hash_of(hasher: &RandomState, key: u64) -> u64 {
    hasher.hash_one(key)
}

/// The high bits choose the shard; the low half is for its table.
const fn shard(hash: u64) -> usize {
    (hash >> (u64::BITS - SHARDS.ilog2())) as usize
}

/// A destination and what it was shown, in one integer: 50 bits of the destination, 46 of the instant (enough until the
/// year 4199), 32 of the number's slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry(u128);

const SLOT_BITS: u32 = 32;
const INSTANT_BITS: u32 = 46;
const INSTANT_MOST: i64 = (1 << INSTANT_BITS) - 1;

impl Entry {
    /// Nothing was ever here.
    const EMPTY: Self = Self(0);
    /// Something was here: those that found the place taken are behind it.
    const GIVEN_BACK: Self = Self(1);

    fn new(destination: PhoneNumber, shown: Shown) -> Self {
        let instant = shown.at.as_ms().clamp(0, INSTANT_MOST) as u128;
        let key = u128::from(destination.e164_digits());
        Self((key << INSTANT_BITS | instant) << SLOT_BITS | u128::from(shown.slot))
    }

    /// The digits of the destination; 0 where there is none.
    const fn key(self) -> u64 {
        (self.0 >> (SLOT_BITS + INSTANT_BITS)) as u64
    }

    const fn shown(self) -> Shown {
        let instant = (self.0 >> SLOT_BITS) as i64 & INSTANT_MOST;
        Shown {
            slot: self.0 as u32,
            at: Timestamp::from_ms(instant),
        }
    }

    fn counts(self, outdated: Timestamp) -> bool {
        self.key() > 0 && self.shown().at > outdated
    }
}

/// A table that is searched from where the hash says until an empty place. At least a quarter of it is empty.
#[derive(Debug, Default)]
struct Shard {
    places: Vec<Entry>,
    /// How many places are not empty.
    taken: usize,
}

/// The fewest places of a shard that has any.
const PLACES_LEAST: usize = 16;

impl Shard {
    const fn is_full(&self) -> bool {
        self.taken * 4 >= self.places.len() * 3
    }

    fn first(&self, hash: u64) -> usize {
        let low = hash & u64::from(u32::MAX);
        ((low * self.places.len() as u64) >> u32::BITS) as usize
    }

    const fn next(&self, place: usize) -> usize {
        if place + 1 < self.places.len() {
            place + 1
        } else {
            0
        }
    }

    fn find(&self, destination: PhoneNumber, hash: u64) -> Option<usize> {
        let mut place = self.first(hash);
        loop {
            let entry = *self.places.get(place)?;
            if entry == Entry::EMPTY {
                return None;
            }
            if entry.key() == destination.e164_digits() {
                return Some(place);
            }
            place = self.next(place);
        }
    }

    /// Puts an entry into its own place, else into the first that nobody needs; gives what was in its own.
    fn insert(&mut self, entry: Entry, hash: u64, outdated: Timestamp) -> Option<Shown> {
        let mut place = self.first(hash);
        let mut unneeded = None;
        loop {
            let found = self.places[place];
            if found == Entry::EMPTY {
                self.taken += usize::from(unneeded.is_none());
                self.places[unneeded.unwrap_or(place)] = entry;
                return None;
            }
            if found.key() == entry.key() {
                self.places[place] = entry;
                return Some(found.shown());
            }
            if unneeded.is_none() && !found.counts(outdated) {
                unneeded = Some(place);
            }
            place = self.next(place);
        }
    }

    /// Makes the table anew, twice as large as what counts; of more than `most` that count, none stays.
    fn renew(&mut self, most: usize, outdated: Timestamp, hasher: &RandomState) {
        let old = std::mem::take(&mut self.places);
        let mut kept = old.iter().filter(|entry| entry.counts(outdated)).count();
        if kept >= most {
            kept = 0;
        }
        self.places = vec![Entry::EMPTY; (kept * 2).max(PLACES_LEAST)];
        self.taken = 0;
        if kept > 0 {
            for entry in old.into_iter().filter(|entry| entry.counts(outdated)) {
                self.insert(entry, hash_of(hasher, entry.key()), outdated);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Before all that these tests show.
    const NEVER: Timestamp = Timestamp::from_ms(-1);

    fn destination(line: u64) -> PhoneNumber {
        PhoneNumber::from_e164_digits(442_079_000_000 + line).expect("a number")
    }

    fn shown(slot: u32, ms: i64) -> Shown {
        let at = Timestamp::from_ms(ms);
        Shown { slot, at }
    }

    fn taken(map: &ShownMap) -> usize {
        map.shards.iter().map(|shard| shard.taken).sum()
    }

    fn places(map: &ShownMap) -> usize {
        map.shards.iter().map(|shard| shard.places.len()).sum()
    }

    #[test]
    fn an_entry_keeps_its_parts() {
        let longest = PhoneNumber::from_e164_digits(999_999_999_999_999).expect("a number");
        let last = shown(u32::MAX, 1_795_359_600_123);
        let entry = Entry::new(longest, last);
        assert_eq!((entry.key(), entry.shown()), (longest.e164_digits(), last));
        assert!(entry.counts(Timestamp::from_ms(1_795_359_600_122)));
        assert!(!entry.counts(last.at));
    }

    #[test]
    fn each_destination_finds_what_it_was_shown_last() {
        let mut map = ShownMap::new(10_000_000);
        for line in 0..100_000 {
            map.insert(destination(line % 60_000), shown(line as u32, 5), NEVER);
        }
        for line in 0..60_000 {
            let last = if line < 40_000 { line + 60_000 } else { line };
            assert_eq!(map.get(destination(line)), Some(shown(last as u32, 5)));
        }
        assert_eq!(map.get(destination(60_000)), None);
        assert_eq!(taken(&map), 60_000);
    }

    #[test]
    fn what_is_out_of_date_goes_as_others_come() {
        let mut map = ShownMap::new(10_000_000);
        for line in 0..400_000u32 {
            let at = i64::from(line);
            let outdated = Timestamp::from_ms(at - 10_000);
            map.insert(destination(line.into()), shown(line, at), outdated);
        }
        assert!(places(&map) < 40_000, "{} for 10,000", places(&map));
        for line in 390_001..400_000 {
            let last = map.get(destination(line)).map(|shown| shown.slot);
            assert_eq!(last, Some(line as u32));
        }
    }

    #[test]
    fn the_map_is_bounded() {
        let mut map = ShownMap::new(1_000);
        for line in 0..100_000 {
            map.insert(destination(line), shown(1, 0), NEVER);
        }
        assert!(taken(&map) < 4_000, "{} are held", taken(&map));
        assert_eq!(map.get(destination(99_999)), Some(shown(1, 0)));
    }

    #[test]
    fn restore_puts_back_what_was_there() {
        let mut map = ShownMap::new(10_000);
        map.restore(destination(1), None);
        for line in 0..1_000 {
            let before = map.insert(destination(line), shown(1, 5), NEVER);
            map.restore(destination(line), before);
            assert_eq!(map.get(destination(line)), None);
        }
        map.insert(destination(1), shown(1, 5), NEVER);
        let before = map.insert(destination(1), shown(2, 6), NEVER);
        map.restore(destination(1), before);
        assert_eq!(map.get(destination(1)), Some(shown(1, 5)));
    }
}
