//! The log in files and on standard output.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::run::Running;

/// Asks once on a connection of its own: the whole answer, head and body.
pub(crate) fn ask(address: &str, path: &str, headers: &str) -> String {
    said(address, &format!("GET {path}"), headers, "")
}

/// Posts an object as an admin does, on a connection of its own: the whole answer.
pub(crate) fn send(address: &str, path: &str, body: &str) -> String {
    let headers = format!(
        "x-admin-token: a-token-for-tests-0123456789abcdef\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
        body.len()
    );
    said(address, &format!("POST {path}"), &headers, body)
}

fn said(address: &str, what: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request =
        format!("{what} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}\r\n{body}");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Where it listens, as its first words say.
pub(crate) fn address(service: &mut Running) -> String {
    let line = service.until(&["listens on http://"]);
    let (_, rest) = line.split_once("http://").unwrap();
    let end = rest.find(|next: char| !(next.is_ascii_digit() || ".:".contains(next)));
    rest[..end.unwrap_or(rest.len())]
        .trim_end_matches('.')
        .to_owned()
}

/// Guesses until the log tells of it, each guess with an id.
fn guess(address: &str) {
    for _ in 0..10 {
        let headers = "x-admin-token: a-wrong-one-0123456789\r\nx-request-id: guess/1\r\n";
        let answer = ask(address, "/api/v1/me", headers);
        assert!(answer.contains("\r\nx-request-id: guess/1\r\n"), "{answer}");
    }
}

#[test]
fn lines_are_in_the_file_with_the_ids_of_requests_and_nowhere_else_where_so_asked() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs/of node 1");
    let variables = [
        ("LOG_DIR", logs.to_str().unwrap()),
        ("LOG_FORMAT", "json"),
        ("LOG_OUTPUT", "none"),
    ];
    let mut service = Running::start(folder.path(), &variables);
    let address = address(&mut service);
    guess(&address);
    let (code, said) = service.stop();
    assert_eq!(code, Some(0), "{said:?}");
    assert!(!said.iter().any(|line| line.contains("WARN")), "{said:?}");
    let text = std::fs::read_to_string(logs.join("caller-id.log")).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    let of_guess = |line: &&Value| line["span"]["request_id"] == "guess/1";
    let found = lines
        .iter()
        .find(of_guess)
        .unwrap_or_else(|| panic!("{text}"));
    assert_eq!(found["level"], "WARN", "{text}");
    assert!(!text.contains("a-wrong-one"), "{text}");
    let first = lines[0]["message"].as_str().unwrap_or_default();
    assert!(
        first.contains(&format!("listens on http://{address}")),
        "{text}"
    );
    // The last words of a service that stops are there, too.
    assert!(text.contains("stopping"), "{text}");
}

#[test]
fn why_it_did_not_start_is_in_the_file_and_once_on_standard_error() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let variables = [
        ("LOG_DIR", folder.path().to_str().unwrap()),
        ("API_PORT", &port),
    ];
    let (code, said) = Running::start(folder.path(), &variables).end();
    assert_eq!(code, Some(1), "{said:?}");
    let why = format!("cannot listen on 127.0.0.1:{port}");
    let told = said.iter().filter(|line| line.contains(&why));
    assert_eq!(told.count(), 1, "{said:?}");
    let text = std::fs::read_to_string(folder.path().join("caller-id.log")).unwrap();
    assert!(text.contains("ERROR") && text.contains(&why), "{text}");
}

#[test]
fn text_goes_to_standard_output_where_so_asked_and_names_the_request() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = Running::start(folder.path(), &[("LOG_OUTPUT", "stdout")]);
    let address = address(&mut service);
    guess(&address);
    service.until(&["WARN", "request{request_id=\"guess/1\"}"]);
    let (code, said) = service.stop();
    assert_eq!(code, Some(0), "{said:?}");
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_nothing_is_started() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let place = file.join("logs");
    let variables = [("LOG_DIR", place.to_str().unwrap())];
    let (code, said) = Running::start(folder.path(), &variables).end();
    assert_eq!(code, Some(1), "{said:?}");
    let last = said.last().unwrap();
    assert!(
        last.contains("LOG_DIR `") && last.contains("cannot be written"),
        "{last}"
    );
}

#[test]
fn every_answer_but_that_to_a_call_has_an_id_and_a_call_that_of_its_dialer() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = Running::start(folder.path(), &[]);
    let address = address(&mut service);
    let id = |path: &str, headers: &str| {
        let answer = ask(&address, path, headers);
        let (_, rest) = answer.split_once("x-request-id: ")?;
        Some(rest.lines().next().unwrap().to_owned())
    };
    let call = "/next-cid?to=13125551212";
    assert_eq!(
        id(call, "X-Request-ID: M112210\r\n").as_deref(),
        Some("M112210")
    );
    assert_eq!(id(call, "X-Request-ID: two words\r\n"), None);
    assert_eq!(id(call, ""), None);
    assert_eq!(id("/health", "X-Request-ID: a\r\n").as_deref(), Some("a"));
    let (one, other) = (id("/health", ""), id("/health", "X-Request-ID: \"\r\n"));
    assert_eq!(one.as_ref().map(String::len), Some(36));
    assert!(other.is_some() && one != other);
}
