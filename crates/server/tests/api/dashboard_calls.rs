//! Pages about calls and about who did what, without a browser: what they show, to whom, and what they make of bad input.

use serde_json::{Value, json};

use crate::dashboard_person::slashed;
use crate::support::{Answer, Service, TOKEN};

/// What nobody may find in a page as it stands here.
const MARKER: &str = "<script>alert(1)</script>";
const SAFE_MARKER: &str = "&lt;script&gt;alert(1)&lt;/script&gt;";

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

pub(crate) async fn page(service: &Service, path: &str) -> Answer {
    slashed(service.admin("GET", path, &Value::Null).await)
}

async fn as_key(service: &Service, method: &str, path: &str, key: &str) -> Answer {
    let call = service.ask(method, path).from("192.0.2.1");
    call.header("x-api-key", key).send().await
}

/// What a browser sends of a form.
pub(crate) async fn fill_in(service: &Service, path: &str, fields: &[(&str, &str)]) -> Answer {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(fields);
    let call = service
        .ask("POST", path)
        .header("x-admin-token", TOKEN)
        .header("content-type", "application/x-www-form-urlencoded");
    slashed(call.body(body.finish()).send().await)
}

async fn made(service: &Service, role: &str) -> String {
    let wanted = json!({"name": format!("a {role}"), "role": role});
    let made = service.admin("POST", "/api/v1/keys", &wanted).await;
    made.json()["key"].as_str().expect("a key").to_owned()
}

