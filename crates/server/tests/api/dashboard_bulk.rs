//! Many numbers changed by the dashboard: nothing happens that was not shown before.

use std::fmt::Write;

use caller_id_core::Role;
use serde_json::json;

use crate::dashboard_person::Person;
use crate::support::{Answer, Service, TOKEN};

const BULK: &str = "/dashboard/numbers/bulk";

async fn service(rows: usize) -> Service {
    let service = Service::start(&[]).await;
    let mut file = "caller_id,carrier\n".to_owned();
    for row in 0..rows {
        let _ = writeln!(file, "312{:07},C{}", 2_000_000 + row, row % 3);
    }
    let call = service.ask("POST", "/api/v1/numbers/import");
    let call = call
        .header("x-admin-token", TOKEN)
        .header("content-type", "text/csv");
    assert_eq!(call.body(file).send().await.json()["added"], rows);
    service
}

/// What is shown at the address that a form leads to.
async fn previewed(admin: &mut Person, form: &[(&str, &str)]) -> Answer {
    let sent = admin.sends(BULK, form).await;
    match sent.status {
        303 => {
            let place = sent.header("location").split('#').next();
            admin.get(place.expect("a place")).await
        }
        _ => sent,
    }
}

async fn many(service: &Service, filter: &str) -> u64 {
    let list = service
        .see(&format!("/api/v1/numbers?count=true&limit=1&{filter}"))
        .await;
    list["total"].as_u64().expect("a count")
}

#[tokio::test]
async fn a_preview_shows_what_then_is_done() {
    let service = service(30).await;
    let mut admin = Person::admin(&service).await;
    let page = admin
        .sees("/dashboard/numbers/bulk?which=matching&carrier=C1")
        .await;
    assert!(
        page.contains("Change 10 numbers") && page.contains("carrier: C1"),
        "{page}"
    );
    let mut form = vec![
        ("which", "matching"),
        ("carrier", "C1"),
        ("action", "limits"),
        ("hourly_limit", "none"),
        ("daily_limit", "7"),
        ("step", "preview"),
    ];
    let told = previewed(&mut admin, &form).await;
    assert_eq!(told.status, 200, "{}", told.body);
    for text in [
        "<strong>10</strong> of 10 numbers",
        "<del>50</del>",
        "<ins>no limit</ins>",
        "<ins>7</ins>",
        "Change 10 numbers",
    ] {
        assert!(told.body.contains(text), "{text}: {}", told.body);
    }
    let one = service.see("/api/v1/numbers/3122000001").await;
    assert_eq!(one["hourly_limit"], 50);
    form.pop();
    form.push(("step", "do"));
    let done = admin.sends(BULK, &form).await;
    let place = "/dashboard/numbers?carrier=C1&done=changed&changed=10";
    assert_eq!((done.status, done.header("location")), (303, place));
    assert!(admin.sees(place).await.contains("10 numbers changed"));
    let one = service.see("/api/v1/numbers/3122000001").await;
    assert_eq!(
        (&one["hourly_limit"], &one["daily_limit"]),
        (&json!(null), &json!(7))
    );
    let again = previewed(&mut admin, &form[..5]).await;
    assert!(
        again.body.contains("there is nothing to do"),
        "{}",
        again.body
    );
}

#[tokio::test]
async fn what_came_under_the_filter_since_the_preview_is_shown_before_it_is_changed() {
    let service = service(30).await;
    let mut admin = Person::admin(&service).await;
    let form = |seen: &'static str| {
        let chosen = [
            ("which", "matching"),
            ("carrier", "C1"),
            ("action", "pause"),
        ];
        let sure = [("seen", seen), ("step", "do")];
        chosen.into_iter().chain(sure).collect::<Vec<_>>()
    };
    let number = json!({"caller_id": "3125550100", "carrier": "C1"});
    service.add(number).await;
    let told = previewed(&mut admin, &form("10")).await;
    assert_eq!(told.status, 200, "{}", told.body);
    for text in [
        "Nothing is changed yet",
        "name=\"seen\" value=\"11\"",
        "Change 11 numbers",
    ] {
        assert!(told.body.contains(text), "{text}: {}", told.body);
    }
    assert_eq!(many(&service, "status=paused").await, 0);
    let done = admin.sends(BULK, &form("11")).await;
    assert_eq!(done.status, 303, "{}", done.body);
    assert_eq!(many(&service, "status=paused").await, 11);
}

#[tokio::test]
async fn only_what_was_ticked_is_changed_and_nothing_ticked_is_nothing() {
    let service = service(5).await;
    let mut admin = Person::admin(&service).await;
    let page = admin.sees(BULK).await;
    assert!(page.contains("No number was ticked"));
    let none = [("which", "ticked"), ("action", "delete"), ("step", "do")];
    assert_eq!(admin.sends(BULK, &none).await.status, 422);
    let ticked = [
        ("which", "ticked"),
        ("number", "+13122000000"),
        ("number", "+13122000003"),
        ("action", "pause"),
        ("step", "do"),
    ];
    assert_eq!(admin.sends(BULK, &ticked).await.status, 303);
    assert_eq!(
        (
            many(&service, "status=paused").await,
            many(&service, "").await
        ),
        (2, 5)
    );
}

