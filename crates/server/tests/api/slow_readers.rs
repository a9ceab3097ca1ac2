//! Clients that take their answers slowly get them whole.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::connections::{Running, within};

/// The longest answer that needs no inventory, and so many of it that no buffer of the system holds them.
const LONG: &[u8] = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\n\r\n";
const ANSWERS: usize = 12;

/// A client that has asked for long answers and has taken none of them.
async fn asked(service: &Running) -> TcpStream {
    let mut stream = service.connect().await;
    stream.write_all(&LONG.repeat(ANSWERS)).await.expect("sent");
    stream
}

/// How many bytes come before the connection ends or has been silent for a while.
async fn taken(stream: &mut TcpStream) -> usize {
    let mut bytes = 0;
    let mut part = vec![0; 65_536];
    while let Ok(Ok(count)) =
        tokio::time::timeout(Duration::from_millis(500), stream.read(&mut part)).await
    {
        if count == 0 {
            break;
        }
        bytes += count;
    }
    bytes
}

/// How long one answer is.
async fn length(service: &Running) -> usize {
    let mut stream = service.connect().await;
    stream.write_all(LONG).await.expect("sent");
    within(taken(&mut stream)).await
}

#[tokio::test]
async fn an_answer_that_is_taken_slowly_is_not_cut_off_as_idle() {
    let service = Running::start(&[("HEADER_TIMEOUT_SECONDS", "1")]).await;
    let length = length(&service).await;
    let mut slow = asked(&service).await;
    sleep(Duration::from_secs(3)).await;
    assert_eq!(within(taken(&mut slow)).await, length * ANSWERS);
    service.stop().await;
}

#[tokio::test]
async fn a_stop_cuts_no_answer_in_two_that_is_taken_slowly() {
    let service = Running::start(&[]).await;
    let length = length(&service).await;
    let mut slow = asked(&service).await;
    sleep(Duration::from_millis(500)).await;
    service.begin_stop();
    sleep(Duration::from_millis(500)).await;
    let taken = within(taken(&mut slow)).await;
    assert!(taken > 0);
    assert_eq!(taken % length, 0, "{taken} of answers of {length}");
    service.stop().await;
}
