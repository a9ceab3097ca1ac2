//! One number: how it stands, what it did, its life.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use minijinja::context;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::past::{self, Step};
use crate::dashboard::Dashboard;
use crate::dashboard::failure::Failure;
use crate::dashboard::form::Form;
use crate::dashboard::visit::Visit;

/// So many of its latest calls are shown.
const CALLS: usize = 10;
/// So many of its latest changes are shown.
const CHANGES: usize = 20;

/// What became of a form of this page: it is shown again.
pub(super) struct Again<'a> {
    /// What was filled in.
    pub(super) form: &'a Form,
    /// What was wrong with it.
    pub(super) failure: &'a Failure,
}

pub(super) async fn show(
    State(dashboard): State<Arc<Dashboard>>,
    Path(number): Path<String>,
    visit: Visit,
) -> Result<Response, Failure> {
    page(&dashboard, &visit, &number, None).await
}

/// Where the API has a number.
pub(super) fn place(number: &str) -> String {
    let number = utf8_percent_encode(number, NON_ALPHANUMERIC);
    format!("/api/v1/numbers/{number}")
}

/// The page of a number.
///
/// # Errors
/// There is none, or it cannot be read.
pub(super) async fn page(
    dashboard: &Dashboard,
    visit: &Visit,
    number: &str,
    again: Option<Again<'_>>,
) -> Result<Response, Failure> {
    let found = dashboard.api.get_tagged(visit, &place(number)).await?;
    let one = &found.body;
    // As the API calls it, in whatever form the address has it.
    let number = one["number"].as_str().unwrap_or(number);
    let past = Past::read(dashboard, visit, number).await?;
    let pools = dashboard.api.get(visit, "/api/v1/pools").await?;
    let shown = context! {
        one,
        etag => &found.etag,
        day => past::day(&past.hours, &one["hourly_limit"], past.of_hours),
        month => past::month(&past.days, past.of_days),
        calls => &past.calls["allocations"],
        changes => &past.changes["entries"],
        pools => &pools["pools"],
        done => done(visit),
        filled => again.as_ref().map(|again| again.form.filled()),
        fault => again.as_ref().map(|again| again.failure.text()),
        faults => again.as_ref().map(|again| again.failure.faults()),
        outdated => again.as_ref().is_some_and(|again| again.failure.is_outdated()),
        now => dashboard.clock.now().to_string(),
    };
    let mut page = dashboard.templates.page(visit, "numbers/one.html", shown)?;
    if let Some(again) = again {
        *page.status_mut() = again.failure.status;
    }
    Ok(page)
}

/// What was just done: a word that the template knows.
pub(super) fn done(visit: &Visit) -> Option<String> {
    let mut query = form_urlencoded::parse(visit.query().as_bytes());
    let found = query.find(|(name, _)| name == "done");
    found.map(|(_, word)| word.into_owned())
}

type Span = (caller_id_core::Timestamp, caller_id_core::Timestamp);

/// What is known of a number's past.
struct Past {
    hours: Value,
    of_hours: Span,
    days: Value,
    of_days: Span,
    calls: Value,
    changes: Value,
}

impl Past {
    async fn read(dashboard: &Dashboard, visit: &Visit, number: &str) -> Result<Self, Failure> {
        let now = dashboard.clock.now();
        let of_hours = (past::since(now, 24, Step::Hour), now);
        let of_days = (past::since(now, 30, Step::Day), now);
        let number = utf8_percent_encode(number, NON_ALPHANUMERIC);
        let stats = |span, (since, until): Span| {
            format!("/api/v1/stats?span={span}&number={number}&since={since}&until={until}")
        };
        let get = async |path: String| dashboard.api.get(visit, &path).await;
        let changes = async {
            // Others may not see who changed what.
            match visit.me["role"] == "admin" {
                true => get(format!("/api/v1/audit?subject={number}&limit={CHANGES}")).await,
                false => Ok(Value::Null),
            }
        };
        let (hours, days, calls, changes) = tokio::join!(
            get(stats("hour", of_hours)),
            get(stats("day", of_days)),
            get(format!("/api/v1/allocations?number={number}&limit={CALLS}")),
            changes,
        );
        Ok(Self {
            hours: hours?,
            of_hours,
            days: days?,
            of_days,
            calls: calls?,
            changes: changes?,
        })
    }
}
