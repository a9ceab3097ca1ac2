//! From a text to the digits of a number, and what may be wrong with it.

use thiserror::Error;

use super::{E164_DIGITS_LEAST, E164_DIGITS_MOST, PhoneNumber};
use crate::text::shown;

/// No form people write has more characters; longer text is refused unread.
const TEXT_MOST: usize = 64;

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
        let fail = |reason: Reason| Err(reason.of(text));
        let bare = text.trim();
        let bare = match bare.split_at_checked(4) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tel:") => rest,
            _ => bare,
        };
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

/// A text that is not a phone number: the text and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("number `{text}` {reason}")]
pub struct NumberError {
    text: String,
    reason: Reason,
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

impl Reason {
    /// The error of a text that is no number for this reason.
    pub(crate) fn of(self, text: &str) -> NumberError {
        NumberError {
            text: shown(text),
            reason: self,
        }
    }
}

fn expected_digits(international: bool) -> &'static str {
    if international {
        "8 to 15 with the country code (11 where it is 1)"
    } else {
        "10 or 11 (or + and a country code)"
    }
}
