//! The settings that hold, each with where it came from.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Admin, Api};
use crate::config::describe;

/// One setting.
#[derive(Debug, Serialize, ToSchema)]
pub struct SettingBody {
    /// The name in the environment; as a flag `API_PORT` is `--api-port`.
    #[schema(example = "API_PORT")]
    name: String,
    /// The chapter of docs/CONFIG.md it stands in.
    #[schema(example = "Where it listens")]
    chapter: String,
    /// What holds; null where nothing is set, and for secrets. Of URLs without the password.
    #[schema(example = "8000")]
    value: Option<String>,
    /// What holds when nobody says anything; null = nothing.
    #[schema(example = "8000")]
    default: Option<String>,
    /// Where the value came from: flag, environment, .env or default.
    #[schema(example = "environment")]
    source: String,
    /// Whether it has a value. Of secrets this is all that is shown.
    is_set: bool,
    /// Its value is never shown.
    is_secret: bool,
    /// What it is for.
    #[schema(example = "The port of the HTTP API")]
    help: String,
}

/// All settings.
#[derive(Debug, Serialize, ToSchema)]
pub struct SettingList {
    /// In the order of docs/CONFIG.md.
    settings: Vec<SettingBody>,
}

/// The settings of the node that answers, as they have held since its start. Never a secret.
#[utoipa::path(get, path = "/api/v1/settings", tag = "administration", security(("admin_token" = []), ("bearer" = [])),
    responses((status = 200, description = "The settings", body = SettingList)))]
pub async fn list(State(api): State<Arc<Api>>, _admin: Admin) -> Json<SettingList> {
    let settings = describe::settings().into_iter().filter_map(|setting| {
        let held = api.settings.iter().find(|held| held.name == setting.name)?;
        Some(SettingBody {
            name: setting.name,
            chapter: setting.chapter,
            value: held.value.clone().filter(|_| !setting.secret),
            default: setting.default.filter(|_| !setting.secret),
            source: held.source.to_string(),
            is_set: held.value.is_some(),
            is_secret: setting.secret,
            help: setting.help,
        })
    });
    Json(SettingList {
        settings: settings.collect(),
    })
}