/// A call in which everything that a dialer and an admin can set is a marker; the id of its allocation.
async fn hostile_call(service: &Service) -> String {
    let number = json!({"number": "3125550100", "pool": MARKER, "carrier": MARKER, "meta": {MARKER: MARKER}});
    let added = service.admin("POST", "/api/v1/numbers", &number).await;
    assert_eq!(added.status, 201, "{}", added.body);
    let key = json!({"name": MARKER, "role": "dialer", "campaigns": [MARKER]});
    let added = service.admin("POST", "/api/v1/keys", &key).await;
    assert_eq!(added.status, 201, "{}", added.body);
    let campaign = json!({"pools": [MARKER]});
    let path = format!("/api/v1/campaigns/{}", encoded(MARKER));
    let put = service.admin("PUT", &path, &campaign).await;
    assert!(put.status < 300, "{}", put.body);
    let marker = encoded(MARKER);
    let query = format!("to=3125551234&campaign={marker}&agent={marker}&call={marker}&format=json");
    let taken = service.take(&query).await;
    service.stored().await;
    taken["reservation_id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn whatever_stands_in_a_call_is_text_on_every_page() {
    let service = Service::start(&[]).await;
    let id = hostile_call(&service).await;
    for path in [
        "/dashboard/history".to_owned(),
        format!(
            "/dashboard/history?campaign={0}&agent={0}&call_id={0}&pool={0}",
            encoded(MARKER)
        ),
        format!("/dashboard/history/{id}"),
        "/dashboard/lookup?number=3125550100&from=3125551234".to_owned(),
        "/dashboard/requests".to_owned(),
        format!("/dashboard/requests?q={0}&outcome={0}", encoded(MARKER)),
        "/dashboard/reservations".to_owned(),
        "/dashboard/audit".to_owned(),
        format!(
            "/dashboard/audit?author={0}&subject={0}&action={0}",
            encoded(MARKER)
        ),
        "/dashboard/keys".to_owned(),
        format!("/dashboard/settings?q={}", encoded(MARKER)),
    ] {
        let page = page(&service, &path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        assert!(page.body.contains(SAFE_MARKER), "{path}: {}", page.body);
        assert!(!page.body.contains("<script>"), "{path}: {}", page.body);
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
    }
    let form = fill_in(
        &service,
        "/dashboard/keys",
        &[("name", MARKER), ("role", MARKER)],
    )
    .await;
    assert!(
        form.body.contains(SAFE_MARKER) && !form.body.contains("<script>"),
        "{}",
        form.body
    );
}

#[tokio::test]
async fn a_call_is_found_by_everything_that_is_known_of_it() {
    let service = Service::start(&[]).await;
    service
        .add(json!({"caller_id": "3125550100", "carrier": "Acme & Sons"}))
        .await;
    let taken = service
        .take("to=2125551234&campaign=SOLAR&agent=7&call=V1&format=json")
        .await;
    let id = taken["reservation_id"].as_str().expect("an id");
    service.get("/call-result?call=V1&dialstatus=ANSWER&answered_seconds=75&hangup_cause=16&sip_code=200").await;
    service.stored().await;
    for query in [
        "",
        "destination=2125551234",
        "number=(312)+555-0100",
        "call_id=V1",
        "campaign=SOLAR",
        "agent=7",
        "pool=default",
        "since=2026-11-22T11:00&until=2026-11-22T13:00:00.000Z",
    ] {
        let page = page(&service, &format!("/dashboard/history?{query}")).await;
        assert_eq!(page.status, 200, "{query}");
        assert!(
            page.body.contains(&format!("/dashboard/history/{id}")),
            "{query}: {}",
            page.body
        );
    }
    let none = page(&service, "/dashboard/history?campaign=ROOF").await;
    assert!(
        none.body.contains("No call fits all of that"),
        "{}",
        none.body
    );
    let call = page(&service, &format!("/dashboard/history/{id}")).await;
    for known in [
        "(212) 555-1234",
        "(312) 555-0100",
        "SOLAR",
        "Acme &amp; Sons",
        "1 min 15 s",
        "hung up as usual",
        "200 <span class=\"faint\">answered",
        "free the longest",
    ] {
        assert!(call.body.contains(known), "{known}: {}", call.body);
    }
    let back = page(
        &service,
        "/dashboard/lookup?number=3125550100&from=2125551234",
    )
    .await;
    assert!(
        back.body.contains("answers the call of") && back.body.contains("SOLAR"),
        "{}",
        back.body
    );
    let other = page(
        &service,
        "/dashboard/lookup?number=3125550100&from=2125559999",
    )
    .await;
    assert!(
        other.body.contains("was never called from"),
        "{}",
        other.body
    );
}

#[tokio::test]
async fn long_lists_go_on_and_what_is_looked_for_with_them() {
    let service = Service::start(&[
        ("CALLER_ID_COOLDOWN_SECONDS", "0"),
        ("AGENT_RATE_LIMIT_PER_MIN", "0"),
    ])
    .await;
    for line in 0..60 {
        service
            .add(json!({"caller_id": format!("312555{:04}", 100 + line)}))
            .await;
        service
            .take(&format!(
                "to=212555{:04}&campaign=A%26B&agent=7",
                1_000 + line
            ))
            .await;
    }
    service.stored().await;
    let lines = |page: &Answer| page.body.matches("<a href=\"/dashboard/history/").count();
    let first = page(&service, "/dashboard/history?campaign=A%26B").await;
    assert_eq!(lines(&first), 50);
    let link = first
        .body
        .split("href=\"/dashboard/history?")
        .filter(|rest| rest.contains("cursor="));
    let link = link
        .last()
        .and_then(|rest| rest.split('"').next())
        .expect("a link");
    let link = link.replace("&amp;", "&");
    assert!(link.starts_with("campaign=A%26B&"), "{link}");
    let second = page(&service, &format!("/dashboard/history?{link}")).await;
    assert_eq!((second.status, lines(&second)), (200, 10));
    assert!(second.body.contains("Newest") && second.body.contains("No older ones."));
}

#[tokio::test]
async fn what_cannot_be_understood_is_marked_beside_its_field() {
    let service = Service::start(&[]).await;
    for (path, id) in [
        (
            "/dashboard/history?destination=12&agent=7",
            "fault-destination",
        ),
        ("/dashboard/history?since=yesterday", "fault-since"),
        ("/dashboard/lookup?number=x", "fault-number"),
        ("/dashboard/lookup?from=2125551234", "fault-number"),
        ("/dashboard/reservations?number=12", "fault-number"),
        ("/dashboard/audit?until=soon", "fault-until"),
        ("/dashboard/history?cursor=abc", "Begin with the newest"),
    ] {
        let page = page(&service, path).await;
        assert_eq!(page.status, 422, "{path}: {}", page.body);
        assert!(page.body.contains(id), "{path}: {}", page.body);
        assert_eq!(page.header("hx-retarget"), "#search", "{path}");
    }
    let again = page(&service, "/dashboard/history?destination=12&agent=7").await;
    assert!(
        again.body.contains("value=\"7\""),
        "what was filled in stays"
    );
    let none = page(
        &service,
        "/dashboard/history/01a20890-062d-7000-8104-000380304997",
    )
    .await;
    assert_eq!(none.status, 404);
}

#[tokio::test]
async fn everybody_sees_what_they_may_and_no_button_that_fails() {
    let service = Service::start(&[]).await;
    service.add(json!({"caller_id": "3125550100"})).await;
    let taken = service
        .take("to=2125551234&campaign=SOLAR&format=json")
        .await;
    let id = taken["reservation_id"].as_str().expect("an id");
    service.stored().await;
    let (viewer, operator, dialer) = (
        made(&service, "viewer").await,
        made(&service, "operator").await,
        made(&service, "dialer").await,
    );
    let for_all = [
        "history",
        "lookup",
        "requests",
        "reservations",
        "history.csv",
    ];
    for (path, least) in for_all.map(|path| (path, 0)).into_iter().chain([
        ("jobs", 1),
        ("audit", 2),
        ("audit.csv", 2),
        ("keys", 2),
        ("keys/new", 2),
        ("settings", 2),
    ]) {
        let path = format!("/dashboard/{path}");
        for (rank, key) in [(0, &viewer), (1, &operator)] {
            let wanted = if rank >= least { 200 } else { 403 };
            assert_eq!(
                as_key(&service, "GET", &path, key).await.status,
                wanted,
                "{path}, {rank}"
            );
        }
        assert_eq!(
            as_key(&service, "GET", &path, &dialer).await.status,
            403,
            "{path}"
        );
        assert_eq!(page(&service, &path).await.status, 200, "{path}");
    }
    for path in [
        "/dashboard/reservations".to_owned(),
        format!("/dashboard/history/{id}"),
    ] {
        let button = "class=\"small danger\"";
        let (seen, theirs) = (
            as_key(&service, "GET", &path, &viewer).await,
            as_key(&service, "GET", &path, &operator).await,
        );
        assert!(!seen.body.contains("danger"), "{path}: {}", seen.body);
        assert!(
            theirs.body.contains(button) || theirs.body.contains("class=\"danger\""),
            "{path}: {}",
            theirs.body
        );
    }
    let end = format!("/dashboard/reservations/{id}/end");
    assert_eq!(as_key(&service, "POST", &end, &viewer).await.status, 403);
    let ended = as_key(&service, "POST", &end, &operator).await;
    assert_eq!(
        (ended.status, ended.header("location")),
        (303, "/dashboard/reservations?done=ended")
    );
    let again = as_key(&service, "POST", &end, &operator).await;
    assert_eq!(
        again.header("location"),
        "/dashboard/reservations?done=over"
    );
}

#[tokio::test]
async fn files_come_as_the_api_makes_them() {
    let service = Service::start(&[]).await;
    service.add(json!({"caller_id": "3125550100"})).await;
    service
        .take("to=2125551234&campaign=%3DSUM(A1)&agent=7")
        .await;
    service.stored().await;
    let file = page(&service, "/dashboard/history.csv?campaign=%3DSUM(A1)").await;
    assert_eq!(file.status, 200);
    assert!(file.header("content-type").starts_with("text/csv"));
    assert!(file.header("content-disposition").starts_with("attachment"));
    assert!(file.body.contains(",\"'=SUM(A1)\","), "{}", file.body);
    let none = page(&service, "/dashboard/history.csv?campaign=other").await;
    assert_eq!(none.body.lines().count(), 1);
    let bad = page(&service, "/dashboard/history.csv?destination=12").await;
    assert_eq!(bad.status, 422);
    assert!(
        bad.body.contains("<h1>"),
        "people are told on a page: {}",
        bad.body
    );
    let audit = page(&service, "/dashboard/audit.csv?action=number.create").await;
    assert!(
        audit.body.starts_with("place,at,") && audit.body.contains("number.create"),
        "{}",
        audit.body
    );
}
