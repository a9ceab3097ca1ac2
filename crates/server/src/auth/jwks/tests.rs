//! Tokens of an identity provider, which is a thread on loopback here.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Mutex as Held;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use caller_id_core::Timestamp;
use caller_id_core::roles::Role;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, encode};
use serde_json::{Value, json};

use super::super::claims::ClaimRules;
use super::super::jwt::{JwtKey, Tokens};
use super::super::token::UNGUESSABLE_LENGTH;
use super::*;
use crate::config::secret::Secret;

const NOON: Timestamp = Timestamp::from_ms(1_795_348_800_000);

/// Somebody who signs, with the public half as a JWK.
struct Signer {
    algorithm: Algorithm,
    key: EncodingKey,
    jwk: Value,
}

impl Signer {
    fn of(algorithm: Algorithm, der: &[u8], id: &str) -> Self {
        let key = match algorithm.family() {
            jsonwebtoken::AlgorithmFamily::Ec => EncodingKey::from_ec_der(der),
            jsonwebtoken::AlgorithmFamily::Ed => EncodingKey::from_ed_der(der),
            _ => EncodingKey::from_rsa_der(der),
        };
        let jwk = Jwk::from_encoding_key(&key, algorithm).unwrap();
        let mut jwk = serde_json::to_value(jwk).unwrap();
        jwk["kid"] = json!(id);
        Self {
            algorithm,
            key,
            jwk,
        }
    }

    fn ec(id: &str) -> Self {
        let secret = rcgen::KeyPair::generate().unwrap();
        Self::of(Algorithm::ES256, &secret.serialize_der(), id)
    }

    fn rsa(id: &str, bits: usize) -> Self {
        use rsa::pkcs1::EncodeRsaPrivateKey;
        let secret = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, bits).unwrap();
        Self::of(
            Algorithm::RS256,
            secret.to_pkcs1_der().unwrap().as_bytes(),
            id,
        )
    }

    fn token(&self, id: Option<&str>, role: &str) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = id.map(str::to_owned);
        self.sign(&header, &json!({"exp": exp(), "role": role, "sub": "ann"}))
    }

    fn sign(&self, header: &Header, claims: &Value) -> String {
        encode(header, claims, &self.key).unwrap()
    }
}

fn exp() -> i64 {
    NOON.as_ms() / 1_000 + 60
}

/// A provider that answers with what the test says, and counts how often it is asked.
struct Provider {
    url: String,
    answer: Arc<Held<(u16, String)>>,
    asked: Arc<AtomicUsize>,
    /// It answers when this is told, or gone.
    gate: Arc<Held<Option<Receiver<()>>>>,
}

impl Provider {
    fn start(keys: &[&Signer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        let provider = Self {
            url,
            answer: Arc::default(),
            asked: Arc::default(),
            gate: Arc::default(),
        };
        provider.publish(keys);
        let (answer, asked) = (provider.answer.clone(), provider.asked.clone());
        let gate = provider.gate.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let _ = stream.read(&mut [0; 4_096]);
                asked.fetch_add(1, Ordering::SeqCst);
                let gate = gate.lock().unwrap().take();
                gate.map(|gate| gate.recv());
                let (status, body) = answer.lock().unwrap().clone();
                let length = body.len();
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
            }
        });
        provider
    }

    fn publish(&self, keys: &[&Signer]) {
        let keys: Vec<_> = keys.iter().map(|signer| &signer.jwk).collect();
        *self.answer.lock().unwrap() = (200, json!({"keys": keys}).to_string());
    }

    /// Its next answer comes when the sender is used or dropped.
    fn hold(&self) -> Sender<()> {
        let (open, gate) = channel();
        *self.gate.lock().unwrap() = Some(gate);
        open
    }

    fn fail(&self) {
        *self.answer.lock().unwrap() = (500, String::new());
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn tokens(&self) -> (Tokens, Arc<Jwks>) {
        let jwks = Arc::new(Jwks::new(self.url.parse().unwrap()));
        let tokens = Tokens {
            secret: None,
            provider: Some(jwks.clone()),
            rules: ClaimRules::default(),
        };
        (tokens, jwks)
    }
}

fn role(tokens: &Tokens, token: &str) -> Result<Option<Role>, Refusal> {
    let known = tokens.check(token.as_bytes(), NOON)?;
    assert!(!known.guessable);
    Ok(known.identity.role())
}

