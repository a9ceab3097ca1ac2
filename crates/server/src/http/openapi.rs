//! `GET /openapi.json`: the interface, described by the handlers themselves.

use axum::Json;
use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};

use super::{
    call_result, campaigns, health, import, metrics, next_cid, numbers, pools, release, requests,
};

/// An answer that is not a success (RFC 9457 problem details), with the reference's `detail`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemBody {
    /// A text, or a list of faults with `type`, `loc`, `msg` and `input` when fields cannot be understood.
    #[schema(value_type = Object)]
    detail: Value,
    /// What kind of problem, for programs.
    r#type: String,
    /// The kind, for people.
    title: String,
    /// The status code.
    status: u16,
    /// The id of this answer, also in the log.
    instance: String,
}

#[derive(OpenApi)]
#[openapi(
    info(title = "caller-id", description = "Hands out caller IDs for outbound calls."),
    paths(
        next_cid::next_cid,
        call_result::by_query,
        call_result::by_body,
        release::by_reservation,
        release::by_call,
        numbers::add_number,
        import::import,
        requests::list,
        pools::list,
        pools::show,
        pools::put,
        campaigns::list,
        campaigns::show,
        campaigns::put,
        campaigns::remove,
        health::health,
        health::live,
        health::ready,
        metrics::metrics,
    ),
    components(schemas(super::Fault)),
    modifiers(&Security),
)]
struct Interface;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut Document) {
        let header = ApiKey::Header(ApiKeyValue::new("X-Admin-Token"));
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("admin_token", SecurityScheme::ApiKey(header));
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

/// The document.
pub async fn document() -> Json<Document> {
    Json(Interface::openapi())
}
