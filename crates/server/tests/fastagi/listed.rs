//! What Asterisk asks is in the list of requests, beside what is asked over HTTP.

use serde_json::{Value, json};

use crate::asterisk::Channel;
use crate::service::Service;

const FIELDS: [&str; 7] = [
    "via",
    "request",
    "outcome",
    "destination",
    "campaign",
    "agent",
    "caller_id",
];

/// What the list says, newest first.
async fn listed(service: &Service) -> Value {
    let answer = service.admin("GET", "/api/v1/requests", "").await;
    let lines = answer["requests"].as_array().expect("a list");
    let lines = lines.iter().filter(|line| line["via"] == "fastagi");
    lines
        .map(|line| -> Value { FIELDS.iter().map(|name| line[*name].clone()).collect() })
        .collect()
}

#[tokio::test]
async fn each_question_is_listed_with_its_outcome_and_no_whole_destination() {
    let service = Service::start(&[], &["3125550100"]).await;
    let ask = |arguments: &[&'static str]| {
        let channel = Channel::asks("next-cid").to("913125551234");
        channel.arguments(arguments)
    };
    let all = ["call=a", "campaign=ROOF", "agent=7"];
    assert_eq!(service.told(ask(&all)).await.status(), "OK");
    assert_eq!(service.told(ask(&all)).await.status(), "OK");
    service.told(ask(&["call=b"])).await.only("EXHAUSTED");
    let monitor = Channel::asks("next-cid").name("S11221530458600051");
    service.told(monitor).await.only("NOT_A_CALL");
    let called = "+1312555****";
    let expected = json!([
        ["fastagi", "next-cid", "not_a_call", null, null, null, null],
        [
            "fastagi",
            "next-cid",
            "exhausted",
            called,
            "SOLAR",
            null,
            null
        ],
        [
            "fastagi",
            "next-cid",
            "repeated",
            called,
            "ROOF",
            "7",
            "+13125550100"
        ],
        [
            "fastagi",
            "next-cid",
            "allocated",
            called,
            "ROOF",
            "7",
            "+13125550100"
        ],
    ]);
    assert_eq!(listed(&service).await, expected);
    service.stop().await;
}

#[tokio::test]
async fn ends_of_calls_wrong_paths_and_refusals_are_listed() {
    let service = Service::start(&[], &["3125550100"]).await;
    let ask = Channel::asks("next-cid").arguments(&["call=a"]);
    assert_eq!(service.told(ask).await.status(), "OK");
    for call in ["call=a", "call=unheard"] {
        let report = Channel::asks("call-result").arguments(&[call, "dialstatus=ANSWER"]);
        service.told(report).await;
    }
    service.told(Channel::asks("next-sid\u{1b}")).await;
    let outcomes: Vec<Value> = listed(&service).await.as_array().expect("a list")[..3]
        .iter()
        .map(|line| json!([line[1], line[2]]))
        .collect();
    let expected = [
        json!(["(no such path)", "not_found"]),
        json!(["call-result", "not_found"]),
        json!(["call-result", "done"]),
    ];
    assert_eq!(outcomes, expected);
    service.stop().await;

    let service = Service::start(&[("TRUSTED_PROXIES", "127.0.0.1")], &["3125550100"]).await;
    service.told(Channel::asks("next-cid")).await;
    let lines = listed(&service).await;
    assert_eq!(lines[0][2], "refused", "{lines}");
    service.stop().await;
}
