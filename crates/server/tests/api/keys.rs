//! API keys: what they open, from where, for which campaigns, and until when; and who guesses them.

use std::sync::Arc;
use std::time::Duration;

use caller_id::config::storage::DatabaseUrl;
use caller_id_core::{Author, CampaignId, KeyStore, Role, SystemClock, Timestamp};
use caller_id_store::{PostgresOptions, PostgresStore, SqliteOptions, SqliteStore};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::{Answer, NOON, Service, TOKEN};

const ELSEWHERE: &str = "192.0.2.1";

async fn pools(service: &Service, header: &str, key: &str) -> Answer {
    let ask = service.ask("GET", "/api/v1/pools").from(ELSEWHERE);
    ask.header(header, key).send().await
}

async fn next_cid(service: &Service, key: &str, campaign: &str) -> Answer {
    let path = format!("/next-cid?to=13125551212&campaign={campaign}");
    let ask = service.ask("GET", &path).from(ELSEWHERE);
    ask.header("x-api-key", key).send().await
}

#[tokio::test]
async fn a_key_is_taken_in_each_of_the_three_headers() {
    let service = Service::start(&[]).await;
    let (key, _) = service.key(|key| key.role = Role::Viewer).await;
    for (header, value) in [
        ("x-api-key", key.clone()),
        ("x-admin-token", key.clone()),
        ("authorization", format!("Bearer {key}")),
    ] {
        assert_eq!(
            pools(&service, header, &value).await.status,
            200,
            "{header}"
        );
    }
    let (key, _) = service.key(|_| ()).await;
    for (header, value) in [
        ("x-api-key", key.clone()),
        ("x-admin-token", key.clone()),
        ("authorization", format!("Bearer {key}")),
    ] {
        let ask = service
            .ask("GET", "/next-cid?to=13125551212")
            .from(ELSEWHERE);
        assert_eq!(
            ask.header(header, &value).send().await.status,
            404,
            "{header}"
        );
    }
}

#[tokio::test]
async fn a_key_for_some_campaigns_asks_for_no_other() {
    let service = Service::start(&[]).await;
    service.add(json!({"caller_id": "3125550100"})).await;
    let solar = CampaignId::new("SOLAR").expect("a name");
    let (key, _) = service.key(|key| key.campaigns = vec![solar]).await;
    assert_eq!(next_cid(&service, &key, "SOLAR").await.status, 200);
    let other = next_cid(&service, &key, "ROOF").await;
    assert_eq!(other.status, 403, "{}", other.body);
    assert!(other.detail().contains("`ROOF`"), "{}", other.body);
    assert_eq!(next_cid(&service, &key, "").await.status, 403);
    let here = service.ask("GET", "/next-cid?to=13125551212&campaign=ROOF");
    let here = here.header("x-api-key", &key).send().await;
    assert_eq!(here.status, 403, "where no key is needed it holds, too");
    let text = service
        .ask("GET", "/next-cid?to=13125551212&campaign=ROOF&format=text")
        .header("x-api-key", &key);
    let text = text.send().await;
    assert_eq!((text.status, text.body.as_str()), (403, ""));
}

#[tokio::test]
async fn a_key_that_is_revoked_is_worth_nothing_at_once() {
    let service = Service::start(&[]).await;
    let (key, kept) = service.key(|key| key.role = Role::Admin).await;
    assert_eq!(pools(&service, "x-api-key", &key).await.status, 200);
    let by = Author::command("test");
    let revoked = service.keys().revoke(&kept.id, NOON, &by).await;
    assert!(revoked.expect("written"));
    let answer = pools(&service, "x-api-key", &key).await;
    assert_eq!(
        (answer.status, answer.detail().as_str()),
        (401, "Invalid token")
    );
    assert_eq!(answer.json()["reason"], "the key is revoked");
}

