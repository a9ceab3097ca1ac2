//! Pages and counts: one walk through all entries, or less.

use caller_id_core::PhoneNumber;
use caller_id_core::listing::{Direction, NumberFilter, NumberQuery, SortBy, SortKey, StatusKind};

use super::Entries;
use super::entry::{Entry, Names, Run, packed};

/// The numbers of a page, in its order.
pub(super) fn page(entries: &Entries, query: &NumberQuery) -> Vec<PhoneNumber> {
    let Some(test) = Test::of(entries, &query.filter) else {
        return Vec::new();
    };
    let keys = Keys::of(entries, query.sort);
    let is_down = query.direction == Direction::Down;
    // What comes first is least: an order that runs down is turned round.
    let turned = |(key, digits): Rank| match is_down {
        true => (!key, !digits),
        false => (key, digits),
    };
    let after = query.after.as_ref();
    let after = after.map(|place| turned((keys.of_place(&place.key), packed(place.digits))));
    let mut best = Best::new(query.most);
    let few;
    let walked = if query.filter.numbers.is_empty() {
        walked(entries, query)
    } else {
        few = given(entries, &query.filter.numbers).collect::<Vec<_>>();
        &few
    };
    let mut walk = walked.iter();
    while let Some(entry) = if is_down {
        walk.next_back()
    } else {
        walk.next()
    } {
        let rank = turned((keys.of_entry(entry), entry.digits));
        if after.is_none_or(|after| rank > after) && test.holds(entry) {
            best.push(rank);
            // In the order of numbers the first ones are the page.
            if query.sort == SortBy::Number && best.is_full() {
                break;
            }
        }
    }
    let ranks = best.sorted().into_iter();
    let digits = ranks.map(|(_, digits)| if is_down { !digits } else { digits });
    digits.filter_map(Entry::number).collect()
}

/// The entries among which a page may be: in the order of numbers those behind its place.
fn walked<'a>(entries: &'a Entries, query: &NumberQuery) -> &'a [Entry] {
    let all = entries.all.as_slice();
    match &query.after {
        // A place in another list is behind all of this one, or before, whatever its number.
        Some(place) if query.sort == SortBy::Number && place.key == SortKey::None => {
            let digits = packed(place.digits);
            let (before, behind) = all.split_at(all.partition_point(|entry| entry.digits < digits));
            match query.direction {
                Direction::Up => behind,
                Direction::Down => before,
            }
        }
        _ => all,
    }
}

/// How many there are.
pub(super) fn count(entries: &Entries, filter: &NumberFilter) -> u64 {
    let Some(test) = Test::of(entries, filter) else {
        return 0;
    };
    let counted = match filter.numbers.is_empty() {
        true => entries.all.iter().filter(|entry| test.holds(entry)).count(),
        false => given(entries, &filter.numbers)
            .filter(|entry| test.holds(entry))
            .count(),
    };
    counted as u64
}

fn given(entries: &Entries, numbers: &[PhoneNumber]) -> impl Iterator<Item = Entry> {
    let digits = numbers.iter().map(|number| packed(number.e164_digits()));
    let mut digits: Vec<u64> = digits.collect();
    digits.sort_unstable();
    digits.dedup();
    let found = digits.into_iter().filter_map(|one| entries.find(one).ok());
    found.map(|place| entries.all[place])
}

/// What a filter asks of each entry, apart from single numbers.
struct Test {
    statuses: u8,
    /// A bit for each letter; none asks nothing.
    attestations: u32,
    /// A bit for each area code.
    area_codes: Option<Box<[u64; 16]>>,
    pools: Option<Vec<bool>>,
    carriers: Option<Vec<bool>>,
    begins: Option<Run>,
    contains: Option<Run>,
}

impl Test {
    /// `None` where no number can be asked for.
    fn of(entries: &Entries, filter: &NumberFilter) -> Option<Self> {
        let run = |text: &Option<String>| match text.as_deref() {
            None | Some("") => Some(None),
            Some(text) => Run::read(text).map(Some),
        };
        let pools = &filter.pools;
        let pools = (!pools.is_empty()).then(|| {
            let is = |name: Option<&str>| pools.iter().any(|pool| Some(pool.as_str()) == name);
            entries.pools.asked(is)
        });
        let carriers = &filter.carriers;
        let carriers = (!carriers.is_empty()).then(|| {
            // An empty text asks for those without.
            let is = |name: Option<&str>| carriers.iter().any(|one| one == name.unwrap_or(""));
            entries.carriers.asked(is)
        });
        let levels = filter.attestations.iter();
        let levels = levels.filter_map(|level| level.to_string().bytes().next());
        Some(Self {
            statuses: statuses(&filter.statuses),
            attestations: levels.fold(0, |all, level| all | letter(level)),
            area_codes: area_codes(filter),
            pools,
            carriers,
            begins: run(&filter.begins)?,
            contains: run(&filter.contains)?,
        })
    }

