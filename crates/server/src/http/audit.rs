//! The audit log: who changed what, newest first.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use caller_id_core::audit::{AuditEntry, AuditFilter};
use caller_id_core::{AuditLog, PhoneNumber, StoreError};
use futures_util::stream;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::page::{List, Parameters};
use super::times::{SINCE, TIME_ZONE, Times, UNTIL};
use super::{Admin, Api, ApiError};
use crate::audit_csv;

/// So many entries are read at once: one of a large import has some hundred kilobytes.
const AT_ONCE: usize = 50;
/// A page ends early when what its entries say is longer than this, in bytes.
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// A page is looked for so often, then it ends early.
const LOOKS_MOST: usize = 25;
const FILTERS: [&str; 6] = ["author", "action", "subject", SINCE, UNTIL, TIME_ZONE];

/// One entry.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntryBody {
    /// Its place in the log: the first is 1, and none is left out.
    #[schema(example = 4711)]
    place: i64,
    /// When.
    #[schema(example = "2026-11-22T12:00:00.000000Z")]
    at: String,
    /// By what the author is known: token, key, user, command or service.
    #[schema(example = "key")]
    author_kind: &'static str,
    /// Who: the name of the key, of the person, of the command.
    #[schema(example = "importer")]
    author: String,
    /// From where; null for a command on the machine.
    #[schema(example = "10.1.2.3")]
    address: Option<String>,
    /// What was done: a thing and a verb.
    #[schema(example = "number.update")]
    action: String,
    /// To what: a number, a name, an id; of many at once how many.
    #[schema(example = "+13125550100")]
    subject: String,
    /// What it was; null where there was nothing.
    #[schema(value_type = Option<Value>, example = json!({"caller_id": "+13125550100", "status": "active", "pool": "default"}))]
    before: Option<Value>,
    /// What it became; null where there is nothing.
    #[schema(value_type = Option<Value>, example = json!({"caller_id": "+13125550100", "status": "paused", "pool": "default"}))]
    after: Option<Value>,
    /// SHA-256 over this entry and all before it.
    #[schema(min_length = 64, max_length = 64)]
    hash: String,
}

impl From<&AuditEntry> for AuditEntryBody {
    fn from(entry: &AuditEntry) -> Self {
        let event = &entry.event;
        let json = |text: &Option<String>| {
            let text = text.as_deref()?;
            // Somebody may have changed it: what is no JSON any more is shown as text.
            Some(serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)))
        };
        Self {
            place: entry.place,
            at: entry.at.to_string(),
            author_kind: event.author.kind.as_str(),
            author: event.author.name.clone(),
            address: event.author.address.map(|address| address.to_string()),
            action: event.action.clone(),
            subject: event.subject.clone(),
            before: json(&event.before),
            after: json(&event.after),
            hash: entry.link.to_string(),
        }
    }
}

/// A page of the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditPage {
    /// Newest first.
    entries: Vec<AuditEntryBody>,
    /// What `cursor` of the next page is; null at the end.
    next: Option<String>,
    /// The end of the whole log as PLACE:HASH. Kept elsewhere, it proves later that nothing before it was changed:
    /// `caller-id audit verify --head`.
    #[schema(example = "0:0000000000000000000000000000000000000000000000000000000000000000")]
    head: String,
}

