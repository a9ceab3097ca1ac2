//! The pages of campaigns.

use caller_id_core::Role;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use crate::dashboard_person::{MARK, Person, hidden};
use crate::support::{Answer, Service};

async fn stocked() -> Service {
    let service = Service::start(&[("CALLER_ID_COOLDOWN_SECONDS", "0")]).await;
    for pool in ["east", "north", "west"] {
        let path = format!("/api/v1/pools/{pool}");
        assert_eq!(service.admin("PUT", &path, &json!({})).await.status, 200);
    }
    service.add(json!({"caller_id": "3125550100"})).await;
    let sun = json!({"pools": ["east", "west"], "agent_rate_limit_per_minute": 6});
    assert_eq!(
        service
            .admin("PUT", "/api/v1/campaigns/SUN", &sun)
            .await
            .status,
        200
    );
    service
}

/// A call of a campaign that is answered.
async fn call(service: &Service, campaign: &str) {
    let campaign = utf8_percent_encode(campaign, NON_ALPHANUMERIC);
    let taken = service
        .take(&format!("to=13125551212&campaign={campaign}"))
        .await;
    let id = taken["reservation_id"].as_str().expect("an id");
    let path = format!("/call-result?reservation={id}&dialstatus=ANSWER");
    assert_eq!(service.get(&path).await.status, 200);
    service.clock.advance_ms(1_000);
}

/// The pools in a form, in their order.
fn order(page: &str) -> Vec<String> {
    let fields = page.split("name=\"pools\" value=\"").skip(1);
    fields
        .filter_map(|rest| Some(rest.split('"').next()?.to_owned()))
        .collect()
}

async fn press(person: &mut Person, act: &str, pools: &[&str], more: &[(&str, &str)]) -> Answer {
    let mut fields: Vec<_> = pools.iter().map(|pool| ("pools", *pool)).collect();
    fields.push(("act", act));
    fields.extend_from_slice(more);
    person.sends("/dashboard/campaigns/SUN", &fields).await
}

#[tokio::test]
async fn the_list_shows_those_set_up_and_those_only_seen() {
    let service = stocked().await;
    call(&service, "WINTER").await;
    service.stored().await;
    let mut operator = Person::of_role(&service, Role::Operator).await;
    let page = operator.sees("/dashboard/campaigns").await;
    assert!(page.contains("href=\"/dashboard/campaigns/SUN\"") && page.contains("6 a minute"));
    assert!(
        page.contains("1 campaign asks for numbers that nobody set up"),
        "{page}"
    );
    assert!(page.contains("Set up<span class=\"for-readers\"> WINTER"));
    assert!(
        page.contains("100 % <span class=\"faint\">of 1</span>"),
        "{page}"
    );
    let page = operator.sees("/dashboard/campaigns?only=unknown").await;
    assert!(page.contains("WINTER") && !page.contains("campaigns/SUN\""));
    let mut viewer = Person::of_role(&service, Role::Viewer).await;
    let page = viewer.sees("/dashboard/campaigns").await;
    assert!(!page.contains("Set up a campaign") && !page.contains("Set up<span"));
}

