//! Callers who hang up, connections that break, calls that end, and a service that stops.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::asterisk::{Channel, Told, within};
use crate::service::Service;

/// One number, free again as soon as it is given back.
const SETTINGS: [(&str, &str); 1] = [("CALLER_ID_COOLDOWN_SECONDS", "0")];
const NUMBER: [&str; 1] = ["3125550100"];

/// The commands of a whole dialog.
const COMMANDS: usize = 6;
/// The one that sets the number.
const SETS_NUMBER: usize = 5;

/// A channel that not even Asterisk has an id for.
fn nameless() -> Channel {
    Channel::asks("next-cid").name("").unique_id("")
}

/// The number is given back in a moment: it is asked for until it is.
async fn gets_the_number(service: &Service) {
    loop {
        let told = service.told(nameless()).await;
        match told.status() {
            "OK" => return,
            status => assert_eq!(status, "EXHAUSTED"),
        }
    }
}

#[tokio::test]
async fn a_caller_who_hangs_up_before_the_number_is_set_gets_none() {
    for command in 0..SETS_NUMBER {
        let service = Service::start(&SETTINGS, &NUMBER).await;
        let told = service.told(nameless().hang_up_at(command)).await;
        assert_eq!((told.caller_id(), told.status()), ("", ""), "{command}");
        // It has no id to ask again with: nobody could use the number.
        gets_the_number(&service).await;
        service.stop().await;
    }
}

