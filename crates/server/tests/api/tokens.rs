//! Tokens of an identity provider, from its keys to the route.

use std::io::{Read, Write};
use std::net::TcpListener;

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::support::{Answer, NOON, Service};

/// A provider with one key, on a thread of its own.
struct Provider {
    key: EncodingKey,
    url: String,
}

impl Provider {
    fn start() -> Self {
        let pair = rcgen::KeyPair::generate().expect("a key");
        let key = EncodingKey::from_ec_der(&pair.serialize_der());
        let mut jwk = json!(Jwk::from_encoding_key(&key, Algorithm::ES256).expect("a JWK"));
        jwk["kid"] = json!("one");
        let body = json!({"keys": [jwk]}).to_string();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/jwks", listener.local_addr().expect("an address"));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut stream = stream;
                let _ = stream.read(&mut [0; 4_096]);
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                let _ = stream.write_all(format!("{head}{body}").as_bytes());
            }
        });
        Self { key, url }
    }

    fn token(&self, more: &Value) -> String {
        let mut claims = json!({"exp": NOON.as_ms() / 1_000 + 60, "sub": "ann", "iss": "them"});
        let members = more.as_object().expect("an object").clone();
        claims.as_object_mut().expect("an object").extend(members);
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some("one".to_owned());
        encode(&header, &claims, &self.key).expect("a token")
    }
}

async fn ask(service: &Service, method: &str, path: &str, token: &str) -> Answer {
    let ask = service.ask(method, path).from("192.0.2.1");
    ask.header("authorization", &format!("Bearer {token}"))
        .send()
        .await
}

#[tokio::test]
async fn a_person_of_the_provider_may_what_their_groups_may() {
    let provider = Provider::start();
    let service = Service::start(&[
        ("JWKS_URL", &provider.url),
        ("JWT_ISSUER", "them"),
        ("JWT_AUDIENCE", "caller-id,other"),
        ("JWT_ROLE_CLAIM", "realm.groups"),
        ("JWT_ROLE_MAP", "floor=viewer,leads=operator,dial=dialer"),
    ])
    .await;
    let token = |groups: &[&str]| {
        provider.token(&json!({"aud": ["caller-id"], "realm": {"groups": groups}}))
    };
    let (viewer, lead, nobody) = (
        token(&["x", "floor"]),
        token(&["leads", "floor"]),
        token(&["admin"]),
    );
    assert_eq!(
        ask(&service, "GET", "/api/v1/pools", &viewer).await.status,
        200,
        "the first of all"
    );
    let campaign = "/api/v1/campaigns/a";
    assert_eq!(
        ask(&service, "PUT", campaign, &viewer).await.detail(),
        "Operator role required"
    );
    assert_eq!(ask(&service, "PUT", campaign, &lead).await.status, 422);
    assert_eq!(
        ask(&service, "PUT", "/api/v1/pools/a", &lead)
            .await
            .detail(),
        "Admin role required"
    );
    assert_eq!(
        ask(&service, "GET", "/api/v1/pools", &nobody).await.status,
        403
    );
    let dialer = token(&["dial"]);
    assert_eq!(
        ask(&service, "GET", "/next-cid?to=13125551212", &dialer)
            .await
            .status,
        404
    );
    let elsewhere = provider.token(&json!({"aud": "another", "realm": {"groups": ["leads"]}}));
    let answer = ask(&service, "GET", "/api/v1/pools", &elsewhere).await;
    assert_eq!(
        (answer.status, &answer.json()["reason"]),
        (401, &json!("the token is not for JWT_AUDIENCE"))
    );
}

#[tokio::test]
async fn a_token_that_cannot_be_checked_is_answered_503_and_is_no_guess() {
    let provider = Provider::start();
    // Nobody listens there any more.
    let gone = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/jwks", gone.local_addr().expect("an address"));
    drop(gone);
    let service = Service::start(&[("JWKS_URL", &url), ("JWT_ISSUER", "them")]).await;
    let token = provider.token(&json!({"role": "admin"}));
    // More often than a wrong one may be tried.
    for path in ["/api/v1/pools", "/next-cid?to=13125551212"].repeat(10) {
        let answer = ask(&service, "GET", path, &token).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, "30"));
        assert_eq!(
            answer.json()["type"],
            "urn:caller-id:problem:keys-away",
            "{}",
            answer.body
        );
        assert!(answer.detail().contains("JWKS_URL"), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_token_whose_end_is_a_text_is_told_so() {
    let provider = Provider::start();
    let service = Service::start(&[("JWKS_URL", &provider.url), ("JWT_ISSUER", "them")]).await;
    let token = provider.token(&json!({"exp": "4000000000", "role": "admin"}));
    let answer = ask(&service, "GET", "/api/v1/pools", &token).await;
    let why = "the token's exp is no number of seconds since 1970";
    assert_eq!(
        (answer.status, &answer.json()["reason"]),
        (401, &json!(why))
    );
}
