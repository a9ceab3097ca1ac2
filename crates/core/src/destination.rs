//! The called party: dial prefixes stripped, and what must never be rotated refused.

use thiserror::Error;

use crate::number::{Digits, NumberError, PhoneNumber};

/// How dialed strings are written at one site: the prefixes in front of the number (`DIAL_PREFIXES=9,91`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DialPlan {
    prefixes: Vec<String>,
}

/// Services that a call centre must never reach through rotation, as they are dialed.
const SERVICES: [(&str, &str); 13] = [
    ("911", "an emergency service"),
    ("112", "an emergency service"),
    ("999", "an emergency service"),
    ("933", "the 911 address test"),
    ("988", "the suicide and crisis lifeline"),
    ("211", "an N11 service"),
    ("311", "an N11 service"),
    ("411", "an N11 service"),
    ("511", "an N11 service"),
    ("611", "an N11 service"),
    ("711", "an N11 service"),
    ("811", "an N11 service"),
    ("000", "an emergency service"),
];

/// Up to six digits are a short code or an extension, never a subscriber.
const SHORT_CODE_DIGITS: usize = 6;

impl DialPlan {
    /// A plan with these prefixes, each of digits, `*` and `#` only.
    ///
    /// # Errors
    /// Names the prefix that has something else.
    pub fn new(prefixes: &[String]) -> Result<Self, String> {
        let mut prefixes = prefixes.to_vec();
        for prefix in &prefixes {
            if prefix.is_empty()
                || !prefix
                    .chars()
                    .all(|c| c.is_ascii_digit() || c == '*' || c == '#')
            {
                return Err(format!(
                    "dial prefix `{prefix}` may have digits, * and # only"
                ));
            }
        }
        prefixes.sort_by_key(|prefix| std::cmp::Reverse(prefix.len()));
        Ok(Self { prefixes })
    }

    /// The destination in E.164, prefixes stripped.
    ///
    /// What is a NANP number as it stands is never stripped (`9175551212` stays New York's 917, also with prefix `9`);
    /// then each prefix is tried, longest first; then the text is read as a number of another country.
    ///
    /// # Errors
    /// [`DestinationError::NotRotated`] for emergency, N11, 988 and short codes, with and without prefix;
    /// [`DestinationError::Invalid`] for what is no number.
    pub fn destination(&self, text: &str) -> Result<PhoneNumber, DestinationError> {
        let stripped: Vec<&str> = self.strippings(text.trim()).collect();
        let candidates = || std::iter::once(text).chain(stripped.iter().copied());
        // Services first: `9911` is short too, but what matters of it is the 911.
        candidates().try_for_each(refuse_services)?;
        candidates().try_for_each(refuse_short_codes)?;
        let whole = PhoneNumber::parse(text);
        if whole.as_ref().is_ok_and(|number| number.is_nanp()) {
            return Ok(whole?);
        }
        let parsed = stripped
            .iter()
            .filter_map(|rest| PhoneNumber::parse(rest).ok());
        let (nanp, abroad): (Vec<_>, Vec<_>) = parsed.partition(|number| number.is_nanp());
        match nanp.first().or(abroad.first()) {
            Some(number) => Ok(*number),
            None => Ok(whole?),
        }
    }

    fn strippings<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a str> {
        self.prefixes
            .iter()
            .filter_map(move |prefix| text.strip_prefix(prefix.as_str()))
    }
}

fn refuse_services(text: &str) -> Result<(), DestinationError> {
    let Ok(digits) = Digits::scan(text) else {
        return Ok(());
    };
    let dialed = digits.digits;
    let bare = dialed
        .strip_prefix('1')
        .filter(|rest| rest.len() == 3)
        .unwrap_or(&dialed);
    match SERVICES.iter().find(|(code, _)| *code == bare) {
        Some((_, what)) => Err(DestinationError::NotRotated { dialed, what }),
        None => Ok(()),
    }
}

fn refuse_short_codes(text: &str) -> Result<(), DestinationError> {
    match Digits::scan(text) {
        Ok(digits) if digits.digits.len() <= SHORT_CODE_DIGITS => {
            Err(DestinationError::NotRotated {
                dialed: digits.digits,
                what: "a short code",
            })
        }
        _ => Ok(()),
    }
}

/// Why a destination gets no caller ID.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DestinationError {
    /// Emergency, N11, 988 and short codes keep the caller's own number.
    #[error("destination `{dialed}` is {what}: caller IDs are never rotated for it")]
    NotRotated {
        /// The digits as dialed.
        dialed: String,
        /// What they reach.
        what: &'static str,
    },
    /// The text is no phone number.
    #[error("destination: {0}")]
    Invalid(#[from] NumberError),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(prefixes: &[&str]) -> DialPlan {
        DialPlan::new(
            &prefixes
                .iter()
                .map(|prefix| (*prefix).to_owned())
                .collect::<Vec<_>>(),
        )
        .expect("valid prefixes")
    }

    fn read(prefixes: &[&str], text: &str) -> String {
        plan(prefixes)
            .destination(text)
            .map_or_else(|error| error.to_string(), |number| number.to_string())
    }

    #[test]
    fn a_dial_prefix_is_stripped() {
        for text in [
            "917275551212",
            "97275551212",
            "17275551212",
            "7275551212",
            "+17275551212",
        ] {
            assert_eq!(read(&["9", "91"], text), "+17275551212", "{text}");
        }
        assert_eq!(read(&["9"], "9011442079460958"), "+442079460958");
        assert_eq!(read(&["*9"], "*97275551212"), "+17275551212");
    }

    #[test]
    fn a_number_that_is_one_as_it_stands_is_not_stripped() {
        assert_eq!(read(&["9", "91"], "9175551212"), "+19175551212");
        assert_eq!(read(&["9", "91"], "+917275551212"), "+917275551212");
        assert_eq!(read(&[], "917275551212"), "+917275551212");
    }

    #[test]
    fn emergency_n11_988_and_short_codes_are_never_rotated() {
        for text in [
            "911", "9911", "1911", "988", "411", "211", "112", "933", "+911", "9-1-1", "12345",
            "72727", "91988",
        ] {
            let answer = read(&["9", "91"], text);
            assert!(answer.contains("never rotated"), "{text}: {answer}");
        }
        assert_eq!(
            read(&[], "911"),
            "destination `911` is an emergency service: caller IDs are never rotated for it"
        );
        assert_eq!(read(&["9"], "9911"), read(&[], "911"));
        assert_eq!(
            read(&[], "72727"),
            "destination `72727` is a short code: caller IDs are never rotated for it"
        );
    }

    #[test]
    fn what_is_no_number_is_an_error_that_says_why() {
        assert_eq!(
            read(&[], ""),
            "destination: number `` has no digits, 10 or 11 expected"
        );
        assert_eq!(
            read(&[], "5551212"),
            "destination: number `5551212` has 7 digits, 10 or 11 (or + and a country code) expected"
        );
        assert!(DialPlan::new(&["9x".to_owned()]).is_err());
    }
}
