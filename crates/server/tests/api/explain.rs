//! Why a request gets what it gets.

use serde_json::{Value, json};

use crate::support::Service;

async fn stocked() -> Service {
    let service = Service::start(&[]).await;
    for (number, status) in [
        ("3125550100", "active"),
        ("3125550101", "active"),
        ("3125550102", "paused"),
        ("7735550100", "active"),
        ("2175550100", "retired"),
        ("2125550100", "active"),
    ] {
        let number = json!({"caller_id": number, "status": status});
        service.add(number).await;
    }
    service
}

async fn explained(service: &Service, query: &str) -> Value {
    service.see(&format!("/api/v1/explain?{query}")).await
}

/// The rungs of the first pool: word, free, held by calls or cooldown, paused, retired, chosen.
fn rungs(explained: &Value) -> Value {
    let rungs = explained["pools"][0]["rungs"].as_array().expect("a list");
    let line = |rung: &Value| {
        let numbers = &rung["numbers"];
        let held = ["reserved", "cooldown"].map(|cause| numbers[cause].as_u64().expect("a count"));
        json!([
            rung["rung"],
            numbers["eligible"],
            held[0] + held[1],
            numbers["paused"],
            numbers["retired"],
            rung["chosen"]
        ])
    };
    rungs.iter().map(line).collect()
}

#[tokio::test]
async fn each_rung_is_told_with_its_numbers_and_what_holds_them() {
    let service = stocked().await;
    let first = service.take("to=13125551212").await;
    assert_eq!(first["rung"], "area_code");
    let answer = explained(&service, "to=1%20(312)%20555-1213").await;
    let expected = json!([
        ["area_code", 1, 1, 1, 0, true],
        ["overlay", 0, 0, 0, 0, false],
        ["region", 2, 1, 1, 1, false],
        ["any", 3, 1, 1, 1, false],
    ]);
    let expected = match rungs(&answer).as_array().map(Vec::len) {
        Some(4) => expected,
        _ => panic!("{answer}"),
    };
    let found = rungs(&answer);
    assert_eq!(found[0], expected[0]);
    assert_eq!((&found[2], &found[3]), (&expected[2], &expected[3]));
    assert_eq!(answer["destination"]["number"], "+13125551213");
    assert_eq!(answer["destination"]["area_code"], "312");
    assert_eq!(answer["destination"]["region"], "IL");
    assert_eq!(answer["destination"]["country"], "US");
    assert_eq!(answer["destination"]["ours"], false);
    assert_eq!(answer["pools"][0]["policy"]["reservation_seconds"], 300);
    assert_eq!(answer["counts_left_out"], Value::Null);
    let words = answer["pools"][0]["rungs"][0]["in_words"].as_str();
    assert!(
        words.is_some_and(
            |words| words.starts_with("Numbers with the area code 312: 1 of 3 free, 1 ")
        ),
        "{words:?}"
    );
}

#[tokio::test]
async fn what_is_explained_is_what_is_answered_next_and_explaining_changes_nothing() {
    let service = stocked().await;
    let calls = [
        "to=13125551212&call=V1",
        "to=13125551212&call=V1",
        "to=13125551213&campaign=SOLAR",
        "to=13125551214&agent=1001",
        "to=%2B442079460958",
        "to=12125551212",
        "to=12125551212",
    ];
    for query in calls {
        let explained = explained(&service, query).await;
        let again = self::explained(&service, query).await;
        assert_eq!(explained, again, "{query}: explaining changes nothing");
        let choice = &explained["choice"];
        let answer = service.get(&format!("/next-cid?{query}&x=1")).await;
        let body = answer.json();
        match choice["outcome"].as_str() {
            Some("exhausted") => {
                assert_eq!(answer.status, 404, "{query}");
                assert_eq!(choice["earliest"], body["earliest"], "{query}");
                assert_eq!(choice["cause"], body["cause"], "{query}");
            }
            Some(outcome) => {
                let number = format!("+1{}", body["caller_id"].as_str().expect("a number"));
                assert_eq!(choice["caller_id"], number, "{query}");
                if outcome == "number" {
                    assert_eq!(choice["rung"], body["rung"], "{query}");
                }
            }
            None => panic!("{explained}"),
        }
    }
}

