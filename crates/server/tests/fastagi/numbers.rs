//! A call gets its number: with nothing said, with all said, asked again.

use caller_id_testkit::redis::RedisServer;

use crate::asterisk::{AUTO_DIALED, Channel, Told};
use crate::service::Service;

const NUMBERS: [&str; 3] = ["3125550100", "3125550101", "2125550100"];

/// The commands with their values left out.
fn words(told: &Told) -> Vec<&str> {
    let cut = |command: &'_ str| command.match_indices(' ').nth(2).map(|(at, _)| at);
    let commands = told.commands.iter();
    commands
        .map(|command| &command[..cut(command).unwrap_or(command.len())])
        .collect()
}

/// Nothing is said, and everything is done: in an order in which no cut leaves half of it.
async fn a_call_with_nothing_said_gets_its_number(settings: &[(&str, &str)]) {
    let service = Service::start(settings, &NUMBERS).await;
    let told = service.told(Channel::asks("next-cid")).await;
    assert_eq!(
        words(&told),
        [
            "GET VARIABLE CAMPCUST",
            "SET VARIABLE CIDROT_RESERVATION",
            "SET VARIABLE CIDROT_RUNG",
            "SET VARIABLE CIDROT_CALLER_ID",
            "SET VARIABLE CALLERID(num)",
            "SET VARIABLE CIDROT_STATUS",
        ]
    );
    assert_eq!(told.status(), "OK");
    assert!(told.caller_id().starts_with("312"), "{told:?}");
    assert_eq!(told.get("CIDROT_CALLER_ID"), told.caller_id());
    assert_eq!(told.get("CIDROT_RUNG"), "area_code");
    // The same over HTTP: it is the same call.
    let path = format!("/next-cid?to=13125550123&campaign=SOLAR&call={AUTO_DIALED}");
    let same = service.admin("GET", &path, "").await;
    assert_eq!(same["caller_id"], told.caller_id());
    assert_eq!(same["reservation_id"], told.get("CIDROT_RESERVATION"));
    assert_eq!(same["campaign"], "SOLAR");
    assert_eq!(same["repeated"], true);
    service.stop().await;
}

#[tokio::test]
async fn a_call_with_nothing_said_gets_its_number_from_memory() {
    a_call_with_nothing_said_gets_its_number(&[]).await;
}

#[tokio::test]
async fn a_call_with_nothing_said_gets_its_number_from_redis() {
    let redis = RedisServer::start();
    let settings = [("REDIS_URL", &*redis.url()), ("REDIS_TIMEOUT_MS", "20000")];
    a_call_with_nothing_said_gets_its_number(&settings).await;
}

#[tokio::test]
async fn a_call_that_asks_again_gets_the_same_number_counted_once() {
    let service = Service::start(&[], &NUMBERS).await;
    for name in [AUTO_DIALED, "Alice", ""] {
        let ask = || service.told(Channel::asks("next-cid").name(name));
        let (first, again) = (ask().await, ask().await);
        assert_eq!(first.caller_id(), again.caller_id(), "{name}");
        let id = "CIDROT_RESERVATION";
        assert_eq!(first.get(id), again.get(id), "{name}");
    }
    // Alice and nobody are the same channel: two calls in all, and the third number is free.
    let other = Channel::asks("next-cid").name("").unique_id("1795348800.2");
    assert_eq!(service.told(other).await.caller_id(), "2125550100");
    service.stop().await;
}

#[tokio::test]
async fn the_agent_and_the_campaign_of_a_manual_call_come_from_its_name() {
    let service = Service::start(&[], &NUMBERS).await;
    let manual = "M4050908070000012345 1001 WIND";
    let channel = Channel::asks("next-cid").name(manual);
    let told = service.told(channel.variable("CAMPCUST", "")).await;
    assert_eq!(told.status(), "OK");
    let path = "/next-cid?to=13125550123&call=M4050908070000012345";
    let same = service.admin("GET", path, "").await;
    assert_eq!(
        (&same["agent"], &same["campaign"]),
        (&"1001".into(), &"WIND".into())
    );
    service.stop().await;
}

#[tokio::test]
async fn what_the_dialplan_says_overrides_what_asterisk_says() {
    let service = Service::start(&[], &NUMBERS).await;
    let ways = [
        Channel::asks("next-cid").arguments(&[
            "to=12125550123",
            "campaign=WIND",
            "call=a",
            "agent=7",
        ]),
        Channel::asks("next-cid").arguments(&["12125550123", "WIND", "7", "a"]),
        Channel::asks("/next-cid/?to=%2B12125550123&campaign=WIND&agent=7&call=a"),
        Channel::asks("next-cid?to=1&campaign=X&agent=8").arguments(&[
            "to=912125550123",
            "WIND",
            "7",
            "a",
        ]),
    ];
    for way in ways {
        let told = service.told(way).await;
        assert_eq!((told.status(), told.caller_id()), ("OK", "2125550100"));
        // The campaign is known: it is not asked for.
        assert_eq!(told.commands.len(), 5, "{told:?}");
    }
    let same = service
        .admin("GET", "/next-cid?to=12125550123&call=a", "")
        .await;
    assert_eq!(
        (&same["agent"], &same["campaign"]),
        (&"7".into(), &"WIND".into())
    );
    service.stop().await;
}

#[tokio::test]
async fn a_number_is_written_as_the_settings_say() {
    let service = Service::start(&[("CALLER_ID_FORMAT", "e164")], &NUMBERS).await;
    let told = service.told(Channel::asks("next-cid")).await;
    assert!(told.caller_id().starts_with("+1312"), "{told:?}");
    service.stop().await;
}
