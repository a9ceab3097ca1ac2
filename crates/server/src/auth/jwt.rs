//! JSON web tokens (RFC 7519), HS256 and nothing else.

use std::fmt;

use caller_id_core::Timestamp;
use caller_id_core::roles::Role;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use serde_json::Value;

use super::principal::Identity;
use super::refusal::Refusal;
use crate::config::secret::Secret;

/// Checks the tokens that were signed with one secret.
pub struct JwtKey {
    key: DecodingKey,
    validation: Validation,
}

#[derive(Deserialize)]
struct Claims {
    /// Seconds since the epoch from which the token is worth nothing; required, as one that never ends cannot be taken back.
    exp: Option<f64>,
    /// Seconds since the epoch before which it is worth nothing.
    nbf: Option<f64>,
    role: Option<Value>,
    sub: Option<String>,
    name: Option<String>,
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

    /// Whose `token` is, now.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`], also for every algorithm but HS256; [`Refusal::Worthless`] for one that we signed.
    pub(super) fn check(&self, token: &[u8], now: Timestamp) -> Result<Identity, Refusal> {
        let token = decode::<Claims>(token, &self.key, &self.validation)
            .map_err(|_| Refusal::InvalidToken)?;
        if token.header.crit.is_some() {
            // RFC 7515, 4.1.11: what must be understood, and is not understood here.
            return Err(Refusal::Worthless("the token has a crit header"));
        }
        let claims = token.claims;
        in_time(&claims, now)?;
        let word = claims.role.as_ref().and_then(Value::as_str);
        Ok(Identity::User {
            role: word.and_then(|word| Role::ALL.into_iter().find(|role| role.as_str() == word)),
            name: claims.sub.or(claims.name).unwrap_or_default(),
        })
    }
}

fn in_time(claims: &Claims, now: Timestamp) -> Result<(), Refusal> {
    let now_s = now.as_ms() as f64 / 1_000.0;
    let Some(exp) = claims.exp else {
        return Err(Refusal::Worthless("the token has no exp"));
    };
    // Written so that no comparison with NaN lets a token in.
    if now_s < exp && claims.nbf.is_none_or(|from| from <= now_s) {
        return Ok(());
    }
    Err(Refusal::Worthless(if now_s < exp {
        "the token is not valid yet"
    } else {
        "the token has expired"
    }))
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HS256 (hidden)")
    }
}
