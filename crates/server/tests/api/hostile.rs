//! Bad input: a clear 4xx that names the field, never a 5xx.

use axum::body::{Body, Bytes};
use serde_json::json;

use crate::support::{Service, TOKEN};

#[tokio::test]
async fn broken_queries_are_422_by_name() {
    let service = Service::start(&[]).await;
    let cases = [
        ("to=%ff%fe", "to"),
        ("to=%00", "to"),
        ("to=abc", "to"),
        ("to=3125551212&agent=%c3%28", "agent"),
        ("to=3125551212&campaign=a%0ab", "campaign"),
        ("to=3125551212&call=%00", "call"),
        ("to=3125551212&format=xml", "format"),
        ("%", "to"),
        ("&&&===", "to"),
    ];
    for (query, field) in cases {
        let answer = service.get(&format!("/next-cid?{query}")).await;
        assert_eq!(
            (answer.status, answer.faulty_fields()),
            (422, vec![field.to_owned()]),
            "{query}"
        );
    }
}

#[tokio::test]
async fn long_parameters_are_refused_and_not_thrown_back_whole() {
    let service = Service::start(&[]).await;
    let long = "x".repeat(60_000);
    for name in ["to", "campaign", "agent", "call"] {
        let answer = service
            .get(&format!("/next-cid?to=3125551212&{name}={long}"))
            .await;
        let fields = answer.status == 422 || name == "to";
        assert!(fields && answer.body.len() < 2_000, "{name}");
    }
}

#[tokio::test]
async fn bodies_that_are_no_object_are_4xx() {
    let service = Service::start(&[]).await;
    let deep = format!("{}1{}", "[".repeat(30_000), "]".repeat(30_000));
    let deep_field = format!(
        "{{\"caller_id\":{}1{}}}",
        "[".repeat(30_000),
        "]".repeat(30_000)
    );
    let bodies: [&[u8]; 8] = [
        b"",
        b"[]",
        b"nonsense",
        b"{\"caller_id\":",
        b"\xff\xfe",
        b"null",
        deep.as_bytes(),
        deep_field.as_bytes(),
    ];
    for path in ["/add-number", "/api/v1/release"] {
        for body in bodies {
            let call = service
                .ask("POST", path)
                .header("content-type", "application/json")
                .header("x-admin-token", TOKEN);
            let answer = call.body(Bytes::copy_from_slice(body)).send().await;
            assert_eq!(
                answer.status,
                422,
                "{path} {}",
                String::from_utf8_lossy(&body[..body.len().min(20)])
            );
        }
    }
}

#[tokio::test]
async fn fields_of_the_wrong_kind_are_named() {
    let service = Service::start(&[]).await;
    let body = json!({"caller_id": 3_125_550_100_u64, "carrier": ["x"], "area_code": 312, "daily_limit": -1,
                      "hourly_limit": 1e300, "meta": "x", "pool": "a\nb", "attestation": "D", "status": "asleep"});
    let mut fields = service
        .admin("POST", "/add-number", &body)
        .await
        .faulty_fields();
    fields.sort_unstable();
    let expected = [
        "area_code",
        "attestation",
        "caller_id",
        "carrier",
        "daily_limit",
        "hourly_limit",
        "meta",
        "pool",
        "status",
    ];
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn a_body_of_ten_megabytes_is_413_and_not_kept() {
    let service = Service::start(&[]).await;
    for path in ["/add-number", "/api/v1/release"] {
        let call = service
            .ask("POST", path)
            .header("content-type", "application/json")
            .header("x-admin-token", TOKEN);
        let answer = call.body(vec![b'x'; 10_000_000]).send().await;
        assert_eq!(answer.status, 413, "{path}");
    }
}

#[tokio::test]
async fn a_body_of_another_kind_is_415() {
    let service = Service::start(&[]).await;
    for kind in ["text/xml", "multipart/form-data; boundary=x", "é", ""] {
        for path in ["/add-number", "/api/v1/release"] {
            let call = service
                .ask("POST", path)
                .header("content-type", kind)
                .header("x-admin-token", TOKEN);
            assert_eq!(call.body("x=1").send().await.status, 415, "{path} {kind}");
        }
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_408() {
    let service = Service::start(&[("BODY_TIMEOUT_SECONDS", "1")]).await;
    let never = Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());
    let call = service
        .ask("POST", "/add-number")
        .header("content-type", "application/json")
        .header("x-admin-token", TOKEN);
    assert_eq!(call.body(never).send().await.status, 408);
}

#[tokio::test]
async fn ids_in_paths_are_checked() {
    let service = Service::start(&[]).await;
    for path in [
        "/api/v1/reservations/7",
        "/api/v1/reservations/%ff",
        "/api/v1/reservations/%00",
    ] {
        let answer = service.ask("DELETE", path).send().await;
        assert_eq!(
            (answer.status, answer.faulty_fields()),
            (422, vec!["id".to_owned()]),
            "{path}"
        );
    }
    for path in ["/api/v1/pools/%20", "/api/v1/campaigns/%0a"] {
        let answer = service.admin("GET", path, &serde_json::Value::Null).await;
        assert_eq!(
            (answer.status, answer.faulty_fields()),
            (422, vec!["id".to_owned()]),
            "{path}"
        );
    }
}

#[tokio::test]
async fn routes_and_methods_that_are_not_there_are_problems_too() {
    let service = Service::start(&[]).await;
    let route = service.get("/nothing/here").await;
    assert_eq!((route.status, route.detail().as_str()), (404, "Not Found"));
    let method = service.ask("PATCH", "/next-cid").send().await;
    assert_eq!(
        (method.status, method.detail().as_str()),
        (405, "Method Not Allowed")
    );
    assert_eq!(method.header("content-type"), "application/problem+json");
}

#[tokio::test]
async fn every_problem_has_the_members_of_rfc_9457() {
    let service = Service::start(&[]).await;
    for path in [
        "/next-cid",
        "/next-cid?to=3125551212",
        "/nothing",
        "/api/v1/pools",
    ] {
        let answer = service.get(path).await;
        let json = answer.json();
        assert!(
            json["type"].is_string() && json["title"].is_string() && json["instance"].is_string(),
            "{path}"
        );
        assert_eq!(json["status"], answer.status);
        assert_eq!(
            json.as_object()
                .and_then(|members| members.keys().next().cloned())
                .as_deref(),
            Some("detail")
        );
    }
}
