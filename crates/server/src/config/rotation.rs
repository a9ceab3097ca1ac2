//! How numbers rotate: the defaults of every pool.

use std::num::NonZeroU16;

use caller_id_core::{AgentLimit, DialPlan, Ladder, NumberFormat, Policy, TimeZone};
use clap::Args;

use super::ConfigError;
use super::list::List;
use super::number::within;

/// How numbers rotate: the defaults of every pool.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Rotation")]
pub struct RotationConfig {
    /// How many seconds an allocation holds its number when nobody releases it
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = within::<1, 86_400>)]
    pub reservation_ttl_seconds: u32,
    /// Least rest of a number between two uses, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = within::<0, 86_400>)]
    pub caller_id_cooldown_seconds: u32,
    /// Most allocations of one agent in a minute; 0 = no limit
    #[arg(long, value_name = "COUNT", default_value = "60", value_parser = within::<0, 1_000_000>)]
    pub agent_rate_limit_per_min: u32,
    /// Most reservations of one number at the same time; 1 = exclusive
    #[arg(long, value_name = "COUNT", default_value = "1", value_parser = within::<1, 65_535>)]
    pub most_reservations_per_number: u32,
    /// How many seconds a destination keeps seeing the number it was last shown; 0 = off. Across a restart
    /// no longer than HISTORY_RETENTION_DAYS
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = within::<0, 31_622_400>)]
    pub sticky_seconds: u32,
    /// The rungs that may be tried, with commas between them: area_code, overlay, region, any
    #[arg(
        long,
        value_name = "RUNGS",
        default_value = "area_code,overlay,region,any"
    )]
    pub ladder: Ladder,
    /// The time zone whose midnight ends the day of daily limits: an IANA name
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub timezone: TimeZone,
    /// What dialers put in front of a number, with commas between them: 9,91
    #[arg(long, value_name = "DIGITS", default_value = "")]
    pub dial_prefixes: List<String>,
    /// How caller IDs are written: `national` (3125550100), `digits` (13125550100) or `e164` (+13125550100)
    #[arg(long, value_name = "FORMAT", default_value = "national")]
    pub caller_id_format: NumberFormat,
}

impl RotationConfig {
    /// The policy of a pool that says nothing itself.
    pub fn policy(&self) -> Policy {
        let ms = |seconds: u32| i64::from(seconds) * 1_000;
        let most = u16::try_from(self.most_reservations_per_number).ok();
        Policy {
            ladder: self.ladder,
            cooldown_ms: ms(self.caller_id_cooldown_seconds),
            reservation_ms: ms(self.reservation_ttl_seconds),
            most_reservations: most.and_then(NonZeroU16::new).unwrap_or(NonZeroU16::MIN),
            sticky_ms: ms(self.sticky_seconds),
            time_zone: self.timezone.clone(),
        }
    }

    /// The limit of every agent.
    pub fn agent_limit(&self) -> AgentLimit {
        AgentLimit::per_minute(self.agent_rate_limit_per_min)
    }

    /// How destinations are dialed.
    ///
    /// # Errors
    /// [`ConfigError`] names the prefix that cannot be one.
    pub fn dial_plan(&self) -> Result<DialPlan, ConfigError> {
        let prefixes = &self.dial_prefixes.0;
        DialPlan::new(prefixes)
            .map_err(|error| ConfigError::new("DIAL_PREFIXES", &prefixes.join(","), error))
    }
}
