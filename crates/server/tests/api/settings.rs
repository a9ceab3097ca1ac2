//! The settings that hold, over HTTP.

use serde_json::{Value, json};

use crate::support::{Service, TOKEN};

#[tokio::test]
async fn each_setting_says_what_holds_where_from_and_what_for() {
    let service = Service::start(&[("CALLER_ID_COOLDOWN_SECONDS", "7")]).await;
    let answer = service.admin("GET", "/api/v1/settings", &Value::Null).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let list = answer.json();
    let list = list["settings"].as_array().expect("settings");
    let known = caller_id::config::describe::settings();
    assert_eq!(list.len(), known.len(), "every setting is shown");
    let shown = |name: &str| {
        let found = list.iter().find(|setting| setting["name"] == name);
        found.unwrap_or_else(|| panic!("no {name}")).clone()
    };
    let cooldown = shown("CALLER_ID_COOLDOWN_SECONDS");
    assert_eq!(cooldown["value"], "7");
    assert_eq!(cooldown["source"], "environment");
    assert_ne!(cooldown["default"], json!("7"));
    assert!(!cooldown["help"].as_str().expect("help").is_empty());
    let port = shown("API_PORT");
    assert_eq!(
        (&port["value"], &port["source"]),
        (&port["default"], &json!("default"))
    );
    let token = shown("ADMIN_TOKEN");
    assert_eq!(
        (&token["value"], &token["is_set"], &token["is_secret"]),
        (&Value::Null, &json!(true), &json!(true))
    );
    assert_eq!(shown("JWT_SECRET")["is_set"], false);
    assert!(!answer.body.contains(TOKEN));
}
