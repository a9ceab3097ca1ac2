//! Phone numbers in E.164 and the area codes of the North American Numbering Plan.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// A phone number in E.164 (ITU-T E.164: at most 15 digits, country code first), parsed and cheap to copy.
///
/// NANP numbers (country code 1) are checked to have the form NPA NXX XXXX with N from 2 to 9.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(u64);

const NANP_FIRST: u64 = 12_000_000_000;
const NANP_LAST: u64 = 19_999_999_999;
const E164_DIGITS_LEAST: usize = 8;
const E164_DIGITS_MOST: usize = 15;
/// No form people write has more characters; longer text is refused unread.
const TEXT_MOST: usize = 64;

impl PhoneNumber {
    /// Parses every form people have: `13125550100`, `3125550100`, `+1 (312) 555-0100`, `312-555-0100`,
    /// `011 44 20 7946 0958`, `+442079460958`, `tel:+13125550100`.
    ///
    /// Ten digits are a NANP number, eleven that start with 1 too. Numbers of other countries need their country code;
    /// without a leading `+`, `00` or `011` they need at least 11 digits, so that a digit forgotten is not another country.
    ///
    /// # Errors
    /// [`NumberError`] names the text and what was expected.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let digits = Digits::scan(text)?;
        digits.to_number().map_err(|reason| NumberError {
            text: shorten(text),
            reason,
        })
    }

    /// The number with these E.164 digits (no `+`), or `None` when they cannot be one.
    pub fn from_e164_digits(digits: u64) -> Option<Self> {
        let count = digits.checked_ilog10()? as usize + 1;
        let plausible = (E164_DIGITS_LEAST..=E164_DIGITS_MOST).contains(&count);
        let nanp = leading_digit(digits, count) == 1;
        (plausible && (!nanp || is_nanp(digits))).then_some(Self(digits))
    }

    /// The E.164 digits as one integer, country code first.
    pub const fn e164_digits(self) -> u64 {
        self.0
    }

    /// Whether this is a number of the North American Numbering Plan (country code 1).
    pub const fn is_nanp(self) -> bool {
        NANP_FIRST <= self.0 && self.0 <= NANP_LAST
    }

    /// The NPA of a NANP number, `None` for others.
    pub fn area_code(self) -> Option<AreaCode> {
        self.is_nanp()
            .then(|| AreaCode::new((self.0 / 10_000_000 % 1_000) as u16))
            .flatten()
    }

    /// The number written as `format` says.
    pub fn format(self, format: NumberFormat) -> String {
        match format {
            NumberFormat::National if self.is_nanp() => format!("{:010}", self.0 - 10_000_000_000),
            NumberFormat::National | NumberFormat::Digits => self.0.to_string(),
            NumberFormat::E164 => self.to_string(),
        }
    }

    /// The number with all but its first six digits hidden, for logs: `+131255*****`.
    pub fn masked(self) -> String {
        let digits = self.0.to_string();
        format!("+{}{}", &digits[..6], "*".repeat(digits.len() - 6))
    }
}

fn leading_digit(digits: u64, count: usize) -> u64 {
    digits / 10u64.pow(count as u32 - 1)
}

/// NPA and NXX both start with 2 to 9, and neither is N11 as an area code.
fn is_nanp(digits: u64) -> bool {
    let exchange_first = digits / 1_000_000 % 10;
    let area_code = (digits / 10_000_000 % 1_000) as u16;
    (NANP_FIRST..=NANP_LAST).contains(&digits) && exchange_first >= 2 && area_code % 100 != 11
}

/// What a number looks like in an answer. Non-NANP numbers have no national form here: they get their E.164 digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NumberFormat {
    /// Ten digits, as the reference answers: `3125550100`.
    #[default]
    National,
    /// Country code and number: `13125550100`.
    Digits,
    /// With the plus: `+13125550100`.
    E164,
}

impl FromStr for NumberFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "national" => Ok(Self::National),
            "digits" => Ok(Self::Digits),
            "e164" => Ok(Self::E164),
            _ => Err("expected national, digits or e164".to_owned()),
        }
    }
}

impl fmt::Display for NumberFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::National => "national",
            Self::Digits => "digits",
            Self::E164 => "e164",
        })
    }
}

