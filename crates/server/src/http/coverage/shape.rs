//! What is said of coverage, as JSON.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::overview::shape::RungsBody;

/// Where is called, and what numbers there are for it.
#[derive(Debug, Serialize, ToSchema)]
pub struct CoverageBody {
    /// Calls are counted from this instant on (RFC 3339), the beginning of an hour.
    pub since: String,
    /// When this was counted (RFC 3339).
    pub at: String,
    /// How many days that are.
    #[schema(example = 7)]
    pub days: u32,
    /// All calls, and all numbers.
    pub total: Reach,
    /// By area code of the destination: all that were called, or that we have numbers of; rising.
    pub area_codes: Vec<AreaCodeCoverage>,
    /// The same by state and province; the two letters rise.
    pub regions: Vec<RegionCoverage>,
    /// Calls to destinations that have no area code of the North American plan, or one without a region; and such numbers.
    pub elsewhere: Reach,
    /// By the carrier that our numbers have, or had when the calls were counted; most calls first.
    pub carriers: Vec<CarrierCoverage>,
}

/// Numbers, calls, and how the numbers for these calls were chosen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Reach {
    /// Numbers with the status `active`.
    pub active: u64,
    /// All numbers but those that are retired.
    pub numbers: u64,
    /// Calls.
    pub calls: u64,
    /// Calls with a number of the destination's area code, or one that shares territory with it.
    pub local: u64,
    /// All of them by how their numbers were chosen.
    pub rungs: RungsBody,
    /// `local` of all calls but the sticky ones, from 0 to 1. Null without any.
    pub local_share: Option<f64>,
    /// Calls that were answered, by a person or by voicemail.
    pub answered: u64,
    /// Calls of which it was said how they ended.
    pub reported: u64,
    /// Answered of those reported, from 0 to 1. Null without any.
    pub answer_rate: Option<f64>,
    /// The calls of its busiest hour.
    pub busiest_hour_calls: u64,
    /// When that hour began (RFC 3339). Null without calls.
    pub busiest_hour: Option<String>,
    /// How many uses one number has in an hour: its hourly limit, on average; no more than its rest between two uses lets it
    /// have.
    #[schema(example = 12.0)]
    pub uses_per_hour: f64,
    /// So many numbers the busiest hour would need: `busiest_hour_calls` through `uses_per_hour`, rounded up.
    pub needed: u64,
    /// So many are short of that: `needed` less the active numbers that are local to it. Never less than 0.
    pub short: u64,
}

/// An area code.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AreaCodeCoverage {
    /// It.
    #[schema(example = "312")]
    pub code: String,
    /// Its state or province, where it has one.
    #[schema(example = "IL")]
    pub region: Option<String>,
    /// Its country (ISO 3166), where it belongs to one.
    #[schema(example = "US")]
    pub country: Option<&'static str>,
    /// Area codes that share territory with it.
    pub overlay: Vec<String>,
    /// Active numbers of these: they are local to it, too.
    pub overlay_active: u64,
    /// Numbers and calls.
    #[serde(flatten)]
    pub reach: Reach,
}

/// A state or province.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RegionCoverage {
    /// Its two letters.
    #[schema(example = "IL")]
    pub region: String,
    /// Its country (ISO 3166).
    #[schema(example = "US")]
    pub country: Option<&'static str>,
    /// Numbers and calls.
    #[serde(flatten)]
    pub reach: Reach,
}

/// A carrier.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CarrierCoverage {
    /// Its name; null: numbers without one.
    pub carrier: Option<String>,
    /// Numbers with the status `active`.
    pub active: u64,
    /// All its numbers but those that are retired.
    pub numbers: u64,
    /// Calls.
    pub calls: u64,
    /// Calls that were answered, by a person or by voicemail.
    pub answered: u64,
    /// Calls of which it was said how they ended.
    pub reported: u64,
    /// Answered of those reported, from 0 to 1. Null without any.
    pub answer_rate: Option<f64>,
}
