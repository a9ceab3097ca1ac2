//! API keys as people hold them: `cid_<id>_<secret>`, made once, shown once.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use caller_id_core::roles::KeyId;
use rand::RngExt;
use sha2::{Digest, Sha256};

use crate::config::secret::Secret;

const PREFIX: &str = "cid_";
/// Letters and digits of the public part.
const ID_LENGTH: usize = 12;
/// 256 bits in base64url.
const SECRET_LENGTH: usize = 43;
const LENGTH: usize = PREFIX.len() + ID_LENGTH + 1 + SECRET_LENGTH;
const SECRET_BYTES: usize = 32;
const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A key that was just made. This is the only time that all of it is there.
#[derive(Debug)]
pub struct NewKey {
    /// Its public part.
    pub id: KeyId,
    /// The whole key, for whoever will hold it.
    pub text: Secret,
    /// What of it is kept: SHA-256 of the whole.
    pub hash: [u8; 32],
}

impl NewKey {
    /// Makes one of 256 random bits.
    pub fn make() -> Self {
        let mut random = rand::rng();
        let letter = |_| char::from(LETTERS[random.random_range(0..LETTERS.len())]);
        let id: String = (0..ID_LENGTH).map(letter).collect();
        let bytes: [u8; SECRET_BYTES] = rand::random();
        let text = format!("{PREFIX}{id}_{}", URL_SAFE_NO_PAD.encode(bytes));
        Self {
            hash: hash(text.as_bytes()),
            id: KeyId(id),
            text: Secret::new(text),
        }
    }
}

/// SHA-256 of a whole key.
pub fn hash(text: &[u8]) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// Whether it looks like an API key.
pub fn has_form(given: &[u8]) -> bool {
    id_of(given).is_some()
}

/// The public part of what has the form of an API key, ours or not.
pub fn id_of(given: &[u8]) -> Option<&str> {
    if given.len() != LENGTH {
        return None;
    }
    let rest = given.strip_prefix(PREFIX.as_bytes())?;
    let (id, rest) = rest.split_at_checked(ID_LENGTH)?;
    let secret = rest.strip_prefix(b"_")?;
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric();
    let is_coded = |byte: &u8| is_letter(byte) || matches!(byte, b'-' | b'_');
    if !id.iter().all(is_letter) || !secret.iter().all(is_coded) {
        return None;
    }
    std::str::from_utf8(id).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_has_the_form_of_one_and_its_own_id() {
        let key = NewKey::make();
        let text = key.text.reveal();
        assert_eq!(text.len(), 60);
        assert_eq!(id_of(text.as_bytes()), Some(key.id.0.as_str()));
        assert_eq!(hash(text.as_bytes()), key.hash);
        assert_ne!(NewKey::make().text.reveal(), text);
    }

    #[test]
    fn a_new_key_is_not_shown_by_accident() {
        let key = NewKey::make();
        let secret = &key.text.reveal()[17..];
        assert!(!format!("{key:?}").contains(secret));
    }

    #[test]
    fn what_is_cut_longer_or_of_other_characters_is_no_key() {
        let text = NewKey::make().text.reveal().to_owned();
        let wrong = [
            text[..59].to_owned(),
            format!("{text}a"),
            text.replacen("cid_", "CID_", 1),
            text.replacen("cid_", "cid-", 1),
            format!("{}+", &text[..59]),
            format!("cid_{}", "a".repeat(56)),
            String::new(),
        ];
        for wrong in wrong {
            assert!(!has_form(wrong.as_bytes()), "{wrong}");
        }
    }
}
