//! `agi://host/next-cid`: the caller ID for a call.

use std::time::Duration;

use caller_id_core::{
    AgentId, Allocation, AllocationRequest, AllocatorError, CampaignId, Outcome, ReleaseTarget,
};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::asking;
use crate::auth::Scope;
use crate::request_log::AskedCall;
use crate::telemetry::throttle::Throttle;

use super::arguments::{Arguments, NotText};
use super::call::Call;
use super::dialog::{Broken, Dialog};
use super::noted::Noted;
use super::request::Request;
use super::status::{CALLER_ID, RESERVATION, RUNG, STATUS, Status};
use super::{FastAgi, PART_FOR_SAYING_NO, deny};

static DEADLINE_PASSED: Throttle = Throttle::new();
static NO_ALLOCATION: Throttle = Throttle::new();

/// What VICIdial calls the campaign of a call, once its `call_log` has run.
const CAMPAIGN_VARIABLE: &str = "CAMPCUST";

/// Chooses, reserves and counts a number, and sets it. Where that fails only the status is set: the call goes on with the number
/// it has.
pub(super) async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    agi: &FastAgi,
    dialog: &mut Dialog<S>,
    asked: (&Request, &Arguments<'_>),
    scope: &Scope,
    noted: &mut Noted,
) -> Result<(), Broken> {
    let status = match allocate(agi, dialog, asked, scope, &mut noted.call).await? {
        Ok(allocation) => match hand_over(agi, dialog, &allocation).await {
            Ok(()) => {
                noted.call.caller_id = Some(allocation.record.number);
                noted.given = Some(allocation.record.clone());
                noted.outcome = allocation.repeated.then_some("repeated");
                Status::Ok
            }
            Err(Broken::Refused(variable)) => {
                tracing::warn!("Asterisk refuses to set {variable}: the call keeps its own number");
                Status::Unavailable
            }
            Err(broken) => return Err(broken),
        },
        Err(status) => status,
    };
    noted.outcome = noted.outcome.or(Some(status.outcome()));
    // Last: a dialog that is cut before leaves no word, and the dialplan knows that it was cut.
    dialog.set(STATUS, status.as_str()).await
}

async fn allocate<S: AsyncRead + AsyncWrite + Unpin>(
    agi: &FastAgi,
    dialog: &mut Dialog<S>,
    (request, arguments): (&Request, &Arguments<'_>),
    scope: &Scope,
    said: &mut AskedCall,
) -> Result<Result<Allocation, Status>, Broken> {
    let mut asked = match read(agi, request, arguments) {
        Ok(asked) => asked,
        Err(status) => return Ok(Err(status)),
    };
    said.destination = Some(asked.allocation.destination);
    said.agent.clone_from(&asked.allocation.agent);
    if asked.allocation.campaign.is_none() {
        let said = dialog.get(CAMPAIGN_VARIABLE).await?;
        match campaign(said.or(asked.campaign_in_name).as_deref()) {
            Ok(campaign) => asked.allocation.campaign = campaign,
            Err(status) => return Ok(Err(status)),
        }
    }
    said.campaign.clone_from(&asked.allocation.campaign);
    if let Err(refusal) = scope.admit(asked.allocation.campaign.as_ref()) {
        deny(&refusal);
        return Ok(Err(Status::Denied));
    }
    if dialog.is_hung_up() {
        return Err(Broken::HungUp);
    }
    Ok(ask(agi, dialog, asked.allocation).await)
}

/// A question as far as it can be read without asking Asterisk.
struct Asked {
    allocation: AllocationRequest,
    /// VICIdial's name of the call has a campaign.
    campaign_in_name: Option<String>,
}

fn read(agi: &FastAgi, request: &Request, arguments: &Arguments<'_>) -> Result<Asked, Status> {
    let bad = |_: NotText| Status::BadRequest;
    let call = Call::of(request, arguments)?;
    let dialed = String::from_utf8_lossy(&request.extension);
    let dialed = arguments.get("to").map_err(bad)?.unwrap_or(&dialed);
    let destination = agi.dial_plan.destination(dialed);
    let agent = arguments.get("agent").map_err(bad)?;
    let agent = agent.or(call.agent.as_deref()).map(AgentId::new);
    Ok(Asked {
        allocation: AllocationRequest {
            destination: destination.map_err(|_| Status::BadDestination)?,
            campaign: campaign(arguments.get("campaign").map_err(bad)?)?,
            agent: agent.transpose().map_err(|_| Status::BadRequest)?,
            call_id: call.id,
        },
        campaign_in_name: call.campaign,
    })
}

fn campaign(text: Option<&str>) -> Result<Option<CampaignId>, Status> {
    let campaign = text.map(CampaignId::new).transpose();
    campaign.map_err(|_| Status::BadRequest)
}

/// Asks the engine, as long as there is time left to say that it did not answer.
async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    agi: &FastAgi,
    dialog: &Dialog<S>,
    request: AllocationRequest,
) -> Result<Allocation, Status> {
    let until = dialog.deadline() - saying_no(agi.deadline);
    match asking::until(&agi.rotator, dialog.timer(), until, request).await {
        Some(Ok(Outcome::Allocated(allocation))) => Ok(allocation),
        Some(Ok(Outcome::Exhausted(_))) => Err(Status::Exhausted),
        Some(Ok(Outcome::AgentLimited { .. })) => Err(Status::AgentLimited),
        Some(Err(error)) => {
            log(&error);
            Err(Status::Unavailable)
        }
        None => {
            if let Some(times) = DEADLINE_PASSED.note() {
                tracing::error!(times, "FastAGI: a deadline passed");
            }
            Err(Status::Unavailable)
        }
    }
}

/// So much of the time is kept for telling Asterisk that there is no answer.
pub(super) fn saying_no(deadline: Duration) -> Duration {
    deadline / PART_FOR_SAYING_NO
}

fn log(error: &AllocatorError) {
    // The engine logs a failed commit once for all who waited for it.
    if matches!(error, AllocatorError::NotRecorded(_)) {
        return tracing::debug!(%error, "FastAGI: no allocation");
    }
    if let Some(times) = NO_ALLOCATION.note() {
        tracing::warn!(%error, times, "FastAGI: no allocation");
    }
}

/// Sets the number, and before it what the end of the call will be reported with.
///
/// A caller who hangs up before the number is set, or a connection that breaks before, has no use for it: it is given back,
/// unless the call has an id by which it may ask again, or be reported.
async fn hand_over<S: AsyncRead + AsyncWrite + Unpin>(
    agi: &FastAgi,
    dialog: &mut Dialog<S>,
    allocation: &Allocation,
) -> Result<(), Broken> {
    let record = &*allocation.record;
    let number = record.number.format(agi.format);
    let mut may_be_shown = false;
    let set = async {
        dialog.set(RESERVATION, &record.id.to_string()).await?;
        dialog.set(RUNG, record.rung.as_str()).await?;
        dialog.set(CALLER_ID, &number).await?;
        if dialog.is_hung_up() {
            return Err(Broken::HungUp);
        }
        may_be_shown = true;
        dialog.set("CALLERID(num)", &number).await
    };
    let set = set.await;
    let is_unused = match &set {
        Ok(()) => false,
        Err(Broken::Refused(_)) => true,
        Err(_) => !may_be_shown,
    };
    if is_unused && record.call_id.is_none() {
        let (rotator, unused) = (agi.rotator.clone(), ReleaseTarget::Reservation(record.id));
        tokio::spawn(async move { asking::give_back(&rotator, unused).await });
    }
    set
}
