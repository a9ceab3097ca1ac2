//! Pools, campaigns, what would be chosen, what is covered.

use serde_json::{Value, json};

use crate::service::{Service, TOKEN, assert_refused, assert_sound};

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_is_made_changed_and_deleted() {
    let service = Service::start().await;
    let browser = service.signed_in(TOKEN).await;
    browser.press("Pools").await;
    browser.press("New pool").await;
    browser.fill("#name", "solar").await;
    browser.press("Make the pool").await;
    browser.reads("There is a pool of this name already").await;
    assert_refused(&browser, "a name that is taken").await;
    browser.fill("#name", "night/shift").await;
    browser.fill("#cooldown_seconds", "soon").await;
    browser.press("Make the pool").await;
    browser
        .reads("a whole number from 0 to 86400 is expected")
        .await;
    assert_refused(&browser, "a rest that is none").await;
    browser.fill("#cooldown_seconds", "2").await;
    browser.choose("[name=cooldown_seconds_unit]", "60").await;
    browser.press("Make the pool").await;
    browser.reads("The pool is made").await;
    browser
        .reads("A number rests 2 minutes after each use")
        .await;
    // What is ticked below a choice chooses it.
    browser.click("input[name=ladder][value=any]").await;
    let chosen = "return document.querySelector('[name=ladder_is]:checked').value";
    assert_eq!(browser.run(chosen).await, "own");
    browser.press("Save").await;
    browser.reads("Saved. It holds from the next call on").await;
    assert_sound(&browser, "a pool that was changed").await;
    browser.press("Delete…").await;
    browser.reads("Delete the pool night/shift?").await;
    browser.press("Keep it").await;
    browser.press("Delete…").await;
    browser.press("Delete it").await;
    browser.reads("The pool is deleted").await;
    browser.open("/dashboard/pools/solar?delete=1").await;
    browser.press("Delete it").await;
    browser.reads("15 numbers are in it").await;
    assert_refused(&browser, "a pool with numbers").await;
    browser.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_is_set_up_and_its_pools_put_in_order() {
    let service = Service::start().await;
    let browser = service.signed_in(TOKEN).await;
    browser.press("Campaigns").await;
    browser.fill("#name", "ROOF/EAST").await;
    browser.press("Set up").await;
    browser.reads("Nobody set this campaign up").await;
    browser.choose("#add", "solar").await;
    browser.press("Add").await;
    browser.reads("not saved yet").await;
    let order =
        "return [...document.querySelectorAll('input[name=pools]')].map((one) => one.value)";
    assert_eq!(browser.run(order).await, json!(["default", "solar"]));
    browser.click("[aria-label='Move up: solar']").await;
    browser.find("li:first-child input[value=solar]").await;
    assert_sound(&browser, "pools in another order").await;
    browser.fill("#limit", "often").await;
    browser.click(".buttons button[value=save]").await;
    browser.find("#limit[aria-invalid]").await;
    assert_refused(&browser, "a limit that is none").await;
    browser.fill("#limit", "12").await;
    browser.click(".buttons button[value=save]").await;
    browser.reads("Saved. It holds from the next call on").await;
    let stored = service
        .order("GET", "/api/v1/campaigns/ROOF%2FEAST", &Value::Null)
        .await;
    assert_eq!(stored["pools"], json!(["solar", "default"]));
    assert_eq!(stored["agent_rate_limit_per_minute"], 12);
    browser.click("[aria-label='Remove: default']").await;
    browser.reads("not saved yet").await;
    browser.press("Drop changes").await;
    browser.find("input[name=pools][value=default]").await;
    browser.picture("dashboard-campaign-ordered").await;
    browser.press("Delete…").await;
    browser.press("Delete it").await;
    browser.reads("no longer set up").await;
    assert_sound(&browser, "campaigns").await;
    browser.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_chosen_is_explained() {
    let service = Service::start().await;
    let browser = service.signed_in(TOKEN).await;
    browser.press("Explain a choice").await;
    browser.fill("#to", "12").await;
    browser.press("Explain").await;
    browser.find("#to[aria-invalid]").await;
    assert_sound(&browser, "a destination that is none").await;
    browser.fill("#to", "(312) 555-1212").await;
    browser.fill("#campaign", "SOLAR").await;
    browser.press("Explain").await;
    browser.reads("would be shown to").await;
    browser.reads("chosen here").await;
    assert_sound(&browser, "a choice").await;
    browser.fill("#to", "911").await;
    browser.press("Explain").await;
    browser.find("main [role=alert], #to[aria-invalid]").await;
    assert_sound(&browser, "an emergency").await;
    browser.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_map_is_coloured_and_read_by_place() {
    let service = Service::start().await;
    service.calls(8, "SOLAR").await;
    let browser = service.signed_in(TOKEN).await;
    browser.press("Coverage").await;
    browser.run("window.same = true").await;
    browser.choose("#by", "short").await;
    browser.find("svg.map-bad").await;
    browser.choose("#days", "31").await;
    browser.find("#coverage a[href*='days=31']").await;
    assert_eq!(browser.run("return window.same").await, true);
    assert!(browser.path().await.contains("by=short"));
    browser.click("a.place[href*='region=IL']").await;
    browser.reads("Area codes of Illinois").await;
    browser.reads("How numbers were chosen for Illinois").await;
    assert_sound(&browser, "one state").await;
    browser.press("All states and provinces").await;
    browser.find("#codes a[href*='sort=calls']").await;
    browser.click("#codes a[href*='sort=code']").await;
    browser.find("th[aria-sort=ascending]").await;
    assert_sound(&browser, "by area code").await;
    browser.close().await;
    service.stop().await;
}
