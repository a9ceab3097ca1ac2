//! What makes pages quick: files that are sent short and kept for long, and parts that are made once.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, request};
use axum::response::Response;
use caller_id::http::Peer;
use http_body_util::BodyExt;

use crate::dashboard_person::Person;
use crate::support::{Service, TOKEN};

/// The addresses of the files that a page loads.
fn files(page: &str) -> Vec<String> {
    let rest = page.split("\"/dashboard/assets/").skip(1);
    let names = rest.filter_map(|rest| rest.split('"').next());
    names
        .map(|name| format!("/dashboard/assets/{name}"))
        .collect()
}

/// What is answered to a browser that reads gzip, which is no text.
async fn compressed(service: &Service, path: &str) -> (HeaderMap, Bytes) {
    let request = Request::get(path).header("accept-encoding", "gzip, br");
    let answer = answer(service, request).await;
    assert_eq!(answer.status(), 200, "{path}");
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.expect("a whole body");
    (parts.headers, body.to_bytes())
}

async fn answer(service: &Service, request: request::Builder) -> Response {
    let request = request.body(Body::empty()).expect("a request");
    let peer = Peer("127.0.0.1".parse().expect("an address"));
    service.dispatch.answer(request, peer).await
}

#[tokio::test]
async fn files_are_sent_compressed_and_kept_for_a_year_under_the_name_of_what_is_in_them() {
    let service = Service::start(&[]).await;
    let page = Person::admin(&service).await.sees("/dashboard").await;
    let files = files(&page);
    assert!(files.len() > 5, "{page}");
    let mut all = page.len();
    for file in &files {
        let plain = service.get(file).await;
        assert_eq!(plain.header("content-encoding"), "", "{file}");
        let (headers, sent) = compressed(&service, file).await;
        assert_eq!(headers["vary"], "accept-encoding");
        assert_eq!(headers["content-type"], plain.header("content-type"));
        let kept = "public, max-age=31536000, immutable";
        assert_eq!(headers["cache-control"], kept);
        let is_short = sent.len() < plain.body.len();
        assert_eq!(headers.contains_key("content-encoding"), is_short, "{file}");
        all += sent.len();
    }
    assert!(all < 300_000, "a first visit loads {all} bytes");
}

#[tokio::test]
async fn a_file_of_another_version_is_not_kept_under_its_name() {
    let service = Service::start(&[]).await;
    let file = service.get("/dashboard/assets/0123456789ab/app.css").await;
    assert_eq!(
        (file.status, file.header("cache-control")),
        (200, "no-cache")
    );
    let none = service.get("/dashboard/assets/0123456789ab/none.css").await;
    assert_eq!(none.status, 404);
}

#[tokio::test]
async fn pages_hold_secrets_beside_words_of_their_address_and_are_never_compressed() {
    let service = Service::start(&[]).await;
    let page = service.ask("GET", "/dashboard/numbers?q=312");
    let page = page.header("accept-encoding", "gzip, br");
    let page = page.header("x-admin-token", TOKEN).send().await;
    assert_eq!((page.status, page.header("content-encoding")), (200, ""));
}

#[tokio::test]
async fn who_follows_the_first_page_gets_every_part_of_it() {
    let service = Service::start(&[]).await;
    let request = Request::get("/dashboard/live").header("x-admin-token", TOKEN);
    let answer = answer(&service, request).await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let (mut body, mut text) = (answer.into_body(), String::new());
    let parts = ["tiles", "pulse", "rungs", "pools", "campaigns", "requests"];
    while !parts
        .iter()
        .all(|part| text.contains(&format!("event: {part}\n")))
    {
        let frame = body.frame().await.expect("more").expect("no error");
        let data = frame.into_data().expect("data");
        text.push_str(&String::from_utf8_lossy(&data));
    }
}
