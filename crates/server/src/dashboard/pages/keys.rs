//! API keys: made and shown once, listed, revoked.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use minijinja::{Value as Shown, context};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::search::{Search, faults};
use crate::dashboard::Dashboard;
use crate::dashboard::ask::Order;
use crate::dashboard::failure::Failure;
use crate::dashboard::form::Form;
use crate::dashboard::visit::Visit;

/// The fields of a new key, as they are filled in.
const FIELDS: [&str; 5] = ["name", "role", "addresses", "campaigns", "expires_in_days"];
const KEYS: &str = "/api/v1/keys";

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Dashboard>> {
    Router::new()
        .route("/dashboard/keys", get(list).post(make))
        .route("/dashboard/keys/new", get(form))
        .route("/dashboard/keys/{id}/revoke", post(revoke))
}

async fn list(State(dashboard): State<Arc<Dashboard>>, visit: Visit) -> Result<Response, Failure> {
    let done = Search::read(&visit, &["done"]);
    let keys = dashboard.api.get(&visit, KEYS).await?;
    let keys = keys["keys"].as_array().cloned().unwrap_or_default();
    let (good, past): (Vec<Value>, Vec<Value>) =
        keys.into_iter().partition(|key| key["state"] == "active");
    let shown = context! { good, past, done => done.text("done") };
    dashboard.templates.page(&visit, "keys/list.html", shown)
}

/// The form. Whoever may not make a key is told so before they fill it in.
async fn form(State(dashboard): State<Arc<Dashboard>>, visit: Visit) -> Result<Response, Failure> {
    dashboard.api.get(&visit, KEYS).await?;
    let filled = json!({"role": "dialer", "expires_in_days": "365"});
    let shown = context! { filled, faults => context! {} };
    dashboard.templates.page(&visit, "keys/new.html", shown)
}

/// Makes a key. The answer is the only page that ever shows it: no browser keeps it, and it stands in no address.
async fn make(
    State(dashboard): State<Arc<Dashboard>>,
    visit: Visit,
    form: Form,
) -> Result<Response, Failure> {
    let order = Order::new(Method::POST, KEYS, wanted(&form));
    let templates = &dashboard.templates;
    match dashboard.api.order(&visit, form.proof(), order).await {
        Ok(made) => templates.page(&visit, "keys/made.html", context! { key => made.body }),
        Err(failure) => {
            let faults = refused(&failure).ok_or(failure)?;
            let mut page = templates.page(&visit, "keys/new.html", again(&form, &faults))?;
            *page.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(page)
        }
    }
}

async fn revoke(
    State(dashboard): State<Arc<Dashboard>>,
    visit: Visit,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Failure> {
    let id = utf8_percent_encode(&id, NON_ALPHANUMERIC);
    let order = Order::new(Method::DELETE, format!("{KEYS}/{id}"), Value::Null);
    dashboard.api.order(&visit, form.proof(), order).await?;
    Ok(Redirect::to("/dashboard/keys?done=revoked").into_response())
}

/// What the form says, as the API takes it. Campaigns may hold commas: each has a line of its own.
fn wanted(form: &Form) -> Value {
    let mut wanted = json!({
        "name": form.value("name"),
        "role": form.value("role"),
        "addresses": parts(form.text("addresses"), &[',', '\n', ' ']),
    });
    let campaigns = parts(form.text("campaigns"), &['\n']);
    if !campaigns.is_empty() {
        wanted["campaigns"] = campaigns.into();
    }
    let days = form.number("expires_in_days");
    if !days.is_null() {
        wanted["expires_in_days"] = days;
    }
    wanted
}

fn parts<'a>(text: &'a str, between: &[char]) -> Vec<&'a str> {
    let parts = text.split(between).map(str::trim);
    parts.filter(|part| !part.is_empty()).collect()
}

/// What is wrong with the fields; none where no field is the reason.
fn refused(failure: &Failure) -> Option<Map<String, Value>> {
    match failure.status {
        StatusCode::CONFLICT => Some(Map::from_iter([("name".to_owned(), failure.text().into())])),
        StatusCode::UNPROCESSABLE_ENTITY => Some(faults(failure)),
        _ => None,
    }
}

/// The form, as it was filled in.
fn again(form: &Form, faults: &Map<String, Value>) -> Shown {
    let filled = FIELDS.map(|name| (name, form.text(name)));
    context! { filled => Shown::from_iter(filled), faults }
}
