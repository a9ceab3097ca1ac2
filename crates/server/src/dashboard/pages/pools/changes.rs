//! Makes pools, changes and removes them.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use minijinja::context;
use serde_json::{Map, Value};

use super::{POOLS, Refused, form, globals, page};
use crate::dashboard::Dashboard;
use crate::dashboard::ask::Order;
use crate::dashboard::failure::Failure;
use crate::dashboard::form::Form;
use crate::dashboard::pages::shared::{asked, faults, mendable, on_to, said, segment, with_status};
use crate::dashboard::visit::Visit;

fn path(id: &str) -> String {
    format!("{POOLS}/{}", segment(id))
}

/// The form of a new pool.
pub(super) async fn blank(dashboard: &Dashboard, visit: &Visit) -> Result<Response, Failure> {
    let globals = globals(dashboard, visit).await?;
    let fields = form::fields(&Value::Null, &globals);
    let shown = context! { fields, name => asked(&visit.uri).text("name") };
    dashboard.templates.page(visit, "pools/new.html", shown)
}

pub(super) async fn create(
    State(dashboard): State<Arc<Dashboard>>,
    visit: Visit,
    form: Form,
) -> Result<Response, Failure> {
    let id = form.text("name");
    let failure = if id.is_empty() {
        Failure::invalid("A pool needs a name.")
    } else {
        let order = Order::new(Method::PUT, path(id), form::policy(&form)).unless_there();
        match dashboard.api.order(&visit, form.proof(), order).await {
            Ok(_) => {
                return Ok(on_to(&format!(
                    "/dashboard/pools/{}?done=created",
                    segment(id)
                )));
            }
            Err(failure) => mendable(failure)?,
        }
    };
    let mut faults = faults(&failure);
    let (name_fault, said) = match failure.status {
        StatusCode::PRECONDITION_FAILED => (
            Some(Value::from("There is a pool of this name already.")),
            "Nothing was saved: see what is marked below.".to_owned(),
        ),
        _ if id.is_empty() => (Some("A pool needs a name.".into()), said(&failure)),
        _ => (faults.remove("id"), said(&failure)),
    };
    let fields = form::filled(&form, &globals(&dashboard, &visit).await?, &faults);
    let shown = context! { fields, name => id, name_fault, said };
    let page = dashboard.templates.page(&visit, "pools/new.html", shown)?;
    Ok(with_status(page, failure.status))
}

pub(super) async fn save(
    State(dashboard): State<Arc<Dashboard>>,
    visit: Visit,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Failure> {
    let etag = Some(form.text("etag").to_owned());
    let order = Order::new(Method::PUT, path(&id), form::policy(&form)).when(etag);
    match dashboard.api.order(&visit, form.proof(), order).await {
        Ok(_) => Ok(on_to(&format!(
            "/dashboard/pools/{}?done=saved",
            segment(&id)
        ))),
        Err(failure) => {
            let failure = mendable(failure)?;
            let refused = Refused {
                form: Some(&form),
                faults: faults(&failure),
                said: said(&failure),
            };
            refuse(&dashboard, &visit, &id, refused, failure.status).await
        }
    }
}

pub(super) async fn remove(
    State(dashboard): State<Arc<Dashboard>>,
    visit: Visit,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Failure> {
    let etag = Some(form.text("etag").to_owned());
    let order = Order::new(Method::DELETE, path(&id), Value::Null).when(etag);
    let failure = match dashboard.api.order(&visit, form.proof(), order).await {
        Ok(_) => return Ok(on_to("/dashboard/pools?done=deleted")),
        Err(failure) => mendable(failure)?,
    };
    let refused = Refused {
        form: None,
        faults: Map::new(),
        said: failure.text(),
    };
    refuse(&dashboard, &visit, &id, refused, failure.status).await
}

async fn refuse(
    dashboard: &Dashboard,
    visit: &Visit,
    id: &str,
    refused: Refused<'_>,
    status: StatusCode,
) -> Result<Response, Failure> {
    let page = page(dashboard, visit, id, &asked(&visit.uri), Some(refused)).await?;
    Ok(with_status(page, status))
}
