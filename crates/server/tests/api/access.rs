//! Who may ask, and who may not.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::support::{Answer, NOON, Service, TOKEN};

const SECRET: &str = "a-secret-that-nobody-guesses";

fn noon_s() -> i64 {
    NOON.as_ms() / 1_000
}

fn jwt(algorithm: Algorithm, secret: &str, claims: &Value) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::new(algorithm), claims, &key).expect("a token")
}

async fn pools_with(service: &Service, token: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    service
        .ask("GET", "/api/v1/pools")
        .header("authorization", &bearer)
        .send()
        .await
}

#[tokio::test]
async fn a_signed_token_of_an_admin_opens_until_it_expires() {
    let service = Service::start(&[("JWT_SECRET", SECRET), ("ADMIN_TOKEN", "")]).await;
    let token = jwt(
        Algorithm::HS256,
        SECRET,
        &json!({"role": "admin", "exp": noon_s() + 60}),
    );
    assert_eq!(pools_with(&service, &token).await.status, 200);
    service.clock.advance_ms(60_000);
    let late = pools_with(&service, &token).await;
    assert_eq!(
        (late.status, late.detail().as_str()),
        (401, "Invalid token")
    );
}

#[tokio::test]
async fn a_token_that_is_not_ours_is_refused() {
    let service = Service::start(&[("JWT_SECRET", SECRET)]).await;
    let admin = json!({"role": "admin", "exp": noon_s() + 60});
    let unsigned =
        "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJyb2xlIjoiYWRtaW4iLCJleHAiOjQxMDI0NDQ4MDB9.";
    let refused = [
        (
            "another secret",
            jwt(Algorithm::HS256, "another-secret-of-theirs", &admin),
        ),
        ("another algorithm", jwt(Algorithm::HS384, SECRET, &admin)),
        ("no algorithm", unsigned.to_owned()),
        (
            "no expiry",
            jwt(Algorithm::HS256, SECRET, &json!({"role": "admin"})),
        ),
        (
            "expired",
            jwt(
                Algorithm::HS256,
                SECRET,
                &json!({"role": "admin", "exp": noon_s() - 1}),
            ),
        ),
        (
            "not yet",
            jwt(
                Algorithm::HS256,
                SECRET,
                &json!({"role": "admin", "exp": noon_s() + 60, "nbf": noon_s() + 1}),
            ),
        ),
        ("the secret itself", SECRET.to_owned()),
        ("nothing like a token", "a.b.c".to_owned()),
    ];
    for (what, token) in refused {
        let answer = pools_with(&service, &token).await;
        assert_eq!(
            (answer.status, answer.detail().as_str()),
            (401, "Invalid token"),
            "{what}"
        );
    }
}

#[tokio::test]
async fn a_signed_token_that_is_worth_nothing_is_told_why() {
    let service = Service::start(&[("JWT_SECRET", SECRET)]).await;
    let forever = jwt(Algorithm::HS256, SECRET, &json!({"role": "admin"}));
    let mut header = Header::new(Algorithm::HS256);
    header.crit = Some(vec!["something".to_owned()]);
    let claims = json!({"role": "admin", "exp": noon_s() + 60});
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let critical = encode(&header, &claims, &key).expect("a token");
    for (token, reason) in [
        (forever, "the token has no exp"),
        (critical, "the token has a crit header"),
    ] {
        let answer = pools_with(&service, &token).await;
        assert_eq!(
            (
                answer.status,
                answer.detail().as_str(),
                &answer.json()["reason"]
            ),
            (401, "Invalid token", &json!(reason))
        );
    }
}

