//! JSON web tokens (RFC 7519): HS256 with a secret of the settings, and those of an identity provider.

use std::fmt;
use std::sync::Arc;

use caller_id_core::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};

use super::Known;
use super::claims::{self, ClaimRules, Claims};
use super::jwks::Jwks;
use super::principal::Identity;
use super::refusal::Refusal;
use super::token::UNGUESSABLE_LENGTH;
use crate::config::secret::Secret;

/// The clocks of a provider and ours differ by some seconds: a token that it made just now is good.
const PROVIDER_EARLY_MS: i64 = 30_000;

/// Checks signed tokens.
#[derive(Debug, Default)]
pub struct Tokens {
    /// The secret that our own are signed with.
    pub secret: Option<JwtKey>,
    /// The keys that an identity provider signs with.
    pub provider: Option<Arc<Jwks>>,
    /// What is expected of both.
    pub rules: ClaimRules,
}

impl Tokens {
    /// Whose `token` is, now.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`]; [`Refusal::UnknownSigner`] where the provider may know the key by now, [`Refusal::KeysAway`] where it cannot be asked;
    /// [`Refusal::Worthless`] for one with a good signature.
    pub(super) fn check(&self, token: &[u8], now: Timestamp) -> Result<Known, Refusal> {
        let header = decode_header(token).map_err(|_| Refusal::InvalidToken)?;
        // Which key is asked is decided by the algorithm alone, so that no public key is ever taken for a secret.
        let (claims, early_ms, guessable) = match (header.alg, &self.secret, &self.provider) {
            (Algorithm::HS256, Some(secret), _) => (secret.claims(token)?, 0, secret.guessable),
            (Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512, ..) => {
                return Err(Refusal::InvalidToken);
            }
            (_, _, Some(provider)) => (provider.claims(token, &header)?, PROVIDER_EARLY_MS, false),
            (_, _, None) => return Err(Refusal::InvalidToken),
        };
        if header.crit.is_some() {
            // RFC 7515, 4.1.11: what must be understood, and is not understood here.
            return Err(Refusal::Worthless("the token has a crit header"));
        }
        self.rules.check(&claims, now, early_ms)?;
        Ok(Known {
            identity: Identity::User {
                name: claims::name(&claims),
                role: self.rules.role(&claims),
            },
            guessable,
        })
    }
}

/// A secret that tokens are signed with.
pub struct JwtKey {
    key: DecodingKey,
    guessable: bool,
}

impl JwtKey {
    /// A key for tokens signed with `secret`.
    pub fn new(secret: &Secret) -> Self {
        let secret = secret.reveal().as_bytes();
        Self {
            key: DecodingKey::from_secret(secret),
            guessable: secret.len() < UNGUESSABLE_LENGTH,
        }
    }

    fn claims(&self, token: &[u8]) -> Result<Claims, Refusal> {
        signed(token, &self.key, Algorithm::HS256)
    }
}

/// The claims of a token whose signature is good: by this key, with this algorithm and no other. Nothing else is checked.
///
/// # Errors
/// [`Refusal::InvalidToken`].
pub(super) fn signed(
    token: &[u8],
    key: &DecodingKey,
    algorithm: Algorithm,
) -> Result<Claims, Refusal> {
    let mut validation = Validation::new(algorithm);
    // Times are compared with our own clock, elsewhere; the crate would read the machine's.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let token = decode::<Claims>(token, key, &validation);
    token
        .map(|token| token.claims)
        .map_err(|_| Refusal::InvalidToken)
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HS256 (hidden)")
    }
}
