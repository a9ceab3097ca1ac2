//! What is kept of a number, as flags and as `NAME=VALUE`.

use clap::Args;
use serde_json::{Map, Value};

/// The word for nothing: no limit, no carrier.
const NONE: &str = "none";

/// What is said of a number. `none` takes something away.
#[derive(Debug, Default, Clone, Args)]
#[command(next_help_heading = "What is kept of it")]
pub struct FieldArgs {
    /// The pool it is in
    #[arg(long, value_name = "POOL")]
    pub pool: Option<String>,
    /// Who carries calls from it
    #[arg(long, value_name = "CARRIER|none")]
    pub carrier: Option<String>,
    /// The area code it stands for; `none`: its own
    #[arg(long, value_name = "CODE|none")]
    pub area_code: Option<String>,
    /// STIR/SHAKEN level: A, B or C
    #[arg(long, value_name = "A|B|C|none")]
    pub attestation: Option<String>,
    /// Most uses from midnight to midnight; `none` is no limit
    #[arg(long, value_name = "N|none")]
    pub daily_limit: Option<String>,
    /// Most uses in any 60 minutes; `none` is no limit
    #[arg(long, value_name = "N|none")]
    pub hourly_limit: Option<String>,
    /// Whatever else is kept with it: a JSON object
    #[arg(long, value_name = "JSON|none")]
    pub meta: Option<String>,
    /// active, paused, resting or retired
    #[arg(long, value_name = "STATUS")]
    pub status: Option<String>,
    /// Until when it rests: an instant like 2026-11-23T18:00:00-06:00
    #[arg(long, value_name = "WHEN")]
    pub resting_until: Option<String>,
}

impl FieldArgs {
    /// What is given, as the API takes it. What is wrong the service tells.
    ///
    /// # Errors
    /// `meta` that is no JSON.
    pub(super) fn members(&self) -> Result<Map<String, Value>, String> {
        let given = [
            ("pool", &self.pool),
            ("carrier", &self.carrier),
            ("area_code", &self.area_code),
            ("attestation", &self.attestation),
            ("daily_limit", &self.daily_limit),
            ("hourly_limit", &self.hourly_limit),
            ("meta", &self.meta),
            ("status", &self.status),
            ("resting_until", &self.resting_until),
        ];
        let given = given
            .iter()
            .filter_map(|(name, value)| Some((*name, value.as_deref()?)));
        given
            .map(|(name, text)| Ok((name.to_owned(), member(name, text)?)))
            .collect()
    }
}

/// Reads `NAME=VALUE`; names are those of the API, `-` for `_` is as good.
///
/// # Errors
/// What is expected.
pub(super) fn pair(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("expected NAME=VALUE, like daily_limit=300 or carrier=none")?;
    let name = name.trim().replace('-', "_");
    let value = member(&name, value)?;
    Ok((name, value))
}

fn member(name: &str, text: &str) -> Result<Value, String> {
    let text = text.trim();
    if text.eq_ignore_ascii_case(NONE) {
        return Ok(Value::Null);
    }
    match name {
        "daily_limit" | "hourly_limit" => {
            let count = text.replace(',', "").parse::<u64>();
            // What is no number the service names, with what it expects.
            Ok(count.map_or_else(|_| Value::from(text), Value::from))
        }
        "meta" => serde_json::from_str(text)
            .map_err(|error| format!("meta: a JSON object is expected ({error})")),
        _ => Ok(Value::from(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn none_takes_away_and_limits_are_numbers() {
        let fields = FieldArgs {
            carrier: Some("none".to_owned()),
            daily_limit: Some("1,500".to_owned()),
            hourly_limit: Some("many".to_owned()),
            meta: Some("{\"a\":1}".to_owned()),
            ..FieldArgs::default()
        };
        assert_eq!(
            Value::Object(fields.members().unwrap()),
            json!({"carrier": null, "daily_limit": 1500, "hourly_limit": "many", "meta": {"a": 1}})
        );
        assert_eq!(
            pair("daily-limit=none"),
            Ok(("daily_limit".to_owned(), Value::Null))
        );
        assert!(pair("daily_limit").is_err() && pair("meta=x").is_err());
    }
}