#[tokio::test]
async fn a_good_token_of_somebody_else_is_403() {
    let service = Service::start(&[("JWT_SECRET", SECRET)]).await;
    for claims in [
        json!({"role": "agent", "exp": noon_s() + 60}),
        json!({"exp": noon_s() + 60}),
    ] {
        let token = jwt(Algorithm::HS256, SECRET, &claims);
        let bearer = format!("Bearer {token}");
        for (method, path, words) in [
            ("POST", "/add-number", "Admin role required"),
            ("PUT", "/api/v1/pools/a", "Admin role required"),
            ("PUT", "/api/v1/campaigns/a", "Operator role required"),
            ("GET", "/api/v1/pools", "Viewer role required"),
        ] {
            let asked = service.ask(method, path).header("authorization", &bearer);
            let answer = asked.send().await;
            assert_eq!((answer.status, answer.detail().as_str()), (403, words));
        }
    }
}

#[tokio::test]
async fn without_a_secret_no_signed_token_is_good() {
    let service = Service::start(&[]).await;
    let token = jwt(
        Algorithm::HS256,
        "",
        &json!({"role": "admin", "exp": noon_s() + 60}),
    );
    assert_eq!(pools_with(&service, &token).await.status, 401);
}

#[tokio::test]
async fn an_address_beyond_the_list_is_refused_before_its_token_is_looked_at() {
    let service = Service::start(&[("IP_WHITELIST", "10.0.0.0/8")]).await;
    let answer = service
        .ask("GET", "/api/v1/pools")
        .from("192.0.2.1")
        .send()
        .await;
    assert_eq!(
        (answer.status, answer.detail().as_str()),
        (403, "IP not allowed")
    );
    let answer = service
        .ask("GET", "/api/v1/pools")
        .from("::ffff:10.1.1.1")
        .header("x-admin-token", TOKEN)
        .send()
        .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_dialer_elsewhere_needs_a_key_an_address_or_the_admin_token() {
    let settings = [
        ("DIALER_KEYS", "key-of-dialer-1,key-of-dialer-2"),
        ("DIALER_ALLOW", "10.0.0.0/8,2001:db8::/32"),
    ];
    let service = Service::start(&settings).await;
    service.add(json!({"caller_id": "3125550100"})).await;
    let ask = || {
        service
            .ask("POST", "/api/v1/release")
            .json(&json!({"call_id": "V1"}))
    };
    let allowed = [
        ask(),
        ask().from("::1"),
        ask().from("10.1.2.3"),
        ask().from("2001:db8::7"),
        ask()
            .from("192.0.2.1")
            .header("x-api-key", "key-of-dialer-2"),
        ask()
            .from("192.0.2.1")
            .header("authorization", "Bearer key-of-dialer-1"),
        ask().from("192.0.2.1").header("x-admin-token", TOKEN),
    ];
    for call in allowed {
        assert_eq!(call.send().await.status, 200);
    }
    let refused = [
        ask().from("192.0.2.1"),
        ask()
            .from("192.0.2.1")
            .header("x-api-key", "key-of-dialer-3"),
        ask().from("192.0.2.1").header("x-api-key", ""),
        ask().header("x-forwarded-for", "127.0.0.1"),
        ask().header("x-real-ip", "127.0.0.1"),
        ask().header("forwarded", "for=127.0.0.1"),
    ];
    for call in refused {
        assert_eq!(call.send().await.status, 401);
    }
}

#[tokio::test]
async fn who_may_not_ask_for_a_number_may_not_end_a_reservation() {
    let service = Service::start(&[]).await;
    service.add(json!({"caller_id": "3125550100"})).await;
    let next = service.get("/next-cid?to=13125551212&call=V1").await.json();
    let id = next["reservation_id"].as_str().expect("an id");
    let path = format!("/api/v1/reservations/{id}");
    let stranger = service.ask("DELETE", &path).from("192.0.2.1").send().await;
    assert_eq!(stranger.status, 401, "{}", stranger.body);
    assert!(stranger.detail().contains("DIALER_KEYS"));
    let ended = service.ask("DELETE", &path).send().await;
    assert_eq!(
        ended.json()["released"],
        true,
        "it lived on: {}",
        ended.body
    );
}

#[tokio::test]
async fn behind_a_proxy_that_nobody_named_the_refusal_says_which_setting_to_make() {
    let service = Service::start(&[]).await;
    let answer = service
        .ask("GET", "/next-cid?to=3125551212")
        .header("x-forwarded-for", "192.0.2.1")
        .send()
        .await;
    assert_eq!(answer.status, 401);
    assert!(
        answer.detail().contains("TRUSTED_PROXIES"),
        "{}",
        answer.detail()
    );
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_client_counts() {
    let service = Service::start(&[
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("DIALER_ALLOW", "192.0.2.0/24"),
    ])
    .await;
    let ask = |chain: &str| {
        let call = service
            .ask("POST", "/api/v1/release")
            .json(&json!({"call_id": "V1"}));
        call.header("x-forwarded-for", chain).send()
    };
    assert_eq!(ask("192.0.2.1").await.status, 200);
    assert_eq!(ask("192.0.2.1, 203.0.113.9").await.status, 401);
    assert_eq!(
        ask("127.0.0.1").await.status,
        401,
        "a header is never this machine"
    );
    assert_eq!(ask("192.0.2.1, rubbish").await.status, 401);
}

#[tokio::test]
async fn a_trusted_proxy_on_this_machine_that_does_not_say_for_whom_it_asks_opens_nothing() {
    let proxy = ("TRUSTED_PROXIES", "127.0.0.1");
    let service = Service::start(&[proxy]).await;
    let refused = service.get("/next-cid?to=3125551212").await;
    assert_eq!(refused.status, 401, "{}", refused.body);
    for said in [
        "X-Forwarded-For",
        "TRUSTED_PROXIES",
        "DIALER_ALLOW=127.0.0.1",
        "DIALER_KEYS",
    ] {
        assert!(refused.detail().contains(said), "{}", refused.detail());
    }
    let allowed = [
        ("DIALER_ALLOW", "127.0.0.1", ""),
        ("DIALER_KEYS", "key-of-dialer-1", "key-of-dialer-1"),
    ];
    for (name, value, key) in allowed {
        let service = Service::start(&[proxy, (name, value)]).await;
        let asked = service.ask("GET", "/next-cid?to=3125551212");
        let answer = asked.header("x-api-key", key).send().await;
        assert_eq!(answer.status, 404, "{name}: {}", answer.body);
    }
}

#[tokio::test]
async fn without_any_secret_a_token_is_made_and_kept() {
    let service = Service::start(&[("ADMIN_TOKEN", "")]).await;
    let token =
        std::fs::read_to_string(service.folder.path().join("admin-token")).expect("a token");
    let answer = service
        .ask("GET", "/api/v1/pools")
        .header("x-admin-token", token.trim())
        .send()
        .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn who_may_not_ask_is_told_so_before_anything_else() {
    let service = Service::start(&[]).await;
    for query in [
        "to=3125551212&format=xml",
        "format=json",
        "to=911",
        "to=%ff",
    ] {
        let call = service.ask("GET", &format!("/next-cid?{query}"));
        assert_eq!(call.from("203.0.113.9").send().await.status, 401, "{query}");
    }
}

#[tokio::test]
async fn what_everybody_tries_first_opens_for_this_machine_and_not_over_a_proxy() {
    let settings = [
        ("ADMIN_TOKEN", "change-me"),
        ("TRUSTED_PROXIES", "10.0.0.1"),
    ];
    let service = Service::start(&settings).await;
    let ask = || {
        service
            .ask("GET", "/api/v1/pools")
            .header("x-admin-token", "change-me")
    };
    assert_eq!(ask().send().await.status, 200);
    let proxied = [
        ask().header("x-forwarded-for", "203.0.113.9"),
        ask().header("x-forwarded-for", "127.0.0.1"),
        ask()
            .header("x-forwarded-for", "203.0.113.9")
            .from("10.0.0.1"),
        ask().from("10.0.0.1"),
        ask().from("203.0.113.9"),
    ];
    for call in proxied {
        let answer = call.send().await;
        assert_eq!(answer.status, 403, "{}", answer.body);
        assert!(answer.detail().contains("ADMIN_TOKEN"), "{}", answer.body);
    }
}
