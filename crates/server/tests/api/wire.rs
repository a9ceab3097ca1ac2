//! Bytes as rough clients send them: each request that was accepted is answered, whatever comes after it.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::connections::{LIVE, Running, rest, within};

const GET: &str = "GET /live HTTP/1.1\r\nhost: x\r\n\r\n";
const POST: &str = "POST /api/v1/release HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                    content-length: 16\r\n\r\n{\"call_id\":\"V1\"}";

/// Reads until the answers so far end with `end`.
async fn read_to(stream: &mut TcpStream, end: &str) -> String {
    let mut read = Vec::new();
    while !read.ends_with(end.as_bytes()) {
        let byte = within(stream.read_u8()).await;
        read.push(byte.unwrap_or_else(|_| panic!("cut: {}", String::from_utf8_lossy(&read))));
    }
    String::from_utf8(read).expect("text")
}

#[tokio::test]
async fn a_request_is_answered_at_once_whatever_follows_it() {
    // The header timeout would end the test by its own limit.
    let service = Running::start(&[("HEADER_TIMEOUT_SECONDS", "3600")]).await;
    for (request, end) in [(GET, "ok\n"), (POST, "}")] {
        for after in ["\r\n", "\n", "\r\n\r\n", "G", "GET /live HTTP/1.1\r\nho"] {
            let mut stream = service.connect().await;
            let text = format!("{request}{after}");
            stream.write_all(text.as_bytes()).await.expect("sent");
            let answer = read_to(&mut stream, end).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{after:?}: {answer}");
        }
    }
    service.stop().await;
}

#[tokio::test]
async fn the_first_answer_comes_although_the_second_request_is_no_http() {
    let service = Running::start(&[]).await;
    for (request, begin) in [(GET, "HTTP/1.1 200"), (POST, "HTTP/1.1 200")] {
        let answer = service
            .exchange(format!("{request}NO HTTP\r\n\r\n").as_bytes())
            .await;
        assert!(answer.starts_with(begin), "{answer}");
        assert!(answer.contains("HTTP/1.1 400"), "{answer}");
    }
    service.stop().await;
}

#[tokio::test]
async fn what_is_not_good_http_is_told_so() {
    let service = Running::start(&[]).await;
    let mut long_url = b"GET /".to_vec();
    long_url.resize(64 * 1024, b'a');
    long_url.extend_from_slice(b" HTTP/1.1\r\nhost: x\r\n\r\n");
    let mut many_headers = b"GET /live HTTP/1.1\r\n".to_vec();
    for place in 0..200 {
        many_headers.extend_from_slice(format!("x-{place}: y\r\n").as_bytes());
    }
    many_headers.extend_from_slice(b"\r\n");
    let post = "POST /api/v1/release HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let both = format!("{post}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n");
    let bad_chunk = format!("{post}transfer-encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n");
    let cases: [(&str, &[u8]); 6] = [
        ("a long URL", &long_url),
        (
            "a byte that is no text",
            b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n",
        ),
        ("many headers", &many_headers),
        ("a blank", b"GET /next cid HTTP/1.1\r\nhost: x\r\n\r\n"),
        ("two lengths", both.as_bytes()),
        ("a bad chunk", bad_chunk.as_bytes()),
    ];
    for (what, text) in cases {
        let mut stream = service.connect().await;
        // The service may close before it has read all of it.
        let _ = stream.write_all(text).await;
        let _ = stream.shutdown().await;
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{what}: {answer:?}");
    }
    service.stop().await;
}

#[tokio::test]
async fn a_client_that_sends_no_more_still_gets_its_answer() {
    let service = Running::start(&[]).await;
    // The store is asked before this one is answered.
    let health = GET.replace("/live", "/health");
    for request in [GET, POST, &health] {
        let mut stream = service.connect().await;
        stream.write_all(request.as_bytes()).await.expect("sent");
        stream.shutdown().await.expect("half closed");
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
    }
    service.stop().await;
}

#[tokio::test]
async fn who_waits_longest_makes_room_for_the_next() {
    let settings = [("MAX_CONNECTIONS", "4"), ("HEADER_TIMEOUT_SECONDS", "3600")];
    let service = Running::start(&settings).await;
    let mut idle = service.connect().await;
    idle.write_all(GET.as_bytes()).await.expect("sent");
    read_to(&mut idle, "ok\n").await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut stream = service.connect().await;
        stream.write_all(b"GET /x").await.expect("sent");
        slow.push(stream);
    }
    for _ in 0..5 {
        assert!(service.exchange(LIVE).await.starts_with("HTTP/1.1 200"));
    }
    assert_eq!(rest(&mut idle).await, "");
    drop(slow);
    service.stop().await;
}

#[tokio::test]
async fn who_is_being_answered_does_not_make_room() {
    let settings = [("MAX_CONNECTIONS", "2"), ("HEADER_TIMEOUT_SECONDS", "3600")];
    let service = Running::start(&settings).await;
    let mut busy = service.connect().await;
    let (head, body) = POST.split_once("\r\n\r\n").expect("a body");
    let head = format!("{head}\r\nexpect: 100-continue\r\n\r\n");
    busy.write_all(head.as_bytes()).await.expect("sent");
    // The handler waits for the body.
    read_to(&mut busy, "\r\n\r\n").await;
    let mut slow = Vec::new();
    for _ in 0..5 {
        slow.push(service.connect().await);
        assert!(service.exchange(LIVE).await.starts_with("HTTP/1.1 200"));
    }
    busy.write_all(body.as_bytes()).await.expect("sent");
    let answer = read_to(&mut busy, "}").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    service.stop().await;
}
