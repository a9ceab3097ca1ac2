//! The dashboard's pages about numbers, as a browser gets them.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::dashboard_person::Person;
use crate::sso_browser::Browser;
use crate::support::{Service, TOKEN};

const NUMBERS: &str = "/dashboard/numbers";

async fn import(service: &Service, file: &str) {
    let call = service.ask("POST", "/api/v1/numbers/import");
    let call = call
        .header("x-admin-token", TOKEN)
        .header("content-type", "text/csv");
    let answer = call.body(file.to_owned()).send().await;
    assert_eq!(answer.json()["failed"], 0, "{}", answer.body);
}

fn csv(rows: usize) -> String {
    let mut file = "caller_id,carrier\n".to_owned();
    for row in 0..rows {
        let _ = writeln!(file, "312{:07},C{}", 2_000_000 + row, row % 3);
    }
    file
}

/// Where the link of this text leads.
fn link(page: &str, text: &str) -> Option<String> {
    let before = page.split(&format!(">{text}</a>")).next()?;
    let tag = before
        .rsplit("<a ")
        .next()
        .filter(|_| before.len() < page.len())?;
    let place = tag.split("href=\"").nth(1)?.split('"').next()?;
    Some(place.replace("&amp;", "&").replace("&#x2f;", "/"))
}

fn value(page: &str, name: &str) -> String {
    let tag = page
        .split("<input ")
        .find(|tag| tag.contains(&format!("name=\"{name}\"")));
    let value = tag.and_then(|tag| tag.split("value=\"").nth(1)?.split('"').next());
    value.unwrap_or_default().replace("&quot;", "\"")
}

async fn status(service: &Service, number: &str) -> Value {
    service.see(&format!("/api/v1/numbers/{number}")).await["status"].clone()
}