/// The key store of the same database, as another process has it open.
async fn another_process(service: &Service) -> Arc<dyn KeyStore> {
    let clock = Arc::new(SystemClock::new());
    match service.storage().database().expect("a database") {
        DatabaseUrl::Sqlite(path) => {
            SqliteStore::open_beside(&path, SqliteOptions::new(clock)).expect("a store")
        }
        DatabaseUrl::Postgres(url) => {
            let opened = PostgresStore::open_beside(&url, PostgresOptions::new(clock)).await;
            opened.expect("a store")
        }
    }
}

#[tokio::test]
async fn a_key_that_another_process_revokes_is_worth_nothing_soon_after() {
    let service = Service::start(&[]).await;
    let (key, kept) = service.key(|key| key.role = Role::Viewer).await;
    assert_eq!(pools(&service, "x-api-key", &key).await.status, 200);
    let other = another_process(&service).await;
    let by = Author::command("test");
    assert!(
        other
            .revoke_key(&kept.id, NOON, &by)
            .await
            .expect("written")
    );
    let begun = Instant::now();
    while pools(&service, "x-api-key", &key).await.status == 200 {
        assert!(begun.elapsed() < Duration::from_secs(30), "it opens still");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_key_expires() {
    let service = Service::start(&[]).await;
    let end = Timestamp::from_ms(NOON.as_ms() + 60_000);
    let (key, _) = service
        .key(|key| {
            key.role = Role::Viewer;
            key.expires_at = Some(end);
        })
        .await;
    assert_eq!(pools(&service, "x-api-key", &key).await.status, 200);
    service.clock.advance_ms(60_000);
    let late = pools(&service, "x-api-key", &key).await;
    assert_eq!(
        (late.status, &late.json()["reason"]),
        (401, &json!("the key has expired"))
    );
}

#[tokio::test]
async fn a_key_opens_from_the_addresses_of_its_list_alone() {
    let service = Service::start(&[("TRUSTED_PROXIES", "10.0.0.9")]).await;
    let (key, kept) = service
        .key(|key| {
            key.role = Role::Viewer;
            key.addresses = vec!["192.0.2.0/24".to_owned(), "2001:db8::/32".to_owned()];
        })
        .await;
    let ask = |from: &str| {
        let ask = service.ask("GET", "/api/v1/pools").from(from);
        ask.header("x-api-key", &key)
    };
    for good in ["192.0.2.9", "::ffff:192.0.2.9", "2001:db8::1"] {
        assert_eq!(ask(good).send().await.status, 200, "{good}");
    }
    let proxied = ask("10.0.0.9").header("x-forwarded-for", "192.0.2.9");
    assert_eq!(proxied.send().await.status, 200);
    for bad in ["203.0.113.1", "127.0.0.1", "10.0.0.9"] {
        let answer = ask(bad).send().await;
        assert_eq!(
            (answer.status, answer.detail().as_str()),
            (403, "IP not allowed"),
            "{bad}"
        );
        assert!(answer.body.contains(&kept.name), "{}", answer.body);
    }
}

#[tokio::test]
async fn who_guesses_waits_and_what_nobody_can_guess_opens_all_the_same() {
    let service = Service::start(&[("ADMIN_TOKEN", "short-token-7")]).await;
    let (key, _) = service.key(|key| key.role = Role::Admin).await;
    let tenth = async {
        for _ in 0..10 {
            let wrong = pools(&service, "x-admin-token", "a-guess").await;
            assert_eq!(
                (wrong.status, wrong.detail().as_str()),
                (401, "Invalid token")
            );
        }
    };
    tenth.await;
    for guess in ["a-guess", "short-token-7"] {
        let waits = pools(&service, "x-admin-token", guess).await;
        assert_eq!(
            (waits.status, waits.header("retry-after")),
            (429, "60"),
            "{guess}"
        );
    }
    assert_eq!(pools(&service, "x-admin-token", &key).await.status, 200);
    let elsewhere = service.ask("GET", "/api/v1/pools").from("192.0.2.2");
    let elsewhere = elsewhere.header("x-admin-token", "short-token-7");
    assert_eq!(elsewhere.send().await.status, 200);
    service.clock.advance_ms(60_000);
    assert_eq!(
        pools(&service, "x-admin-token", "short-token-7")
            .await
            .status,
        200
    );
    let metrics = service.get("/metrics").await.body;
    assert!(
        metrics.contains("caller_id_sign_in_failures_total 10\n"),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_long_token_opens_while_a_neighbour_guesses() {
    let service = Service::start(&[]).await;
    for _ in 0..20 {
        pools(&service, "x-admin-token", "a-guess").await;
    }
    assert_eq!(pools(&service, "x-admin-token", TOKEN).await.status, 200);
}

#[tokio::test]
async fn a_dialer_with_a_wrong_key_waits_and_dialers_of_this_machine_never_do() {
    let service = Service::start(&[("DIALER_KEYS", "short-key-7")]).await;
    let statuses = async {
        let mut statuses = Vec::new();
        for _ in 0..11 {
            statuses.push(next_cid(&service, "a-wrong-key", "").await.status);
        }
        statuses
    };
    let statuses = statuses.await;
    assert_eq!(statuses, [[401; 10].as_slice(), &[429]].concat());
    let (key, _) = service.key(|_| ()).await;
    assert_eq!(
        next_cid(&service, &key, "").await.status,
        404,
        "a good API key"
    );
    assert_eq!(pools(&service, "x-admin-token", TOKEN).await.status, 200);
    for _ in 0..20 {
        let here = service.ask("GET", "/next-cid?to=13125551212");
        assert_eq!(
            here.header("x-api-key", "a-wrong-key").send().await.status,
            404
        );
    }
}

#[tokio::test]
async fn the_list_of_uses_tells_when_a_key_was_last_used() {
    let service = Service::start(&[]).await;
    let (key, _) = service.key(|key| key.role = Role::Viewer).await;
    let last = async || service.keys().keys().await.expect("read")[0].last_used_at;
    assert_eq!(last().await, None);
    service.clock.advance_ms(5);
    pools(&service, "x-api-key", &key).await;
    assert_eq!(last().await, Some(Timestamp::from_ms(NOON.as_ms() + 5)));
}

#[tokio::test]
async fn answers_for_people_carry_the_headers_that_browsers_obey() {
    let service = Service::start(&[]).await;
    let data = service.admin("GET", "/api/v1/pools", &Value::Null).await;
    let refused = service.get("/api/v1/pools").await;
    for answer in [&data, &refused] {
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert!(
            answer
                .header("content-security-policy")
                .contains("default-src 'none'")
        );
    }
    let docs = service.get("/docs/").await;
    let policy = docs.header("content-security-policy");
    assert!(policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'"));
    assert!(
        !docs.body.contains("<script>") && !docs.body.contains("http://"),
        "{}",
        docs.body
    );
    let call = service.get("/next-cid?to=13125551212").await;
    assert_eq!(call.header("x-frame-options"), "");
}

#[tokio::test]
async fn pages_of_allowed_origins_may_change_things_and_read_tags() {
    let service = Service::start(&[("ALLOWED_ORIGINS", "https://app.example.com")]).await;
    let ask = |method, path| {
        service
            .ask(method, path)
            .header("origin", "https://app.example.com")
    };
    let preflight = ask("OPTIONS", "/api/v1/pools/a")
        .header("access-control-request-method", "PATCH")
        .header("access-control-request-headers", "if-match,x-admin-token")
        .send()
        .await;
    for method in ["PATCH", "DELETE", "PUT"] {
        assert!(
            preflight
                .header("access-control-allow-methods")
                .contains(method)
        );
    }
    for header in ["if-match", "x-admin-token", "authorization"] {
        assert!(
            preflight
                .header("access-control-allow-headers")
                .contains(header)
        );
    }
    let answer = ask("GET", "/api/v1/pools").send().await;
    assert!(
        answer
            .header("access-control-expose-headers")
            .contains("etag")
    );
}
