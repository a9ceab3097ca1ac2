//! Phone numbers in E.164.

mod digits;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::area_code::AreaCode;

pub(crate) use digits::Digits;
pub use digits::NumberError;

/// A phone number in E.164 (ITU-T E.164: at most 15 digits, country code first), parsed and cheap to copy.
///
/// NANP numbers (country code 1) are checked to have the form NPA NXX XXXX with N from 2 to 9.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(u64);

const NANP_FIRST: u64 = 12_000_000_000;
const NANP_LAST: u64 = 19_999_999_999;
const E164_DIGITS_LEAST: usize = 8;
const E164_DIGITS_MOST: usize = 15;

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
        digits.to_number().map_err(|reason| reason.of(text))
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
            NumberFormat::National if self.is_nanp() => (self.0 - 10_000_000_000).to_string(),
            NumberFormat::National | NumberFormat::Digits => self.0.to_string(),
            NumberFormat::E164 => self.to_string(),
        }
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
            "TEL:+13125550100",
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
