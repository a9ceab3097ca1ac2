//! Numbers are listed, made, read, changed and removed one by one.

use serde_json::{Value, json};

use crate::support::{Answer, Service, TOKEN};

const NUMBERS: &str = "/api/v1/numbers";

async fn with_numbers(numbers: &[Value]) -> Service {
    let service = Service::start(&[]).await;
    for number in numbers {
        let made = service.admin("POST", NUMBERS, number).await;
        assert_eq!(made.status, 201, "{}", made.body);
    }
    service
}

async fn list(service: &Service, query: &str) -> Value {
    let path = format!("{NUMBERS}?{query}");
    let answer = service.admin("GET", &path, &Value::Null).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    answer.json()
}

fn numbers(list: &Value) -> Vec<String> {
    let rows = list["numbers"].as_array().expect("numbers").iter();
    let number = |row: &Value| row["number"].as_str().expect("a text").to_owned();
    rows.map(number).collect()
}

fn shape(answer: &Answer) -> (u16, Vec<String>) {
    let mut fields = answer.faulty_fields();
    fields.sort_unstable();
    (answer.status, fields)
}

#[tokio::test]
async fn of_a_new_number_an_empty_text_is_like_null_and_a_float_may_be_whole() {
    let service = with_numbers(&[json!({
        "number": "3125550100", "status": "", "resting_until": "", "pool": "", "daily_limit": 174.0
    })])
    .await;
    let row = &list(&service, "").await["numbers"][0];
    assert_eq!(
        (&row["status"], &row["pool"], &row["daily_limit"]),
        (&json!("active"), &json!("default"), &json!(174))
    );
    let half = json!({"number": "3125550101", "daily_limit": 174.5});
    let answer = service.admin("POST", NUMBERS, &half).await;
    assert_eq!(shape(&answer), (422, vec!["daily_limit".to_owned()]));
}

#[tokio::test]
async fn a_number_is_made_with_its_place_and_tag_and_takes_calls_at_once() {
    let service = with_numbers(&[]).await;
    let body = json!({"number": "(312) 555-0100", "carrier": "A", "hourly_limit": null,
                      "attestation": "b", "meta": {"note": "=1+1"}});
    let made = service.admin("POST", NUMBERS, &body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.header("location"), "/api/v1/numbers/+13125550100");
    let shown = made.json();
    assert_eq!(shown["number"], "+13125550100");
    assert_eq!(
        (&shown["daily_limit"], &shown["hourly_limit"]),
        (&json!(500), &Value::Null)
    );
    assert_eq!(
        (&shown["region"], &shown["attestation"]),
        (&json!("IL"), &json!("B"))
    );
    assert_eq!(shown["live"]["uses_today"], 0);
    let read = service
        .admin("GET", made.header("location"), &Value::Null)
        .await;
    assert_eq!((read.status, read.json()), (200, shown));
    assert_eq!(read.header("etag"), made.header("etag"));
    assert_eq!(service.get("/next-cid?to=13125551212").await.status, 200);
    let again = service
        .admin("POST", NUMBERS, &json!({"number": "13125550100"}))
        .await;
    assert_eq!(again.status, 409);
}

