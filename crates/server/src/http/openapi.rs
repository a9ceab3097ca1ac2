//! `GET /openapi.json`: the interface, described by the handlers themselves.

mod answers;
mod bodies;
mod choices;
mod roles;
mod texts;
mod tidy;
mod whole;

use std::sync::LazyLock;

use axum::Json;
use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Content, OpenApi as Document, Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi, ToSchema};

use self::tidy::Tidy;
use super::{
    allocations, audit, call_result, campaigns, coverage, explain, health, import, jobs, keys,
    lookup, me, metrics, next_cid, numbers, overview, pools, release, requests, reservations,
    settings, sign_in, stats,
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
        reservations::list,
        allocations::list,
        allocations::csv,
        allocations::show,
        stats::stats,
        overview::overview,
        coverage::coverage,
        explain::explain,
        lookup::lookup,
        numbers::add_number,
        import::import,
        numbers::list::list,
        numbers::one::add,
        numbers::one::show,
        numbers::one::change,
        numbers::one::remove,
        numbers::status::pause,
        numbers::status::resume,
        numbers::status::rest,
        numbers::status::retire,
        numbers::bulk::bulk,
        numbers::export::export,
        jobs::list,
        jobs::show,
        jobs::cancel,
        requests::list,
        pools::list,
        pools::show,
        pools::put,
        pools::remove,
        campaigns::list,
        campaigns::show,
        campaigns::put,
        campaigns::remove,
        me::me,
        sign_in::show,
        sign_in::enter,
        sign_in::begin,
        sign_in::callback,
        sign_in::leave,
        keys::list,
        keys::make,
        keys::show,
        keys::revoke,
        audit::list,
        audit::csv,
        settings::list,
        health::health,
        health::live,
        health::ready,
        metrics::metrics,
    ),
    components(schemas(super::Fault, ProblemBody)),
    modifiers(&Security, &Tidy),
)]
struct Interface;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut Document) {
        let header = |name| SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(name)));
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("admin_token", header("X-Admin-Token"));
        components.add_security_scheme("api_key", header("X-API-Key"));
        let cookie = ApiKeyValue::with_description(
            "caller_id_session",
            "Of people who are signed in. Everything but GET wants the header X-CSRF-Token, too, with the csrf_token of /api/v1/me. \
             By TLS the cookie is named __Host-caller_id_session",
        );
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        for path in document.paths.paths.values_mut() {
            let methods = [
                &mut path.get,
                &mut path.put,
                &mut path.post,
                &mut path.patch,
                &mut path.delete,
            ];
            methods.into_iter().flatten().for_each(secure);
        }
    }
}

/// Says by what somebody may be known, and how they are refused, where not everybody may ask.
fn secure(operation: &mut Operation) {
    let tags = operation.tags.get_or_insert_default();
    let is_for_dialers = tags.iter().any(|tag| tag == "dialing");
    if operation.security.is_none() && !is_for_dialers {
        return;
    }
    let mut ways = ["admin_token", "api_key", "bearer", "session"]
        .map(|scheme| SecurityRequirement::new::<_, [&str; 0], &str>(scheme, []))
        .to_vec();
    if is_for_dialers {
        // Some need nothing but their address.
        ways.push(SecurityRequirement::default());
    }
    operation.security = Some(ways);
    for (status, meaning) in [
        ("401", "Nobody who is known"),
        ("403", "Somebody who may not do that, or not from there"),
        (
            "429",
            "Too many wrong tokens or keys; Retry-After says for how long",
        ),
        (
            "503",
            "What is needed for the answer is away: the database, Redis, or the keys that a token is checked with",
        ),
    ] {
        let responses = &mut operation.responses.responses;
        if !responses.contains_key(status) {
            let body = Content::new(Some(Ref::from_schema_name("ProblemBody")));
            let refused = ResponseBuilder::new()
                .description(meaning)
                .content("application/problem+json", body);
            responses.insert(status.to_owned(), refused.build().into());
        }
    }
}

/// It is the same as long as the program runs.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let described = serde_json::to_value(Interface::openapi());
    whole::finished(described.expect("a document is plain data"))
});

/// The document.
pub async fn document() -> Json<&'static Value> {
    Json(&DOCUMENT)
}