/// Who changed what, newest first. A page may have fewer entries than `limit`, even none, where they are long, or where a
/// number is looked for among many: `next` tells whether there are more.
#[utoipa::path(get, path = "/api/v1/audit", tag = "administration", security(("admin_token" = []), ("bearer" = [])),
    params(
        ("author" = Option<String>, Query, description = "By this name"),
        ("action" = Option<String>, Query, description = "Actions that begin with this: `number.` or `number.create`"),
        ("subject" = Option<String>, Query, description = "To this very thing: a pool, the id of a key; of a number all that touched it, also among many at once"),
        ("since" = Option<String>, Query, description = "At this instant or later, or from the beginning of this date", example = "2026-11-22T00:00:00Z"),
        ("until" = Option<String>, Query, description = "Before this instant, or to the end of this date", example = "2026-11-23T00:00:00Z"),
        ("time_zone" = Option<String>, Query, description = "Where dates begin; UTC when nothing is said", example = "America/Chicago"),
        ("limit" = Option<u32>, Query, description = "At most so many, 1 to 1,000; 50 when nothing is said", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of entries", body = AuditPage),
        (status = 422, description = "A parameter cannot be understood", body = super::openapi::ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The store is not available", body = super::openapi::ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn list(
    State(api): State<Arc<Api>>,
    _admin: Admin,
    RawQuery(query): RawQuery,
) -> Result<Json<AuditPage>, ApiError> {
    let query = query.as_deref();
    let mut parameters = Parameters::new(query, &[&FILTERS[..], &["limit", "cursor"]].concat());
    let list = List::of(query);
    let filter = filter(&mut parameters);
    let (limit, before) = (parameters.limit(), parameters.place::<i64>(&list));
    parameters.finish()?;
    let (place, link) = api.audit.head().await?;
    let (entries, more) = page(&*api.audit, &filter, before, limit).await?;
    Ok(Json(AuditPage {
        next: more.map(|place| list.cursor(&place)),
        entries: entries.iter().map(AuditEntryBody::from).collect(),
        head: format!("{place}:{link}"),
    }))
}

/// The same as CSV, all of it, newest first; cells that a spreadsheet would run as a formula begin with an apostrophe. An
/// answer that is cut off is not whole.
#[utoipa::path(get, path = "/api/v1/audit.csv", tag = "administration", security(("admin_token" = []), ("bearer" = [])),
    params(
        ("author" = Option<String>, Query, description = "By this name"),
        ("action" = Option<String>, Query, description = "Actions that begin with this: `number.` or `number.create`"),
        ("subject" = Option<String>, Query, description = "To this very thing: a pool, the id of a key; of a number all that touched it, also among many at once"),
        ("since" = Option<String>, Query, description = "At this instant or later, or from the beginning of this date", example = "2026-11-22T00:00:00Z"),
        ("until" = Option<String>, Query, description = "Before this instant, or to the end of this date", example = "2026-11-23T00:00:00Z"),
        ("time_zone" = Option<String>, Query, description = "Where dates begin; UTC when nothing is said", example = "America/Chicago"),
    ),
    responses(
        (status = 200, description = "A header, then one entry a row", body = String, content_type = "text/csv",
            example = "place,at,author_kind,author,address,action,subject,before,after,hash\n"),
        (status = 422, description = "A parameter cannot be understood", body = super::openapi::ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The store is not available", body = super::openapi::ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn csv(
    State(api): State<Arc<Api>>,
    _admin: Admin,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let mut parameters = Parameters::new(query.as_deref(), &FILTERS);
    let filter = filter(&mut parameters);
    parameters.finish()?;
    // The first entries are read before the answer begins: a store that is away is told with a status.
    let (first, more) = next(&*api.audit, &filter, None, AT_ONCE).await?;
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""),
    ];
    let lines = Lines {
        log: api.audit.clone(),
        filter,
        begun: false,
        ahead: first,
        more,
    };
    let body = Body::from_stream(stream::try_unfold(lines, Lines::next));
    Ok((headers, body).into_response())
}

/// What is written yet of the file.
struct Lines {
    log: Arc<dyn AuditLog>,
    filter: AuditFilter,
    begun: bool,
    ahead: Vec<AuditEntry>,
    /// Before which place there is more.
    more: Option<i64>,
}

impl Lines {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, StoreError> {
        let mut text = String::new();
        if !self.begun {
            self.begun = true;
            text.push_str(audit_csv::HEADER);
        }
        let entries = std::mem::take(&mut self.ahead);
        text.extend(entries.iter().map(audit_csv::line));
        // Nothing is written only at the end.
        while let Some(before) = self.more.take() {
            (self.ahead, self.more) = next(&*self.log, &self.filter, Some(before), AT_ONCE).await?;
            if !self.ahead.is_empty() {
                break;
            }
        }
        Ok((!text.is_empty()).then(|| (Bytes::from(text), self)))
    }
}

fn filter(parameters: &mut Parameters<'_>) -> AuditFilter {
    let mut text = |name: &str| parameters.one(name, |given| plain(name, given));
    let [author, action, subject] = ["author", "action", "subject"].map(&mut text);
    let times = Times::read(parameters);
    AuditFilter {
        author,
        action,
        subject,
        since: times.since,
        until: times.until,
    }
}

/// No store keeps U+0000, and PostgreSQL takes offence at being asked for it.
fn plain(name: &str, given: &str) -> Result<String, String> {
    match given.contains('\0') {
        true => Err(format!("{name}: text without U+0000 is expected")),
        false => Ok(given.to_owned()),
    }
}

/// The next entries, and before which place to go on. Of a number they are all that touched it: that may be none yet, and
/// more behind.
async fn next(
    log: &dyn AuditLog,
    filter: &AuditFilter,
    before: Option<i64>,
    most: usize,
) -> Result<(Vec<AuditEntry>, Option<i64>), StoreError> {
    let number = filter.subject.as_deref().map(PhoneNumber::parse);
    if let Some(Ok(number)) = number {
        return log.touching(number, filter, before, most).await;
    }
    let part = log.newest(filter, before, most).await?;
    let last = part.last().filter(|_| part.len() >= most);
    let next = last.map(|last| last.place);
    Ok((part, next))
}

/// At most `limit` entries, and before which place there are more.
async fn page(
    log: &dyn AuditLog,
    filter: &AuditFilter,
    mut before: Option<i64>,
    limit: usize,
) -> Result<(Vec<AuditEntry>, Option<i64>), StoreError> {
    let (mut entries, mut bytes) = (Vec::<AuditEntry>::new(), 0);
    for _ in 0..LOOKS_MOST {
        // One more than asked for tells whether there are more.
        let most = AT_ONCE.min(limit + 1 - entries.len());
        let (part, next) = next(log, filter, before, most).await?;
        for entry in part {
            if entries.len() == limit || bytes > PAGE_BYTES {
                let last = entries.last().map(|last| last.place);
                return Ok((entries, last));
            }
            let texts = [&entry.event.before, &entry.event.after];
            bytes += texts.into_iter().flatten().map(String::len).sum::<usize>();
            entries.push(entry);
        }
        let Some(next) = next else {
            return Ok((entries, None));
        };
        before = Some(next);
    }
    Ok((entries, before))
}
