//! The settings that hold, and where each comes from.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use minijinja::context;
use serde_json::{Value, json};

use super::search::Search;
use crate::dashboard::Dashboard;
use crate::dashboard::failure::Failure;
use crate::dashboard::visit::Visit;

/// What words are looked for in.
const TEXTS: [&str; 4] = ["name", "value", "chapter", "help"];

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Dashboard>> {
    Router::new().route("/dashboard/settings", get(show))
}

async fn show(State(dashboard): State<Arc<Dashboard>>, visit: Visit) -> Result<Response, Failure> {
    let search = Search::read(&visit, &["q", "only"]);
    let (q, is_set) = (
        search.text("q").to_lowercase(),
        search.text("only") == "set",
    );
    let settings = dashboard.api.get(&visit, "/api/v1/settings").await?;
    let all = settings["settings"].as_array().cloned().unwrap_or_default();
    let total = all.len();
    let wanted = all.into_iter().filter(|one| holds(one, &q));
    let wanted = wanted.filter(|one| !is_set || one["source"] != "default");
    let chapters = chapters(wanted);
    let shown = context! { chapters, total, is_set, q => search.text("q") };
    dashboard
        .templates
        .page(&visit, "settings/list.html", shown)
}

fn holds(setting: &Value, words: &str) -> bool {
    let text = |name: &str| setting[name].as_str().unwrap_or_default().to_lowercase();
    TEXTS.iter().any(|name| text(name).contains(words))
}

/// In chapters, as they come.
fn chapters(settings: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut chapters: Vec<Value> = Vec::new();
    for setting in settings {
        match chapters.last_mut() {
            Some(last) if last["name"] == setting["chapter"] => {
                if let Some(settings) = last["settings"].as_array_mut() {
                    settings.push(setting);
                }
            }
            _ => chapters.push(json!({"name": setting["chapter"], "settings": [setting]})),
        }
    }
    chapters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_stand_in_their_chapters() {
        let one = |name: &str, chapter: &str| json!({"name": name, "chapter": chapter});
        let all = [one("A", "x"), one("B", "x"), one("C", "y")];
        assert!(holds(&all[0], "x") && !holds(&all[0], "y"));
        assert_eq!(
            chapters(all.clone().into_iter()),
            [
                json!({"name": "x", "settings": [all[0], all[1]]}),
                json!({"name": "y", "settings": [all[2]]}),
            ]
        );
    }
}
