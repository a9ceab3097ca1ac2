//! Large files that are refused: whoever sent one learns why.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::client::Client;
use crate::site::{ADMIN, Site};

const IMPORT: &str = "POST /api/v1/numbers/import";
const CSV: &str = "Content-Type: text/csv";
const WRONG: &str = "X-Admin-Token: a-wrong-token-0123456789abcdef01";
/// Which of two ends is faster is a matter of luck, so each is asked more than once.
const TIMES: usize = 4;

/// More than fits into what a connection has under way.
fn file() -> String {
    let mut csv = "caller_id\n".to_owned();
    while csv.len() < 3 << 20 {
        csv.push_str("3125550100\n");
    }
    csv
}

fn each(site: &Site, line: &str, headers: &[&str], file: &str, status: u16) {
    for _ in 0..TIMES {
        let answer = Client::at(&site.nginx, 7).ask(line, headers, file);
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.head);
    }
}

#[test]
fn who_may_not_import_learns_so_with_a_large_file() {
    let site = Site::start(&[]);
    let file = file();
    let person = Client::at(&site.nginx, 7);
    let wanted = r#"{"name":"looks","role":"viewer"}"#;
    let json = [ADMIN, "Content-Type: application/json"];
    let made = person.ask("POST /api/v1/keys", &json, wanted);
    assert_eq!(made.status, 201, "{}", made.body);
    let made: serde_json::Value = serde_json::from_str(&made.body).unwrap();
    let key = format!("X-API-Key: {}", made["key"].as_str().unwrap());
    each(&site, IMPORT, &[&key, CSV], &file, 403);
    each(&site, IMPORT, &[WRONG, CSV], &file, 401);
    each(&site, IMPORT, &[CSV], &file, 401);
}

#[test]
fn a_large_file_of_a_wrong_kind_is_refused_as_one() {
    let site = Site::start(&[]);
    let file = file();
    let picture = "Content-Type: image/png";
    each(&site, IMPORT, &[ADMIN, picture], &file, 415);
    let json = "Content-Type: application/json";
    let one = "POST /api/v1/numbers";
    each(&site, one, &[ADMIN, json], &file, 413);
}

#[test]
fn who_uploads_when_the_session_is_over_is_asked_to_sign_in() {
    let site = Site::start(&[]);
    let begin =
        "--part\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n";
    let upload = format!("{begin}{}\r\n--part--\r\n", file());
    let headers = [
        "Content-Type: multipart/form-data; boundary=part",
        "Cookie: __Host-caller_id_session=one-that-is-over",
    ];
    for page in ["/dashboard/import", "/dashboard/import/preview"] {
        each(&site, &format!("POST {page}"), &headers, &upload, 401);
    }
}

#[test]
fn the_connection_of_who_was_refused_serves_on() {
    let site = Site::start(&[]);
    let mut stream = TcpStream::connect(site.service).unwrap();
    let patience = Some(Duration::from_secs(60));
    stream.set_read_timeout(patience).unwrap();
    let file = file();
    let long = file.len();
    let head = format!("{IMPORT} HTTP/1.1\r\nHost: a\r\n{WRONG}\r\nContent-Length: {long}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(file.as_bytes()).unwrap();
    stream
        .write_all(b"GET /live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut lines = BufReader::new(stream);
    let mut first = String::new();
    lines.read_line(&mut first).unwrap();
    assert!(first.starts_with("HTTP/1.1 401"), "{first}");
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("HTTP/1.1 200"), "{rest}");
}
