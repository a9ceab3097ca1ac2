//! Connections over TCP: slow, half-open and broken ones stop nobody; a stop answers what was accepted.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use caller_id::app::App;
use caller_id::cli::serve_settings;
use caller_id::serve::serve;
use caller_id_core::SystemClock;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    served: JoinHandle<anyhow::Result<()>>,
    _folder: TempDir,
}

impl Running {
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_str().expect("a plain path").to_owned();
        let mut pairs = vec![("DATA_DIR", path.as_str())];
        pairs.extend_from_slice(settings);
        let settings = serve_settings(&pairs).expect("good settings");
        let app = App::open(&settings, Arc::new(SystemClock::new()))
            .await
            .expect("a service");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        let served = tokio::spawn(serve(listener, app, stop.clone().cancelled_owned()));
        Self {
            address,
            stop,
            served,
            _folder: folder,
        }
    }

    pub(crate) fn begin_stop(&self) {
        self.stop.cancel();
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address)
            .await
            .expect("a connection")
    }

    /// Sends `text` on a connection of its own and reads until the other end closes.
    pub(crate) async fn exchange(&self, text: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(text).await.expect("sent");
        rest(&mut stream).await
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        within(self.served)
            .await
            .expect("no panic")
            .expect("a clean end");
    }
}

pub(crate) async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset after the answer is an end like any other.
    let _ = within(stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), future)
        .await
        .expect("in time")
}

pub(crate) const LIVE: &[u8] = b"GET /live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn slow_and_half_open_connections_stop_nobody_and_are_closed() {
    let service = Running::start(&[("HEADER_TIMEOUT_SECONDS", "1")]).await;
    let mut slow = Vec::new();
    for place in 0..200 {
        let mut stream = service.connect().await;
        if place % 2 == 0 {
            stream
                .write_all(b"GET /next-cid HTTP/1.1\r\nhost")
                .await
                .expect("sent");
        }
        slow.push(stream);
    }
    assert!(service.exchange(LIVE).await.starts_with("HTTP/1.1 200"));
    for stream in &mut slow {
        rest(stream).await;
    }
    service.stop().await;
}

#[tokio::test]
async fn half_a_request_does_not_hold_up_a_stop() {
    let service = Running::start(&[("SHUTDOWN_TIMEOUT_SECONDS", "600")]).await;
    let mut half = service.connect().await;
    half.write_all(b"GET /next-cid HTTP/1.1\r\nhost")
        .await
        .expect("sent");
    // Whoever comes later is answered, so the half has been read by now.
    assert!(service.exchange(LIVE).await.starts_with("HTTP/1.1 200"));
    service.stop().await;
}

#[tokio::test]
async fn who_sends_ten_megabytes_before_it_reads_comes_to_read_why_not() {
    let service = Running::start(&[]).await;
    let head = "POST /api/v1/release HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 10000000\r\n\r\n";
    let mut stream = service.connect().await;
    stream.write_all(head.as_bytes()).await.expect("sent");
    stream
        .write_all(&vec![b'x'; 10_000_000])
        .await
        .expect("all of it is taken");
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    service.stop().await;
}

#[tokio::test]
async fn one_place_is_enough_for_one_after_the_other() {
    let service = Running::start(&[("MAX_CONNECTIONS", "1")]).await;
    let _half_open = service.connect().await;
    assert!(service.exchange(LIVE).await.starts_with("HTTP/1.1 200"));
    service.stop().await;
}