impl fmt::Display for PhoneNumber {
    /// E.164 with the plus.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PhoneNumber {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for PhoneNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PhoneNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// The digits of a text, and whether it said that they begin with a country code.
pub(crate) struct Digits {
    /// Only ASCII digits, international prefix removed.
    pub(crate) digits: String,
    /// The text began with `+`, `00` or `011`.
    pub(crate) international: bool,
}

impl Digits {
    /// Takes the separators people write out of `text`.
    pub(crate) fn scan(text: &str) -> Result<Self, NumberError> {
        let fail = |reason| {
            Err(NumberError {
                text: shorten(text),
                reason,
            })
        };
        let bare = text.trim();
        let bare = bare.strip_prefix("tel:").unwrap_or(bare);
        if bare.is_empty() {
            return fail(Reason::Empty);
        }
        if bare.len() > TEXT_MOST {
            return fail(Reason::TooLong(bare.len()));
        }
        let (plus, rest) = bare
            .strip_prefix('+')
            .map_or((false, bare), |rest| (true, rest));
        let mut digits = String::with_capacity(rest.len());
        for (place, character) in rest.chars().enumerate() {
            match character {
                '0'..='9' => digits.push(character),
                ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}' | '\u{2010}'..='\u{2013}' => {}
                other => {
                    return fail(Reason::Character {
                        character: other,
                        place: place + 1 + usize::from(plus),
                    });
                }
            }
        }
        if digits.is_empty() {
            return fail(Reason::Empty);
        }
        if !plus && digits.len() > 10 {
            for prefix in ["011", "00"] {
                if let Some(rest) = digits.strip_prefix(prefix) {
                    return Ok(Self {
                        digits: rest.to_owned(),
                        international: true,
                    });
                }
            }
        }
        Ok(Self {
            digits,
            international: plus,
        })
    }

    pub(crate) fn to_number(&self) -> Result<PhoneNumber, Reason> {
        let count = self.digits.len();
        if count > E164_DIGITS_MOST {
            return Err(Reason::Digits {
                count,
                international: self.international,
            });
        }
        let value: u64 = self.digits.parse().map_err(|_| Reason::Empty)?;
        let nanp = match (self.international, count) {
            (false, 10) => Some(10_000_000_000 + value),
            (_, 11) if self.digits.starts_with('1') => Some(value),
            _ => None,
        };
        if let Some(value) = nanp {
            return check_nanp(value);
        }
        let least = if self.international {
            E164_DIGITS_LEAST
        } else {
            11
        };
        if count < least || self.digits.starts_with('1') {
            return Err(Reason::Digits {
                count,
                international: self.international,
            });
        }
        if self.digits.starts_with('0') {
            return Err(Reason::CountryCode);
        }
        Ok(PhoneNumber(value))
    }
}

fn check_nanp(value: u64) -> Result<PhoneNumber, Reason> {
    let area_code = (value / 10_000_000 % 1_000) as u16;
    let exchange = (value / 10_000 % 1_000) as u16;
    if area_code < 200 || area_code % 100 == 11 {
        Err(Reason::AreaCode(area_code))
    } else if exchange < 200 {
        Err(Reason::Exchange(exchange))
    } else {
        Ok(PhoneNumber(value))
    }
}

fn shorten(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(TEXT_MOST)
        .filter(|c| !c.is_control())
        .collect();
    if text.chars().count() > TEXT_MOST {
        shown.push('…');
    }
    shown
}

/// A text that is not a phone number: the text and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("number `{text}` {reason}")]
pub struct NumberError {
    text: String,
    pub(crate) reason: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Reason {
    #[error("has no digits, 10 or 11 expected")]
    Empty,
    #[error("is {0} characters long, at most {TEXT_MOST} expected")]
    TooLong(usize),
    #[error("has `{}` at place {place}, only digits, `+` in front, spaces and ().-/ expected", character.escape_default())]
    Character { character: char, place: usize },
    #[error("has {count} digits, {} expected", expected_digits(*international))]
    Digits { count: usize, international: bool },
    #[error("has the country code 0, which does not exist")]
    CountryCode,
    #[error("has the area code {0:03}, 200 to 999 without N11 expected")]
    AreaCode(u16),
    #[error("has the central office code {0:03}, 200 to 999 expected")]
    Exchange(u16),
}

fn expected_digits(international: bool) -> &'static str {
    if international {
        "8 to 15 with the country code (11 where it is 1)"
    } else {
        "10 or 11 (or + and a country code)"
    }
}

/// An area code (NPA) of the North American Numbering Plan: three digits, the first from 2 to 9, not N11.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AreaCode(NonZeroU16);

impl AreaCode {
    /// The area code, or `None` when `code` cannot be one. Says nothing about being in service.
    pub fn new(code: u16) -> Option<Self> {
        let plausible = (200..=999).contains(&code) && code % 100 != 11;
        plausible.then(|| NonZeroU16::new(code).map(Self)).flatten()
    }

    /// The three digits as a number from 200 to 999.
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

impl fmt::Display for AreaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for AreaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for AreaCode {
    type Err = String;

    /// Reads exactly three digits.
    ///
    /// # Errors
    /// Says what was given and what was expected.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        let code = digits
            .then(|| text.parse().ok().and_then(Self::new))
            .flatten();
        code.ok_or_else(|| {
            format!(
                "area code `{}` is not one: three digits, the first from 2 to 9, not N11, expected",
                shorten(text)
            )
        })
    }
}

