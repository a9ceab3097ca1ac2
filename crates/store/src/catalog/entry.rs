//! A number in 40 bytes.

use std::collections::HashMap;
use std::sync::Arc;

use caller_id_core::listing::StatusKind;
use caller_id_core::{PhoneNumber, StoreError};

use crate::values::unreadable;

/// The most digits that a number has: 15.
const NUMBER_MOST: u64 = 999_999_999_999_999;

/// What lists look at of a number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// Its E.164 digits, four bits each: as numbers they have the same order, and digits in them are found by shifting.
    pub(super) digits: u64,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    /// In [`Names`].
    pub(super) carrier: u32,
    /// In [`Names`].
    pub(super) pool: u32,
    /// 0 where it has none.
    pub(super) area_code: u16,
    /// The place of its [`StatusKind`].
    pub(super) status: u8,
    /// The letter; 0 where it has none.
    pub(super) attestation: u8,
}

/// A number as the store has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Described<'a> {
    pub(crate) number: i64,
    pub(crate) area_code: Option<i64>,
    pub(crate) carrier: Option<&'a str>,
    pub(crate) attestation: Option<&'a str>,
    pub(crate) status: &'a str,
    pub(crate) resting_until: Option<i64>,
    pub(crate) pool: &'a str,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

impl Described<'_> {
    /// Where it rests: until then.
    pub(super) fn rests_until(&self) -> Option<i64> {
        let rests = self.status == StatusKind::Resting.as_str();
        self.resting_until.filter(|_| rests)
    }

    /// The entry, as yet without its carrier and pool.
    pub(super) fn entry(&self) -> Result<Entry, StoreError> {
        let bad = |why: &str| unreadable(&format!("number `{}`", self.number), why);
        let kinds = StatusKind::ALL.into_iter();
        let status = kinds
            .zip(0..)
            .find(|(kind, _)| kind.as_str() == self.status)
            .ok_or_else(|| bad("its status is none"))?;
        let area_code = u16::try_from(self.area_code.unwrap_or_default());
        let level = self.attestation.and_then(|level| level.bytes().next());
        Ok(Entry {
            digits: packed(self.number.unsigned_abs()),
            created_at: self.created_at,
            updated_at: self.updated_at,
            carrier: Names::NONE,
            pool: Names::NONE,
            area_code: area_code.map_err(|_| bad("its area code is none"))?,
            status: status.1,
            attestation: level.unwrap_or_default(),
        })
    }
}

impl Entry {
    /// The place of [`StatusKind::Active`].
    pub(super) const ACTIVE: u8 = 0;

    /// The number; none where the store has one that is none.
    pub(super) fn number(digits: u64) -> Option<PhoneNumber> {
        let places = (0..16).rev().map(|place| digits >> (4 * place) & 0xf);
        PhoneNumber::from_e164_digits(places.fold(0, |number, digit| number * 10 + digit))
    }
}

/// Digits, four bits each; what has more than a number can have comes behind all.
pub(super) fn packed(number: u64) -> u64 {
    if number > NUMBER_MOST {
        return u64::MAX;
    }
    let (mut rest, mut packed, mut shift) = (number, 0, 0);
    while rest > 0 {
        packed |= (rest % 10) << shift;
        rest /= 10;
        shift += 4;
    }
    packed
}

/// Some digits in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    packed: u64,
    bits: u32,
    mask: u64,
}

impl Run {
    /// `None`: it is no run of digits that a number could have.
    pub(super) fn read(text: &str) -> Option<Self> {
        let good = (1..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let bits = 4 * u32::try_from(text.len()).ok()?;
        good.then(|| Self {
            packed: packed(text.parse().unwrap_or_default()),
            bits,
            mask: (1 << bits) - 1,
        })
    }

    /// Whether `digits` begin with it.
    pub(super) fn begins(self, digits: u64) -> bool {
        let more = bits(digits).checked_sub(self.bits);
        more.is_some_and(|more| digits >> more == self.packed)
    }

    /// Whether it is in `digits`.
    pub(super) fn is_in(self, digits: u64) -> bool {
        let Some(more) = bits(digits).checked_sub(self.bits) else {
            return false;
        };
        let mut places = (0..=more).step_by(4);
        places.any(|place| digits >> place & self.mask == self.packed)
    }
}

/// How many bits the digits take.
const fn bits(digits: u64) -> u32 {
    (u64::BITS - digits.leading_zeros()).next_multiple_of(4)
}

/// Texts by places; those that nobody has any more stay.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    texts: Vec<Arc<str>>,
    places: HashMap<Arc<str>, u32>,
}

impl Names {
    /// The place of no text.
    pub(super) const NONE: u32 = 0;

    /// The place of a text.
    pub(super) fn place(&mut self, text: &Arc<str>) -> u32 {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        self.texts.push(Arc::clone(text));
        let place = self.texts.len() as u32;
        self.places.insert(Arc::clone(text), place);
        place
    }

    /// For each place, no text first, whether it is asked for.
    pub(super) fn asked(&self, is: impl Fn(Option<&str>) -> bool) -> Vec<bool> {
        let texts = self.texts.iter().map(|text| is(Some(text)));
        std::iter::once(is(None)).chain(texts).collect()
    }

    /// The texts, byte by byte.
    pub(super) fn sorted(&self) -> Vec<&str> {
        let mut sorted: Vec<&str> = self.texts.iter().map(AsRef::as_ref).collect();
        sorted.sort_unstable();
        sorted
    }

    /// The texts by their places, from the first.
    pub(super) fn texts(&self) -> &[Arc<str>] {
        &self.texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn active_is_the_first_status() {
        assert_eq!(
            StatusKind::ALL[usize::from(Entry::ACTIVE)],
            StatusKind::Active
        );
    }

    #[test]
    fn digits_are_found_where_text_has_them() {
        let numbers: [u64; 5] = [
            13_120_000_000,
            13_125_550_100,
            442_079_460_958,
            3_120_000_000,
            861_312_555_000_112,
        ];
        let runs = [
            "0",
            "1",
            "00",
            "0100",
            "012",
            "1312",
            "13120000000",
            "44",
            "958",
            "861312555000112",
            "9",
            "000000000",
            "0000000000",
            "8613125550001120",
        ];
        for number in numbers {
            let (digits, text) = (packed(number), number.to_string());
            for run in runs {
                let read = Run::read(run);
                let is_in = read.is_some_and(|run| run.is_in(digits));
                let begins = read.is_some_and(|run| run.begins(digits));
                assert_eq!(is_in, text.contains(run), "{run} in {text}");
                assert_eq!(begins, text.starts_with(run), "{run} before {text}");
            }
        }
        for bad in ["", "+1", "é", "12 3"] {
            assert_eq!(Run::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn packed_digits_are_the_number_and_have_its_order() {
        let numbers = [3_120_000_000_u64, 13_125_550_100, 442_079_460_958];
        for number in numbers {
            let back = Entry::number(packed(number));
            assert_eq!(back.map(PhoneNumber::e164_digits), Some(number));
        }
        assert!(numbers.map(packed).is_sorted());
    }
}
