//! How the service works now.

use serde_json::{Value, json};

use crate::support::Service;

const MINUTE_MS: i64 = 60_000;

/// What an admin sees after a while: it is gathered once a second, its parts once in two.
async fn seen(service: &Service) -> Value {
    service.stored().await;
    service.clock.advance_ms(MINUTE_MS);
    service.see("/api/v1/overview").await
}

/// The sum of a column.
fn sum(overview: &Value, column: &str) -> u64 {
    let column = overview["pulse"][column].as_array().expect("a column");
    assert_eq!(column.len(), 360);
    column.iter().filter_map(Value::as_u64).sum()
}

fn pool<'a>(overview: &'a Value, id: &str) -> &'a Value {
    let mut pools = overview["pools"].as_array().expect("a list").iter();
    pools.find(|pool| pool["id"] == id).expect("the pool")
}

fn kinds(overview: &Value) -> Vec<(String, String)> {
    let all = overview["attention"].as_array().expect("a list").iter();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    all.map(|one| (text(&one["kind"]), text(&one["name"])))
        .collect()
}

async fn stocked() -> Service {
    let service = Service::start(&[("CALLER_ID_COOLDOWN_SECONDS", "0")]).await;
    for line in 0..12 {
        let number = json!({"caller_id": format!("31255501{line:02}"), "daily_limit": 1});
        service.add(number).await;
    }
    service
}

#[tokio::test]
async fn a_service_without_anything_has_an_overview() {
    let service = Service::start(&[]).await;
    let overview = seen(&service).await;
    assert_eq!(overview["missing"], json!([]));
    assert_eq!(overview["all_nodes"], true);
    assert_eq!(overview["attention"], json!([]));
    assert_eq!(overview["campaigns"], json!([]));
    assert_eq!(overview["reservations"], json!({"active": 0}));
    assert_eq!(overview["pulse"]["step_s"], 10);
    assert_eq!(sum(&overview, "allocated"), 0);
    assert_eq!(pool(&overview, "default")["numbers"], 0);
    assert_eq!(pool(&overview, "default")["per_minute"], Value::Null);
}

#[tokio::test]
async fn requests_are_counted_by_what_became_of_them() {
    let service = stocked().await;
    for (to, call) in [
        ("13125551234", "V1"),
        ("13125551234", "V1"),
        ("18085551234", "V2"),
    ] {
        service.take(&format!("to={to}&call={call}")).await;
    }
    for query in ["to=911", "", "to=13125551234&agent=%00"] {
        service.get(&format!("/next-cid?{query}")).await;
    }
    let refused = service.ask("GET", "/next-cid?to=13125551234");
    assert_eq!(refused.from("203.0.113.9").send().await.status, 401);
    for line in 0..11 {
        service.clock.advance_ms(1);
        service
            .get(&format!("/next-cid?to=131255520{line:02}"))
            .await;
    }
    let overview = seen(&service).await;
    for (column, expected) in [
        ("allocated", 12),
        ("repeated", 1),
        ("exhausted", 1),
        ("agent_limited", 0),
        ("unavailable", 0),
        ("refused", 1),
        ("invalid", 3),
    ] {
        assert_eq!(sum(&overview, column), expected, "{column}");
    }
    let rungs = json!({"sticky": 0, "area_code": 11, "overlay": 0, "region": 0, "any": 1});
    assert_eq!(overview["rungs"], rungs);
    let requests = overview["requests"].as_array().expect("a list");
    assert_eq!(requests.len(), 20);
    assert_eq!(requests[0]["outcome"], "exhausted");
    // An hour later nothing of it is shown.
    service.clock.advance_ms(60 * MINUTE_MS);
    let overview = seen(&service).await;
    assert_eq!(sum(&overview, "allocated"), 0);
    assert_eq!(overview["campaigns"], json!([]));
}

#[tokio::test]
async fn pools_campaigns_and_reservations_are_told_as_they_are() {
    let service = stocked().await;
    let patch = json!({"status": "paused"});
    let path = "/api/v1/numbers/3125550100";
    assert_eq!(service.admin("PATCH", path, &patch).await.status, 200);
    let put = json!({"pools": ["default"]});
    let answer = service.admin("PUT", "/api/v1/campaigns/SOLAR", &put).await;
    assert!(answer.status < 300, "{}", answer.body);
    for (agent, campaign, status) in [
        (1, "SOLAR", "ANSWER"),
        (2, "SOLAR", "BUSY"),
        (2, "SOLAR", "ANSWER"),
        (3, "ROOFS", ""),
    ] {
        let query = format!("to=13125551234&agent={agent}&campaign={campaign}");
        let taken = service.take(&query).await;
        let id = taken["reservation_id"].as_str().expect("an id");
        if !status.is_empty() {
            let path = format!("/call-result?reservation={id}&dialstatus={status}");
            assert_eq!(service.get(&path).await.status, 200);
        }
    }
    let overview = seen(&service).await;
    let pool = pool(&overview, "default");
    let counts = [
        "numbers", "eligible", "reserved", "cooling", "limited", "paused", "retired",
    ]
    .map(|name| pool[name].as_u64().expect("a count"));
    assert_eq!(counts, [12, 7, 0, 0, 4, 1, 0]);
    assert_eq!(overview["reservations"], json!({"active": 1}));
    let campaigns = json!([
        {"id": "SOLAR", "calls": 3, "agents": 2, "answered": 2, "reported": 3, "answer_rate": 0.6667},
        {"id": "ROOFS", "calls": 1, "agents": 1, "answered": 0, "reported": 0, "answer_rate": null},
    ]);
    assert_eq!(overview["campaigns"], campaigns);
    let unknown = ("unknown_campaign".to_owned(), "ROOFS".to_owned());
    assert_eq!(kinds(&overview), [unknown]);
}

#[tokio::test]
async fn a_pool_that_empties_says_when_it_will_be_empty() {
    let service = stocked().await;
    seen(&service).await;
    // A service looks by itself when it starts, which may have been while numbers came: that is forgotten after a quarter of an hour.
    service.clock.advance_ms(16 * MINUTE_MS);
    seen(&service).await;
    for minute in 0..8 {
        service.take(&format!("to=131255520{minute:02}")).await;
        let overview = seen(&service).await;
        if minute > 1 {
            let pool = pool(&overview, "default");
            let pace = pool["per_minute"].as_f64().expect("a pace");
            assert!(pace > 0.1, "{pool}");
            assert_ne!(pool["exhausted_at"], Value::Null, "{pool}");
            let low = ("pool_low".to_owned(), "default".to_owned());
            assert_eq!(kinds(&overview), [low]);
        }
    }
    for minute in 8..12 {
        service.take(&format!("to=131255520{minute:02}")).await;
    }
    let overview = seen(&service).await;
    let empty = ("pool_exhausted".to_owned(), "default".to_owned());
    assert_eq!(kinds(&overview), [empty]);
    assert_eq!(pool(&overview, "default")["exhausted_at"], Value::Null);
}

#[tokio::test]
async fn all_who_ask_within_a_second_get_the_same() {
    let service = stocked().await;
    let asked = (0..20).map(|_| service.see("/api/v1/overview"));
    let first = service.see("/api/v1/overview").await;
    service.take("to=13125551234").await;
    for answer in futures_util::future::join_all(asked).await {
        assert_eq!(answer, first);
    }
    let later = seen(&service).await;
    assert_eq!((sum(&first, "allocated"), sum(&later, "allocated")), (0, 1));
}
