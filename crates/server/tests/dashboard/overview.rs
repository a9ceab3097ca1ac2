//! The first page.

use crate::service::{Service, TOKEN, assert_sound};

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_seen_without_loading_the_page_anew() {
    let service = Service::start().await;
    let browser = service.signed_in(TOKEN).await;
    browser.find("[data-live=yes]").await;
    browser.reads("No calls in the last hour.").await;
    service.calls(3, "ROOF").await;
    browser.find("a[href='/dashboard/campaigns/ROOF']").await;
    browser.reads("(312) 555-****").await;
    browser.find("#pulse canvas").await;
    assert_sound(&browser, "a page that is kept up to date").await;
    service.stop().await;
    browser.reads("not live").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_it_is_said_from_when_on_is_counted() {
    let service = Service::start().await;
    service.calls(3, "ROOF").await;
    let service = service.start_again().await;
    service.calls(1, "SOLAR").await;
    let browser = service.signed_in(TOKEN).await;
    let tile = "document.querySelectorAll('.tile')[1].innerText";
    let is_since = format!("return /^Handed out\\s+1\\s+since the start at .+$/.test({tile})");
    browser.sees(&is_since).await;
    // What history knows is of the whole hour.
    let calls = "return document.querySelector(\"tr:has([href$='/ROOF']) td\").innerText === '3'";
    browser.sees(calls).await;
    assert_sound(&browser, "after a restart").await;
    browser.close().await;
    service.stop().await;
}