#[tokio::test]
async fn the_list_shows_numbers_and_how_they_stand() {
    let service = Service::start(&[]).await;
    let mut admin = Person::admin(&service).await;
    let empty = admin.sees(NUMBERS).await;
    assert!(empty.contains("No numbers yet") && empty.contains("/dashboard/import"));
    import(
        &service,
        "caller_id,hourly_limit\n3125550100,4\n2125550100,none\n",
    )
    .await;
    service.take("to=13125551212").await;
    let page = admin.sees(NUMBERS).await;
    for text in [
        "2 numbers",
        "(312) 555-0100",
        "(212) 555-0100",
        "in a call",
        "free",
        "1 of 4 uses in 60 minutes",
        "no limit",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let page = admin.sees("/dashboard/numbers?region=NY").await;
    assert!(page.contains("1 number ") && !page.contains("(312) 555-0100"));
    let none = admin.sees("/dashboard/numbers?q=999").await;
    assert!(none.contains("No number fits this filter"));
}

#[tokio::test]
async fn pages_lead_on_and_back_in_any_order() {
    let service = Service::start(&[]).await;
    import(&service, &csv(120)).await;
    let mut admin = Person::admin(&service).await;
    let first = "/dashboard/numbers?carrier=C0&sort=-number";
    let page = admin.sees(first).await;
    assert!(page.contains("(312) 200-0117") && page.contains("aria-sort=\"descending\""));
    assert_eq!(link(&page, "Next"), None);
    let page = admin.sees("/dashboard/numbers?sort=-number").await;
    assert!(page.contains("(312) 200-0119") && link(&page, "Back").is_none());
    let second = link(&page, "Next").expect("a second page");
    let page = admin.sees(&second).await;
    assert!(page.contains("(312) 200-0069") && !page.contains("(312) 200-0119"));
    let third = link(&page, "Next").expect("a third page");
    let page = admin.sees(&third).await;
    assert!(page.contains("(312) 200-0000") && link(&page, "Next").is_none());
    assert_eq!(link(&page, "Back"), Some(second));
    let other = third.replace("sort=-number", "sort=number");
    let stale = admin.get(&other).await;
    assert_eq!(stale.status, 422);
    assert!(stale.body.contains("begin without it"), "{}", stale.body);
}

#[tokio::test]
async fn a_filter_that_means_nothing_is_told_and_kept_to_be_mended() {
    let service = Service::start(&[]).await;
    let mut admin = Person::admin(&service).await;
    let told = admin.get("/dashboard/numbers?q=abc").await;
    assert_eq!(told.status, 422);
    assert!(told.body.contains("digits are expected") && value(&told.body, "q") == "abc");
    // htmx shows only what is there.
    assert_eq!(admin.part("/dashboard/numbers?q=abc").await.status, 200);
}

#[tokio::test]
async fn the_file_of_a_filter_is_the_apis() {
    let service = Service::start(&[]).await;
    import(&service, &csv(9)).await;
    let mut admin = Person::admin(&service).await;
    let file = admin
        .get("/dashboard/numbers/export?carrier=C1&sort=pool&cursor=x")
        .await;
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert!(file.header("content-disposition").contains("numbers.csv"));
    assert_eq!(file.body.lines().count(), 4, "{}", file.body);
    let lines = admin.get("/dashboard/numbers/export?format=ndjson").await;
    assert_eq!(lines.body.lines().count(), 9);
    let mut stranger = Browser::new(&service.dispatch);
    let export = "/dashboard/numbers/export";
    assert_eq!(stranger.get(export).await.status, 401, "a program");
    let wants = [("accept", "text/html,*/*")];
    let away = stranger.send("GET", export, &wants, "").await;
    assert_eq!(away.status, 303, "a person");
    assert!(away.header("location").starts_with("/sign-in?return_to="));
}

#[tokio::test]
async fn a_number_is_added_by_a_form_which_says_what_is_wrong_with_it() {
    let service = Service::start(&[]).await;
    let mut admin = Person::admin(&service).await;
    let blank = admin.sees("/dashboard/numbers/new").await;
    assert_eq!(value(&blank, "hourly_limit"), "50");
    let bad = [
        ("number", "312"),
        ("carrier", "Voice \"A\""),
        ("daily_limit", "many"),
        ("meta", "["),
    ];
    let again = admin.sends("/dashboard/numbers/new", &bad).await;
    assert_eq!(again.status, 422);
    assert_eq!(value(&again.body, "carrier"), "Voice \"A\"");
    assert!(again.body.contains("id=\"meta-fault\""), "{}", again.body);
    let bad = [("number", "312"), ("daily_limit", "many")];
    let again = admin.sends("/dashboard/numbers/new", &bad).await;
    for fault in ["number-fault", "daily_limit-fault"] {
        assert!(again.body.contains(fault), "{fault}: {}", again.body);
    }
    let good = [
        ("number", "(312) 555-0100"),
        ("pool", "west"),
        ("daily_limit", ""),
        ("hourly_limit", "7"),
        ("meta", "{\"a\":1}"),
    ];
    let added = admin.sends("/dashboard/numbers/new", &good).await;
    assert_eq!(
        (added.status, added.header("location")),
        (303, "/dashboard/numbers/%2B13125550100?done=added")
    );
    let shown = service.see("/api/v1/numbers/3125550100").await;
    assert_eq!(
        (
            &shown["pool"],
            &shown["daily_limit"],
            &shown["hourly_limit"],
            &shown["meta"]
        ),
        (&json!("west"), &Value::Null, &json!(7), &json!({"a": 1}))
    );
    let twice = admin.sends("/dashboard/numbers/new", &good).await;
    assert_eq!(twice.status, 409);
    let other = [("number", "3125550101"), ("then", "another")];
    let next = admin.sends("/dashboard/numbers/new", &other).await;
    let page = admin.sees(next.header("location")).await;
    assert!(page.contains("(312) 555-0101"), "{page}");
}

#[tokio::test]
async fn a_number_has_a_page_with_its_past_and_its_life() {
    let service = Service::start(&[]).await;
    service.add(json!({"caller_id": "3125550100"})).await;
    service
        .take("to=13125551212&campaign=SOLAR&agent=1001&call=c1")
        .await;
    let report = json!({"call_id": "c1", "dialstatus": "ANSWER", "answered_seconds": 42});
    service.admin("POST", "/call-result", &report).await;
    service.stored().await;
    service.clock.advance_ms(1);
    let mut admin = Person::admin(&service).await;
    // In any form.
    for path in [
        "/dashboard/numbers/%2B13125550100",
        "/dashboard/numbers/3125550100",
    ] {
        let page = admin.sees(path).await;
        for text in [
            "(312) 555-0100",
            "(312) 555-1212",
            "SOLAR",
            "42 s",
            "number.create",
            "of 1 reported in 30 days",
            "data-chart",
        ] {
            assert!(page.contains(text), "{text}: {page}");
        }
        assert_eq!(
            value(&page, "carrier"),
            "",
            "nothing is not the word for it"
        );
    }
    assert_eq!(admin.get("/dashboard/numbers/3125559999").await.status, 404);
    assert_eq!(admin.get("/dashboard/numbers/none").await.status, 422);
}

#[tokio::test]
async fn a_number_is_edited_where_nobody_else_did_meanwhile() {
    let service = Service::start(&[]).await;
    service
        .add(json!({"caller_id": "3125550100", "carrier": "A"}))
        .await;
    let mut admin = Person::admin(&service).await;
    let place = "/dashboard/numbers/%2B13125550100";
    let page = admin.sees(place).await;
    let etag = value(&page, "etag");
    let first = [
        ("etag", etag.as_str()),
        ("pool", "default"),
        ("carrier", "B"),
        ("hourly_limit", ""),
    ];
    let saved = admin.sends(place, &first).await;
    assert_eq!(
        (saved.status, saved.header("location")),
        (303, "/dashboard/numbers/%2B13125550100?done=saved")
    );
    let late = [
        ("etag", etag.as_str()),
        ("pool", "default"),
        ("carrier", "C"),
        ("meta", ""),
    ];
    let late = admin.sends(place, &late).await;
    assert_eq!(late.status, 412);
    assert!(late.body.contains("Somebody changed this number"));
    assert_eq!(
        value(&late.body, "carrier"),
        "C",
        "what was filled in stays"
    );
    let etag = value(&late.body, "etag");
    let bad = [
        ("etag", etag.as_str()),
        ("pool", "nowhere"),
        ("hourly_limit", "0"),
    ];
    let bad = admin.sends(place, &bad).await;
    assert_eq!(bad.status, 422);
    assert!(bad.body.contains("hourly_limit-fault"), "{}", bad.body);
    let good = [
        ("etag", etag.as_str()),
        ("pool", "default"),
        ("carrier", "C"),
        ("hourly_limit", "9"),
    ];
    assert_eq!(admin.sends(place, &good).await.status, 303);
    let shown = service.see("/api/v1/numbers/3125550100").await;
    assert_eq!(
        (
            &shown["carrier"],
            &shown["hourly_limit"],
            &shown["daily_limit"]
        ),
        (&json!("C"), &json!(9), &Value::Null)
    );
}

#[tokio::test]
async fn buttons_take_a_number_out_and_bring_it_back() {
    let service = Service::start(&[]).await;
    service.add(json!({"caller_id": "3125550100"})).await;
    let mut admin = Person::admin(&service).await;
    type Step<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
    let steps: [Step<'_>; 5] = [
        ("pause", &[], "paused"),
        ("resume", &[], "active"),
        ("rest", &[("minutes", "60"), ("until", "")], "resting"),
        (
            "rest",
            &[("minutes", "60"), ("until", "2026-12-24T18:00:00.000Z")],
            "resting",
        ),
        ("retire", &[], "retired"),
    ];
    for (action, fields, status_then) in steps {
        let done = admin
            .sends(&format!("/dashboard/numbers/3125550100/{action}"), fields)
            .await;
        assert_eq!(done.status, 303, "{action}: {}", done.body);
        assert_eq!(status(&service, "3125550100").await, status_then);
        let page = admin.sees(done.header("location")).await;
        assert!(page.contains("role=\"status\""), "{action}");
    }
    let past = [("until", "2020-01-01T00:00:00Z")];
    let refused = admin
        .sends("/dashboard/numbers/3125550100/rest", &past)
        .await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("still to come"), "{}", refused.body);
    assert_eq!(
        admin
            .sends("/dashboard/numbers/3125550100/dance", &[])
            .await
            .status,
        404
    );
    let gone = admin
        .sends("/dashboard/numbers/3125550100/delete", &[])
        .await;
    assert_eq!(gone.header("location"), "/dashboard/numbers?done=deleted");
    assert_eq!(admin.get("/dashboard/numbers/3125550100").await.status, 404);
    let requests = admin.sees("/dashboard/requests").await;
    assert!(requests.contains("POST /dashboard/numbers/3125550100/delete"));
}

#[tokio::test]
async fn a_form_that_is_not_ours_changes_nothing() {
    let service = Service::start(&[]).await;
    service.add(json!({"caller_id": "3125550100"})).await;
    let mut admin = Person::admin(&service).await;
    let paths = [
        "/dashboard/numbers/3125550100/pause",
        "/dashboard/numbers/bulk",
    ];
    for path in paths {
        let fields = [("which", "matching"), ("action", "pause"), ("step", "do")];
        let refused = admin.forges(path, &fields).await;
        assert_eq!(refused.status, 403, "{path}: {}", refused.body);
    }
    assert_eq!(status(&service, "3125550100").await, "active");
}
