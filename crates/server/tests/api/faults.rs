//! One regression test for each fault of the reference, by its number.

use std::time::Duration;

use caller_id::app::open_beside;
use caller_id::cli::serve_settings;
use caller_id_core::store::OnDuplicate;
use caller_id_core::{Number, PhoneNumber};
use caller_id_testkit::builders::somebody;
use serde_json::{Value, json};

use crate::support::Service;

const FAST: [(&str, &str); 3] = [
    ("CALLER_ID_COOLDOWN_SECONDS", "0"),
    ("MOST_RESERVATIONS_PER_NUMBER", "1000"),
    ("AGENT_RATE_LIMIT_PER_MIN", "0"),
];

#[tokio::test]
async fn fault_01_numbers_over_their_limit_do_not_hide_free_ones() {
    let service = Service::start(&FAST).await;
    for last in 0..120 {
        service
            .add(json!({"caller_id": format!("3125550{last:03}"), "hourly_limit": 1}))
            .await;
    }
    service
        .add(json!({"caller_id": "3125559999", "hourly_limit": 1}))
        .await;
    for _ in 0..121 {
        assert_eq!(service.get("/next-cid?to=13125551212").await.status, 200);
    }
    assert_eq!(service.get("/next-cid?to=13125551212").await.status, 404);
    service.add(json!({"caller_id": "2125559999"})).await;
    assert_eq!(
        service.get("/next-cid?to=13125551212").await.json()["caller_id"],
        "2125559999"
    );
}

#[tokio::test]
async fn fault_02_released_numbers_reach_their_hourly_limit() {
    let service = Service::start(&[("CALLER_ID_COOLDOWN_SECONDS", "30")]).await;
    service
        .add(json!({"caller_id": "3125550100", "hourly_limit": 50}))
        .await;
    for call in 0..50 {
        let answer = service
            .get(&format!("/next-cid?to=13125551212&call=V{call}"))
            .await;
        assert_eq!(answer.status, 200, "call {call}: {}", answer.body);
        let body = json!({"call_id": format!("V{call}"), "dialstatus": "NOANSWER"});
        service
            .ask("POST", "/api/v1/release")
            .json(&body)
            .send()
            .await;
        service.clock.advance_ms(60_000);
    }
    assert_eq!(
        service.get("/next-cid?to=13125551212").await.json()["cause"],
        "hourly_limit"
    );
}

#[tokio::test]
async fn fault_03_a_limit_holds_against_many_at_once() {
    let service = Service::start(&FAST).await;
    service
        .add(json!({"caller_id": "3125550100", "hourly_limit": 5}))
        .await;
    let calls = (0..40).map(|_| service.get("/next-cid?to=13125551212"));
    let answers = futures_util::future::join_all(calls).await;
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 200).count(),
        5
    );
}

