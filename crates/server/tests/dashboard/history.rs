//! Calls: found, looked at, ended.

use crate::service::{Service, TOKEN, assert_sound};

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_found_and_its_reservation_ended() {
    let service = Service::start().await;
    service.calls(12, "SOLAR").await;
    service.calls(1, "ROOF").await;
    let browser = service.signed_in(TOKEN).await;
    browser.press("History").await;
    browser.fill("#by-campaign", "ROOF").await;
    browser.press("Search").await;
    browser.reads("Calls found").await;
    assert_eq!(browser.count("#search tbody tr").await, 1);
    assert_eq!(browser.path().await, "/dashboard/history?campaign=ROOF");
    assert_sound(&browser, "calls found").await;
    browser.click("#search tbody a").await;
    browser.reads("The number shown").await;
    assert_sound(&browser, "a call").await;
    browser.picture("dashboard-call").await;
    browser.press("End the reservation").await;
    browser.answer(false).await;
    browser.press("End the reservation").await;
    browser.answer(true).await;
    browser.reads("The reservation is ended").await;
    assert_sound(&browser, "reservations").await;
    browser.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_span_of_time_is_that_of_the_viewers_clock() {
    let service = Service::start().await;
    service.calls(1, "SOLAR").await;
    let browser = service.signed_in(TOKEN).await;
    browser.open("/dashboard/history").await;
    browser
        .run("document.querySelector('#by-until').value = '2001-02-03T04:05'")
        .await;
    browser.press("Search").await;
    browser.reads("No call fits all of that").await;
    let meant = "return new URLSearchParams({until: new Date('2001-02-03T04:05').toISOString()}).toString()";
    let meant = browser.run(meant).await;
    let path = browser.path().await;
    assert_eq!(
        path,
        format!("/dashboard/history?{}", meant.as_str().unwrap())
    );
    let shown = "return document.querySelector('#by-until').value";
    assert_eq!(browser.run(shown).await, "2001-02-03T04:05");
    browser.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_searched_for_is_marked() {
    let service = Service::start().await;
    let browser = service.signed_in(TOKEN).await;
    browser.open("/dashboard/lookup").await;
    assert_sound(&browser, "nothing looked up").await;
    browser.fill("#by-number", "12").await;
    browser.press("Look up").await;
    browser.find("#fault-number").await;
    let told = browser.complaints().await;
    assert!(told.iter().all(|line| line.contains("422")), "{told:?}");
    assert_sound(&browser, "a fault").await;
    browser.fill("#by-number", "(312) 555-0100").await;
    browser.press("Look up").await;
    browser.reads("Last calls from it").await;
    assert_sound(&browser, "looked up").await;
    browser.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_seen_as_they_come_unless_somebody_wants_to_read() {
    let service = Service::start().await;
    let browser = service.signed_in(TOKEN).await;
    browser.open("/dashboard/requests").await;
    service.calls(1, "SOLAR").await;
    browser.reads("SOLAR").await;
    browser.choose("#outcome", "done").await;
    browser.find("#list[hx-get*='outcome=done']").await;
    assert!(!browser.text().await.contains("SOLAR"));
    browser.click("[data-keeps=list]").await;
    browser.choose("#outcome", "").await;
    browser.reads("SOLAR").await;
    service.calls(1, "ROOF").await;
    let refreshes = "return document.querySelector('[data-keeps]').checked";
    assert_eq!(browser.run(refreshes).await, false);
    browser.click("[data-keeps=list]").await;
    browser.reads("ROOF").await;
    assert_sound(&browser, "requests").await;
    browser.close().await;
    service.stop().await;
}
