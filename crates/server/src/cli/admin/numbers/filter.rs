//! Which numbers: the same flags as the parameters of the API.

use clap::Args;
use serde::Serialize;

/// A filter. All that is given must hold.
#[derive(Debug, Default, Clone, Args, Serialize)]
#[command(next_help_heading = "Which numbers")]
pub struct FilterArgs {
    /// In one of these pools
    #[arg(long, value_name = "POOL,…", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pool: Vec<String>,
    /// active, paused, resting, retired, or some of them
    #[arg(long, value_name = "STATUS,…", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<String>,
    /// Of this carrier
    #[arg(long, value_name = "CARRIER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// Without a carrier
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_carrier: bool,
    /// With one of these area codes
    #[arg(long, value_name = "CODE,…", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub area_code: Vec<String>,
    /// With an area code of one of these states or provinces: two letters
    #[arg(long, value_name = "STATE,…", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub region: Vec<String>,
    /// Of these STIR/SHAKEN levels: A, B, C
    #[arg(long, value_name = "LEVEL,…", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attestation: Vec<String>,
    /// These numbers, in any form
    #[arg(long, value_name = "NUMBER,…", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub number: Vec<String>,
    /// Whose digits with country code begin with these: 1312
    #[arg(long, value_name = "DIGITS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub begins: Option<String>,
    /// With these digits in it
    #[arg(long, value_name = "DIGITS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
}
