//! What people notice when it is missing.

use crate::service::{Service, TOKEN, assert_sound};

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
