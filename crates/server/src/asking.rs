//! Asking for a number with a deadline: what every way in does with an answer that comes too late.

use std::sync::Arc;

use caller_id_core::{AllocationRequest, AllocatorError, CallEnd, Outcome, ReleaseTarget, Rotator};
use tokio::time::Instant;
use tracing::Instrument;

use crate::telemetry::traces;
use crate::timer::Timer;

/// Waits for the engine until `until`; none when it has not answered then.
///
/// What it hands out later to a call without an id is given back: nobody can use it. A call with an id may ask again, or
/// has asked again already and was answered: its reservation stays, until it is asked for or runs out.
pub async fn until(
    rotator: &Arc<Rotator>,
    timer: &Timer,
    until: Instant,
    request: AllocationRequest,
) -> Option<Result<Outcome, AllocatorError>> {
    let asked = rotator.clone();
    let may_ask_again = request.call_id.is_some();
    let allocation = async move { asked.next(&request).await };
    let mut answer = Box::pin(allocation.instrument(traces::within("allocate")));
    let answered = timer.until(until, &mut answer).await;
    if answered.is_none() && !may_ask_again {
        let rotator = rotator.clone();
        tokio::spawn(async move {
            if let Ok(Outcome::Allocated(late)) = answer.await {
                give_back(&rotator, ReleaseTarget::Reservation(late.record.id)).await;
            }
        });
    }
    answered
}

/// Ends a reservation that nobody will use.
pub async fn give_back(rotator: &Rotator, unused: ReleaseTarget) {
    if let Err(error) = rotator.release(&unused, CallEnd::Released).await {
        tracing::warn!(%error, "an allocation that nobody uses stays reserved until it runs out");
    }
}
