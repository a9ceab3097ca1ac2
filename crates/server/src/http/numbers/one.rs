//! One number: made, read, changed, removed.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::header::LOCATION;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use caller_id_core::listing::{Changed, NumberChange, NumberPatch, NumberRow};
use caller_id_core::store::{OnDuplicate, Written};
use caller_id_core::{Author, PhoneNumber, StoreError};

use super::body::{NumberShown, tag};
use super::fields::{NewNumber, NumberPatchBody, new_number, patch};
use super::live;
use crate::http::body::Object;
use crate::http::campaigns::Removed;
use crate::http::etag::{self, Precondition};
use crate::http::fields::{Fields, PathId};
use crate::http::query::shown;
use crate::http::{Admin, Api, ApiError, Fault, Operator, Viewer};

/// The `{number}` in a path, in any form: `3125550100`, `+13125550100`, `%2B1-312-555-0100`.
#[derive(Debug, Clone, Copy)]
pub struct PathNumber(pub PhoneNumber);

impl<S: Send + Sync> FromRequestParts<S> for PathNumber {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let PathId(text) = PathId::from_request_parts(parts, state).await?;
        PhoneNumber::parse(&text).map(Self).map_err(|error| {
            let place = ["path", "number"];
            let fault = Fault::new(&place, "value_error", error.to_string(), shown(&text));
            ApiError::Invalid(vec![fault])
        })
    }
}

/// Adds a number. When the answer is there, the engine knows it.
#[utoipa::path(post, path = "/api/v1/numbers", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    request_body = NewNumber,
    responses(
        (status = 201, description = "It is added", body = NumberShown,
         headers(("Location" = String, description = "Where it is"), ("ETag" = String, description = "For If-Match"))),
        (status = 409, description = "It is there already", body = crate::http::openapi::ProblemBody),
        (status = 413, description = "The body is too large", body = crate::http::openapi::ProblemBody),
        (status = 415, description = "The body says to be something else", body = crate::http::openapi::ProblemBody),
        (status = 422, description = "A field cannot be understood", body = crate::http::openapi::ProblemBody),
        (status = 503, description = "The store failed, or it is added and not in force yet", body = crate::http::openapi::ProblemBody),
    ))]
pub async fn add(
    State(api): State<Arc<Api>>,
    Operator(who): Operator,
    Object(members): Object,
) -> Result<Response, ApiError> {
    let number = new_number(members, api.clock.now())?;
    let phone = number.number;
    let written = api
        .inventory
        .write_numbers(vec![number], OnDuplicate::Fail, &who.author)
        .await?;
    if written.first() == Some(&Written::Exists) {
        return Err(ApiError::AlreadyExists);
    }
    api.sync.now().await?;
    let mut answer = row_shown(&api, &row(&api, phone).await?).await;
    *answer.status_mut() = StatusCode::CREATED;
    let place = format!("/api/v1/numbers/{phone}");
    if let Ok(place) = HeaderValue::try_from(place) {
        answer.headers_mut().insert(LOCATION, place);
    }
    Ok(answer)
}

/// One number.
#[utoipa::path(get, path = "/api/v1/numbers/{number}", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    params(("number" = String, Path, description = "In any form", example = "+13125550100")),
    responses(
        (status = 200, description = "It", body = NumberShown, headers(("ETag" = String, description = "For If-Match"))),
        (status = 404, description = "There is none", body = crate::http::openapi::ProblemBody),
        (status = 422, description = "The path has no number", body = crate::http::openapi::ProblemBody),
        (status = 503, description = "The store failed", body = crate::http::openapi::ProblemBody),
    ))]
pub async fn show(
    State(api): State<Arc<Api>>,
    _viewer: Viewer,
    PathNumber(number): PathNumber,
) -> Result<Response, ApiError> {
    let row = row(&api, number).await?;
    Ok(row_shown(&api, &row).await)
}

