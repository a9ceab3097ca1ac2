//! History as people ask for it: the filter that reservations and allocations have in common, and pages of it.

use caller_id_core::history_query::{PastFilter, PastPage, PastQuery};
use caller_id_core::{AgentId, CallId, CampaignId, PastAllocation, PhoneNumber, PoolId};

use super::page::Parameters;
use super::{Api, ApiError};

/// A page that found nothing goes on, so often at most: a part is some 10 to 40 ms of work.
const PARTS_MOST: usize = 10;

/// Reads the filter: `number`, `destination`, `campaign`, `agent`, `call_id`, `pool`.
pub(super) fn filter(parameters: &mut Parameters<'_>) -> PastFilter {
    PastFilter {
        number: parameters.one("number", PhoneNumber::parse),
        destination: parameters.one("destination", PhoneNumber::parse),
        campaign: parameters.one("campaign", CampaignId::new),
        agent: parameters.one("agent", AgentId::new),
        call_id: parameters.one("call_id", CallId::new),
        pool: parameters.one("pool", PoolId::new),
        ..PastFilter::default()
    }
}

/// A page. It may be empty and yet go on, where what is asked for is far back.
///
/// # Errors
/// [`ApiError::Store`].
pub(super) async fn page(api: &Api, mut query: PastQuery) -> Result<PastPage, ApiError> {
    for _ in 1..PARTS_MOST {
        let page = api.history.past(&query).await?;
        if !page.allocations.is_empty() || page.next.is_none() {
            return Ok(page);
        }
        query.before = page.next;
    }
    Ok(api.history.past(&query).await?)
}

/// The latest that are asked for, newest first.
///
/// # Errors
/// [`ApiError::Store`].
pub(super) async fn latest(
    api: &Api,
    filter: PastFilter,
    most: usize,
) -> Result<Vec<PastAllocation>, ApiError> {
    let query = PastQuery {
        filter,
        before: None,
        most,
    };
    Ok(page(api, query).await?.allocations)
}
