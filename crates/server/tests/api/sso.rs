//! Sign-in over a real identity provider.

use std::sync::Arc;

use caller_id_core::{Clock, SystemClock};
use caller_id_testkit::oidc::IdentityProvider;
use caller_id_testkit::postgres::Postgres;
use caller_id_testkit::redis::RedisServer;
use serde_json::{Value, json};

use crate::sign_in::told;
use crate::sso_browser::{Browser, CALLBACK, change};
use crate::support::{Answer, Service};

const CLIENT: &str = "caller-id";
const SECRET: &str = "a secret: with/odd%characters";

/// A provider that knows people of every kind.
fn provider(more: &Value) -> IdentityProvider {
    let mut settings = json!({
        "clients": [{"client_id": CLIENT, "client_secret": SECRET, "redirect_uris": [CALLBACK]}],
        "people": {
            "1": {"email": "ann@example.com", "email_verified": true, "groups": ["staff", "caller-id-admins"]},
            "2": {"email": "ops@example.com", "email_verified": false, "preferred_username": "olaf", "groups": "ops"},
            "3": {"groups": ["floor"]},
            "4": {"email": "eve@example.com", "groups": ["admin", "root"]},
        },
    });
    let members = more.as_object().expect("an object").clone();
    settings.as_object_mut().expect("an object").extend(members);
    IdentityProvider::start(&settings)
}

fn settings(provider: &IdentityProvider) -> Vec<(&'static str, String)> {
    let pairs = [
        ("OIDC_ISSUER", provider.issuer()),
        ("OIDC_CLIENT_ID", CLIENT),
        ("OIDC_CLIENT_SECRET", SECRET),
        ("OIDC_REDIRECT_URL", CALLBACK),
        (
            "OIDC_ROLE_MAP",
            "caller-id-admins=admin,ops=operator,floor=viewer",
        ),
    ];
    pairs.map(|(name, value)| (name, value.to_owned())).to_vec()
}

