//! What would be chosen for a call, and why.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use minijinja::context;
use serde_json::{Value, json};

use super::pools::lines;
use super::pools::words::sentences;
use super::shared::{asked, faults, segment, with_status};
use crate::dashboard::Dashboard;
use crate::dashboard::failure::Failure;
use crate::dashboard::form::Form;
use crate::dashboard::visit::Visit;

/// What one may fill in.
const FIELDS: [&str; 4] = ["to", "campaign", "agent", "call"];
/// So many campaigns are offered while one types.
const OFFERED_MOST: usize = 200;
/// What holds numbers back: its name in the API, what people call it, and its colour.
const CAUSES: [(&str, &str, &str); 8] = [
    ("eligible", "free", "good"),
    ("reserved", "in calls", "accent"),
    ("cooldown", "resting between uses", "blue"),
    ("hourly_limit", "at the hourly limit", "warn"),
    ("daily_limit", "at the daily limit", "warn"),
    ("resting", "set to rest", "faint"),
    ("paused", "paused", "faint"),
    ("retired", "retired", "line"),
];

/// The route of this page.
pub(super) fn routes() -> Router<Arc<Dashboard>> {
    Router::new().route("/dashboard/explain", get(show))
}

async fn show(State(dashboard): State<Arc<Dashboard>>, visit: Visit) -> Result<Response, Failure> {
    let asked = asked(&visit.uri);
    let filled: Value = FIELDS
        .iter()
        .map(|name| ((*name).to_owned(), Value::from(asked.text(name))))
        .collect();
    let (explained, refused) = match asked.text("to") {
        "" => (None, None),
        _ => match explain(&dashboard, &visit, &asked).await {
            Ok(explained) => (Some(explained), None),
            Err(failure) if failure.status == StatusCode::UNPROCESSABLE_ENTITY => {
                (None, Some(failure))
            }
            Err(failure) => return Err(failure),
        },
    };
    let faults = refused.as_ref().map(faults).unwrap_or_default();
    let shown = context! {
        filled, explained,
        campaigns => campaigns(&dashboard, &visit).await?,
        // Emergency numbers and the like are refused as a whole.
        said => refused.filter(|_| faults.is_empty()).map(|failure| failure.text()),
        is_refused => !faults.is_empty(),
        faults,
    };
    // Why not is an answer as well: this page changes nothing.
    let page = dashboard
        .templates
        .page(&visit, "explain/page.html", shown)?;
    Ok(with_status(page, StatusCode::OK))
}

async fn explain(dashboard: &Dashboard, visit: &Visit, asked: &Form) -> Result<Value, Failure> {
    let given = FIELDS.iter().filter(|name| !asked.text(name).is_empty());
    let query: Vec<String> = given
        .map(|name| format!("{name}={}", segment(asked.text(name))))
        .collect();
    let path = format!("/api/v1/explain?{}", query.join("&"));
    let mut explained = dashboard.api.get(visit, &path).await?;
    dress(&mut explained);
    Ok(explained)
}

/// Adds what people read: the policy of each pool in sentences, and of each rung whether it was reached and what holds its
/// numbers.
fn dress(explained: &mut Value) {
    let has_choice = explained["choice"]["outcome"] == "number";
    let is_sticky = explained["choice"]["rung"] == "sticky";
    // With a number that was shown before, or when the call asked before, no rung is tried.
    let mut is_tried = !is_sticky && explained["choice"]["outcome"] != "repeated";
    is_tried &= explained["choice"]["outcome"] != "agent_limited";
    for pool in explained["pools"].as_array_mut().into_iter().flatten() {
        let policy = pool["policy"].clone();
        if !policy.is_null() {
            let mut said = policy.clone();
            let rungs = policy["ladder"].as_str().unwrap_or_default();
            said["ladder"] = rungs.split(',').collect();
            pool["sentences"] = sentences(&said, &[], false).into();
        }
        for rung in pool["rungs"].as_array_mut().into_iter().flatten() {
            let counts = counts(&rung["numbers"]);
            rung["total"] = counts
                .iter()
                .filter_map(|one| one["count"].as_u64())
                .sum::<u64>()
                .into();
            rung["counts"] = counts.into();
            rung["is_tried"] = is_tried.into();
            if has_choice && rung["chosen"] == true {
                is_tried = false;
            }
        }
    }
}

/// How many numbers each cause holds, without those that hold none.
fn counts(numbers: &Value) -> Vec<Value> {
    let mut before = 0;
    let mut counts = Vec::new();
    for (name, words, colour) in CAUSES {
        let count = numbers[name].as_u64().unwrap_or(0);
        if count > 0 {
            counts
                .push(json!({"words": words, "colour": colour, "count": count, "before": before}));
        }
        before += count;
    }
    counts
}

/// The names of campaigns, offered while one types.
async fn campaigns(dashboard: &Dashboard, visit: &Visit) -> Result<Vec<Value>, Failure> {
    let mut answer = dashboard.api.get(visit, "/api/v1/campaigns").await?;
    let all = lines(answer["campaigns"].take()).into_iter();
    Ok(all
        .map(|mut one| one["id"].take())
        .take(OFFERED_MOST)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_behind_the_choice_are_not_reached() {
        let rung =
            |chosen: bool| json!({"chosen": chosen, "numbers": {"eligible": 1, "paused": 2}});
        let mut explained = json!({
            "choice": {"outcome": "number", "rung": "overlay"},
            "pools": [
                {"policy": null, "rungs": []},
                {"policy": {"ladder": "area_code,any"}, "rungs": [rung(false), rung(true), rung(false)]},
            ],
        });
        dress(&mut explained);
        let rungs = &explained["pools"][1]["rungs"];
        let tried: Vec<_> = (0..3)
            .map(|place| rungs[place]["is_tried"].clone())
            .collect();
        assert_eq!(tried, [true, true, false]);
        assert_eq!(rungs[0]["total"], 3);
        assert_eq!(rungs[0]["counts"][1]["before"], 1);
    }

    #[test]
    fn for_a_number_that_was_shown_before_no_rung_is_tried() {
        let mut explained = json!({
            "choice": {"outcome": "number", "rung": "sticky"},
            "pools": [{"policy": null, "rungs": [{"chosen": false, "numbers": null}]}],
        });
        dress(&mut explained);
        assert_eq!(explained["pools"][0]["rungs"][0]["is_tried"], false);
    }
}
