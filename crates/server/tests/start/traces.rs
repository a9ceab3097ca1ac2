//! Traces, as a collector gets them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use crate::files::{address, ask};
use crate::run::Running;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const OTHER_TRACE: &str = "1af7651916cd43dd8448eb211c80319d";
const SPAN: &str = "b7ad6b7169203331";
const PATIENCE: Duration = Duration::from_secs(30);

/// What came to the collector.
struct Batch {
    head: String,
    body: Vec<u8>,
}

impl Batch {
    fn has(&self, bytes: &[u8]) -> bool {
        self.body.windows(bytes.len()).any(|found| found == bytes)
    }
}

/// A collector that takes whatever comes, until the test ends.
fn collector() -> (String, Receiver<Batch>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, batches) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            while let Some(batch) = take(&stream) {
                if tell.send(batch).is_err() {
                    return;
                }
            }
        }
    });
    (url, batches)
}

fn take(stream: &TcpStream) -> Option<Batch> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    head.make_ascii_lowercase();
    let (_, length) = head.split_once("content-length: ")?;
    let length = length.lines().next()?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut stream = stream;
    let answer =
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
    stream.write_all(answer.as_bytes()).ok()?;
    Some(Batch { head, body })
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = (0..hex.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn a_request_whose_trace_is_taken_comes_to_the_collector_and_others_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let (url, batches) = collector();
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*url),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Bearer%20secret-7",
        ),
        ("OTEL_SERVICE_NAME", "east"),
        ("OTEL_TRACES_SAMPLER", "parentbased_always_off"),
        ("LOG_LEVEL", "error"),
    ];
    let mut service = Running::start(folder.path(), &variables);
    let address = address(&mut service);
    let call = "/next-cid?to=13125551212";
    let of = |trace: &str, flags: &str| {
        format!("traceparent: 00-{trace}-{SPAN}-{flags}\r\nx-request-id: call-4711\r\n")
    };
    ask(&address, call, "");
    ask(&address, call, &of(OTHER_TRACE, "00"));
    ask(&address, call, &of(TRACE, "01"));
    ask(&address, "/health", &of(TRACE, "01"));
    let batch = batches.recv_timeout(PATIENCE).expect("a batch");
    let (code, said) = service.stop();
    assert_eq!(code, Some(0), "{said:?}");
    let head = &batch.head;
    assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
    assert!(
        head.contains("content-type: application/x-protobuf\r\n"),
        "{head}"
    );
    assert!(
        head.contains("authorization: bearer secret-7\r\n"),
        "{head}"
    );
    let all = std::iter::once(batch)
        .chain(batches.try_iter())
        .collect::<Vec<_>>();
    let has = |part: &[u8]| all.iter().any(|batch| batch.has(part));
    for part in [
        &bytes(TRACE)[..],
        &bytes(SPAN),
        b"GET /next-cid",
        b"GET /health",
        b"allocate",
        b"east",
        b"call-4711",
    ] {
        assert!(has(part), "{}", String::from_utf8_lossy(part));
    }
    assert!(!has(&bytes(OTHER_TRACE)));
    assert!(!has(b"3125551212"), "who was called is in no trace");
    assert!(!said.join("\n").contains("secret-7"), "{said:?}");
}

#[test]
fn a_collector_that_is_away_harms_nobody() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens where somebody just did.
    let url = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*url),
        ("OTEL_TRACES_SAMPLER", "always_on"),
    ];
    let mut service = Running::start(folder.path(), &variables);
    let address = address(&mut service);
    for _ in 0..100 {
        let answer = ask(&address, "/next-cid?to=13125551212", "");
        assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    }
    service.until(&["WARN", "traces cannot be sent"]);
    let metrics = ask(&address, "/metrics", "");
    let failed = "\ncaller_id_trace_exports_failed_total ";
    let (_, value) = metrics.split_once(failed).expect("a count");
    assert!(!value.starts_with("0\n"), "{value}");
    let (code, said) = service.stop();
    assert_eq!(code, Some(0), "{said:?}");
}

#[test]
fn what_is_no_collector_is_named_before_anything_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    for (name, wrong) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "secret-7"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.5"),
    ] {
        let variables = [(name, wrong)];
        let (code, said) = Running::start(folder.path(), &variables).end();
        assert_eq!(code, Some(2), "{name}: {said:?}");
        assert!(
            said.iter().any(|line| line.contains(name)),
            "{name}: {said:?}"
        );
    }
}