async fn start(settings: &[(&'static str, String)]) -> Service {
    let pairs: Vec<_> = settings
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let service = Service::start(&pairs).await;
    on_time(&service);
    service
}

/// The provider has the time of this machine.
fn on_time(service: &Service) {
    service.clock.set(SystemClock::new().now());
}

async fn sign_in(service: &Service, browser: &mut Browser, person: &str) -> Answer {
    let url = browser.begin("/docs/").await;
    let back = browser.at_provider(&url, person);
    on_time(service);
    browser.get(&back).await
}

fn known(name: &str, role: &str) -> Option<(String, String, String)> {
    Some((name.to_owned(), "user".to_owned(), role.to_owned()))
}

#[tokio::test]
async fn people_may_what_their_groups_may_and_others_are_refused() {
    let provider = provider(&json!({}));
    let service = start(&settings(&provider)).await;
    let people = [
        ("1", "ann@example.com", "admin", 200),
        ("2", "olaf", "operator", 403),
        ("3", "3", "viewer", 403),
    ];
    for (person, name, role, may_change_pools) in people {
        let mut browser = Browser::new(&service.dispatch);
        let answer = sign_in(&service, &mut browser, person).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/docs/"));
        assert_eq!(browser.me().await, known(name, role));
        assert_eq!(browser.get("/api/v1/pools").await.status, 200);
        let proof = browser.proof().await;
        let headers = [("x-csrf-token", proof.as_str())];
        let pool = ("PUT", "/api/v1/pools/sales");
        let status = change(&mut browser, pool, &headers, &json!({})).await;
        assert_eq!(status, may_change_pools, "{name}");
    }
    let mut eve = Browser::new(&service.dispatch);
    let answer = sign_in(&service, &mut eve, "4").await;
    assert_eq!(answer.status, 403);
    let says = "`eve@example.com` is known to the provider, and has no role here";
    assert!(answer.body.contains(says), "{}", answer.body);
    assert_eq!(eve.me().await, None);
    let events = told(&service).await;
    let said: Vec<_> = events
        .iter()
        .map(|event| (event.action.as_str(), event.author.name.as_str()))
        .collect();
    let expected = [
        ("session.begin", "ann@example.com"),
        ("session.begin", "olaf"),
        ("session.begin", "3"),
        ("session.refuse", "eve@example.com"),
    ];
    assert_eq!(said, expected);
    assert!(
        events
            .iter()
            .all(|event| event.author.kind.as_str() == "user")
    );
}

#[tokio::test]
async fn an_answer_that_is_not_for_this_sign_in_is_refused() {
    let provider = provider(&json!({}));
    let service = start(&settings(&provider)).await;
    let mut browser = Browser::new(&service.dispatch);
    let refused = async |browser: &mut Browser, back: &str, why: &str| {
        on_time(&service);
        let answer = browser.get(back).await;
        assert_eq!(answer.status, 403, "{why}");
        assert!(answer.body.contains(why), "{why}: {}", answer.body);
        assert_eq!(browser.me().await, None);
    };
    let url = browser.begin("").await;
    let back = browser.at_provider(&url, "1");
    let mut stranger = Browser::new(&service.dispatch);
    refused(&mut stranger, &back, "was begun in another browser").await;
    stranger.begin("").await;
    refused(
        &mut stranger,
        &back,
        "not the one that this browser began (state)",
    )
    .await;

    let mut browser = Browser::new(&service.dispatch);
    let own = browser.begin("").await;
    let changed = own.replace("nonce=", "nonce=x");
    let back = browser.at_provider(&changed, "1");
    refused(&mut browser, &back, "not for this sign-in (nonce)").await;

    let own = browser.begin("").await;
    let cut = own.find("code_challenge=").expect("PKCE") + "code_challenge=".len();
    let changed = format!(
        "{}E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw%2DcM{}",
        &own[..cut],
        &own[own[cut..].find('&').map_or(own.len(), |end| cut + end)..]
    );
    let back = browser.at_provider(&changed, "1");
    refused(&mut browser, &back, "does not take the code (invalid_grant").await;

    let own = browser.begin("").await;
    let state = own
        .split("state=")
        .nth(1)
        .and_then(|rest| rest.split('&').next());
    let state = state.expect("a state");
    let back = format!(
        "/sign-in/sso/callback?state={state}&error=access_denied&error_description=%3Cb%3Eno"
    );
    refused(&mut browser, &back, "access_denied: &lt;b&gt;no").await;
    refused(&mut browser, &back, "it took too long").await;
    let own = browser.begin("").await;
    let back = browser
        .at_provider(&own, "1")
        .replace("iss=http", "iss=https");
    refused(
        &mut browser,
        &back,
        "another provider sent the browser back",
    )
    .await;

    let own = browser.begin("").await;
    let back = browser.at_provider(&own, "1");
    service.clock.advance_ms(600_000);
    let answer = browser.get(&back).await;
    assert_eq!(answer.status, 403, "after ten minutes");
}

#[tokio::test]
async fn a_code_is_good_once() {
    let provider = provider(&json!({}));
    let service = start(&settings(&provider)).await;
    let mut browser = Browser::new(&service.dispatch);
    let url = browser.begin("").await;
    let before = browser.cookies.clone();
    let back = browser.at_provider(&url, "1");
    on_time(&service);
    assert_eq!(browser.get(&back).await.status, 303);
    assert!(!browser.cookies.contains_key("caller_id_pending"));
    let mut thief = Browser::new(&service.dispatch);
    thief.cookies = before;
    let answer = thief.get(&back).await;
    assert_eq!(answer.status, 403);
    assert!(
        answer.body.contains("does not take the code"),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn new_keys_of_the_provider_are_learned_at_once() {
    let mut provider = provider(&json!({"algorithm": "ES256"}));
    let service = start(&settings(&provider)).await;
    for _ in 0..2 {
        let mut browser = Browser::new(&service.dispatch);
        assert_eq!(sign_in(&service, &mut browser, "1").await.status, 303);
        provider.rotate();
    }
}

#[tokio::test]
async fn a_provider_that_is_away_is_told_of_and_needed_by_nobody_else() {
    let mut provider = provider(&json!({}));
    provider.away();
    let service = start(&settings(&provider)).await;
    let mut browser = Browser::new(&service.dispatch);
    let page = browser.get("/sign-in/sso").await;
    assert_eq!((page.status, page.header("retry-after")), (503, "5"));
    assert!(page.body.contains("OIDC_ISSUER"), "{}", page.body);
    assert!(page.header("content-type").starts_with("text/html"));
    assert_eq!(browser.get("/sign-in").await.status, 200);
    provider.back();
    let url = loop {
        // A failure is remembered for two seconds.
        let answer = browser.get("/sign-in/sso").await;
        match answer.status {
            303 => break answer.header("location").to_owned(),
            status => assert_eq!(status, 503),
        }
    };
    let back = browser.at_provider(&url, "1");
    provider.away();
    on_time(&service);
    assert_eq!(browser.get(&back).await.status, 503);
    provider.back();
    assert_eq!(sign_in(&service, &mut browser, "1").await.status, 303);
    provider.away();
    assert_eq!(
        browser.get("/api/v1/pools").await.status,
        200,
        "who is signed in"
    );
}

#[tokio::test]
async fn a_public_client_signs_in_and_claims_may_be_at_userinfo() {
    let provider = provider(&json!({
        "clients": [{"client_id": CLIENT, "token_endpoint_auth_method": "none", "redirect_uris": [CALLBACK]}],
        "claimsAtUserinfo": true,
    }));
    let mut pairs = settings(&provider);
    pairs.retain(|(name, _)| *name != "OIDC_CLIENT_SECRET");
    let service = start(&pairs).await;
    let mut browser = Browser::new(&service.dispatch);
    assert_eq!(sign_in(&service, &mut browser, "1").await.status, 303);
    assert_eq!(browser.me().await, known("ann@example.com", "admin"));
}

#[tokio::test]
async fn a_wrong_secret_is_a_fault_of_the_settings() {
    let provider = provider(&json!({}));
    let mut pairs = settings(&provider);
    pairs.retain(|(name, _)| *name != "OIDC_CLIENT_SECRET");
    pairs.push(("OIDC_CLIENT_SECRET", "another".to_owned()));
    let service = start(&pairs).await;
    let mut browser = Browser::new(&service.dispatch);
    let answer = sign_in(&service, &mut browser, "1").await;
    assert_eq!(answer.status, 503);
    assert!(
        answer.body.contains("OIDC_CLIENT_SECRET"),
        "{}",
        answer.body
    );
    assert!(!answer.body.contains("another"), "{}", answer.body);
}

#[tokio::test]
async fn a_browser_that_only_looks_ahead_uses_nothing_up() {
    let provider = provider(&json!({}));
    let service = start(&settings(&provider)).await;
    let mut browser = Browser::new(&service.dispatch);
    let url = browser.begin("//evil.example").await;
    let back = browser.at_provider(&url, "1");
    let kept = browser.cookies.clone();
    on_time(&service);
    for (method, path) in [("HEAD", "/sign-in/sso"), ("HEAD", &back)] {
        assert_eq!(browser.send(method, path, &[], "").await.status, 405);
    }
    for header in [
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
    ] {
        for path in ["/sign-in/sso", &back] {
            let answer = browser.send("GET", path, &[header], "").await;
            assert_eq!(answer.status, 403, "{path}");
        }
    }
    assert_eq!(browser.cookies, kept);
    let answer = browser.get(&back).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/sign-in")
    );
}

#[tokio::test]
async fn who_comes_back_refused_too_often_waits_and_from_elsewhere_nobody_gets_in() {
    let provider = provider(&json!({}));
    let service = start(&settings(&provider)).await;
    let mut browser = Browser::new(&service.dispatch);
    for _ in 0..10 {
        browser.begin("").await;
        let answer = browser.get("/sign-in/sso/callback?state=x&code=y").await;
        assert_eq!(answer.status, 403);
    }
    browser.begin("").await;
    let answer = browser.get("/sign-in/sso/callback?state=x&code=y").await;
    assert_eq!(answer.status, 429);
    // What was refused of others at the address keeps nobody out whom the provider names.
    let mut neighbour = Browser::new(&service.dispatch);
    let answer = sign_in(&service, &mut neighbour, "1").await;
    assert_eq!((answer.status, answer.header("location")), (303, "/docs/"));
    let answer = sign_in(&service, &mut Browser::new(&service.dispatch), "4").await;
    assert!(answer.body.contains("has no role here"), "{}", answer.body);
    let refusals = told(&service).await;
    let refusals = refusals
        .iter()
        .filter(|event| event.action == "session.refuse");
    assert_eq!(refusals.count(), 10, "nobody fills the audit log");
    let mut pairs = settings(&provider);
    pairs.push(("IP_WHITELIST", "10.0.0.0/8".to_owned()));
    let service = start(&pairs).await;
    let mut browser = Browser::new(&service.dispatch);
    let answer = sign_in(&service, &mut browser, "1").await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("IP_WHITELIST"), "{}", answer.body);
    assert_eq!(told(&service).await[0].action, "session.refuse");
}

#[tokio::test]
async fn any_node_takes_the_answer_and_a_session_that_ends_on_one_ends_on_all() {
    let provider = provider(&json!({}));
    let (redis, postgres) = (RedisServer::start(), Arc::new(Postgres::start()));
    let mut pairs = settings(&provider);
    pairs.push(("REDIS_URL", redis.url()));
    pairs.push(("DATABASE_URL", postgres.url(&postgres.database())));
    let (one, two) = (start(&pairs).await, start(&pairs).await);
    let mut browser = Browser::new(&one.dispatch);
    let url = browser.begin("").await;
    let back = browser.at_provider(&url, "2");
    on_time(&two);
    browser.service = two.dispatch.clone();
    assert_eq!(browser.get(&back).await.status, 303);
    browser.service = one.dispatch.clone();
    on_time(&one);
    assert_eq!(browser.me().await, known("olaf", "operator"));
    let mut same = browser.clone();
    same.service = two.dispatch.clone();
    assert_eq!(same.me().await, known("olaf", "operator"));
    let proof = browser.proof().await;
    let out = browser.form("/sign-out", &[("csrf_token", &proof)]).await;
    assert_eq!(out.status, 303);
    while same.me().await.is_some() {
        tokio::task::yield_now().await;
    }
    assert_eq!(told(&two).await.len(), 2);
}
