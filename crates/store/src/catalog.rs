//! All numbers in the memory of whoever lists them, packed: a page of any filter and any order is one walk through them.
//!
//! To walk through a million entries takes some milliseconds, whatever is asked for. No index of a database does that: there
//! would have to be one for each pair of a filter and an order, and every import would write them all. The store stays what is
//! true: before each look the catalog takes in what changed since the last one, in the same moment that the page is read in.
//! See `docs/adr/0017-lists-from-a-catalog.md`.

mod entry;
mod rests;
mod search;

use std::collections::HashSet;
use std::sync::Arc;

use caller_id_core::listing::{NumberFilter, NumberQuery, PoolCount, StatusKind};
use caller_id_core::{PhoneNumber, PoolId, StoreError, Timestamp};

pub(crate) use self::entry::Described;
use self::entry::{Entry, Names, packed};
use self::rests::Rests;
use crate::values::unreadable;

/// Up to where a catalog has what the store has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// All changes before this revision.
    pub(crate) revision: i64,
    /// And those of this revision up to that number.
    pub(crate) number: i64,
    /// All that was deleted up to this revision.
    pub(crate) removed: i64,
}

impl Mark {
    const NOTHING: Self = Self {
        revision: 0,
        number: 0,
        removed: 0,
    };

    /// All up to a revision.
    pub(crate) const fn whole(revision: i64) -> Self {
        Self {
            revision,
            number: i64::MAX,
            removed: revision,
        }
    }
}

/// The numbers of a store, and up to where they are known.
#[derive(Debug)]
pub(crate) struct Catalog {
    mark: Mark,
    identity: Option<i64>,
    entries: Arc<Entries>,
    rests: Rests,
}

impl Default for Catalog {
    fn default() -> Self {
        Self {
            mark: Mark::NOTHING,
            identity: None,
            entries: Arc::default(),
            rests: Rests::default(),
        }
    }
}

impl Catalog {
    /// From where changes are missing in a store at `revision`; `None`: it has all. One of another store, or of one that went
    /// back, starts over.
    pub(crate) fn missing(&mut self, revision: i64, identity: Option<i64>) -> Option<Mark> {
        if identity != self.identity || revision < self.mark.revision {
            *self = Self {
                identity,
                ..Self::default()
            };
        }
        (self.mark != Mark::whole(revision)).then_some(self.mark)
    }

    /// Takes in what changed up to a mark.
    pub(crate) fn take(&mut self, news: News, upto: Mark) {
        for told in &news.described {
            self.rests.put(told.entry.digits, told.rests_until);
        }
        for digits in &news.removed {
            self.rests.put(*digits, None);
        }
        // Whoever searches keeps what it has: then these are a copy.
        Arc::make_mut(&mut self.entries).take(news);
        self.mark = upto;
    }

    /// Whose rest is over at `now` is active. Instants do not run back: where a clock did, the catalog is to be made anew, and
    /// this gives `false`.
    #[must_use]
    pub(crate) fn wake(&mut self, now: Timestamp) -> bool {
        let Some(over) = self.rests.over(now.as_ms()) else {
            return false;
        };
        if !over.is_empty() {
            Arc::make_mut(&mut self.entries).wake(&over);
        }
        true
    }

    /// To look into, for as long as one likes.
    pub(crate) fn entries(&self) -> Arc<Entries> {
        Arc::clone(&self.entries)
    }
}

/// What changed.
#[derive(Debug, Default)]
pub(crate) struct News {
    described: Vec<Told>,
    removed: Vec<u64>,
}

/// A number whose texts are not yet known by their places.
#[derive(Debug)]
struct Told {
    entry: Entry,
    carrier: Option<Arc<str>>,
    pool: Arc<str>,
    /// Where it rests.
    rests_until: Option<i64>,
}

/// Texts that come again and again, each kept once.
#[derive(Debug, Default)]
pub(crate) struct Texts(HashSet<Arc<str>>);

impl Texts {
    fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = text.into();
        self.0.insert(Arc::clone(&text));
        text
    }
}

