//! A map whose entries expire, tidied as it goes so that no request ever pays for a sweep of all.

use std::hash::Hash;

use ahash::RandomState;
use caller_id_core::Timestamp;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Place;

/// A table that grows or is tidied is passed over whole, so there are many small ones: with a million entries that is a
/// fraction of a millisecond, once in thousands of requests.
const SHARDS: usize = 256;

/// What can be kept in an [`ExpiringMap`]: it knows its key and how long it is good for.
pub(super) trait Expires {
    type Key: Eq + Hash;

    fn key(&self) -> &Self::Key;

    /// From when on it may be forgotten.
    fn expires(&self) -> Timestamp;
}

/// A map from keys to values that expire.
///
/// A shard that is full first drops what has expired, and grows only when that was not half of it. So the map holds at
/// most twice of what lives, and nothing is looked for that has expired.
#[derive(Debug)]
pub(super) struct ExpiringMap<V> {
    shards: Vec<HashTable<Entry<V>>>,
    hasher: RandomState,
    shard_most: usize,
}

/// The hash lies beside the value: what looks through the table need not follow the value to its key.
#[derive(Debug)]
struct Entry<V> {
    hash: u64,
    value: V,
}

impl<V: Expires> Entry<V> {
    fn is_of(&self, key: &V::Key, hash: u64) -> bool {
        self.hash == hash && self.value.key() == key
    }
}

impl<V: Expires> ExpiringMap<V> {
    /// An empty map of at most about `most` entries. A shard in which so many live that it would hold more is emptied.
    pub(super) fn new(most: usize) -> Self {
        Self {
            shards: Vec::new(),
            hasher: RandomState::new(),
            shard_most: most.div_ceil(SHARDS),
        }
    }

    /// The value of `key`, expired or not: the caller knows what it means.
    pub(super) fn get(&self, key: &V::Key) -> Option<&V> {
        let hash = self.hasher.hash_one(key);
        let shard = self.shards.get(shard(hash))?;
        let entry = shard.find(hash, |entry| entry.is_of(key, hash))?;
        Some(&entry.value)
    }

    /// The same, to be changed; its key stays.
    pub(super) fn get_mut(&mut self, key: &V::Key) -> Option<&mut V> {
        let hash = self.hasher.hash_one(key);
        let shard = self.shards.get_mut(shard(hash))?;
        let entry = shard.find_mut(hash, |entry| entry.is_of(key, hash))?;
        Some(&mut entry.value)
    }

    /// Puts a value, and gives what its key stood for before.
    pub(super) fn insert(&mut self, value: V, now: Timestamp) -> Option<V> {
        if self.shards.is_empty() {
            self.shards.resize_with(SHARDS, HashTable::new);
        }
        let hash = self.hasher.hash_one(value.key());
        let shard = &mut self.shards[shard(hash)];
        if shard.len() == shard.capacity() {
            make_room(shard, self.shard_most, now);
        }
        let same = |entry: &Entry<V>| entry.is_of(value.key(), hash);
        match shard.entry(hash, same, |entry| entry.hash) {
            Place::Occupied(mut place) => {
                Some(std::mem::replace(&mut place.get_mut().value, value))
            }
            Place::Vacant(place) => {
                place.insert(Entry { hash, value });
                None
            }
        }
    }

    /// Forgets what `key` stands for.
    pub(super) fn remove(&mut self, key: &V::Key) {
        let hash = self.hasher.hash_one(key);
        let shard = self.shards.get_mut(shard(hash));
        let found =
            shard.and_then(|shard| shard.find_entry(hash, |entry| entry.is_of(key, hash)).ok());
        if let Some(place) = found {
            place.remove();
        }
    }
}

fn make_room<V: Expires>(shard: &mut HashTable<Entry<V>>, most: usize, now: Timestamp) {
    shard.retain(|entry| entry.value.expires() > now);
    if shard.len() >= most {
        shard.clear();
    }
    if shard.len() * 2 >= shard.capacity() {
        shard.reserve(shard.len() + 1, |entry| entry.hash);
    }
}

/// The high bits choose the shard; the low ones and the highest seven are for the table.
fn shard(hash: u64) -> usize {
    (hash >> 40) as usize % SHARDS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key, what it stands for, and until when.
    type Kept = (i64, &'static str, i64);

    impl Expires for Kept {
        type Key = i64;

        fn key(&self) -> &i64 {
            &self.0
        }

        fn expires(&self) -> Timestamp {
            at(self.2)
        }
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    fn len<V>(map: &ExpiringMap<V>) -> usize {
        map.shards.iter().map(HashTable::len).sum()
    }

    #[test]
    fn expired_entries_go_as_others_come() {
        let mut map = ExpiringMap::new(10_000_000);
        for key in 0..400_000 {
            map.insert((key, "", key + 1_000), at(key));
        }
        assert!(len(&map) < 20_000, "1,000 live, {} are held", len(&map));
        assert!((399_000..400_000).all(|key| map.get(&key).is_some()));
    }

    #[test]
    fn an_entry_that_was_renewed_stays() {
        let mut map = ExpiringMap::new(10_000_000);
        map.insert((-1, "agent", 10), at(0));
        map.insert((-1, "again", 1_000_000), at(5));
        for key in 0..100_000 {
            map.insert((key, "other", key + 10), at(key));
        }
        assert_eq!(map.get(&-1).map(|kept| kept.1), Some("again"));
    }

    #[test]
    fn the_map_is_bounded() {
        let mut map = ExpiringMap::new(1_000);
        for key in 0..100_000 {
            map.insert((key, "", 1_000), at(0));
        }
        assert!(len(&map) < 4_000, "{} are held", len(&map));
        assert!(map.get(&99_999).is_some());
    }

    #[test]
    fn what_was_there_before_is_given_and_can_be_put_back() {
        let mut map = ExpiringMap::new(10);
        assert_eq!(map.insert((1, "a", 10), at(0)), None);
        let before = map.insert((1, "b", 20), at(0));
        assert_eq!(before, Some((1, "a", 10)));
        if let (Some(kept), Some(before)) = (map.get_mut(&1), before) {
            *kept = before;
        }
        assert_eq!(map.get(&1), Some(&(1, "a", 10)));
        map.remove(&1);
        assert_eq!(map.get(&1), None);
    }
}