impl Serialize for AreaCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AreaCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> String {
        PhoneNumber::parse(text).map_or_else(|error| error.to_string(), |number| number.to_string())
    }

    #[test]
    fn every_form_people_write_is_the_same_number() {
        for text in [
            "13125550100",
            "3125550100",
            "+13125550100",
            "+1 (312) 555-0100",
            "312-555-0100",
            "(312) 555-0100",
            "312.555.0100",
            " 1-312-555-0100 ",
            "tel:+1-312-555-0100",
            "0013125550100",
            "01113125550100",
            "1 312 555\u{2011}0100",
            "312/555-0100",
        ] {
            assert_eq!(parsed(text), "+13125550100", "{text}");
        }
    }

    #[test]
    fn numbers_of_other_countries_parse_with_their_country_code() {
        assert_eq!(parsed("+44 20 7946 0958"), "+442079460958");
        assert_eq!(parsed("442079460958"), "+442079460958");
        assert_eq!(parsed("011 44 20 7946 0958"), "+442079460958");
        assert_eq!(parsed("+67512345"), "+67512345");
        assert_eq!(parsed("+917275551212"), "+917275551212");
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(
            parsed("555"),
            "number `555` has 3 digits, 10 or 11 (or + and a country code) expected"
        );
        assert_eq!(parsed(""), "number `` has no digits, 10 or 11 expected");
        assert_eq!(
            parsed("312555010"),
            "number `312555010` has 9 digits, 10 or 11 (or + and a country code) expected"
        );
        assert_eq!(
            parsed("31255x0100"),
            "number `31255x0100` has `x` at place 6, only digits, `+` in front, spaces and ().-/ expected"
        );
        assert_eq!(
            parsed("1125550100"),
            "number `1125550100` has the area code 112, 200 to 999 without N11 expected"
        );
        assert_eq!(
            parsed("9115550100"),
            "number `9115550100` has the area code 911, 200 to 999 without N11 expected"
        );
        assert_eq!(
            parsed("3121550100"),
            "number `3121550100` has the central office code 155, 200 to 999 expected"
        );
        assert_eq!(
            parsed("+1234567"),
            "number `+1234567` has 7 digits, 8 to 15 with the country code (11 where it is 1) expected"
        );
        assert_eq!(
            parsed("+1312555010"),
            "number `+1312555010` has 10 digits, 8 to 15 with the country code (11 where it is 1) expected"
        );
        assert_eq!(
            parsed("1234567890123456"),
            "number `1234567890123456` has 16 digits, 10 or 11 (or + and a country code) expected"
        );
        assert_eq!(
            parsed("+0123456789"),
            "number `+0123456789` has the country code 0, which does not exist"
        );
    }

    #[test]
    fn formats_are_those_of_the_setting() {
        let number = PhoneNumber::parse("3125550100").expect("valid");
        assert_eq!(number.format(NumberFormat::National), "3125550100");
        assert_eq!(number.format(NumberFormat::Digits), "13125550100");
        assert_eq!(number.format(NumberFormat::E164), "+13125550100");
        assert_eq!(number.masked(), "+131255*****");
        let abroad = PhoneNumber::parse("+442079460958").expect("valid");
        assert_eq!(abroad.format(NumberFormat::National), "442079460958");
    }

    #[test]
    fn only_nanp_numbers_have_an_area_code() {
        assert_eq!(
            PhoneNumber::parse("3125550100").expect("valid").area_code(),
            AreaCode::new(312)
        );
        assert_eq!(
            PhoneNumber::parse("+442079460958")
                .expect("valid")
                .area_code(),
            None
        );
    }

    #[test]
    fn an_area_code_is_three_digits_that_can_be_one() {
        assert_eq!("312".parse::<AreaCode>().map(AreaCode::get), Ok(312));
        for text in ["12", "3125", "112", "411", "000", "abc", "", "३१२"] {
            assert!(text.parse::<AreaCode>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_what_it_gives_parses_again(text in "\\PC{0,80}") {
            if let Ok(number) = PhoneNumber::parse(&text) {
                prop_assert_eq!(PhoneNumber::parse(&number.to_string()), Ok(number));
                prop_assert_eq!(PhoneNumber::from_e164_digits(number.e164_digits()), Some(number));
            }
        }

        #[test]
        fn digits_with_separators_parse_as_without(area in 200u16..999, exchange in 200u16..999, line in 0u16..9999) {
            prop_assume!(area % 100 != 11);
            let plain = PhoneNumber::parse(&format!("{area}{exchange}{line:04}"));
            prop_assert!(plain.is_ok());
            prop_assert_eq!(PhoneNumber::parse(&format!("+1 ({area}) {exchange}-{line:04}")), plain);
        }
    }
}
