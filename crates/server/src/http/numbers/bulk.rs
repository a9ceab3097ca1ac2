//! `POST /api/v1/numbers/bulk`: many numbers changed or deleted at once.

mod walk;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use caller_id_core::Role;
use caller_id_core::listing::{NumberChange, NumberFilter, NumberPatch};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use self::walk::{Ended, Walk};
use super::body::NumberFields;
use super::fields::{NumberPatchBody, patch};
use super::filter;
use crate::auth::Refusal;
use crate::http::body::Object;
use crate::http::fields::{Fields, Given};
use crate::http::jobs::{JobBody, accepted};
use crate::http::{Api, ApiError, Operator};
use crate::jobs::JobKind;
use crate::rows::WriteMode;

/// More numbers than these are changed by a job.
const AT_ONCE_MOST: u64 = 10_000;

/// Which numbers. All that is given must hold; each a text or a list of texts.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body; it is read field by field")]
pub struct BulkFilter {
    /// In one of these pools.
    #[schema(value_type = Option<Object>)]
    pool: Option<Value>,
    /// active, paused, resting, retired.
    #[schema(value_type = Option<Object>)]
    status: Option<Value>,
    /// Of this carrier.
    carrier: Option<String>,
    /// Without a carrier.
    no_carrier: Option<bool>,
    /// With one of these area codes.
    #[schema(value_type = Option<Object>)]
    area_code: Option<Value>,
    /// With an area code of one of these states or provinces.
    #[schema(value_type = Option<Object>)]
    region: Option<Value>,
    /// A, B, C.
    #[schema(value_type = Option<Object>)]
    attestation: Option<Value>,
    /// These numbers, in any form; at most 1,000.
    #[schema(value_type = Option<Object>)]
    number: Option<Value>,
    /// Whose E.164 digits begin with these.
    begins: Option<String>,
    /// With these digits in it, as people type them.
    q: Option<String>,
}

/// What is done to which numbers.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"filter": {"carrier": "Carrier A", "region": "IL"}, "change": {"status": "paused"}, "dry_run": true}))]
#[expect(dead_code, reason = "describes the body; it is read field by field")]
pub struct BulkBody {
    /// Which numbers; not together with `all`.
    filter: Option<BulkFilter>,
    /// true: every number there is.
    all: Option<bool>,
    /// What changes of each; not together with `delete`.
    change: Option<NumberPatchBody>,
    /// true: they are removed. Only admins may.
    delete: Option<bool>,
    /// true: change nothing, tell what would change.
    dry_run: Option<bool>,
    /// true: answer at once, do it as a job; so it is, too, where more than 10,000 numbers are asked for.
    job: Option<bool>,
}

/// What was changed, or would be.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkAnswer {
    /// Nothing was written; the counts tell what would have been.
    dry_run: bool,
    /// How many numbers were asked for.
    matched: u64,
    /// How many of these changed; the others were so already.
    changed: u64,
    /// Of a dry run: the first 20 that would change.
    first: Vec<BulkRow>,
}

/// A number that would change.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BulkRow {
    before: NumberFields,
    /// null: it would be removed.
    after: Option<NumberFields>,
}

/// Changes or removes all numbers that a filter asks for, some 1,000 in one transaction. What is written stays, also where
/// it ends early. Numbers that come in meanwhile may be changed, too.
#[utoipa::path(post, path = "/api/v1/numbers/bulk", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    request_body = BulkBody,
    responses(
        (status = 200, description = "It is done, or would be", body = BulkAnswer),
        (status = 202, description = "It is begun, as a job", body = JobBody, headers(("Location" = String, description = "Where it is asked how far it is"))),
        (status = 413, description = "The body is too large", body = crate::http::openapi::ProblemBody),
        (status = 415, description = "The body says to be something else", body = crate::http::openapi::ProblemBody),
        (status = 422, description = "A field cannot be understood, or it is not said which numbers", body = crate::http::openapi::ProblemBody),
        (status = 503, description = "The store failed; what is written stays", body = crate::http::openapi::ProblemBody),
    ))]
