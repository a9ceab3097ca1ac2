//! Imports through the API, as its users see them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "import/files.rs"]
mod files;
#[path = "import/service.rs"]
mod service;

use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode};
use futures_util::stream;
use serde_json::{Value, json};

use files::{csv, gzip};
use service::{Service, TOKEN};

fn post(query: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(format!("/api/v1/numbers/import{query}"))
        .header("x-admin-token", TOKEN)
        .header("content-type", "text/csv")
        .body(body.into())
        .unwrap()
}

/// The five counts of an answer: added, updated, skipped, failed, rows.
fn counts(answer: &Value) -> [u64; 5] {
    ["added", "updated", "skipped", "failed", "rows"]
        .map(|name| answer[name].as_u64().unwrap_or(u64::MAX))
}

#[tokio::test]
async fn numbers_take_calls_as_soon_as_the_import_is_answered() {
    let service = Service::open(&[]).await;
    let (status, answer) = service.ask(post("", csv(3))).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(counts(&answer), [3, 0, 0, 0, 3]);
    assert_eq!(answer["dry_run"], json!(false));
    let request = Request::get("/next-cid?to=13125551212")
        .body(Body::empty())
        .unwrap();
    let (status, answer) = service.ask(request).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer["area_code"], "312");
}

#[tokio::test]
async fn bad_rows_are_told_by_line_and_do_not_hinder_the_others() {
    let service = Service::open(&[]).await;
    let file =
        "Caller ID;hourly_limit;note\n3125550100;;x\n555;5;x\n3125550101;0;x\n3125550100;;x\n";
    let (status, answer) = service.ask(post("", file)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(counts(&answer), [1, 0, 1, 2, 4]);
    assert_eq!(answer["unknown_columns"], json!(["note"]));
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!(errors[0]["line"], 3);
    assert_eq!(errors[0]["caller_id"], "555");
    assert!(
        errors[0]["reason"]
            .as_str()
            .unwrap()
            .contains("has 3 digits")
    );
    assert_eq!(errors[1]["line"], 4);
    assert!(
        errors[1]["reason"]
            .as_str()
            .unwrap()
            .starts_with("hourly_limit `0` is no limit")
    );
}

#[tokio::test]
async fn numbers_that_are_there_are_skipped_updated_or_refused() {
    let service = Service::open(&[]).await;
    let file = "caller_id,carrier\n3125550100,a\n";
    assert_eq!(
        counts(&service.ask(post("", file)).await.1),
        [1, 0, 0, 0, 1]
    );
    let again = "caller_id,carrier\n3125550100,b\n3125550101,b\n";
    assert_eq!(
        counts(&service.ask(post("?on_duplicate=skip", again)).await.1),
        [1, 0, 1, 0, 2]
    );
    assert_eq!(
        counts(&service.ask(post("?on_duplicate=update", again)).await.1),
        [0, 2, 0, 0, 2]
    );
    let (_, refused) = service.ask(post("?on_duplicate=fail", again)).await;
    assert_eq!(counts(&refused), [0, 0, 0, 2, 2]);
    assert_eq!(refused["errors"][1]["line"], 3);
    assert!(
        refused["errors"][1]["reason"]
            .as_str()
            .unwrap()
            .contains("exists already")
    );
}

#[tokio::test]
async fn a_dry_run_tells_the_same_and_writes_nothing() {
    let service = Service::open(&[]).await;
    let file = "caller_id\n3125550100\n3125550100\n555\n";
    for _ in 0..2 {
        let (_, answer) = service.ask(post("?dry_run=true", file)).await;
        assert_eq!(counts(&answer), [1, 0, 1, 1, 3]);
        assert_eq!(answer["dry_run"], json!(true));
    }
    assert_eq!(
        counts(&service.ask(post("", file)).await.1),
        [1, 0, 1, 1, 3]
    );
}

#[tokio::test]
async fn a_dry_run_of_many_rows_tells_the_same_as_the_import() {
    let service = Service::open(&[]).await;
    let all = csv(30_000);
    let last: Vec<&str> = all.lines().skip(25_001).collect();
    let last = format!(
        "caller_id,carrier,area_code,daily_limit,hourly_limit\n{}",
        last.join("\n")
    );
    service.ask(post("", last)).await;
    let (_, foreseen) = service.ask(post("?dry_run=true", all)).await;
    assert_eq!(counts(&foreseen), [25_000, 0, 5_000, 0, 30_000]);
    let (_, happened) = service.ask(post("", csv(30_000))).await;
    assert_eq!(counts(&happened), counts(&foreseen));
}

#[tokio::test]
async fn a_packed_body_is_unpacked_whatever_its_headers_say() {
    let service = Service::open(&[]).await;
    let (_, answer) = service.ask(post("", gzip(&csv(5_000)))).await;
    assert_eq!(counts(&answer), [5_000, 0, 0, 0, 5_000]);
    let mut request = post("", gzip(&csv(5_001)));
    let headers = request.headers_mut();
    headers.insert("content-encoding", "gzip".parse().unwrap());
    headers.insert("content-type", "application/gzip".parse().unwrap());
    assert_eq!(
        counts(&service.ask(request).await.1),
        [1, 0, 5_000, 0, 5_001]
    );
}

#[tokio::test]
async fn what_is_no_list_of_numbers_is_a_clear_4xx() {
    let service = Service::open(&[]).await;
    let cases: [(&[u8], &str); 6] = [
        (b"", "the file is empty"),
        (
            b"\x1f\x8bthis is no gzip at all",
            "the gzip data is damaged",
        ),
        (b"\x7fELF\x02\x01\x01\0\0\0", "binary data"),
        (b"PK\x03\x04xl/workbook.xml", "an Excel workbook"),
        (b"name,phone\nx,1\n", "names `name`, `phone`, but caller_id"),
        (b"caller_id,did\n1,2\n", "has the column caller_id twice"),
    ];
    for (body, expected) in cases {
        let (status, answer) = service.ask(post("", body)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
        let said = answer["detail"][0]["msg"].as_str().unwrap();
        assert!(said.contains(expected), "{said}");
        assert_eq!(answer["detail"][0]["loc"], json!(["body"]));
    }
}

#[tokio::test]
async fn wrong_parameters_and_types_are_named() {
    let service = Service::open(&[]).await;
    let (status, answer) = service
        .ask(post("?on_duplicate=maybe&dry_run=perhaps", csv(1)))
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer["detail"][0]["loc"], json!(["query", "on_duplicate"]));
    assert_eq!(answer["detail"][1]["loc"], json!(["query", "dry_run"]));
    for (header, value) in [
        ("content-type", "application/json"),
        ("content-encoding", "br"),
    ] {
        let mut request = post("", csv(1));
        request.headers_mut().insert(header, value.parse().unwrap());
        let (status, answer) = service.ask(request).await;
        assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{answer}");
    }
}

#[tokio::test]
async fn only_an_admin_imports() {
    let service = Service::open(&[]).await;
    let mut request = post("", csv(1));
    request.headers_mut().remove("x-admin-token");
    assert_eq!(service.ask(request).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_answer_names_so_many_bad_rows_and_counts_all() {
    let service = Service::open(&[]).await;
    let file = format!("caller_id\n{}", "x\n".repeat(6_000));
    let (status, answer) = service.ask(post("", file)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(counts(&answer), [0, 0, 0, 6_000, 6_000]);
    assert_eq!(answer["errors"].as_array().unwrap().len(), 5_000);
    assert_eq!(answer["errors_left_out"], 1_000);
}

#[tokio::test]
async fn a_body_that_breaks_off_keeps_what_was_written_and_says_how_much() {
    let service = Service::open(&[]).await;
    let broken = || std::io::Error::other("gone");
    let pieces = [Ok(Bytes::from(csv(4_500))), Err(broken())];
    let (status, answer) = service
        .ask(post("", Body::from_stream(stream::iter(pieces))))
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    assert_eq!(counts(&answer), [4_500, 0, 0, 0, 4_500]);
    assert!(
        answer["detail"][0]["msg"]
            .as_str()
            .unwrap()
            .contains("reading stopped after line 4501")
    );
    assert_eq!(
        counts(&service.ask(post("", csv(4_500))).await.1),
        [0, 0, 4_500, 0, 4_500]
    );
}

#[tokio::test]
async fn a_body_that_stalls_is_given_up() {
    let service = Service::open(&["--body-timeout-seconds=1"]).await;
    let pieces = futures_util::StreamExt::chain(
        stream::iter([Ok::<_, std::io::Error>(Bytes::from(csv(10)))]),
        stream::pending(),
    );
    let (status, answer) = service.ask(post("", Body::from_stream(pieces))).await;
    assert_eq!(status, StatusCode::REQUEST_TIMEOUT, "{answer}");
    assert_eq!(answer["added"], 10);
}

#[tokio::test]
async fn a_parameter_that_nobody_knows_is_refused_and_nothing_is_written() {
    let service = Service::open(&[]).await;
    for query in ["?dryrun=true", "?dry_run=true&on_dup=skip", "?DRY_RUN=true"] {
        let (status, answer) = service.ask(post(query, csv(3))).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
        let told = answer.to_string();
        assert!(told.contains("is no parameter"), "{told}");
    }
    let spelled = "?dry-run=true&on-duplicate=fail";
    let (_, answer) = service.ask(post(spelled, csv(3))).await;
    assert_eq!(answer["dry_run"], json!(true));
    assert_eq!(counts(&answer), [3, 0, 0, 0, 3]);
}

#[tokio::test]
async fn a_dry_run_that_is_neither_true_nor_false_writes_nothing() {
    let service = Service::open(&[]).await;
    for query in ["?dry_run", "?dry_run=", "?dry-run", "?dry_run=+"] {
        let (status, answer) = service.ask(post(query, csv(3))).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
        let told = answer.to_string();
        assert!(told.contains("true or false expected"), "{told}");
    }
    let (_, answer) = service.ask(post("", csv(3))).await;
    assert_eq!(counts(&answer), [3, 0, 0, 0, 3]);
}

#[tokio::test]
async fn a_column_that_the_file_has_not_keeps_its_value() {
    let service = Service::open(&[]).await;
    let full = "caller_id,carrier,pool,status,daily_limit\n3125550100,a,solar,retired,none\n";
    service.ask(post("", full)).await;
    let next = || {
        let request = Request::get("/next-cid?to=13125551212");
        request.body(Body::empty()).unwrap()
    };
    assert_eq!(service.ask(next()).await.0, StatusCode::NOT_FOUND);
    let again = "caller_id,carrier\n3125550100,b\n";
    let (_, answer) = service.ask(post("?on_duplicate=update", again)).await;
    assert_eq!(counts(&answer), [0, 1, 0, 0, 1]);
    assert_eq!(service.ask(next()).await.0, StatusCode::NOT_FOUND);
}
