//! Pools and campaigns change how numbers rotate, from the next request on.

use serde_json::{Value, json};

use crate::support::{Service, TOKEN};

#[tokio::test]
async fn what_a_pool_says_holds_from_the_next_request_on() {
    let service = Service::start(&[]).await;
    service
        .add(json!({"caller_id": "3125550100", "pool": "solar"}))
        .await;
    let policy = json!({"reservation_seconds": 60, "cooldown_seconds": 0, "most_reservations": 2,
                        "time_zone": "America/Chicago", "ladder": ["area_code", "any"]});
    let put = service.admin("PUT", "/api/v1/pools/solar", &policy).await;
    assert_eq!(put.status, 200, "{}", put.body);
    assert_eq!(put.json()["policy"]["ladder"], json!(["area_code", "any"]));
    assert_eq!(put.json()["effective"]["sticky_seconds"], 0);
    service
        .admin(
            "PUT",
            "/api/v1/campaigns/SOLAR",
            &json!({"pools": ["solar"]}),
        )
        .await;
    for _ in 0..2 {
        let answer = service
            .get("/next-cid?to=13125551212&campaign=SOLAR")
            .await
            .json();
        assert_eq!(answer["reservation_ttl"], 60);
    }
    assert_eq!(
        service
            .get("/next-cid?to=13125551212&campaign=SOLAR")
            .await
            .status,
        404
    );
    let shown = service
        .admin("GET", "/api/v1/pools/solar", &Value::Null)
        .await
        .json();
    assert_eq!(shown["policy"]["time_zone"], "America/Chicago");
}

#[tokio::test]
async fn a_pool_that_is_sticky_for_longer_than_history_is_kept_is_taken_with_a_warning() {
    let service = Service::start(&[("HISTORY_RETENTION_DAYS", "10")]).await;
    for (days, warnings) in [(10, 0), (11, 1)] {
        let policy = json!({"sticky_seconds": days * 86_400});
        let put = service.admin("PUT", "/api/v1/pools/solar", &policy).await;
        assert_eq!(put.status, 200, "{}", put.body);
        let said = put.json()["warnings"].clone();
        assert_eq!(said.as_array().map(Vec::len), Some(warnings), "{said}");
    }
    let list = service
        .admin("GET", "/api/v1/pools", &Value::Null)
        .await
        .json();
    let said = list["pools"][1]["warnings"][0].as_str().expect("a text");
    assert!(
        said.contains("sticky_seconds") && said.contains("HISTORY_RETENTION_DAYS"),
        "{said}"
    );
    assert_eq!(list["pools"][0]["warnings"], json!([]));
}

