//! The history of allocations, as JSON and as CSV.

use serde_json::{Value, json};

use crate::support::{Answer, Service, TOKEN};

async fn stocked() -> Service {
    let service = Service::start(&[("CALLER_ID_COOLDOWN_SECONDS", "0")]).await;
    let number = json!({"caller_id": "3125550100", "carrier": "Acme, Inc", "attestation": "A"});
    service.add(number).await;
    service
}

/// A call that ends at once.
async fn call(service: &Service, query: &str, call: &str, how: &str) -> Value {
    let taken = service.take(&format!("{query}&call={call}")).await;
    let path = format!("/call-result?call={call}&{how}");
    assert_eq!(service.get(&path).await.status, 200);
    service.clock.advance_ms(1_000);
    taken
}

fn calls(page: &Value) -> Vec<&str> {
    let list = page["allocations"].as_array().expect("a list").iter();
    list.map(|one| one["call_id"].as_str().expect("a text"))
        .collect()
}

async fn refused(service: &Service, path: &str) -> Answer {
    service.admin("GET", path, &Value::Null).await
}

#[tokio::test]
async fn an_allocation_is_listed_with_how_it_ended() {
    let service = stocked().await;
    let taken = call(
        &service,
        "to=12125551212&campaign=SOLAR&agent=1001",
        "V1",
        "dialstatus=ANSWER&answered_seconds=52&dialed_seconds=70&hangup_cause=16&sip_code=200",
    )
    .await;
    service.stored().await;
    let expected = json!({
        "id": taken["reservation_id"], "at": "2026-11-22T12:00:00.000000Z", "caller_id": "+13125550100",
        "destination": "+12125551212", "campaign": "SOLAR", "agent": "1001", "call_id": "V1", "pool": "default",
        "rung": "any", "reserved_until": taken["expires_at"], "state": "released",
        "ended_at": "2026-11-22T12:00:00.000000Z", "status": "ANSWER", "reported_at": "2026-11-22T12:00:00.000000Z",
        "answered_seconds": 52, "dialed_seconds": 70, "hangup_cause": 16, "sip_code": 200,
    });
    let page = service.see("/api/v1/allocations").await;
    assert_eq!(page, json!({"allocations": [expected], "next": null}));
    let id = taken["reservation_id"].as_str().expect("an id");
    let one = service.see(&format!("/api/v1/allocations/{id}")).await;
    assert_eq!(one, page["allocations"][0]);
}

#[tokio::test]
async fn a_reservation_lives_and_then_runs_out_with_nothing_said() {
    let service = stocked().await;
    let taken = service.take("to=12125551212").await;
    service.stored().await;
    let id = taken["reservation_id"].as_str().expect("an id");
    let path = format!("/api/v1/allocations/{id}");
    let one = service.see(&path).await;
    assert_eq!(
        (&one["state"], &one["status"]),
        (&json!("reserved"), &Value::Null)
    );
    service.clock.advance_ms(300_000);
    let one = service.see(&path).await;
    assert_eq!(
        (&one["state"], &one["ended_at"]),
        (&json!("expired"), &Value::Null)
    );
}

#[tokio::test]
async fn an_allocation_that_never_was_is_404_and_no_id_is_422() {
    let service = stocked().await;
    let taken = service.take("to=12125551212").await;
    service.stored().await;
    let id = taken["reservation_id"].as_str().expect("an id");
    let near = format!(
        "{}{}",
        &id[..id.len() - 1],
        if id.ends_with('0') { '1' } else { '0' }
    );
    for never in [
        near.as_str(),
        "00000000-0000-7000-8000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
    ] {
        let answer = refused(&service, &format!("/api/v1/allocations/{never}")).await;
        assert_eq!(answer.status, 404, "{never}");
    }
    assert_eq!(refused(&service, "/api/v1/allocations/x").await.status, 422);
}

#[tokio::test]
async fn each_filter_leaves_what_was_asked_for() {
    let service = stocked().await;
    call(
        &service,
        "to=12125551212&campaign=SOLAR&agent=1001",
        "V1",
        "",
    )
    .await;
    service.clock.advance_ms(24 * 3_600_000);
    call(
        &service,
        "to=13105551212&campaign=ROOFS&agent=1002",
        "V2",
        "",
    )
    .await;
    service.stored().await;
    for (filter, left) in [
        ("number=3125550100", vec!["V2", "V1"]),
        ("number=3125550199", vec![]),
        ("destination=2125551212", vec!["V1"]),
        ("campaign=ROOFS", vec!["V2"]),
        ("agent=1001", vec!["V1"]),
        ("call_id=V2", vec!["V2"]),
        ("pool=other", vec![]),
        ("since=0001-01-01&until=9000-01-01", vec!["V2", "V1"]),
        ("since=9000-01-01", vec![]),
        ("since=2026-11-23", vec!["V2"]),
        ("until=2026-11-22", vec!["V1"]),
        ("since=2026-11-22&until=2026-11-23", vec!["V2", "V1"]),
        ("until=2026-11-22T12:00:00Z", vec![]),
        (
            "since=2026-11-22T12:00:00Z&until=2026-11-22T12:00:00.001Z",
            vec!["V1"],
        ),
        ("until=2026-11-22&time_zone=Pacific/Kiritimati", vec![]),
        ("until=2026-11-23&time_zone=Pacific/Kiritimati", vec!["V1"]),
    ] {
        let page = service.see(&format!("/api/v1/allocations?{filter}")).await;
        assert_eq!(calls(&page), left, "{filter}");
    }
}

