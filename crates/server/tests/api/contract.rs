//! Every row of the reference's contract: dialplans, scripts and monitors must work unchanged.

use serde_json::{Value, json};

use crate::support::{Service, TOKEN};

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}

fn number() -> Value {
    json!({"caller_id": "13125550100", "carrier": "carrierA", "area_code": "312", "daily_limit": 500,
           "hourly_limit": 50, "meta": {"note": "x"}})
}

#[tokio::test]
async fn next_cid_answers_the_reference_fields_first_and_in_its_order() {
    let service = Service::start(&[]).await;
    service.add(number()).await;
    let answer = service
        .get("/next-cid?to=13125551212&campaign=SOLAR&agent=1001")
        .await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, "application/json")
    );
    assert!(
        answer.body.starts_with(r#"{"caller_id":"3125550100","#),
        "{}",
        answer.body
    );
    let json = answer.json();
    assert_eq!(
        keys(&json)[..9],
        [
            "caller_id",
            "agent",
            "campaign",
            "destination",
            "area_code",
            "expires_at",
            "reservation_ttl",
            "limits",
            "rate_limit_remaining",
        ]
    );
    assert_eq!(json["agent"], "1001");
    assert_eq!(json["campaign"], "SOLAR");
    assert_eq!(json["destination"], "3125551212");
    assert_eq!(json["area_code"], "312");
    assert_eq!(json["expires_at"], "2026-11-22T12:05:00.000000Z");
    assert_eq!(json["reservation_ttl"], 300);
    assert_eq!(
        json["limits"],
        json!({"daily_limit": 500, "hourly_limit": 50})
    );
    assert_eq!(json["rate_limit_remaining"], 59);
    assert_eq!(
        (&json["pool"], &json["rung"]),
        (&json!("default"), &json!("area_code"))
    );
}

#[tokio::test]
async fn when_none_is_free_the_answer_is_404_and_says_until_when() {
    let service = Service::start(&[]).await;
    let empty = service.get("/next-cid?to=13125551212").await;
    assert_eq!(
        (empty.status, empty.detail().as_str()),
        (404, "No caller IDs available")
    );
    assert_eq!(empty.header("content-type"), "application/problem+json");
    assert_eq!(
        (empty.header("retry-after"), &empty.json()["cause"]),
        ("60", &json!("empty"))
    );
    service.add(number()).await;
    service.get("/next-cid?to=13125551212").await;
    service.clock.advance_ms(1);
    let reserved = service.get("/next-cid?to=13125551212").await;
    assert_eq!(
        (reserved.status, reserved.header("retry-after")),
        (404, "300")
    );
    assert_eq!(reserved.json()["earliest"], "2026-11-22T12:05:00.000000Z");
    assert_eq!(reserved.json()["cause"], "reserved");
}

#[tokio::test]
async fn an_agent_over_its_limit_is_told_how_long_to_wait() {
    let service = Service::start(&[
        ("AGENT_RATE_LIMIT_PER_MIN", "1"),
        ("MOST_RESERVATIONS_PER_NUMBER", "9"),
        ("CALLER_ID_COOLDOWN_SECONDS", "0"),
    ])
    .await;
    service.add(number()).await;
    let path = "/next-cid?to=13125551212&agent=1001";
    assert_eq!(service.get(path).await.status, 200);
    service.clock.advance_ms(500);
    let answer = service.get(path).await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, "60"));
    assert_eq!(
        answer.detail(),
        "Agent rate limit exceeded. Retry in 60 seconds."
    );
}

#[tokio::test]
async fn a_missing_parameter_is_a_list_of_faults() {
    let service = Service::start(&[]).await;
    let answer = service.get("/next-cid?agent=1").await;
    assert_eq!(answer.status, 422);
    assert_eq!(
        answer.json()["detail"],
        json!([{"type": "missing", "loc": ["query", "to"], "msg": "Field required", "input": null}])
    );
}

