//! What somebody wants of a new key.

use caller_id_core::roles::Role;
use caller_id_core::{CampaignId, Timestamp, text};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::auth::address::AddressEntry;
use crate::http::ApiError;
use crate::http::fields::{Fields, Given};

/// Most characters of a name: it stands in every entry of the audit log.
const NAME_MOST: usize = 64;
/// Most addresses, and most campaigns.
const LIST_MOST: usize = 200;
const DAY_MS: i64 = 86_400_000;
/// Ten years: a key that shall hold longer has no end.
const DAYS_MOST: u32 = 3_653;
const KNOWN: [&str; 6] = [
    "name",
    "role",
    "addresses",
    "campaigns",
    "expires_at",
    "expires_in_days",
];

/// What `POST /api/v1/keys` takes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that all faults are named at once"
)]
pub struct NewKeyBody {
    /// What people call it; no two keys that are not revoked have one name.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// viewer, operator, admin or dialer.
    role: String,
    /// From where it may be used: addresses and networks like 10.1.2.3, 10.0.0.0/8 or 2001:db8::/32. Empty: from everywhere.
    #[schema(max_items = 200)]
    addresses: Option<Vec<String>>,
    /// For which campaigns it may ask for numbers; only for dialers. Empty: for all.
    #[schema(max_items = 200)]
    campaigns: Option<Vec<String>>,
    /// From when it is worth nothing: an instant to come.
    #[schema(example = "2027-11-22T12:00:00Z")]
    expires_at: Option<String>,
    /// The same in days from now; not both.
    #[schema(minimum = 1, maximum = 3653)]
    expires_in_days: Option<u32>,
}

/// The same, understood.
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) addresses: Vec<String>,
    pub(super) campaigns: Vec<CampaignId>,
    pub(super) expires_at: Option<Timestamp>,
}

/// Reads the body.
///
/// # Errors
/// [`ApiError::Invalid`] with every field that is missing, unknown or wrong.
pub(super) fn read(members: Map<String, Value>, now: Timestamp) -> Result<Wanted, ApiError> {
    let has_both = ["expires_at", "expires_in_days"]
        .iter()
        .all(|name| members.get(*name).is_some_and(|value| !value.is_null()));
    let mut fields = Fields::new(members);
    fields.only(&KNOWN);
    let name = fields.text("name", name);
    let name = fields.required("name", name);
    let role = fields.text("role", str::parse::<Role>);
    let role = fields.required("role", role);
    let addresses = fields.read("addresses", |value| list("addresses", value, address));
    let campaigns = fields.read("campaigns", |value| {
        list("campaigns", value, |text| {
            CampaignId::new(text).map_err(|error| error.to_string())
        })
    });
    let campaigns = each_once(campaigns.value().unwrap_or_default());
    if !campaigns.is_empty() && role.is_some_and(|role| role != Role::Dialer) {
        let why = "campaigns: only a dialer's key can be for some campaigns".to_owned();
        fields.fault("campaigns", why);
    }
    let at = fields.text("expires_at", |text| later(text, now));
    let days = fields.count("expires_in_days", 1, DAYS_MOST);
    if has_both {
        let why = "expires_at: expected this or expires_in_days, not both".to_owned();
        fields.fault("expires_at", why);
    }
    let expires_at = match (at, days) {
        (Given::Value(at), _) => Some(at),
        (_, Given::Value(days)) => Some(now.plus_ms(i64::from(days) * DAY_MS)),
        _ => None,
    };
    fields.finish()?;
    let (Some(name), Some(role)) = (name, role) else {
        return Err(ApiError::invalid(&["body"], "missing", "name and role"));
    };
    Ok(Wanted {
        name,
        role,
        addresses: addresses.value().unwrap_or_default(),
        campaigns,
        expires_at,
    })
}

fn name(given: &str) -> Result<String, String> {
    let name = given.trim();
    if name.chars().any(char::is_control) {
        return Err("name: it has control characters, expected text".to_owned());
    }
    match name.chars().count() {
        ..=NAME_MOST => Ok(name.to_owned()),
        long => Err(format!(
            "name: it has {long} characters, at most {NAME_MOST} expected"
        )),
    }
}

/// As it was given, once it is known that it can be read.
fn address(given: &str) -> Result<String, String> {
    let entry = given.trim();
    let parsed = entry.parse::<AddressEntry>();
    parsed.map(|_| entry.to_owned()).map_err(|_| {
        format!(
            "addresses: `{}` is no address or network like 10.1.2.3, 10.0.0.0/8 or 2001:db8::/32",
            text::shown(given)
        )
    })
}

fn later(given: &str, now: Timestamp) -> Result<Timestamp, String> {
    let wrong = |_| {
        format!(
            "expires_at: `{}` is not an instant, expected one like 2026-11-22T07:47:40Z",
            text::shown(given)
        )
    };
    let at: Timestamp = given.trim().parse().map_err(wrong)?;
    match at > now {
        true => Ok(at),
        false => Err(format!(
            "expires_at: {at} is past, an instant after {now} is expected"
        )),
    }
}

/// Each once, where it stands first.
fn each_once(campaigns: Vec<CampaignId>) -> Vec<CampaignId> {
    let mut once: Vec<CampaignId> = Vec::with_capacity(campaigns.len());
    for campaign in campaigns {
        if !once.contains(&campaign) {
            once.push(campaign);
        }
    }
    once
}

/// A list of texts.
fn list<T>(
    name: &str,
    value: &Value,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let expected = || format!("{name}: a list of at most {LIST_MOST} texts is expected");
    let values = value.as_array().ok_or_else(expected)?;
    if values.len() > LIST_MOST {
        return Err(expected());
    }
    let texts = values
        .iter()
        .map(|value| value.as_str().ok_or_else(expected));
    texts.map(|text| text.and_then(&parse)).collect()
}
