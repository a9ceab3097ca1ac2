//! Where is called, and what numbers there are for it.

use serde_json::{Value, json};

use crate::support::Service;

const HOUR_MS: i64 = 3_600_000;

/// Three numbers of 312, one of 872, which shares Chicago with it, and one of 217, which is Illinois, too.
async fn stocked() -> Service {
    let service = Service::start(&[("CALLER_ID_COOLDOWN_SECONDS", "0")]).await;
    for (number, carrier, status) in [
        ("3125550100", "Acme", "active"),
        ("3125550101", "Acme", "paused"),
        ("3125550102", "Bell", "retired"),
        ("8725550100", "", "active"),
        ("2175550100", "Bell", "active"),
    ] {
        let added = json!({"caller_id": number, "carrier": carrier, "hourly_limit": 2});
        service.add(added).await;
        if status != "active" {
            let path = format!("/api/v1/numbers/{number}");
            let patch = json!({"status": status});
            let answer = service.admin("PATCH", &path, &patch).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
    }
    service
}

/// A call that ends at once.
async fn call(service: &Service, to: &str, how: &str) -> String {
    let taken = service.take(&format!("to={to}")).await;
    let id = taken["reservation_id"].as_str().expect("an id");
    let path = format!("/call-result?reservation={id}&dialstatus={how}");
    assert_eq!(service.get(&path).await.status, 200);
    service.clock.advance_ms(1_000);
    taken["caller_id"].as_str().expect("a number").to_owned()
}

async fn worked() -> Service {
    let service = stocked().await;
    for (to, how) in [
        ("13125551200", "ANSWER"),
        ("13125551201", "BUSY"),
        ("13125551202", "ANSWER"),
        ("13125551203", "NOANSWER"),
        ("13125551204", "ANSWER"),
    ] {
        call(&service, to, how).await;
    }
    service.clock.advance_ms(2 * HOUR_MS);
    call(&service, "12125551200", "BUSY").await;
    call(&service, "%2B442079460958", "BUSY").await;
    service.stored().await;
    service
}

/// The line of which this is so.
fn line<'a>(coverage: &'a Value, list: &str, name: &str, is: &Value) -> &'a Value {
    let mut lines = coverage[list].as_array().expect("a list").iter();
    lines.find(|line| line[name] == *is).expect("the line")
}

fn some(line: &Value, names: &[&str]) -> Value {
    names.iter().map(|name| line[*name].clone()).collect()
}

const NUMBERS: [&str; 3] = ["active", "numbers", "overlay_active"];
const NEED: [&str; 4] = ["busiest_hour_calls", "uses_per_hour", "needed", "short"];

#[tokio::test]
async fn calls_are_told_by_where_they_went_and_how_local_their_numbers_were() {
    let service = worked().await;
    let coverage = service.see("/api/v1/coverage").await;
    assert_eq!(
        (&coverage["days"], &coverage["since"]),
        (&json!(7), &json!("2026-11-15T14:00:00.000000Z"))
    );
    let chicago = line(&coverage, "area_codes", "code", &json!("312"));
    assert_eq!(some(chicago, &["region", "country"]), json!(["IL", "US"]));
    assert_eq!(some(chicago, &NUMBERS), json!([1, 2, 1]));
    assert_eq!(some(chicago, &["calls", "local"]), json!([5, 4]));
    let rungs = json!({"sticky": 0, "area_code": 2, "overlay": 2, "region": 1, "any": 0});
    assert_eq!(chicago["rungs"], rungs);
    let overlay = chicago["overlay"].as_array().expect("a list");
    assert!(overlay.contains(&json!("872")), "{overlay:?}");
    assert_eq!(
        some(chicago, &["answered", "reported", "local_share"]),
        json!([3, 5, 0.8])
    );
    // Five calls in an hour, two for each number: three numbers, and two are local.
    assert_eq!(some(chicago, &NEED), json!([5, 2.0, 3, 1]));
    assert_eq!(chicago["busiest_hour"], "2026-11-22T12:00:00.000000Z");
    let new_york = line(&coverage, "area_codes", "code", &json!("212"));
    assert_eq!(some(new_york, &NUMBERS), json!([0, 0, 0]));
    assert_eq!(some(new_york, &NEED), json!([1, 2.0, 1, 1]));
    let downstate = line(&coverage, "area_codes", "code", &json!("217"));
    assert_eq!(
        some(downstate, &["active", "calls", "short"]),
        json!([1, 0, 0])
    );
    let illinois = line(&coverage, "regions", "region", &json!("IL"));
    assert_eq!(
        some(illinois, &["active", "numbers", "calls", "needed", "short"]),
        json!([3, 4, 5, 3, 0])
    );
    assert_eq!(
        some(&coverage["elsewhere"], &["active", "calls", "local"]),
        json!([0, 1, 0])
    );
    assert_eq!(
        some(&coverage["total"], &["active", "numbers", "calls"]),
        json!([3, 4, 7])
    );
}

#[tokio::test]
async fn carriers_are_told_with_their_numbers_and_calls() {
    let service = worked().await;
    let coverage = service.see("/api/v1/coverage").await;
    let of = |carrier: Value| {
        let line = line(&coverage, "carriers", "carrier", &carrier);
        some(line, &["active", "numbers", "calls", "reported"])
    };
    let all = [of(json!("Acme")), of(json!("Bell")), of(json!(null))];
    let sum = |place: usize| -> u64 { all.iter().filter_map(|one| one[place].as_u64()).sum() };
    assert_eq!((sum(0), sum(1), sum(2), sum(3)), (3, 4, 7, 7));
    assert_eq!((&all[0][0], &all[0][1]), (&json!(1), &json!(2)));
    assert_eq!((&all[2][0], &all[2][1]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn the_days_are_from_1_to_31() {
    let service = worked().await;
    for (days, expected) in [("1", 7), ("31", 7)] {
        let coverage = service.see(&format!("/api/v1/coverage?days={days}")).await;
        assert_eq!(coverage["total"]["calls"], expected);
    }
    service.clock.advance_ms(30 * HOUR_MS);
    let coverage = service.see("/api/v1/coverage?days=1").await;
    assert_eq!(coverage["total"]["calls"], 0);
    for bad in ["0", "32", "x"] {
        let path = format!("/api/v1/coverage?days={bad}");
        let answer = service.admin("GET", &path, &Value::Null).await;
        assert_eq!(
            (answer.status, answer.faulty_fields()),
            (422, vec!["days".to_owned()])
        );
    }
}

#[tokio::test]
async fn a_number_that_is_added_is_covered_soon() {
    let service = stocked().await;
    let active = async || {
        service.clock.advance_ms(20_000);
        service.see("/api/v1/coverage").await["total"]["active"].clone()
    };
    assert_eq!(active().await, 3);
    service.add(json!({"caller_id": "2125550100"})).await;
    // Who would have to wait is given what there was.
    for _ in 0..100 {
        if active().await == 4 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("it is not covered");
}