#[tokio::test]
async fn a_policy_that_cannot_be_is_422_and_names_every_field() {
    let service = Service::start(&[]).await;
    let policy = json!({"reservation_seconds": 0, "cooldown_seconds": -1, "most_reservations": 70_000,
                        "sticky_seconds": "x", "time_zone": "Mars/Base", "ladder": ["areacode"], "cooldwon": 1});
    let mut fields = service
        .admin("PUT", "/api/v1/pools/solar", &policy)
        .await
        .faulty_fields();
    fields.sort_unstable();
    let expected = [
        "cooldown_seconds",
        "cooldwon",
        "ladder",
        "most_reservations",
        "reservation_seconds",
        "sticky_seconds",
        "time_zone",
    ];
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn what_get_gives_of_a_pool_or_campaign_is_taken_back_and_only_what_can_be_changed_is() {
    let service = Service::start(&[("STICKY_SECONDS", "60")]).await;
    let pool = "/api/v1/pools/solar";
    let campaign = "/api/v1/campaigns/SOLAR";
    let made = json!({"cooldown_seconds": 7, "ladder": ["any"]});
    service.admin("PUT", pool, &made).await;
    let made = json!({"pools": ["solar"]});
    service.admin("PUT", campaign, &made).await;
    for path in [pool, campaign] {
        let shown = service.admin("GET", path, &Value::Null).await.json();
        let put = service.admin("PUT", path, &shown).await;
        assert_eq!((put.status, put.json()), (200, shown), "{path}");
    }
    let mut edited = service.admin("GET", pool, &Value::Null).await.json();
    edited["policy"]["cooldown_seconds"] = json!(9);
    let put = service.admin("PUT", pool, &edited).await;
    assert_eq!(put.status, 200, "{}", put.body);
    assert_eq!(put.json()["effective"]["cooldown_seconds"], 9);
    assert_eq!(put.json()["policy"]["ladder"], json!(["any"]));

    edited["id"] = json!("roof");
    edited["effective"]["cooldown_seconds"] = json!(11);
    edited["warnings"] = json!(["none"]);
    edited["polciy"] = json!({});
    let mut fields = service.admin("PUT", pool, &edited).await.faulty_fields();
    fields.sort_unstable();
    assert_eq!(fields, ["effective", "id", "polciy", "warnings"]);
    let wrong = json!({"policy": {"cooldown_seconds": -1}});
    let refused = service.admin("PUT", pool, &wrong).await;
    assert!(
        refused
            .body
            .contains(r#"["body","policy","cooldown_seconds"]"#),
        "{}",
        refused.body
    );
    let other = json!({"id": "OTHER", "pools": ["solar"]});
    let refused = service.admin("PUT", campaign, &other).await;
    assert_eq!(
        (refused.status, refused.faulty_fields()),
        (422, vec!["id".to_owned()])
    );
}

#[tokio::test]
async fn a_pool_or_campaign_that_is_not_there_is_404_by_name() {
    let service = Service::start(&[]).await;
    for (path, detail) in [
        ("/api/v1/pools/x", "There is no pool `x`"),
        ("/api/v1/campaigns/x", "There is no campaign `x`"),
    ] {
        let answer = service.admin("GET", path, &Value::Null).await;
        assert_eq!((answer.status, answer.detail().as_str()), (404, detail));
    }
}

#[tokio::test]
async fn campaigns_are_listed_and_removed() {
    let service = Service::start(&[]).await;
    service
        .add(json!({"caller_id": "3125550100", "pool": "solar"}))
        .await;
    let body = json!({"pools": ["solar", "default"], "agent_rate_limit_per_minute": 7});
    assert_eq!(
        service
            .admin("PUT", "/api/v1/campaigns/A%20B", &body)
            .await
            .status,
        200
    );
    let list = service
        .admin("GET", "/api/v1/campaigns", &Value::Null)
        .await
        .json();
    assert_eq!(
        list,
        json!({"campaigns": [
            {"id": "A B", "pools": ["solar", "default"], "agent_rate_limit_per_minute": 7}
        ]})
    );
    let gone = service
        .admin("DELETE", "/api/v1/campaigns/A%20B", &Value::Null)
        .await
        .json();
    assert_eq!(gone, json!({"removed": true}));
    assert_eq!(
        service
            .get("/next-cid?to=13125551212&campaign=A%20B")
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn a_campaign_names_pools_that_are_there() {
    let service = Service::start(&[]).await;
    for body in [
        json!({"pools": ["nowhere"]}),
        json!({"pools": []}),
        json!({"pools": "default"}),
        json!({}),
        json!({"pools": ["default", "default"]}),
    ] {
        let answer = service.admin("PUT", "/api/v1/campaigns/SOLAR", &body).await;
        assert_eq!(
            (answer.status, answer.faulty_fields()),
            (422, vec!["pools".to_owned()]),
            "{body}"
        );
    }
}

#[tokio::test]
async fn what_is_to_be_made_and_exists_is_told_to_exist() {
    let service = Service::start(&[]).await;
    for (path, body) in [
        ("/api/v1/pools/solar", json!({})),
        ("/api/v1/campaigns/SOLAR", json!({"pools": ["solar"]})),
    ] {
        assert_eq!(service.admin("PUT", path, &body).await.status, 200);
        let put = |name: &str, tag: &str| {
            let put = service.ask("PUT", path).header("x-admin-token", TOKEN);
            let put = put.header("content-type", "application/json");
            put.header(name, tag).body(body.to_string()).send()
        };
        let refused = put("if-none-match", "*").await;
        assert_eq!(
            (refused.status, refused.detail().as_str()),
            (412, "It exists already"),
            "{path}"
        );
        assert!(refused.json()["etag"].is_string(), "{}", refused.body);
        let refused = put("if-match", "\"other\"").await;
        let said = "It was changed since it was read: read it again, and change that";
        assert_eq!((refused.status, refused.detail().as_str()), (412, said));
    }
}
