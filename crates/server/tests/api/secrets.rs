//! No secret is anywhere that anybody sees: every one of the settings has a marker of its own, and a real service with real
//! servers is asked, refused, and stopped.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use caller_id::config::describe::settings;
use caller_id_testkit::postgres::Postgres;
use caller_id_testkit::redis::{Reach, RedisSetup};
use serde_json::Value;

use crate::process::{binary, folder, run, text};

/// A service that writes all it says into files: at this level it says too much for a pipe that nobody reads.
struct Told(Child);

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Told {
    /// Starts it, and gives its banner.
    fn start(command: &mut Command, folder: &Path) -> (Self, String) {
        let log = File::create(folder.join("log")).expect("a file");
        let child = command.stdout(Stdio::piped()).stderr(log).spawn();
        let mut told = Self(child.expect("it starts"));
        let lines = BufReader::new(told.0.stdout.take().expect("piped")).lines();
        let mut banner = String::new();
        for line in lines {
            let line = line.expect("text");
            banner += &format!("{line}\n");
            if line.starts_with("The admin token") {
                return (told, banner);
            }
        }
        panic!(
            "it ended: {}",
            text(&std::fs::read(folder.join("log")).expect("a log"))
        );
    }
}

const PUBLIC: [&str; 2] = ["PUBLIC_URL", "OIDC_REDIRECT_URL"];
/// What else must be said where there is an identity provider.
const BESIDE: [(&str, &str); 2] = [
    ("OIDC_CLIENT_ID", "caller-id"),
    ("PUBLIC_URL", "http://127.0.0.1:8000"),
];

fn marker(name: &str) -> String {
    format!("marked-{}-2f9c61d04be7", name.to_lowercase())
}

/// The whole answer, head and all.
fn ask(port: u16, method: &str, path: &str, token: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let wait = Some(Duration::from_secs(30));
    stream.set_read_timeout(wait).expect("a socket");
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-admin-token: {token}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("a whole answer");
    text(&answer)
}

/// Every setting with something to hide, each with its own marker in it.
fn marked(redis: u16, database: &str) -> Vec<(String, String)> {
    let settings = settings().into_iter();
    let hidden = settings.filter(|setting| setting.secret || setting.url || setting.webhook);
    // A name and a password are refused in these two, which are for everybody to see.
    let hidden = hidden.filter(|setting| !PUBLIC.contains(&setting.name.as_str()));
    hidden
        .map(|setting| {
            let marker = marker(&setting.name);
            let value = match setting.name.as_str() {
                "REDIS_URL" => format!("redis://127.0.0.1:{redis}/0"),
                "DATABASE_URL" => database.replacen(":secret@", &format!(":{marker}@"), 1),
                "OTEL_EXPORTER_OTLP_HEADERS" => format!("authorization={marker}"),
                // A name and a password are refused; its path is a key.
                _ if setting.webhook => format!("http://127.0.0.1:1/{marker}?key={marker}"),
                _ if setting.url => format!("https://somebody:{marker}@127.0.0.1:1/x?key={marker}"),
                _ => marker,
            };
            (setting.name, value)
        })
        .collect()
}

fn assert_hidden(place: &str, said: &str) {
    for setting in settings() {
        let marker = marker(&setting.name);
        assert!(
            !said.contains(&marker),
            "{} is in {place}: {said}",
            setting.name
        );
    }
}

/// Makes API keys, asks with them while they are good, from where they are not, revoked, and spoilt; gives what of them and of
/// a token no one may see.
fn use_keys(port: u16, token: &str) -> Vec<String> {
    let make = |wanted: &str| {
        let made = ask(port, "POST", "/api/v1/keys", token, wanted);
        assert!(made.starts_with("HTTP/1.1 201"), "{made}");
        let body = made.split("\r\n\r\n").nth(1).expect("a body");
        let body: Value = serde_json::from_str(body).expect("JSON");
        let text = |name: &str| body[name].as_str().expect("a text").to_owned();
        (text("id"), text("key"))
    };
    let (id, key) = make("{\"name\": \"a\", \"role\": \"admin\"}");
    let (_, away) = make("{\"name\": \"b\", \"role\": \"admin\", \"addresses\": [\"192.0.2.1\"]}");
    let spoilt = format!("{key}x");
    // Signed by nobody whom it knows: a header and claims, then what makes it a secret.
    let jwt = "eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJleHAiOjQxMDAwMDAwMDB9.c2lnbmF0dXJl".to_owned();
    let status = |method: &str, path: &str, with: &str, status: u16| {
        let answer = ask(port, method, path, with, "");
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
        let secrets = [&key, &away, &jwt].map(|whole| secret(whole));
        assert_without(&secrets, path, &answer);
    };
    status("GET", "/api/v1/pools", &key, 200);
    status("GET", "/api/v1/pools", &away, 403);
    status("GET", "/api/v1/pools", &spoilt, 401);
    // Nobody listens where the provider's keys are.
    status("GET", "/api/v1/pools", &jwt, 503);
    status("DELETE", &format!("/api/v1/keys/{id}"), &key, 200);
    status("GET", "/api/v1/pools", &key, 401);
    [&key, &away, &jwt].map(|whole| secret(whole)).into()
}

