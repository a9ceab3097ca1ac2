//! What somebody did is found again, wherever it was done; and what a row or a body says is what is kept.

use serde_json::{Value, json};

use crate::support::{Answer, Service, TOKEN};

const NUMBER: &str = "/api/v1/numbers/+13125550100";
const MINUTE_MS: i64 = 60_000;

async fn import(service: &Service, query: &str, csv: &str) -> Answer {
    let path = format!("/api/v1/numbers/import?{query}");
    let call = service.ask("POST", &path).header("x-admin-token", TOKEN);
    let call = call.header("content-type", "text/csv");
    call.body(csv.to_owned()).send().await
}

async fn imported(service: &Service, query: &str, csv: &str) -> Value {
    let answer = import(service, query, csv).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

/// What was done to a thing, newest first.
async fn actions(service: &Service, subject: &str) -> Vec<String> {
    let page = service
        .see(&format!("/api/v1/audit?subject={subject}"))
        .await;
    assert_eq!(page["next"], Value::Null);
    let entries = page["entries"].as_array().expect("entries").iter();
    let action = |entry: &Value| entry["action"].as_str().map(str::to_owned);
    entries.filter_map(action).collect()
}

#[tokio::test]
async fn whoever_touched_a_number_is_found_also_among_many() {
    let service = Service::start(&[]).await;
    let rows = "number\n3125550100\n3125550101\n3125550102\n";
    imported(&service, "", rows).await;
    let other = json!({"number": "3125550109"});
    service.admin("POST", "/api/v1/numbers", &other).await;
    let patch = json!({"carrier": "Acme"});
    service.admin("PATCH", NUMBER, &patch).await;
    for change in [
        json!({"filter": {"carrier": "Acme"}, "change": {"status": "paused"}}),
        json!({"filter": {"begins": "1312555010"}, "delete": true}),
    ] {
        let answer = service.admin("POST", "/api/v1/numbers/bulk", &change).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let all = [
        "numbers.delete",
        "numbers.update",
        "number.update",
        "numbers.import",
    ];
    for subject in ["%2B13125550100", "3125550100"] {
        assert_eq!(actions(&service, subject).await, all, "{subject}");
    }
    let only = actions(&service, "%2B13125550101").await;
    assert_eq!(only, ["numbers.delete", "numbers.import"]);
    let only = actions(&service, "%2B13125550109").await;
    assert_eq!(only, ["numbers.delete", "number.create"]);
    let none = actions(&service, "%2B13125550108").await;
    assert!(none.is_empty(), "{none:?}");
    let first = service
        .see("/api/v1/audit?subject=%2B13125550100&action=numbers.&limit=1")
        .await;
    assert_eq!(first["entries"][0]["action"], "numbers.delete");
    let cursor = first["next"].as_str().expect("more");
    let path =
        format!("/api/v1/audit?subject=%2B13125550100&action=numbers.&limit=1&cursor={cursor}");
    assert_eq!(
        service.see(&path).await["entries"][0]["action"],
        "numbers.update"
    );
    let csv = service
        .admin(
            "GET",
            "/api/v1/audit.csv?subject=%2B13125550100",
            &Value::Null,
        )
        .await;
    assert_eq!(csv.body.lines().count(), 1 + all.len(), "{}", csv.body);
}

#[tokio::test]
async fn a_number_is_found_behind_many_changes_of_others() {
    let service = Service::start(&[]).await;
    service.add(json!({"caller_id": "3125550100"})).await;
    imported(&service, "", "number\n3125550101\n3125550102\n").await;
    for turn in 0..130 {
        let change =
            json!({"filter": {"begins": "13125550102"}, "change": {"carrier": format!("C{turn}")}});
        service.admin("POST", "/api/v1/numbers/bulk", &change).await;
    }
    assert_eq!(actions(&service, "%2B13125550100").await, ["number.create"]);
    assert_eq!(
        actions(&service, "%2B13125550101").await,
        ["numbers.import"]
    );
    assert_eq!(actions(&service, "%2B13125550107").await, [""; 0]);
}

#[tokio::test]
async fn a_person_who_ends_a_reservation_is_in_the_audit_log_and_a_dialer_is_not() {
    let service = Service::start(&[("CALLER_ID_COOLDOWN_SECONDS", "0")]).await;
    service.add(json!({"caller_id": "3125550100"})).await;
    let end = |id: &Value| format!("/api/v1/reservations/{}", id.as_str().expect("an id"));
    let taken = service.take("to=13125551212&campaign=SOLAR&agent=7").await;
    let released = service
        .ask("DELETE", &end(&taken["reservation_id"]))
        .send()
        .await;
    assert_eq!(released.json()["released"], true, "{}", released.body);
    assert_eq!(actions(&service, "%2B13125550100").await, ["number.create"]);
    service.clock.advance_ms(MINUTE_MS);
    let taken = service.take("to=13125551212&campaign=SOLAR&agent=7").await;
    service.stored().await;
    let path = end(&taken["reservation_id"]);
    for (released, entries) in [(true, 2), (false, 2)] {
        let answer = service.admin("DELETE", &path, &Value::Null).await;
        assert_eq!(answer.json()["released"], released, "{}", answer.body);
        assert_eq!(actions(&service, "%2B13125550100").await.len(), entries);
    }
    let page = service
        .see("/api/v1/audit?action=reservation.&limit=1")
        .await;
    let entry = &page["entries"][0];
    assert_eq!(entry["subject"], taken["reservation_id"]);
    let before = &entry["before"];
    assert_eq!(before["caller_id"], "+13125550100");
    assert_eq!(
        (&before["campaign"], &before["agent"]),
        (&json!("SOLAR"), &json!("7"))
    );
    assert!(entry["after"]["ended_at"].is_string(), "{entry}");
}

#[tokio::test]
async fn pools_that_rows_make_are_told_and_in_the_audit_log() {
    let service = Service::start(&[]).await;
    let rows =
        "number,pool\n3125550100,east\n3125550101,east\n3125550102,west\nbad,north\n3125550103,\n";
    for (query, made) in [
        ("dry_run=true", json!(["east", "west"])),
        ("", json!(["east", "west"])),
        ("on_duplicate=update", json!([])),
    ] {
        assert_eq!(
            imported(&service, query, rows).await["new_pools"],
            made,
            "{query}"
        );
    }
    for pool in ["east", "west"] {
        assert_eq!(actions(&service, pool).await, ["pool.create"], "{pool}");
    }
    let number = json!({"number": "3125550104", "pool": "south"});
    let added = service.admin("POST", "/api/v1/numbers", &number).await;
    assert_eq!(added.status, 201, "{}", added.body);
    assert_eq!(actions(&service, "south").await, ["pool.create"]);
    let walk = service.see("/api/v1/audit?action=pool.&limit=10").await;
    let author = &walk["entries"][0]["author_kind"];
    assert_eq!(author, "token");
}

#[tokio::test]
async fn what_is_kept_with_a_number_is_limited_wherever_it_comes_from() {
    let service = Service::start(&[]).await;
    let meta = |bytes: usize| json!({"note": "x".repeat(bytes - r#"{"note":""}"#.len())});
    service
        .add(json!({"caller_id": "3125550100", "meta": meta(4_096)}))
        .await;
    let large = meta(4_097);
    for (method, path, body) in [
        ("PATCH", NUMBER, json!({"meta": large})),
        (
            "POST",
            "/api/v1/numbers",
            json!({"number": "3125550101", "meta": large}),
        ),
        (
            "POST",
            "/add-number",
            json!({"caller_id": "3125550101", "meta": large}),
        ),
    ] {
        let answer = service.admin(method, path, &body).await;
        assert_eq!(answer.status, 422, "{path}: {}", answer.body);
        assert_eq!(answer.faulty_fields(), ["meta"], "{path}");
        assert!(
            answer.body.contains("at most 4096 expected"),
            "{}",
            answer.body
        );
    }
    let cell = large.to_string().replace('"', "\"\"");
    let told = imported(
        &service,
        "",
        &format!("number,meta\n3125550101,\"{cell}\"\n3125550102,\n"),
    )
    .await;
    assert_eq!((&told["added"], &told["failed"]), (&json!(1), &json!(1)));
    assert_eq!(told["errors"][0]["line"], 2, "{told}");
}

#[tokio::test]
async fn an_empty_cell_of_what_is_never_empty_leaves_a_number_as_it_is() {
    let service = Service::start(&[]).await;
    let first = "number,status,pool,daily_limit,hourly_limit,carrier\n\
        3125550100,retired,east,7,3,Acme\n3125550101,paused,west,none,none,Acme\n";
    imported(&service, "", first).await;
    let empty = "number,status,pool,daily_limit,hourly_limit,carrier\n\
        3125550100,,,,,\n3125550101,,west,9,,Bell\n3125550102,,,,,\n";
    let told = imported(&service, "on_duplicate=update", empty).await;
    assert_eq!(
        (&told["updated"], &told["added"]),
        (&json!(2), &json!(1)),
        "{told}"
    );
    let list = service.see("/api/v1/numbers").await;
    let rows = list["numbers"].as_array().expect("a list").iter();
    let shown = rows.map(|row| {
        json!([
            row["status"],
            row["pool"],
            row["daily_limit"],
            row["hourly_limit"],
            row["carrier"]
        ])
    });
    let shown: Vec<_> = shown.collect();
    assert_eq!(shown[0], json!(["retired", "east", 7, 3, null]));
    assert_eq!(shown[1], json!(["paused", "west", 9, null, "Bell"]));
    assert_eq!(
        (&shown[2][0], &shown[2][1]),
        (&json!("active"), &json!("default"))
    );
}

#[tokio::test]
async fn a_rest_that_is_over_is_none_and_none_can_be_set() {
    let service = Service::start(&[]).await;
    service.add(json!({"caller_id": "3125550100"})).await;
    service.add(json!({"caller_id": "3125550101"})).await;
    let rest = json!({"minutes": 10});
    service
        .admin("POST", &format!("{NUMBER}/rest"), &rest)
        .await;
    let file = service
        .admin("GET", "/api/v1/numbers/export", &Value::Null)
        .await;
    assert!(file.body.contains("resting:"), "{}", file.body);
    for (minutes, status, active) in [(9, "resting", 1), (1, "active", 2)] {
        service.clock.advance_ms(minutes * MINUTE_MS);
        let shown = service.see(NUMBER).await;
        assert_eq!(shown["status"], status);
        assert_eq!(shown["resting_until"].is_null(), active == 2);
        let path = "/api/v1/numbers?status=active&count=true";
        let list = service.see(path).await;
        assert_eq!(list["total"], active, "{list}");
        assert_eq!(list["numbers"].as_array().map(Vec::len), Some(active));
        let pool = service.see("/api/v1/pools/default").await;
        assert_eq!(pool["numbers"]["active"], active, "{pool}");
        assert_eq!(pool["numbers"]["resting"], 2 - active, "{pool}");
    }
    let later = service
        .admin("GET", "/api/v1/numbers/export", &Value::Null)
        .await;
    assert!(!later.body.contains("resting"), "{}", later.body);
    // What was exported during the rest is taken for what it is now.
    let told = imported(&service, "on_duplicate=update", &file.body).await;
    assert_eq!(told["failed"], 0, "{told}");
    assert_eq!(service.see(NUMBER).await["status"], "active");
    let over = json!({"status": "resting", "resting_until": "2026-11-22T12:00:00Z"});
    let alone = json!({"resting_until": "2026-11-22T12:00:00Z"});
    let bulk = json!({"all": true, "change": over});
    let new = json!({"number": "3125550107", "status": "resting", "resting_until": "2026-11-22T12:00:00Z"});
    let former = json!({"caller_id": "3125550107", "status": "resting:2026-11-22T12:00:00Z"});
    for (method, path, body) in [
        ("PATCH", NUMBER, &over),
        ("PATCH", NUMBER, &alone),
        ("POST", "/api/v1/numbers", &new),
        ("POST", "/api/v1/numbers/bulk", &bulk),
        ("POST", "/add-number", &former),
    ] {
        let answer = service.admin(method, path, body).await;
        assert_eq!(answer.status, 422, "{path}: {}", answer.body);
        assert!(answer.body.contains("still to come"), "{}", answer.body);
    }
}
