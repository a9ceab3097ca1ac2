//! JSON web tokens (RFC 7519), HS256 and nothing else.

use std::fmt;

use caller_id_core::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;

use super::Refusal;
use crate::config::secret::Secret;

/// Checks the tokens that were signed with one secret.
pub struct JwtKey {
    key: DecodingKey,
    validation: Validation,
}

#[derive(Deserialize)]
struct Claims {
    /// Seconds since the epoch from which the token is worth nothing; required.
    exp: f64,
    /// Seconds since the epoch before which it is worth nothing.
    nbf: Option<f64>,
    role: Option<String>,
}

impl JwtKey {
    /// A key for tokens signed with `secret`.
    pub fn new(secret: &Secret) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        // Times are compared with our own clock, below; the crate would read the machine's.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        Self {
            key: DecodingKey::from_secret(secret.reveal().as_bytes()),
            validation,
        }
    }

    /// Whether `token` is an admin's, now.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`], also for every algorithm but HS256; [`Refusal::RoleRequired`].
    pub fn check(&self, token: &[u8], now: Timestamp) -> Result<(), Refusal> {
        let claims = decode::<Claims>(token, &self.key, &self.validation)
            .map_err(|_| Refusal::InvalidToken)?
            .claims;
        let now_s = now.as_ms() as f64 / 1_000.0;
        let in_time = now_s < claims.exp && claims.nbf.is_none_or(|from| from <= now_s);
        if !in_time {
            return Err(Refusal::InvalidToken);
        }
        match claims.role.as_deref() {
            Some("admin") => Ok(()),
            _ => Err(Refusal::RoleRequired),
        }
    }
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HS256 (hidden)")
    }
}
