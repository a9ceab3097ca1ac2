//! What is done with one number: it is added, edited, paused, brought back, rested, retired, deleted.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use minijinja::context;
use serde_json::{Map, Value, json};

use super::one::{self, Again};
use crate::dashboard::Dashboard;
use crate::dashboard::ask::Order;
use crate::dashboard::failure::Failure;
use crate::dashboard::form::Form;
use crate::dashboard::visit::Visit;

/// The form for a new number.
pub(super) async fn blank(
    State(dashboard): State<Arc<Dashboard>>,
    visit: Visit,
) -> Result<Response, Failure> {
    visit.may_change()?;
    new(&dashboard, &visit, None).await
}

async fn new(
    dashboard: &Dashboard,
    visit: &Visit,
    again: Option<Again<'_>>,
) -> Result<Response, Failure> {
    let pools = dashboard.api.get(visit, "/api/v1/pools").await?;
    let shown = context! {
        pools => &pools["pools"],
        done => one::done(visit).filter(|number| is_number(number)),
        filled => again.as_ref().map(|again| again.form.filled()),
        fault => again.as_ref().map(|again| again.failure.text()),
        faults => again.as_ref().map(|again| again.failure.faults()),
    };
    let mut page = dashboard.templates.page(visit, "numbers/new.html", shown)?;
    if let Some(again) = again {
        *page.status_mut() = again.failure.status;
    }
    Ok(page)
}

pub(super) async fn add(
    State(dashboard): State<Arc<Dashboard>>,
    visit: Visit,
    form: Form,
) -> Result<Response, Failure> {
    let mut members = match fields(&form) {
        Ok(members) => members,
        Err(failure) => return new(&dashboard, &visit, Some(again(&form, &failure))).await,
    };
    members.insert("number".to_owned(), form.text("number").into());
    // The pool may be left open: it is the default one then.
    if form.text("pool").is_empty() {
        members.remove("pool");
    }
    let order = Order::new(Method::POST, "/api/v1/numbers", members.into());
    match dashboard.api.order(&visit, form.proof(), order).await {
        Ok(made) if form.text("then") == "another" => {
            let number = made.body["number"].as_str().unwrap_or_default();
            Ok(see(&format!(
                "/dashboard/numbers/new?done={}",
                word(number)
            )))
        }
        Ok(made) => {
            let number = made.body["number"].as_str().unwrap_or_default();
            Ok(see(&page_of(number, "added")))
        }
        Err(failure) if failure.can_be_mended() => {
            new(&dashboard, &visit, Some(again(&form, &failure))).await
        }
        Err(failure) => Err(failure),
    }
}

pub(super) async fn edit(
    State(dashboard): State<Arc<Dashboard>>,
    Path(number): Path<String>,
    visit: Visit,
    form: Form,
) -> Result<Response, Failure> {
    let done = match fields(&form) {
        Ok(members) => {
            let order = Order::new(Method::PATCH, one::place(&number), members.into());
            let order = order.when(Some(form.text("etag").to_owned()));
            dashboard.api.order(&visit, form.proof(), order).await
        }
        Err(failure) => Err(failure),
    };
    match done {
        Ok(_) => Ok(see(&page_of(&number, "saved"))),
        Err(failure) if failure.can_be_mended() => {
            one::page(&dashboard, &visit, &number, Some(again(&form, &failure))).await
        }
        Err(failure) => Err(failure),
    }
}

pub(super) async fn act(
    State(dashboard): State<Arc<Dashboard>>,
    Path((number, action)): Path<(String, String)>,
    visit: Visit,
    form: Form,
) -> Result<Response, Failure> {
    let place = one::place(&number);
    let order = |what: &str, body| Order::new(Method::POST, format!("{place}/{what}"), body);
    let (order, done) = match action.as_str() {
        "pause" => (order("pause", Value::Null), "paused"),
        "resume" => (order("resume", Value::Null), "resumed"),
        "retire" => (order("retire", Value::Null), "retired"),
        "rest" => (order("rest", rest(&form)), "resting"),
        "delete" => (Order::new(Method::DELETE, place, Value::Null), "deleted"),
        _ => {
            return Err(Failure::missing(
                "There is no such thing to do with a number",
            ));
        }
    };
    match dashboard.api.order(&visit, form.proof(), order).await {
        Ok(_) if done == "deleted" => Ok(see("/dashboard/numbers?done=deleted")),
        Ok(_) => Ok(see(&page_of(&number, done))),
        Err(failure) if failure.can_be_mended() && failure.status != 404 => {
            one::page(&dashboard, &visit, &number, Some(again(&form, &failure))).await
        }
        Err(failure) => Err(failure),
    }
}

fn rest(form: &Form) -> Value {
    match form.text("until") {
        "" => json!({"minutes": form.number("minutes")}),
        until => json!({"until": until}),
    }
}

/// What the form says of a number: all of it, so that what is empty is taken away.
fn fields(form: &Form) -> Result<Map<String, Value>, Failure> {
    let meta = match form.text("meta") {
        "" => Value::Null,
        text => serde_json::from_str(text).map_err(|error| {
            let why = format!("meta: a JSON object is expected, and this is none: {error}");
            Failure::of_field("meta", &why)
        })?,
    };
    let texts = ["pool", "carrier", "area_code", "attestation"];
    let limits = ["daily_limit", "hourly_limit"];
    let texts = texts.into_iter().map(|name| (name, form.value(name)));
    let limits = limits.into_iter().map(|name| (name, form.number(name)));
    let all = texts.chain(limits).chain([("meta", meta)]);
    Ok(all.map(|(name, value)| (name.to_owned(), value)).collect())
}

const fn again<'a>(form: &'a Form, failure: &'a Failure) -> Again<'a> {
    Again { form, failure }
}

/// Whether what stands in the address is the number that was added: no other words get onto the page.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn page_of(number: &str, done: &str) -> String {
    format!("/dashboard/numbers/{}?done={done}", word(number))
}

fn word(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn see(place: &str) -> Response {
    Redirect::to(place).into_response()
}
