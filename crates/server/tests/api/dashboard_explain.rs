//! The page that explains a choice.

use caller_id_core::Role;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use crate::dashboard_person::{MARK, Person};
use crate::support::Service;

async fn stocked() -> Service {
    let service = Service::start(&[]).await;
    for (number, pool) in [
        ("3125550100", "solar"),
        ("2175550100", "solar"),
        ("2125550100", "default"),
    ] {
        service
            .add(json!({"caller_id": number, "pool": pool}))
            .await;
    }
    let sun = json!({"pools": ["solar", "default"], "agent_rate_limit_per_minute": 1});
    assert_eq!(
        service
            .admin("PUT", "/api/v1/campaigns/SUN", &sun)
            .await
            .status,
        200
    );
    service
}

#[tokio::test]
async fn the_choice_is_explained_rung_by_rung() {
    let service = stocked().await;
    let mut viewer = Person::of_role(&service, Role::Viewer).await;
    let page = viewer.sees("/dashboard/explain").await;
    assert!(page.contains("Type a destination") && page.contains("<option value=\"SUN\">"));
    let path = "/dashboard/explain?to=(312)+555-1212&campaign=SUN&agent=&call=";
    let page = viewer.sees(path).await;
    assert!(
        page.contains("(312) 555-0100</a>") && page.contains("chosen here"),
        "{page}"
    );
    assert!(page.contains("not reached"));
    service.take("to=13125551212&campaign=SUN&agent=7").await;
    let page = viewer.sees(path).await;
    assert!(page.contains("(217) 555-0100</a>"), "{page}");
    assert!(
        page.contains("none free") && page.contains("<strong>1</strong> in calls"),
        "{page}"
    );
    assert!(page.contains("state or province; of those free it rested longest"));
    let page = viewer
        .sees("/dashboard/explain?to=3125551212&campaign=SUN&agent=7")
        .await;
    assert!(
        page.contains("No number") && page.contains("over the limit, for another 60 s"),
        "{page}"
    );
}

#[tokio::test]
async fn what_cannot_be_explained_says_why() {
    let service = stocked().await;
    let mut viewer = Person::of_role(&service, Role::Viewer).await;
    let page = viewer.sees("/dashboard/explain?to=555").await;
    assert!(
        page.contains("see what is marked above") && page.contains("aria-invalid"),
        "{page}"
    );
    let page = viewer.sees("/dashboard/explain?to=911").await;
    assert!(
        page.contains("message") && !page.contains("chosen here"),
        "{page}"
    );
}

#[tokio::test]
async fn what_was_filled_in_is_shown_as_text() {
    let service = stocked().await;
    let mut viewer = Person::of_role(&service, Role::Viewer).await;
    let mark = utf8_percent_encode(MARK, NON_ALPHANUMERIC);
    for query in [
        format!("to={mark}&campaign={mark}&agent={mark}&call={mark}"),
        format!("to=3125551212&campaign={mark}&agent={mark}&call={mark}"),
    ] {
        let page = viewer.sees(&format!("/dashboard/explain?{query}")).await;
        assert!(page.contains("&lt;script&gt;alert"), "{page}");
    }
}
