//! How a call went: `GET` and `POST /call-result`. It ends the call's reservation, and is kept with its allocation.

mod asked;

use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use caller_id_core::Reported;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::asked::{Asked, members};
use super::body::{self, is_form, is_json, object};
use super::fields::Fields;
use super::peer;
use super::query::Query;
use super::{Api, ApiError, Fault};

/// What `POST /call-result` takes, as JSON or as a form. Which call is meant say `reservation`, else `call`, else `caller_id` and
/// `to` together: the first of these that can be read. Empty fields are like missing ones. What cannot be read beside that counts
/// as not said, and is named in `ignored`: the number is free all the same.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body; it is read field by field")]
pub struct CallResultBody {
    /// `reservation_id` of the answer of `/next-cid`; also as `reservation_id`.
    reservation: Option<String>,
    /// The dialer's id of the call; also as `call_id`.
    call: Option<String>,
    /// The number that was shown.
    caller_id: Option<String>,
    /// The called party, as `/next-cid` takes it.
    to: Option<String>,
    /// How the call ended: Asterisk's DIALSTATUS, or the disposition of a CDR.
    dialstatus: Option<String>,
    /// How long the two talked: ANSWEREDTIME. Not taken, and named in `ignored`, where `dialstatus` says that nobody answered.
    answered_seconds: Option<u32>,
    /// How long the call took: DIALEDTIME.
    dialed_seconds: Option<u32>,
    /// The cause of the hang-up (ITU-T Q.850): HANGUPCAUSE.
    hangup_cause: Option<u16>,
    /// The last answer of the other side: a number, or what HANGUPCAUSE(…,tech) says of SIP.
    sip_code: Option<String>,
    /// `json` (default), or `text`: an empty line.
    format: Option<String>,
}

/// What became of a report.
#[derive(Debug, Serialize, ToSchema)]
pub struct CallResultKept {
    /// False when there is no such call, or it is more than a day ago. That is no error; nor is a second report, of which
    /// nothing is changed.
    kept: bool,
    /// Whether the call's number was reserved, and is free again by this.
    released: bool,
    /// Which allocation it was.
    reservation_id: Option<String>,
    /// What of the report cannot be understood, or contradicts `dialstatus`, and counts as not said; missing where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ignored: Vec<Fault>,
}

impl CallResultKept {
    fn new(reported: Reported, ignored: Vec<Fault>) -> Self {
        match reported {
            Reported::Kept { id, released } => Self {
                kept: true,
                released,
                reservation_id: Some(id.to_string()),
                ignored,
            },
            Reported::Unknown => Self {
                kept: false,
                released: false,
                reservation_id: None,
                ignored,
            },
        }
    }
}

/// Keeps how a call went, and ends its reservation. What cannot be read of it counts as not said, and is named in `ignored`.
#[utoipa::path(
    get,
    path = "/call-result",
    tag = "dialing",
    params(
        ("reservation" = Option<String>, Query, description = "`reservation_id` of the answer of `/next-cid`; also as `reservation_id`"),
        ("call" = Option<String>, Query, description = "The dialer's id of the call; also as `call_id`"),
        ("caller_id" = Option<String>, Query, description = "The number that was shown, together with `to`"),
        ("to" = Option<String>, Query, description = "The called party, as `/next-cid` takes it"),
        ("dialstatus" = Option<String>, Query, description = "How the call ended: Asterisk's DIALSTATUS, or the disposition of a CDR"),
        ("answered_seconds" = Option<String>, Query, description = "How long the two talked: ANSWEREDTIME. Not taken, and named in `ignored`, where `dialstatus` says that nobody answered"),
        ("dialed_seconds" = Option<String>, Query, description = "How long the call took: DIALEDTIME"),
        ("hangup_cause" = Option<String>, Query, description = "The cause of the hang-up (ITU-T Q.850): HANGUPCAUSE"),
        ("sip_code" = Option<String>, Query, description = "The last answer of the other side: a number, or what HANGUPCAUSE(…,tech) says of SIP"),
        ("format" = Option<String>, Query, description = "json (default), or text: an empty line, nothing at all on failure"),
    ),
    responses(
        (status = 200, description = "It is kept, now or before; or nobody knows the call", body = CallResultKept),
        (status = 401, description = "No dialer key, and the address is not allowed", body = super::openapi::ProblemBody),
        (status = 422, description = "No parameter says which call, or none that can be understood", body = super::openapi::ProblemBody),
        (status = 503, description = "Nothing can be recorded now", body = super::openapi::ProblemBody),
    )
)]
pub async fn by_query(State(api): State<Arc<Api>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let query = Query::parse(parts.uri.query().unwrap_or_default().as_bytes(), "query");
    let mut form = Form::hinted(&query);
    let answer = async {
        admit(&api, &parts).await?;
        let (members, faults) = members(&query);
        let fields = Fields::of_query(members).with_faults(faults);
        keep(&api, fields, &mut form).await
    };
    let answer = answer.await;
    form.answer(answer)
}

