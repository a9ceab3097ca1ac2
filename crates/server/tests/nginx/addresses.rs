//! Who asks: nginx tells it, and nobody else does.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::client::Client;
use crate::proxy::directives;
use crate::site::{ADMIN, Site};

const NEXT: &str = "GET /next-cid?to=13125550123";
/// Every way to claim an address.
const CLAIMS: [&str; 3] = [
    "X-Forwarded-For: 127.0.0.7",
    "X-Real-IP: 127.0.0.7",
    "Forwarded: for=127.0.0.7",
];

#[test]
fn the_allow_list_sees_the_real_address_and_no_claim_of_one() {
    let site = Site::start(&[("IP_WHITELIST", "127.0.0.7")]);
    let pools = "GET /api/v1/pools";
    let welcome = Client::at(&site.nginx, 7);
    assert_eq!(welcome.ask(pools, &[ADMIN], "").status, 200);
    let stranger = Client::at(&site.nginx, 8);
    let refused = stranger.ask(pools, &[ADMIN], "");
    assert_eq!(refused.status, 403);
    assert!(
        refused.body.contains("\"IP not allowed\""),
        "{}",
        refused.body
    );
    for claim in CLAIMS {
        let refused = stranger.ask(pools, &[ADMIN, claim], "");
        assert_eq!(refused.status, 403, "{claim}");
    }
    let all: Vec<&str> = [ADMIN].into_iter().chain(CLAIMS).collect();
    assert_eq!(stranger.ask(pools, &all, "").status, 403);
    // Nor does a claim of somebody else's address keep out who may come in.
    let claim = "X-Forwarded-For: 198.51.100.1";
    assert_eq!(welcome.ask(pools, &[ADMIN, claim], "").status, 200);
}

#[test]
fn commands_on_this_machine_are_let_in_by_its_address_and_nobody_through_nginx_is() {
    let pools = "GET /api/v1/pools";
    let past_nginx = |site: &Site| {
        let mut stream = TcpStream::connect(site.service).unwrap();
        let request =
            format!("{pools} HTTP/1.1\r\nHost: a\r\n{ADMIN}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let site = Site::start(&[("IP_WHITELIST", "127.0.0.7")]);
    let refused = past_nginx(&site);
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    let hint = "commands on this machine need it there";
    assert!(refused.contains(hint), "{refused}");
    let site = Site::start(&[("IP_WHITELIST", "127.0.0.7,127.0.0.1")]);
    assert!(past_nginx(&site).starts_with("HTTP/1.1 200"));
    for claim in [
        "X-Forwarded-For: 127.0.0.1",
        "X-Real-IP: 127.0.0.1",
        "Forwarded: for=127.0.0.1",
    ] {
        let stranger = Client::at(&site.nginx, 8);
        let refused = stranger.ask(pools, &[ADMIN, claim], "");
        assert_eq!(refused.status, 403, "{claim}");
        assert!(!refused.body.contains(hint), "{}", refused.body);
    }
}

#[test]
fn the_audit_log_has_the_real_address() {
    let site = Site::start(&[]);
    let person = Client::at(&site.nginx, 9);
    let body = "{}";
    let headers = [ADMIN, "Content-Type: application/json", CLAIMS[0]];
    let made = person.ask("PUT /api/v1/pools/west", &headers, body);
    assert!(made.status < 300, "{} {}", made.head, made.body);
    let log = person.ask("GET /api/v1/audit", &[ADMIN], "").body;
    assert!(log.contains("127.0.0.9"), "{log}");
    assert!(!log.contains("127.0.0.7"), "{log}");
}

#[test]
fn a_dialer_without_a_key_is_let_in_by_its_real_address_alone() {
    let site = Site::start(&[("DIALER_ALLOW", "127.0.0.7")]);
    // No number is free, which is an answer: 404.
    assert_eq!(Client::at(&site.nginx, 7).ask(NEXT, &[], "").status, 404);
    for claim in CLAIMS {
        let refused = Client::at(&site.nginx, 8).ask(NEXT, &[claim], "");
        assert_eq!(refused.status, 401, "{claim}: {}", refused.body);
    }
}

#[test]
fn through_nginx_nobody_is_taken_for_a_program_on_this_machine() {
    let site = Site::start(&[]);
    let refused = Client::at(&site.nginx, 1).ask(NEXT, &[], "");
    assert_eq!(refused.status, 401, "{}", refused.body);
}

#[test]
fn dialers_can_be_named_in_nginx_and_then_others_are_refused_there() {
    let changed = directives()
        .replace("# allow 203.0.113.10;", "allow 127.0.0.7;")
        .replace("# deny all;", "deny all;");
    assert_ne!(changed, directives());
    let site = Site::start_with(&[("DIALER_KEYS", "a-key-of-a-dialer-0123456789")], &changed);
    let key = "X-API-Key: a-key-of-a-dialer-0123456789";
    assert_eq!(Client::at(&site.nginx, 7).ask(NEXT, &[key], "").status, 404);
    let refused = Client::at(&site.nginx, 8).ask(NEXT, &[key], "");
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("nginx"), "nginx itself refuses");
    // Only dialers are named there.
    let health = Client::at(&site.nginx, 8).ask("GET /health", &[], "");
    assert_eq!(health.status, 200);
}

#[test]
fn metrics_are_for_this_machine_past_nginx() {
    let site = Site::start(&[]);
    let refused = Client::at(&site.nginx, 7).ask("GET /metrics", &[], "");
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("nginx"), "nginx itself refuses");
    assert!(TcpStream::connect(site.service).is_ok());
}