/// The part that opens: behind the public id of a key, and the signature of a token.
fn secret(whole: &str) -> String {
    match whole.strip_prefix("cid_") {
        Some(rest) => rest[13..].to_owned(),
        None => whole.rsplit('.').next().expect("a part").to_owned(),
    }
}

fn assert_without(secrets: &[String], place: &str, said: &str) {
    for secret in secrets {
        assert!(!said.contains(&**secret), "{secret} is in {place}: {said}");
    }
}

#[test]
fn no_secret_is_in_answers_metrics_logs_or_the_list_of_processes() {
    let setup = RedisSetup {
        reach: Reach::Tcp,
        password: Some(marker("REDIS_PASSWORD")),
        ..RedisSetup::default()
    };
    let redis = setup.start();
    let server = Postgres::shared();
    let database = server.url(&server.database());
    let marked = marked(redis.port(), &database);
    let markers = marked.iter().filter(|(_, value)| value.contains("marked-"));
    assert!(markers.count() >= 6, "{marked:?}");
    let folder = folder();
    let start = |level: &str| {
        let mut command = binary(folder.path());
        command
            .args(["serve", "--api-port=0"])
            .env("LOG_LEVEL", level)
            .envs(BESIDE);
        command.envs(marked.iter().map(|(name, value)| (name, value)));
        command
    };
    let (served, banner) = Told::start(&mut start("trace"), folder.path());
    assert_hidden("the banner", &banner);
    let port = banner.split("127.0.0.1:").nth(1).expect("an address");
    let digits: String = port.chars().take_while(char::is_ascii_digit).collect();
    let port = digits.parse().expect("a port");
    let token = marker("ADMIN_TOKEN");
    let shown = ask(port, "GET", "/api/v1/settings", &token, "");
    assert!(shown.starts_with("HTTP/1.1 200"), "{shown}");
    assert!(shown.contains("JWT_SECRET"), "{shown}");
    assert_hidden("the settings", &shown);
    for (method, path, token, body) in [
        ("GET", "/metrics", "", ""),
        ("GET", "/health", "", ""),
        ("GET", "/openapi.json", "", ""),
        ("GET", "/api/v1/keys", &*token, ""),
        ("GET", "/api/v1/audit", &token, ""),
        ("GET", "/api/v1/requests", &token, ""),
        ("GET", "/api/v1/nothing", &token, ""),
        ("PATCH", "/api/v1/keys", &token, ""),
        ("POST", "/api/v1/keys", &token, "{\"name\": 7}"),
        ("POST", "/add-number", &token, "{no json"),
        ("POST", "/add-number", "wrong", "{}"),
        ("GET", "/next-cid?to=13125551212", "wrong", ""),
    ] {
        assert_hidden(path, &ask(port, method, path, token, body));
    }
    let keys = use_keys(port, &token);
    let line = Path::new("/proc").join(served.0.id().to_string());
    let line = std::fs::read(line.join("cmdline")).expect("its command line");
    assert_hidden("the list of processes", &text(&line));
    for path in [
        "/metrics",
        "/api/v1/keys",
        "/api/v1/audit",
        "/api/v1/audit.csv",
        "/api/v1/requests",
    ] {
        let answer = ask(port, "GET", path, &token, "");
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        assert_without(&keys, path, &answer);
        assert_hidden(path, &answer);
    }
    // Somebody guesses: that is told to a receiver who is away, and the log says so.
    for _ in 0..20 {
        ask(port, "GET", "/api/v1/keys", "wrong", "");
    }
    let is_told = || {
        let log = text(&std::fs::read(folder.path().join("log")).expect("a log"));
        log.contains("the receiver of ALERT_WEBHOOK_URL cannot be used")
    };
    let mut looks = 0;
    while !is_told() {
        looks += 1;
        assert!(looks < 600, "no alert is tried");
        std::thread::sleep(Duration::from_millis(100));
    }
    drop(served);
    let log = text(&std::fs::read(folder.path().join("log")).expect("a log"));
    assert!(
        log.contains("JWKS_URL") || log.contains("127.0.0.1:1"),
        "{log}"
    );
    assert_hidden("the log", &log);
    assert_without(&keys, "the log", &log);
    let checked = run(start("info").args(["--help"]));
    assert_hidden("the help", &text(&checked.stdout));
}

#[test]
fn no_secret_is_in_what_a_start_that_fails_says() {
    let folder = folder();
    for (redis, database) in [
        ("redis://127.0.0.1:1/0", "sqlite:x.db"),
        ("", "postgres://postgres:secret@127.0.0.1:1/x"),
        ("", "mysql://postgres:secret@127.0.0.1:1/x"),
    ] {
        let mut command = binary(folder.path());
        command
            .args(["serve", "--api-port=0"])
            .env("LOG_LEVEL", "trace");
        command.envs(marked(1, database));
        command.env("REDIS_URL", redis).env_remove("JWKS_URL");
        if redis.is_empty() {
            let output = run(&mut command);
            assert!(!output.status.success(), "{database}");
            assert_hidden(database, &(text(&output.stderr) + &text(&output.stdout)));
        }
        command
            .env("REDIS_TLS_CA", "/nowhere")
            .env("REDIS_TIMEOUT_MS", "x");
        let output = run(&mut command);
        assert_eq!(output.status.code(), Some(2));
        assert_hidden(redis, &(text(&output.stderr) + &text(&output.stdout)));
    }
}
