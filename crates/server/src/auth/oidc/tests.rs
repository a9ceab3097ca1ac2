//! What a provider could do wrong, which is a thread on loopback here. A real one is asked in tests/api/sso.rs.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex as Held;

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::*;

const NOON: Timestamp = Timestamp::from_ms(1_795_348_800_000);

/// Answers each path as the test says; others with 404. Remembers what was asked.
#[derive(Default)]
struct Script {
    answers: BTreeMap<String, (u16, String)>,
    asked: Vec<String>,
}

struct Fake {
    script: Arc<Held<Script>>,
    issuer: String,
    key: EncodingKey,
    pending: Pending,
}

impl Fake {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::<Held<Script>>::default();
        let served = script.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &served);
            }
        });
        let pair = rcgen::KeyPair::generate().unwrap();
        let fake = Self {
            script,
            key: EncodingKey::from_ec_der(&pair.serialize_der()),
            pending: Pending::begin("/".to_owned(), NOON),
            issuer,
        };
        let mut jwk = json!(Jwk::from_encoding_key(&fake.key, Algorithm::ES256).unwrap());
        jwk["kid"] = json!("one");
        fake.says("/jwks", 200, &json!({"keys": [jwk]}));
        fake.says(discovery::PATH, 200, &fake.document());
        fake
    }

    fn document(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer);
        json!({
            "issuer": self.issuer,
            "authorization_endpoint": at("/auth?tenant=1"),
            "token_endpoint": at("/token"),
            "jwks_uri": at("/jwks"),
            "userinfo_endpoint": at("/userinfo"),
        })
    }

    fn says(&self, path: &str, status: u16, body: &Value) {
        let mut script = self.script.lock().unwrap();
        let answer = (status, body.to_string());
        script.answers.insert(path.to_owned(), answer);
    }

    fn asked(&self, path: &str) -> usize {
        let script = self.script.lock().unwrap();
        script.asked.iter().filter(|asked| *asked == path).count()
    }

    fn provider(&self) -> Provider {
        Provider::new(Registration {
            issuer: self.issuer.parse().unwrap(),
            client: "us".to_owned(),
            secret: None,
            redirect: "https://calls.example.com/sign-in/sso/callback".to_owned(),
            scopes: "openid".to_owned(),
            rules: ClaimRules {
                role_claim: "groups".to_owned(),
                ..ClaimRules::default()
            },
        })
    }

    /// The provider gives a token with these claims for any code.
    fn gives(&self, header: &Header, key: &EncodingKey, more: &Value) {
        let seconds = NOON.as_ms() / 1_000;
        let mut claims = json!({
            "iss": self.issuer, "aud": "us", "sub": "7", "nonce": self.pending.nonce,
            "iat": seconds, "exp": seconds + 60,
        });
        let more = more.as_object().unwrap().clone();
        claims.as_object_mut().unwrap().extend(more);
        let token = encode(header, &claims, key).unwrap();
        self.gives_text(&token);
    }

    fn gives_text(&self, token: &str) {
        let tokens = json!({"id_token": token, "access_token": "opens userinfo"});
        self.says("/token", 200, &tokens);
    }

    async fn finish(&self, provider: &Provider) -> Result<Person, Failure> {
        provider.finish(&self.pending, "code", None, NOON).await
    }
}

fn serve(mut stream: TcpStream, script: &Held<Script>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = (&mut reader).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    let heads: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    let length = heads.iter().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse::<u64>().ok())?
    });
    let _ = reader
        .take(length.unwrap_or(0))
        .read_to_end(&mut Vec::new());
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let (status, body) = {
        let mut script = script.lock().unwrap();
        script.asked.push(path.clone());
        let answer = script.answers.get(&path).cloned();
        answer.unwrap_or((404, String::new()))
    };
    let more = if status == 302 {
        "location: /elsewhere\r\n"
    } else {
        ""
    };
    let head = format!(
        "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n{more}\r\n",
        body.len()
    );
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

fn signed_by(id: &str) -> Header {
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some(id.to_owned());
    header
}

fn why(result: Result<Person, Failure>) -> String {
    result.expect_err("a failure").to_string()
}

#[tokio::test]
async fn what_the_provider_says_of_itself_is_asked_for_once_an_hour() {
    let fake = Fake::start();
    let provider = fake.provider();
    for _ in 0..3 {
        let place = provider.begin(&fake.pending).await.unwrap();
        assert!(
            place.contains("/auth?tenant=1&response_type=code&client_id=us&"),
            "{place}"
        );
        assert!(place.contains("&code_challenge_method=S256"), "{place}");
    }
    assert_eq!(fake.asked(discovery::PATH), 1);
    tokio::time::pause();
    tokio::time::advance(KEPT).await;
    tokio::time::resume();
    fake.says(discovery::PATH, 500, &json!({}));
    provider
        .begin(&fake.pending)
        .await
        .expect("what it said before");
    assert_eq!(fake.asked(discovery::PATH), 2);
}

