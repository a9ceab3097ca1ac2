//! The pages of pools.

use caller_id_core::Role;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use crate::dashboard_person::{MARK, Person, hidden};
use crate::support::Service;

async fn stocked() -> Service {
    let service = Service::start(&[]).await;
    let solar = json!({"cooldown_seconds": 600, "ladder": ["area_code", "overlay"]});
    let put = service.admin("PUT", "/api/v1/pools/solar", &solar).await;
    assert_eq!(put.status, 200, "{}", put.body);
    for line in 0..3 {
        let number = format!("31255501{line:02}");
        let body =
            json!({"caller_id": number, "pool": "solar", "hourly_limit": 5, "daily_limit": 30});
        service.add(body).await;
    }
    service
}

#[tokio::test]
async fn the_list_shows_how_pools_stand_and_what_they_say_themselves() {
    let service = stocked().await;
    let mut viewer = Person::of_role(&service, Role::Viewer).await;
    let page = viewer.sees("/dashboard/pools").await;
    assert!(page.contains("href=\"/dashboard/pools/solar\""), "{page}");
    assert!(page.contains("<strong>10 minutes</strong>"), "{page}");
    assert!(page.contains("<strong>Area code › Overlay</strong>"));
    assert!(page.contains("3 of 3 free"));
    assert!(!page.contains("New pool"), "a viewer makes none");
    let part = viewer.sees("/dashboard/pools?part=live&q=sol").await;
    assert!(part.contains("solar") && !part.contains("<html") && !part.contains("default"));
    let none = viewer.sees("/dashboard/pools?q=nothing").await;
    assert!(none.contains("No pool has “nothing” in its name."));
}

#[tokio::test]
async fn a_pool_is_explained_in_plain_words() {
    let service = stocked().await;
    let campaign = json!({"pools": ["default", "solar"]});
    service
        .admin("PUT", "/api/v1/campaigns/SUN", &campaign)
        .await;
    let mut viewer = Person::of_role(&service, Role::Viewer).await;
    let page = viewer.sees("/dashboard/pools/solar").await;
    for said in [
        "A number rests 10 minutes after each use.",
        "at most 5 calls an hour and 30 calls a day",
        "a call for which none of these is free gets no number",
        "choice 2 of 2",
        "<strong>3</strong> of 3 numbers free",
        "Only admins change it.",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!page.contains("<button class=\"main\">Save"));
    let part = viewer.sees("/dashboard/pools/solar?part=live").await;
    assert!(part.contains("numbers free") && !part.contains("<html"));
    assert_eq!(viewer.get("/dashboard/pools/none").await.status, 404);
}

#[tokio::test]
async fn an_admin_makes_changes_and_deletes_a_pool() {
    let service = stocked().await;
    let mut admin = Person::admin(&service).await;
    assert!(
        admin
            .sees("/dashboard/pools?new=1")
            .await
            .contains("Make the pool")
    );
    let fields = [
        ("name", "night/shift"),
        ("cooldown_seconds", "2"),
        ("cooldown_seconds_unit", "60"),
    ];
    for dots in [".", ".."] {
        let refused = admin.sends("/dashboard/pools", &[("name", dots)]).await;
        let is_told = refused.body.contains("pool is nothing but dots");
        assert!(refused.status == 422 && is_told, "{}", refused.body);
    }
    let made = admin.sends("/dashboard/pools", &fields).await;
    assert_eq!(made.status, 303, "{}", made.body);
    let place = made.header("location").to_owned();
    assert_eq!(place, "/dashboard/pools/night%2Fshift?done=created");
    let page = admin.sees(&place).await;
    assert!(page.contains("The pool is made."));
    let etag = hidden(&page, "etag");
    let fields = [
        ("etag", etag.as_str()),
        ("sticky_seconds", "7"),
        ("sticky_seconds_unit", "86400"),
        ("time_zone", "America/Chicago"),
        ("ladder_is", "own"),
        ("ladder", "any"),
        ("ladder", "area_code"),
    ];
    let saved = admin.sends("/dashboard/pools/night%2Fshift", &fields).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let policy = service.see("/api/v1/pools/night%2Fshift").await["policy"].clone();
    let expected = json!({
        "cooldown_seconds": null, "reservation_seconds": null, "most_reservations": null, "sticky_seconds": 604_800,
        "time_zone": "America/Chicago", "ladder": ["area_code", "any"],
    });
    assert_eq!(
        policy, expected,
        "what is left empty follows the global settings"
    );
    let stale = admin.sends("/dashboard/pools/night%2Fshift", &fields).await;
    assert_eq!(stale.status, 412);
    assert!(stale.body.contains("Somebody else changed this"));
    let page = admin.sees("/dashboard/pools/night%2Fshift?delete=1").await;
    assert!(page.contains("Delete the pool night/shift?"), "{page}");
    let etag = hidden(&page, "etag");
    let path = "/dashboard/pools/night%2Fshift/delete";
    let deleted = admin.sends(path, &[("etag", &etag)]).await;
    assert_eq!(
        (deleted.status, deleted.header("location")),
        (303, "/dashboard/pools?done=deleted")
    );
    assert!(
        admin
            .sees("/dashboard/pools?done=deleted")
            .await
            .contains("The pool is deleted.")
    );
}