impl News {
    /// A number is new, or another one.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`].
    pub(crate) fn push(
        &mut self,
        number: &Described<'_>,
        texts: &mut Texts,
    ) -> Result<(), StoreError> {
        self.described.push(Told {
            entry: number.entry()?,
            carrier: number.carrier.map(|name| texts.get(name)),
            pool: texts.get(number.pool),
            rests_until: number.rests_until(),
        });
        Ok(())
    }

    /// A number is no more there.
    pub(crate) fn remove(&mut self, digits: i64) {
        self.removed.push(packed(digits.unsigned_abs()));
    }
}

/// The numbers, ascending.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entries {
    all: Vec<Entry>,
    carriers: Names,
    pools: Names,
}

impl Entries {
    /// The numbers of a page, in its order.
    pub(crate) fn page(&self, query: &NumberQuery) -> Vec<PhoneNumber> {
        search::page(self, query)
    }

    /// How many there are.
    pub(crate) fn count(&self, filter: &NumberFilter) -> u64 {
        search::count(self, filter)
    }

    /// How many numbers each pool has: one walk through all.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`]: a pool with a name that is none.
    pub(crate) fn pool_counts(&self) -> Result<Vec<PoolCount>, StoreError> {
        let names = self.pools.texts();
        let mut counts = vec![[0; StatusKind::ALL.len()]; names.len() + 1];
        for entry in &self.all {
            counts[entry.pool as usize][usize::from(entry.status)] += 1;
        }
        // The first place is that of no name, and every number has a pool.
        let named = names.iter().zip(counts.into_iter().skip(1));
        let count = |(name, by_status): (&Arc<str>, _)| {
            let pool = PoolId::new(name);
            let pool = pool.map_err(|cause| unreadable("a number", &cause.to_string()))?;
            Ok(PoolCount { pool, by_status })
        };
        named.map(count).collect()
    }

    fn take(&mut self, News { described, removed }: News) {
        let mut news = Vec::with_capacity(described.len());
        for Told {
            entry,
            carrier,
            pool,
            ..
        } in described
        {
            let carrier = carrier.map_or(Names::NONE, |name| self.carriers.place(&name));
            let pool = self.pools.place(&pool);
            let entry = Entry {
                carrier,
                pool,
                ..entry
            };
            // Where it is there already no other entry moves.
            match self.find(entry.digits) {
                Ok(place) => self.all[place] = entry,
                Err(_) => news.push(entry),
            }
        }
        if !news.is_empty() {
            self.merge(news);
        }
        if !removed.is_empty() {
            let removed: HashSet<u64> = removed.into_iter().collect();
            self.all.retain(|entry| !removed.contains(&entry.digits));
        }
    }

    fn wake(&mut self, over: &[u64]) {
        for digits in over {
            if let Ok(place) = self.find(*digits) {
                self.all[place].status = Entry::ACTIVE;
            }
        }
    }

    /// Puts new ones in, from the end, so that each entry moves once.
    fn merge(&mut self, mut news: Vec<Entry>) {
        news.sort_unstable_by_key(|entry| entry.digits);
        let mut old = self.all.len();
        self.all.extend_from_slice(&news);
        let mut end = self.all.len();
        while let Some(last) = news.last() {
            end -= 1;
            if old > 0 && self.all[old - 1].digits > last.digits {
                old -= 1;
                self.all[end] = self.all[old];
            } else {
                self.all[end] = *last;
                news.pop();
            }
        }
    }

    fn find(&self, digits: u64) -> Result<usize, usize> {
        self.all.binary_search_by_key(&digits, |entry| entry.digits)
    }
}

#[cfg(test)]
mod tests {
    use caller_id_core::listing::StatusKind;

    use super::*;

    fn told(numbers: &[i64], pool: &str) -> News {
        let (mut news, mut texts) = (News::default(), Texts::default());
        for number in numbers {
            let described = Described {
                number: *number,
                area_code: Some(312),
                carrier: None,
                attestation: None,
                status: "active",
                resting_until: None,
                pool,
                created_at: 1,
                updated_at: 1,
            };
            news.push(&described, &mut texts).expect("a good row");
        }
        news
    }

