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