/// Changes some of a number. With `If-Match` only what was seen is changed.
#[utoipa::path(patch, path = "/api/v1/numbers/{number}", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    params(
        ("number" = String, Path, description = "In any form", example = "+13125550100"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what was seen"),
    ),
    request_body(content = NumberPatchBody, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, description = "As it is now", body = NumberShown, headers(("ETag" = String, description = "For If-Match"))),
        (status = 404, description = "There is none", body = crate::http::openapi::ProblemBody),
        (status = 412, description = "It is not what was seen", body = crate::http::openapi::ProblemBody),
        (status = 413, description = "The body is too large", body = crate::http::openapi::ProblemBody),
        (status = 415, description = "The body says to be something else", body = crate::http::openapi::ProblemBody),
        (status = 422, description = "A field cannot be understood", body = crate::http::openapi::ProblemBody),
        (status = 503, description = "The store failed, or it is changed and not in force yet", body = crate::http::openapi::ProblemBody),
    ))]
pub async fn change(
    State(api): State<Arc<Api>>,
    Operator(who): Operator,
    PathNumber(number): PathNumber,
    condition: Precondition,
    Object(members): Object,
) -> Result<Response, ApiError> {
    let patch = patch(Fields::new(members), Some(number), api.clock.now())?;
    patched(&api, number, patch, (&condition, &who.author)).await
}

/// Removes a number. Its history stays, and its uses count on if it comes back.
#[utoipa::path(delete, path = "/api/v1/numbers/{number}", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    params(
        ("number" = String, Path, description = "In any form", example = "+13125550100"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what was seen"),
    ),
    responses(
        (status = 200, description = "It is removed", body = Removed),
        (status = 404, description = "There is none", body = crate::http::openapi::ProblemBody),
        (status = 412, description = "It is not what was seen", body = crate::http::openapi::ProblemBody),
        (status = 422, description = "The path has no number", body = crate::http::openapi::ProblemBody),
        (status = 503, description = "The store failed, or it is removed and not in force yet", body = crate::http::openapi::ProblemBody),
    ))]
pub async fn remove(
    State(api): State<Arc<Api>>,
    Admin(who): Admin,
    PathNumber(number): PathNumber,
    condition: Precondition,
) -> Result<Json<Removed>, ApiError> {
    write(
        &api,
        number,
        &NumberChange::Delete,
        (&condition, &who.author),
    )
    .await?;
    Ok(Json(Removed::YES))
}

/// Changes a number as `patch` says, and shows it as it is then.
pub(super) async fn patched(
    api: &Api,
    number: PhoneNumber,
    patch: NumberPatch,
    asked: (&Precondition, &Author),
) -> Result<Response, ApiError> {
    write(api, number, &NumberChange::Patch(patch), asked).await?;
    let row = row(api, number).await?;
    Ok(row_shown(api, &row).await)
}

async fn write(
    api: &Api,
    number: PhoneNumber,
    change: &NumberChange,
    (condition, by): (&Precondition, &Author),
) -> Result<(), ApiError> {
    let found = api.inventory.number(number).await?;
    let expected = condition.expected(found.as_ref(), tag)?;
    let changed = api.inventory.change_number(number, change, expected, by);
    let changed = changed.await.map_err(no_pool)?;
    match changed {
        Changed::Missing => Err(no_such(number)),
        Changed::Differs(found) => Err(ApiError::Differs(found.as_ref().map(tag))),
        Changed::Same => Ok(()),
        Changed::Made | Changed::From(_) => Ok(api.sync.now().await?),
    }
}

/// A pool that is not there is a fault of the field that names it.
pub(super) fn no_pool(error: StoreError) -> ApiError {
    match error {
        StoreError::Missing(what) => ApiError::invalid(&["body", "pool"], "missing_pool", what),
        error => error.into(),
    }
}

fn no_such(number: PhoneNumber) -> ApiError {
    ApiError::no_such("number", &number)
}

async fn row(api: &Api, number: PhoneNumber) -> Result<NumberRow, ApiError> {
    let row = api.inventory.number_row(number).await?;
    row.ok_or_else(|| no_such(number))
}

async fn row_shown(api: &Api, row: &NumberRow) -> Response {
    let shown = live::one(api, row).await;
    ([etag::header(&tag(&row.number))], Json(shown)).into_response()
}
