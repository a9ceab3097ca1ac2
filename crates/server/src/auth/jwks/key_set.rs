//! The keys of a JWKS (RFC 7517), and which of them a token was signed with.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use serde_json::Value;

use super::super::claims::Claims;
use super::super::jwt::signed;
use super::super::refusal::Refusal;

/// More keys than any provider has at a time.
const KEYS_MOST: usize = 100;
/// Shorter RSA keys are broken, or will be: 2,048 bits.
const RSA_BYTES_LEAST: usize = 256;

const OF_RSA: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

/// Public keys that somebody signs with.
#[derive(Debug, Default)]
pub struct KeySet(Vec<SignKey>);

#[derive(Debug)]
struct SignKey {
    id: Option<String>,
    /// With which it may be used, and no others.
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

impl KeySet {
    /// Reads a JWKS. Keys of kinds that we do not know, for encryption, too short, or secret are left out.
    ///
    /// # Errors
    /// Says what is wrong with the document.
    pub fn parse(text: &str) -> Result<Self, String> {
        let document: Value =
            serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
        let keys = document.get("keys").and_then(Value::as_array);
        let keys = keys.ok_or("it has no list `keys`")?;
        let read = |key: &Value| serde_json::from_value::<Jwk>(key.clone()).ok();
        let keys = keys.iter().take(KEYS_MOST).filter_map(read);
        let keys: Vec<_> = keys.filter_map(|jwk| SignKey::new(&jwk)).collect();
        match keys.is_empty() {
            true => Err("none of its keys can check RS, PS, ES or EdDSA signatures".to_owned()),
            false => Ok(Self(keys)),
        }
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The claims of a token with this header, when one of the keys signed it.
    ///
    /// # Errors
    /// [`Refusal::UnknownSigner`] when its key is not here; [`Refusal::InvalidToken`].
    pub fn claims(&self, token: &[u8], header: &Header) -> Result<Claims, Refusal> {
        let named = |key: &&SignKey| header.kid.is_some() && key.id == header.kid;
        let fits = |key: &&SignKey| key.algorithms.contains(&header.alg);
        let key = match self.0.iter().filter(named).find(fits) {
            Some(key) => key,
            None if self.0.iter().any(|key| named(&key)) => return Err(Refusal::InvalidToken),
            None => {
                // Where one of the two has no name for the key there must be no choice.
                let nameless = |key: &&SignKey| header.kid.is_none() || key.id.is_none();
                let mut fitting = self.0.iter().filter(fits).filter(nameless);
                let first = fitting.next().filter(|_| fitting.next().is_none());
                first.ok_or(Refusal::UnknownSigner)?
            }
        };
        signed(token, &key.key, header.alg)
    }
}

impl SignKey {
    fn new(jwk: &Jwk) -> Option<Self> {
        let usage = &jwk.common.public_key_use;
        if usage
            .as_ref()
            .is_some_and(|usage| *usage != PublicKeyUse::Signature)
        {
            return None;
        }
        let of_kind = algorithms(&jwk.algorithm);
        let named = jwk
            .common
            .key_algorithm
            .map(|named| named.to_string().parse::<Algorithm>());
        let algorithms = match named {
            None => of_kind.to_vec(),
            Some(Ok(named)) if of_kind.contains(&named) => vec![named],
            Some(_) => return None,
        };
        let key = DecodingKey::from_jwk(jwk).ok()?;
        if algorithms.is_empty() || is_short(&key) {
            return None;
        }
        Some(Self {
            id: jwk.common.key_id.clone(),
            algorithms,
            key,
        })
    }
}

/// With which algorithms a key of this kind may be used. Secrets have no place in a document that everybody can read.
fn algorithms(kind: &AlgorithmParameters) -> &'static [Algorithm] {
    match kind {
        AlgorithmParameters::RSA(_) => OF_RSA,
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => &[Algorithm::ES256],
            EllipticCurve::P384 => &[Algorithm::ES384],
            _ => &[],
        },
        AlgorithmParameters::OctetKeyPair(key) => match key.curve {
            EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
            _ => &[],
        },
        _ => &[],
    }
}

fn is_short(key: &DecodingKey) -> bool {
    match key.kind() {
        jsonwebtoken::DecodingKeyKind::RsaModulusExponent { n, .. } => {
            let zeros = n.iter().take_while(|byte| **byte == 0).count();
            n.len() - zeros < RSA_BYTES_LEAST
        }
        jsonwebtoken::DecodingKeyKind::SecretOrDer(_) => false,
    }
}
