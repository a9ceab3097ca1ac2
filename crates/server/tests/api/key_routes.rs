//! API keys, made, listed and revoked over HTTP.

use serde_json::{Value, json};

use crate::support::{NOON, Service, TOKEN};

const KEYS: &str = "/api/v1/keys";

fn at(id: &Value) -> String {
    format!("{KEYS}/{}", id.as_str().expect("an id"))
}

#[tokio::test]
async fn a_key_is_shown_once_opens_at_once_and_never_again_when_it_is_revoked() {
    let service = Service::start(&[]).await;
    let wanted = json!({"name": " reports ", "role": "viewer", "expires_in_days": 30});
    let made = service.admin("POST", KEYS, &wanted).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.header("cache-control"), "no-store");
    let made = made.json();
    assert_eq!(
        (&made["name"], &made["role"], &made["created_by"]),
        (&json!("reports"), &json!("viewer"), &json!("admin"))
    );
    assert_eq!(made["expires_at"], "2026-12-22T12:00:00.000000Z");
    let key = made["key"].as_str().expect("the key").to_owned();
    let secret = &key[17..];
    let pools = async || {
        let ask = service.ask("GET", "/api/v1/pools").from("192.0.2.1");
        ask.header("x-api-key", &key).send().await.status
    };
    assert_eq!(pools().await, 200);
    let (one, all) = (at(&made["id"]), KEYS.to_owned());
    for path in [&one, &all, &"/api/v1/audit".to_owned()] {
        let seen = service.admin("GET", path, &Value::Null).await;
        assert_eq!(seen.status, 200, "{}", seen.body);
        assert!(!seen.body.contains(secret), "{path}: {}", seen.body);
        assert!(!seen.body.contains("\"key\":"), "{path}: {}", seen.body);
    }
    let shown = service.admin("GET", &one, &Value::Null).await.json();
    assert_eq!(shown["state"], "active");
    assert_eq!(shown["last_used_at"], NOON.to_string());
    let revoked = service.admin("DELETE", &one, &Value::Null).await;
    assert_eq!(revoked.status, 200, "{}", revoked.body);
    assert_eq!(revoked.json()["state"], "revoked");
    assert_eq!(pools().await, 401);
    let again = service.admin("DELETE", &one, &Value::Null).await;
    assert_eq!(again.status, 200, "revoking twice changes nothing");
    let listed = service.admin("GET", KEYS, &Value::Null).await.json();
    assert_eq!(listed["keys"].as_array().map(Vec::len), Some(1));
    let active = service.admin("GET", "/api/v1/keys?state=active,expired", &Value::Null);
    assert_eq!(active.await.json(), json!({"keys": []}));
}

#[tokio::test]
async fn what_cannot_be_a_key_is_refused_by_the_names_of_its_fields() {
    let service = Service::start(&[]).await;
    let long = "x".repeat(65);
    for (body, fields) in [
        (json!({}), vec!["name", "role"]),
        (json!({"name": "", "role": "root"}), vec!["name", "role"]),
        (json!({"name": long, "role": "viewer"}), vec!["name"]),
        (json!({"name": "a\u{0}b", "role": "viewer"}), vec!["name"]),
        (
            json!({"name": "a", "role": "viewer", "adresses": []}),
            vec!["adresses"],
        ),
        (
            json!({"name": "a", "role": "viewer", "addresses": ["10.0.0.0/33"]}),
            vec!["addresses"],
        ),
        (
            json!({"name": "a", "role": "viewer", "addresses": "10.0.0.1"}),
            vec!["addresses"],
        ),
        (
            json!({"name": "a", "role": "dialer", "campaigns": [7]}),
            vec!["campaigns"],
        ),
        (
            json!({"name": "a", "role": "viewer", "campaigns": ["SOLAR"]}),
            vec!["campaigns"],
        ),
        (
            json!({"name": "a", "role": "viewer", "expires_at": "2026-11-22T12:00:00Z"}),
            vec!["expires_at"],
        ),
        (
            json!({"name": "a", "role": "viewer", "expires_at": "soon"}),
            vec!["expires_at"],
        ),
        (
            json!({"name": "a", "role": "viewer", "expires_in_days": 0}),
            vec!["expires_in_days"],
        ),
        (
            json!({"name": "a", "role": "viewer", "expires_in_days": 1, "expires_at": "2027-01-01T00:00:00Z"}),
            vec!["expires_at"],
        ),
    ] {
        let refused = service.admin("POST", KEYS, &body).await;
        assert_eq!(refused.status, 422, "{body}: {}", refused.body);
        let mut faulty = refused.faulty_fields();
        faulty.sort();
        assert_eq!(faulty, fields, "{body}: {}", refused.body);
    }
    let keys = service.admin("GET", KEYS, &Value::Null).await.json();
    assert_eq!(keys, json!({"keys": []}));
    let state = service.admin("GET", "/api/v1/keys?state=good", &Value::Null);
    assert_eq!(state.await.faulty_fields(), ["state"]);
}

