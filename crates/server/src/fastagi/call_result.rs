//! `agi://host/call-result`: how a call ended, reported by its hang-up handler.

use caller_id_core::call_report::{
    CallReport, ReportTarget, Reported, answered_seconds, dial_status, hangup_cause, seconds,
    sip_code,
};
use caller_id_core::{AllocationId, AllocatorError};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::telemetry::throttle::Throttle;

use super::FastAgi;
use super::arguments::Arguments;
use super::call::Call;
use super::dialog::{Broken, Dialog};
use super::next_cid::saying_no;
use super::noted::Noted;
use super::request::Request;
use super::status::{REPORT, RESERVATION, Status};

static NOT_KEPT: Throttle = Throttle::new();

/// The words in which a dialplan is told that a report was kept, or is of a call that nobody knows.
const KEPT: &str = "KEPT";
const UNKNOWN: &str = "UNKNOWN";

/// Keeps how a call ended. The channel is gone by then: that does not matter, its variables are still there.
pub(super) async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    agi: &FastAgi,
    dialog: &mut Dialog<S>,
    (request, arguments): (&Request, &Arguments<'_>),
    noted: &mut Noted,
) -> Result<(), Broken> {
    let word = match target(dialog, request, arguments).await? {
        Ok(target) => {
            let report = report(dialog, arguments).await?;
            let (word, outcome) = keep(agi, dialog, target, report).await;
            noted.outcome = Some(outcome);
            word
        }
        Err(status) => {
            noted.outcome = Some(status.outcome());
            status.as_str()
        }
    };
    dialog.set(REPORT, word).await
}

/// Which call is meant: by what the dialplan says, else by the reservation that we set, else by the call's own id.
async fn target<S: AsyncRead + AsyncWrite + Unpin>(
    dialog: &mut Dialog<S>,
    request: &Request,
    arguments: &Arguments<'_>,
) -> Result<Result<ReportTarget, Status>, Broken> {
    let by_reservation = |text: &str| {
        let id = text.parse::<AllocationId>();
        id.map(ReportTarget::Reservation)
            .map_err(|_| Status::BadRequest)
    };
    match arguments.get("reservation") {
        Ok(Some(text)) => return Ok(by_reservation(text)),
        Err(_) => return Ok(Err(Status::BadRequest)),
        Ok(None) => {}
    }
    if arguments.bytes("call").is_none()
        && let Some(text) = dialog.get(RESERVATION).await?
    {
        return Ok(by_reservation(&text));
    }
    Ok(Call::of(request, arguments).and_then(|call| {
        let id = call.id.ok_or(Status::BadRequest)?;
        Ok(ReportTarget::Call(id))
    }))
}

/// What is known of the end of the call. What cannot be read is not known: a report never fails for it.
async fn report<S: AsyncRead + AsyncWrite + Unpin>(
    dialog: &mut Dialog<S>,
    arguments: &Arguments<'_>,
) -> Result<CallReport, Broken> {
    let status = said(dialog, arguments, "dialstatus", "DIALSTATUS").await?;
    let answered = said(dialog, arguments, "answered_seconds", "ANSWEREDTIME").await?;
    let dialed = said(dialog, arguments, "dialed_seconds", "DIALEDTIME").await?;
    let cause = said(dialog, arguments, "hangup_cause", "HANGUPCAUSE").await?;
    let code = match arguments.get("sip_code") {
        Ok(Some(text)) => Some(text.to_owned()),
        Ok(None) => sip_code_of_channel(dialog).await?,
        Err(_) => None,
    };
    let status = dial_status(&status.unwrap_or_default()).unwrap_or_default();
    Ok(CallReport {
        status,
        answered_seconds: known(answered, |text| answered_seconds(text, status)),
        dialed_seconds: known(dialed, seconds),
        hangup_cause: known(cause, hangup_cause),
        sip_code: known(code, sip_code),
    })
}

/// What was said, where it can be read.
fn known<T>(
    said: Option<String>,
    read: impl FnOnce(&str) -> Result<Option<T>, String>,
) -> Option<T> {
    read(&said?).ok().flatten()
}

/// What the dialplan says in an argument, else what Asterisk says in a variable.
async fn said<S: AsyncRead + AsyncWrite + Unpin>(
    dialog: &mut Dialog<S>,
    arguments: &Arguments<'_>,
    argument: &'static str,
    variable: &str,
) -> Result<Option<String>, Broken> {
    match arguments.get(argument) {
        Ok(Some(text)) => Ok(Some(text.to_owned())),
        Ok(None) => dialog.get(variable).await,
        Err(_) => Ok(None),
    }
}

/// The last answer of the far side, by Asterisk's own function; of more channels than one, the last named has it.
async fn sip_code_of_channel<S: AsyncRead + AsyncWrite + Unpin>(
    dialog: &mut Dialog<S>,
) -> Result<Option<String>, Broken> {
    let keys = dialog.get("HANGUPCAUSE_KEYS()").await?.unwrap_or_default();
    let Some(key) = keys.rsplit(',').map(str::trim).find(|key| is_channel(key)) else {
        return Ok(None);
    };
    dialog.get(&format!("HANGUPCAUSE({key},tech)")).await
}

/// Whether it can be the name of a channel, which goes into a function's arguments.
fn is_channel(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.@:;+".contains(&byte);
    !name.is_empty() && name.bytes().all(plain)
}

/// Gives the report to the engine: the word for the dialplan, and that for the list of requests. One that takes longer than
/// there is time goes on: what it does is wanted all the same.
async fn keep<S: AsyncRead + AsyncWrite + Unpin>(
    agi: &FastAgi,
    dialog: &Dialog<S>,
    target: ReportTarget,
    report: CallReport,
) -> (&'static str, &'static str) {
    let rotator = agi.rotator.clone();
    let mut keeping = Box::pin(async move { rotator.report(&target, &report).await });
    let until = dialog.deadline() - saying_no(agi.deadline);
    match dialog.timer().until(until, &mut keeping).await {
        Some(Ok(Reported::Kept { .. })) => return (KEPT, "done"),
        Some(Ok(Reported::Unknown)) => return (UNKNOWN, "not_found"),
        Some(Err(error)) => log(&error),
        None => {
            tokio::spawn(async move {
                if let Err(error) = keeping.await {
                    log(&error);
                }
            });
        }
    }
    (Status::Unavailable.as_str(), Status::Unavailable.outcome())
}

fn log(error: &AllocatorError) {
    if let Some(times) = NOT_KEPT.note() {
        tracing::warn!(%error, times, "FastAGI: how a call ended is not kept");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_not_known() {
        let said = |text: &str| Some(text.to_owned());
        assert_eq!(known(said("SIP 603 Decline"), sip_code), Some(603));
        assert_eq!(known(said("128"), hangup_cause), None);
        assert_eq!(known(said("-1"), seconds), None);
        assert_eq!(known(None, seconds), None);
    }

    #[test]
    fn only_what_can_be_a_channel_is_asked_for() {
        assert!(is_channel("PJSIP/out-00000001") && is_channel("Local/9172@default-01;2"));
        assert!(!is_channel("") && !is_channel("a)b") && !is_channel("a b"));
    }
}
