//! Keys, the audit log, settings.

use crate::service::{Service, TOKEN, assert_sound};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_copied_and_revoked() {
    let service = Service::start().await;
    let browser = service.signed_in(TOKEN).await;
    browser.press("API keys").await;
    browser.reads("No keys yet").await;
    browser.press("Make a key").await;
    browser.fill("#name", "dialer east").await;
    browser.fill("#addresses", "10.0.0.0/99").await;
    browser.press("Make the key").await;
    browser.find("#fault-addresses").await;
    let told = browser.complaints().await;
    assert!(told.iter().all(|line| line.contains("422")), "{told:?}");
    assert_sound(&browser, "a form with a fault").await;
    browser.fill("#addresses", "10.0.0.0/8").await;
    browser.press("Make the key").await;
    browser.reads("Copy it now").await;
    let key = browser.run("return document.querySelector('.copy input').value");
    assert!(key.await.as_str().unwrap().starts_with("cid_"));
    assert_eq!(browser.path().await, "/dashboard/keys");
    browser.press("Copy").await;
    browser.reads("Copied").await;
    assert_sound(&browser, "a new key").await;
    browser.press("I have it: to the list").await;
    browser.reads("dialer east").await;
    assert_sound(&browser, "keys").await;
    browser.click("button.danger").await;
    browser.answer(false).await;
    browser.click("button.danger").await;
    browser.answer(true).await;
    browser.reads("Expired and revoked").await;
    assert_sound(&browser, "revoked").await;
    browser.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_can_be_read_and_settings_found() {
    let service = Service::start().await;
    let patch = serde_json::json!({"status": "paused"});
    service
        .order("PATCH", "/api/v1/numbers/3125550100", &patch)
        .await;
    let browser = service.signed_in(TOKEN).await;
    browser.press("Audit log").await;
    browser.choose("#by-action", "number.update").await;
    browser.press("Search").await;
    browser.find(".differences ins").await;
    browser.reads("paused").await;
    assert_sound(&browser, "the audit log").await;
    browser.picture("dashboard-audit-changes").await;
    browser.press("Settings").await;
    browser.fill("#q", "cooldown").await;
    browser.find("#list section:only-child").await;
    browser.reads("CALLER_ID_COOLDOWN_SECONDS").await;
    assert_sound(&browser, "settings").await;
    browser.close().await;
    service.stop().await;
}
