//! Who may do what, and by which key or session they are known.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;

use crate::audit::Author;
use crate::ids::CampaignId;
use crate::store::StoreError;
use crate::time::Timestamp;

/// What somebody may do. Viewer, operator and admin each may all that the one before may; a dialer is apart from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Asks for numbers and reports calls; sees nothing else.
    Dialer,
    /// Sees everything but keys, the audit log and settings.
    Viewer,
    /// Changes numbers, campaigns and reservations, too.
    Operator,
    /// Does everything.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Dialer, Self::Viewer, Self::Operator, Self::Admin];

    /// The word used in keys, claims and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dialer => "dialer",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// Whether whoever has this role may do what `needed` may. Dialers may only what dialers may; admins that, too.
    pub const fn may(self, needed: Self) -> bool {
        matches!(
            (self, needed),
            (Self::Admin, _)
                | (Self::Operator, Self::Operator | Self::Viewer)
                | (Self::Viewer, Self::Viewer)
                | (Self::Dialer, Self::Dialer)
        )
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    /// Reads the word, in any case.
    ///
    /// # Errors
    /// Says what was given and what was expected.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word = text.trim().to_ascii_lowercase();
        let known = Self::ALL.into_iter().find(|role| role.as_str() == word);
        known.ok_or_else(|| {
            let given = crate::text::shown(text);
            format!("role `{given}` is unknown, expected viewer, operator, admin or dialer")
        })
    }
}

/// The id of an API key: public, part of the key itself. 12 letters and digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub String);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An API key, as it is kept: its secret only as a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: KeyId,
    /// What people call it; no two keys that are not revoked have one name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// SHA-256 of the whole key. Keys have 256 random bits, so no salt and no slow hash is needed.
    pub hash: [u8; 32],
    /// From where it may be used: addresses and CIDR ranges, as they were given; empty = from everywhere.
    pub addresses: Vec<String>,
    /// For which campaigns a dialer may ask; empty = for all.
    pub campaigns: Vec<CampaignId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom, for people.
    pub created_by: String,
    /// From when it is worth nothing; none = never.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, some seconds exact.
    pub last_used_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether it opens at `now`.
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// What became of a key that was to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyAdded {
    /// It is there.
    Added,
    /// A key that is not revoked has the name.
    NameTaken,
}

/// A person who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the cookie's value, which has 256 random bits.
    pub hash: [u8; 32],
    /// Who, for the audit log: what the identity provider calls them, or the name of the token or key.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// By what they signed in.
    pub by: SignedInBy,
    /// When they signed in.
    pub created_at: Timestamp,
    /// From when it is worth nothing.
    pub expires_at: Timestamp,
}

/// By what somebody signed in. A session is worth nothing once that is worth nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedInBy {
    /// The identity provider said who it is.
    Provider,
    /// An API key.
    Key(KeyId),
    /// The admin token; with a proof that only who has both the cookie and the token can make.
    Token([u8; 32]),
}

impl fmt::Display for SignedInBy {
    /// The word that is kept: `provider`, `key:` and its id, `token:` and 64 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provider => f.write_str("provider"),
            Self::Key(id) => write!(f, "key:{id}"),
            Self::Token(proof) => {
                f.write_str("token:")?;
                proof.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

impl FromStr for SignedInBy {
    type Err = String;

    /// Reads what is printed.
    ///
    /// # Errors
    /// Says what was expected.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let proof = |digits: &str| {
            let bytes = digits.as_bytes();
            let mut proof = [0; 32];
            let is_whole = bytes.len() == 64 && bytes.iter().all(u8::is_ascii_hexdigit);
            for (byte, pair) in proof.iter_mut().zip(bytes.chunks(2)) {
                *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
            }
            is_whole.then_some(proof)
        };
        let known = match text.split_once(':') {
            None if text == "provider" => Some(Self::Provider),
            Some(("key", id)) if !id.is_empty() => Some(Self::Key(KeyId(id.to_owned()))),
            Some(("token", digits)) => proof(digits).map(Self::Token),
            _ => None,
        };
        known.ok_or_else(|| "expected provider, key:… or token:…".to_owned())
    }
}

/// Keeper of keys and sessions.
///
/// What implementers hold: each method is one transaction, with its entry in the audit log where an author is given; a change is
/// seen by [`KeyStore::keys_revision`] in every process that has the store open.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// All keys, revoked ones too, in the order they were made.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError>;

    /// Counts the changes of keys; what was last used is none.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn keys_revision(&self) -> Result<i64, StoreError>;

    /// Adds a key.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn add_key(&self, key: ApiKey, by: &Author) -> Result<KeyAdded, StoreError>;

    /// Revokes a key, for ever. Tells whether there is one; one that is revoked stays as it is.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn revoke_key(&self, id: &KeyId, at: Timestamp, by: &Author) -> Result<bool, StoreError>;

    /// Keeps when keys were last used; later instants count.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn touch_keys(&self, used: &[(KeyId, Timestamp)]) -> Result<(), StoreError>;

    /// Keeps a session, with its entry `session.begin` in the audit log, and forgets those that ended before `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn begin_session(
        &self,
        session: Session,
        now: Timestamp,
        by: &Author,
    ) -> Result<(), StoreError>;

    /// The session with that hash, whether or not it has ended.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn session(&self, hash: [u8; 32]) -> Result<Option<Session>, StoreError>;

    /// Ends a session, with its entry `session.end` in the audit log. Tells whether there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn end_session(&self, hash: [u8; 32], by: &Author) -> Result<bool, StoreError>;

    /// What cookies are signed with: random, made with the database, and the same for every node that has it open.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn cookie_key(&self) -> Result<[u8; 32], StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_the_one_before_may_and_dialers_are_apart() {
        let may = |role: Role| {
            let allowed = Role::ALL.into_iter().filter(|needed| role.may(*needed));
            allowed.map(Role::as_str).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(may(Role::Dialer), "dialer");
        assert_eq!(may(Role::Viewer), "viewer");
        assert_eq!(may(Role::Operator), "viewer operator");
        assert_eq!(may(Role::Admin), "dialer viewer operator admin");
    }

    #[test]
    fn by_what_somebody_signed_in_reads_back_what_it_prints() {
        let key = SignedInBy::Key(KeyId("abcDEF012345".to_owned()));
        for by in [SignedInBy::Provider, key, SignedInBy::Token([0xa7; 32])] {
            assert_eq!(by.to_string().parse(), Ok(by));
        }
        let cut = "token:".to_owned() + &"a".repeat(63);
        for wrong in ["", "key", "key:", "token:", &cut, "provider:"] {
            assert!(wrong.parse::<SignedInBy>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_role_reads_back_what_it_prints() {
        for role in Role::ALL {
            assert_eq!(role.to_string().to_uppercase().parse(), Ok(role));
        }
        assert_eq!(
            "root".parse::<Role>(),
            Err("role `root` is unknown, expected viewer, operator, admin or dialer".to_owned())
        );
    }
}