#[tokio::test]
async fn fault_04_the_campaign_decides_the_numbers() {
    let service = Service::start(&FAST).await;
    service
        .add(json!({"caller_id": "3125550100", "pool": "solar"}))
        .await;
    service
        .add(json!({"caller_id": "3125550200", "pool": "roofing"}))
        .await;
    service
        .admin(
            "PUT",
            "/api/v1/campaigns/SOLAR",
            &json!({"pools": ["solar"]}),
        )
        .await;
    service
        .admin(
            "PUT",
            "/api/v1/campaigns/ROOF",
            &json!({"pools": ["roofing"]}),
        )
        .await;
    for _ in 0..3 {
        assert_eq!(
            service
                .get("/next-cid?to=13125551212&campaign=SOLAR")
                .await
                .json()["caller_id"],
            "3125550100"
        );
        assert_eq!(
            service
                .get("/next-cid?to=13125551212&campaign=ROOF")
                .await
                .json()["caller_id"],
            "3125550200"
        );
    }
    assert_eq!(
        service
            .get("/next-cid?to=13125551212&campaign=OTHER")
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn fault_05_a_call_without_agent_gets_a_caller_id() {
    let service = Service::start(&[]).await;
    service.add(json!({"caller_id": "3125550100"})).await;
    service.add(json!({"caller_id": "3125550101"})).await;
    for path in [
        "/next-cid?to=13125551212",
        "/next-cid?to=13125551212&agent=&campaign=",
    ] {
        let answer = service.get(path).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(
            (&answer.json()["agent"], &answer.json()["campaign"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(answer.json()["rate_limit_remaining"], 999_999);
    }
}

#[tokio::test]
async fn fault_06_numbers_written_by_another_process_are_seen_without_a_restart() {
    let service = Service::start(&[]).await;
    let beside = open_beside(&service.storage()).await;
    let beside = beside.expect("the database");
    let number = Number::new(PhoneNumber::parse("3125550100").expect("a number"));
    beside
        .write_numbers(vec![number], OnDuplicate::Fail, &somebody())
        .await
        .expect("written");
    let seen = async {
        while service.get("/next-cid?to=13125551212").await.status != 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), seen)
        .await
        .expect("seen");
}

#[tokio::test]
async fn fault_06_after_a_restart_nothing_is_forgotten() {
    let service = Service::start(&[]).await;
    service.add(json!({"caller_id": "3125550100"})).await;
    let before = service.get("/next-cid?to=13125551212&call=V1").await.json();
    let service = Service::start_in(service.stop().await, &[]).await;
    assert_eq!(
        service.get("/next-cid?to=13125551212").await.json()["cause"],
        "reserved"
    );
    let again = service.get("/next-cid?to=13125551212&call=V1").await.json();
    assert_eq!(again["reservation_id"], before["reservation_id"]);
}

#[tokio::test]
async fn fault_07_a_forged_forwarding_header_opens_nothing() {
    let service = Service::start(&[("IP_WHITELIST", "10.0.0.1,127.0.0.1")]).await;
    for forged in ["10.0.0.1", "127.0.0.1", "10.0.0.1, 127.0.0.1"] {
        let call = service.ask("GET", "/api/v1/pools").from("203.0.113.9");
        let answer = call
            .header("x-forwarded-for", forged)
            .header("x-admin-token", crate::support::TOKEN)
            .send()
            .await;
        assert_eq!(
            (answer.status, answer.detail().as_str()),
            (403, "IP not allowed"),
            "{forged}"
        );
    }
}

#[test]
fn fault_07_the_secret_everybody_knows_is_refused_beyond_loopback() {
    let weak = |host| {
        let settings =
            serve_settings(&[("API_HOST", host), ("ADMIN_TOKEN", "change-me")]).expect("readable");
        settings.check().map_err(|error| error.to_string())
    };
    let error = weak("0.0.0.0").expect_err("refused");
    assert!(
        error.starts_with("ADMIN_TOKEN: ") && !error.contains("change-me"),
        "{error}"
    );
    assert_eq!(weak("127.0.0.1"), Ok(()));
}

#[tokio::test]
async fn fault_08_next_cid_is_closed_to_strangers() {
    let service = Service::start(&[]).await;
    let answer = service
        .ask("GET", "/next-cid?to=13125551212")
        .from("203.0.113.9")
        .send()
        .await;
    assert_eq!(answer.status, 401);
    let told = answer.detail();
    assert!(
        told.contains("DIALER_KEYS")
            && told.contains("DIALER_ALLOW")
            && told.contains("203.0.113.9"),
        "{told}"
    );
}

#[tokio::test]
async fn fault_13_the_hour_rolls_and_the_day_ends_at_local_midnight() {
    let mut settings = FAST.to_vec();
    settings.push(("TIMEZONE", "America/Chicago"));
    let service = Service::start(&settings).await;
    service
        .add(json!({"caller_id": "3125550100", "hourly_limit": 1, "daily_limit": 2}))
        .await;
    let next = async || service.get("/next-cid?to=13125551212").await;
    service
        .clock
        .set("2026-11-22T23:59:00Z".parse().expect("an instant"));
    assert_eq!(next().await.status, 200);
    service
        .clock
        .set("2026-11-23T00:01:00Z".parse().expect("an instant"));
    assert_eq!(
        next().await.json()["cause"],
        "hourly_limit",
        "the edge of an hour and of the UTC day frees nothing"
    );
    service
        .clock
        .set("2026-11-23T01:05:00Z".parse().expect("an instant"));
    assert_eq!(next().await.status, 200);
    service
        .clock
        .set("2026-11-23T03:00:00Z".parse().expect("an instant"));
    let full = next().await.json();
    assert_eq!(
        (&full["cause"], &full["earliest"]),
        (&json!("daily_limit"), &json!("2026-11-23T06:00:00.000000Z"))
    );
    service
        .clock
        .set("2026-11-23T06:00:00Z".parse().expect("an instant"));
    assert_eq!(next().await.status, 200);
}

#[tokio::test]
async fn fault_14_an_area_code_must_be_one_and_a_destination_must_be_there() {
    let service = Service::start(&[]).await;
    for code in ["111", "999", "12", "abc", "311"] {
        let body = json!({"caller_id": "3125550100", "area_code": code});
        let answer = service.admin("POST", "/add-number", &body).await;
        assert_eq!(
            (answer.status, answer.faulty_fields()),
            (422, vec!["area_code".to_owned()]),
            "{code}"
        );
    }
    let abroad = json!({"caller_id": "+442079460958", "area_code": "312"});
    assert_eq!(
        service
            .admin("POST", "/add-number", &abroad)
            .await
            .faulty_fields(),
        ["area_code"]
    );
    let abroad = service
        .admin(
            "POST",
            "/add-number",
            &json!({"caller_id": "+442079460958"}),
        )
        .await;
    assert_eq!(
        (&abroad.json()["area_code"], &abroad.json()["caller_id"]),
        (&Value::Null, &json!("442079460958"))
    );
    for path in ["/next-cid?to=", "/next-cid?to=%20", "/next-cid"] {
        assert_eq!(service.get(path).await.status, 422, "{path}");
    }
}

#[tokio::test]
async fn fault_15_a_new_number_is_free_at_once_and_may_have_no_limit() {
    let service = Service::start(&FAST).await;
    service.add(json!({"caller_id": "3125550100"})).await;
    service.get("/next-cid?to=13125551212").await;
    service.clock.advance_ms(1_000);
    let body = json!({"caller_id": "3125550101", "daily_limit": null, "hourly_limit": null});
    service.add(body).await;
    let next = service.get("/next-cid?to=13125551212").await.json();
    assert_eq!(next["caller_id"], "3125550101");
    assert_eq!(
        next["limits"],
        json!({"daily_limit": null, "hourly_limit": null})
    );
}

#[tokio::test]
async fn fault_16_a_404_does_not_use_up_the_limit_of_the_agent() {
    let service = Service::start(&[("AGENT_RATE_LIMIT_PER_MIN", "1")]).await;
    for _ in 0..3 {
        assert_eq!(
            service.get("/next-cid?to=13125551212&agent=1").await.status,
            404
        );
    }
    service.add(json!({"caller_id": "3125550100"})).await;
    assert_eq!(
        service.get("/next-cid?to=13125551212&agent=1").await.status,
        200
    );
}