#[tokio::test]
async fn each_action_does_what_it_says_and_bad_input_is_told() {
    let service = service(3).await;
    service.admin("PUT", "/api/v1/pools/west", &json!({})).await;
    let mut admin = Person::admin(&service).await;
    let actions: [(&[(&str, &str)], &str); 6] = [
        (&[("action", "pool"), ("to_pool", "west")], "pool=west"),
        (
            &[("action", "carrier"), ("new_carrier", "Zeta")],
            "carrier=Zeta",
        ),
        (
            &[("action", "attestation"), ("new_attestation", "B")],
            "attestation=B",
        ),
        (
            &[
                ("action", "rest"),
                ("resting_until", "2026-12-24T18:00:00.000Z"),
            ],
            "status=resting",
        ),
        (&[("action", "retire")], "status=retired"),
        (&[("action", "resume")], "status=active"),
    ];
    for (fields, filter) in actions {
        let mut form = vec![("which", "matching"), ("step", "do")];
        form.extend_from_slice(fields);
        let done = admin.sends(BULK, &form).await;
        assert_eq!(done.status, 303, "{filter}: {}", done.body);
        assert_eq!(many(&service, filter).await, 3, "{filter}");
    }
    let bad: [(&[(&str, &str)], &str); 5] = [
        (
            &[("action", "pool"), ("to_pool", "nowhere")],
            "there is no pool",
        ),
        (&[("action", "rest")], "resting_until-fault"),
        (
            &[("action", "limits"), ("hourly_limit", "0")],
            "hourly_limit-fault",
        ),
        (&[("action", "limits")], "fill in one of both limits"),
        (&[("action", "dance")], "say what changes"),
    ];
    for (fields, text) in bad {
        let mut form = vec![("which", "matching"), ("step", "preview")];
        form.extend_from_slice(fields);
        let told = previewed(&mut admin, &form).await;
        assert_eq!(told.status, 422, "{text}");
        assert!(told.body.contains(text), "{text}: {}", told.body);
    }
}

#[tokio::test]
async fn only_admins_delete_many() {
    let service = service(3).await;
    let mut operator = Person::of_role(&service, Role::Operator).await;
    let page = operator
        .sees("/dashboard/numbers/bulk?which=matching")
        .await;
    assert!(page.contains("value=\"pause\"") && !page.contains("value=\"delete\""));
    let delete = [("which", "matching"), ("action", "delete"), ("step", "do")];
    assert_eq!(operator.sends(BULK, &delete).await.status, 403);
    assert_eq!(many(&service, "").await, 3);
    let mut admin = Person::admin(&service).await;
    assert_eq!(admin.sends(BULK, &delete).await.status, 303);
    assert_eq!(many(&service, "").await, 0);
}

#[tokio::test]
async fn very_many_are_changed_by_a_job_whose_page_says_how_far_it_is() {
    let service = service(10_001).await;
    let mut admin = Person::admin(&service).await;
    let form = [
        ("which", "matching"),
        ("action", "pause"),
        ("step", "preview"),
    ];
    let place = admin.sends(BULK, &form).await;
    let place = place.header("location").replace("#preview", "");
    // However often it is looked at, one job counts.
    for _ in 0..3 {
        let told = admin.sees(&place).await;
        assert!(
            told.contains("<ins>paused</ins>") && told.contains("Change them"),
            "{told}"
        );
    }
    let (without, job) = place.split_once("&job=").expect("a job");
    let gone = admin.sees(without).await;
    let other = admin.sees(&place.replace(job, "x")).await;
    for page in [gone, other] {
        assert!(
            page.contains("This preview is gone") && !page.contains("Change them"),
            "{page}"
        );
    }
    let jobs = service.see("/api/v1/jobs").await;
    let jobs = jobs["jobs"].as_array().expect("a list");
    assert_eq!(
        jobs.iter().filter(|job| job["kind"] == "bulk").count(),
        1,
        "{jobs:?}"
    );
    assert_eq!(many(&service, "status=paused").await, 0);
    let form = [("which", "matching"), ("action", "pause"), ("step", "do")];
    let begun = admin.sends(BULK, &form).await;
    let place = begun.header("location").to_owned();
    assert!(place.starts_with("/dashboard/numbers/bulk/"), "{place}");
    assert!(admin.sees(&place).await.contains("Change of many numbers"));
    for _ in 0..1_200 {
        let part = admin.part(&place).await.body;
        assert!(part.contains("id=\"job\"") && !part.contains("<html"));
        if !part.contains("hx-trigger") {
            assert!(
                part.contains("<strong>10,001</strong> of 10,001 numbers changed"),
                "{part}"
            );
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("the job does not end");
}