#[tokio::test]
async fn two_keys_that_hold_have_two_names() {
    let service = Service::start(&[]).await;
    let wanted = json!({"name": "east", "role": "dialer", "addresses": ["10.0.0.0/8", " ::1 "], "campaigns": ["SOLAR"],
        "expires_at": "2027-01-01T00:00:00+01:00"});
    let first = service.admin("POST", KEYS, &wanted).await.json();
    assert_eq!(first["addresses"], json!(["10.0.0.0/8", "::1"]));
    assert_eq!(first["campaigns"], json!(["SOLAR"]));
    assert_eq!(first["expires_at"], "2026-12-31T23:00:00.000000Z");
    let second = service.admin("POST", KEYS, &wanted).await;
    assert_eq!(second.status, 409, "{}", second.body);
    assert!(second.detail().contains("`east`"), "{}", second.body);
    let first = at(&first["id"]);
    let gone = service.admin("DELETE", &first, &Value::Null).await;
    assert_eq!(gone.status, 200);
    assert_eq!(service.admin("POST", KEYS, &wanted).await.status, 201);
}

#[tokio::test]
async fn a_key_that_is_none_is_not_found() {
    let service = Service::start(&[]).await;
    for id in ["000000000000", "a%00b", "%20", "%F0%9F%8E%88"] {
        for method in ["GET", "DELETE"] {
            let path = format!("{KEYS}/{id}");
            let answer = service.admin(method, &path, &Value::Null).await;
            assert_eq!(answer.status, 404, "{method} {id}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn an_admin_can_revoke_the_key_they_ask_with_and_the_admin_token_still_opens() {
    let service = Service::start(&[]).await;
    let wanted = json!({"name": "only admin", "role": "admin"});
    let made = service.admin("POST", KEYS, &wanted).await.json();
    let key = made["key"].as_str().expect("the key");
    let ask = async |method: &str, path: &str| {
        let ask = service.ask(method, path).header("x-api-key", key);
        ask.send().await.status
    };
    assert_eq!(ask("DELETE", &at(&made["id"])).await, 200);
    assert_eq!(ask("GET", KEYS).await, 401);
    let token = service.ask("GET", KEYS).header("x-admin-token", TOKEN);
    assert_eq!(token.send().await.status, 200);
}

#[tokio::test]
async fn a_campaign_of_a_key_is_kept_once() {
    let service = Service::start(&[]).await;
    let wanted = json!({"name": "a", "role": "dialer", "campaigns": ["SALES", "sales", "SALES"]});
    let made = service.admin("POST", KEYS, &wanted).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let listed = service.admin("GET", KEYS, &Value::Null).await.json();
    assert_eq!(
        listed["keys"][0]["campaigns"],
        json!(["SALES", "sales"]),
        "{listed}"
    );
}