#[tokio::test]
async fn tokens_of_the_provider_open_and_those_of_others_do_not() {
    let (ec, rsa, stranger) = (Signer::ec("a"), Signer::rsa("b", 2_048), Signer::ec("a"));
    let provider = Provider::start(&[&ec, &rsa]);
    let (tokens, jwks) = provider.tokens();
    assert_eq!(
        role(&tokens, &ec.token(Some("a"), "admin")),
        Err(Refusal::UnknownSigner)
    );
    assert!(jwks.ask().await);
    assert_eq!(
        role(&tokens, &ec.token(Some("a"), "admin")),
        Ok(Some(Role::Admin))
    );
    assert_eq!(
        role(&tokens, &rsa.token(Some("b"), "viewer")),
        Ok(Some(Role::Viewer))
    );
    for algorithm in [
        Algorithm::RS384,
        Algorithm::RS512,
        Algorithm::PS256,
        Algorithm::PS512,
    ] {
        let mut header = Header::new(algorithm);
        header.kid = Some("b".to_owned());
        let mut unnamed = rsa.jwk.clone();
        unnamed.as_object_mut().unwrap().remove("alg");
        let token = rsa.sign(&header, &json!({"exp": exp(), "role": "dialer"}));
        let keys = KeySet::parse(&json!({"keys": [unnamed]}).to_string()).unwrap();
        assert!(
            keys.claims(token.as_bytes(), &header).is_ok(),
            "{algorithm:?}"
        );
        assert_eq!(
            role(&tokens, &token),
            Err(Refusal::InvalidToken),
            "its key is for RS256"
        );
    }
    assert_eq!(
        role(&tokens, &stranger.token(Some("a"), "admin")),
        Err(Refusal::InvalidToken)
    );
    assert_eq!(
        role(&tokens, &ec.token(Some("b"), "admin")),
        Err(Refusal::InvalidToken)
    );
}

#[tokio::test]
async fn a_public_key_is_never_a_secret() {
    let rsa = Signer::rsa("b", 2_048);
    let provider = Provider::start(&[&rsa]);
    let (mut tokens, jwks) = provider.tokens();
    jwks.ask().await;
    let n = rsa.jwk["n"].as_str().unwrap();
    let published = rsa.jwk.to_string();
    for secret in [n.as_bytes(), published.as_bytes(), b""] {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some("b".to_owned());
        let claims = json!({"exp": exp(), "role": "admin"});
        let token = encode(&header, &claims, &EncodingKey::from_secret(secret)).unwrap();
        assert_eq!(role(&tokens, &token), Err(Refusal::InvalidToken));
    }
    // Nor is a secret in the document a key.
    let octets = json!({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "b", "alg": "HS256"}]});
    assert!(KeySet::parse(&octets.to_string()).is_err());
    tokens.secret = Some(JwtKey::new(&Secret::new("x".repeat(UNGUESSABLE_LENGTH))));
    let header = Header::new(Algorithm::HS256);
    let claims = json!({"exp": exp(), "role": "admin"});
    let ours = EncodingKey::from_secret("x".repeat(UNGUESSABLE_LENGTH).as_bytes());
    let ours = encode(&header, &claims, &ours).unwrap();
    assert_eq!(
        role(&tokens, &ours),
        Ok(Some(Role::Admin)),
        "both kinds at once"
    );
    assert_eq!(
        role(&tokens, &rsa.token(None, "admin")),
        Ok(Some(Role::Admin))
    );
}

#[tokio::test]
async fn a_token_without_a_name_for_its_key_is_good_where_there_is_no_choice() {
    let (one, two) = (Signer::ec("a"), Signer::ec("b"));
    let provider = Provider::start(&[&one]);
    let (tokens, jwks) = provider.tokens();
    jwks.ask().await;
    assert!(role(&tokens, &one.token(None, "admin")).is_ok());
    let both = KeySet::parse(&json!({"keys": [one.jwk, two.jwk]}).to_string()).unwrap();
    let token = one.token(None, "admin");
    let refused = both.claims(token.as_bytes(), &Header::new(Algorithm::ES256));
    assert_eq!(refused, Err(Refusal::UnknownSigner));
    let mut nameless = one.jwk.clone();
    nameless.as_object_mut().unwrap().remove("kid");
    let nameless = KeySet::parse(&json!({"keys": [nameless, two.jwk]}).to_string()).unwrap();
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some("a".to_owned());
    let token = one.token(Some("a"), "admin");
    assert!(nameless.claims(token.as_bytes(), &header).is_ok());
}