#[tokio::test]
async fn who_has_asked_once_and_then_dawdles_keeps_nobody_out() {
    let settings = [("MAX_CONNECTIONS", "1"), ("HEADER_TIMEOUT_SECONDS", "1")];
    let service = Running::start(&settings).await;
    let mut slow = service.connect().await;
    slow.write_all(b"GET /live HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .expect("sent");
    let mut first = [0; 12];
    within(slow.read_exact(&mut first)).await.expect("answered");
    assert_eq!(&first, b"HTTP/1.1 200");
    slow.write_all(b"GET /live HTTP/1.1\r\nhost")
        .await
        .expect("sent");
    assert!(service.exchange(LIVE).await.starts_with("HTTP/1.1 200"));
    service.stop().await;
}

#[tokio::test]
async fn a_client_that_takes_no_answers_is_cut_off() {
    let service = Running::start(&[("BODY_TIMEOUT_SECONDS", "1")]).await;
    let mut greedy = service.connect().await;
    let asking = tokio::spawn(async move {
        // Never reads. Ends when the service has cut it off.
        while greedy
            .write_all(b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .is_ok()
        {}
    });
    assert!(service.exchange(LIVE).await.starts_with("HTTP/1.1 200"));
    within(asking).await.expect("no panic");
    service.stop().await;
}

#[tokio::test]
async fn what_is_not_http_is_refused() {
    let service = Running::start(&[]).await;
    for text in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..],
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"HELLO\r\n\r\n",
    ] {
        let answer = service.exchange(text).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    service.stop().await;
}

#[tokio::test]
async fn huge_headers_are_refused() {
    let service = Running::start(&[]).await;
    let mut text = b"GET /live HTTP/1.1\r\nhost: x\r\nx-big: ".to_vec();
    text.resize(200_000, b'a');
    let mut stream = service.connect().await;
    // The service may close before it has read all of it.
    let _ = stream.write_all(&text).await;
    let answer = rest(&mut stream).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    assert!(service.exchange(LIVE).await.starts_with("HTTP/1.1 200"));
    service.stop().await;
}

#[tokio::test]
async fn a_stop_closes_idle_connections_and_answers_what_was_accepted() {
    let service = Running::start(&[]).await;
    let mut idle = service.connect().await;
    idle.write_all(b"GET /live HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .expect("sent");
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.expect("an answer");
    let mut busy = service.connect().await;
    let head = b"POST /api/v1/release HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 16\r\nexpect: 100-continue\r\n\r\n";
    busy.write_all(head).await.expect("sent");
    // The handler waits for the body: the request is accepted.
    let mut go_on = [0; 25];
    busy.read_exact(&mut go_on).await.expect("100 Continue");
    service.stop.cancel();
    rest(&mut idle).await;
    busy.write_all(b"{\"call_id\":\"V1\"}").await.expect("sent");
    let answer = rest(&mut busy).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("\"released\":false"),
        "{answer}"
    );
    service.stop().await;
}

#[tokio::test]
async fn a_stop_does_not_wait_longer_than_allowed_for_a_request_that_does_not_come() {
    let service = Running::start(&[("SHUTDOWN_TIMEOUT_SECONDS", "1")]).await;
    let mut half = service.connect().await;
    half.write_all(b"GET /live HTTP/1.1\r\nhost")
        .await
        .expect("sent");
    assert!(service.exchange(LIVE).await.starts_with("HTTP/1.1 200"));
    service.stop().await;
}

#[tokio::test]
async fn a_stop_waits_for_half_a_request_no_longer_than_any_other_time() {
    let service = Running::start(&[
        ("HEADER_TIMEOUT_SECONDS", "1"),
        ("SHUTDOWN_TIMEOUT_SECONDS", "60"),
    ])
    .await;
    let mut half = service.connect().await;
    half.write_all(b"GET /live HTTP/1.1\r\nhost")
        .await
        .expect("sent");
    assert!(service.exchange(LIVE).await.starts_with("HTTP/1.1 200"));
    service.stop().await;
}

/// Asks again and again on one connection until the service closes it; gives how many answers were whole.
async fn ask_until_closed(mut stream: TcpStream) -> usize {
    let mut answers = 0;
    loop {
        let request = b"GET /next-cid?to=3125551212&format=form HTTP/1.1\r\nhost: x\r\n\r\n";
        if stream.write_all(request).await.is_err() {
            return answers;
        }
        let mut answer = Vec::new();
        while !answer.ends_with(b"error=no-caller-id&status=404") {
            let mut part = [0; 1024];
            match stream.read(&mut part).await {
                Ok(count) if count > 0 => answer.extend_from_slice(&part[..count]),
                _ => {
                    assert!(
                        answer.is_empty(),
                        "cut off: {}",
                        String::from_utf8_lossy(&answer)
                    );
                    return answers;
                }
            }
        }
        answers += 1;
    }
}

#[tokio::test]
async fn a_stop_under_load_cuts_no_answer_in_two() {
    let service = Running::start(&[]).await;
    let mut asking = Vec::new();
    for _ in 0..16 {
        asking.push(tokio::spawn(ask_until_closed(service.connect().await)));
    }
    for _ in 0..20 {
        assert!(service.exchange(LIVE).await.starts_with("HTTP/1.1 200"));
    }
    service.stop().await;
    for client in asking {
        assert!(within(client).await.expect("no answer cut in two") > 0);
    }
}
