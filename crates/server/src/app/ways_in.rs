//! What HTTP and FastAGI work with.

use crate::config::{ConfigError, Settings};
use crate::fastagi::FastAgi;
use crate::http::{Answers, Api};

/// How answers look.
///
/// # Errors
/// A setting that cannot be used.
pub(super) fn answers(settings: &Settings) -> Result<Answers, ConfigError> {
    Ok(Answers {
        dial_plan: settings.rotation.dial_plan()?,
        format: settings.rotation.caller_id_format,
        policy: settings.rotation.policy(),
        kept: settings.history.kept(),
        deadline: settings.listen.request_deadline(),
        body_deadline: settings.listen.body_timeout(),
    })
}

/// The same rotator, dialers, prefixes and form of numbers as over HTTP.
pub(super) fn fast_agi(api: &Api, settings: &Settings) -> FastAgi {
    FastAgi {
        rotator: api.rotator.clone(),
        access: api.access.clone(),
        dial_plan: api.answers.dial_plan.clone(),
        format: api.answers.format,
        deadline: settings.agi.deadline(),
    }
}
