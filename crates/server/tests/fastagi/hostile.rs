//! Clients that are slow, silent, many, or no Asterisk at all.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::asterisk::{Channel, within};
use crate::service::Service;

const NUMBER: [&str; 1] = ["3125550100"];

/// What the service says to `bytes` before it closes.
async fn said(service: &Service, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    // The service may close before it has read all of it, and what is not read then is a reset.
    let _ = stream.write_all(bytes).await;
    let mut said = Vec::new();
    let _ = within(stream.read_to_end(&mut said)).await;
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn who_never_speaks_or_never_answers_is_closed_and_stops_nobody() {
    let service = Service::start(&[("AGI_DEADLINE_MS", "150")], &NUMBER).await;
    let half = Channel::asks("next-cid").request();
    let (half, whole) = (&half[..100], half.as_str());
    let mut silent = Vec::new();
    for place in 0..300 {
        let mut stream = TcpStream::connect(service.address).await.unwrap();
        let words = ["", half, whole][place % 3];
        stream.write_all(words.as_bytes()).await.unwrap();
        silent.push(stream);
    }
    for stream in &mut silent {
        let mut said = Vec::new();
        let _ = within(stream.read_to_end(&mut said)).await;
        let said = String::from_utf8_lossy(&said);
        assert!(["", "GET VARIABLE CAMPCUST\n"].contains(&&*said), "{said}");
    }
    service.stop().await;
}

#[tokio::test]
async fn a_client_that_speaks_byte_by_byte_is_answered() {
    let service = Service::start(&[], &NUMBER).await;
    let told = service.told(Channel::asks("next-cid").byte_by_byte()).await;
    assert_eq!(told.status(), "OK");
    service.stop().await;
}

#[tokio::test]
async fn what_is_no_asterisk_is_closed_without_a_word() {
    let service = Service::start(&[], &NUMBER).await;
    let long_line = [b"agi_arg_1: ".to_vec(), vec![b'x'; 9_000], b"\n\n".to_vec()].concat();
    let many_lines = [b"agi_language: en\n".repeat(4_000), b"\n".to_vec()].concat();
    for bytes in [
        &b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n",
        b"agi_network\n\n",
        &long_line,
        &many_lines,
        &[0xff; 100_000],
    ] {
        assert_eq!(said(&service, bytes).await, "");
    }
    let mut nonsense = Channel::asks("next-cid").request();
    nonsense.push_str("what?\n");
    assert_eq!(
        said(&service, nonsense.as_bytes()).await,
        "GET VARIABLE CAMPCUST\n"
    );
    assert_eq!(service.told(Channel::asks("next-cid")).await.status(), "OK");
    service.stop().await;
}

#[tokio::test]
async fn replies_that_come_before_they_are_asked_for_are_replies_all_the_same() {
    let service = Service::start(&[], &NUMBER).await;
    let mut eager = Channel::asks("next-cid").request();
    eager.push_str(&"200 result=1\n".repeat(20));
    let said = said(&service, eager.as_bytes()).await;
    assert!(said.ends_with("SET VARIABLE CIDROT_STATUS OK\n"), "{said}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_calls_at_once_get_their_numbers() {
    let settings = [
        ("MOST_RESERVATIONS_PER_NUMBER", "60000"),
        ("CALLER_ID_COOLDOWN_SECONDS", "0"),
    ];
    let service = Service::start(&settings, &NUMBER).await;
    let mut calls = tokio::task::JoinSet::new();
    for call in 0..2_000 {
        let address = service.address;
        let channel = Channel::asks("next-cid")
            .name("")
            .unique_id(&format!("1.{call}"));
        calls.spawn(channel.run(address));
    }
    for told in calls.join_all().await {
        assert_eq!(told.status(), "OK", "{told:?}");
    }
    service.stop().await;
}

#[tokio::test]
async fn when_all_places_are_taken_who_has_not_asked_makes_room() {
    let settings = [("MAX_CONNECTIONS", "2"), ("AGI_DEADLINE_MS", "5000")];
    let service = Service::start(&settings, &NUMBER).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(service.address).await.unwrap());
    }
    assert_eq!(service.told(Channel::asks("next-cid")).await.status(), "OK");
    service.stop().await;
}
