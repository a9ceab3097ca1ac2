//! A map whose entries expire, tidied as it goes so that no request ever pays for a sweep of all.

use std::hash::Hash;

use ahash::RandomState;
use caller_id_core::Timestamp;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Place;

/// A table that grows or is tidied is passed over whole, so there are many small ones: with a million entries that is a
/// fraction of a millisecond, once in thousands of requests.
const SHARDS: usize = 256;

/// A map from keys to values that expire.
///
/// A shard that is full first drops what has expired, and grows only when that was not half of it. So the map holds at
/// most twice of what lives, and nothing is looked for that has expired.
#[derive(Debug)]
pub(super) struct ExpiringMap<K, V> {
    shards: Vec<HashTable<Entry<K, V>>>,
    hasher: RandomState,
    shard_most: usize,
}

/// What a key stands for, and until when.
#[derive(Debug, Clone)]
pub(super) struct Expiring<V> {
    pub(super) value: V,
    pub(super) expires: Timestamp,
}

#[derive(Debug)]
struct Entry<K, V> {
    key: K,
    kept: Expiring<V>,
}

impl<K: Eq + Hash, V> ExpiringMap<K, V> {
    /// An empty map of at most about `most` entries. A shard in which so many live that it would hold more is emptied.
    pub(super) fn new(most: usize) -> Self {
        Self {
            shards: Vec::new(),
            hasher: RandomState::new(),
            shard_most: most.div_ceil(SHARDS),
        }
    }

    /// The value of `key`, expired or not: the caller knows what it means.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        let hash = self.hasher.hash_one(key);
        let entry = self
            .shards
            .get(shard(hash))?
            .find(hash, |entry| entry.key == *key)?;
        Some(&entry.kept.value)
    }

    /// Sets what `key` stands for, and gives what it stood for before.
    pub(super) fn insert(
        &mut self,
        key: K,
        kept: Expiring<V>,
        now: Timestamp,
    ) -> Option<Expiring<V>> {
        if self.shards.is_empty() {
            self.shards.resize_with(SHARDS, HashTable::new);
        }
        let hash = self.hasher.hash_one(&key);
        let shard = &mut self.shards[shard(hash)];
        if shard.len() == shard.capacity() {
            make_room(shard, self.shard_most, now, &self.hasher);
        }
        let rehash = |entry: &Entry<K, V>| self.hasher.hash_one(&entry.key);
        match shard.entry(hash, |entry| entry.key == key, rehash) {
            Place::Occupied(mut place) => Some(std::mem::replace(&mut place.get_mut().kept, kept)),
            Place::Vacant(place) => {
                place.insert(Entry { key, kept });
                None
            }
        }
    }

    /// Puts back what [`ExpiringMap::insert`] replaced.
    pub(super) fn restore(&mut self, key: K, before: Option<Expiring<V>>, now: Timestamp) {
        match before {
            Some(before) => drop(self.insert(key, before, now)),
            None => self.remove(&key),
        }
    }

    fn remove(&mut self, key: &K) {
        let hash = self.hasher.hash_one(key);
        let shard = self.shards.get_mut(shard(hash));
        let found = shard.and_then(|shard| shard.find_entry(hash, |entry| entry.key == *key).ok());
        if let Some(place) = found {
            place.remove();
        }
    }
}

fn make_room<K: Eq + Hash, V>(
    shard: &mut HashTable<Entry<K, V>>,
    most: usize,
    now: Timestamp,
    hasher: &RandomState,
) {
    shard.retain(|entry| entry.kept.expires > now);
    if shard.len() >= most {
        shard.clear();
    }
    if shard.len() * 2 >= shard.capacity() {
        shard.reserve(shard.len() + 1, |entry| hasher.hash_one(&entry.key));
    }
}

/// The high bits choose the shard; the low ones and the highest seven are for the table.
fn shard(hash: u64) -> usize {
    (hash >> 40) as usize % SHARDS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    fn until<V>(value: V, ms: i64) -> Expiring<V> {
        Expiring {
            value,
            expires: at(ms),
        }
    }

    fn len<K, V>(map: &ExpiringMap<K, V>) -> usize {
        map.shards.iter().map(HashTable::len).sum()
    }

    #[test]
    fn expired_entries_go_as_others_come() {
        let mut map = ExpiringMap::new(10_000_000);
        for key in 0..400_000i64 {
            map.insert(key, until((), key + 1_000), at(key));
        }
        assert!(len(&map) < 20_000, "1,000 live, {} are held", len(&map));
        assert!((399_000..400_000).all(|key| map.get(&key).is_some()));
    }

    #[test]
    fn an_entry_that_was_renewed_stays() {
        let mut map = ExpiringMap::new(10_000_000);
        map.insert(-1, until("agent", 10), at(0));
        map.insert(-1, until("again", 1_000_000), at(5));
        for key in 0..100_000i64 {
            map.insert(key, until("other", key + 10), at(key));
        }
        assert_eq!(map.get(&-1), Some(&"again"));
    }

    #[test]
    fn the_map_is_bounded() {
        let mut map = ExpiringMap::new(1_000);
        for key in 0..100_000 {
            map.insert(key, until(key, 1_000), at(0));
        }
        assert!(len(&map) < 4_000, "{} are held", len(&map));
        assert_eq!(map.get(&99_999), Some(&99_999));
    }

    #[test]
    fn restore_puts_back_what_was_there() {
        let mut map = ExpiringMap::new(10);
        let before = map.insert("a", until(1, 10), at(0));
        map.restore("a", before, at(0));
        assert_eq!(map.get(&"a"), None);
        map.insert("a", until(1, 10), at(0));
        let before = map.insert("a", until(2, 10), at(0));
        map.restore("a", before, at(0));
        assert_eq!(map.get(&"a"), Some(&1));
    }
}
