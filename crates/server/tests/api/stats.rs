//! Calls, counted by what people ask for.

use serde_json::{Value, json};

use crate::support::Service;

const HOUR_MS: i64 = 3_600_000;

async fn stocked() -> Service {
    let service = Service::start(&[("CALLER_ID_COOLDOWN_SECONDS", "0")]).await;
    for (number, carrier) in [("3125550100", "Acme"), ("2125550100", "Bell")] {
        let number = json!({"caller_id": number, "carrier": carrier});
        service.add(number).await;
    }
    service
}

/// A call that ends at once.
async fn call(service: &Service, to: &str, campaign: &str, how: &str) {
    let taken = service.take(&format!("to={to}&campaign={campaign}")).await;
    let id = taken["reservation_id"].as_str().expect("an id");
    let path = format!("/call-result?reservation={id}&{how}");
    assert_eq!(service.get(&path).await.status, 200);
    service.clock.advance_ms(1_000);
}

/// Five calls of two campaigns, in three hours of two days: from 12:00 and 13:00, and from 12:00 of the next day.
async fn worked() -> Service {
    let service = stocked().await;
    call(
        &service,
        "13125551212",
        "SOLAR",
        "dialstatus=ANSWER&answered_seconds=50",
    )
    .await;
    call(&service, "13125551213", "SOLAR", "dialstatus=BUSY").await;
    service.clock.advance_ms(HOUR_MS);
    call(
        &service,
        "12125551212",
        "ROOFS",
        "dialstatus=ANSWER&answered_seconds=25",
    )
    .await;
    service.clock.advance_ms(23 * HOUR_MS);
    call(&service, "12125551212", "ROOFS", "dialstatus=NOANSWER").await;
    call(&service, "%2B442079460958", "", "dialstatus=CONGESTION").await;
    service.stored().await;
    service
}

/// Some members of each line.
fn columns(stats: &Value, names: &[&str]) -> Value {
    let rows = stats["rows"].as_array().expect("a list").iter();
    rows.map(|row| -> Value { names.iter().map(|name| row[*name].clone()).collect() })
        .collect()
}

const ALL_OF_IT: &str = "since=2026-11-22&until=2026-11-23";

#[tokio::test]
async fn all_calls_are_counted_with_how_they_went() {
    let service = worked().await;
    let stats = service.see(&format!("/api/v1/stats?{ALL_OF_IT}")).await;
    let expected = json!({
        "by": "all", "span": "whole", "time_zone": "UTC", "since": "2026-11-22T00:00:00.000000Z",
        "until": "2026-11-24T00:00:00.000000Z", "more": false,
        "rows": [{
            "from": "2026-11-22T00:00:00.000000Z", "key": null, "calls": 5, "answered": 2, "reported": 5, "answer_rate": 0.4,
            "busy": 1, "no_answer": 1, "cancelled": 0, "failed": 1, "answered_seconds": 75, "average_seconds": 37.5,
        }],
    });
    assert_eq!(stats, expected);
}

/// What a dialer never told says nothing of numbers.
#[tokio::test]
async fn the_answer_rate_is_of_the_calls_that_were_reported() {
    let service = stocked().await;
    for campaign in ["SOLAR", "ROOFS"] {
        call(&service, "13125551212", campaign, "").await;
    }
    call(&service, "13125551213", "SOLAR", "dialstatus=ANSWER").await;
    call(&service, "12125551212", "SOLAR", "dialstatus=NOANSWER").await;
    service.stored().await;
    let path = format!("/api/v1/stats?by=campaign&{ALL_OF_IT}");
    let names = ["key", "calls", "reported", "answered", "answer_rate"];
    let expected = json!([["ROOFS", 1, 0, 0, null], ["SOLAR", 3, 2, 1, 0.5]]);
    assert_eq!(columns(&service.see(&path).await, &names), expected);
}

#[tokio::test]
async fn the_talk_is_that_of_answered_calls() {
    let service = stocked().await;
    for (status, seconds) in [("ANSWER", 28), ("BUSY", 58), ("NOANSWER", 30)] {
        let how = format!("dialstatus={status}&answered_seconds={seconds}");
        call(&service, "13125551212", "SOLAR", &how).await;
    }
    service.stored().await;
    let stats = service.see(&format!("/api/v1/stats?{ALL_OF_IT}")).await;
    let names = ["calls", "answered", "answered_seconds", "average_seconds"];
    assert_eq!(columns(&stats, &names), json!([[3, 1, 28, 28.0]]));
}

#[tokio::test]
async fn calls_are_counted_by_hours_and_by_local_days() {
    let service = worked().await;
    let path = format!("/api/v1/stats?span=hour&{ALL_OF_IT}");
    let expected = json!([
        ["2026-11-22T12:00:00.000000Z", 2],
        ["2026-11-22T13:00:00.000000Z", 1],
        ["2026-11-23T12:00:00.000000Z", 2],
    ]);
    assert_eq!(
        columns(&service.see(&path).await, &["from", "calls"]),
        expected
    );
    let path = format!("/api/v1/stats?span=day&{ALL_OF_IT}");
    let expected = json!([
        ["2026-11-22T00:00:00.000000Z", 3],
        ["2026-11-23T00:00:00.000000Z", 2],
    ]);
    assert_eq!(
        columns(&service.see(&path).await, &["from", "calls"]),
        expected
    );
    // There 13:00 is the next day.
    let path = format!("/api/v1/stats?span=day&time_zone=Asia/Vladivostok&{ALL_OF_IT}");
    let stats = service.see(&path).await;
    assert_eq!(stats["since"], "2026-11-21T14:00:00.000000Z");
    let expected = json!([
        ["2026-11-21T14:00:00.000000Z", 3],
        ["2026-11-22T14:00:00.000000Z", 2],
    ]);
    assert_eq!(columns(&stats, &["from", "calls"]), expected);
}

