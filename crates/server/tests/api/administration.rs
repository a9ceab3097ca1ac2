//! The inventory is administered: tags, removals, what is in pools, what was seen of campaigns; and values that nobody means well.

use serde_json::{Value, json};

use crate::support::{Service, TOKEN};

const NUMBERS: &str = "/api/v1/numbers";

async fn with_numbers(numbers: &[Value]) -> Service {
    let service = Service::start(&[]).await;
    for number in numbers {
        let made = service.admin("POST", NUMBERS, number).await;
        assert_eq!(made.status, 201, "{}", made.body);
    }
    service
}

#[tokio::test]
async fn pools_and_campaigns_are_changed_by_who_saw_them_as_they_are() {
    let service = with_numbers(&[json!({"number": "3125550100", "pool": "solar"})]).await;
    for (path, body, other) in [
        (
            "/api/v1/pools/solar",
            json!({"cooldown_seconds": 5}),
            json!({"cooldown_seconds": 6}),
        ),
        (
            "/api/v1/campaigns/S",
            json!({"pools": ["solar"]}),
            json!({"pools": ["default"]}),
        ),
    ] {
        let made = service.admin("PUT", path, &body).await;
        assert_eq!(made.status, 200, "{}", made.body);
        let tag = made.header("etag");
        let put = |name: &'static str, value: &str, body: &Value| {
            let call = service.ask("PUT", path).header("x-admin-token", TOKEN);
            call.header(name, value).json(body).send()
        };
        assert_eq!(
            put("if-none-match", "*", &other).await.status,
            412,
            "{path}"
        );
        let changed = put("if-match", tag, &other).await;
        assert_eq!(changed.status, 200, "{}", changed.body);
        let stale = put("if-match", tag, &body).await;
        assert_eq!(
            (stale.status, stale.json()["etag"].as_str()),
            (412, Some(changed.header("etag")))
        );
        let call = service.ask("DELETE", path).header("x-admin-token", TOKEN);
        assert_eq!(call.header("if-match", tag).status().await, 412);
        let shown = service.admin("GET", path, &Value::Null).await;
        assert_eq!(shown.header("etag"), changed.header("etag"));
    }
}

#[tokio::test]
async fn a_pool_is_removed_when_nothing_uses_it() {
    let service = with_numbers(&[
        json!({"number": "3125550100", "pool": "solar"}),
        json!({"number": "3125550101", "pool": "solar", "status": "paused"}),
    ])
    .await;
    let put = json!({"pools": ["solar"]});
    service.admin("PUT", "/api/v1/campaigns/SUN", &put).await;
    let pools = service
        .admin("GET", "/api/v1/pools", &Value::Null)
        .await
        .json();
    let counts = json!({"active": 1, "paused": 1, "resting": 0, "retired": 0});
    assert_eq!(pools["pools"][1]["numbers"], counts);
    let remove = async || {
        service
            .admin("DELETE", "/api/v1/pools/solar", &Value::Null)
            .await
    };
    let used = remove().await;
    assert_eq!(used.status, 409);
    assert_eq!(
        used.detail(),
        "The pool `solar` is in use: 2 numbers are in it; campaigns name it: SUN"
    );
    service
        .admin("DELETE", "/api/v1/campaigns/SUN", &Value::Null)
        .await;
    for number in ["3125550100", "3125550101"] {
        let path = format!("{NUMBERS}/{number}");
        let moved = json!({"pool": "default"});
        assert_eq!(service.admin("PATCH", &path, &moved).await.status, 200);
    }
    assert_eq!(remove().await.json(), json!({"removed": true}));
    assert_eq!(remove().await.status, 404);
    assert_eq!(
        service
            .admin("DELETE", "/api/v1/pools/default", &Value::Null)
            .await
            .status,
        409
    );
}