#[tokio::test]
async fn pools_are_put_in_order_by_buttons_and_saved_at_the_end() {
    let service = stocked().await;
    let mut operator = Person::of_role(&service, Role::Operator).await;
    let page = operator.sees("/dashboard/campaigns/SUN").await;
    assert_eq!(order(&page), ["east", "west"]);
    let etag = hidden(&page, "etag");
    let moved = press(
        &mut operator,
        "down:east",
        &["east", "west"],
        &[("etag", &etag), ("limit", "6")],
    )
    .await;
    assert_eq!(
        (moved.status, order(&moved.body)),
        (200, vec!["west".to_owned(), "east".to_owned()])
    );
    assert!(moved.body.contains("not saved yet"), "{}", moved.body);
    let added = press(
        &mut operator,
        "add",
        &["west", "east"],
        &[("etag", &etag), ("add", "north")],
    )
    .await;
    assert_eq!(order(&added.body), ["west", "east", "north"]);
    let fewer = press(
        &mut operator,
        "remove:east",
        &["west", "east", "north"],
        &[("etag", &etag)],
    )
    .await;
    assert_eq!(order(&fewer.body), ["west", "north"]);
    let unchanged = service.see("/api/v1/campaigns/SUN").await;
    assert_eq!(
        unchanged["pools"],
        json!(["east", "west"]),
        "nothing is saved yet"
    );
    let etag = hidden(&fewer.body, "etag");
    let saved = press(
        &mut operator,
        "save",
        &["west", "north"],
        &[("etag", &etag), ("limit", "")],
    )
    .await;
    assert_eq!(
        (saved.status, saved.header("location")),
        (303, "/dashboard/campaigns/SUN?done=saved")
    );
    let stored = service.see("/api/v1/campaigns/SUN").await;
    assert_eq!(stored["pools"], json!(["west", "north"]));
    assert!(stored["agent_rate_limit_per_minute"].is_null());
    let stale = press(&mut operator, "save", &["east"], &[("etag", &etag)]).await;
    assert_eq!(stale.status, 412);
    assert!(stale.body.contains("Somebody else changed this"));
    assert_eq!(order(&stale.body), ["east"], "what was filled in stays");
}

#[tokio::test]
async fn a_campaign_that_was_only_seen_is_set_up() {
    let service = stocked().await;
    let mut operator = Person::of_role(&service, Role::Operator).await;
    let opened = operator
        .sends("/dashboard/campaigns", &[("name", " A/B ")])
        .await;
    assert_eq!(opened.header("location"), "/dashboard/campaigns/A%2FB");
    let page = operator.sees("/dashboard/campaigns/A%2FB").await;
    assert!(page.contains("Nobody set this campaign up"));
    let fields = [
        ("etag", ""),
        ("pools", "north"),
        ("limit", "0"),
        ("act", "save"),
    ];
    let saved = operator.sends("/dashboard/campaigns/A%2FB", &fields).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let again = operator.sends("/dashboard/campaigns/A%2FB", &fields).await;
    assert_eq!(again.status, 412, "somebody set it up meanwhile");
    let page = operator.sees("/dashboard/campaigns/A%2FB?done=saved").await;
    assert!(page.contains("Saved.") && page.contains("as often as they like"));
    let empty = operator
        .sends("/dashboard/campaigns", &[("name", " ")])
        .await;
    assert_eq!(empty.status, 422);
    assert!(
        empty.body.contains("The campaign is empty."),
        "{}",
        empty.body
    );
    for dots in [".", "..", " .. "] {
        let refused = operator
            .sends("/dashboard/campaigns", &[("name", dots)])
            .await;
        assert_eq!(refused.status, 422, "{dots}");
        let said = "The campaign is nothing but dots.";
        assert!(refused.body.contains(said), "{dots}: {}", refused.body);
    }
}

#[tokio::test]
async fn what_cannot_be_taken_is_shown_again_with_what_is_wrong() {
    let service = stocked().await;
    let mut operator = Person::of_role(&service, Role::Operator).await;
    for (pools, limit, said) in [
        (&["gone"][..], "", "gone"),
        (&[], "", "1 to 16 expected"),
        (
            &["east"],
            "many",
            "a whole number from 0 to 100000 is expected",
        ),
    ] {
        let etag = hidden(&operator.sees("/dashboard/campaigns/SUN").await, "etag");
        let refused = press(
            &mut operator,
            "save",
            pools,
            &[("etag", &etag), ("limit", limit)],
        )
        .await;
        assert_eq!(refused.status, 422, "{said}");
        assert!(refused.body.contains(said), "{said}: {}", refused.body);
    }
}

