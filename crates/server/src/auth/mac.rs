//! Codes that only who has a key can make: HMAC with SHA-256 (RFC 2104).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The code of `text` for one purpose; codes for other purposes differ.
pub fn code(key: &[u8], purpose: &str, text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length is good");
    // No purpose has this character, so that it ends where it ends.
    mac.update(purpose.as_bytes());
    mac.update(b"\0");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

/// The same as letters, digits, `-` and `_`.
pub fn code_text(key: &[u8], purpose: &str, text: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(code(key, purpose, text))
}

/// Whether two texts are the same; takes the same time wherever they differ.
pub fn same(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

/// 256 random bits as 43 letters, digits, `-` and `_`.
pub fn random_text() -> String {
    let bytes: [u8; 32] = rand::random();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Whether it could be of [`random_text`].
pub fn is_random_text(text: &str) -> bool {
    let is_coded = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.len() == 43 && text.bytes().all(is_coded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_differ_by_key_purpose_and_text() {
        let first = code(b"key", "one", b"text");
        assert_eq!(first, code(b"key", "one", b"text"));
        assert_ne!(first, code(b"yek", "one", b"text"));
        assert_ne!(first, code(b"key", "two", b"text"));
        assert_ne!(first, code(b"key", "one", b"test"));
        assert_ne!(first, code(b"key", "onet", b"ext"));
    }

    #[test]
    fn random_texts_are_known_by_their_form() {
        assert!(is_random_text(&random_text()));
        assert_ne!(random_text(), random_text());
        assert!(!is_random_text("") && !is_random_text(&random_text()[1..]));
        assert!(!is_random_text(&random_text().replace(|_| true, "+")));
    }
}
