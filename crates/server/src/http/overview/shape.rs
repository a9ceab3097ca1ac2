//! What the overview says, as JSON.

use serde::Serialize;
use utoipa::ToSchema;

use crate::request_log::Line;

/// How the service works now, for a page that people keep open.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverviewBody {
    /// When this was gathered (RFC 3339).
    #[schema(example = "2026-11-23T07:25:31.000000Z")]
    pub at: String,
    /// False: Redis was not reached, and `pulse`, `rungs` and `requests` are those of this node alone.
    pub all_nodes: bool,
    /// Requests for numbers in the last hour, by what became of them.
    pub pulse: PulseBody,
    /// How the numbers of the last hour were chosen.
    pub rungs: RungsBody,
    /// All pools, by name.
    pub pools: Vec<PoolLive>,
    /// Reservations.
    pub reservations: ReservationsLive,
    /// From when on calls of campaigns are counted (RFC 3339): an hour ago.
    pub campaigns_since: String,
    /// At most 50, those with the most calls first.
    pub campaigns: Vec<CampaignLive>,
    /// The latest 20 requests, newest first.
    pub requests: Vec<Line>,
    /// What somebody should look at, the serious first.
    pub attention: Vec<Attention>,
    /// Parts that could not be gathered, and are empty here: some of `pools`, `reservations`, `campaigns`, `answer_rates`.
    pub missing: Vec<&'static str>,
}

/// Requests for numbers in steps of time. All columns have 360 places, the oldest first; the last is not over.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct PulseBody {
    /// When the first step begins (RFC 3339).
    pub begins: String,
    /// From when on requests are counted (RFC 3339): as `begins`, or later where the service runs alone and was started since.
    pub since: String,
    /// How long a step is, in seconds.
    #[schema(example = 10)]
    pub step_s: u32,
    /// A number was chosen.
    pub allocated: Vec<u64>,
    /// The call had asked before, and got the same number.
    pub repeated: Vec<u64>,
    /// No number was free.
    pub exhausted: Vec<u64>,
    /// The agent was over its limit.
    pub agent_limited: Vec<u64>,
    /// Nothing could be handed out: engine or store away, or too slow.
    pub unavailable: Vec<u64>,
    /// Who asked may not.
    pub refused: Vec<u64>,
    /// What was asked cannot be understood, or is never rotated.
    pub invalid: Vec<u64>,
}

/// How numbers were chosen. Repeated answers are not counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct RungsBody {
    /// The destination was shown this number before.
    pub sticky: u64,
    /// It has the destination's area code.
    pub area_code: u64,
    /// Its area code shares territory with the destination's.
    pub overlay: u64,
    /// It is of the destination's state or province.
    pub region: u64,
    /// It is the one of the pool that was free the longest.
    pub any: u64,
}

/// A pool as it stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PoolLive {
    /// Its name.
    pub id: String,
    /// All its numbers but those that are retired.
    pub numbers: u64,
    /// Free now.
    pub eligible: u64,
    /// Held by as many calls as may.
    pub reserved: u64,
    /// Resting between two uses.
    pub cooling: u64,
    /// Used as often in the hour or the day as they may.
    pub limited: u64,
    /// Of these: in the hour.
    pub hourly_limited: u64,
    /// Of these: in the day.
    pub daily_limited: u64,
    /// With the status `resting`.
    pub resting: u64,
    /// With the status `paused`.
    pub paused: u64,
    /// With the status `retired`.
    pub retired: u64,
    /// By how many `eligible` falls in a minute, over the last 15 minutes at most; less than 0: it rises. Null where it
    /// was looked at for less than a minute.
    pub per_minute: Option<f64>,
    /// When no number is free any more at this pace (RFC 3339). Null: never, or not within a day.
    pub exhausted_at: Option<String>,
}

/// Reservations that live.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct ReservationsLive {
    /// So many; null where it is not known.
    pub active: Option<u64>,
}

/// A campaign in the last hour.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CampaignLive {
    /// The dialer's id; null: calls that named none.
    pub id: Option<String>,
    /// Numbers handed out.
    pub calls: u64,
    /// Agents that made them.
    pub agents: u64,
    /// Calls that were answered, by a person or by voicemail.
    pub answered: u64,
    /// Calls of which it was said how they ended.
    pub reported: u64,
    /// Answered of those reported, from 0 to 1. Null without any.
    pub answer_rate: Option<f64>,
}

/// Something that somebody should look at.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Attention {
    /// `store_away`, `engine_away`, `engine_unfit`, `outbox_lag`, `outbox_aside`, `pool_exhausted`, `pool_low`,
    /// `alerts_failing`, `unknown_campaign`, `answer_rate_falling`. More may come.
    #[schema(example = "pool_low")]
    pub kind: &'static str,
    /// `serious`: calls go without a number, or soon will; or `warning`.
    #[schema(example = "warning")]
    pub severity: &'static str,
    /// What it is about: a pool, a campaign, a number; empty for the service.
    #[schema(example = "solar")]
    pub name: String,
    /// A sentence for people.
    pub text: String,
    /// The page of the dashboard that shows more.
    #[schema(example = "/dashboard/pools/solar")]
    pub link: String,
}
