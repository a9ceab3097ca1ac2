//! What the log says of errors that clients are told of.

use caller_id_core::AllocatorError;

use super::ApiError;
use crate::auth::oidc::Failure;
use crate::telemetry::throttle::Throttle;

// A store that is down fails every request. These hold nothing but when a line was last logged.
static NO_ALLOCATION: Throttle = Throttle::new();
static STORE_FAILED: Throttle = Throttle::new();
static DEADLINE_PASSED: Throttle = Throttle::new();
static PROVIDER_AWAY: Throttle = Throttle::new();
static NOT_IN_FORCE: Throttle = Throttle::new();

impl ApiError {
    /// Logs what broke, once; expected refusals are not logged here.
    pub(super) fn log(&self, instance: &str) {
        match self {
            // The engine logs a failed commit once for all who waited for it.
            Self::Allocator(error @ AllocatorError::NotRecorded(_)) => {
                tracing::debug!(instance, %error, "no allocation");
            }
            Self::Allocator(error) => {
                if let Some(times) = NO_ALLOCATION.note() {
                    tracing::warn!(instance, %error, times, "no allocation");
                }
            }
            Self::Store(error) => {
                if let Some(times) = STORE_FAILED.note() {
                    tracing::error!(instance, %error, times, "the store failed");
                }
            }
            Self::Partly { cause, .. } => cause.log(instance),
            Self::SignIn(failure @ Failure::Away(_)) => {
                if let Some(times) = PROVIDER_AWAY.note() {
                    tracing::warn!(times, "nobody can sign in over OIDC_ISSUER: {failure}");
                }
            }
            Self::DeadlinePassed => {
                if let Some(times) = DEADLINE_PASSED.note() {
                    tracing::error!(instance, times, "a deadline passed");
                }
            }
            Self::NotInForce => {
                if let Some(times) = NOT_IN_FORCE.note() {
                    tracing::warn!(instance, times, "a change is written, and not in force yet");
                }
            }
            _ => {}
        }
    }
}