/// Keeps how a call went, and ends its reservation. What cannot be read of it counts as not said, and is named in `ignored`.
#[utoipa::path(
    post,
    path = "/call-result",
    tag = "dialing",
    request_body(content(
        (CallResultBody = "application/json"),
        (CallResultBody = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 200, description = "It is kept, now or before; or nobody knows the call", body = CallResultKept),
        (status = 401, description = "No dialer key, and the address is not allowed", body = super::openapi::ProblemBody),
        (status = 422, description = "No field says which call, or none that can be understood", body = super::openapi::ProblemBody),
        (status = 503, description = "Nothing can be recorded now", body = super::openapi::ProblemBody),
    )
)]
pub async fn by_body(State(api): State<Arc<Api>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let query = Query::parse(parts.uri.query().unwrap_or_default().as_bytes(), "query");
    let mut form = Form::hinted(&query);
    let answer = async {
        // Nothing is read for strangers.
        admit(&api, &parts).await?;
        let fields = given(&api, &parts.headers, body).await?;
        keep(&api, fields, &mut form).await
    };
    let answer = answer.await;
    form.answer(answer)
}

/// Refuses every other method. HEAD, too: who looks whether the address is there reports no call.
pub async fn no_method(uri: Uri) -> Response {
    let query = Query::parse(uri.query().unwrap_or_default().as_bytes(), "query");
    let mut answer = Form::hinted(&query).answer(Err(ApiError::NoMethod));
    let allowed = HeaderValue::from_static("GET, POST");
    answer.headers_mut().insert(ALLOW, allowed);
    answer
}

/// The form of an answer that the dialplan asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Form {
    #[default]
    Json,
    Text,
}

impl FromStr for Form {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            _ => Err("json or text expected".to_owned()),
        }
    }
}

impl Form {
    /// What a query string says, also beside a body: refusals have a form, too.
    fn hinted(query: &Query<'_>) -> Self {
        let form = query.parsed("format", str::parse);
        form.ok().flatten().unwrap_or_default()
    }

    fn answer(self, answer: Result<CallResultKept, ApiError>) -> Response {
        match (self, answer) {
            (Self::Json, Ok(kept)) => Json(kept).into_response(),
            (Self::Json, Err(error)) => error.into_response(),
            (Self::Text, Ok(_)) => {
                let plain = HeaderValue::from_static("text/plain; charset=utf-8");
                ([(CONTENT_TYPE, plain)], "\n").into_response()
            }
            (Self::Text, Err(error)) => error.into_empty(),
        }
    }
}

async fn admit(api: &Api, parts: &Parts) -> Result<(), ApiError> {
    peer::dialer(parts, api, &[]).await.map(drop)
}

/// The fields of a body: a JSON object, or a form.
async fn given(api: &Api, headers: &HeaderMap, body: Body) -> Result<Fields, ApiError> {
    let is_form = is_form(headers);
    if !is_form && !is_json(headers) {
        return Err(ApiError::MediaType(
            "application/json or application/x-www-form-urlencoded",
        ));
    }
    let text = body::read(body, api.answers.body_deadline).await?;
    if !is_form {
        return object(&text).map(Fields::new);
    }
    let (members, faults) = members(&Query::parse(&text, "body"));
    Ok(Fields::new(members).with_faults(faults))
}

/// Reads what is said, and gives it to the engine.
async fn keep(api: &Api, mut fields: Fields, form: &mut Form) -> Result<CallResultKept, ApiError> {
    *form = asked::optional(&mut fields, "format", |text| text.parse().map(Some)).unwrap_or(*form);
    let Asked {
        target,
        report,
        ignored,
    } = Asked::read(fields, &api.answers)?;
    let Some(target) = target else {
        return Ok(CallResultKept::new(Reported::Unknown, ignored));
    };
    let rotator = api.rotator.clone();
    let mut keeping = Box::pin(async move { rotator.report(&target, &report).await });
    match tokio::time::timeout(api.answers.deadline, &mut keeping).await {
        Ok(reported) => Ok(CallResultKept::new(reported?, ignored)),
        Err(_) => {
            // What it does is wanted all the same.
            tokio::spawn(async move {
                if let Err(error) = keeping.await {
                    tracing::warn!(%error, "how a call went is not kept");
                }
            });
            Err(ApiError::DeadlinePassed)
        }
    }
}