#[tokio::test]
async fn pools_are_tried_in_the_order_of_the_campaign() {
    let service = stocked().await;
    for pool in ["second", "first"] {
        let path = format!("/api/v1/pools/{pool}");
        let policy = json!({"cooldown_seconds": 7, "ladder": ["any"]});
        assert_eq!(service.admin("PUT", &path, &policy).await.status, 200);
    }
    let number = json!({"caller_id": "3055550100", "pool": "second"});
    service.add(number).await;
    let campaign = json!({"pools": ["first", "second"], "agent_rate_limit_per_minute": 1});
    let put = service.admin("PUT", "/api/v1/campaigns/SOLAR", &campaign);
    assert_eq!(put.await.status, 200);
    let answer = explained(&service, "to=13125551212&campaign=SOLAR&agent=1001").await;
    assert_eq!(
        answer["campaign"],
        json!({"id": "SOLAR", "configured": true, "agent_limited": true})
    );
    let pools = answer["pools"].as_array().expect("a list");
    let names: Vec<_> = pools.iter().map(|pool| &pool["pool"]).collect();
    assert_eq!(names, ["first", "second"]);
    assert_eq!(pools[0]["policy"]["cooldown_seconds"], 7);
    assert_eq!(
        pools[0]["rungs"][0]["in_words"],
        "All numbers of the pool: no numbers."
    );
    assert_eq!(
        pools[1]["rungs"][0]["in_words"],
        "All numbers of the pool: 1 of 1 free; the choice falls here."
    );
    let choice = &answer["choice"];
    assert_eq!(
        (&choice["caller_id"], &choice["pool"]),
        (&json!("+13055550100"), &json!("second"))
    );
    service
        .take("to=13125551212&campaign=SOLAR&agent=1001")
        .await;
    let answer = explained(&service, "to=13125551212&campaign=SOLAR&agent=1001").await;
    assert_eq!(answer["choice"]["outcome"], "agent_limited");
    assert_eq!(answer["choice"]["retry_after_ms"], 60_000);
    let answer = explained(&service, "to=13125551212&campaign=ROOFS").await;
    assert_eq!(answer["campaign"]["configured"], false);
    assert_eq!(answer["pools"][0]["pool"], "default");
}

#[tokio::test]
async fn without_numbers_it_is_said_in_so_many_words() {
    let service = Service::start(&[]).await;
    let answer = explained(&service, "to=13125551212").await;
    let choice = &answer["choice"];
    assert_eq!(
        (&choice["outcome"], &choice["cause"]),
        (&json!("exhausted"), &json!("empty"))
    );
    assert_eq!(
        choice["in_words"],
        "No number: none is active that may be tried."
    );
}

#[tokio::test]
async fn a_destination_of_ours_is_told() {
    let service = stocked().await;
    let answer = explained(&service, "to=13125550100").await;
    assert_eq!(answer["destination"]["ours"], true);
    assert_eq!(answer["choice"]["caller_id"], "+13125550101");
}

#[tokio::test]
async fn what_next_cid_refuses_is_refused_here_in_the_same_words() {
    let service = stocked().await;
    for query in ["to=911", "", "to=555", "to=13125551212&call=%ff"] {
        let explained = service
            .admin("GET", &format!("/api/v1/explain?{query}"), &Value::Null)
            .await;
        let answered = service.get(&format!("/next-cid?{query}")).await;
        assert_eq!(explained.status, 422, "{query}");
        for member in ["type", "detail"] {
            assert_eq!(explained.json()[member], answered.json()[member], "{query}");
        }
    }
    let misspelt = service
        .admin(
            "GET",
            "/api/v1/explain?to=13125551212&campagne=SOLAR",
            &Value::Null,
        )
        .await;
    assert_eq!(misspelt.faulty_fields(), ["campagne"]);
}