    fn holds(&self, entry: &Entry) -> bool {
        let named = |asked: &Option<Vec<bool>>, place: u32| {
            let asked = asked.as_ref();
            asked.is_none_or(|asked| asked.get(place as usize) == Some(&true))
        };
        let in_area = |codes: &[u64; 16]| {
            let word = codes.get(usize::from(entry.area_code / 64));
            word.is_some_and(|word| word >> (entry.area_code % 64) & 1 == 1)
        };
        self.statuses >> entry.status & 1 == 1
            && (self.attestations == 0 || self.attestations & letter(entry.attestation) != 0)
            && self.area_codes.as_deref().is_none_or(in_area)
            && named(&self.pools, entry.pool)
            && named(&self.carriers, entry.carrier)
            && self.begins.is_none_or(|run| run.begins(entry.digits))
            && self.contains.is_none_or(|run| run.is_in(entry.digits))
    }
}

/// A bit for each kind; all where none is asked for.
fn statuses(asked: &[StatusKind]) -> u8 {
    let kinds = StatusKind::ALL.into_iter().zip(0..);
    let kinds = kinds.filter(|(kind, _)| asked.is_empty() || asked.contains(kind));
    kinds.fold(0, |all, (_, place)| all | 1 << place)
}

/// The bit of a letter; none for what is none.
fn letter(level: u8) -> u32 {
    match level {
        b'A'..=b'Z' => 1 << (level - b'A'),
        _ => 0,
    }
}

fn area_codes(filter: &NumberFilter) -> Option<Box<[u64; 16]>> {
    let mut bits = Box::new([0; 16]);
    for code in filter.area_codes.iter().map(|code| code.get()) {
        bits[usize::from(code / 64)] |= 1 << (code % 64);
    }
    (!filter.area_codes.is_empty()).then_some(bits)
}

/// Where an entry stands: what it is sorted by, and its digits.
type Rank = (i64, u64);

/// What entries are sorted by, as whole numbers.
struct Keys<'a> {
    sort: SortBy,
    /// The texts of the column, ascending.
    texts: Vec<&'a str>,
    /// The key of each place of its names.
    by_place: Vec<i64>,
}

impl<'a> Keys<'a> {
    /// Of what has none there.
    const NONE: i64 = i64::MIN;

    fn of(entries: &'a Entries, sort: SortBy) -> Self {
        let of_names = |names: &'a Names| {
            let texts = names.sorted();
            let keys = names.texts().iter();
            let keys = keys.map(|text| Self::of_text(&texts, text));
            let by_place = std::iter::once(Self::NONE).chain(keys).collect();
            (texts, by_place)
        };
        let (texts, by_place) = match sort {
            SortBy::Carrier => of_names(&entries.carriers),
            SortBy::Pool => of_names(&entries.pools),
            SortBy::Status => {
                let words = StatusKind::ALL.map(StatusKind::as_str);
                let mut texts = words.to_vec();
                texts.sort_unstable();
                let keys = words.map(|word| Self::of_text(&texts, word));
                (texts, keys.to_vec())
            }
            SortBy::Number | SortBy::AreaCode | SortBy::CreatedAt | SortBy::UpdatedAt => {
                Default::default()
            }
        };
        Self {
            sort,
            texts,
            by_place,
        }
    }

    /// Odd where it is one of the texts, even between them: from 0, before all.
    fn of_text(texts: &[&str], text: &str) -> i64 {
        match texts.binary_search(&text) {
            Ok(place) => 2 * place as i64 + 1,
            Err(place) => 2 * place as i64,
        }
    }

    fn of_entry(&self, entry: &Entry) -> i64 {
        let named = |place: usize| self.by_place.get(place).copied().unwrap_or(Self::NONE);
        match self.sort {
            SortBy::Number => Self::NONE,
            SortBy::AreaCode if entry.area_code == 0 => Self::NONE,
            SortBy::AreaCode => entry.area_code.into(),
            SortBy::Carrier => named(entry.carrier as usize),
            SortBy::Pool => named(entry.pool as usize),
            SortBy::Status => named(entry.status.into()),
            SortBy::CreatedAt => entry.created_at,
            SortBy::UpdatedAt => entry.updated_at,
        }
    }

    /// The key of a place, which may be of another list: nothing comes before whole numbers, and these before texts.
    fn of_place(&self, key: &SortKey) -> i64 {
        let has_texts = matches!(self.sort, SortBy::Carrier | SortBy::Pool | SortBy::Status);
        match key {
            SortKey::None => Self::NONE,
            SortKey::Whole(_) if has_texts => 0,
            SortKey::Whole(key) => *key,
            SortKey::Text(text) if has_texts => Self::of_text(&self.texts, text),
            SortKey::Text(_) => i64::MAX,
        }
    }
}

/// The least of all that are pushed.
struct Best {
    most: usize,
    kept: Vec<Rank>,
    /// What is not less than this is none of them.
    bound: Option<Rank>,
}

impl Best {
    const fn new(most: usize) -> Self {
        Self {
            most,
            kept: Vec::new(),
            bound: None,
        }
    }

    fn is_full(&self) -> bool {
        self.kept.len() >= self.most
    }

    fn push(&mut self, rank: Rank) {
        if self.most == 0 || self.bound.is_some_and(|bound| rank >= bound) {
            return;
        }
        self.kept.push(rank);
        if self.kept.len() >= self.most.saturating_mul(2) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.kept.len() > self.most && self.most > 0 {
            let (_, last, _) = self.kept.select_nth_unstable(self.most - 1);
            self.bound = Some(*last);
            self.kept.truncate(self.most);
        }
    }

    fn sorted(mut self) -> Vec<Rank> {
        self.cut();
        self.kept.sort_unstable();
        self.kept
    }
}
