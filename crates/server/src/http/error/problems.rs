//! What clients are told of the errors that need more than a line.

use axum::http::StatusCode;
use caller_id_core::{Cause, Exhausted};
use serde_json::json;

use super::{ApiError, Problem, RETRY_EMPTY_SECONDS, RETRY_SECONDS, ceil_seconds};
use crate::auth::Refusal;
use crate::auth::oidc::Failure;
use crate::rows::Tally;

/// How long a browser waits before it asks again when the identity provider is away, in seconds.
const PROVIDER_RETRY_SECONDS: i64 = 5;
const PROVIDER_HINT: &str = "Check that this machine reaches OIDC_ISSUER by name and port, that its certificate is good, and that \
    it is up.";

pub(super) fn refused(refusal: &Refusal) -> Problem {
    let status = match refusal {
        Refusal::MissingToken
        | Refusal::InvalidToken
        | Refusal::UnknownSigner
        | Refusal::Worthless(_)
        | Refusal::Dialer { .. } => StatusCode::UNAUTHORIZED,
        Refusal::RoleRequired(_)
        | Refusal::WeakSecret
        | Refusal::Forged(_)
        | Refusal::AddressNotAllowed { .. }
        | Refusal::KeyAddress { .. }
        | Refusal::CampaignNotAllowed { .. } => StatusCode::FORBIDDEN,
        Refusal::TooManyFailures { .. } => StatusCode::TOO_MANY_REQUESTS,
        Refusal::KeysAway => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut problem = Problem::new(status, refusal.kind(), "Refused", refusal.to_string());
    problem.retry_after_s = refusal.retry_after_s();
    if let Some(hint) = refusal.hint() {
        problem.more.push(("hint", json!(hint)));
    }
    if let Refusal::Worthless(why) = refusal {
        problem.more.push(("reason", json!(why)));
    }
    problem
}

pub(super) fn not_signed_in(failure: &Failure) -> Problem {
    let (status, kind) = match failure {
        Failure::Away(_) => (StatusCode::SERVICE_UNAVAILABLE, "provider-away"),
        Failure::Refused(_) => (StatusCode::FORBIDDEN, "sign-in-refused"),
    };
    let mut text = failure.to_string();
    text[..1].make_ascii_uppercase();
    let mut problem = Problem::new(status, kind, "Not signed in", format!("{text}."));
    if matches!(failure, Failure::Away(_)) {
        problem.more.push(("hint", json!(PROVIDER_HINT)));
        problem.retry_after_s = Some(PROVIDER_RETRY_SECONDS);
    }
    problem
}

pub(super) fn agent_limited(retry_after_ms: i64) -> Problem {
    let seconds = ceil_seconds(retry_after_ms);
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "agent-limited",
        "The agent has used up its limit",
        format!("Agent rate limit exceeded. Retry in {seconds} seconds."),
    )
    .retry_after(seconds)
}

pub(super) fn too_large(most: usize) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too-large",
        "The body is too large",
        format!("body: at most {most} bytes expected"),
    )
}

pub(super) fn too_slow() -> Problem {
    Problem::new(
        StatusCode::REQUEST_TIMEOUT,
        "too-slow",
        "The body did not come in time",
        "body: did not come in time",
    )
}

pub(super) fn media_type(expected: &str) -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "media-type",
        "The body is of a type that is not read here",
        format!("header content-type: {expected} expected"),
    )
}

pub(super) fn no_caller_id(exhausted: Exhausted) -> Problem {
    let wait_s = match exhausted.cause {
        Cause::Empty => RETRY_EMPTY_SECONDS,
        _ => ceil_seconds(exhausted.wait_ms),
    };
    let mut problem = Problem::new(
        StatusCode::NOT_FOUND,
        "no-caller-id",
        "No number is free",
        "No caller IDs available",
    )
    .retry_after(wait_s);
    let earliest = exhausted.earliest.map(|at| at.to_string());
    problem.more.push(("earliest", json!(earliest)));
    problem
        .more
        .push(("cause", json!(exhausted.cause.as_str())));
    problem
}

pub(super) fn busy() -> Problem {
    let detail = "As many jobs run on this node as may: wait until one has ended, or cancel one";
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "busy",
        "Too many jobs",
        detail,
    )
    .retry_after(RETRY_SECONDS)
}

pub(super) fn unavailable(detail: &str) -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "Not available now",
        detail,
    )
    .retry_after(RETRY_SECONDS)
}

/// The problem of `cause`, and how far the import came.
pub(super) fn partly(cause: &ApiError, tally: &Tally) -> Problem {
    let mut problem = Problem::from(cause);
    problem.more.push(("rows", json!(tally.rows)));
    problem.more.push(("added", json!(tally.added)));
    problem.more.push(("updated", json!(tally.updated)));
    problem.more.push(("skipped", json!(tally.skipped)));
    problem.more.push(("failed", json!(tally.failed)));
    problem
}