#[tokio::test]
async fn an_admin_deletes_a_campaign_and_others_may_not() {
    let service = stocked().await;
    let mut operator = Person::of_role(&service, Role::Operator).await;
    let page = operator.sees("/dashboard/campaigns/SUN?delete=1").await;
    assert!(!page.contains("Delete"), "{page}");
    assert_eq!(
        operator
            .sends("/dashboard/campaigns/SUN/delete", &[])
            .await
            .status,
        403
    );
    let mut viewer = Person::of_role(&service, Role::Viewer).await;
    let page = viewer.sees("/dashboard/campaigns/SUN").await;
    assert!(!page.contains("<button class=\"main\"") && page.contains("6 a minute"));
    assert_eq!(press(&mut viewer, "save", &["west"], &[]).await.status, 403);
    let mut admin = Person::admin(&service).await;
    let page = admin.sees("/dashboard/campaigns/SUN?delete=1").await;
    assert!(page.contains("Delete what is said of SUN?"));
    let etag = hidden(&page, "etag");
    let deleted = admin
        .sends("/dashboard/campaigns/SUN/delete", &[("etag", &etag)])
        .await;
    assert_eq!(
        (deleted.status, deleted.header("location")),
        (303, "/dashboard/campaigns?done=deleted")
    );
}

#[tokio::test]
async fn the_calls_of_the_last_days_are_shown() {
    let service = stocked().await;
    call(&service, "WINTER").await;
    call(&service, "WINTER").await;
    service.stored().await;
    let mut viewer = Person::of_role(&service, Role::Viewer).await;
    let page = viewer.sees("/dashboard/campaigns/WINTER").await;
    assert!(
        page.contains("2 calls, 2 answered") && page.contains("2026-11-16"),
        "{page}"
    );
    let page = viewer.sees("/dashboard/campaigns/SUN").await;
    assert!(page.contains("No calls in these days."));
}

#[tokio::test]
async fn names_are_shown_as_text() {
    let service = stocked().await;
    call(&service, MARK).await;
    service.stored().await;
    let mut admin = Person::admin(&service).await;
    let name = utf8_percent_encode(MARK, NON_ALPHANUMERIC).to_string();
    for page in [
        "/dashboard/campaigns".to_owned(),
        format!("/dashboard/campaigns/{name}"),
        format!("/dashboard/campaigns?q={name}"),
    ] {
        let text = admin.sees(&page).await;
        assert!(text.contains("&lt;script&gt;alert"), "{page}: {text}");
    }
    let refused = press(
        &mut admin,
        "save",
        &[MARK],
        &[("limit", MARK), ("add", MARK)],
    )
    .await;
    assert!(!refused.body.contains("<script>alert"), "{}", refused.body);
}

#[tokio::test]
async fn names_turn_no_text_round_and_are_what_they_are_in_links_and_forms() {
    let service = stocked().await;
    let (name, shown) = ("\u{202e}gnp.exe", "\u{fffd}gnp.exe");
    let at = "%E2%80%AEgnp.exe";
    let pool = format!("/api/v1/pools/{at}");
    assert_eq!(service.admin("PUT", &pool, &json!({})).await.status, 200);
    call(&service, name).await;
    service.stored().await;
    let mut operator = Person::of_role(&service, Role::Operator).await;
    let at = utf8_percent_encode(name, NON_ALPHANUMERIC).to_string();
    for page in ["/dashboard", "/dashboard/requests", "/dashboard/campaigns"] {
        let text = operator.sees(page).await;
        assert!(text.contains(shown), "{page}: {text}");
        assert!(!text.contains(&format!(">{name}")), "{page}: {text}");
    }
    let list = operator.sees("/dashboard/campaigns").await;
    assert!(list.contains(&format!("href=\"/dashboard/campaigns/{at}\"")));
    let filter = operator.sees("/dashboard/numbers").await;
    let option = format!("<option value=\"{name}\">{shown}</option>");
    assert!(filter.contains(&option), "{filter}");
    let place = format!("/dashboard/campaigns/{at}");
    let fields = [("etag", ""), ("pools", name), ("act", "save")];
    assert_eq!(operator.sends(&place, &fields).await.status, 303);
    let page = operator.sees(&place).await;
    assert_eq!(order(&page), [name], "what a form gives back is the name");
    let etag = hidden(&page, "etag");
    let fields = [("etag", etag.as_str()), ("pools", "east"), ("act", "save")];
    let saved = operator.sends(&place, &fields).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let stored = service.see(&format!("/api/v1/campaigns/{at}")).await;
    assert_eq!(
        (&stored["id"], &stored["pools"]),
        (&json!(name), &json!(["east"]))
    );
}