#[tokio::test]
async fn calls_are_counted_by_what_is_asked() {
    let service = worked().await;
    for (by, expected) in [
        ("pool", json!([["default", 5]])),
        ("campaign", json!([[null, 1], ["ROOFS", 2], ["SOLAR", 2]])),
        ("area_code", json!([[null, 1], ["212", 2], ["312", 2]])),
        ("rung", json!([["any", 1], ["area_code", 4]])),
    ] {
        let path = format!("/api/v1/stats?by={by}&{ALL_OF_IT}");
        let stats = service.see(&path).await;
        assert_eq!(columns(&stats, &["key", "calls"]), expected, "{by}");
    }
    for by in ["carrier", "number"] {
        let path = format!("/api/v1/stats?by={by}&{ALL_OF_IT}");
        let stats = service.see(&path).await;
        let rows = stats["rows"].as_array().expect("a list");
        let calls: u64 = rows
            .iter()
            .map(|row| row["calls"].as_u64().expect("a count"))
            .sum();
        assert_eq!((rows.len(), calls), (2, 5), "{stats}");
    }
}

#[tokio::test]
async fn only_what_is_asked_for_is_counted() {
    let service = worked().await;
    for (filter, calls) in [
        ("campaign=SOLAR", json!([[2]])),
        ("pool=default", json!([[5]])),
        ("pool=other", json!([])),
        (
            "campaign=SOLAR&pool=default&number=3125550100",
            json!([[2]]),
        ),
    ] {
        let stats = service
            .see(&format!("/api/v1/stats?{filter}&{ALL_OF_IT}"))
            .await;
        assert_eq!(columns(&stats, &["calls"]), calls, "{filter}");
    }
}

#[tokio::test]
async fn the_last_24_hours_are_counted_when_nothing_is_said() {
    let service = worked().await;
    // By now two calls are more than 24 hours old, and the hour that they were in would count whole.
    service.clock.advance_ms(HOUR_MS);
    let stats = service.see("/api/v1/stats").await;
    assert_eq!(columns(&stats, &["calls"]), json!([[3]]));
    assert_eq!(stats["rows"][0]["answer_rate"], 0.3333);
}

#[tokio::test]
async fn of_too_many_lines_those_with_the_most_calls_are_given() {
    let service = worked().await;
    let path = format!("/api/v1/stats?by=campaign&limit=2&{ALL_OF_IT}");
    let stats = service.see(&path).await;
    let expected = json!([["ROOFS", 2], ["SOLAR", 2]]);
    assert_eq!(columns(&stats, &["key", "calls"]), expected);
    assert_eq!(stats["more"], true);
}

#[tokio::test]
async fn what_cannot_be_understood_is_named() {
    let service = stocked().await;
    for (query, field) in [
        ("by=agent", "by"),
        ("span=week", "span"),
        ("since=now", "since"),
        ("limit=0", "limit"),
        ("number=5", "number"),
        ("agent=1001", "agent"),
    ] {
        let path = format!("/api/v1/stats?{query}");
        let answer = service.admin("GET", &path, &Value::Null).await;
        assert_eq!(
            (answer.status, answer.faulty_fields()),
            (422, vec![field.to_owned()])
        );
    }
    for query in [
        "since=0001-01-01&until=9000-01-01",
        "since=9000-01-01",
        "until=0001-01-01",
    ] {
        let stats = service
            .see(&format!("/api/v1/stats?span=hour&{query}"))
            .await;
        assert_eq!(stats["rows"], json!([]), "{query}");
    }
}

/// Calls at these instants of 2026-11-22, the service's first being 12:00Z.
async fn called_at(minutes: &[i64]) -> Service {
    let service = stocked().await;
    let mut last = 0;
    for minute in minutes {
        service.clock.advance_ms((minute - last) * 60_000);
        last = *minute;
        service.take("to=13125551212&campaign=SOLAR").await;
    }
    service.stored().await;
    service
}

#[tokio::test]
async fn a_local_day_begins_at_its_midnight_in_every_zone() {
    // A quarter of an hour before 18:15Z, 18:30Z and the next 03:30Z, and at each of them.
    const MINUTES: [i64; 6] = [360, 375, 389, 390, 915, 930];
    let zones = [
        ("Asia/Kolkata", "2026-11-22T18:30:00.000000Z", 3),
        ("Asia/Kathmandu", "2026-11-22T18:15:00.000000Z", 5),
        ("America/St_Johns", "2026-11-23T03:30:00.000000Z", 1),
    ];
    let service = called_at(&MINUTES).await;
    for (zone, from, calls) in zones {
        let path = format!(
            "/api/v1/stats?span=day&since=2026-11-23&until=2026-11-23&time_zone={zone}&campaign=SOLAR"
        );
        let stats = service.see(&path).await;
        let rows = columns(&stats, &["from", "calls"]);
        assert_eq!(rows, json!([[from, calls]]), "{zone}");
        let mut of_numbers = 0;
        for number in ["3125550100", "2125550100"] {
            let stats = service.see(&format!("{path}&number={number}")).await;
            for row in stats["rows"].as_array().expect("a list") {
                assert_eq!(row["from"], from, "{zone}, {number}");
                of_numbers += row["calls"].as_i64().expect("a count");
            }
        }
        assert_eq!(of_numbers, calls, "{zone}");
        let hours = path.replace("span=day", "span=hour");
        let stats = service.see(&hours).await;
        assert_eq!(stats["rows"][0]["from"], from, "{zone}, by hour");
    }
}