#[tokio::test]
async fn campaigns_seen_in_traffic_are_listed_with_their_calls() {
    let service = with_numbers(&[
        json!({"number": "3125550100"}),
        json!({"number": "3125550101"}),
    ])
    .await;
    let put = json!({"pools": ["default"]});
    service.admin("PUT", "/api/v1/campaigns/KNOWN", &put).await;
    for campaign in ["NEW", "NEW"] {
        let path = format!("/next-cid?to=13125551212&campaign={campaign}");
        assert_eq!(service.get(&path).await.status, 200);
    }
    let list = async || {
        let list = service.admin("GET", "/api/v1/campaigns?seen=true", &Value::Null);
        list.await.json()["campaigns"].clone()
    };
    // Where the engine is in Redis history comes a moment later.
    let mut seen = list().await;
    for _ in 0..200 {
        if seen[1]["calls"] == 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        seen = list().await;
    }
    let expected = json!([
        {"id": "KNOWN", "pools": ["default"], "agent_rate_limit_per_minute": null, "configured": true, "calls": 0},
        {"id": "NEW", "pools": ["default"], "agent_rate_limit_per_minute": null, "configured": false, "calls": 2},
    ]);
    assert_eq!(seen, expected);
    let bad = service
        .admin("GET", "/api/v1/campaigns?sen=true", &Value::Null)
        .await;
    assert_eq!(bad.status, 422);
}

#[tokio::test]
async fn hostile_values_are_refused_or_taken_as_they_are_and_never_break_anything() {
    let service = with_numbers(&[json!({"number": "3125550100"})]).await;
    let evil = "'; DROP TABLE numbers; --";
    let long = "9".repeat(3_000);
    for value in [
        "%00",
        "%ff%fe",
        "%F0%9F%8E%88",
        "'%20OR%201=1",
        "%25",
        &long,
        "-1",
        "1e9",
        ",",
    ] {
        for name in [
            "pool",
            "status",
            "carrier",
            "area_code",
            "region",
            "number",
            "begins",
            "q",
            "sort",
            "cursor",
            "limit",
        ] {
            for path in [NUMBERS, "/api/v1/numbers/export"] {
                let path = format!("{path}?{name}={value}");
                let answer = service.admin("GET", &path, &Value::Null).await;
                assert!(
                    matches!(answer.status, 200 | 422),
                    "{path}: {}",
                    answer.status
                );
            }
        }
        let path = format!("{NUMBERS}/{value}");
        let answer = service.admin("GET", &path, &Value::Null).await;
        assert!(
            matches!(answer.status, 404 | 422),
            "{path}: {}",
            answer.status
        );
    }
    let deep = format!("{}1{}", "[".repeat(30_000), "]".repeat(30_000));
    for (method, path) in [
        ("POST", NUMBERS),
        ("PATCH", "/api/v1/numbers/3125550100"),
        ("POST", "/api/v1/numbers/3125550100/rest"),
        ("POST", "/api/v1/numbers/bulk"),
    ] {
        for body in ["", "[]", "null", "{\"number\":", "\u{fffd}", &deep] {
            let call = service.ask(method, path).header("x-admin-token", TOKEN);
            let call = call.header("content-type", "application/json");
            assert_eq!(
                call.body(body.to_owned()).status().await,
                422,
                "{method} {path}"
            );
        }
        let call = service.ask(method, path).header("x-admin-token", TOKEN);
        let call = call.header("content-type", "text/html");
        assert_eq!(call.body("{}").status().await, 415, "{method} {path}");
    }
    let made = json!({"number": "3125550101", "carrier": evil, "pool": "a\"b,c",
                      "meta": {"<script>": [evil, "=cmd|' /C calc'!A0", "\u{0}"]}});
    let made = service.admin("POST", NUMBERS, &made).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.json()["carrier"], evil);
    let path = format!("{NUMBERS}?carrier=%27%3B%20DROP%20TABLE%20numbers%3B%20--");
    let found = service.admin("GET", &path, &Value::Null).await.json();
    assert_eq!(found["numbers"][0]["number"], "+13125550101");
    assert_eq!(made.header("content-type"), "application/json");
    assert_eq!(made.header("x-content-type-options"), "nosniff");
}