#[tokio::test]
async fn adding_a_number_needs_the_admin_token() {
    let service = Service::start(&[]).await;
    let missing = service
        .ask("POST", "/add-number")
        .json(&number())
        .send()
        .await;
    assert_eq!(
        (missing.status, missing.detail().as_str()),
        (401, "Missing admin token")
    );
    let wrong = service
        .ask("POST", "/add-number")
        .header("x-admin-token", "nope")
        .json(&number())
        .send()
        .await;
    assert_eq!(
        (wrong.status, wrong.detail().as_str()),
        (401, "Invalid token")
    );
    let bearer = format!("Bearer {TOKEN}");
    let right = service
        .ask("POST", "/add-number")
        .header("authorization", &bearer)
        .json(&number())
        .send()
        .await;
    assert_eq!(right.status, 200);
}

#[tokio::test]
async fn adding_a_number_answers_its_fields_and_when_it_was_used() {
    let service = Service::start(&[]).await;
    let answer = service.admin("POST", "/add-number", &number()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({"caller_id": "3125550100", "carrier": "carrierA", "area_code": "312", "daily_limit": 500, "hourly_limit": 50,
               "meta": {"note": "x"}, "last_used": null, "pool": "default", "attestation": null, "status": "active"})
    );
    let again = service.admin("POST", "/add-number", &number()).await;
    assert_eq!(
        (again.status, again.detail().as_str()),
        (409, "Caller ID already exists")
    );
}

#[tokio::test]
async fn limits_that_are_not_given_are_500_a_day_and_50_an_hour() {
    let service = Service::start(&[]).await;
    let answer = service
        .admin(
            "POST",
            "/add-number",
            &json!({"caller_id": "+1 (312) 555-0100"}),
        )
        .await;
    assert_eq!(
        (
            &answer.json()["daily_limit"],
            &answer.json()["hourly_limit"]
        ),
        (&json!(500), &json!(50))
    );
    assert_eq!(answer.json()["area_code"], "312");
}

#[tokio::test]
async fn what_cannot_be_a_number_or_a_limit_is_422_and_named() {
    let service = Service::start(&[]).await;
    let cases = [
        (json!({"caller_id": "1234567"}), "caller_id"),
        (json!({"caller_id": "12345678901234567"}), "caller_id"),
        (
            json!({"caller_id": "3125550100", "daily_limit": 0}),
            "daily_limit",
        ),
        (
            json!({"caller_id": "3125550100", "hourly_limit": -5}),
            "hourly_limit",
        ),
        (json!({"carrier": "x"}), "caller_id"),
    ];
    for (body, field) in cases {
        let answer = service.admin("POST", "/add-number", &body).await;
        assert_eq!(
            (answer.status, answer.faulty_fields()),
            (422, vec![field.to_owned()]),
            "{body}"
        );
    }
}

#[tokio::test]
async fn health_names_the_database_and_redis() {
    let service = Service::start(&[]).await;
    let answer = service.get("/health").await;
    assert_eq!(answer.status, 200);
    let json = answer.json();
    assert_eq!(keys(&json)[..4], ["status", "db", "redis", "timestamp"]);
    assert_eq!(
        (&json["status"], &json["db"], &json["redis"]),
        (&json!("ok"), &json!("ok"), &json!("ok"))
    );
    assert_eq!(json["timestamp"], "2026-11-22T12:00:00.000000Z");
    assert_eq!(service.get("/live").await.status, 200);
    assert_eq!(service.get("/ready").await.status, 200);
}

#[tokio::test]
async fn metrics_say_what_health_says() {
    let service = Service::start(&[]).await;
    let answer = service.get("/metrics").await;
    assert_eq!(answer.status, 200);
    let kind = answer.header("content-type").to_owned();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    let says = |line: &str| answer.body.lines().any(|found| found == line);
    assert!(says("caller_id_serving 1"), "{}", answer.body);
    assert!(says("caller_id_store_up 1"), "{}", answer.body);
    let engine = service.get("/health").await.json()["engine"].clone();
    let outbox = ["caller_id_redis_up 1", "caller_id_outbox_events 0"].map(says);
    assert_eq!(outbox, [engine == "redis"; 2], "{}", answer.body);
}