#[tokio::test]
async fn pages_follow_one_another_while_new_calls_come() {
    let service = stocked().await;
    for n in 0..7 {
        call(&service, "to=12125551212", &format!("V{n}"), "").await;
    }
    service.stored().await;
    let mut found = Vec::new();
    let mut path = "/api/v1/allocations?number=3125550100&limit=2".to_owned();
    for new in 7..20 {
        let page = service.see(&path).await;
        found.extend(calls(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/api/v1/allocations?cursor={next}&limit=2&number=3125550100");
        call(&service, "to=12125551212", &format!("V{new}"), "").await;
        service.stored().await;
    }
    assert_eq!(found, ["V6", "V5", "V4", "V3", "V2", "V1", "V0"]);
}

#[tokio::test]
async fn what_cannot_be_understood_is_named() {
    let service = stocked().await;
    for (query, field) in [
        ("format=xml", "format"),
        ("since=yesterday", "since"),
        ("since=2026-11-23&until=2026-11-21", "until"),
        ("time_zone=Mars/Base", "time_zone"),
        ("limit=1001", "limit"),
        ("to=13125551212", "to"),
    ] {
        let answer = refused(&service, &format!("/api/v1/allocations?{query}")).await;
        assert_eq!(
            (answer.status, answer.faulty_fields()),
            (422, vec![field.to_owned()])
        );
    }
    let answer = refused(&service, "/api/v1/allocations.csv?limit=1").await;
    assert_eq!(answer.status, 422, "an export has no pages");
}

#[tokio::test]
async fn a_carrier_gets_what_it_asks_for_and_no_cell_is_a_formula() {
    let service = stocked().await;
    let query =
        "to=12125551212&campaign=%3Dcmd%7C%27%20%2FC%20calc%27!A0&agent=%40SUM(1%2C%22x%22)";
    let taken = call(
        &service,
        query,
        "-1%2B1",
        "dialstatus=ANSWER&answered_seconds=52&dialed_seconds=70&hangup_cause=16&sip_code=200",
    )
    .await;
    service.stored().await;
    let id = taken["reservation_id"].as_str().expect("an id");
    let line = format!(
        "2026-11-22T12:00:00.000000Z,+13125550100,+12125551212,\"'-1+1\",\"'=cmd|' /C calc'!A0\",\"'@SUM(1,\"\"x\"\")\",\
         ANSWER,52,70,16,200,A,\"Acme, Inc\",default,any,2026-11-22T12:00:00.000000Z,{id}\n"
    );
    let header = "called_at,calling_number,called_number,call_id,campaign,agent,status,answered_seconds,dialed_seconds,\
                  hangup_cause,sip_code,attestation,carrier,pool,rung,ended_at,allocation_id\n";
    let ask = |path| service.ask("GET", path).header("x-admin-token", TOKEN);
    for asked in [
        ask("/api/v1/allocations.csv"),
        ask("/api/v1/allocations?format=csv&limit=1"),
        ask("/api/v1/allocations").header("accept", "text/csv;q=1, */*"),
    ] {
        let answer = asked.send().await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
        assert_eq!(
            answer.header("content-disposition"),
            "attachment; filename=\"allocations.csv\""
        );
        assert_eq!(answer.body, format!("{header}{line}"));
    }
    let none = ask("/api/v1/allocations.csv?campaign=ROOFS").send().await;
    assert_eq!(none.body, header);
}

#[tokio::test]
async fn an_export_of_several_pages_has_every_call_once() {
    const CALLS: usize = 1_203;
    let service = stocked().await;
    for n in 0..CALLS {
        service.take(&format!("to=12125551212&call=V{n}")).await;
        service.clock.advance_ms(300_000);
    }
    service.stored().await;
    let export = refused(&service, "/api/v1/allocations.csv?number=3125550100").await;
    let lines = export.body.lines().skip(1);
    let found: Vec<_> = lines
        .map(|line| line.split(',').nth(3).expect("a call id").to_owned())
        .collect();
    let expected: Vec<_> = (0..CALLS).rev().map(|n| format!("V{n}")).collect();
    assert!(found == expected, "{} lines", found.len());
}
