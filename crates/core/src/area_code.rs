//! The area codes of the North American Numbering Plan: what one looks like. Which are in service, and where, is in
//! [`crate::area_codes`].

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text::shown;

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
                shown(text)
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

    #[test]
    fn an_area_code_is_three_digits_that_can_be_one() {
        assert_eq!("312".parse::<AreaCode>().map(AreaCode::get), Ok(312));
        for text in ["12", "3125", "112", "411", "000", "abc", "", "३१२"] {
            assert!(text.parse::<AreaCode>().is_err(), "{text}");
        }
    }
}
