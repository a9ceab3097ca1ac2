//! How much of a called party people are shown in the list of requests.

use std::fmt;
use std::str::FromStr;

use caller_id_core::PhoneNumber;
use sha2::{Digest, Sha256};

/// How called parties are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Privacy {
    /// Their first six digits.
    #[default]
    Mask,
    /// As they are.
    Full,
    /// As a code: the same party has the same one, on every node.
    Hash,
}

impl FromStr for Privacy {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().to_ascii_lowercase().as_str() {
            "mask" => Ok(Self::Mask),
            "full" => Ok(Self::Full),
            "hash" => Ok(Self::Hash),
            _ => Err("expected mask, full or hash"),
        }
    }
}

impl fmt::Display for Privacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mask => "mask",
            Self::Full => "full",
            Self::Hash => "hash",
        })
    }
}

/// Shows called parties as far as they may be shown.
#[derive(Debug, Clone, Copy)]
pub struct Masking {
    /// How.
    pub privacy: Privacy,
    /// What codes are made with, so that nobody without the database makes a list of them: the store's identity.
    pub salt: i64,
}

/// Digits after the country code that are shown: area code and central office code.
const SHOWN: usize = 6;

impl Masking {
    /// A called party, as it may be shown.
    pub fn shown(&self, number: PhoneNumber) -> String {
        let digits = number.e164_digits().to_string();
        match self.privacy {
            Privacy::Full => format!("+{digits}"),
            Privacy::Mask => {
                let country = if number.is_nanp() { 1 } else { 0 };
                let (shown, hidden) = digits.split_at((SHOWN + country).min(digits.len()));
                format!("+{shown}{}", "*".repeat(hidden.len()))
            }
            Privacy::Hash => {
                let mut hash = Sha256::new();
                hash.update(self.salt.to_be_bytes());
                hash.update(&digits);
                let hash = hash.finalize();
                let code: String = hash[..6].iter().map(|byte| format!("{byte:02x}")).collect();
                format!("#{code}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(privacy: Privacy, salt: i64, number: &str) -> String {
        let number = PhoneNumber::parse(number).expect("a number");
        Masking { privacy, salt }.shown(number)
    }

    #[test]
    fn a_masked_party_has_its_first_six_digits() {
        assert_eq!(shown(Privacy::Mask, 1, "13125551234"), "+1312555****");
        assert_eq!(shown(Privacy::Mask, 1, "+442079460958"), "+442079******");
        assert_eq!(shown(Privacy::Full, 1, "13125551234"), "+13125551234");
    }

    #[test]
    fn a_code_says_who_is_who_and_nothing_else() {
        let code = shown(Privacy::Hash, 1, "13125551234");
        assert_eq!(code, shown(Privacy::Hash, 1, "3125551234"));
        assert_ne!(code, shown(Privacy::Hash, 1, "13125551235"));
        assert_ne!(code, shown(Privacy::Hash, 2, "13125551234"));
        assert_eq!(code.len(), 13);
    }

    #[test]
    fn privacy_reads_back_what_it_prints() {
        for privacy in [Privacy::Mask, Privacy::Full, Privacy::Hash] {
            assert_eq!(privacy.to_string().parse(), Ok(privacy));
        }
        assert!("none".parse::<Privacy>().is_err());
    }
}
