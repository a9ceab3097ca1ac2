//! `caller-id import`, as its users see it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "import/files.rs"]
mod files;
#[path = "import/places.rs"]
mod places;
#[path = "import/running.rs"]
mod running;

use std::fs;
use std::path::Path;
use std::time::Duration;

use assert_cmd::Command;
use axum::http::StatusCode;

use files::{csv, gzip};
use running::{Running, TOKEN};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_the_file_has_not_keeps_its_value() {
    let running = Running::start(&[]).await;
    let folder = tempfile::tempdir().unwrap();
    let full = "caller_id,carrier,status,pool,daily_limit,meta\n\
                3125550100,a,retired,solar,none,\"{\"\"a\"\":1}\"\n";
    let full = write(folder.path(), "full.csv", full);
    let short = "caller_id,carrier,area_code\n3125550100,b,312\n";
    let short = write(folder.path(), "short.csv", short);
    let api = [format!("--api-url={}", running.url)];
    let db = ["--mode=db".to_owned()];
    for way in [&api[..], &db[..]] {
        for file in [&full, &short] {
            let mut arguments = vec!["--csv", file, "--on-duplicate=update"];
            arguments.extend(way.iter().map(String::as_str));
            arguments.extend(["--admin-token", TOKEN]);
            arguments.extend(["--database-url", &running.database_url]);
            let told = import(&arguments).await;
            assert_eq!(told.code, 0, "{}", told.err);
        }
        let number = running.number("3125550100").await;
        assert_eq!(number.carrier.as_deref(), Some("b"));
        assert_eq!(number.status.to_string(), "retired");
        assert_eq!(number.pool.as_str(), "solar");
        assert_eq!(number.limits.daily, None);
        assert_eq!(number.meta, Some(serde_json::json!({"a": 1})));
    }
    running.stop().await;
}
