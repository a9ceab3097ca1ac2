//! Methods, second names and pages of the interface.

use serde_json::{Value, json};

use crate::support::Service;

fn number() -> Value {
    json!({"caller_id": "13125550100", "carrier": "carrierA", "area_code": "312", "daily_limit": 500,
           "hourly_limit": 50, "meta": {"note": "x"}})
}

#[tokio::test]
async fn head_takes_no_number() {
    let service = Service::start(&[]).await;
    service.add(number()).await;
    let path = "/next-cid?to=13125551212";
    let head = service.ask("HEAD", path).send().await;
    assert_eq!((head.status, head.header("allow")), (405, "GET"));
    assert_eq!(service.get(path).await.status, 200);
    for path in ["/health", "/live", "/ready", "/metrics"] {
        assert_eq!(service.ask("HEAD", path).send().await.status, 200);
    }
}

#[tokio::test]
async fn a_call_is_released_under_either_name_of_its_id() {
    let service = Service::start(&[]).await;
    service.add(number()).await;
    for (kind, body) in [
        ("application/json", r#"{"call":"V1"}"#),
        ("application/json", r#"{"call_id":"V1"}"#),
        ("application/x-www-form-urlencoded", "call=V1"),
        ("application/x-www-form-urlencoded", "call_id=V1"),
    ] {
        let taken = service.get("/next-cid?to=13125551212&call=V1").await;
        assert_eq!(taken.status, 200, "{}", taken.body);
        let call = service.ask("POST", "/api/v1/release");
        let answer = call.header("content-type", kind).body(body).send().await;
        assert_eq!(answer.json()["released"], true, "{body}");
        service.clock.advance_ms(3_600_000);
    }
    let call = service.ask("POST", "/api/v1/release");
    let answer = call.json(&json!({"call": 5})).send().await;
    assert_eq!(
        (answer.status, answer.faulty_fields()),
        (422, vec!["call".to_owned()])
    );
}

#[tokio::test]
async fn a_release_never_fails_for_what_is_not_needed_to_find_the_call() {
    let service = Service::start(&[]).await;
    service.add(number()).await;
    let form = "application/x-www-form-urlencoded";
    for (kind, body, ignored) in [
        ("application/json", r#"{"call_id":"V1","call":{}}"#, ""),
        (
            "application/json",
            r#"{"call_id":{},"call":"V1"}"#,
            "call_id",
        ),
        (
            "application/json",
            r#"{"call_id":"V1","dialstatus":5}"#,
            "dialstatus",
        ),
        (form, "call_id=%ff&call=V1", "call_id"),
        (form, "call_id=V1&dialstatus=HUNGUP", "dialstatus"),
        (form, "call_id=V1&dialstatus=%ff", "dialstatus"),
        ("DELETE", "", "dialstatus"),
    ] {
        let taken = service.get("/next-cid?to=13125551212&call=V1").await;
        assert_eq!(taken.status, 200, "{}", taken.body);
        let answer = match kind {
            "DELETE" => {
                let id = taken.json()["reservation_id"].as_str().map(str::to_owned);
                let id = id.expect("an id");
                let path = format!("/api/v1/reservations/{id}?dialstatus=HUNGUP");
                service.ask("DELETE", &path).send().await
            }
            kind => {
                let call = service.ask("POST", "/api/v1/release");
                call.header("content-type", kind).body(body).send().await
            }
        };
        let told = answer.json();
        assert_eq!(
            (answer.status, &told["released"]),
            (200, &json!(true)),
            "{body}"
        );
        let named = told["ignored"][0]["loc"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let named = named
            .last()
            .and_then(|name| name.as_str())
            .unwrap_or_default();
        assert_eq!(named, ignored, "{body}");
        service.clock.advance_ms(3_600_000);
    }
}

#[tokio::test]
async fn docs_shows_the_interface_with_files_of_our_own_only() {
    let service = Service::start(&[]).await;
    let redirect = service.get("/docs").await;
    assert_eq!(
        (redirect.status, redirect.header("location")),
        (303, "/docs/")
    );
    let page = service.get("/docs/").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"));
    let mut loaded = 0;
    for part in page
        .body
        .split(['"', '\''])
        .filter(|part| part.starts_with("./"))
    {
        let answer = service
            .ask("GET", &format!("/docs/{}", &part[2..]))
            .status()
            .await;
        assert_eq!(answer, 200, "{part}");
        loaded += 1;
    }
    assert!(loaded > 2, "{}", page.body);
    let settings = service.get("/docs/swagger-initializer.js").await.body;
    assert!(settings.contains("/openapi.json"), "{settings}");
    for text in [&page.body, &settings] {
        assert!(
            !text.contains("//cdn") && !text.contains("https://"),
            "{text}"
        );
    }
}
