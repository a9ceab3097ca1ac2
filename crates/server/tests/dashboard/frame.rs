//! Signing in and out, and what every page has in common.

use crate::service::{Service, TOKEN, assert_sound};
use caller_id_testkit::browser::Browser;

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_see_their_way_back_and_sign_out() {
    let service = Service::start().await;
    let browser = Browser::start(&service.base).await;
    browser.open("/").await;
    assert!(browser.path().await.starts_with("/sign-in?return_to="));
    browser.fill("input[name=token]", "wrong").await;
    browser.click("main form button").await;
    browser.reads("Invalid token").await;
    let told = browser.complaints().await;
    assert!(told.len() == 1 && told[0].contains("401"), "{told:?}");
    browser.fill("input[name=token]", TOKEN).await;
    browser.click("main form button").await;
    browser.find("nav[aria-label=Pages]").await;
    assert_eq!(browser.path().await, "/dashboard");
    assert_sound(&browser, "after signing in").await;
    browser.press("Sign out").await;
    browser.find("input[name=token]").await;
    browser.open("/dashboard").await;
    assert!(browser.path().await.starts_with("/sign-in"));
    browser.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_that_the_service_says_fills_the_token_in_and_leaves_no_trace() {
    let service = Service::start().await;
    let browser = Browser::start(&service.base).await;
    browser.open(&format!("/sign-in#token={TOKEN}")).await;
    let filled = "return document.getElementById('token').value";
    assert_eq!(browser.run(filled).await, TOKEN);
    assert_eq!(browser.run("return location.hash").await, "");
    browser.click("main form button").await;
    browser.find("nav[aria-label=Pages]").await;
    assert_sound(&browser, "after signing in by the link").await;
    browser.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_ended_elsewhere_ends_here_with_the_next_click() {
    let service = Service::start().await;
    let browser = service.signed_in(&service.key("viewer").await).await;
    let keys = service
        .order("GET", "/api/v1/keys", &serde_json::Value::Null)
        .await;
    let id = keys["keys"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/keys/{id}");
    service
        .order("DELETE", &path, &serde_json::Value::Null)
        .await;
    browser.open("/dashboard").await;
    browser.find("input[name=token]").await;
    browser.close().await;
    service.stop().await;
}
