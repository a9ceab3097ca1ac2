//! What somebody may not do they are not offered.

use crate::service::{Service, assert_sound};

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_sees_everything_about_calls_and_can_change_nothing() {
    let service = Service::start().await;
    service.calls(3, "SOLAR").await;
    let browser = service.signed_in(&service.key("viewer").await).await;
    for page in [
        "Overview",
        "Numbers",
        "Coverage",
        "Pools",
        "Campaigns",
        "Explain a choice",
        "History",
        "Who was called",
        "Requests",
        "Reservations",
    ] {
        browser.press(page).await;
        browser.find("nav a[aria-current=page]").await;
        let orders =
            "main form[method=post], main .danger, main a[href$='/new'], main [href*='new=1']";
        assert_eq!(browser.count(orders).await, 0, "{page}");
        assert_sound(&browser, page).await;
    }
    let links = "return [...document.querySelectorAll('nav[aria-label=Pages] a')].length";
    assert_eq!(browser.run(links).await, 10, "and no others are offered");
    browser.open("/dashboard/keys").await;
    browser.reads("Admin role required").await;
    let told = browser.complaints().await;
    assert!(told.iter().all(|line| line.contains("403")), "{told:?}");
    browser.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_changes_numbers_and_neither_deletes_nor_makes_keys() {
    let service = Service::start().await;
    let browser = service.signed_in(&service.key("operator").await).await;
    browser.open("/dashboard/numbers/3125550100").await;
    assert_eq!(browser.count("form[action$='/delete']").await, 0);
    browser.press("Pause").await;
    browser.answer(true).await;
    browser.reads("It is paused").await;
    assert!(!browser.text().await.contains("Audit log"));
    browser.open("/dashboard/pools/solar").await;
    browser.reads("Only admins change it").await;
    assert_sound(&browser, "a pool, to an operator").await;
    browser.open("/dashboard/numbers/bulk?which=matching").await;
    assert_eq!(browser.count("input[value=delete]").await, 0);
    assert_sound(&browser, "many numbers, to an operator").await;
    browser.close().await;
    service.stop().await;
}
