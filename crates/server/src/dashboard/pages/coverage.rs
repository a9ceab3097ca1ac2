//! Where is called, what numbers there are for it, and what is short.

mod map;
mod table;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use minijinja::context;
use serde_json::{Value, json};

use self::map::By;
use super::pools::lines;
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
        days, region, name, buys, kinds,
    };
    dashboard
        .templates
        .page(&visit, "coverage/page.html", shown)
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
