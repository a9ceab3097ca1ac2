//! A map whose entries expire, tidied a little at each use so that no request ever pays for a sweep.

use std::collections::VecDeque;
use std::hash::Hash;

use ahash::AHashMap;
use caller_id_core::Timestamp;

/// So many expired entries are looked at on each insert: more than one, so the map shrinks faster than it grows.
const TIDIED_AT_ONCE: usize = 2;

/// A map from keys to values that expire. Holds at most `most` entries; past it the oldest go early.
#[derive(Debug)]
pub(super) struct ExpiringMap<K, V> {
    entries: AHashMap<K, (V, Timestamp)>,
    /// Each key in `entries`, with the instant at which to look at it again.
    queue: VecDeque<(Timestamp, K)>,
    most: usize,
}

impl<K: Clone + Eq + Hash, V> ExpiringMap<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self {
            entries: AHashMap::new(),
            queue: VecDeque::new(),
            most,
        }
    }

    /// The value of `key`, expired or not: the caller knows what it means.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(value, _)| value)
    }

    /// Sets the value of `key` until `expires`, and gives the one before.
    pub(super) fn insert(
        &mut self,
        key: K,
        value: V,
        expires: Timestamp,
        now: Timestamp,
    ) -> Option<V> {
        self.tidy(now);
        let before = self.entries.insert(key.clone(), (value, expires));
        if before.is_none() {
            self.queue.push_back((expires, key));
            self.bound();
        }
        before.map(|(value, _)| value)
    }

    /// Puts back what [`ExpiringMap::insert`] replaced.
    pub(super) fn restore(&mut self, key: &K, before: Option<V>) {
        match (before, self.entries.get_mut(key)) {
            (Some(before), Some(entry)) => entry.0 = before,
            _ => {
                self.entries.remove(key);
            }
        }
    }

    fn tidy(&mut self, now: Timestamp) {
        for _ in 0..TIDIED_AT_ONCE {
            let due = self.queue.front().is_some_and(|(at, _)| *at <= now);
            let Some((_, key)) = due.then(|| self.queue.pop_front()).flatten() else {
                return;
            };
            match self.entries.get(&key) {
                Some((_, expires)) if *expires > now => self.queue.push_back((*expires, key)),
                Some(_) => drop(self.entries.remove(&key)),
                None => {}
            }
        }
    }

    fn bound(&mut self) {
        while self.queue.len() > self.most {
            if let Some((_, key)) = self.queue.pop_front() {
                self.entries.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    #[test]
    fn expired_entries_go_as_others_come() {
        let mut map = ExpiringMap::new(1_000);
        for key in 0..500 {
            map.insert(key, (), at(10), at(0));
        }
        for key in 500..750 {
            map.insert(key, (), at(100), at(20));
        }
        assert_eq!(map.entries.len(), 250);
        assert_eq!(map.queue.len(), 250);
    }

    #[test]
    fn an_entry_that_was_renewed_stays() {
        let mut map = ExpiringMap::new(1_000);
        map.insert("agent", 1, at(10), at(0));
        map.insert("agent", 2, at(50), at(5));
        map.insert("other", 3, at(90), at(20));
        assert_eq!(map.get(&"agent"), Some(&2));
        map.insert("third", 4, at(90), at(60));
        assert_eq!(map.get(&"agent"), None);
    }

    #[test]
    fn the_map_is_bounded() {
        let mut map = ExpiringMap::new(3);
        for key in 0..10 {
            map.insert(key, key, at(1_000), at(0));
        }
        assert_eq!(
            (map.entries.len(), map.get(&9), map.get(&6)),
            (3, Some(&9), None)
        );
    }

    #[test]
    fn restore_puts_back_what_was_there() {
        let mut map = ExpiringMap::new(10);
        let before = map.insert("a", 1, at(10), at(0));
        map.restore(&"a", before);
        assert_eq!(map.get(&"a"), None);
        map.insert("a", 1, at(10), at(0));
        let before = map.insert("a", 2, at(10), at(0));
        map.restore(&"a", before);
        assert_eq!(map.get(&"a"), Some(&1));
    }
}
