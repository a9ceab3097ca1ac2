//! A sign-in between its begin and the way back: what the browser keeps of it, signed, so that any node can take the answer.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use caller_id_core::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::super::mac;

/// So long somebody may take at the provider, in milliseconds.
pub const LASTS_MS: i64 = 600_000;
/// What the signature is for.
const PURPOSE: &str = "pending sign-in";

/// A sign-in that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// What the provider sends back with the browser.
    pub state: String,
    /// What the ID token must say.
    pub nonce: String,
    /// The secret half of PKCE (RFC 7636).
    pub verifier: String,
    /// Where the browser goes at the end: a path of ours.
    pub return_to: String,
    /// When it began.
    pub begun: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Kept<'a>(&'a str, &'a str, &'a str, &'a str, i64);

impl Pending {
    /// A new one.
    pub fn begin(return_to: String, now: Timestamp) -> Self {
        Self {
            state: mac::random_text(),
            nonce: mac::random_text(),
            verifier: mac::random_text(),
            return_to,
            begun: now,
        }
    }

    /// The public half of PKCE, by S256.
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.verifier))
    }

    /// What the browser keeps, signed with `key`.
    pub fn seal(&self, key: &[u8; 32]) -> String {
        let kept = Kept(
            &self.state,
            &self.nonce,
            &self.verifier,
            &self.return_to,
            self.begun.as_ms(),
        );
        let kept = serde_json::to_vec(&kept).expect("texts and a number are JSON");
        let kept = URL_SAFE_NO_PAD.encode(kept);
        let signature = mac::code_text(key, PURPOSE, kept.as_bytes());
        format!("{kept}.{signature}")
    }

    /// What was sealed with `key`, not too long ago.
    pub fn open(sealed: &str, key: &[u8; 32], now: Timestamp) -> Option<Self> {
        let (kept, signature) = sealed.split_once('.')?;
        let expected = mac::code_text(key, PURPOSE, kept.as_bytes());
        if !mac::same(expected.as_bytes(), signature.as_bytes()) {
            return None;
        }
        let kept = URL_SAFE_NO_PAD.decode(kept).ok()?;
        let text = String::from_utf8(kept).ok()?;
        let (state, nonce, verifier, return_to, begun) =
            serde_json::from_str::<(String, String, String, String, i64)>(&text).ok()?;
        let begun = Timestamp::from_ms(begun);
        (now.ms_since(begun) < LASTS_MS).then_some(Self {
            state,
            nonce,
            verifier,
            return_to,
            begun,
        })
    }

    /// Whether the browser came back with this sign-in's state.
    pub fn has_state(&self, state: &str) -> bool {
        mac::same(self.state.as_bytes(), state.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];
    const NOON: Timestamp = Timestamp::from_ms(1_795_348_800_000);

    #[test]
    fn what_is_sealed_opens_for_ten_minutes_with_the_same_key() {
        let pending = Pending::begin("/api/v1/me?a=\"ü\"".to_owned(), NOON);
        let sealed = pending.seal(&KEY);
        let open = |key, ms| Pending::open(&sealed, key, NOON.plus_ms(ms));
        assert_eq!(open(&KEY, LASTS_MS - 1), Some(pending));
        assert_eq!(open(&KEY, LASTS_MS), None);
        assert_eq!(open(&[8; 32], 0), None);
    }

    #[test]
    fn what_somebody_changed_does_not_open() {
        let sealed = Pending::begin("/".to_owned(), NOON).seal(&KEY);
        let (kept, signature) = sealed.split_once('.').expect("two parts");
        let longer = format!("{kept}A.{signature}");
        let other = Pending::begin("/".to_owned(), NOON).seal(&[8; 32]);
        for wrong in ["", ".", kept, &longer, &other, &sealed[1..]] {
            assert_eq!(Pending::open(wrong, &KEY, NOON), None, "{wrong}");
        }
        assert!(Pending::open(&sealed, &KEY, NOON).is_some());
    }

    #[test]
    fn the_challenge_is_the_one_of_rfc_7636() {
        let mut pending = Pending::begin("/".to_owned(), NOON);
        pending.verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
        assert_eq!(
            pending.challenge(),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
