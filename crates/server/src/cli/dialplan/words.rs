//! Words that go into a dialplan as they are: in each only what means nothing else there.

use std::fmt;
use std::str::FromStr;

/// The name of a trunk or a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

/// Digits in front of a number; may be none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

/// A dialer's key. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

/// Longer ones are typing errors.
const PREFIX_DIGITS_MOST: usize = 8;

/// What is the same in a dialplan, a URL and a header.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    !text.is_empty() && text.bytes().all(plain)
}

impl FromStr for Name {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim();
        is_plain(name)
            .then(|| Self(name.to_owned()))
            .ok_or("expected letters, digits and -_.~ alone")
    }
}

impl FromStr for Prefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let prefix = text.trim();
        let good =
            prefix.len() <= PREFIX_DIGITS_MOST && prefix.bytes().all(|byte| byte.is_ascii_digit());
        good.then(|| Self(prefix.to_owned()))
            .ok_or_else(|| format!("expected at most {PREFIX_DIGITS_MOST} digits"))
    }
}

impl FromStr for Key {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        is_plain(text.trim())
            .then(|| Self(text.trim().to_owned()))
            .ok_or("a dialplan carries keys of letters, digits and -_.~ alone: make one, and add it to DIALER_KEYS")
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl Prefix {
    /// How many digits it has.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Key {
    /// The key itself, for the lines that send it.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_else_in_a_dialplan_is_in_no_word() {
        for text in [
            "", "a b", "a,b", "a;b", "${X}", "a)b", "a\nb", "a\"b", "ä", "a&b", "a/b",
        ] {
            assert!(text.parse::<Name>().is_err(), "{text:?}");
            assert!(text.parse::<Key>().is_err(), "{text:?}");
        }
        for text in ["9x", "*9", "_9", "123456789", "9 1"] {
            assert!(text.parse::<Prefix>().is_err(), "{text:?}");
        }
        assert_eq!("".parse::<Prefix>().unwrap().len(), 0);
        assert_eq!(
            " my-carrier_2.x ".parse::<Name>().unwrap().to_string(),
            "my-carrier_2.x"
        );
    }
}
