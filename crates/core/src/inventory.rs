//! What the owner keeps: numbers, pools, campaigns.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::area_code::AreaCode;
use crate::ids::{CampaignId, PoolId};
use crate::number::PhoneNumber;
use crate::policy::PolicyOverrides;
use crate::text::shown;
use crate::time::Timestamp;

/// A number we own, that can also be called back: one row of the inventory.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    /// The number itself; its key.
    pub number: PhoneNumber,
    /// The number's own NPA unless the owner set another; none for numbers outside the NANP.
    pub area_code: Option<AreaCode>,
    /// Who carries calls from it.
    pub carrier: Option<String>,
    /// STIR/SHAKEN level of calls from it.
    pub attestation: Option<Attestation>,
    /// Whether it may be presented.
    pub status: Status,
    /// The one pool it is in.
    pub pool: PoolId,
    /// Most uses in an hour and a day.
    pub limits: Limits,
    /// Whatever else the owner keeps with it: a JSON object.
    pub meta: Option<Value>,
}

impl Number {
    /// A number as it is when its owner says nothing else: active, in the pool `default`, its own area code, no limits.
    pub fn new(number: PhoneNumber) -> Self {
        Self {
            number,
            area_code: number.area_code(),
            carrier: None,
            attestation: None,
            status: Status::Active,
            pool: PoolId::default(),
            limits: Limits::NONE,
            meta: None,
        }
    }
}

/// Longest name of a carrier, in bytes.
const CARRIER_MOST: usize = 128;

/// So many bytes of JSON text may be kept with a number: lists, exports and the audit log carry them with each number.
pub const META_BYTES_MOST: usize = 4_096;

/// Checks what is kept with a number beside its fields: a JSON object that is not too large.
///
/// # Errors
/// Says what was given and what was expected.
pub fn meta(value: serde_json::Value) -> Result<serde_json::Value, String> {
    if !value.is_object() {
        return Err("meta is no JSON object".to_owned());
    }
    let bytes = value.to_string().len();
    match bytes > META_BYTES_MOST {
        true => Err(format!(
            "meta has {bytes} bytes as JSON text, at most {META_BYTES_MOST} expected"
        )),
        false => Ok(value),
    }
}

/// Reads the name of a carrier, without the blanks around it.
///
/// # Errors
/// Says what was given and what was expected.
pub fn carrier(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.len() > CARRIER_MOST || name.chars().any(char::is_control) {
        return Err(format!(
            "carrier `{}` is not a name, expected at most {CARRIER_MOST} bytes without control characters",
            shown(name)
        ));
    }
    Ok(name.to_owned())
}

/// Most uses of one number. `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Limits {
    /// Most uses from local midnight to local midnight, in the time zone of the pool's policy.
    pub daily: Option<NonZeroU32>,
    /// Most uses in any 60 minutes.
    pub hourly: Option<NonZeroU32>,
}

impl Limits {
    /// The largest limit that anybody sets; larger ones are typing errors.
    pub const MOST: u32 = i32::MAX as u32;

    /// No limits at all.
    pub const NONE: Self = Self {
        daily: None,
        hourly: None,
    };

    /// Both limits as given, 0 meaning none.
    pub const fn new(daily: u32, hourly: u32) -> Self {
        Self {
            daily: NonZeroU32::new(daily),
            hourly: NonZeroU32::new(hourly),
        }
    }
}

/// Whether a number may be presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It takes calls.
    Active,
    /// A person took it out.
    Paused,
    /// It rests until an instant, then it is active again by itself.
    Resting(Timestamp),
    /// It is ours no longer, and kept for its history.
    Retired,
}

impl Status {
    /// What it is at `now`: a rest ends by itself at its instant.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        match self {
            Self::Resting(until) if until <= now => Self::Active,
            other => other,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Active => f.write_str("active"),
            Self::Paused => f.write_str("paused"),
            Self::Resting(until) => write!(f, "resting:{until}"),
            Self::Retired => f.write_str("retired"),
        }
    }
}

impl FromStr for Status {
    type Err = String;

    /// Reads `active`, `paused`, `retired` or `resting:<RFC 3339 instant>`, in any case.
    ///
    /// # Errors
    /// Says what was given and what was expected.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.trim().to_ascii_lowercase();
        match lower.as_str() {
            "active" => Ok(Self::Active),
            "paused" => Ok(Self::Paused),
            "retired" => Ok(Self::Retired),
            other => match other.strip_prefix("resting:") {
                Some(until) => until.to_ascii_uppercase().parse().map(Self::Resting),
                None => Err(format!(
                    "status `{text}` is unknown, expected active, paused, retired or resting:<instant>"
                )),
            },
        }
    }
}

/// STIR/SHAKEN attestation of calls from a number (ATIS-1000074).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Attestation {
    /// Full: the carrier knows the customer and their right to the number.
    A,
    /// Partial: the carrier knows the customer, not their right to the number.
    B,
    /// Gateway: the carrier knows only where the call entered its network.
    C,
}

impl fmt::Display for Attestation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
        })
    }
}

