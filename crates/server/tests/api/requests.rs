//! The list of requests: what dialers asked, what people changed, and who was refused.

use serde_json::{Value, json};

use crate::support::Service;

async fn listed(service: &Service) -> Vec<Value> {
    let answer = service.admin("GET", "/api/v1/requests", &Value::Null).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["all_nodes"], true);
    answer.json()["requests"]
        .as_array()
        .expect("a list")
        .clone()
}

/// Some fields of each line, newest first.
fn fields(lines: &[Value], names: &[&str]) -> Value {
    let line = |line: &Value| -> Value { names.iter().map(|name| line[*name].clone()).collect() };
    lines.iter().map(line).collect()
}

#[tokio::test]
async fn what_a_dialer_asks_is_listed_with_its_outcome_and_no_whole_destination() {
    let service = Service::start(&[]).await;
    service.add(json!({"caller_id": "3125550100"})).await;
    service
        .get("/next-cid?to=13125551234&campaign=SOLAR&agent=1001&call=V1")
        .await;
    service.get("/next-cid?to=13125551234&call=V1").await;
    service.get("/next-cid?to=13125559999").await;
    service.get("/next-cid?to=911").await;
    service.get("/next-cid").await;
    let lines = listed(&service).await;
    let found = fields(
        &lines,
        &[
            "request",
            "outcome",
            "status",
            "destination",
            "campaign",
            "agent",
            "caller_id",
        ],
    );
    let expected = json!([
        ["GET /next-cid", "invalid", 422, null, null, null, null],
        ["GET /next-cid", "not_rotated", 422, null, null, null, null],
        [
            "GET /next-cid",
            "exhausted",
            404,
            "+1312555****",
            null,
            null,
            null
        ],
        [
            "GET /next-cid",
            "repeated",
            200,
            "+1312555****",
            null,
            null,
            "+13125550100"
        ],
        [
            "GET /next-cid",
            "allocated",
            200,
            "+1312555****",
            "SOLAR",
            "1001",
            "+13125550100"
        ],
        ["POST /add-number", "done", 200, null, null, null, null],
    ]);
    assert_eq!(found, expected);
    assert_eq!(lines[0]["client"], "127.0.0.1");
    assert_eq!(lines[0]["via"], "http");
    assert_eq!(lines[0]["at"], "2026-11-22T12:00:00.000000Z");
    assert!(lines[0]["took_ms"].as_f64().is_some());
}

#[tokio::test]
async fn who_is_refused_is_listed_and_who_only_looks_is_not() {
    let service = Service::start(&[]).await;
    service.get("/health").await;
    service.admin("GET", "/api/v1/pools", &Value::Null).await;
    service.get("/api/v1/pools?token=secret").await;
    let stranger = service
        .ask("GET", "/next-cid?to=13125551234")
        .from("203.0.113.9");
    stranger.send().await;
    let found = fields(&listed(&service).await, &["request", "outcome", "client"]);
    let expected = json!([
        ["GET /next-cid", "refused", "203.0.113.9"],
        ["GET /api/v1/pools", "refused", "127.0.0.1"],
    ]);
    assert_eq!(found, expected);
}

#[tokio::test]
async fn as_many_are_kept_as_the_settings_say() {
    for (limit, left) in [("2", 2), ("0", 0)] {
        let service = Service::start(&[("REQUEST_LOG_LIMIT", limit)]).await;
        for _ in 0..5 {
            service.get("/next-cid?to=13125551234").await;
        }
        assert_eq!(listed(&service).await.len(), left);
    }
}

#[tokio::test]
async fn destinations_are_shown_as_the_settings_say() {
    for (privacy, begins, length) in [("full", "+13125551234", 12), ("hash", "#", 13)] {
        let service = Service::start(&[("PRIVACY", privacy)]).await;
        service.get("/next-cid?to=13125551234").await;
        let lines = listed(&service).await;
        let shown = lines[0]["destination"].as_str().expect("a text");
        assert!(
            shown.starts_with(begins) && shown.len() == length,
            "{shown}"
        );
    }
}

#[tokio::test]
async fn nobody_who_is_not_known_pushes_out_calls_or_leaves_a_number_in_the_list() {
    let service = Service::start(&[("REQUEST_LOG_LIMIT", "8")]).await;
    service.get("/next-cid?to=13125551234").await;
    let stranger = async |method: &str, path: &str| {
        let asked = service.ask(method, path).from("203.0.113.9");
        asked.send().await.status
    };
    for _ in 0..10 {
        assert_eq!(stranger("POST", "/x13125550123-flood").await, 404);
        assert_eq!(stranger("PUT", "/api/v1/campaigns/x13125550123").await, 401);
        assert_eq!(stranger("POST", "/health").await, 405);
        assert_eq!(stranger("POST", "/sign-out").await, 303);
        assert_eq!(stranger("GET", "/next-cid?to=13125550123").await, 401);
    }
    stranger("POST", "/x13125550123").await;
    stranger("PUT", "/api/v1/campaigns/x13125550123").await;
    let found = fields(&listed(&service).await, &["request", "outcome"]);
    let expected = json!([
        ["GET /next-cid", "exhausted"],
        ["PUT /api/v1/campaigns/{id}", "refused"],
        ["POST (no such path)", "not_found"],
    ]);
    assert_eq!(found, expected);
}
