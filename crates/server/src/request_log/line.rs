//! A request as people are shown it.

use caller_id_core::{AgentId, CampaignId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::privacy::Masking;
use super::{Asked, By};

/// One request, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Line {
    /// Its own: no other request has it.
    #[schema(example = "5f1c09b2-17")]
    pub id: String,
    /// When it came (RFC 3339).
    #[schema(example = "2026-11-23T07:25:31.000000Z")]
    pub at: String,
    /// The node that answered.
    pub node: String,
    /// `http` or `fastagi`.
    #[schema(example = "http")]
    pub via: String,
    /// The method and the path, without its query; of FastAGI the path.
    #[schema(example = "GET /next-cid")]
    pub request: String,
    /// What became of it: `allocated`, `exhausted`, `agent_limited`, `done`, `refused`, `invalid`, `unavailable` …; of FastAGI
    /// also `not_a_call`, `hung_up`, `cut_off`.
    #[schema(example = "allocated")]
    pub outcome: String,
    /// The status over HTTP.
    pub status: Option<u16>,
    /// How long the answer took, in milliseconds.
    #[schema(example = 0.41)]
    pub took_ms: f64,
    /// Who asked; null where that cannot be known.
    pub client: Option<String>,
    /// The called party, as the setting PRIVACY says.
    #[schema(example = "+1312555****")]
    pub destination: Option<String>,
    /// The dialer's campaign.
    pub campaign: Option<String>,
    /// Who made the call.
    pub agent: Option<String>,
    /// The number that it was given (E.164).
    pub caller_id: Option<String>,
}

impl Line {
    pub(super) fn new(id: String, asked: &Asked, node: &str, masking: &Masking) -> Self {
        let (via, request) = match &asked.by {
            By::Http(request) => ("http", request.to_string()),
            By::FastAgi(path) => ("fastagi", (*path).to_owned()),
        };
        let call = &asked.call;
        let took_us = u32::try_from(asked.took.as_micros()).unwrap_or(u32::MAX);
        Self {
            id,
            at: asked.at.to_string(),
            node: node.to_owned(),
            via: via.to_owned(),
            request,
            outcome: asked.outcome.to_owned(),
            status: asked.status,
            took_ms: f64::from(took_us) / 1_000.0,
            client: asked.client.map(|client| client.to_string()),
            destination: call.destination.map(|number| masking.shown(number)),
            campaign: call.campaign.as_ref().map(CampaignId::to_string),
            agent: call.agent.as_ref().map(AgentId::to_string),
            caller_id: call.caller_id.map(|number| number.to_string()),
        }
    }

    /// As it is shown to other nodes.
    pub(super) fn written(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What another node has written; none when it is of a version that writes otherwise.
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}
