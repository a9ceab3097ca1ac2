//! How calls went, as dialplans tell it: it frees numbers, is kept once, and never breaks a dialplan.

use caller_id::app::stores::open_to_read;
use caller_id_core::{AllocationId, CallEnd, PastAllocation, Timestamp};
use serde_json::{Value, json};

use crate::support::{Answer, Service};

async fn stocked() -> Service {
    let service = Service::start(&[]).await;
    service.add(json!({"caller_id": "3125550100"})).await;
    service
}

async fn taken(service: &Service, query: &str) -> Value {
    let answer = service
        .get(&format!("/next-cid?to=12125551212{query}"))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

async fn form(service: &Service, body: &str) -> Answer {
    let call = service.ask("POST", "/call-result");
    call.header("content-type", "application/x-www-form-urlencoded")
        .body(body.to_owned())
        .send()
        .await
}

/// The first allocation of history, when the service has stopped.
async fn kept(service: Service) -> PastAllocation {
    let database = service.storage().database().expect("a database");
    let left = service.stop().await;
    let store = open_to_read(&database).await.expect("it opens");
    let first = AllocationId::first_at(Timestamp::ZERO);
    let page = store.history.allocations_page(first, 1).await;
    let past = page.expect("history is read").pop();
    store.close().await;
    drop(left);
    past.expect("it is there")
}

#[tokio::test]
async fn a_report_frees_the_number_and_says_so() {
    let service = stocked().await;
    for round in 0..4 {
        let taken = taken(&service, &format!("&call=V{round}")).await;
        let id = taken["reservation_id"].as_str().expect("an id");
        let answer = match round {
            0 => form(&service, "call=V0&dialstatus=ANSWER&answered_seconds=42").await,
            1 => service.get(&format!("/call-result?reservation={id}")).await,
            2 => {
                let body = json!({"call_id": "V2", "dialstatus": "NO ANSWER", "dialed_seconds": 30,
                                  "answered_seconds": "", "sip_code": 480});
                service.ask("POST", "/call-result").json(&body).send().await
            }
            _ => {
                let path =
                    "/call-result?caller_id=%2B13125550100&to=(212)%20555-1212&hangup_cause=17";
                service.stored().await;
                service.get(path).await
            }
        };
        assert_eq!(answer.status, 200, "{}", answer.body);
        let expected = json!({"kept": true, "released": true, "reservation_id": id});
        assert_eq!(answer.json(), expected, "round {round}");
        service.clock.advance_ms(60_000);
    }
}

#[tokio::test]
async fn all_that_is_said_is_kept_with_the_allocation() {
    let service = stocked().await;
    taken(&service, "&call=V1").await;
    let said = "/call-result?call=V1&dialstatus=BUSY&answered_seconds=0&dialed_seconds=7&hangup_cause=17&sip_code=SIP%20486%20Busy%20Here";
    assert_eq!(service.get(said).await.status, 200);
    let past = kept(service).await;
    assert_eq!(past.status(), CallEnd::Busy);
    let report = past.result.expect("it is kept").report;
    assert_eq!(
        (report.answered_seconds, report.dialed_seconds),
        (Some(0), Some(7))
    );
    assert_eq!(
        (report.hangup_cause, report.sip_code),
        (Some(17), Some(486))
    );
    assert!(past.ended.is_some());
}

/// Whoever looks whether the address is there (a monitor, a browser) ends no call.
#[tokio::test]
async fn other_methods_report_nothing() {
    let service = stocked().await;
    taken(&service, "&call=V1").await;
    for method in ["HEAD", "PUT", "DELETE", "OPTIONS"] {
        for format in ["", "&format=text"] {
            let path = format!("/call-result?call=V1&dialstatus=BUSY{format}");
            let answer = service.ask(method, &path).send().await;
            assert_eq!(answer.status, 405, "{method}{format}");
            assert_eq!(answer.header("allow"), "GET, POST", "{method}{format}");
            let is_empty = method == "HEAD" || !format.is_empty();
            assert_eq!(answer.body.is_empty(), is_empty, "{method}{format}");
        }
    }
    let answer = service.get("/call-result?call=V1").await;
    assert_eq!(
        answer.json()["released"],
        true,
        "the number was reserved until now"
    );
}

#[tokio::test]
async fn late_repeated_and_unknown_reports_are_no_error() {
    let service = stocked().await;
    let first = taken(&service, "&call=V1").await;
    // A call of twenty minutes outlives its reservation, and its number goes to another one meanwhile.
    service.clock.advance_ms(1_200_000);
    taken(&service, "&call=V2").await;
    let id = &first["reservation_id"];
    for status in ["ANSWER", "BUSY"] {
        let answer = form(&service, &format!("call=V1&dialstatus={status}")).await;
        let expected = json!({"kept": true, "released": false, "reservation_id": id});
        assert_eq!((answer.status, answer.json()), (200, expected));
    }
    let nobody = json!({"kept": false, "released": false, "reservation_id": null});
    for body in [
        "call=V9",
        "caller_id=3125550100&to=7735550000",
        "caller_id=3125550100&to=911",
        "reservation=0192f3c5-7b1e-7cc3-98c4-dc0c0c07398f",
    ] {
        let answer = form(&service, body).await;
        assert_eq!(
            (answer.status, answer.json()),
            (200, nobody.clone()),
            "{body}"
        );
    }
    let taken = service.get("/next-cid?to=12125551212&call=V3").await;
    assert_eq!(taken.status, 404, "the number is V2's");
}

#[tokio::test]
async fn a_call_that_the_engine_has_forgotten_is_found_in_history() {
    let service = stocked().await;
    let first = taken(&service, "&call=V1").await;
    let left = service.stop().await;
    let service = Service::start_in(left, &[]).await;
    service.clock.advance_ms(3_600_000);
    let answer = form(&service, "call=V1&dialstatus=ANSWER").await;
    let expected =
        json!({"kept": true, "released": false, "reservation_id": first["reservation_id"]});
    assert_eq!(answer.json(), expected);
    service.clock.advance_ms(25 * 3_600_000);
    let answer = form(&service, "caller_id=3125550100&to=12125551212").await;
    assert_eq!(answer.json()["kept"], false, "a day later");
    assert_eq!(kept(service).await.status(), CallEnd::Answer);
}

#[tokio::test]
async fn text_is_an_empty_line_and_nothing_at_all_on_failure() {
    let service = stocked().await;
    taken(&service, "&call=V1").await;
    for call in ["V1", "V1", "V9"] {
        let answer = service
            .get(&format!("/call-result?format=text&call={call}"))
            .await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "\n"));
    }
    let posted = form(&service, "format=text&call=V1").await;
    assert_eq!((posted.status, posted.body.as_str()), (200, "\n"));
    for wrong in ["", "&call=%ff", "&caller_id=3125550100"] {
        let answer = service
            .get(&format!("/call-result?format=text{wrong}"))
            .await;
        assert_eq!((answer.status, answer.body.as_str()), (422, ""));
    }
}

