//! Pages of keys, the audit log, settings and the latest requests, without a browser.

use serde_json::json;

use crate::dashboard_calls::{fill_in, page};
use crate::support::{Service, TOKEN};

#[tokio::test]
async fn a_key_is_made_shown_once_and_revoked() {
    let service = Service::start(&[]).await;
    let bad = [
        ("name", " "),
        ("role", "root"),
        ("addresses", "10.0.0.0/8\n10.0.0.0/99"),
        ("expires_in_days", "soon"),
    ];
    let form = fill_in(&service, "/dashboard/keys", &bad).await;
    assert_eq!(form.status, 422, "{}", form.body);
    for field in ["name", "role", "addresses", "expires_in_days"] {
        assert!(
            form.body.contains(&format!("id=\"fault-{field}\"")),
            "{field}: {}",
            form.body
        );
    }
    assert!(
        form.body.contains("10.0.0.0/99") && form.body.contains("value=\"soon\""),
        "{}",
        form.body
    );
    let good = [
        ("name", "dialer east"),
        ("role", "dialer"),
        ("addresses", "10.0.0.0/8, 2001:db8::/32"),
        ("campaigns", "SOLAR\r\nA, B\r\n"),
        ("expires_in_days", ""),
    ];
    let made = fill_in(&service, "/dashboard/keys", &good).await;
    assert_eq!(made.status, 200, "{}", made.body);
    assert_eq!(made.header("cache-control"), "no-store");
    let key = made
        .body
        .split("value=\"")
        .find(|rest| rest.starts_with("cid_"))
        .expect("a key");
    let key = key.split('"').next().expect("its end").to_owned();
    let taken = fill_in(&service, "/dashboard/keys", &good).await;
    assert_eq!(taken.status, 422);
    assert!(
        taken.body.contains("id=\"fault-name\"") && !taken.body.contains("cid_"),
        "{}",
        taken.body
    );
    let list = page(&service, "/dashboard/keys").await;
    assert!(
        list.body.contains("dialer east") && list.body.contains("A, B"),
        "{}",
        list.body
    );
    assert!(!list.body.contains(&key[17..]), "no secret: {}", list.body);
    let id = &key[4..16];
    let revoked = fill_in(&service, &format!("/dashboard/keys/{id}/revoke"), &[]).await;
    assert_eq!(
        (revoked.status, revoked.header("location")),
        (303, "/dashboard/keys?done=revoked")
    );
    let list = page(&service, "/dashboard/keys?done=revoked").await;
    assert!(
        list.body.contains("opens nothing any more") && list.body.contains("Expired and revoked"),
        "{}",
        list.body
    );
    assert_eq!(
        fill_in(&service, "/dashboard/keys/none/revoke", &[])
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn the_log_tells_what_was_and_what_became_of_it() {
    let service = Service::start(&[]).await;
    let number = json!({"number": "3125550100", "carrier": "Acme"});
    service.admin("POST", "/api/v1/numbers", &number).await;
    let patch = json!({"carrier": "Other", "status": "paused"});
    service
        .admin("PATCH", "/api/v1/numbers/3125550100", &patch)
        .await;
    let log = page(
        &service,
        "/dashboard/audit?action=number.update&subject=%2B13125550100",
    )
    .await;
    for part in [
        "<del>Acme</del>",
        "<ins>Other</ins>",
        "<del>active</del>",
        "<ins>paused</ins>",
        "stayed as before",
    ] {
        assert!(log.body.contains(part), "{part}: {}", log.body);
    }
    assert!(!log.body.contains("number.create</span>"), "{}", log.body);
    let none = page(&service, "/dashboard/audit?author=nobody").await;
    assert!(none.body.contains("Nobody did that"), "{}", none.body);
}

#[tokio::test]
async fn settings_are_shown_with_where_they_come_from_and_never_a_secret() {
    let service = Service::start(&[("CALLER_ID_COOLDOWN_SECONDS", "17")]).await;
    let all = page(&service, "/dashboard/settings").await;
    assert!(
        all.body.contains("Rotation") && all.body.contains("CALLER_ID_COOLDOWN_SECONDS"),
        "{}",
        all.body
    );
    assert!(!all.body.contains(TOKEN), "the token is a secret");
    let found = page(&service, "/dashboard/settings?q=cooldown").await;
    assert!(found.body.contains("CALLER_ID_COOLDOWN_SECONDS") && !found.body.contains("API_PORT"));
    let none = page(&service, "/dashboard/settings?q=no+such+thing").await;
    assert!(none.body.contains("is like that"), "{}", none.body);
}

#[tokio::test]
async fn requests_are_found_by_outcome_and_by_what_stands_in_them() {
    let service = Service::start(&[]).await;
    service.add(json!({"caller_id": "3125550100"})).await;
    service.take("to=2125551234&campaign=SOLAR&agent=7").await;
    assert_eq!(
        service
            .get("/next-cid?to=2125551235&campaign=ROOF&agent=7")
            .await
            .status,
        404,
        "none is free"
    );
    let all = page(&service, "/dashboard/requests").await;
    assert!(
        all.body.contains("SOLAR") && all.body.contains("ROOF"),
        "{}",
        all.body
    );
    let some = page(&service, "/dashboard/requests?outcome=exhausted").await;
    assert!(
        !some.body.contains("SOLAR</td>") && some.body.contains("ROOF</td>"),
        "{}",
        some.body
    );
    let some = page(&service, "/dashboard/requests?q=(312)+555-0100").await;
    assert!(
        some.body.contains("SOLAR</td>") && !some.body.contains("ROOF</td>"),
        "{}",
        some.body
    );
    let none = page(&service, "/dashboard/requests?q=nothing+like+it").await;
    assert!(none.body.contains("is like that"), "{}", none.body);
}