#[tokio::test]
async fn text_is_digits_and_a_newline_and_nothing_at_all_on_failure() {
    let service = Service::start(&[]).await;
    service.add(number()).await;
    let path = "/next-cid?to=13125551212&format=text";
    let first = service.get(path).await;
    assert_eq!((first.status, first.body.as_str()), (200, "3125550100\n"));
    let failures = [
        (service.get(path).await, 404),
        (service.get("/next-cid?format=text").await, 422),
        (service.get("/next-cid?to=911&format=text").await, 422),
        (
            service.ask("GET", path).from("203.0.113.9").send().await,
            401,
        ),
        (service.ask("POST", path).send().await, 405),
        (service.get("/next-cid?to=1&format=TEXT").await, 422),
        (
            service.get("/next-cid/?to=13125551212&format=Text").await,
            404,
        ),
    ];
    for (answer, status) in failures {
        assert_eq!((answer.status, answer.body.as_str()), (status, ""));
    }
}

#[tokio::test]
async fn a_form_has_a_caller_id_only_when_there_is_one() {
    let service = Service::start(&[("CALLER_ID_FORMAT", "e164")]).await;
    service.add(number()).await;
    let path = "/next-cid?to=13125551212&format=form";
    let first = service.get(path).await;
    assert!(
        first.body.starts_with("caller_id=%2B13125550100&"),
        "{}",
        first.body
    );
    let second = service.get(path).await;
    assert_eq!(
        (second.status, second.body.as_str()),
        (404, "error=no-caller-id&status=404")
    );
}

#[tokio::test]
async fn numbers_are_written_as_the_settings_say() {
    for (format, written) in [
        ("national", "3125550100"),
        ("digits", "13125550100"),
        ("e164", "+13125550100"),
    ] {
        let service = Service::start(&[("CALLER_ID_FORMAT", format)]).await;
        service.add(number()).await;
        assert_eq!(
            service.get("/next-cid?to=13125551212").await.json()["caller_id"],
            written
        );
    }
}

#[tokio::test]
async fn emergency_and_short_codes_are_refused_in_clear_words() {
    let service = Service::start(&[("DIAL_PREFIXES", "9,91")]).await;
    for to in ["911", "9911", "988", "411", "12345"] {
        let answer = service.get(&format!("/next-cid?to={to}")).await;
        assert_eq!(answer.status, 422, "{to}");
        assert_eq!(answer.json()["type"], "urn:caller-id:problem:not-rotated");
        assert_eq!(answer.faulty_fields(), ["to"]);
    }
}

#[tokio::test]
async fn the_same_call_asked_twice_gets_the_same_answer() {
    let service = Service::start(&[]).await;
    service.add(number()).await;
    service.add(json!({"caller_id": "3125550101"})).await;
    let path = "/next-cid?to=13125551212&call=V4050908070000012345";
    let (first, second) = (
        service.get(path).await.json(),
        service.get(path).await.json(),
    );
    assert_eq!(first["reservation_id"], second["reservation_id"]);
    assert_eq!(
        (&first["repeated"], &second["repeated"]),
        (&json!(false), &json!(true))
    );
}

#[tokio::test]
async fn a_reservation_is_released_by_its_id_or_its_call_and_twice_is_no_error() {
    let service = Service::start(&[]).await;
    service.add(number()).await;
    let taken = service.get("/next-cid?to=13125551212&call=V1").await.json();
    let by_call = |body: &'static str| {
        let call = service.ask("POST", "/api/v1/release");
        call.header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
    };
    let released = by_call("call_id=V1&dialstatus=ANSWER").await;
    assert_eq!(
        (released.status, &released.json()["released"]),
        (200, &json!(true))
    );
    assert_eq!(released.json()["reservation_id"], taken["reservation_id"]);
    assert_eq!(by_call("call_id=V1").await.json()["released"], false);
    let path = format!(
        "/api/v1/reservations/{}",
        taken["reservation_id"].as_str().expect("an id")
    );
    let again = service.ask("DELETE", &path).send().await;
    assert_eq!(
        (again.status, &again.json()["released"]),
        (200, &json!(false))
    );

    service.clock.advance_ms(30_000);
    let taken = service.get("/next-cid?to=13125551212").await.json();
    let path = format!(
        "/api/v1/reservations/{}?dialstatus=BUSY",
        taken["reservation_id"].as_str().expect("an id")
    );
    assert_eq!(
        service.ask("DELETE", &path).send().await.json()["released"],
        true
    );
    let json = service
        .ask("POST", "/api/v1/release")
        .json(&json!({"call_id": "unknown", "dialstatus": ""}))
        .send()
        .await;
    assert_eq!(
        (json.status, &json.json()["released"]),
        (200, &json!(false))
    );
}
