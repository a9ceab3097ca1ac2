//! Keys, the audit log and settings.

use crate::rig::{Service, TOKEN, token_of};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_made_opens_until_it_is_revoked() {
    let service = Service::start().await;
    let make = ["keys", "make", "report", "--role", "viewer", "--days", "30"];
    let made = service.ask(&make).await.fine();
    let key = made.out.trim().to_owned();
    assert!(key.starts_with("cid_") && made.out.lines().count() == 1);
    assert!(made.err.contains("never again") && !made.err.contains(&key));
    let whoami = service.ask_as(&key, &["whoami"]).await.fine();
    assert!(
        whoami.out.contains("report") && whoami.out.contains("viewer"),
        "{whoami:?}"
    );
    service.ask_as(&key, &["numbers", "list"]).await.fine();
    let refused = service.ask_as(&key, &["keys", "list"]).await;
    refused.refused(1, &["Admin role required"]);
    let list = service
        .ask(&["keys", "list", "--state", "active"])
        .await
        .fine();
    assert!(
        list.out.contains("report") && !list.out.contains(&key),
        "{list:?}"
    );
    let id = key.split('_').nth(1).unwrap();
    let shown = service.ask(&["keys", "show", id]).await.fine();
    assert!(
        shown.out.contains("addresses  from everywhere"),
        "{shown:?}"
    );
    let asked = service.ask(&["keys", "revoke", id]).await;
    asked.refused(2, &["will be revoked, for ever", "--yes"]);
    let revoked = service.ask(&["keys", "revoke", id, "--yes"]).await.fine();
    assert_eq!(revoked.out, format!("key {id} (report) is revoked\n"));
    let refused = service.ask_as(&key, &["numbers", "list"]).await;
    refused.refused(1, &["Invalid token", "the key is revoked"]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_have_json_limits_and_faults() {
    let service = Service::start().await;
    let words = [
        "keys",
        "make",
        "east",
        "--role",
        "dialer",
        "--addresses",
        "10.0.0.0/8,192.0.2.1",
        "--campaigns",
        "SOLAR",
        "--until",
        "2099-01-01",
        "--json",
    ];
    let made = service.ask(&words).await.fine().json();
    assert_eq!(
        made["addresses"],
        serde_json::json!(["10.0.0.0/8", "192.0.2.1"])
    );
    assert_eq!(made["expires_at"], "2099-01-01T06:00:00.000000Z");
    let list = service.ask(&["keys", "list", "--json"]).await.fine();
    assert_eq!(
        list.out,
        format!("{}\n", service.said("/api/v1/keys").await)
    );
    for (words, part) in [
        (
            &["keys", "make", "x", "--role", "king"][..],
            "role `king` is unknown",
        ),
        (
            &["keys", "make", "east", "--role", "viewer"],
            "has the name `east`",
        ),
        (&["keys", "show", "nobody"], "There is no key `nobody`"),
    ] {
        service.ask(words).await.refused(1, &[part]);
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_is_shown_and_written_as_csv() {
    let service = Service::start().await;
    service.ask(&["numbers", "add", "3125550100"]).await.fine();
    service
        .ask(&["numbers", "pause", "3125550100"])
        .await
        .fine();
    let list = service
        .ask(&["audit", "list", "--subject", "+13125550100"])
        .await
        .fine();
    for part in [
        "PLACE",
        "number.",
        "312-555-0100",
        "token admin",
        "status active → paused",
    ] {
        assert!(list.out.contains(part), "no `{part}`: {list:?}");
    }
    let lines = [
        "audit", "list", "--action", "number.", "--all", "--limit", "1", "--json",
    ];
    let lines = service.ask(&lines).await.fine();
    assert_eq!(lines.out.lines().count(), 2, "{lines:?}");
    let none = service
        .ask(&["audit", "list", "--until", "2020-01-01"])
        .await
        .fine();
    assert!(
        none.out.is_empty() && none.err.contains("no such entry"),
        "{none:?}"
    );
    let csv = service.ask(&["audit", "list", "--csv", "-"]).await.fine();
    assert_eq!(csv.out, service.said("/api/v1/audit.csv").await);
    let told = service.ask(&["audit", "list", "--since", "tomorrow"]).await;
    told.refused(2, &["--since", "a date like"]);
    let told = service
        .ask_as(&token_of("viewer"), &["audit", "list"])
        .await;
    told.refused(1, &["Admin role required"]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_shown_without_secrets() {
    let service = Service::start().await;
    let set = service.ask(&["settings", "--set"]).await.fine();
    assert!(
        set.out.contains("ADMIN_TOKEN") && set.out.contains("(hidden)"),
        "{set:?}"
    );
    assert!(
        !set.out.contains("API_PORT") && !set.out.contains(TOKEN),
        "{set:?}"
    );
    let all = service.ask(&["settings"]).await.fine();
    assert!(all.out.contains("API_PORT"), "{all:?}");
    let json = service.ask(&["settings", "--json"]).await.fine();
    assert_eq!(
        json.out,
        format!("{}\n", service.said("/api/v1/settings").await)
    );
    service.stop().await;
}
