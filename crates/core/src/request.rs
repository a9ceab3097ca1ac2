//! What a dialer asks.

use crate::agent_limit::AgentLimit;
use crate::ids::{AgentId, CallId, CampaignId, PoolId};
use crate::number::PhoneNumber;

/// "Which caller ID for this call?" Only the destination is required: a predictive dialer has no agent when it dials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllocationRequest {
    /// The called party.
    pub destination: PhoneNumber,
    /// The dialer's campaign; none, or one that nobody configured, uses the pool `default`.
    pub campaign: Option<CampaignId>,
    /// Who makes the call; none = no agent limit.
    pub agent: Option<AgentId>,
    /// The dialer's id of the call: asked again while its reservation lives, the same answer comes, counted once.
    pub call_id: Option<CallId>,
}

impl AllocationRequest {
    /// A request with nothing but a destination.
    pub const fn to(destination: PhoneNumber) -> Self {
        Self {
            destination,
            campaign: None,
            agent: None,
            call_id: None,
        }
    }
}

/// A request with all that an engine needs to decide it.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// What the dialer asked.
    pub request: &'a AllocationRequest,
    /// The campaign's pools, first choice first. Rotation never leaves them.
    pub pools: &'a [PoolId],
    /// The limit of the request's agent.
    pub agent_limit: AgentLimit,
}
