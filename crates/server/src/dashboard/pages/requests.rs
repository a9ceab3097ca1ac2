//! The latest requests, and what became of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use minijinja::context;
use serde_json::Value;

use super::search::Search;
use crate::dashboard::Dashboard;
use crate::dashboard::failure::Failure;
use crate::dashboard::visit::Visit;

/// More lines nobody reads, and the page is made every two seconds.
const LINES_MOST: usize = 100;
/// What becomes of requests, the usual first. Another word that is found is a choice, too.
const OUTCOMES: [&str; 13] = [
    "allocated",
    "repeated",
    "exhausted",
    "agent_limited",
    "not_rotated",
    "unavailable",
    "refused",
    "limited",
    "invalid",
    "conflict",
    "not_found",
    "failed",
    "done",
];
/// What words are looked for in.
const TEXTS: [&str; 7] = [
    "destination",
    "caller_id",
    "campaign",
    "agent",
    "client",
    "request",
    "node",
];

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Dashboard>> {
    Router::new().route("/dashboard/requests", get(show))
}

async fn show(State(dashboard): State<Arc<Dashboard>>, visit: Visit) -> Result<Response, Failure> {
    let search = Search::read(&visit, &["q", "outcome"]);
    let (q, wanted) = (search.text("q").to_lowercase(), search.text("outcome"));
    let mut log = dashboard.api.get(&visit, "/api/v1/requests").await?;
    let mut lines: Vec<Value> = match log["requests"].take() {
        Value::Array(lines) => lines,
        _ => Vec::new(),
    };
    let kept = lines.len();
    lines.retain(|line| holds(line, &q));
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for line in &lines {
        *counts.entry(outcome(line).to_owned()).or_insert(0) += 1;
    }
    let others = counts.keys().map(String::as_str).chain([wanted]);
    let others = others.filter(|word| !word.is_empty() && !OUTCOMES.contains(word));
    let outcomes: BTreeSet<&str> = others.collect();
    let outcomes: Vec<&str> = OUTCOMES.into_iter().chain(outcomes).collect();
    lines.retain(|line| wanted.is_empty() || outcome(line) == wanted);
    let found = lines.len();
    lines.truncate(LINES_MOST);
    let nodes: BTreeSet<_> = lines.iter().map(|line| line["node"].as_str()).collect();
    let shown = context! {
        q => search.text("q"), wanted, kept, found, outcomes, counts,
        several_nodes => nodes.len() > 1,
        all_nodes => &log["all_nodes"],
        query => search.query(),
        lines,
    };
    let templates = &dashboard.templates;
    templates.page(&visit, "requests/list.html", shown)
}

fn outcome(line: &Value) -> &str {
    line["outcome"].as_str().unwrap_or_default()
}

/// Whether the words stand in a line. Numbers are found as people write them, too.
fn holds(line: &Value, words: &str) -> bool {
    let digits: String = words.chars().filter(char::is_ascii_digit).collect();
    let is_number = digits.len() >= 3 && words.chars().all(|one| !one.is_alphabetic());
    TEXTS.iter().any(|name| {
        let text = line[*name].as_str().unwrap_or_default().to_lowercase();
        text.contains(words) || (is_number && text.contains(&digits))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lines_are_found_by_what_stands_in_them() {
        let line = json!({"caller_id": "+13125550100", "campaign": "SOLAR", "agent": null});
        for words in ["solar", "3125550100", "(312) 555-0100", "312", ""] {
            assert!(holds(&line, words), "{words}");
        }
        assert!(!holds(&line, "roof") && !holds(&line, "(312) 555-0199"));
    }
}
