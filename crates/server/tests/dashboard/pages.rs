//! Every page that there is.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::service::Service;

/// Each page, with the route that it is of, as docs/access.md has it. `{…}` stands for what a test has.
const PAGES: [(&str, &str); 30] = [
    ("/dashboard", "/dashboard"),
    ("/dashboard/numbers", "/dashboard/numbers"),
    ("/dashboard/numbers?q=999", "/dashboard/numbers"),
    ("/dashboard/numbers/new", "/dashboard/numbers/new"),
    (
        "/dashboard/numbers/bulk?which=matching",
        "/dashboard/numbers/bulk",
    ),
    (
        "/dashboard/numbers/bulk/{bulk}",
        "/dashboard/numbers/bulk/{job}",
    ),
    (
        "/dashboard/numbers/3125550100",
        "/dashboard/numbers/{number}",
    ),
    ("/dashboard/coverage", "/dashboard/coverage"),
    (
        "/dashboard/coverage?region=IL&by=short",
        "/dashboard/coverage",
    ),
    ("/dashboard/pools", "/dashboard/pools"),
    ("/dashboard/pools?new=1", "/dashboard/pools"),
    ("/dashboard/pools/solar", "/dashboard/pools/{id}"),
    ("/dashboard/pools/solar?delete=1", "/dashboard/pools/{id}"),
    ("/dashboard/campaigns", "/dashboard/campaigns"),
    ("/dashboard/campaigns/SOLAR", "/dashboard/campaigns/{id}"),
    ("/dashboard/explain", "/dashboard/explain"),
    (
        "/dashboard/explain?to=3125551212&campaign=SOLAR",
        "/dashboard/explain",
    ),
    ("/dashboard/history", "/dashboard/history"),
    ("/dashboard/history/{call}", "/dashboard/history/{id}"),
    ("/dashboard/lookup", "/dashboard/lookup"),
    (
        "/dashboard/lookup?number=3125550100&from=3125551000",
        "/dashboard/lookup",
    ),
    ("/dashboard/requests", "/dashboard/requests"),
    ("/dashboard/reservations", "/dashboard/reservations"),
    ("/dashboard/import", "/dashboard/import"),
    ("/dashboard/import/{import}", "/dashboard/import/{job}"),
    ("/dashboard/jobs", "/dashboard/jobs"),
    ("/dashboard/keys", "/dashboard/keys"),
    ("/dashboard/keys/new", "/dashboard/keys/new"),
    ("/dashboard/audit", "/dashboard/audit"),
    ("/dashboard/settings", "/dashboard/settings"),
];

/// The addresses of all pages of a service in which something happened.
pub(crate) async fn all(service: &Service) -> Vec<String> {
    service.calls(12, "SOLAR").await;
    let campaign = json!({"pools": ["solar", "default"]});
    service
        .order("PUT", "/api/v1/campaigns/SOLAR", &campaign)
        .await;
    let list = service
        .order("GET", "/api/v1/reservations", &Value::Null)
        .await;
    let call = list["reservations"][0]["id"].as_str().unwrap().to_owned();
    let file = "caller_id,carrier,colour\n7735550100,A,red\n773,B,red\n";
    let import = "/api/v1/numbers/import?job=true";
    let import = service.job(import, file).await;
    let change = r#"{"all": true, "change": {"carrier": "Acme"}, "job": true}"#;
    let bulk = service.job("/api/v1/numbers/bulk", change).await;
    let pages = PAGES.iter().map(|(page, _)| {
        let page = page.replace("{call}", &call).replace("{import}", &import);
        page.replace("{bulk}", &bulk)
    });
    pages.collect()
}

#[test]
fn every_page_is_in_the_list() {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/access.md");
    let table = fs::read_to_string(table).unwrap();
    let lines = table
        .lines()
        .filter(|line| line.starts_with("| GET | `/dashboard"));
    let routes: BTreeSet<_> = lines.filter_map(|line| line.split('`').nth(1)).collect();
    let seen: BTreeSet<_> = PAGES.iter().map(|(_, route)| *route).collect();
    // Files and streams are no pages, and one address leads to a page alone.
    let others = BTreeSet::from([
        "/dashboard/",
        "/dashboard/live",
        "/dashboard/numbers/export",
        "/dashboard/history.csv",
        "/dashboard/audit.csv",
        "/dashboard/import/{job}/bad-rows.csv",
        "/dashboard/{*page}",
        "/dashboard/assets/{version}/{name}",
    ]);
    let known: BTreeSet<_> = seen.union(&others).copied().collect();
    assert_eq!(routes, known);
}
