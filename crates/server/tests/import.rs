//! Imports through the API and through the command line, as their users see them.

#[path = "import/service.rs"]
mod service;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use assert_cmd::Command;
use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;
use serde_json::{Value, json};

use service::{Running, Service, TOKEN};

/// A file of `count` numbers in area code 312.
fn csv(count: u64) -> String {
    let mut file = "caller_id,carrier,area_code,daily_limit,hourly_limit\n".to_owned();
    for line in 0..count {
        file.push_str(&format!("1312{},carrierA,312,500,50\n", 2_000_000 + line));
    }
    file
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

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

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("caller-id").unwrap();
    command
        .env_clear()
        .arg("import")
        .args(arguments)
        .timeout(Duration::from_secs(60));
    command
}

struct Told {
    code: i32,
    out: String,
    err: String,
}

async fn import(arguments: &[&str]) -> Told {
    let mut command = command(arguments);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    Told {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_imports_through_a_service_and_reports_lines_of_the_file() {
    let running = Running::start(&[]).await;
    let folder = tempfile::tempdir().unwrap();
    let mut file = csv(12_000);
    file.push_str("555,x,,,\n13122000000,x,312,1,1\n\"13123999999\",\"a\"b,,,\n");
    let file = write(folder.path(), "numbers.csv", &file);
    let report = folder.path().join("bad.csv");
    let report = report.to_str().unwrap();
    let told = import(&[
        "--csv",
        &file,
        "--api-url",
        &running.url,
        "--admin-token",
        TOKEN,
        "--concurrency",
        "50",
        "--on-duplicate",
        "fail",
        "--report",
        report,
    ])
    .await;
    assert_eq!(told.code, 1, "{}", told.err);
    assert!(
        told.out
            .starts_with("12000 added, 0 updated, 0 skipped, 3 bad in "),
        "{}",
        told.out
    );
    assert!(
        told.err.contains("line 12002: number `555` has 3 digits"),
        "{}",
        told.err
    );
    let mut report: Vec<String> = fs::read_to_string(report)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    report.sort();
    assert_eq!(report.len(), 4);
    assert!(report[0].starts_with("12002,555,"), "{report:?}");
    assert!(report[1].starts_with("12003,+13122000000,"), "{report:?}");
    assert!(report[2].starts_with("12004,13123999999,"), "{report:?}");
    let again = import(&[
        "--csv",
        &file,
        "--api-url",
        &running.url,
        "--admin-token",
        TOKEN,
        "--dry-run",
    ])
    .await;
    assert!(
        again
            .out
            .contains("nothing written: 0 added, 0 updated, 12001 skipped, 2 bad"),
        "{}",
        again.out
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_row_of_a_number_wins_however_many_requests_run_at_once() {
    let running = Running::start(&[]).await;
    let folder = tempfile::tempdir().unwrap();
    let mut file = csv(10_000);
    for carrier in 0..10_000 {
        file.push_str(&format!("13122000000,last{carrier},312,,\n"));
    }
    let file = write(folder.path(), "numbers.csv", file);
    let told = import(&[
        "--csv",
        &file,
        "--api-url",
        &running.url,
        "--admin-token",
        TOKEN,
        "--concurrency=8",
        "--on-duplicate=update",
    ])
    .await;
    assert!(
        told.out
            .starts_with("10000 added, 10000 updated, 0 skipped, 0 bad in "),
        "{} {}",
        told.out,
        told.err
    );
    assert_eq!(told.code, 0);
    let number = running.number("13122000000").await;
    assert_eq!(number.carrier.as_deref(), Some("last9999"));
    running.stop().await;
}

/// Fault 6 of the reference: numbers imported straight into the database stay invisible until restart.
#[tokio::test(flavor = "multi_thread")]
async fn fault_06_numbers_imported_straight_into_the_database_are_seen_without_restart() {
    let running = Running::start(&[]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "numbers.csv.gz", gzip(&csv(3_000)));
    let told = import(&[
        "--csv",
        &file,
        "--mode",
        "db",
        "--batch",
        "500",
        "--database-url",
        &running.database_url,
    ])
    .await;
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(
        told.out
            .starts_with("3000 added, 0 updated, 0 skipped, 0 bad in "),
        "{}",
        told.out
    );
    let seen = async {
        while running.next_cid("13125551212").await != StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), seen)
        .await
        .unwrap();
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_and_a_service_that_is_not_there_are_named() {
    let running = Running::start(&[]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "numbers.csv", csv(3));
    let told = import(&[
        "--csv",
        &file,
        "--api-url",
        &running.url,
        "--admin-token",
        "wrong",
    ])
    .await;
    assert_eq!(told.code, 2);
    assert!(told.err.contains("refuses the admin token"), "{}", told.err);
    assert!(!told.err.contains("`wrong`"), "{}", told.err);
    let url = running.url.clone();
    running.stop().await;
    let told = import(&["--csv", &file, "--api-url", &url, "--admin-token", TOKEN]).await;
    assert_eq!(told.code, 2);
    assert!(
        told.err.contains(&format!("cannot reach {url}")),
        "{}",
        told.err
    );
    assert!(told.err.contains("0 numbers are written"), "{}", told.err);
}

#[tokio::test]
async fn the_token_file_beside_the_database_is_used_for_a_service_on_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "numbers.csv", csv(1));
    let data = folder.path().to_str().unwrap();
    let told = import(&[
        "--csv",
        &file,
        "--api-url=http://127.0.0.1:1",
        "--data-dir",
        data,
    ])
    .await;
    assert!(
        told.err.contains("no admin token") && told.err.contains("admin-token"),
        "{}",
        told.err
    );
    write(
        folder.path(),
        "admin-token",
        "0123456789abcdef0123456789abcdef\n",
    );
    let told = import(&[
        "--csv",
        &file,
        "--api-url=http://127.0.0.1:1",
        "--data-dir",
        data,
    ])
    .await;
    assert!(
        told.err.contains("cannot reach http://127.0.0.1:1"),
        "{}",
        told.err
    );
    let told = import(&[
        "--csv",
        &file,
        "--api-url=http://198.51.100.1:1",
        "--data-dir",
        data,
    ])
    .await;
    assert!(
        told.err.contains("no admin token"),
        "never sent elsewhere: {}",
        told.err
    );
}

#[tokio::test]
async fn exit_codes_tell_fine_bad_and_fatal() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let good = write(folder.path(), "good.csv", csv(2));
    let bad = write(folder.path(), "bad.csv", "caller_id\n555\n");
    let none = write(folder.path(), "none.csv", "a,b\n1,2\n");
    let db = |file: &str| {
        [
            "--mode=db".to_owned(),
            format!("--csv={file}"),
            format!("--data-dir={data}"),
        ]
    };
    for (file, code) in [
        (&good, 0),
        (&bad, 1),
        (&none, 2),
        (&"/nonexistent.csv".to_owned(), 2),
    ] {
        let arguments = db(file);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let told = import(&arguments).await;
        assert_eq!(told.code, code, "{file}: {}", told.err);
    }
    let told = import(&[
        "--csv",
        &good,
        "--mode=db",
        "--data-dir",
        data,
        "--report",
        &good,
    ])
    .await;
    assert_eq!(told.code, 2);
    assert!(
        told.err.contains("is the file that is imported"),
        "{}",
        told.err
    );
    assert_eq!(fs::read_to_string(&good).unwrap(), csv(2));
}

#[tokio::test]
async fn the_standard_input_is_read_and_the_screen_shows_so_many_bad_rows() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap().to_owned();
    let file = format!("caller_id\n{}3125550100\n", "x\n".repeat(30));
    let output = tokio::task::spawn_blocking(move || {
        command(&["--csv=-", "--mode=db", "--data-dir", &data])
            .write_stdin(file)
            .output()
            .unwrap()
    });
    let output = output.await.unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        err.lines().filter(|line| line.starts_with("line ")).count(),
        20,
        "{err}"
    );
    assert!(err.contains("and 10 bad rows more"), "{err}");
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .starts_with("1 added, 0 updated, 0 skipped, 30 bad in ")
    );
}

#[tokio::test]
async fn the_example_numbers_import() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let example = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../data/caller_ids_example.csv"
    );
    let told = import(&["--csv", example, "--mode=db", "--data-dir", data]).await;
    assert!(
        told.out
            .starts_with("300 added, 0 updated, 0 skipped, 0 bad in "),
        "{} {}",
        told.out,
        told.err
    );
}
