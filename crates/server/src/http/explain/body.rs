//! An explanation as the API shows it.

use caller_id_core::area_codes::{self, Kind};
use caller_id_core::explain::Tried;
use caller_id_core::inspection::Foreseen;
use caller_id_core::ladder::Candidates;
use caller_id_core::rotator::Terms;
use caller_id_core::{AllocationRequest, AreaCode, PhoneNumber, Policy, PoolId};
use serde::Serialize;
use utoipa::ToSchema;

use super::counting::Counted;
use super::words;

/// Which number a request would get, and why.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplainBody {
    /// The called party, as it is understood.
    pub(super) destination: DestinationShown,
    /// On which terms its campaign gets numbers.
    pub(super) campaign: CampaignShown,
    /// What would be answered now.
    pub(super) choice: ChoiceShown,
    /// The pools, in the order they are tried.
    pub(super) pools: Vec<PoolShown>,
    /// Why some rungs have no counts; null when all have.
    pub(super) counts_left_out: Option<&'static str>,
}

/// The called party, as it is understood.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "number": "+12125551212", "area_code": "212", "kind": "geographic", "country": "US", "region": "NY",
    "overlay": ["332", "646", "917"], "ours": false
}))]
pub struct DestinationShown {
    /// In E.164.
    number: String,
    /// Its area code; null outside the NANP.
    area_code: Option<String>,
    /// geographic, toll_free, premium or other; null when the area code is not known.
    kind: Option<&'static str>,
    /// The country of the area code (ISO 3166).
    country: Option<&'static str>,
    /// State or province of the area code.
    region: Option<String>,
    /// The area codes that share territory with it.
    overlay: Vec<String>,
    /// Whether it is a number of ours: it is never presented to itself.
    ours: bool,
}

impl DestinationShown {
    pub(super) fn new(number: PhoneNumber, ours: bool) -> Self {
        let table = area_codes::table();
        let code = number.area_code();
        let known = code.and_then(|code| table.get(code));
        Self {
            number: number.to_string(),
            area_code: code.map(|code| code.to_string()),
            kind: known.map(|known| match known.kind {
                Kind::Geographic => "geographic",
                Kind::TollFree => "toll_free",
                Kind::Premium => "premium",
                Kind::Other => "other",
            }),
            country: known.and_then(|known| known.country),
            region: known
                .and_then(|known| known.region)
                .map(|region| region.as_str().to_owned()),
            overlay: codes(code.map_or(&[], |code| table.overlay(code))),
            ours,
        }
    }
}

/// On which terms a campaign gets numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct CampaignShown {
    /// The dialer's id; null when none was given.
    id: Option<String>,
    /// Whether anybody configured it. Others use the pool `default`.
    configured: bool,
    /// Whether its agents have a limit.
    agent_limited: bool,
}

impl CampaignShown {
    pub(super) fn new(request: &AllocationRequest, terms: &Terms) -> Self {
        Self {
            id: request.campaign.as_ref().map(ToString::to_string),
            configured: terms.is_configured,
            agent_limited: terms.agent_limit.is_on(),
        }
    }
}

/// What would be answered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "outcome": "number", "caller_id": "+16465550100", "pool": "solar", "rung": "overlay", "earliest": null, "cause": null,
    "retry_after_ms": null,
    "in_words": "+16465550100 of pool solar would be presented to +12125551212: its area code shares territory with that of the destination."
}))]
pub struct ChoiceShown {
    /// number, repeated (this call asked before), exhausted or agent_limited.
    outcome: &'static str,
    /// The number, where there is one.
    caller_id: Option<String>,
    /// Out of which pool it would be chosen.
    pool: Option<String>,
    /// On which rung: sticky, area_code, overlay, region or any.
    rung: Option<&'static str>,
    /// When the first number is free again, where none is.
    earliest: Option<String>,
    /// What holds that number until then; `empty`: there is none.
    cause: Option<&'static str>,
    /// Milliseconds until the agent may call again, where it may not.
    retry_after_ms: Option<i64>,
    /// The same in plain words.
    in_words: String,
}

impl ChoiceShown {
    pub(super) fn new(foreseen: &Foreseen, request: &AllocationRequest) -> Self {
        let nothing = Self {
            outcome: "exhausted",
            caller_id: None,
            pool: None,
            rung: None,
            earliest: None,
            cause: None,
            retry_after_ms: None,
            in_words: words::choice(foreseen, request),
        };
        match foreseen {
            Foreseen::Repeated { number } => Self {
                outcome: "repeated",
                caller_id: Some(number.to_string()),
                ..nothing
            },
            Foreseen::Number { number, pool, rung } => Self {
                outcome: "number",
                caller_id: Some(number.to_string()),
                pool: Some(pool.to_string()),
                rung: Some(rung.as_str()),
                ..nothing
            },
            Foreseen::Exhausted(exhausted) => Self {
                earliest: exhausted.earliest.map(|at| at.to_string()),
                cause: Some(exhausted.cause.as_str()),
                ..nothing
            },
            Foreseen::AgentLimited { retry_after_ms } => Self {
                outcome: "agent_limited",
                retry_after_ms: Some(*retry_after_ms),
                ..nothing
            },
        }
    }
}

