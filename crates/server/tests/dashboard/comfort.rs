//! What people notice when it is missing.

use crate::service::{Service, TOKEN, assert_refused, assert_sound};

/// The key Enter, as WebDriver calls it.
const ENTER: &str = "\u{e007}";

#[tokio::test(flavor = "multi_thread")]
async fn who_sorts_with_the_keyboard_stays_at_the_column() {
    let service = Service::start().await;
    service.calls(3, "ROOF").await;
    let browser = service.signed_in(TOKEN).await;
    let focused = "return document.activeElement.innerText";
    browser.open("/dashboard/numbers").await;
    browser
        .run("document.querySelector('#by-pool').focus()")
        .await;
    browser.keys(ENTER).await;
    browser.find("th[aria-sort=ascending] #by-pool").await;
    assert_eq!(browser.run(focused).await, "Pool↑");
    browser.keys(ENTER).await;
    browser.find("th[aria-sort=descending] #by-pool").await;
    assert_eq!(browser.run(focused).await, "Pool↓");
    browser.open("/dashboard/coverage").await;
    browser
        .run("document.querySelector('#by-calls').focus()")
        .await;
    browser.keys(ENTER).await;
    browser.find("th[aria-sort=descending] #by-calls").await;
    browser
        .sees("return document.activeElement.id === 'by-calls'")
        .await;
    assert_sound(&browser, "coverage by calls").await;
    browser.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_back_from_a_change_of_many_sends_nothing_again() {
    let service = Service::start().await;
    let browser = service.signed_in(TOKEN).await;
    browser
        .open("/dashboard/numbers/bulk?which=matching&pool=solar")
        .await;
    browser.fill("#hourly_limit", "some").await;
    browser.press("Preview").await;
    browser.find("#hourly_limit-fault").await;
    assert_refused(&browser, "a limit that is none").await;
    browser.fill("#hourly_limit", "7").await;
    browser.press("Preview").await;
    browser.reads("15 of 15 numbers would change").await;
    let preview = browser.path().await;
    browser.press("Change 15 numbers").await;
    browser.reads("15 numbers changed").await;
    browser.back().await;
    browser.reads("What would change").await;
    assert_eq!(browser.path().await, preview);
    // It is asked for anew, where a form would have to be sent again.
    browser.run("location.reload()").await;
    browser.reads("They are all so already").await;
    let filled = "return document.querySelector('#hourly_limit').value";
    assert_eq!(browser.run(filled).await, "7");
    assert_sound(&browser, "a preview come back to").await;
    browser.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_the_menu_of_a_phone_is_open() {
    let service = Service::start().await;
    let browser = service.signed_in(TOKEN).await;
    browser.resize(390, 1000).await;
    browser.open("/dashboard/numbers").await;
    let pages = browser.find("nav[aria-label=Pages]").await;
    assert!(!pages.is_displayed().await.unwrap(), "it is opened by hand");
    browser.press("Menu").await;
    assert!(pages.is_displayed().await.unwrap());
    browser.without_scripts().await;
    browser.open("/dashboard/numbers").await;
    let pages = browser.find("nav[aria-label=Pages]").await;
    assert!(pages.is_displayed().await.unwrap());
    browser.press("Pools").await;
    assert_eq!(browser.path().await, "/dashboard/pools");
    browser.close().await;
    service.stop().await;
}
