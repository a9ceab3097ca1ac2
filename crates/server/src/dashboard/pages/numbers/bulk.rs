//! Many numbers changed at once: what would change is shown before it does.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use form_urlencoded::Serializer;
use minijinja::{Value as Shown, context};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::change::{Which, change as what};
use super::one::done;
use crate::dashboard::Dashboard;
use crate::dashboard::ask::Order;
use crate::dashboard::failure::Failure;
use crate::dashboard::form::Form;
use crate::dashboard::pages::shared::asked;
use crate::dashboard::visit::Visit;

const BULK: &str = "/api/v1/numbers/bulk";
/// So many numbers are shown as they are and as they would be.
const SAMPLE: usize = 20;
/// More are looked at by a job, as the API has it.
const AT_ONCE_MOST: u64 = 10_000;

/// A longer address is not sent: browsers and proxies refuse some. Then the preview is the answer itself.
const ADDRESS_MOST: usize = 6_000;

/// What may be done with these numbers; where the address says what shall be, what would become of them.
pub(super) async fn show(
    State(dashboard): State<Arc<Dashboard>>,
    visit: Visit,
) -> Result<Response, Failure> {
    let (which, form) = (Which::of_query(visit.query()), asked(&visit.uri));
    let may_change = visit.me["role"] == "operator" || visit.me["role"] == "admin";
    if form.text("step") != "preview" || !may_change {
        return page(&dashboard, &visit, &which, context! {}).await;
    }
    match seen_again(&dashboard, &visit, &form, &which).await {
        Ok(told) => previewed(&dashboard, &visit, &form, &which, told).await,
        // Somebody came by a link of another host: the form is as it would be, and nothing was looked at for them.
        Err(failure) if failure.status == 403 => {
            previewed(&dashboard, &visit, &form, &which, None).await
        }
        Err(failure) if failure.can_be_mended() => {
            shown_again(&dashboard, &visit, &form, &which, failure).await
        }
        Err(failure) => Err(failure),
    }
}

/// What would become of them, or, where that was seen, what does. Either is then shown at an address of its own: whoever comes
/// back to it sends nothing twice.
pub(super) async fn change(
    State(dashboard): State<Arc<Dashboard>>,
    visit: Visit,
    form: Form,
) -> Result<Response, Failure> {
    let which = Which::of_form(&form);
    let is_sure = form.text("step") == "do";
    let answer = match is_sure {
        true => go_on(&dashboard, &visit, &form, &which).await,
        false => preview(&dashboard, &visit, form.proof(), &form, &which).await,
    };
    match answer {
        Ok(answer) if is_sure && answer["others"] != true => {
            Ok(Redirect::to(&after(&which, &answer)).into_response())
        }
        Ok(told) => {
            let place = place_of_preview(&form, &told);
            if place.len() > ADDRESS_MOST {
                return previewed(&dashboard, &visit, &form, &which, Some(told)).await;
            }
            Ok(Redirect::to(&place).into_response())
        }
        Err(failure) if failure.can_be_mended() => {
            shown_again(&dashboard, &visit, &form, &which, failure).await
        }
        Err(failure) => Err(failure),
    }
}

/// Where a preview is seen: the form, and the job that counts where there is one.
fn place_of_preview(form: &Form, told: &Value) -> String {
    let mut query = Serializer::new(String::new());
    let says = |name: &str| !["csrf_token", "step", "seen", "job", "others"].contains(&name);
    for (name, value) in form.pairs().filter(|(name, _)| says(name)) {
        query.append_pair(name, value);
    }
    query.append_pair("step", "preview");
    if let Some(job) = told["job"]["id"].as_str() {
        query.append_pair("job", job);
    }
    if told["others"] == true {
        query.append_pair("others", "true");
    }
    format!("/dashboard/numbers/bulk?{}#preview", query.finish())
}

/// The same preview as it is now; none of very many numbers whose job is forgotten: no page begins one.
async fn seen_again(
    dashboard: &Dashboard,
    visit: &Visit,
    form: &Form,
    which: &Which,
) -> Result<Option<Value>, Failure> {
    let proof = visit.me["csrf_token"].as_str().unwrap_or_default();
    let mut told = if form.text("job").is_empty() {
        if count(dashboard, visit, which).await?.as_u64() > Some(AT_ONCE_MOST) {
            return Ok(None);
        }
        preview(dashboard, visit, proof, form, which).await?
    } else {
        match dashboard.api.get(visit, &place(form.text("job"))).await {
            Ok(job) => with_sample(dashboard, visit, proof, form, (which, job)).await?,
            Err(failure) if failure.status == 404 => return Ok(None),
            Err(failure) => return Err(failure),
        }
    };
    told["others"] = (form.text("others") == "true").into();
    Ok(Some(told))
}

/// The form as it was filled in, with what would become of the numbers.
async fn previewed(
    dashboard: &Dashboard,
    visit: &Visit,
    form: &Form,
    which: &Which,
    told: Option<Value>,
) -> Result<Response, Failure> {
    let is_gone = told.is_none();
    let shown = context! { filled => form.filled(), told, is_gone };
    page(dashboard, visit, which, shown).await
}

/// The form as it was filled in, with what is wrong.
async fn shown_again(
    dashboard: &Dashboard,
    visit: &Visit,
    form: &Form,
    which: &Which,
    failure: Failure,
) -> Result<Response, Failure> {
    let shown =
        context! { filled => form.filled(), fault => failure.text(), faults => failure.faults() };
    let mut page = page(dashboard, visit, which, shown).await?;
    *page.status_mut() = failure.status;
    Ok(page)
}

