//! What goes through: TLS, files, and what comes bit by bit.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

use crate::client::Client;
use crate::proxy::{Nginx, directives};
use crate::site::{ADMIN, Site};

#[test]
fn by_tls_cookies_are_secure_and_nobody_can_claim_to_have_come_by_tls() {
    let site = Site::start(&[]);
    let person = Client::at(&site.nginx, 7);
    let page = person.ask("GET /sign-in", &[], "");
    assert_eq!(page.status, 200);
    let head = page.head.to_lowercase();
    assert!(
        head.contains("set-cookie: __host-caller_id_form="),
        "{head}"
    );
    assert!(head.contains("; secure"), "{head}");
    let claim = "X-Forwarded-Proto: https";
    let page = person.plainly().ask("GET /sign-in", &[claim], "");
    assert_eq!(page.status, 200);
    assert!(
        !page.head.to_lowercase().contains("; secure"),
        "{}",
        page.head
    );
}

#[test]
fn plesk_keeps_the_place_where_lets_encrypt_looks_and_we_have_all_others() {
    let site = Site::start(&[]);
    let person = Client::at(&site.nginx, 7).plainly();
    let proof = person.ask("GET /.well-known/acme-challenge/token", &[], "");
    assert_eq!((proof.status, &*proof.body), (200, "proof\n"));
    for path in ["/health", "/live", "/ready", "/openapi.json"] {
        assert_eq!(person.ask(&format!("GET {path}"), &[], "").status, 200);
    }
    let path = person.ask("GET /a%2Fb//c?d=%20e", &[], "");
    assert_eq!(path.status, 404, "ours: Plesk's own would be 418");
}

#[test]
fn a_file_larger_than_nginx_or_plesk_take_by_themselves_is_imported_and_comes_out_again() {
    let site = Site::start(&[]);
    let person = Client::at(&site.nginx, 7);
    let mut csv = "caller_id,carrier\n".to_owned();
    let carrier = "c".repeat(60);
    while csv.len() < 2 * 1024 * 1024 {
        let line = csv.len() % 10_000;
        csv.push_str(&format!("312555{line:04},{carrier}\n"));
    }
    let headers = [ADMIN, "Content-Type: text/csv"];
    let imported = person.ask("POST /api/v1/numbers/import", &headers, &csv);
    assert_eq!(imported.status, 200, "{}", imported.body);
    let export = person.ask("GET /api/v1/numbers/export", &[ADMIN], "");
    assert_eq!(export.status, 200);
    assert!(export.body.lines().count() > 1_000, "{}", export.head);
}

/// Something that streams as the dashboard's `/dashboard/live` does: a piece, and the next when somebody has seen it.
fn streams(seen: mpsc::Receiver<()>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        while !lines.next().unwrap().unwrap().is_empty() {}
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        for number in 0..3 {
            let event = format!("data: {number}\n\n");
            let piece = format!("{:x}\r\n{event}\r\n", event.len());
            stream.write_all(piece.as_bytes()).unwrap();
            let waited = seen.recv_timeout(Duration::from_secs(30));
            waited.expect("the piece is held back on its way");
        }
        stream.write_all(b"0\r\n\r\n").unwrap();
    });
    port
}

#[test]
fn events_flow_one_by_one_as_they_happen() {
    let (saw, seen) = mpsc::channel();
    let nginx = Nginx::start(streams(seen), &directives());
    let person = Client::at(&nginx, 7);
    let stream = person.begin("GET /dashboard/live", &["Accept: text/event-stream"], "");
    let mut lines = BufReader::new(stream).lines();
    for number in 0..3 {
        let wanted = format!("data: {number}");
        assert!(
            lines.by_ref().any(|line| line.is_ok_and(|it| it == wanted)),
            "event {number} comes before the next is sent"
        );
        saw.send(()).unwrap();
    }
}

#[test]
fn the_dashboard_stays_up_to_date_behind_the_proxy() {
    let site = Site::start(&[]);
    let person = Client::at(&site.nginx, 7);
    let headers = [ADMIN, "Accept: text/event-stream"];
    let stream = person.begin("GET /dashboard/live", &headers, "");
    let mut lines = BufReader::new(stream).lines();
    let mut pulses = 0;
    while pulses < 2 {
        let line = lines.next().unwrap().unwrap();
        pulses += usize::from(line.starts_with("event: "));
    }
}

#[test]
fn a_service_that_is_gone_is_told_at_once() {
    let port = {
        let gone = TcpListener::bind("127.0.0.1:0").unwrap();
        gone.local_addr().unwrap().port()
    };
    let nginx = Nginx::start(port, &directives());
    let mut answer = String::new();
    let mut stream = Client::at(&nginx, 7).begin("GET /next-cid?to=13125550123", &[], "");
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
}