/// A pool, and what is tried in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PoolShown {
    /// Its name.
    pool: String,
    /// How its numbers rotate; null: there is no such pool.
    policy: Option<PolicyShown>,
    /// What is tried, in order.
    rungs: Vec<RungShown>,
}

impl PoolShown {
    pub(super) fn new(pool: &PoolId, policy: Option<&Policy>, rungs: Vec<RungShown>) -> Self {
        Self {
            pool: pool.to_string(),
            policy: policy.map(PolicyShown::from),
            rungs,
        }
    }
}

/// The whole policy of a pool.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyShown {
    /// The rungs that may be tried, with commas between them.
    ladder: String,
    /// Least rest between two uses of a number.
    cooldown_seconds: i64,
    /// How long a number is held when nobody releases it.
    reservation_seconds: i64,
    /// Most reservations of one number at the same time.
    most_reservations: u16,
    /// How long a destination keeps seeing the same number; 0 = off.
    sticky_seconds: i64,
    /// Where local midnight is, for daily limits.
    time_zone: String,
}

impl From<&Policy> for PolicyShown {
    fn from(policy: &Policy) -> Self {
        Self {
            ladder: policy.ladder.to_string(),
            cooldown_seconds: policy.cooldown_ms / 1_000,
            reservation_seconds: policy.reservation_ms / 1_000,
            most_reservations: policy.most_reservations.get(),
            sticky_seconds: policy.sticky_ms / 1_000,
            time_zone: policy.time_zone.to_string(),
        }
    }
}

/// One rung of one pool.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "rung": "area_code", "area_codes": ["212"],
    "numbers": {"eligible": 0, "reserved": 2, "cooldown": 1, "hourly_limit": 0, "daily_limit": 0, "resting": 0, "paused": 1,
                "retired": 0},
    "chosen": false, "in_words": "Numbers with the area code 212: 0 of 4 free, 2 reserved, 1 in cooldown, 1 paused."
}))]
pub struct RungShown {
    /// area_code, overlay, region or any.
    rung: &'static str,
    /// The area codes whose numbers it may choose from; null: all numbers of the pool.
    area_codes: Option<Vec<String>>,
    /// Those numbers, counted; null: see `counts_left_out`.
    numbers: Option<RungNumbers>,
    /// Whether the choice falls here.
    chosen: bool,
    /// The same in plain words.
    in_words: String,
}

impl RungShown {
    pub(super) fn new(step: &Tried, counted: Option<&Counted>, foreseen: &Foreseen) -> Self {
        let chosen = matches!(foreseen, Foreseen::Number { pool, rung, .. }
            if *pool == step.pool && *rung == step.rung);
        Self {
            rung: step.rung.as_str(),
            area_codes: match step.among {
                Candidates::Area(code) => Some(codes(&[code])),
                Candidates::Areas(some) => Some(codes(some)),
                Candidates::All => None,
            },
            numbers: counted.map(RungNumbers::from),
            chosen,
            in_words: words::rung(step, counted, chosen),
        }
    }
}

/// Numbers by what they may do now. Each is counted once: under what holds it longest.
#[derive(Debug, Serialize, ToSchema)]
pub struct RungNumbers {
    /// Free now.
    eligible: u64,
    /// Held by as many calls as may be.
    reserved: u64,
    /// Resting between two uses.
    cooldown: u64,
    /// Used as often in the last hour as they may.
    hourly_limit: u64,
    /// Used as often today as they may.
    daily_limit: u64,
    /// With the status `resting`.
    resting: u64,
    /// With the status `paused`.
    paused: u64,
    /// With the status `retired`.
    retired: u64,
}

impl From<&Counted> for RungNumbers {
    fn from(counted: &Counted) -> Self {
        let live = counted.live;
        Self {
            eligible: live.eligible,
            reserved: live.reserved,
            cooldown: live.cooldown,
            hourly_limit: live.hourly_limit,
            daily_limit: live.daily_limit,
            resting: live.resting,
            paused: counted.paused,
            retired: counted.retired,
        }
    }
}

fn codes(codes: &[AreaCode]) -> Vec<String> {
    codes.iter().map(ToString::to_string).collect()
}
