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
async fn what_is_not_needed_to_find_a_call_is_of_its_type_all_the_same() {
    let service = Service::start(&[]).await;
    for (path, body, field) in [
        (
            "/api/v1/release",
            json!({"call_id": "V1", "call": {}}),
            "call",
        ),
        (
            "/api/v1/release",
            json!({"call_id": "V1", "call": "a\u{84}"}),
            "call",
        ),
        ("/call-result", json!({"call": "V1", "to": {}}), "to"),
        ("/call-result", json!({"call": "V1", "to": -1}), "to"),
        (
            "/call-result",
            json!({"call": "V1", "caller_id": 0.5}),
            "caller_id",
        ),
    ] {
        let answer = service.ask("POST", path).json(&body).send().await;
        assert_eq!(
            (answer.status, answer.faulty_fields()),
            (422, vec![field.to_owned()]),
            "{body}"
        );
    }
    let body = json!({"call": "V1", "to": "911"});
    let answer = service.ask("POST", "/call-result").json(&body).send().await;
    assert_eq!(answer.status, 200, "{}", answer.body);
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