#[tokio::test]
async fn a_caller_who_hangs_up_after_the_number_is_set_ends_the_dialog_as_any_other() {
    for command in SETS_NUMBER..=COMMANDS {
        let service = Service::start(&SETTINGS, &NUMBER).await;
        let told = service.told(nameless().hang_up_at(command)).await;
        assert_eq!((told.caller_id(), told.status()), ("3125550100", "OK"));
        service.told(nameless()).await.only("EXHAUSTED");
        service.stop().await;
    }
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_number_is_set_gives_it_back() {
    for command in 0..SETS_NUMBER {
        let service = Service::start(&SETTINGS, &NUMBER).await;
        service.told(nameless().cut_at(command)).await;
        gets_the_number(&service).await;
        service.stop().await;
    }
}

#[tokio::test]
async fn a_connection_that_breaks_later_leaves_the_number_reserved_for_the_call_may_show_it() {
    for command in SETS_NUMBER..=COMMANDS {
        let service = Service::start(&SETTINGS, &NUMBER).await;
        service.told(nameless().cut_at(command)).await;
        service.told(nameless()).await.only("EXHAUSTED");
        service.stop().await;
    }
}

#[tokio::test]
async fn a_call_that_breaks_off_and_asks_again_gets_the_same_number() {
    let service = Service::start(&SETTINGS, &NUMBER).await;
    for command in 0..=COMMANDS {
        service
            .told(Channel::asks("next-cid").cut_at(command))
            .await;
        let again = service.told(Channel::asks("next-cid")).await;
        assert_eq!(again.status(), "OK");
    }
    service.stop().await;
}

fn report(told: &Told) -> (&str, usize) {
    let asked = told.commands.iter().filter(|line| line.starts_with("GET"));
    (told.get("CIDROT_REPORT"), asked.count())
}

#[tokio::test]
async fn the_end_of_a_call_is_reported_from_its_variables_also_on_a_channel_that_is_gone() {
    let service = Service::start(&SETTINGS, &NUMBER).await;
    let told = service.told(Channel::asks("next-cid")).await;
    let ended = Channel::asks("call-result")
        .to("h")
        .hang_up_at(0)
        .variable("CIDROT_RESERVATION", told.get("CIDROT_RESERVATION"))
        .variable("DIALSTATUS", "BUSY")
        .variable("DIALEDTIME", "12")
        .variable("ANSWEREDTIME", "")
        .variable("HANGUPCAUSE", "17")
        .variable("HANGUPCAUSE_KEYS()", "SIP/out-00000001")
        .variable("HANGUPCAUSE(SIP/out-00000001,tech)", "SIP 486 Busy here");
    assert_eq!(report(&service.told(ended).await), ("KEPT", 7));
    gets_the_number(&service).await;
    service.stop().await;
}

#[tokio::test]
async fn the_end_of_a_call_is_reported_by_its_id_with_arguments_and_asks_for_nothing() {
    let service = Service::start(&SETTINGS, &NUMBER).await;
    service.told(Channel::asks("next-cid")).await;
    let said = [
        "dialstatus=ANSWER",
        "answered_seconds=30",
        "dialed_seconds=42",
        "hangup_cause=16",
        "sip_code=SIP 200 OK",
        "call=V1221530450000012345",
    ];
    let ended = Channel::asks("call-result").name("").arguments(&said);
    assert_eq!(report(&service.told(ended).await), ("KEPT", 0));
    gets_the_number(&service).await;
    service.stop().await;
}

/// What history has of the only call, as soon as its end is there.
async fn kept(service: &Service) -> Value {
    let looked = async {
        loop {
            let page = service.admin("GET", "/api/v1/allocations", "").await;
            let call = &page["allocations"][0];
            if call["reported_at"].is_string() {
                return call.clone();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let call = tokio::time::timeout(Duration::from_secs(20), looked).await;
    call.expect("history has the end")
}

#[tokio::test]
async fn talk_of_a_call_that_was_not_answered_is_not_kept() {
    for (status, kept_as, seconds) in [
        ("BUSY", "BUSY", Value::Null),
        ("ANSWER", "ANSWER", json!(58)),
        ("", "RELEASED", json!(58)),
    ] {
        let service = Service::start(&SETTINGS, &NUMBER).await;
        service.told(Channel::asks("next-cid")).await;
        let ended = Channel::asks("call-result")
            .variable("DIALSTATUS", status)
            .variable("ANSWEREDTIME", "58");
        assert_eq!(report(&service.told(ended).await).0, "KEPT");
        let call = kept(&service).await;
        assert_eq!(call["status"], kept_as);
        assert_eq!(call["answered_seconds"], seconds, "{status}");
        service.stop().await;
    }
}

#[tokio::test]
async fn a_report_of_an_unknown_call_or_with_nonsense_in_it_breaks_nothing() {
    let service = Service::start(&SETTINGS, &NUMBER).await;
    let unknown = service.told(Channel::asks("call-result")).await;
    assert_eq!(report(&unknown).0, "UNKNOWN");
    service.told(Channel::asks("next-cid")).await;
    let nonsense = ["dialstatus=HUNGUP", "answered_seconds=-1", "sip_code=none"];
    let kept = Channel::asks("call-result").arguments(&nonsense);
    assert_eq!(report(&service.told(kept).await).0, "KEPT");
    for (channel, word) in [
        (
            Channel::asks("call-result").arguments(&["reservation=7"]),
            "BAD_REQUEST",
        ),
        (
            Channel::asks("call-result").name("S11221530458600051"),
            "NOT_A_CALL",
        ),
        (
            Channel::asks("call-result").name("").unique_id(""),
            "BAD_REQUEST",
        ),
    ] {
        assert_eq!(report(&service.told(channel).await).0, word);
    }
    service.stop().await;
}

/// Calls, one after the other, until nobody lets them in. Who was let in is answered; who was not is told nothing at all.
async fn dial(address: SocketAddr, dialer: usize, answered: &AtomicUsize) {
    for call in 0_u32.. {
        let Ok(stream) = TcpStream::connect(address).await else {
            return;
        };
        let channel = Channel::asks("next-cid").name("");
        let channel = channel.unique_id(&format!("{dialer}.{call}"));
        let told = channel.talk(stream).await;
        if told.commands.is_empty() {
            return;
        }
        assert_eq!(told.status(), "OK", "{told:?}");
        answered.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_under_load_answers_every_call_that_was_begun() {
    let settings = [("MOST_RESERVATIONS_PER_NUMBER", "60000"), SETTINGS[0]];
    let service = Service::start(&settings, &NUMBER).await;
    let answered = Arc::new(AtomicUsize::new(0));
    let mut dialers = tokio::task::JoinSet::new();
    for dialer in 0..50 {
        let (address, answered) = (service.address, answered.clone());
        dialers.spawn(async move { dial(address, dialer, &answered).await });
    }
    while answered.load(Ordering::Relaxed) < 500 {
        tokio::task::yield_now().await;
    }
    service.begin_stop();
    within(dialers.join_all()).await;
    service.stop().await;
}
