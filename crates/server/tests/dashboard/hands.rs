//! What is kept up to date waits for whoever is at it.

use crate::service::{Service, TOKEN, assert_sound};
use caller_id_testkit::browser::Browser;
use serde_json::json;

/// Types into a search, as fast as nobody can.
const TYPE_312: &str = "const field = document.querySelector('#q');\
    field.value = '312'; field.dispatchEvent(new Event('input', {bubbles: true}))";

/// Counts from now on what came of the service.
async fn count_answers(browser: &Browser) {
    let count = "window.answers = 0;\
        document.addEventListener('htmx:afterRequest', () => window.answers++)";
    browser.run(count).await;
}

/// Has the list refreshed now, and waits until the answer was there.
async fn refresh(browser: &Browser) {
    let refresh = "window.before = window.answers;\
        document.querySelector('#list').dispatchEvent(new Event('refresh'))";
    browser.run(refresh).await;
    browser.sees("return window.answers > window.before").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_click_right_after_typing_counts() {
    let service = Service::start().await;
    let browser = service.signed_in(TOKEN).await;
    browser.open("/dashboard/numbers").await;
    count_answers(&browser).await;
    // The answer to what was typed comes while the button of the mouse is down.
    browser.hold("input[value='+13125550103']").await;
    browser.run(TYPE_312).await;
    browser.sees("return window.answers === 1").await;
    browser.let_go().await;
    browser.reads("10 numbers").await;
    let ticked = "return document.querySelector(\"input[value='+13125550103']\").checked";
    assert_eq!(browser.run(ticked).await, true);
    browser.reads("Change ticked (1)").await;
    assert_eq!(browser.path().await, "/dashboard/numbers?q=312");
    browser.open("/dashboard/numbers").await;
    count_answers(&browser).await;
    // Also where what is clicked on does not fit what was typed.
    browser.hold("#list a[href$='7735550101']").await;
    browser.run(TYPE_312).await;
    browser.sees("return window.answers === 1").await;
    browser.let_go().await;
    browser.reads("What is known").await;
    assert_eq!(browser.path().await, "/dashboard/numbers/%2B17735550101");
    assert_sound(&browser, "after a click").await;
    browser.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_waits_while_somebody_has_a_row_a_box_or_the_keyboard_in_it() {
    let service = Service::start().await;
    let browser = service.signed_in(TOKEN).await;
    browser.open("/dashboard/numbers").await;
    count_answers(&browser).await;
    let paused = json!({"status": "paused"});
    let pause = async |number: &str| {
        let path = format!("/api/v1/numbers/{number}");
        service.order("PATCH", &path, &paused).await;
    };
    let shown = "return document.querySelectorAll('#list tbody .badge.warn').length";
    // A row is pressed.
    pause("3125550100").await;
    let row = "#list a[href$='3125550103']";
    browser.hold(row).await;
    refresh(&browser).await;
    assert_eq!(browser.run(shown).await, 0, "while a row is pressed");
    let away =
        "document.addEventListener('click', (event) => event.preventDefault(), {once: true})";
    browser.run(away).await;
    browser.let_go().await;
    // The keyboard is in a row; where it leaves, the list comes by itself.
    browser
        .sees(&format!("return document.activeElement.matches(\"{row}\")"))
        .await;
    refresh(&browser).await;
    assert_eq!(browser.run(shown).await, 0, "while the keyboard is there");
    browser.run("document.activeElement.blur()").await;
    browser.sees(&format!("{shown} === 1")).await;
    // A box is ticked.
    browser.click("input[value='+13125550106']").await;
    browser.run("document.activeElement.blur()").await;
    pause("3125550109").await;
    refresh(&browser).await;
    assert_eq!(browser.run(shown).await, 1, "while a box is ticked");
    browser.reads("Change ticked (1)").await;
    // A search is somebody's wish: it comes, and what was ticked stays so.
    browser.run(TYPE_312).await;
    browser.sees(&format!("{shown} === 2")).await;
    browser.reads("Change ticked (1)").await;
    let ticked = "return document.querySelector('#list tbody :checked').value";
    assert_eq!(browser.run(ticked).await, "+13125550106");
    assert_sound(&browser, "a list under hands").await;
    browser.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_page_waits_too_and_has_the_latest_then() {
    let service = Service::start().await;
    service.calls(1, "ROOF").await;
    let browser = service.signed_in(TOKEN).await;
    let roof = "a[href='/dashboard/campaigns/ROOF']";
    browser.find(roof).await;
    let beats = "window.beats = 0; document.querySelector('[sse-swap=beat]')\
        .addEventListener('htmx:sseBeforeMessage', () => window.beats++)";
    browser.run(beats).await;
    browser
        .run(&format!("document.querySelector(\"{roof}\").focus()"))
        .await;
    service.calls(1, "SOLAR").await;
    // Campaigns are counted anew once in two seconds.
    browser.sees("return window.beats >= 4").await;
    let solar = "a[href='/dashboard/campaigns/SOLAR']";
    assert_eq!(browser.count(solar).await, 0, "the keyboard is there");
    browser.run("document.activeElement.blur()").await;
    browser.find(solar).await;
    browser.hold(solar).await;
    browser.run("window.beats = 0").await;
    service.calls(1, "EAVES").await;
    browser.sees("return window.beats >= 4").await;
    browser.let_go().await;
    browser.find("h1").await;
    browser
        .sees("return location.pathname === '/dashboard/campaigns/SOLAR'")
        .await;
    assert_sound(&browser, "a campaign").await;
    browser.close().await;
    service.stop().await;
}