#[tokio::test]
async fn who_names_no_call_is_told_all_ways_to_name_one() {
    let service = stocked().await;
    for answer in [
        service.get("/call-result?dialstatus=BUSY").await,
        form(&service, "dialstatus=BUSY&call=").await,
    ] {
        assert_eq!(answer.status, 422);
        let said = &answer.json()["detail"][0]["msg"];
        let expected = "which call? reservation, or call, or caller_id and to together expected";
        assert_eq!(said, expected);
    }
}

const WRONG: &str =
    "dialstatus=HUNGUP&answered_seconds=-1&dialed_seconds=x&hangup_cause=300&sip_code=%ff";
const WRONG_FIELDS: [&str; 5] = [
    "dialstatus",
    "answered_seconds",
    "dialed_seconds",
    "hangup_cause",
    "sip_code",
];

/// Of an answer that ignored something: the fields.
fn ignored(answer: &Answer) -> Vec<String> {
    let faults = answer.json()["ignored"].as_array().cloned();
    let field = |fault: Value| fault["loc"][1].as_str().unwrap_or_default().to_owned();
    let mut fields: Vec<String> = faults.unwrap_or_default().into_iter().map(field).collect();
    fields.sort();
    fields
}

/// Releasing matters more than a report that is whole.
#[tokio::test]
async fn what_cannot_be_read_of_a_report_is_named_and_keeps_no_number_reserved() {
    let service = stocked().await;
    let mut fields = WRONG_FIELDS.map(str::to_owned).to_vec();
    fields.sort();
    for round in 0..2 {
        taken(&service, "&call=V1").await;
        let wrong = format!("call=V1&{WRONG}");
        let answer = match round {
            0 => form(&service, &wrong).await,
            _ => service.get(&format!("/call-result?{wrong}")).await,
        };
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json()["released"], true, "{}", answer.body);
        assert_eq!(ignored(&answer), fields);
        service.clock.advance_ms(60_000);
    }
    let body = json!({"call": "V9", "dialstatus": {}, "answered_seconds": [], "format": "xml", "to": false});
    let answer = service.ask("POST", "/call-result").json(&body).send().await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        ignored(&answer),
        ["answered_seconds", "dialstatus", "format"],
        "`to` is not looked at"
    );
    let past = kept(service).await;
    assert_eq!(past.status(), CallEnd::Released);
    let report = past.result.expect("it is kept").report;
    assert_eq!((report.answered_seconds, report.sip_code), (None, None));
}

