//! Many numbers at once: changes by filter, imports as jobs, exports that import again to the same state.

use std::fmt::Write;
use std::time::Duration;

use axum::body::Body;
use caller_id_core::Role;
use serde_json::{Value, json};

use crate::support::{Answer, Service, TOKEN};

const BULK: &str = "/api/v1/numbers/bulk";
const IMPORT: &str = "/api/v1/numbers/import";
const CSV: &str = "text/csv";
const NDJSON: &str = "application/x-ndjson";

async fn import(service: &Service, query: &str, kind: &str, body: impl Into<Body>) -> Answer {
    let call = service.ask("POST", &format!("{IMPORT}{query}"));
    let call = call.header("x-admin-token", TOKEN);
    call.header("content-type", kind).body(body).send().await
}

async fn export(service: &Service, query: &str) -> String {
    let path = format!("/api/v1/numbers/export?{query}");
    let answer = service.admin("GET", &path, &Value::Null).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

fn csv(rows: usize) -> String {
    let mut file = "caller_id,carrier,pool\n".to_owned();
    for row in 0..rows {
        let _ = writeln!(file, "312{:07},C{},default", 2_000_000 + row, row % 3);
    }
    file
}

async fn ended(service: &Service, job: &Answer) -> Value {
    assert_eq!(job.status, 202, "{}", job.body);
    let place = job.header("location").to_owned();
    for _ in 0..1_200 {
        let shown = service.admin("GET", &place, &Value::Null).await.json();
        if shown["state"] != "running" {
            return shown;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the job does not end");
}

async fn bulk(service: &Service, body: Value) -> Value {
    let answer = service.admin("POST", BULK, &body).await;
    assert_eq!(answer.status, 200, "{body}: {}", answer.body);
    answer.json()
}

#[tokio::test]
async fn a_dry_run_tells_what_the_change_then_does() {
    let service = Service::start(&[]).await;
    import(&service, "", CSV, csv(2_500)).await;
    for (number, change) in [("3122000000", "pause"), ("3122000003", "pause")] {
        let path = format!("/api/v1/numbers/{number}/{change}");
        service.admin("POST", &path, &Value::Null).await;
    }
    let mut body =
        json!({"filter": {"carrier": "C0"}, "change": {"status": "paused"}, "dry_run": true});
    let told = bulk(&service, body.clone()).await;
    assert_eq!(
        (&told["matched"], &told["changed"]),
        (&json!(834), &json!(832))
    );
    let first = told["first"].as_array().expect("rows");
    assert_eq!(first.len(), 20);
    assert_eq!(first[0]["before"]["number"], "+13122000006");
    assert_eq!(
        (&first[0]["before"]["status"], &first[0]["after"]["status"]),
        (&json!("active"), &json!("paused"))
    );
    body["dry_run"] = json!(false);
    let done = bulk(&service, body.clone()).await;
    assert_eq!(
        (&done["matched"], &done["changed"]),
        (&told["matched"], &told["changed"])
    );
    assert_eq!(bulk(&service, body).await["changed"], 0);
    let list = service.admin(
        "GET",
        "/api/v1/numbers?status=paused&count=true&limit=1",
        &Value::Null,
    );
    assert_eq!(list.await.json()["total"], 834);
}

#[tokio::test]
async fn a_change_that_takes_numbers_out_of_its_own_filter_changes_all_of_them() {
    let service = Service::start(&[]).await;
    import(&service, "", CSV, csv(3_100)).await;
    let change = json!({"filter": {"status": ["active"], "region": "IL"}, "change": {"status": "paused", "daily_limit": null}});
    assert_eq!(bulk(&service, change).await["changed"], 3_100);
    assert_eq!(service.get("/next-cid?to=13125551212").await.status, 404);
    let delete = json!({"all": true, "delete": true});
    assert_eq!(bulk(&service, delete).await["changed"], 3_100);
    assert_eq!(export(&service, "").await.lines().count(), 1);
}

#[tokio::test]
async fn it_must_be_said_which_numbers_and_what() {
    let service = Service::start(&[]).await;
    import(&service, "", CSV, csv(3)).await;
    for body in [
        json!({}),
        json!({"change": {"status": "paused"}}),
        json!({"filter": {}, "change": {"status": "paused"}}),
        json!({"filter": {"pool": []}, "change": {"status": "paused"}}),
        json!({"filter": {"no_carrier": false}, "change": {"status": "paused"}}),
        json!({"filter": {"pol": "default"}, "change": {"status": "paused"}}),
        json!({"filter": {"pool": "default"}, "all": true, "change": {"status": "paused"}}),
        json!({"all": "yes", "change": {"status": "paused"}}),
        json!({"all": true}),
        json!({"all": true, "change": {}}),
        json!({"all": true, "change": {"status": "paused"}, "delete": true}),
        json!({"all": true, "change": {"stauts": "paused"}}),
        json!({"all": true, "change": {"area_code": "312"}}),
        json!({"all": true, "change": {"pool": "nowhere"}}),
        json!({"all": true, "change": {"pool": "nowhere"}, "dry_run": true}),
        json!({"all": true, "change": {"status": "paused"}, "dryrun": true}),
    ] {
        let answer = service.admin("POST", BULK, &body).await;
        assert_eq!(answer.status, 422, "{body}: {}", answer.body);
    }
    let active = service.admin(
        "GET",
        "/api/v1/numbers?status=active&count=true",
        &Value::Null,
    );
    assert_eq!(active.await.json()["total"], 3);
}

#[tokio::test]
async fn operators_change_many_and_only_admins_delete_them() {
    let service = Service::start(&[]).await;
    import(&service, "", CSV, csv(3)).await;
    let (key, _) = service.key(|key| key.role = Role::Operator).await;
    let ask = async |body: Value| {
        let call = service.ask("POST", BULK).header("x-api-key", &key);
        call.json(&body).send().await.status
    };
    assert_eq!(
        ask(json!({"all": true, "change": {"carrier": null}})).await,
        200
    );
    assert_eq!(ask(json!({"all": true, "delete": true})).await, 403);
    assert_eq!(
        ask(json!({"all": true, "delete": true, "dry_run": true})).await,
        403
    );
}

#[tokio::test]
async fn twenty_thousand_rows_come_in_by_a_job_that_tells_how_far_it_is() {
    let service = Service::start(&[]).await;
    let mut file = csv(20_000);
    file.push_str("555,x,default\n3122000000,again,default\n");
    let begun = import(&service, "?job=true", CSV, file.clone()).await;
    let job = ended(&service, &begun).await;
    assert_eq!(
        (&job["state"], &job["kind"], &job["problem"]),
        (&json!("done"), &json!("import"), &Value::Null)
    );
    let told = &job["import"];
    assert_eq!(
        [
            &told["rows"],
            &told["added"],
            &told["updated"],
            &told["skipped"],
            &told["failed"]
        ],
        [20_002, 20_000, 0, 1, 1]
    );
    assert_eq!(told["bytes"], file.len());
    assert_eq!(told["errors"][0]["line"], 20_002);
    assert_eq!(service.get("/next-cid?to=13125551212").await.status, 200);
    let jobs = service
        .admin("GET", "/api/v1/jobs", &Value::Null)
        .await
        .json();
    assert_eq!(jobs["jobs"][0]["id"], job["id"]);

    let begun = service
        .admin(
            "POST",
            BULK,
            &json!({"all": true, "change": {"carrier": "Z"}}),
        )
        .await;
    let job = ended(&service, &begun).await;
    assert_eq!(
        job["bulk"],
        json!({"total": 20_000, "matched": 20_000, "changed": 20_000})
    );
    let begun = service
        .admin(
            "POST",
            BULK,
            &json!({"all": true, "delete": true, "dry_run": true}),
        )
        .await;
    let job = ended(&service, &begun).await;
    assert_eq!(
        (&job["dry_run"], &job["bulk"]["changed"]),
        (&json!(true), &json!(20_000))
    );
}

#[tokio::test]
async fn a_job_is_cancelled_and_what_it_wrote_stays_and_is_told() {
    let service = Service::start(&[]).await;
    let (send, body) = tokio::sync::mpsc::channel::<Result<String, std::io::Error>>(1);
    let stream = futures_util::stream::unfold(body, async |mut body| {
        body.recv().await.map(|piece| (piece, body))
    });
    let importing = import(&service, "?job=true", CSV, Body::from_stream(stream));
    let sending = async {
        // More than is awaited before the answer.
        let _ = send.send(Ok(csv(10))).await;
        let filler = format!("{},,\n", "5".repeat(900)).repeat(1_300);
        for _ in 0..8 {
            let _ = send.send(Ok(filler.clone())).await;
        }
    };
    let (begun, ()) = tokio::join!(importing, sending);
    let place = begun.header("location").to_owned();
    for _ in 0..1_200 {
        let shown = service.admin("GET", &place, &Value::Null).await.json();
        assert_eq!(shown["state"], "running");
        if shown["import"]["added"] == 10 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(
        service.admin("DELETE", &place, &Value::Null).await.status,
        200
    );
    let job = ended(&service, &begun).await;
    assert_eq!(job["state"], "cancelled", "{}", job["problem"]);
    assert_eq!(job["import"]["added"], 10);
    assert_eq!(service.get("/next-cid?to=13125551212").await.status, 200);
    drop(send);
    let nowhere = "/api/v1/jobs/6f1f3c1e-0000-4000-8000-000000000000";
    for path in ["/api/v1/jobs/x", nowhere] {
        assert_eq!(service.admin("GET", path, &Value::Null).await.status, 404);
    }
}

#[tokio::test]
async fn a_job_whose_file_is_none_failed_and_says_why() {
    let service = Service::start(&[]).await;
    let begun = import(&service, "?job=true", CSV, "a,b\n1,2\n").await;
    let job = ended(&service, &begun).await;
    assert_eq!(job["state"], "failed");
    let problem = job["problem"].as_str().expect("a text");
    assert!(problem.contains("caller_id"), "{problem}");
    assert_eq!(
        import(&service, "?job=maybe", CSV, csv(1)).await.status,
        422
    );
}

/// All that a number can have, and what spreadsheets and shells would run.
const NUMBERS: &str = concat!(
    r#"{"number":"+13125550100","carrier":"=HYPERLINK(\"http://x\",1)","area_code":"773","daily_limit":null,"hourly_limit":30,"pool":"solar, \"west\"","attestation":"A","meta":{"note":"two\nlines, ünïcödé","f":"=1+1","n":[1,2.5,null],"z":"\u0000"}}"#,
    "\n",
    r#"{"number":"+13125550101","carrier":null,"daily_limit":500,"hourly_limit":null,"status":"paused","meta":{}}"#,
    "\n",
    r#"{"number":"+13125550102","carrier":"漢字 🎈","status":"resting","resting_until":"2027-11-22T07:47:40.052Z"}"#,
    "\n",
    r#"{"number":"+13125550103","carrier":"@carrier;x","daily_limit":1,"hourly_limit":1,"status":"retired"}"#,
    "\n",
    r#"{"number":"+442079460958","carrier":"-1; DROP TABLE numbers","pool":"uk"}"#,
    "\n",
);

#[tokio::test]
async fn what_is_exported_imports_to_the_same_state_in_either_form() {
    let first = Service::start(&[]).await;
    let taken = import(&first, "", NDJSON, NUMBERS).await;
    assert_eq!(taken.json()["added"], 5, "{}", taken.body);
    let (as_csv, as_ndjson) = (
        export(&first, "format=csv").await,
        export(&first, "format=ndjson").await,
    );
    assert!(
        as_csv.contains("resting:2027-11-22T07:47:40.052000Z"),
        "{as_csv}"
    );
    for (kind, file) in [(CSV, &as_csv), (NDJSON, &as_ndjson)] {
        let second = Service::start(&[]).await;
        let taken = import(&second, "", kind, file.clone()).await.json();
        assert_eq!(
            (&taken["added"], &taken["failed"]),
            (&json!(5), &json!(0)),
            "{taken}"
        );
        assert_eq!(taken["unknown_columns"], json!([]));
        assert_eq!(export(&second, "format=csv").await, as_csv);
        assert_eq!(export(&second, "format=ndjson").await, as_ndjson);
    }
    let some = export(&first, "format=csv&status=paused,retired").await;
    assert_eq!(some.lines().count(), 3);
    let bad = first
        .admin("GET", "/api/v1/numbers/export?format=xls", &Value::Null)
        .await;
    assert_eq!(bad.status, 422);
}

#[tokio::test]
async fn an_export_of_many_pages_is_whole() {
    let service = Service::start(&[]).await;
    import(&service, "", CSV, csv(4_000)).await;
    let file = export(&service, "format=ndjson").await;
    assert_eq!(file.lines().count(), 4_000);
    assert!(file.lines().is_sorted());
}

#[tokio::test]
async fn lines_of_ndjson_update_the_fields_that_they_have() {
    let service = Service::start(&[]).await;
    import(&service, "", NDJSON, NUMBERS).await;
    let changes = concat!(
        "{\"did\": 13125550100, \"daily_limit\": 9}\n\n",
        "{\"caller_id\": \"312-555-0101\", \"carrier\": \"B\", \"live\": {}}\r\n",
        "[1]\n{\"number\":\n{\"carrier\": \"x\"}\n{\"number\": \"3125550100\", \"did\": \"3125550100\"}\n",
        "{\"number\": \"3125550102\", \"daily_limit\": true}\n",
        "{\"number\": \"3125550102\", \"status\": \"active\", \"resting_until\": \"2027-01-01T00:00:00Z\"}\n",
        "{\"number\": \"3125550102\", \"meta\": {\"n\": 123456789012345678901}}\n",
        "{\"number\": \"3125550102\", \"carrier\": \"a\\u0000b\"}",
    );
    let taken = import(&service, "?on_duplicate=update", NDJSON, changes)
        .await
        .json();
    assert_eq!(
        (&taken["updated"], &taken["failed"], &taken["rows"]),
        (&json!(2), &json!(8), &json!(10)),
        "{taken}"
    );
    assert_eq!(taken["unknown_columns"], json!(["live"]));
    let lines = taken["errors"].as_array().expect("errors").iter();
    let lines: Vec<_> = lines.map(|row| row["line"].clone()).collect();
    assert_eq!(lines, [4, 5, 6, 7, 8, 9, 10, 11]);
    let read = async |number: &str| {
        let path = format!("/api/v1/numbers/{number}");
        service.admin("GET", &path, &Value::Null).await.json()
    };
    let one = read("3125550100").await;
    assert_eq!(
        (&one["daily_limit"], &one["hourly_limit"], &one["area_code"]),
        (&json!(9), &json!(30), &json!("773"))
    );
    let other = read("3125550101").await;
    assert_eq!(
        (&other["carrier"], &other["status"]),
        (&json!("B"), &json!("paused"))
    );
    let empty = import(&service, "", NDJSON, "").await;
    assert_eq!(
        (empty.status, empty.json()["rows"].as_u64()),
        (200, Some(0))
    );
}
