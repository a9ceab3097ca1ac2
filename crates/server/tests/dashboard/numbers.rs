//! Numbers: found, added, changed, many at once.

use serde_json::Value;

use crate::service::{Service, TOKEN, assert_refused, assert_sound};

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_added_edited_taken_out_and_brought_back() {
    let service = Service::start().await;
    let browser = service.signed_in(TOKEN).await;
    browser.press("Numbers").await;
    browser.press("Add a number").await;
    browser.fill("#number", "312").await;
    browser.fill("#hourly_limit", "many").await;
    browser.fill("#meta", "[").await;
    browser.press("Add").await;
    browser.find("#meta-fault").await;
    browser.fill("#meta", "").await;
    browser.press("Add").await;
    browser.find("#number-fault").await;
    browser.find("#hourly_limit-fault").await;
    assert_refused(&browser, "a number with faults").await;
    browser.fill("#number", "(415) 555-0100").await;
    browser.fill("#hourly_limit", "7").await;
    browser.press("Add").await;
    browser.reads("It is added").await;
    assert_eq!(
        browser.path().await,
        "/dashboard/numbers/%2B14155550100?done=added"
    );
    browser.fill("#daily_limit", "-1").await;
    browser.press("Save").await;
    browser.find("#daily_limit-fault").await;
    assert_refused(&browser, "an edit with a fault").await;
    browser.fill("#daily_limit", "").await;
    browser.fill("#carrier", "Bell & Sons").await;
    browser.press("Save").await;
    browser.reads("Saved: it holds").await;
    browser.reads("Bell & Sons").await;
    browser.press("Pause").await;
    browser.answer(false).await;
    browser.press("Pause").await;
    browser.answer(true).await;
    browser.reads("It is paused").await;
    browser.press("Bring back").await;
    browser.reads("It is back in use").await;
    browser
        .run("document.querySelector('#until').value = '2001-02-03T04:05'")
        .await;
    browser.press("Rest").await;
    browser.find("#until-fault").await;
    assert_refused(&browser, "a rest that is over").await;
    browser.press("Rest").await;
    browser.reads("It rests, and comes back by itself").await;
    browser.press("Retire").await;
    browser.answer(true).await;
    browser.reads("It is retired").await;
    assert_sound(&browser, "a number that is retired").await;
    browser.picture("dashboard-number-retired").await;
    browser.press("Delete").await;
    browser.answer(true).await;
    browser.reads("The number is deleted").await;
    browser.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_found_and_sorted_without_loading_the_page_anew() {
    let service = Service::start().await;
    let browser = service.signed_in(TOKEN).await;
    browser.open("/dashboard/numbers").await;
    browser.run("window.same = true").await;
    browser.reads("30 numbers").await;
    browser.fill("#q", "(773) 555").await;
    browser.reads("10 numbers").await;
    browser.choose("#pool", "solar").await;
    browser.reads("5 numbers").await;
    browser.press("Number↑").await;
    browser.find("th[aria-sort=descending]").await;
    let first = "return document.querySelector('#list tbody th').innerText";
    assert_eq!(browser.run(first).await, "(773) 555-0125");
    browser.fill("#q", "abc").await;
    browser.reads("digits are expected").await;
    assert_sound(&browser, "a filter that means nothing").await;
    browser.fill("#q", "999999").await;
    browser.reads("No number fits this filter").await;
    assert_eq!(
        browser.run("return window.same").await,
        true,
        "it is the same page"
    );
    browser.press("See all numbers").await;
    browser.reads("30 numbers").await;
    assert_sound(&browser, "all numbers").await;
    browser.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_become_of_many_numbers_is_seen_before_it_is_done() {
    let service = Service::start().await;
    let browser = service.signed_in(TOKEN).await;
    browser.open("/dashboard/numbers?area_code=312").await;
    browser.click("input[data-ticks=number]").await;
    browser.press("Change ticked (10)").await;
    browser.reads("Change 10 numbers").await;
    browser.fill("#hourly_limit", "some").await;
    browser.press("Preview").await;
    browser.find("#hourly_limit-fault").await;
    assert_refused(&browser, "a limit that is none").await;
    browser.fill("#hourly_limit", "9").await;
    browser.press("Preview").await;
    browser.reads("10 of 10 numbers would change").await;
    assert_sound(&browser, "a preview").await;
    browser.picture("dashboard-numbers-preview").await;
    let limit = "/api/v1/numbers/3125550100";
    let before = service.order("GET", limit, &Value::Null).await;
    assert_eq!(before["hourly_limit"], 50, "a preview changes nothing");
    browser.press("Change 10 numbers").await;
    browser.reads("10 numbers changed").await;
    let after = service.order("GET", limit, &Value::Null).await;
    assert_eq!(after["hourly_limit"], 9);
    browser
        .open("/dashboard/numbers/bulk?which=matching&pool=solar")
        .await;
    browser.click("input[value=delete]").await;
    browser.press("Preview").await;
    browser.reads("15 of 15 numbers would be deleted").await;
    browser.press("Delete 15 numbers").await;
    browser.answer(false).await;
    browser.press("Delete 15 numbers").await;
    browser.answer(true).await;
    browser.reads("15 numbers changed").await;
    browser.open("/dashboard/numbers").await;
    browser.reads("15 numbers").await;
    assert_sound(&browser, "what is left").await;
    browser.close().await;
    service.stop().await;
}
