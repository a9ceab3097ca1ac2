//! Live reservations, for people.

use serde_json::{Value, json};

use crate::support::Service;

/// A service with so many numbers, all of the area code 312.
async fn stocked(count: u32) -> Service {
    let service = Service::start(&[]).await;
    for line in 0..count {
        let number = format!("312555{:04}", 100 + line);
        service.add(json!({"caller_id": number})).await;
    }
    service
}

fn callers(page: &Value) -> Vec<&str> {
    let list = page["reservations"].as_array().expect("a list").iter();
    list.map(|one| one["call_id"].as_str().expect("a text"))
        .collect()
}

#[tokio::test]
async fn what_is_held_now_is_listed_with_whom_it_is_held_for() {
    let service = stocked(1).await;
    let taken = service
        .take("to=12125551212&campaign=SOLAR&agent=1001&call=V1")
        .await;
    service.stored().await;
    let page = service.see("/api/v1/reservations").await;
    let expected = json!({
        "id": taken["reservation_id"], "caller_id": "+13125550100", "destination": "+12125551212", "campaign": "SOLAR",
        "agent": "1001", "call_id": "V1", "pool": "default", "rung": "any", "since": "2026-11-22T12:00:00.000000Z",
        "until": taken["expires_at"],
    });
    assert_eq!(page, json!({"reservations": [expected], "next": null}));
}

#[tokio::test]
async fn what_is_released_reported_or_run_out_is_listed_no_more() {
    let service = stocked(3).await;
    for call in ["V1", "V2", "V3"] {
        service.take(&format!("to=12125551212&call={call}")).await;
        service.clock.advance_ms(1);
    }
    service.stored().await;
    let page = service.see("/api/v1/reservations").await;
    assert_eq!(callers(&page), ["V3", "V2", "V1"]);
    let id = page["reservations"][0]["id"].as_str().expect("an id");
    let ended = service
        .admin(
            "DELETE",
            &format!("/api/v1/reservations/{id}"),
            &Value::Null,
        )
        .await;
    assert_eq!(ended.json()["released"], true);
    service.get("/call-result?call=V2&dialstatus=BUSY").await;
    // What `/health` says is true for a second.
    service.clock.advance_ms(1_000);
    service.stored().await;
    assert_eq!(callers(&service.see("/api/v1/reservations").await), ["V1"]);
    service.clock.advance_ms(300_000);
    let page = service.see("/api/v1/reservations").await;
    assert_eq!(page, json!({"reservations": [], "next": null}));
}

#[tokio::test]
async fn each_filter_leaves_what_was_asked_for() {
    let service = stocked(2).await;
    service
        .take("to=12125551212&campaign=SOLAR&agent=1001&call=V1")
        .await;
    service.clock.advance_ms(1);
    service
        .take("to=13105551212&campaign=ROOFS&agent=1002&call=V2")
        .await;
    service.stored().await;
    for (filter, left) in [
        ("number=(312)%20555-0101", vec!["V2"]),
        ("destination=2125551212", vec!["V1"]),
        ("campaign=ROOFS", vec!["V2"]),
        ("agent=1001", vec!["V1"]),
        ("call_id=V2", vec!["V2"]),
        ("pool=default", vec!["V2", "V1"]),
        ("pool=other", vec![]),
        ("campaign=ROOFS&agent=1001", vec![]),
    ] {
        let page = service.see(&format!("/api/v1/reservations?{filter}")).await;
        assert_eq!(callers(&page), left, "{filter}");
    }
}

#[tokio::test]
async fn pages_follow_one_another_while_new_calls_come() {
    let service = stocked(6).await;
    for call in 0..4 {
        service.take(&format!("to=12125551212&call=V{call}")).await;
        service.clock.advance_ms(1);
    }
    service.stored().await;
    let first = service.see("/api/v1/reservations?limit=3").await;
    assert_eq!(callers(&first), ["V3", "V2", "V1"]);
    service.take("to=12125551212&call=V4").await;
    service.stored().await;
    let next = first["next"].as_str().expect("more");
    let path = format!("/api/v1/reservations?limit=3&cursor={next}");
    let second = service.see(&path).await;
    assert_eq!(callers(&second), ["V0"]);
    assert_eq!(second["next"], Value::Null);
    let other = format!("/api/v1/reservations?campaign=SOLAR&cursor={next}");
    let answer = service.admin("GET", &other, &Value::Null).await;
    assert_eq!(
        (answer.status, answer.faulty_fields()),
        (422, vec!["cursor".to_owned()])
    );
}

#[tokio::test]
async fn what_cannot_be_understood_is_named() {
    let service = stocked(0).await;
    for (query, fields) in [
        ("number=555&limit=0", vec!["limit", "number"]),
        ("destination=x&cursor=%21", vec!["cursor", "destination"]),
        ("campagne=SOLAR", vec!["campagne"]),
        ("pool=%ff", vec!["pool"]),
    ] {
        let path = format!("/api/v1/reservations?{query}");
        let answer = service.admin("GET", &path, &Value::Null).await;
        let mut faulty = answer.faulty_fields();
        faulty.sort();
        assert_eq!(
            (answer.status, faulty),
            (422, fields.iter().map(|name| (*name).to_owned()).collect())
        );
    }
}
