//! Static tokens and keys, compared in constant time.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::mac;
use crate::config::secret::Secret;

/// Tokens and secrets of so many characters are taken for such as nobody finds by trying.
pub const UNGUESSABLE_LENGTH: usize = 20;

/// What a proof of having a token is for.
const PROOF: &str = "proof of a token";

/// Tokens that open a door, kept as digests.
#[derive(Clone, Default)]
pub struct Keys(Vec<[u8; 32]>);

impl Keys {
    /// These tokens; empty ones are left out.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let given = secrets.into_iter().map(Secret::reveal);
        Self(
            given
                .filter(|text| !text.is_empty())
                .map(|text| digest(text.as_bytes()))
                .collect(),
        )
    }

    /// What only who has both the token and `secret` can make. The token cannot be found from it by trying.
    pub fn proof(&self, token: &[u8], secret: &str) -> [u8; 32] {
        mac::code(secret.as_bytes(), PROOF, &digest(token))
    }

    /// Whether `proof` was made with `secret` and one of these tokens.
    pub fn proves(&self, secret: &str, proof: &[u8; 32]) -> bool {
        let proofs = self
            .0
            .iter()
            .map(|key| mac::code(secret.as_bytes(), PROOF, key));
        proofs.fold(false, |found, made| found | mac::same(&made, proof))
    }

    /// Whether `given` is one of them. Takes the same time for every wrong token of one length.
    pub fn has(&self, given: &[u8]) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let given = digest(given);
        let found = self
            .0
            .iter()
            .fold(Choice::from(0), |found, key| found | key.ct_eq(&given));
        found.into()
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} keys (hidden)", self.0.len())
    }
}

fn digest(text: &[u8]) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// Values that are in every word list; compared in lower case.
const WEAK: [&str; 22] = [
    "change-me",
    "changeme",
    "change_me",
    "change-me-please",
    "changethis",
    "change-this",
    "secret",
    "secretkey",
    "secret-key",
    "admin",
    "administrator",
    "admin-token",
    "password",
    "passw0rd",
    "token",
    "default",
    "test",
    "testing",
    "12345678",
    "123456789",
    "letmein",
    "supersecret",
];
/// Shorter ones are guessed.
const LENGTH_LEAST: usize = 8;

/// Whether a token or secret is one that everybody tries first.
pub fn is_weak(secret: &Secret) -> bool {
    let text = secret.reveal().trim();
    let lower = text.to_ascii_lowercase();
    let one_character = text.chars().all(|character| text.starts_with(character));
    let word = lower.trim_end_matches(|last: char| last.is_ascii_digit() || last == '!');
    let known = |text: &str| WEAK.contains(&text);
    text.len() < LENGTH_LEAST || one_character || known(&lower) || known(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tokens_given_open_the_door() {
        let keys = Keys::new(&[Secret::new("one"), Secret::new("two"), Secret::new("")]);
        assert!(keys.has(b"one") && keys.has(b"two"));
        assert!(!keys.has(b"") && !keys.has(b"on") && !keys.has(b"one ") && !keys.has(b"One"));
        assert!(!Keys::default().has(b""));
    }

    #[test]
    fn a_proof_holds_for_its_token_and_its_secret() {
        let keys = Keys::new(&[Secret::new("one"), Secret::new("two")]);
        let proof = keys.proof(b"two", "cookie");
        assert!(keys.proves("cookie", &proof) && !keys.proves("another", &proof));
        assert!(!Keys::new(&[Secret::new("one")]).proves("cookie", &proof));
        assert!(!Keys::default().proves("cookie", &proof));
    }

    #[test]
    fn keys_are_never_shown() {
        assert_eq!(
            format!("{:?}", Keys::new(&[Secret::new("one")])),
            "1 keys (hidden)"
        );
    }

    #[test]
    fn what_everybody_tries_first_is_weak() {
        for weak in [
            "change-me",
            "CHANGEME",
            "Secret",
            "admin",
            "password",
            "token",
            "test",
            "123456",
            "letmein",
            "password123",
            "Admin2024!",
            "short",
            "aaaaaaaaaaaa",
        ] {
            assert!(is_weak(&Secret::new(weak)), "{weak}");
        }
        assert!(!is_weak(&Secret::new("horse-battery-7")));
    }
}
