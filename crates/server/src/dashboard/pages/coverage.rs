//! Where is called, what numbers there are for it, and what is short.

mod map;
mod table;

use std::collections::HashSet;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use minijinja::context;
use serde_json::{Value, json};

use self::map::By;
use super::pools::{POOLS, lines};
use super::shared::asked;
use crate::dashboard::Dashboard;
use crate::dashboard::failure::Failure;
use crate::dashboard::visit::Visit;

/// The spans one may choose from, in days.
const DAYS: [u32; 4] = [1, 7, 14, 31];
const DAYS_DEFAULT: u32 = 7;
/// So many carriers are drawn.
const CARRIERS_MOST: usize = 25;
/// So many area codes are on the list of what to buy.
const BUYS_MOST: usize = 10;

/// The route of this page.
pub(super) fn routes() -> Router<Arc<Dashboard>> {
    Router::new().route("/dashboard/coverage", get(show))
}

async fn show(State(dashboard): State<Arc<Dashboard>>, visit: Visit) -> Result<Response, Failure> {
    let asked = asked(&visit.uri);
    let days = asked.text("days").parse().ok();
    let days = days
        .filter(|days| DAYS.contains(days))
        .unwrap_or(DAYS_DEFAULT);
    let by = By::read(asked.text("by"));
    let region = asked.text("region");
    let name = map::name(region);
    // What is no state or province is not looked for.
    let region = name.map_or("", |_| region);
    let path = format!("/api/v1/coverage?days={days}");
    let mut coverage = dashboard.api.get(&visit, &path).await?;
    let idle = idle(&dashboard, &visit).await?;
    let codes = lines(coverage["area_codes"].take());
    let mut regions = lines(coverage["regions"].take());
    table::add_short(&mut regions, &codes);
    let buys = table::buys(&codes, BUYS_MOST);
    let table = table::Table {
        sort: table::Sort::read(asked.text("sort")),
        region,
        page: asked.text("page").parse().unwrap_or(1),
    };
    let kinds = By::ALL.map(|(_, word, name)| json!({"word": word, "name": name}));
    let shown = context! {
        map => map::draw(&regions, by, region),
        chosen => regions.iter().find(|one| !region.is_empty() && one["region"] == region),
        table => table.lines(&codes),
        carriers => carriers(coverage["carriers"].take()),
        total => &coverage["total"], elsewhere => &coverage["elsewhere"],
        since => &coverage["since"], at => &coverage["at"],
        spans => DAYS, by => by.word(),
        days, region, name, buys, kinds, idle,
    };
    dashboard
        .templates
        .page(&visit, "coverage/page.html", shown)
}

/// The pools with active numbers that no campaign names: no call shows these numbers, but they are counted. `default` is that of
/// calls whose campaign nobody set up.
async fn idle(dashboard: &Dashboard, visit: &Visit) -> Result<Value, Failure> {
    let campaigns = dashboard.api.get(visit, "/api/v1/campaigns");
    let pools = dashboard.api.get(visit, POOLS);
    let (campaigns, mut pools) = tokio::try_join!(campaigns, pools)?;
    let of = |campaign: &Value| {
        let pools = lines(campaign["pools"].clone()).into_iter();
        pools.filter_map(|pool| pool.as_str().map(str::to_owned))
    };
    let all = campaigns["campaigns"].as_array().into_iter().flatten();
    let named: HashSet<String> = all.flat_map(of).collect();
    let is_idle = |pool: &Value| {
        let id = pool["id"].as_str().unwrap_or_default();
        pool["numbers"]["active"] != 0 && id != "default" && !named.contains(id)
    };
    let mut pools = lines(pools["pools"].take());
    pools.retain(is_idle);
    let active = pools.iter().map(|pool| pool["numbers"]["active"].as_u64());
    let numbers: u64 = active.flatten().sum();
    let ids: Vec<&Value> = pools.iter().map(|pool| &pool["id"]).collect();
    Ok(json!({"numbers": numbers, "pools": ids}))
}

/// The carriers with what their bars are drawn against.
fn carriers(all: Value) -> Value {
    let all = lines(all);
    let most = |name: &str| {
        all.iter()
            .filter_map(|one| one[name].as_u64())
            .max()
            .unwrap_or(0)
    };
    let shown: Vec<&Value> = all.iter().take(CARRIERS_MOST).collect();
    json!({
        "shown": shown, "others": all.len() - shown.len(),
        "most_numbers": most("numbers"), "most_calls": most("calls"),
    })
}