#[tokio::test]
async fn a_number_is_found_in_any_form_and_shows_how_it_stands() {
    let service = with_numbers(&[json!({"number": "3125550100"})]).await;
    assert_eq!(service.get("/next-cid?to=13125551212").await.status, 200);
    for form in [
        "3125550100",
        "+13125550100",
        "%2B1%20312-555-0100",
        "312.555.0100",
    ] {
        let path = format!("{NUMBERS}/{form}");
        let shown = service.admin("GET", &path, &Value::Null).await;
        assert_eq!(shown.status, 200, "{form}: {}", shown.body);
        let live = shown.json()["live"].clone();
        assert_eq!(
            (&live["uses_in_hour"], &live["uses_today"]),
            (&json!(1), &json!(1))
        );
        assert_eq!(live["reservations"], 1);
        assert_eq!(live["last_used_at"], "2026-11-22T12:00:00.000000Z");
    }
    let bad = service
        .admin("GET", "/api/v1/numbers/555", &Value::Null)
        .await;
    assert_eq!(shape(&bad), (422, vec!["number".to_owned()]));
    let none = service
        .admin("GET", "/api/v1/numbers/3125550199", &Value::Null)
        .await;
    assert_eq!(none.detail(), "There is no number `+13125550199`");
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_null_takes_away() {
    let first =
        json!({"number": "3125550100", "carrier": "A", "meta": {"a": 1}, "area_code": "773"});
    let service = with_numbers(&[first]).await;
    let path = format!("{NUMBERS}/3125550100");
    let put = json!({"pool": "default"});
    let change = json!({"carrier": null, "area_code": null, "daily_limit": 7, "hourly_limit": null,
                        "resting_until": "2026-11-23T00:00:00Z", "meta": {"b": 2}});
    for change in [put, change] {
        let changed = service
            .ask("PATCH", &path)
            .header("x-admin-token", TOKEN)
            .header("content-type", "application/merge-patch+json")
            .body(change.to_string());
        let changed = changed.send().await;
        assert_eq!(changed.status, 200, "{}", changed.body);
    }
    let shown = service.admin("GET", &path, &Value::Null).await.json();
    assert_eq!(
        (&shown["carrier"], &shown["area_code"]),
        (&Value::Null, &json!("312"))
    );
    assert_eq!(
        (&shown["daily_limit"], &shown["hourly_limit"]),
        (&json!(7), &Value::Null)
    );
    assert_eq!(shown["status"], "resting");
    assert_eq!(shown["resting_until"], "2026-11-23T00:00:00.000000Z");
    assert_eq!(shown["meta"], json!({"b": 2}));
    assert_eq!(service.get("/next-cid?to=13125551212").await.status, 404);
}

#[tokio::test]
async fn what_cannot_be_is_422_and_names_every_field() {
    let service = with_numbers(&[json!({"number": "3125550100"})]).await;
    let path = format!("{NUMBERS}/3125550100");
    for (change, fields) in [
        (
            json!({"carier": "A", "daily_limit": 0, "meta": []}),
            vec!["carier", "daily_limit", "meta"],
        ),
        (json!({"status": null}), vec!["status"]),
        (json!({"status": "resting"}), vec!["resting_until"]),
        (
            json!({"status": "paused", "resting_until": "2027-01-01T00:00:00Z"}),
            vec!["resting_until"],
        ),
        (json!({"resting_until": null}), vec!["resting_until"]),
        (json!({"pool": null}), vec!["pool"]),
        (json!({"pool": "nowhere"}), vec!["pool"]),
        (json!({"number": "3125550101"}), vec!["number"]),
        (
            json!({"area_code": "999", "attestation": "D"}),
            vec!["area_code", "attestation"],
        ),
        (
            json!({"live": {}, "created_at": "x"}),
            vec!["created_at", "live"],
        ),
    ] {
        let answer = service.admin("PATCH", &path, &change).await;
        let fields = fields.into_iter().map(str::to_owned).collect();
        assert_eq!(shape(&answer), (422, fields), "{change}");
    }
    for body in [
        json!({}),
        json!({"number": ""}),
        json!({"number": "3125550101", "numbr": 1}),
    ] {
        let answer = service.admin("POST", NUMBERS, &body).await;
        assert_eq!(answer.status, 422, "{body}");
    }
}

#[tokio::test]
async fn of_two_who_saw_the_same_only_one_changes_it() {
    let service = with_numbers(&[json!({"number": "3125550100"})]).await;
    let path = format!("{NUMBERS}/3125550100");
    let tag = service.admin("GET", &path, &Value::Null).await;
    let tag = tag.header("etag").to_owned();
    let change = |carrier: &str| {
        let call = service.ask("PATCH", &path).header("x-admin-token", TOKEN);
        let call = call.header("if-match", &tag);
        call.json(&json!({"carrier": carrier})).send()
    };
    let (one, other) = tokio::join!(change("A"), change("B"));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    let (won, lost) = match one.status {
        200 => (one, other),
        _ => (other, one),
    };
    assert_eq!(lost.json()["etag"], won.header("etag"));
    let call = service.ask("DELETE", &path).header("x-admin-token", TOKEN);
    assert_eq!(call.header("if-match", &tag).status().await, 412);
    let call = service.ask("DELETE", &path).header("x-admin-token", TOKEN);
    let gone = call.header("if-match", won.header("etag")).send().await;
    assert_eq!((gone.status, gone.json()), (200, json!({"removed": true})));
    assert_eq!(
        service.admin("DELETE", &path, &Value::Null).await.status,
        404
    );
    assert_eq!(service.get("/next-cid?to=13125551212").await.status, 404);
}

#[tokio::test]
async fn a_number_is_paused_resumed_rested_and_retired() {
    let service = with_numbers(&[json!({"number": "3125550100"})]).await;
    let act = async |action: &str, body: Value| {
        let path = format!("{NUMBERS}/3125550100/{action}");
        let answer = service.admin("POST", &path, &body).await;
        let json = answer.json();
        (
            answer.status,
            json["status"].as_str().unwrap_or_default().to_owned(),
            json,
        )
    };
    for (action, status, calls) in [
        ("pause", "paused", 404),
        ("resume", "active", 200),
        ("retire", "retired", 404),
    ] {
        let (code, is, _) = act(action, Value::Null).await;
        assert_eq!((code, is.as_str()), (200, status));
        assert_eq!(
            service.get("/next-cid?to=13125551212").await.status,
            calls,
            "{action}"
        );
    }
    let (_, _, rested) = act("rest", json!({"minutes": 90})).await;
    assert_eq!(rested["resting_until"], "2026-11-22T13:30:00.000000Z");
    let (_, _, rested) = act("rest", json!({"until": "2026-11-22T14:00:00+01:00"})).await;
    assert_eq!(rested["resting_until"], "2026-11-22T13:00:00.000000Z");
    for bad in [
        json!({}),
        json!({"minutes": 0}),
        json!({"until": "2026-11-22T11:00:00Z"}),
        json!({"minutes": 1, "until": "2027-01-01T00:00:00Z"}),
        json!({"hours": 1}),
    ] {
        assert_eq!(act("rest", bad.clone()).await.0, 422, "{bad}");
    }
    let nobody = service
        .admin("POST", "/api/v1/numbers/3125550199/pause", &Value::Null)
        .await;
    assert_eq!(nobody.status, 404);
}

#[tokio::test]
async fn a_list_is_filtered_and_sorted_and_counted() {
    let service = with_numbers(&[
        json!({"number": "3125550100", "carrier": "A", "pool": "x"}),
        json!({"number": "2125550101", "carrier": "B, Inc.", "attestation": "A"}),
        json!({"number": "+442079460958", "status": "paused"}),
        json!({"number": "7735550103", "status": "retired", "pool": "x"}),
    ])
    .await;
    for (query, expected) in [
        (
            "",
            vec![
                "+12125550101",
                "+13125550100",
                "+17735550103",
                "+442079460958",
            ],
        ),
        (
            "sort=-number",
            vec![
                "+442079460958",
                "+17735550103",
                "+13125550100",
                "+12125550101",
            ],
        ),
        ("pool=x", vec!["+13125550100", "+17735550103"]),
        (
            "status=paused,retired",
            vec!["+17735550103", "+442079460958"],
        ),
        ("carrier=B,%20Inc.", vec!["+12125550101"]),
        ("no_carrier=true", vec!["+17735550103", "+442079460958"]),
        ("area_code=312,212", vec!["+12125550101", "+13125550100"]),
        ("region=IL", vec!["+13125550100", "+17735550103"]),
        ("attestation=A", vec!["+12125550101"]),
        (
            "number=%2B442079460958,3125550100",
            vec!["+13125550100", "+442079460958"],
        ),
        ("begins=44", vec!["+442079460958"]),
        ("q=(312)%20555", vec!["+13125550100"]),
        (
            "q=555-010",
            vec!["+12125550101", "+13125550100", "+17735550103"],
        ),
        ("region=IL&pool=default", vec![]),
    ] {
        let list = list(&service, &format!("{query}&count=true")).await;
        assert_eq!(numbers(&list), expected, "{query}");
        assert_eq!(list["total"], expected.len(), "{query}");
        assert_eq!(
            (&list["next"], &list["is_live"]),
            (&Value::Null, &json!(true))
        );
    }
    for bad in [
        "statu=paused",
        "status=x",
        "region=XX",
        "q=abc",
        "sort=size",
        "limit=0",
        "cursor=x",
        "count=2",
        "number=5",
    ] {
        let answer = service
            .admin("GET", &format!("{NUMBERS}?{bad}"), &Value::Null)
            .await;
        assert_eq!(answer.status, 422, "{bad}");
    }
}

#[tokio::test]
async fn pages_go_on_where_they_ended_whatever_changes_between() {
    let made: Vec<Value> = (0..25)
        .map(|n| json!({"number": format!("31255501{n:02}")}))
        .collect();
    let service = with_numbers(&made).await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for page in 0.. {
        let list = list(&service, &format!("limit=10{cursor}")).await;
        seen.extend(numbers(&list));
        let Some(next) = list["next"].as_str() else {
            assert_eq!(page, 2);
            break;
        };
        cursor = format!("&cursor={next}");
        // Before the place, and behind it.
        let first = format!("{NUMBERS}/31255501{page:02}");
        let gone = service.admin("DELETE", &first, &Value::Null).await;
        assert_eq!(gone.status, 200);
        let more = json!({"number": format!("31255502{page:02}")});
        assert_eq!(service.admin("POST", NUMBERS, &more).await.status, 201);
    }
    let mut once = seen.clone();
    once.dedup();
    assert_eq!((seen.len(), once.len()), (27, 27));
    assert!(seen.is_sorted());
    let other = format!("{NUMBERS}?sort=-number{cursor}");
    assert_eq!(service.admin("GET", &other, &Value::Null).await.status, 422);
}
