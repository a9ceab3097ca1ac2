//! The way to the collector: HTTP on the thread that sends, so that nobody else waits.

use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use ureq::Agent;

use crate::telemetry::counts;

/// An answer of a collector is never longer.
const ANSWER_MOST: u64 = 64 * 1024;

/// Sends batches, each within a deadline.
#[derive(Debug)]
pub(super) struct Collector(Agent);

impl Collector {
    pub(super) fn new(patience: Duration) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(patience))
            .max_redirects(0)
            .user_agent(concat!("caller-id/", env!("CARGO_PKG_VERSION")));
        Self(config.build().into())
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ureq::Error> {
        let (parts, body) = request.into_parts();
        let answer = self.0.run(Request::from_parts(parts, body.as_ref()))?;
        let (parts, mut body) = answer.into_parts();
        let bytes = body.with_config().limit(ANSWER_MOST).read_to_vec()?;
        Ok(Response::from_parts(parts, bytes.into()))
    }
}

#[async_trait]
impl HttpClient for Collector {
    /// Blocks: it is called on the thread of the batches alone.
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        match self.send(request) {
            Ok(answer) => {
                if !answer.status().is_success() {
                    counts::tell_export_failed(&format!("it answers {}", answer.status()));
                }
                Ok(answer)
            }
            Err(error) => {
                counts::tell_export_failed(&shown(&error));
                Err(error.into())
            }
        }
    }
}

/// What went wrong, never with the URL: a password may be in it.
fn shown(error: &ureq::Error) -> String {
    match error {
        ureq::Error::BadUri(_) => "its URL cannot be used".to_owned(),
        error => error.to_string(),
    }
}