/// Does what was seen. Where the filter meanwhile has another count of numbers it is shown anew, with `others`.
async fn go_on(
    dashboard: &Dashboard,
    visit: &Visit,
    form: &Form,
    which: &Which,
) -> Result<Value, Failure> {
    if let Ok(seen) = form.text("seen").parse::<u64>() {
        let mut told = preview(dashboard, visit, form.proof(), form, which).await?;
        if told["matched"] != seen {
            told["others"] = true.into();
            return Ok(told);
        }
    }
    ask(dashboard, visit, form.proof(), form, (which, false)).await
}

/// Where the result is seen: the list, or the job that goes on.
fn after(which: &Which, answer: &Value) -> String {
    if let Some(job) = answer["id"].as_str() {
        return format!("/dashboard/numbers/bulk/{job}");
    }
    let changed = answer["changed"].as_u64().unwrap_or_default();
    let done = format!("done=changed&changed={changed}");
    match which {
        Which::Matching(filter) if !filter.is_empty() => {
            format!("/dashboard/numbers?{}&{done}", filter.query())
        }
        _ => format!("/dashboard/numbers?{done}"),
    }
}

async fn ask(
    dashboard: &Dashboard,
    visit: &Visit,
    proof: &str,
    form: &Form,
    (which, dry_run): (&Which, bool),
) -> Result<Value, Failure> {
    let is_nothing = ["hourly_limit", "daily_limit"].map(|name| form.text(name)) == [""; 2];
    if form.text("action") == "limits" && is_nothing {
        let expected = "fill in one of both limits: a number, or none for no limit";
        return Err(Failure::of_field("hourly_limit", expected));
    }
    let mut members = which.members();
    members.extend(what(form));
    members.insert("dry_run".to_owned(), dry_run.into());
    let order = Order::new(Method::POST, BULK, members.into());
    Ok(dashboard.api.order(visit, proof, order).await?.body)
}

/// A dry run. Of very many numbers it is a job, which counts.
async fn preview(
    dashboard: &Dashboard,
    visit: &Visit,
    proof: &str,
    form: &Form,
    which: &Which,
) -> Result<Value, Failure> {
    let told = ask(dashboard, visit, proof, form, (which, true)).await?;
    match told["id"].is_string() {
        true => with_sample(dashboard, visit, proof, form, (which, told)).await,
        false => Ok(told),
    }
}

/// A job that counts, and what becomes of some numbers: a dry run of the first ones.
async fn with_sample(
    dashboard: &Dashboard,
    visit: &Visit,
    proof: &str,
    form: &Form,
    (which, job): (&Which, Value),
) -> Result<Value, Failure> {
    let path = format!("/api/v1/numbers?{}&limit={SAMPLE}", which.query());
    let list = dashboard.api.get(visit, &path).await?;
    let numbers = list["numbers"].as_array().into_iter().flatten();
    let numbers = numbers.filter_map(|one| one["number"].as_str().map(str::to_owned));
    let some = Which::Ticked(numbers.collect());
    let sample = ask(dashboard, visit, proof, form, (&some, true)).await?;
    Ok(json!({"job": job, "first": sample["first"]}))
}

/// How many they are.
async fn count(dashboard: &Dashboard, visit: &Visit, which: &Which) -> Result<Value, Failure> {
    match which {
        Which::Ticked(numbers) => Ok(numbers.len().into()),
        Which::Matching(_) => {
            let path = format!("/api/v1/numbers?{}&count=true&limit=1", which.query());
            Ok(dashboard.api.get(visit, &path).await?["total"].clone())
        }
    }
}

async fn page(
    dashboard: &Dashboard,
    visit: &Visit,
    which: &Which,
    shown: Shown,
) -> Result<Response, Failure> {
    let (matching, numbers) = match which {
        Which::Matching(filter) => (Some(filter.by_name()), &[][..]),
        Which::Ticked(numbers) => (None, &numbers[..]),
    };
    let count = count(dashboard, visit, which).await?;
    let pools = dashboard.api.get(visit, "/api/v1/pools").await?;
    let filters = matching.is_some().then(|| which.query());
    let shown = context! { matching, numbers, count, filters, pools => &pools["pools"], ..shown };
    dashboard.templates.page(visit, "numbers/bulk.html", shown)
}

/// How far a change of very many numbers is.
pub(super) async fn job(
    State(dashboard): State<Arc<Dashboard>>,
    Path(id): Path<String>,
    visit: Visit,
) -> Result<Response, Failure> {
    let job = dashboard.api.get(&visit, &place(&id)).await?;
    let name = match visit.wants_part() {
        true => "numbers/progress.html",
        false => "numbers/job.html",
    };
    let shown = context! { job, done => done(&visit) };
    dashboard.templates.page(&visit, name, shown)
}

pub(super) async fn cancel(
    State(dashboard): State<Arc<Dashboard>>,
    Path(id): Path<String>,
    visit: Visit,
    form: Form,
) -> Result<Response, Failure> {
    let order = Order::new(Method::DELETE, place(&id), Value::Null);
    let job = dashboard.api.order(&visit, form.proof(), order).await?.body;
    let id = job["id"].as_str().unwrap_or_default();
    Ok(Redirect::to(&format!("/dashboard/numbers/bulk/{id}")).into_response())
}

fn place(id: &str) -> String {
    let id = utf8_percent_encode(id, NON_ALPHANUMERIC);
    format!("/api/v1/jobs/{id}")
}
