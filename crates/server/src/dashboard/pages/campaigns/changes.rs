//! Sets campaigns up, changes and removes them.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::Method;
use axum::response::Response;
use caller_id_core::{CampaignId, IdError};
use serde_json::Value;

use super::draft::{Act, Draft};
use super::{CAMPAIGNS, Shown, listed, page};
use crate::dashboard::Dashboard;
use crate::dashboard::ask::Order;
use crate::dashboard::failure::Failure;
use crate::dashboard::form::Form;
use crate::dashboard::pages::shared::{mendable, on_to, segment};
use crate::dashboard::visit::Visit;

/// Opens the page of a campaign by its name, which need not be set up.
pub(super) async fn open(
    State(dashboard): State<Arc<Dashboard>>,
    visit: Visit,
    form: Form,
) -> Result<Response, Failure> {
    let name = form.text("name");
    let id = match name {
        // Browsers read them as steps in a path.
        "." | ".." => Err(IdError::Dots("campaign")),
        name => CampaignId::new(name),
    };
    match id {
        Ok(id) => Ok(on_to(&format!(
            "/dashboard/campaigns/{}",
            segment(id.as_str())
        ))),
        Err(error) => {
            let fault = format!("The {error}.");
            listed(&dashboard, &visit, Some((name, &fault))).await
        }
    }
}

pub(super) async fn save(
    State(dashboard): State<Arc<Dashboard>>,
    visit: Visit,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Failure> {
    let (draft, act) = Draft::read(&form);
    if act == Act::Arrange {
        return page(&dashboard, &visit, &id, Shown::Arranged(draft, &form)).await;
    }
    let path = format!("{CAMPAIGNS}/{}", segment(&id));
    let order = Order::new(Method::PUT, path, draft.body());
    let order = match form.text("etag") {
        "" => order.unless_there(),
        etag => order.when(Some(etag.to_owned())),
    };
    match dashboard.api.order(&visit, form.proof(), order).await {
        Ok(_) => Ok(on_to(&format!(
            "/dashboard/campaigns/{}?done=saved",
            segment(&id)
        ))),
        Err(failure) => {
            let refused = Shown::Refused(draft, mendable(failure)?);
            page(&dashboard, &visit, &id, refused).await
        }
    }
}

pub(super) async fn remove(
    State(dashboard): State<Arc<Dashboard>>,
    visit: Visit,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Failure> {
    let path = format!("{CAMPAIGNS}/{}", segment(&id));
    let etag = Some(form.text("etag").to_owned());
    let order = Order::new(Method::DELETE, path, Value::Null).when(etag);
    dashboard.api.order(&visit, form.proof(), order).await?;
    Ok(on_to("/dashboard/campaigns?done=deleted"))
}
