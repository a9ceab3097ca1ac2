//! Files of jobs over TCP: the answer comes while the file does.

use std::fmt::Write;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::connections::{Running, rest};
use crate::support::TOKEN;

/// More than is awaited before the answer.
const BAD_ROWS: usize = 20_000;

#[tokio::test]
async fn a_client_that_goes_on_sending_after_the_answer_is_read_to_its_end() {
    let service = Running::start(&[("ADMIN_TOKEN", TOKEN)]).await;
    let mut file = "caller_id\n3125550100\n".to_owned();
    file.push_str(&format!("{}\n", "5".repeat(800)).repeat(BAD_ROWS));
    let _ = writeln!(file, "3125550101");
    let mut stream = service.connect().await;
    let head = format!(
        "POST /api/v1/numbers/import?job=true HTTP/1.1\r\nhost: x\r\nx-admin-token: {TOKEN}\r\n\
         content-type: text/csv\r\ncontent-length: {}\r\n\r\n",
        file.len()
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    let (begun, rest) = file.as_bytes().split_at(file.len() - 1_000_000);
    stream.write_all(begun).await.expect("sent");
    let mut answer = vec![0; 4_096];
    let read = stream.read(&mut answer).await.expect("an answer");
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    let place = answer
        .lines()
        .find_map(|line| line.strip_prefix("location: "))
        .expect("a place")
        .to_owned();
    let ask = format!(
        "GET {place} HTTP/1.1\r\nhost: x\r\nx-admin-token: {TOKEN}\r\nconnection: close\r\n\r\n"
    );
    let job = async || {
        let told = service.exchange(ask.as_bytes()).await;
        let (_, body) = told.split_once("\r\n\r\n").expect("a body");
        serde_json::from_str::<Value>(body).expect("JSON")
    };
    assert_eq!(job().await["state"], "running");
    stream.write_all(rest).await.expect("sent");
    for _ in 0..1_200 {
        let job = job().await;
        if job["state"] != "running" {
            assert_eq!(job["state"], "done", "{}", job["problem"]);
            assert_eq!(job["import"]["added"], 2);
            assert_eq!(job["import"]["failed"], BAD_ROWS);
            let named = job["import"]["errors"].as_array().map_or(0, Vec::len);
            assert_eq!(named, 5_000);
            assert_eq!(job["import"]["errors_left_out"], BAD_ROWS - named);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the job does not end");
}

/// Who sends nothing of it, and who sends something now and then: neither makes a cancelled job wait.
#[tokio::test]
async fn a_job_is_cancelled_at_once_while_its_file_is_still_awaited() {
    let settings = [("ADMIN_TOKEN", TOKEN), ("BODY_TIMEOUT_SECONDS", "600")];
    let service = Running::start(&settings).await;
    let ask = async |method: &str, path: &str| {
        let ask = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nx-admin-token: {TOKEN}\r\nconnection: close\r\n\r\n"
        );
        let told = service.exchange(ask.as_bytes()).await;
        let (_, body) = told.split_once("\r\n\r\n").expect("a body");
        serde_json::from_str::<Value>(body).expect("JSON")
    };
    let mut stream = service.connect().await;
    let head = format!(
        "POST /api/v1/numbers/import?job=true HTTP/1.1\r\nhost: x\r\nx-admin-token: {TOKEN}\r\n\
         content-type: text/csv\r\ncontent-length: 1000\r\n\r\ncaller_id\n312"
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut id = Value::Null;
    for _ in 0..400 {
        id = ask("GET", "/api/v1/jobs").await["jobs"][0]["id"].clone();
        if id.is_string() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let place = format!("/api/v1/jobs/{}", id.as_str().expect("it is listed"));
    ask("DELETE", &place).await;
    // The sender is answered, and the connection closed: the rest is wanted no more.
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    for _ in 0..400 {
        let job = ask("GET", &place).await;
        if job["state"] != "running" {
            assert_eq!(job["state"], "cancelled");
            assert_eq!(job["import"]["rows"], 0);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the job does not end");
}
