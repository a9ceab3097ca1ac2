//! The FastAGI interface: Asterisk asks in the middle of a call, and is never made to wait.
//!
//! One connection a call. Asterisk has no time limit of its own once it is connected, so each dialog has one here: it is closed
//! at its deadline, whatever the other side or the engine does.

pub mod arguments;
mod call;
pub mod call_name;
mod call_result;
pub mod dialog;
pub mod lines;
mod next_cid;
mod noted;
pub mod protocol;
pub mod request;
pub mod status;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use caller_id_core::{Clock, DialPlan, NumberFormat, Rotator, text};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tracing::Instrument;

use crate::auth::{Access, Refusal};
use crate::meters::Meters;
use crate::pulse::Pulse;
use crate::request_log::RequestLog;
use crate::telemetry::throttle::Throttle;
use crate::telemetry::traces;

use self::arguments::Arguments;
use self::dialog::{Broken, Dialog};
use self::noted::Noted;
use self::request::Request;
use self::status::{REPORT, STATUS, Status};

static DENIED: Throttle = Throttle::new();
static UNKNOWN_SCRIPT: Throttle = Throttle::new();
static TOO_SLOW: Throttle = Throttle::new();

/// One part of as many of the deadline is kept for telling Asterisk that there is no answer.
const PART_FOR_SAYING_NO: u32 = 5;

/// Answers Asterisk.
pub struct FastAgi {
    /// Hands out numbers.
    pub rotator: Arc<Rotator>,
    /// Who may ask.
    pub access: Arc<Access>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Shows people what was asked.
    pub requests: Arc<RequestLog>,
    /// Counts requests for numbers.
    pub pulse: Arc<Pulse>,
    /// What programs measure.
    pub meters: Arc<Meters>,
    /// How destinations are dialed.
    pub dial_plan: DialPlan,
    /// How numbers are written.
    pub format: NumberFormat,
    /// After so long a dialog is over.
    pub deadline: Duration,
}

impl FastAgi {
    /// Runs one dialog to its end. `whole` is called when the request is there, and will be answered.
    pub async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        peer: IpAddr,
        whole: impl FnOnce(),
    ) {
        let mut dialog = Dialog::new(stream, Instant::now() + self.deadline);
        match self.answer(&mut dialog, peer, whole).await {
            Ok(()) => {}
            Err(Broken::Deadline) => {
                if let Some(times) = TOO_SLOW.note() {
                    tracing::warn!(%peer, times, "FastAGI: a dialog did not end within AGI_DEADLINE_MS, and was cut off");
                }
            }
            // How else a dialog ends is the other side's affair.
            Err(broken) => tracing::debug!(%peer, %broken, "FastAGI: a dialog ended early"),
        }
    }

    async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        dialog: &mut Dialog<S>,
        peer: IpAddr,
        whole: impl FnOnce(),
    ) -> Result<(), Broken> {
        let request = dialog.request().await?;
        whole();
        let mut noted = Noted::begin(peer, self.clock.now());
        let span = traces::of_request(&HeaderMap::new(), "FastAGI");
        let run = self.run(dialog, &request, peer, &mut noted);
        let ended = run.instrument(span).await;
        noted.over(self, request.path(), &ended);
        ended
    }

    async fn run<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        dialog: &mut Dialog<S>,
        request: &Request,
        peer: IpAddr,
        noted: &mut Noted,
    ) -> Result<(), Broken> {
        let arguments = Arguments::of(request);
        let script = match request.path() {
            b"next-cid" => Script::NextCid,
            b"call-result" => Script::CallResult,
            path => {
                if let Some(times) = UNKNOWN_SCRIPT.note() {
                    let path = text::shown(&String::from_utf8_lossy(path));
                    tracing::warn!(%peer, path, times, "FastAGI: no such path, expected agi://…/next-cid or agi://…/call-result");
                }
                noted.outcome = Some(Status::UnknownScript.outcome());
                return dialog.set(STATUS, Status::UnknownScript.as_str()).await;
            }
        };
        let (key, now) = (arguments.bytes("key"), self.clock.now());
        let scope = match self.access.dialer_with_key(peer, key, now) {
            Ok(scope) => scope,
            Err(refusal) => {
                deny(&refusal);
                noted.outcome = Some(Status::Denied.outcome());
                let variable = match script {
                    Script::NextCid => STATUS,
                    Script::CallResult => REPORT,
                };
                return dialog.set(variable, Status::Denied.as_str()).await;
            }
        };
        match script {
            Script::NextCid => {
                next_cid::answer(self, dialog, (request, &arguments), &scope, noted).await
            }
            Script::CallResult => {
                call_result::answer(self, dialog, (request, &arguments), noted).await
            }
        }
    }
}

/// What Asterisk can ask for.
#[derive(Debug, Clone, Copy)]
enum Script {
    NextCid,
    CallResult,
}

fn deny(refusal: &Refusal) {
    if let Some(times) = DENIED.note() {
        let Refusal::Dialer { client, key_given } = refusal else {
            let hint = refusal.hint();
            tracing::warn!(times, hint, "FastAGI: refused: {refusal}");
            return;
        };
        let key = if *key_given { "a wrong key" } else { "no key" };
        tracing::warn!(
            %client,
            key,
            times,
            "FastAGI: refused; give key=<an API key, or one of DIALER_KEYS> as an argument, or add the address to DIALER_ALLOW"
        );
    }
}