    fn listed(catalog: &Catalog) -> Vec<u64> {
        let query = NumberQuery {
            most: 100,
            ..NumberQuery::default()
        };
        let page = catalog.entries().page(&query);
        page.iter().map(|number| number.e164_digits()).collect()
    }

    #[test]
    fn numbers_are_put_where_they_belong_and_once() {
        let mut catalog = Catalog::default();
        catalog.take(told(&[13_125_550_107, 13_125_550_103], "a"), Mark::whole(1));
        catalog.take(
            told(&[13_125_550_105, 13_125_550_103, 442_079_460_958], "b"),
            Mark::whole(2),
        );
        let mut gone = told(&[13_125_550_101, 13_125_550_109], "c");
        gone.remove(13_125_550_107);
        catalog.take(gone, Mark::whole(3));
        let expected = [
            13_125_550_101,
            13_125_550_103,
            13_125_550_105,
            13_125_550_109,
            442_079_460_958,
        ];
        assert_eq!(listed(&catalog), expected);
        let filter = NumberFilter {
            pools: vec![caller_id_core::PoolId::new("b").expect("a name")],
            ..NumberFilter::default()
        };
        assert_eq!(catalog.entries().count(&filter), 3);
    }

    #[test]
    fn a_store_that_went_back_and_another_one_start_over() {
        for (revision, identity) in [(4, Some(1)), (5, Some(2)), (5, None)] {
            let mut catalog = Catalog::default();
            assert_eq!(catalog.missing(5, Some(1)), Some(Mark::NOTHING));
            catalog.take(told(&[13_125_550_107], "a"), Mark::whole(5));
            assert_eq!(catalog.missing(5, Some(1)), None);
            assert_eq!(catalog.missing(7, Some(1)), Some(Mark::whole(5)));
            assert_eq!(catalog.missing(revision, identity), Some(Mark::NOTHING));
            assert!(listed(&catalog).is_empty());
        }
    }

    #[test]
    fn a_rest_that_is_over_is_none_and_a_clock_that_runs_back_is_told() {
        let at = Timestamp::from_ms;
        let resting = |until: Option<i64>| {
            let (mut news, mut texts) = (News::default(), Texts::default());
            let described = Described {
                number: 13_125_550_107,
                area_code: Some(312),
                carrier: None,
                attestation: None,
                status: if until.is_some() { "resting" } else { "paused" },
                resting_until: until,
                pool: "a",
                created_at: 1,
                updated_at: 1,
            };
            news.push(&described, &mut texts).expect("a good row");
            news
        };
        let of = |catalog: &Catalog, kind| {
            let filter = NumberFilter {
                statuses: vec![kind],
                ..NumberFilter::default()
            };
            catalog.entries().count(&filter)
        };
        let mut catalog = Catalog::default();
        catalog.take(resting(Some(5)), Mark::whole(1));
        assert!(catalog.wake(at(4)));
        assert_eq!(of(&catalog, StatusKind::Resting), 1);
        // A longer rest takes the place of the first.
        catalog.take(resting(Some(9)), Mark::whole(2));
        assert!(catalog.wake(at(8)));
        assert_eq!(of(&catalog, StatusKind::Resting), 1);
        assert!(catalog.wake(at(9)));
        assert_eq!(of(&catalog, StatusKind::Active), 1);
        assert!(!catalog.wake(at(8)));
        let mut catalog = Catalog::default();
        catalog.take(resting(Some(5)), Mark::whole(1));
        catalog.take(resting(None), Mark::whole(2));
        assert!(catalog.wake(at(9)) && catalog.wake(at(1)));
        assert_eq!(of(&catalog, StatusKind::Paused), 1);
    }

    #[test]
    fn who_searches_keeps_what_it_began_with() {
        let mut catalog = Catalog::default();
        catalog.take(told(&[13_125_550_107], "a"), Mark::whole(1));
        let before = catalog.entries();
        catalog.take(told(&[13_125_550_108], "a"), Mark::whole(2));
        assert_eq!(before.count(&NumberFilter::default()), 1);
        assert_eq!(listed(&catalog).len(), 2);
    }
}