#[tokio::test]
async fn what_cannot_be_taken_is_shown_again_with_what_is_wrong() {
    let service = stocked().await;
    let mut admin = Person::admin(&service).await;
    let page = admin.sees("/dashboard/pools/solar").await;
    let etag = hidden(&page, "etag");
    let fields = [
        ("etag", etag.as_str()),
        ("cooldown_seconds", "soon"),
        ("most_reservations", "0"),
        ("time_zone", "Mars/Base"),
        ("ladder_is", "own"),
    ];
    let refused = admin.sends("/dashboard/pools/solar", &fields).await;
    assert_eq!(refused.status, 422);
    for said in [
        "value=\"soon\"",
        "a whole number from 0 to 86400 is expected",
        "a whole number from 1 to 65535 is expected",
        "time zone `Mars/Base` is unknown",
        "a ladder needs at least one rung",
    ] {
        assert!(refused.body.contains(said), "{said}: {}", refused.body);
    }
    for (fields, status, said) in [
        (&[("name", "")][..], 422, "A pool needs a name."),
        (
            &[("name", "solar")],
            412,
            "There is a pool of this name already.",
        ),
        (
            &[("name", "new"), ("sticky_seconds", "-1")],
            422,
            "a whole number from 0",
        ),
    ] {
        let refused = admin.sends("/dashboard/pools", fields).await;
        assert_eq!(refused.status, status, "{fields:?}");
        assert!(refused.body.contains(said), "{said}: {}", refused.body);
    }
    let used = admin
        .sends("/dashboard/pools/solar/delete", &[("etag", &etag)])
        .await;
    assert_eq!(used.status, 409);
    assert!(used.body.contains("3 numbers are in it"), "{}", used.body);
}

#[tokio::test]
async fn who_may_not_change_pools_cannot_by_a_form_either() {
    let service = stocked().await;
    for role in [Role::Viewer, Role::Operator] {
        let mut person = Person::of_role(&service, role).await;
        for path in [
            "/dashboard/pools/solar",
            "/dashboard/pools/solar/delete",
            "/dashboard/pools",
        ] {
            assert_eq!(
                person.sends(path, &[("name", "x")]).await.status,
                403,
                "{path}"
            );
        }
        assert!(
            !person
                .sees("/dashboard/pools?new=1")
                .await
                .contains("Make the pool")
        );
    }
    let answer = service.ask("POST", "/dashboard/pools/solar").send().await;
    assert!([303, 401].contains(&answer.status), "{}", answer.status);
    assert_eq!(
        service.see("/api/v1/pools/solar").await["policy"]["cooldown_seconds"],
        600
    );
}

#[tokio::test]
async fn names_are_shown_as_text() {
    let service = stocked().await;
    let name = utf8_percent_encode(MARK, NON_ALPHANUMERIC).to_string();
    let path = format!("/api/v1/pools/{name}");
    assert_eq!(service.admin("PUT", &path, &json!({})).await.status, 200);
    let campaign = json!({"pools": [MARK]});
    let path = format!("/api/v1/campaigns/{name}");
    assert_eq!(service.admin("PUT", &path, &campaign).await.status, 200);
    service
        .add(json!({"caller_id": "2125550100", "pool": MARK, "carrier": MARK}))
        .await;
    let mut admin = Person::admin(&service).await;
    for page in [
        "/dashboard/pools".to_owned(),
        format!("/dashboard/pools/{name}"),
        format!("/dashboard/pools/{name}?delete=1"),
    ] {
        let text = admin.sees(&page).await;
        assert!(text.contains("&lt;script&gt;alert"), "{page}: {text}");
    }
    let refused = admin
        .sends(
            "/dashboard/pools",
            &[
                ("name", MARK),
                ("time_zone", MARK),
                ("cooldown_seconds", MARK),
            ],
        )
        .await;
    assert!(!refused.body.contains("<script>alert"), "{}", refused.body);
    let filled = admin
        .sends(
            "/dashboard/pools",
            &[
                ("name", "x"),
                ("time_zone", MARK),
                ("cooldown_seconds", MARK),
            ],
        )
        .await;
    assert_eq!(filled.status, 422);
    assert!(!filled.body.contains("<script>alert") && filled.body.contains("&lt;script&gt;"));
}