#[tokio::test]
async fn what_must_be_understood_and_tokens_for_ever_are_worth_nothing() {
    let signer = Signer::ec("a");
    let provider = Provider::start(&[&signer]);
    let (tokens, jwks) = provider.tokens();
    jwks.ask().await;
    let mut header = Header::new(Algorithm::ES256);
    let forever = signer.sign(&header, &json!({"role": "admin"}));
    assert_eq!(
        role(&tokens, &forever),
        Err(Refusal::Worthless("the token has no exp"))
    );
    header.crit = Some(vec!["exp".to_owned()]);
    let critical = signer.sign(&header, &json!({"role": "admin", "exp": exp()}));
    assert_eq!(
        role(&tokens, &critical),
        Err(Refusal::Worthless("the token has a crit header"))
    );
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_names_it_but_not_again_and_again() {
    let (old, new) = (Signer::ec("old"), Signer::ec("new"));
    let provider = Provider::start(&[&old]);
    let (tokens, jwks) = provider.tokens();
    assert!(jwks.ask().await);
    provider.publish(&[&old, &new]);
    assert!(!jwks.ask().await, "it was asked just now");
    assert_eq!(provider.asked(), 1);
    // What was asked longer ago than the pause.
    *jwks.asked.lock().await = Instant::now().checked_sub(ASK_EVERY_AT_MOST);
    assert_eq!(
        role(&tokens, &new.token(Some("new"), "admin")),
        Err(Refusal::UnknownSigner)
    );
    // On a busy machine the first may be answered before the other has come at all.
    let open = provider.hold();
    let (one, other, ()) = tokio::join!(biased; jwks.ask(), jwks.ask(), async move { drop(open) });
    assert!(
        one && other,
        "who comes meanwhile waits for the same answer"
    );
    assert_eq!(provider.asked(), 2);
    assert_eq!(
        role(&tokens, &new.token(Some("new"), "admin")),
        Ok(Some(Role::Admin))
    );
}

#[tokio::test]
async fn while_the_provider_is_away_the_keys_that_are_known_hold() {
    let signer = Signer::ec("a");
    let provider = Provider::start(&[&signer]);
    let (tokens, jwks) = provider.tokens();
    jwks.ask().await;
    for _ in 0..2 {
        provider.fail();
        *jwks.asked.lock().await = None;
        assert!(jwks.ask().await);
        assert!(role(&tokens, &signer.token(Some("a"), "admin")).is_ok());
    }
}

#[tokio::test]
async fn while_the_provider_is_away_nobody_can_tell_whether_an_unknown_key_is_its_own() {
    let (signer, other) = (Signer::ec("a"), Signer::ec("b"));
    let provider = Provider::start(&[&signer]);
    let (tokens, jwks) = provider.tokens();
    provider.fail();
    jwks.ask().await;
    let token = signer.token(Some("a"), "admin");
    assert_eq!(role(&tokens, &token), Err(Refusal::KeysAway));
    provider.publish(&[&signer]);
    *jwks.asked.lock().await = None;
    jwks.ask().await;
    assert!(role(&tokens, &token).is_ok());
    let unknown = other.token(Some("b"), "admin");
    assert_eq!(role(&tokens, &unknown), Err(Refusal::UnknownSigner));
    provider.fail();
    *jwks.asked.lock().await = None;
    jwks.ask().await;
    assert_eq!(role(&tokens, &unknown), Err(Refusal::KeysAway));
    assert!(role(&tokens, &token).is_ok());
}

#[test]
fn short_keys_and_keys_for_encryption_are_left_out() {
    let mut encrypts = Signer::ec("a").jwk;
    encrypts["use"] = json!("enc");
    let short = Signer::rsa("b", 1_024).jwk;
    let unknown = json!({"kty": "XX", "kid": "c"});
    let keys = json!({"keys": [encrypts, short, unknown]}).to_string();
    assert!(KeySet::parse(&keys).is_err());
    for text in ["", "[]", "{}", r#"{"keys": 1}"#] {
        assert!(KeySet::parse(text).is_err(), "{text}");
    }
}

#[test]
fn providers_elsewhere_are_asked_over_https_alone() {
    for good in [
        "https://id.example.com/jwks",
        "http://127.0.0.1:1/",
        "http://[::1]:1/",
        "http://localhost/x",
    ] {
        assert!(good.parse::<ProviderUrl>().is_ok(), "{good}");
    }
    for bad in [
        "http://id.example.com/jwks",
        "id.example.com",
        "",
        "ftp://localhost/",
        "http://127.0.0.1.example.com/",
    ] {
        assert!(bad.parse::<ProviderUrl>().is_err(), "{bad}");
    }
    let url: ProviderUrl = "https://id.example.com/jwks?key=secret".parse().unwrap();
    assert_eq!(url.to_string(), "id.example.com");
}
