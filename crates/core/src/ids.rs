//! The names that the dialer and the admin give to things, and the ids that we give.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;
use uuid::Uuid;

use crate::number::PhoneNumber;
use crate::time::Timestamp;

/// A name that cannot be one: which kind, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdError {
    /// Nothing but blanks.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// Longer than the most.
    #[error("{what} is {bytes} bytes long, at most {most} expected")]
    TooLong {
        /// The kind of name.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The most allowed.
        most: usize,
    },
    /// Line feeds and the like would break headers, logs and dialplans.
    #[error("{0} has a control character")]
    Control(&'static str),
    /// `.` and `..`, which no browser and few programs can ask for in a URL.
    #[error("{0} is nothing but dots")]
    Dots(&'static str),
}

fn check<'a>(text: &'a str, what: &'static str, most: usize) -> Result<&'a str, IdError> {
    let text = text.trim();
    if text.is_empty() {
        Err(IdError::Empty(what))
    } else if text.len() > most {
        Err(IdError::TooLong {
            what,
            bytes: text.len(),
            most,
        })
    } else if text.chars().any(char::is_control) {
        Err(IdError::Control(what))
    } else {
        Ok(text)
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $most:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and takes `text`, blanks round it removed.
            ///
            /// # Errors
            /// [`IdError`] when it is empty, too long or has control characters.
            pub fn new(text: &str) -> Result<Self, IdError> {
                check(text, $what, $most).map(|text| Self(Arc::from(text)))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

name!(
    /// The name of a pool: the numbers a campaign may use. At most 64 bytes.
    PoolId, "pool", 64
);

impl PoolId {
    /// The same for one that is yet to be made, which people must be able to ask for in a URL.
    ///
    /// # Errors
    /// [`IdError`] as of [`PoolId::new`], and when it is `.` or `..`.
    pub fn to_make(text: &str) -> Result<Self, IdError> {
        match text.trim() {
            "." | ".." => Err(IdError::Dots("pool")),
            text => Self::new(text),
        }
    }
}

name!(
    /// The dialer's own id of a campaign, opaque to us. At most 128 bytes.
    CampaignId, "campaign", 128
);
name!(
    /// The dialer's own id of an agent, opaque to us. At most 128 bytes.
    AgentId, "agent", 128
);
name!(
    /// The dialer's id of one call (VICIdial: the 20 characters in CALLERID(name)). At most 128 bytes.
    CallId, "call", 128
);

impl PoolId {
    /// The name of the pool that a number is in when nobody said otherwise.
    pub const DEFAULT: &'static str = "default";
}

impl Default for PoolId {
    /// The pool `default`.
    fn default() -> Self {
        Self(Arc::from(Self::DEFAULT))
    }
}

/// The digits of the longest number, 999,999,999,999,999, take 50 bits.
const NUMBER_BITS: u32 = 50;

/// The id of an allocation and of its reservation: a UUID of version 7, so ids sort by time to the millisecond.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AllocationId(Uuid);

impl AllocationId {
    /// The id made at `at` from 80 random bits (74 are used).
    pub fn new(at: Timestamp, random: u128) -> Self {
        let bytes = random.to_le_bytes();
        let mut tail = [0; 10];
        tail.copy_from_slice(&bytes[..10]);
        Self(uuid::Builder::from_unix_timestamp_millis(at.as_ms().max(0) as u64, &tail).into_uuid())
    }

    /// The id of an allocation of `number` at `at`. The number is in it, so that a release finds its reservation without
    /// an index; `salt` (24 bits) tells apart allocations of one number in one millisecond.
    pub fn of(number: PhoneNumber, at: Timestamp, salt: u32) -> Self {
        let (high, low) = ((salt >> 12) as u16, u64::from(salt & 0xfff));
        let mut tail = [0; 10];
        tail[..2].copy_from_slice(&high.to_be_bytes());
        tail[2..].copy_from_slice(&(low << NUMBER_BITS | number.e164_digits()).to_be_bytes());
        Self(uuid::Builder::from_unix_timestamp_millis(at.as_ms().max(0) as u64, &tail).into_uuid())
    }

    /// The number in an id that [`AllocationId::of`] made; of other ids any number, or none.
    pub fn number(self) -> Option<PhoneNumber> {
        let (_, low) = self.0.as_u64_pair();
        PhoneNumber::from_e164_digits(low & ((1 << NUMBER_BITS) - 1))
    }

    /// The least id that an allocation at `at` or later can have.
    pub fn first_at(at: Timestamp) -> Self {
        Self(
            uuid::Builder::from_unix_timestamp_millis(at.as_ms().max(0) as u64, &[0; 10])
                .into_uuid(),
        )
    }

    /// The least id that is greater than this one; the greatest has none.
    pub fn next(self) -> Option<Self> {
        let next = self.0.as_u128().checked_add(1)?;
        Some(Self(Uuid::from_u128(next)))
    }

    /// When the allocation was made: the instant that the id begins with.
    pub fn at(self) -> Timestamp {
        let (high, _) = self.0.as_u64_pair();
        Timestamp::from_ms((high >> 16) as i64)
    }

    /// The 16 bytes, most significant first: they sort as the ids do.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl std::str::FromStr for AllocationId {
    type Err = String;

    /// Reads the hyphenated form that `Display` writes.
    ///
    /// # Errors
    /// Says what was expected.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(Self).map_err(|_| {
            "a reservation id is a UUID like 0192f3c5-7b1e-7cc3-98c4-dc0c0c07398f".to_owned()
        })
    }
}

impl fmt::Display for AllocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for AllocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_that_is_made_has_a_name_that_a_url_can_have() {
        for text in [".", "..", " .. "] {
            assert_eq!(PoolId::to_make(text), Err(IdError::Dots("pool")));
        }
        assert_eq!(PoolId::to_make("..."), PoolId::new("..."));
        assert_eq!(PoolId::to_make(""), Err(IdError::Empty("pool")));
    }

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!(
            CampaignId::new(" SOLAR ").map(|id| id.to_string()),
            Ok("SOLAR".to_owned())
        );
        assert_eq!(AgentId::new("  "), Err(IdError::Empty("agent")));
        assert_eq!(CallId::new("a\nb"), Err(IdError::Control("call")));
        assert_eq!(
            PoolId::new(&"x".repeat(65)),
            Err(IdError::TooLong {
                what: "pool",
                bytes: 65,
                most: 64
            })
        );
    }

    #[test]
    fn an_allocation_id_carries_its_number_and_is_unlike_the_next() {
        let at = Timestamp::from_ms(1_795_359_600_000);
        for text in ["+13125550100", "+999999999999999", "+67512345"] {
            let number: PhoneNumber = text.parse().expect("valid");
            let ids =
                [0, 1, 0xfff, 0x1000, 0xff_ffff].map(|salt| AllocationId::of(number, at, salt));
            assert!(
                ids.iter()
                    .all(|id| id.number() == Some(number) && id.at() == at)
            );
            assert!(
                ids.iter()
                    .enumerate()
                    .all(|(place, id)| !ids[..place].contains(id))
            );
            assert!(
                ids.iter()
                    .all(|id| *id >= AllocationId::first_at(at) && id.0.get_version_num() == 7)
            );
        }
    }

    #[test]
    fn allocation_ids_sort_by_time() {
        let early = AllocationId::new(Timestamp::from_ms(1_000), u128::MAX);
        let late = AllocationId::new(Timestamp::from_ms(1_001), 0);
        assert!(early < late);
        assert!(AllocationId::first_at(Timestamp::from_ms(1_001)) <= late);
        assert!(AllocationId::first_at(Timestamp::from_ms(1_001)) > early);
        assert_eq!(late.to_string().parse(), Ok(late));
        assert!(early.next().is_some_and(|next| early < next && next < late));
        assert_eq!(AllocationId::from_bytes([u8::MAX; 16]).next(), None);
    }
}
