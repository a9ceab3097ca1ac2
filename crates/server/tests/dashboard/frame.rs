//! Signing in and out, and what every page has in common.

use crate::service::{Service, TOKEN, assert_sound};
use caller_id_testkit::browser::Browser;

/// Every page that there is, and who sees it.
pub(crate) const PAGES: [(&str, &str); 10] = [
    ("/dashboard", "viewer"),
    ("/dashboard/history", "viewer"),
    ("/dashboard/lookup", "viewer"),
    ("/dashboard/requests", "viewer"),
    ("/dashboard/reservations", "viewer"),
    ("/dashboard/jobs", "operator"),
    ("/dashboard/audit", "admin"),
    ("/dashboard/keys", "admin"),
    ("/dashboard/keys/new", "admin"),
    ("/dashboard/settings", "admin"),
];

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
async fn every_page_can_be_used_by_everybody_in_light_and_dark_and_on_a_phone() {
    let service = Service::start().await;
    service.calls(12, "SOLAR").await;
    let browser = service.signed_in(TOKEN).await;
    for (page, _) in PAGES {
        for (kind, dark, width) in [
            ("light", false, 1400),
            ("dark", true, 1400),
            ("phone", false, 390),
        ] {
            browser.prefer_dark(dark).await;
            browser.resize(width, 1000).await;
            browser.open(page).await;
            browser.find("h1").await;
            assert_sound(&browser, &format!("{page}, {kind}")).await;
            let wide = "return document.documentElement.scrollWidth > window.innerWidth";
            assert_eq!(
                browser.run(wide).await,
                false,
                "{page} is wider than a {kind}"
            );
            let name = page.trim_start_matches('/').replace('/', "-");
            browser.picture(&format!("{name}-{kind}")).await;
        }
    }
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
