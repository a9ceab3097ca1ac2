//! The page of what is covered.

use caller_id_core::Role;
use serde_json::json;

use crate::dashboard_person::{MARK, Person};
use crate::support::Service;

async fn worked() -> Service {
    let service = Service::start(&[("CALLER_ID_COOLDOWN_SECONDS", "0")]).await;
    for (number, carrier) in [("3125550100", "Acme"), ("2175550100", MARK)] {
        service
            .add(json!({"caller_id": number, "carrier": carrier, "hourly_limit": 3}))
            .await;
    }
    for to in ["13125551200", "13125551201", "12125551200", "12125551201"] {
        let taken = service.take(&format!("to={to}")).await;
        let id = taken["reservation_id"].as_str().expect("an id");
        let path = format!("/call-result?reservation={id}&dialstatus=ANSWER");
        assert_eq!(service.get(&path).await.status, 200);
        service.clock.advance_ms(1_000);
    }
    service.stored().await;
    service
}

/// What the map says of a place.
fn said<'a>(page: &'a str, place: &str) -> &'a str {
    let begin = format!(", {place}: ");
    let rest = page.split(&begin).nth(1);
    rest.and_then(|rest| rest.split('"').next())
        .expect("the place")
}

#[tokio::test]
async fn the_map_says_of_each_place_what_it_shows_by_colour() {
    let service = worked().await;
    let mut viewer = Person::of_role(&service, Role::Viewer).await;
    let page = viewer.sees("/dashboard/coverage").await;
    assert_eq!(
        said(&page, "Illinois"),
        "2 calls, 100 % local, 2 active numbers, 0 short"
    );
    assert_eq!(
        said(&page, "New York"),
        "2 calls, 0 % local, 0 active numbers, 1 short"
    );
    assert_eq!(said(&page, "Hawaii"), "no calls and no numbers");
    assert!(page.contains("class=\"place step-5\"") && page.contains("class=\"place step-1\""));
    let page = viewer.sees("/dashboard/coverage?by=short&days=31").await;
    assert!(page.contains("<option value=\"31\" selected>") && page.contains("map-bad"));
    for by in ["calls", "answered", "numbers", "x"] {
        viewer
            .sees(&format!("/dashboard/coverage?by={by}&days=x"))
            .await;
    }
}

#[tokio::test]
async fn area_codes_that_are_short_come_first_with_what_to_buy() {
    let service = worked().await;
    let mut viewer = Person::of_role(&service, Role::Viewer).await;
    let page = viewer.sees("/dashboard/coverage").await;
    let place = |code: &str| {
        page.find(&format!("numbers?area_code={code}\""))
            .expect("the code")
    };
    assert!(place("212") < place("312") && place("312") < place("217"));
    assert!(
        page.contains("<strong>1</strong> <span>number of"),
        "{page}"
    );
    let page = viewer.sees("/dashboard/coverage?sort=code").await;
    let place = |code: &str| {
        page.find(&format!("numbers?area_code={code}\""))
            .expect("the code")
    };
    assert!(place("212") < place("217") && place("217") < place("312"));
    let page = viewer.sees("/dashboard/coverage?region=IL").await;
    assert!(page.contains("Area codes of Illinois") && !page.contains("numbers?area_code=212"));
    assert!(page.contains("is-chosen"));
    let page = viewer
        .sees("/dashboard/coverage?region=%3Cscript%3Ealert")
        .await;
    assert!(
        page.contains("numbers?area_code=212"),
        "what is no place is passed over"
    );
}

#[tokio::test]
async fn how_numbers_were_chosen_is_shown_for_all_places_and_for_one() {
    let service = worked().await;
    let mut viewer = Person::of_role(&service, Role::Viewer).await;
    let page = viewer.sees("/dashboard/coverage").await;
    assert!(page.contains("4 numbers handed out"), "{page}");
    assert!(
        page.contains("<span>Area code</span>")
            && page.contains("<span class=\"right\">50 %</span>"),
        "{page}"
    );
    let page = viewer.sees("/dashboard/coverage?region=NY").await;
    assert!(
        page.contains("How numbers were chosen for New York")
            && page.contains("2 numbers handed out"),
        "{page}"
    );
}

#[tokio::test]
async fn carriers_are_shown_by_numbers_calls_and_answers() {
    let service = worked().await;
    let mut viewer = Person::of_role(&service, Role::Viewer).await;
    let page = viewer.sees("/dashboard/coverage").await;
    assert!(page.contains("numbers?carrier=Acme\""));
    assert!(page.contains("&lt;script&gt;alert"), "{page}");
    assert!(page.contains("100 % <span class=\"faint\">of "), "{page}");
}

#[tokio::test]
async fn without_numbers_the_page_says_what_to_do() {
    let service = Service::start(&[]).await;
    let mut viewer = Person::of_role(&service, Role::Viewer).await;
    let page = viewer.sees("/dashboard/coverage").await;
    assert!(
        page.contains("href=\"/dashboard/import\"") && page.contains("No calls in this span"),
        "{page}"
    );
}

#[tokio::test]
async fn numbers_that_no_campaign_uses_are_told_of() {
    let service = worked().await;
    let mut viewer = Person::of_role(&service, Role::Viewer).await;
    let page = viewer.sees("/dashboard/coverage").await;
    assert!(!page.contains("no campaign uses"), "{page}");
    for (number, pool) in [("3125550107", "spare"), ("3125550108", "solar")] {
        service
            .add(json!({"caller_id": number, "pool": pool}))
            .await;
    }
    let campaign = json!({"pools": ["solar"]});
    service
        .admin("PUT", "/api/v1/campaigns/SOLAR", &campaign)
        .await;
    let page = viewer.sees("/dashboard/coverage").await;
    assert!(
        page.contains(
            "1 of the active numbers is in pools that no campaign uses, so no call shows it: \
            <a href=\"/dashboard/pools/spare\">spare</a>."
        ),
        "{page}"
    );
}
