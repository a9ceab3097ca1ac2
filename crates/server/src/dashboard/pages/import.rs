//! Numbers out of a file: what would become of its rows, then what becomes of them.

mod upload;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use minijinja::context;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use self::upload::{FILE_MOST, Upload};
use crate::dashboard::Dashboard;
use crate::dashboard::ask::Order;
use crate::dashboard::failure::Failure;
use crate::dashboard::form::Form;
use crate::dashboard::visit::Visit;
use crate::rows::{BadRow, ReportWriter};

const HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");

/// The routes of these pages.
pub(super) fn routes() -> Router<Arc<Dashboard>> {
    let most = DefaultBodyLimit::max(FILE_MOST);
    Router::new()
        .route("/dashboard/import", get(show).post(import).layer(most))
        .route("/dashboard/import/preview", post(preview).layer(most))
        .route("/dashboard/import/{job}", get(job))
        .route("/dashboard/import/{job}/cancel", post(cancel))
        .route("/dashboard/import/{job}/bad-rows.csv", get(bad_rows))
}

async fn show(State(dashboard): State<Arc<Dashboard>>, visit: Visit) -> Result<Response, Failure> {
    let jobs = dashboard.api.get(&visit, "/api/v1/jobs").await?;
    let shown = context! { jobs => &jobs["jobs"] };
    dashboard.templates.page(&visit, "import/form.html", shown)
}

/// Reads the file and writes nothing. The browser keeps it, and sends it again to have it imported.
async fn preview(
    State(dashboard): State<Arc<Dashboard>>,
    visit: Visit,
    upload: Upload,
) -> Result<Response, Failure> {
    let job = upload.pass_on(&dashboard, &visit, true).await?;
    if visit.wants_part() {
        return part(&dashboard, &visit, &job, true);
    }
    Ok(Redirect::to(&page_of(&job)).into_response())
}

async fn import(
    State(dashboard): State<Arc<Dashboard>>,
    visit: Visit,
    upload: Upload,
) -> Result<Response, Failure> {
    let job = upload.pass_on(&dashboard, &visit, false).await?;
    let place = page_of(&job);
    if visit.wants_part() {
        let place = HeaderValue::try_from(place).expect("an id is plain text");
        return Ok((StatusCode::NO_CONTENT, [(HX_REDIRECT, place)]).into_response());
    }
    Ok(Redirect::to(&place).into_response())
}

/// How far it is, and what became of the rows.
async fn job(
    State(dashboard): State<Arc<Dashboard>>,
    Path(id): Path<String>,
    visit: Visit,
) -> Result<Response, Failure> {
    let job = dashboard.api.get(&visit, &place(&id)).await?;
    if visit.wants_part() {
        let in_form = visit.query() == "in=form";
        return part(&dashboard, &visit, &job, in_form);
    }
    dashboard
        .templates
        .page(&visit, "import/job.html", context! { job })
}

/// How far it is, alone; below the form, which has the file still, or on a page of its own.
fn part(
    dashboard: &Dashboard,
    visit: &Visit,
    job: &Value,
    in_form: bool,
) -> Result<Response, Failure> {
    dashboard
        .templates
        .page(visit, "import/progress.html", context! { job, in_form })
}

async fn cancel(
    State(dashboard): State<Arc<Dashboard>>,
    Path(id): Path<String>,
    visit: Visit,
    form: Form,
) -> Result<Response, Failure> {
    let order = Order::new(Method::DELETE, place(&id), Value::Null);
    let job = dashboard.api.order(&visit, form.proof(), order).await?.body;
    Ok(Redirect::to(&page_of(&job)).into_response())
}

/// The bad rows that the job names, for a spreadsheet.
async fn bad_rows(
    State(dashboard): State<Arc<Dashboard>>,
    Path(id): Path<String>,
    visit: Visit,
) -> Result<Response, Failure> {
    let job = dashboard.api.get(&visit, &place(&id)).await?;
    let file = written(&job["import"]["errors"]).map_err(Failure::broken)?;
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"bad-rows.csv\""),
    ];
    Ok((headers, file).into_response())
}

fn written(errors: &Value) -> std::io::Result<Vec<u8>> {
    let mut file = Vec::new();
    let mut report = ReportWriter::new(&mut file)?;
    for row in errors.as_array().into_iter().flatten() {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        report.write(&BadRow {
            line: row["line"].as_u64().unwrap_or_default(),
            caller_id: text("caller_id"),
            reason: text("reason"),
        })?;
    }
    report.finish()?;
    Ok(file)
}

fn place(id: &str) -> String {
    let id = utf8_percent_encode(id, NON_ALPHANUMERIC);
    format!("/api/v1/jobs/{id}")
}

fn page_of(job: &Value) -> String {
    let id = job["id"].as_str().unwrap_or_default();
    format!("/dashboard/import/{id}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_no_formula_in_the_file_of_bad_rows() {
        let errors = json!([
            {"line": 2, "caller_id": "=HYPERLINK(\"http://x\")", "reason": "no number"},
            {"line": 3, "caller_id": "+1312", "reason": "has 4 digits, 10 expected"},
        ]);
        let file = written(&errors).unwrap_or_default();
        assert_eq!(
            String::from_utf8_lossy(&file),
            "line,caller_id,reason\n2,\"'=HYPERLINK(\"\"http://x\"\")\",no number\n3,+1312,\"has 4 digits, 10 expected\"\n"
        );
    }
}