impl FromStr for Attestation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim() {
            "A" | "a" => Ok(Self::A),
            "B" | "b" => Ok(Self::B),
            "C" | "c" => Ok(Self::C),
            other => Err(format!(
                "attestation `{other}` is unknown, expected A, B or C"
            )),
        }
    }
}

/// The numbers a campaign may use, and how they rotate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// Its name; its key.
    pub id: PoolId,
    /// What differs from the global settings.
    pub policy: PolicyOverrides,
}

impl Pool {
    /// A pool that follows the global settings in everything.
    pub fn new(id: PoolId) -> Self {
        Self {
            id,
            policy: PolicyOverrides::default(),
        }
    }
}

/// A dialer's campaign: the pools whose numbers it presents, first choice first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Campaign {
    /// The dialer's id; the key.
    pub id: CampaignId,
    /// Asked in this order; never empty, no pool twice.
    pub pools: Vec<PoolId>,
    /// Most allocations of one agent in a minute, for this campaign's calls; 0 = no limit, none = the global setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_limit_per_minute: Option<u32>,
}

impl Campaign {
    /// The largest limit of an agent that anybody sets; larger ones are typing errors.
    pub const AGENT_LIMIT_MOST: u32 = 100_000;

    /// Checks the list of pools.
    ///
    /// # Errors
    /// Names the campaign when the list is empty, longer than 16, or names a pool twice.
    pub fn new(id: CampaignId, pools: Vec<PoolId>) -> Result<Self, String> {
        const POOLS_MOST: usize = 16;
        if pools.is_empty() || pools.len() > POOLS_MOST {
            return Err(format!(
                "campaign `{id}` has {} pools, 1 to {POOLS_MOST} expected",
                pools.len()
            ));
        }
        if let Some((place, twice)) = pools
            .iter()
            .enumerate()
            .find(|(place, pool)| pools[..*place].contains(pool))
        {
            return Err(format!(
                "campaign `{id}` names the pool `{twice}` twice, again at place {}",
                place + 1
            ));
        }
        Ok(Self {
            id,
            pools,
            agent_limit_per_minute: None,
        })
    }

    /// The same with this limit of its own for agents, a minute; 0 = no limit, none = the global setting.
    ///
    /// # Errors
    /// Names the campaign when the limit is greater than [`Campaign::AGENT_LIMIT_MOST`].
    pub fn with_agent_limit(mut self, per_minute: Option<u32>) -> Result<Self, String> {
        if let Some(limit) = per_minute.filter(|limit| *limit > Self::AGENT_LIMIT_MOST) {
            return Err(format!(
                "campaign `{}` has an agent limit of {limit} a minute, 0 to {} expected",
                self.id,
                Self::AGENT_LIMIT_MOST
            ));
        }
        self.agent_limit_per_minute = per_minute;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_reads_back_what_it_prints() {
        let resting = Status::Resting(Timestamp::from_ms(1_795_333_660_000));
        for status in [Status::Active, Status::Paused, Status::Retired, resting] {
            assert_eq!(status.to_string().parse(), Ok(status));
        }
        assert_eq!(
            "asleep".parse::<Status>(),
            Err(
                "status `asleep` is unknown, expected active, paused, retired or resting:<instant>"
                    .to_owned()
            )
        );
        assert!("resting:soon".parse::<Status>().is_err());
    }

    #[test]
    fn a_carrier_is_a_short_name_on_one_line() {
        assert_eq!(carrier(" Acme Tel "), Ok("Acme Tel".to_owned()));
        assert_eq!(carrier(&"x".repeat(128)).map(|name| name.len()), Ok(128));
        assert_eq!(
            carrier("a\nb"),
            Err("carrier `a\u{fffd}b` is not a name, expected at most 128 bytes without control characters".to_owned())
        );
        assert!(carrier(&"x".repeat(129)).is_err());
    }

    #[test]
    fn a_campaign_names_each_pool_once() {
        let id = CampaignId::new("SOLAR").expect("valid");
        let pool = PoolId::default();
        assert!(Campaign::new(id.clone(), vec![]).is_err());
        assert_eq!(
            Campaign::new(id.clone(), vec![pool.clone(), pool.clone()]),
            Err("campaign `SOLAR` names the pool `default` twice, again at place 2".to_owned())
        );
        assert!(Campaign::new(id, vec![pool]).is_ok());
    }

    #[test]
    fn a_campaign_has_a_limit_for_agents_that_somebody_may_mean() {
        let id = CampaignId::new("SOLAR").expect("valid");
        let campaign = Campaign::new(id, vec![PoolId::default()]).expect("valid");
        for limit in [None, Some(0), Some(100_000)] {
            let limited = campaign.clone().with_agent_limit(limit);
            let limited = limited.map(|campaign| campaign.agent_limit_per_minute);
            assert_eq!(limited, Ok(limit));
        }
        assert_eq!(
            campaign.with_agent_limit(Some(100_001)),
            Err(
                "campaign `SOLAR` has an agent limit of 100001 a minute, 0 to 100000 expected"
                    .to_owned()
            )
        );
    }
}