pub async fn bulk(
    State(api): State<Arc<Api>>,
    Operator(who): Operator,
    Object(members): Object,
) -> Result<Response, ApiError> {
    let asked = read(members, api.clock.now())?;
    if asked.change == NumberChange::Delete && !who.role.may(Role::Admin) {
        return Err(Refusal::RoleRequired(Role::Admin).into());
    }
    check_pool(&api, &asked.change).await?;
    let total = api.inventory.count_matching(&asked.filter).await?;
    let mut walk = Walk::new(&api, asked.filter, asked.change, (asked.mode, who.author));
    if asked.as_job || total > AT_ONCE_MOST {
        let name = walk.by().name.clone();
        let running = api.jobs.begin(JobKind::Bulk, &name, asked.mode)?;
        let job = running.job().clone();
        job.progress().total = total;
        tokio::spawn(walk.run(running));
        return Ok(accepted(&api, &job).await);
    }
    while walk.step().await? == Ended::NotYet {}
    walk.bring(&api.sync).await?;
    Ok(Json(BulkAnswer {
        dry_run: asked.mode == WriteMode::DryRun,
        matched: walk.matched,
        changed: walk.changed,
        first: walk.first,
    })
    .into_response())
}

struct Asked {
    filter: NumberFilter,
    change: NumberChange,
    mode: WriteMode,
    as_job: bool,
}

fn read(members: Map<String, Value>, now: caller_id_core::Timestamp) -> Result<Asked, ApiError> {
    let mut fields = Fields::new(members);
    fields.only(&["filter", "all", "change", "delete", "dry_run", "job"]);
    let (filter, change) = (object(&mut fields, "filter"), object(&mut fields, "change"));
    let all = flag(&mut fields, "all");
    let delete = flag(&mut fields, "delete");
    let (dry_run, as_job) = (flag(&mut fields, "dry_run"), flag(&mut fields, "job"));
    let says_which = filter.as_ref().is_some_and(|filter| !filter.is_empty());
    if says_which == all && !fields.has_fault("filter") && !fields.has_fault("all") {
        let why = "filter: say which numbers, or `\"all\": true` for every one, and not both";
        fields.fault("filter", why.to_owned());
    }
    let says_what = change.as_ref().is_some_and(|change| !change.is_empty());
    if says_what == delete && !fields.has_fault("change") && !fields.has_fault("delete") {
        let why = "change: say what changes, or `\"delete\": true`, and not both";
        fields.fault("change", why.to_owned());
    }
    fields.finish()?;
    let change = match delete {
        true => NumberChange::Delete,
        false => {
            let members = change.unwrap_or_default();
            let patch = patch(Fields::new(members).inside(&["change"]), None, now)?;
            NumberChange::Patch(patch)
        }
    };
    Ok(Asked {
        filter: read_filter(filter.unwrap_or_default())?,
        change,
        mode: match dry_run {
            true => WriteMode::DryRun,
            false => WriteMode::Write,
        },
        as_job,
    })
}

fn read_filter(members: Map<String, Value>) -> Result<NumberFilter, ApiError> {
    let says = !members.is_empty();
    let mut fields = Fields::new(members).inside(&["filter"]);
    fields.only(&filter::NAMES);
    let filter = filter::read(&mut fields);
    if says && filter == NumberFilter::default() && !fields.has_faults() {
        // `no_carrier: false` is all there is in it.
        fields.fault(
            "no_carrier",
            "no_carrier: this asks for every number".to_owned(),
        );
    }
    fields.finish()?;
    Ok(filter)
}

fn object(fields: &mut Fields, name: &str) -> Option<Map<String, Value>> {
    let read = |value: &Value| match value {
        Value::Object(members) => Ok(members.clone()),
        _ => Err(format!("{name}: an object is expected")),
    };
    fields.read(name, read).value()
}

fn flag(fields: &mut Fields, name: &str) -> bool {
    let read = |value: &Value| {
        let expected = || format!("{name}: true or false is expected");
        value.as_bool().ok_or_else(expected)
    };
    matches!(fields.read(name, read), Given::Value(true))
}

/// Before anything is written, and in a dry run as well.
async fn check_pool(api: &Api, change: &NumberChange) -> Result<(), ApiError> {
    let NumberChange::Patch(NumberPatch {
        pool: Some(pool), ..
    }) = change
    else {
        return Ok(());
    };
    let pools = api.inventory.pools().await?;
    match pools.iter().any(|known| known.id == *pool) {
        true => Ok(()),
        false => Err(ApiError::invalid(
            &["body", "change", "pool"],
            "missing_pool",
            format!("there is no pool `{pool}`"),
        )),
    }
}