#[tokio::test]
async fn a_failure_is_told_to_all_who_come_within_two_seconds() {
    let fake = Fake::start();
    fake.says(discovery::PATH, 500, &json!({}));
    let provider = fake.provider();
    for _ in 0..3 {
        let failure = provider.begin(&fake.pending).await.expect_err("away");
        assert!(failure.to_string().contains("answers 500"), "{failure}");
    }
    assert_eq!(fake.asked(discovery::PATH), 1);
    fake.says(discovery::PATH, 200, &fake.document());
    tokio::time::pause();
    tokio::time::advance(FAILURE_KEPT).await;
    tokio::time::resume();
    assert!(provider.begin(&fake.pending).await.is_ok());
}

#[tokio::test]
async fn no_redirect_of_the_provider_is_followed() {
    let fake = Fake::start();
    fake.says("/elsewhere", 200, &fake.document());
    fake.says(discovery::PATH, 302, &json!({}));
    assert!(fake.provider().begin(&fake.pending).await.is_err());
    fake.says(discovery::PATH, 200, &fake.document());
    fake.says("/token", 302, &json!({}));
    assert!(fake.finish(&fake.provider()).await.is_err());
    assert_eq!(fake.asked("/elsewhere"), 0);
}

#[tokio::test]
async fn keys_are_kept_and_fetched_again_when_one_is_missing() {
    let fake = Fake::start();
    let provider = fake.provider();
    let claims = json!({"groups": "viewer", "email": "ann@example.com"});
    fake.gives(&signed_by("one"), &fake.key, &claims);
    for _ in 0..2 {
        let ann = fake.finish(&provider).await.expect("signed in");
        assert_eq!(
            (ann.name.as_str(), ann.role),
            ("ann@example.com", Some(Role::Viewer))
        );
    }
    assert_eq!((fake.asked("/jwks"), fake.asked("/userinfo")), (1, 0));
    fake.gives(&signed_by("two"), &fake.key, &claims);
    let said = why(fake.finish(&provider).await);
    assert!(
        said.contains("a key that the provider does not publish"),
        "{said}"
    );
    assert_eq!(fake.asked("/jwks"), 2);
}

#[tokio::test]
async fn a_token_that_the_provider_did_not_sign_is_refused() {
    let fake = Fake::start();
    let provider = fake.provider();
    let claims = json!({"groups": "admin", "email": "eve@example.com"});
    let other = rcgen::KeyPair::generate().unwrap();
    let other = EncodingKey::from_ec_der(&other.serialize_der());
    fake.gives(&signed_by("one"), &other, &claims);
    assert!(why(fake.finish(&provider).await).contains("a signature that is wrong"));
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("one".to_owned());
    fake.gives(&header, &EncodingKey::from_secret(b"us"), &claims);
    assert!(fake.finish(&provider).await.is_err(), "a secret of nobody");
    // {"alg":"none"}.{"sub":"7"}.
    fake.gives_text("eyJhbGciOiJub25lIn0.eyJzdWIiOiI3In0.");
    assert!(why(fake.finish(&provider).await).contains("is no signed token"));
    fake.gives(
        &signed_by("one"),
        &fake.key,
        &json!({"nonce": "another", "email": "x"}),
    );
    assert!(why(fake.finish(&provider).await).contains("(nonce)"));
}

#[tokio::test]
async fn what_userinfo_says_counts_for_the_same_person_alone() {
    let fake = Fake::start();
    let provider = fake.provider();
    fake.gives(&signed_by("one"), &fake.key, &json!({}));
    let admin = |id: &str| json!({"sub": id, "groups": ["admin"], "preferred_username": "ann"});
    fake.says("/userinfo", 200, &admin("7"));
    let ann = fake.finish(&provider).await.expect("signed in");
    assert_eq!((ann.name.as_str(), ann.role), ("ann", Some(Role::Admin)));
    fake.says("/userinfo", 200, &admin("8"));
    assert!(why(fake.finish(&provider).await).contains("told of somebody else"));
    fake.gives(
        &signed_by("one"),
        &fake.key,
        &json!({"groups": "x", "email": "ann@example.com"}),
    );
    fake.says("/userinfo", 200, &admin("7"));
    let ann = fake.finish(&provider).await.expect("known");
    assert_eq!(ann.role, None, "what is signed counts first");
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_shows_nothing_of_itself() {
    let fake = Fake::start();
    fake.says(
        "/token",
        200,
        &json!({"id_token": 7, "access_token": "very-secret"}),
    );
    let said = why(fake.finish(&fake.provider()).await);
    assert!(
        said.contains("token_endpoint") && !said.contains("very-secret"),
        "{said}"
    );
    fake.says("/token", 401, &json!({"error": "invalid_client"}));
    let said = why(fake.finish(&fake.provider()).await);
    assert!(said.contains("OIDC_CLIENT_SECRET"), "{said}");
}

fn named(value: &Value) -> String {
    name(&proven(value.as_object().expect("an object").clone()))
}

#[test]
fn a_person_is_named_by_a_proven_address_else_by_what_they_sign_in_with() {
    let all = json!({"sub": "7", "preferred_username": "ann", "email": "ann@example.com"});
    assert_eq!(named(&all), "ann@example.com");
    let mut unproven = all;
    unproven["email_verified"] = json!(false);
    assert_eq!(named(&unproven), "ann");
    assert_eq!(named(&json!({"sub": "7", "email": " "})), "7");
    assert_eq!(named(&json!({"sub": "7\u{0}x"})), "7\u{fffd}x");
}
