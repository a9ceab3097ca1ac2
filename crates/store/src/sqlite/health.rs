//! A background task's state of health: a failure is logged once, and once when it is over.

use caller_id_core::StoreError;

/// Whether the last attempt of one kind of work failed.
#[derive(Debug)]
pub(super) struct Health {
    work: &'static str,
    failure: Option<String>,
}

impl Health {
    /// Of work that has not failed yet.
    pub(super) fn new(work: &'static str) -> Self {
        Self {
            work,
            failure: None,
        }
    }

    /// Takes note of an attempt, and logs it when it differs from the last one.
    pub(super) fn note(&mut self, failure: Option<&StoreError>) {
        let failure = failure.map(ToString::to_string);
        match (&self.failure, &failure) {
            (before, Some(now)) if before.as_ref() != Some(now) => {
                tracing::error!(error = %now, "{} fails, and is tried again", self.work);
            }
            (Some(_), None) => tracing::info!("{} works again", self.work),
            _ => {}
        }
        self.failure = failure;
    }
}