/// Nobody talks in a call that is busy; of one whose end nobody told, the talk is kept.
#[tokio::test]
async fn talk_of_a_call_that_was_not_answered_is_named_and_not_kept() {
    for (status, fields, end, seconds) in [
        ("BUSY", vec!["answered_seconds"], CallEnd::Busy, None),
        (
            "NO%20ANSWER",
            vec!["answered_seconds"],
            CallEnd::NoAnswer,
            None,
        ),
        ("ANSWER", vec![], CallEnd::Answer, Some(58)),
        ("", vec![], CallEnd::Released, Some(58)),
    ] {
        let service = stocked().await;
        taken(&service, "&call=V1").await;
        let path = format!("/call-result?call=V1&answered_seconds=58&dialstatus={status}");
        let answer = service.get(&path).await;
        assert_eq!(answer.json()["released"], true, "{}", answer.body);
        assert_eq!(ignored(&answer), fields, "{status}");
        let past = kept(service).await;
        assert_eq!(past.status(), end, "{status}");
        let report = past.result.expect("it is kept").report;
        assert_eq!(report.answered_seconds, seconds, "{status}");
    }
}

#[tokio::test]
async fn of_what_says_which_call_one_that_can_be_read_is_enough() {
    let service = stocked().await;
    for (query, wrong) in [
        ("reservation=x&call=V1", vec!["reservation"]),
        ("reservation=%ff&call_id=V1&call=", vec!["reservation"]),
        ("call=%ff&call_id=V1", vec!["call"]),
        ("call=V1&caller_id=1&to=", vec![]),
        (
            "call=a%01b&caller_id=3125550100&to=12125551212",
            vec!["call"],
        ),
    ] {
        taken(&service, "&call=V1").await;
        service.stored().await;
        let answer = service.get(&format!("/call-result?{query}")).await;
        assert_eq!(
            (answer.status, ignored(&answer)),
            (200, wrong.iter().map(|&name| name.to_owned()).collect()),
            "{query}"
        );
        assert_eq!(answer.json()["released"], true, "{query}");
        service.clock.advance_ms(60_000);
    }
}

#[tokio::test]
async fn every_fault_is_named_where_no_call_is() {
    let service = stocked().await;
    let answer = form(&service, &format!("call=%ff&{WRONG}")).await;
    let mut faulty = answer.faulty_fields();
    faulty.sort();
    let mut fields = [&WRONG_FIELDS[..], &["call"]].concat();
    fields.sort_unstable();
    assert_eq!(
        (answer.status, faulty),
        (422, fields.into_iter().map(str::to_owned).collect())
    );
    let answer = service.get("/call-result?call=%ff").await;
    assert_eq!(answer.json()["detail"][0]["loc"], json!(["query", "call"]));
    for (query, field) in [
        ("", "reservation"),
        ("call=&reservation=", "reservation"),
        ("reservation=x", "reservation"),
        ("caller_id=3125550100", "to"),
        ("to=12125551212", "caller_id"),
        ("caller_id=1&to=12125551212", "caller_id"),
    ] {
        let answer = service.get(&format!("/call-result?{query}")).await;
        assert_eq!(
            (answer.status, answer.faulty_fields()),
            (422, vec![field.to_owned()]),
            "{query}"
        );
    }
}

#[tokio::test]
async fn who_may_not_dial_may_not_report() {
    let service = stocked().await;
    let ask = |method, path| service.ask(method, path).from("203.0.113.9");
    for (method, path) in [
        ("GET", "/call-result?call=V1"),
        ("POST", "/call-result?call=V1"),
    ] {
        assert_eq!(ask(method, path).send().await.status, 401, "{method}");
    }
    let text = ask("GET", "/call-result?call=V1&format=text").send().await;
    assert_eq!((text.status, text.body.as_str()), (401, ""));
}
