//! The audit log over HTTP: who changed what.

use serde_json::{Value, json};

use crate::support::Service;

const AUDIT: &str = "/api/v1/audit";

async fn log(service: &Service, query: &str) -> Value {
    let path = format!("{AUDIT}?{query}");
    let answer = service.admin("GET", &path, &Value::Null).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

fn subjects(page: &Value) -> Vec<&str> {
    let entries = page["entries"].as_array().expect("entries").iter();
    entries
        .map(|entry| entry["subject"].as_str().expect("a subject"))
        .collect()
}

/// A service with a key and three numbers.
async fn changed() -> Service {
    let service = Service::start(&[]).await;
    let key = json!({"name": "=cmd|' /C calc'!A0", "role": "operator"});
    let key = service.admin("POST", "/api/v1/keys", &key).await.json();
    for line in 0..3 {
        service.clock.advance_ms(1_000);
        let number = json!({"caller_id": format!("312555010{line}"), "carrier": "=1+1"});
        let add = service.ask("POST", "/add-number").from("192.0.2.7");
        let add = add.header("x-api-key", key["key"].as_str().expect("a key"));
        assert_eq!(add.json(&number).send().await.status, 200);
    }
    service
}

#[tokio::test]
async fn an_entry_says_who_what_where_from_and_when() {
    let service = changed().await;
    let page = log(&service, "limit=1").await;
    let entry = &page["entries"][0];
    assert_eq!(entry["author"], "=cmd|' /C calc'!A0");
    assert_eq!(entry["author_kind"], "key");
    assert_eq!(entry["address"], "192.0.2.7");
    assert_eq!(entry["action"], "number.create");
    assert_eq!(entry["subject"], "+13125550102");
    assert_eq!(entry["before"], Value::Null);
    assert_eq!(entry["after"]["carrier"], "=1+1");
    assert_eq!(entry["at"], "2026-11-22T12:00:03.000000Z");
    let head = format!(
        "{}:{}",
        entry["place"],
        entry["hash"].as_str().expect("a hash")
    );
    assert_eq!(page["head"], head);
}

#[tokio::test]
async fn pages_follow_one_another_newest_first_while_entries_are_added() {
    let service = changed().await;
    let first = log(&service, "limit=2").await;
    assert_eq!(subjects(&first), ["+13125550102", "+13125550101"]);
    service.add(json!({"caller_id": "3125550199"})).await;
    let cursor = first["next"].as_str().expect("a cursor");
    let second = log(&service, &format!("limit=2&cursor={cursor}")).await;
    assert_eq!(subjects(&second)[0], "+13125550100");
    assert_eq!(second["entries"][1]["action"], "key.create");
    assert_eq!(second["next"], Value::Null);
    let foreign = format!("{AUDIT}?author=x&cursor={cursor}");
    let foreign = service.admin("GET", &foreign, &Value::Null).await;
    assert_eq!(foreign.faulty_fields(), ["cursor"]);
}

#[tokio::test]
async fn filters_are_taken_together_and_what_is_no_filter_is_refused() {
    let service = changed().await;
    for (query, count) in [
        ("author=admin", 1),
        ("action=number.", 3),
        ("action=key.create&author=admin", 1),
        ("subject=%2B13125550100", 1),
        ("since=2026-11-22T12:00:02Z", 2),
        ("since=2026-11-22T12:00:02Z&until=2026-11-22T12:00:03Z", 1),
        ("since=2026-11-22", 4),
        ("since=2026-11-23", 0),
        ("until=2026-11-21", 0),
        ("until=2026-11-22&time_zone=America/Chicago", 4),
        ("author=nobody", 0),
    ] {
        let page = log(&service, query).await;
        assert_eq!(subjects(&page).len(), count, "{query}: {page}");
    }
    for (query, field) in [
        ("who=x", "who"),
        ("since=today", "since"),
        ("since=2026-11-24&until=2026-11-22", "until"),
        ("limit=1001", "limit"),
        ("author=a%00", "author"),
        ("cursor=x", "cursor"),
    ] {
        for path in [AUDIT, "/api/v1/audit.csv"] {
            let asked = format!("{path}?{query}");
            let answer = service.admin("GET", &asked, &Value::Null).await;
            assert_eq!(answer.status, 422, "{path} {query}: {}", answer.body);
            assert_eq!(answer.faulty_fields(), [field], "{path} {query}");
        }
    }
}

#[tokio::test]
async fn the_csv_has_every_entry_and_no_formula() {
    let service = changed().await;
    for line in 0..120 {
        let body = json!({"caller_id": format!("41555501{line:02}")});
        service.admin("POST", "/add-number", &body).await;
    }
    let csv = service
        .admin("GET", "/api/v1/audit.csv", &Value::Null)
        .await;
    assert_eq!(
        (csv.status, csv.header("content-type")),
        (200, "text/csv; charset=utf-8")
    );
    let lines: Vec<&str> = csv.body.lines().collect();
    assert_eq!(
        lines[0],
        "place,at,author_kind,author,address,action,subject,before,after,hash"
    );
    let newest = log(&service, "limit=1").await["entries"][0]["place"].clone();
    assert_eq!(lines.len() as i64 - 1, newest.as_i64().expect("a place"));
    let places = lines[1..]
        .iter()
        .map(|line| line.split(',').next().expect("a place").parse::<i64>());
    let places: Vec<_> = places.map(|place| place.expect("a number")).collect();
    assert!(
        places.is_sorted_by(|one, next| *one == next + 1),
        "{places:?}"
    );
    assert!(csv.body.contains(",'=cmd|' /C calc'!A0,"), "{}", csv.body);
    assert!(!csv.body.contains(",=cmd"), "{}", csv.body);
    assert!(
        csv.body.contains(",+13125550100,"),
        "a number is no formula"
    );
    let some = service.admin("GET", "/api/v1/audit.csv?action=key.", &Value::Null);
    assert_eq!(some.await.body.lines().count(), 2);
}
