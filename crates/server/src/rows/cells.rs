//! From the cells of a row to a number, each cell checked.

use std::num::NonZeroU32;

use caller_id_core::text::shown;
use caller_id_core::{
    AreaCode, Attestation, Limits, Number, PhoneNumber, PoolId, Status, area_codes, inventory,
};
use serde_json::Value;

use super::header::Column;
use crate::defaults;

/// The number that a row describes; `cell` gives the trimmed text of a cell, empty for a column that the file has not.
pub(crate) fn number<'a>(cell: impl Fn(Column) -> &'a str) -> Result<Number, String> {
    let phone = caller_id(cell(Column::CallerId))?;
    let limit = |column, default| limit(column, cell(column), default);
    Ok(Number {
        number: phone,
        area_code: area_code(cell(Column::AreaCode), phone)?,
        carrier: carrier(cell(Column::Carrier))?,
        attestation: attestation(cell(Column::Attestation))?,
        status: status(cell(Column::Status))?,
        pool: pool(cell(Column::Pool))?,
        limits: Limits {
            daily: limit(Column::DailyLimit, defaults::LIMITS.daily)?,
            hourly: limit(Column::HourlyLimit, defaults::LIMITS.hourly)?,
        },
        meta: meta(cell(Column::Meta))?,
    })
}

/// Whether a cell says nothing of a number that is there: it is empty, and what it is of is never empty. In a new number it
/// is the default.
pub(super) fn is_left(column: Column, cell: &str) -> bool {
    let has_default = matches!(
        column,
        Column::Status | Column::Pool | Column::DailyLimit | Column::HourlyLimit
    );
    has_default && cell.is_empty()
}

/// A number, but not what spreadsheets make of one: `3125550100.0` would read as a number of the Netherlands.
fn caller_id(text: &str) -> Result<PhoneNumber, String> {
    let digits_and = |part: &str, rest: fn(char) -> bool| {
        !part.is_empty()
            && part
                .chars()
                .all(|character| character.is_ascii_digit() || rest(character))
    };
    let spreadsheet = match text.rsplit_once(['E', 'e']) {
        Some((mantissa, exponent)) => {
            digits_and(mantissa, |character| matches!(character, '.' | ','))
                && digits_and(exponent, |character| character == '+')
        }
        None => text.split_once('.').is_some_and(|(whole, fraction)| {
            digits_and(whole, |_| false)
                && !fraction.is_empty()
                && fraction.bytes().all(|byte| byte == b'0')
        }),
    };
    if spreadsheet {
        return Err(format!(
            "caller_id `{}` is a number as a spreadsheet writes it, format the column as text there",
            shown(text)
        ));
    }
    PhoneNumber::parse(text).map_err(|error| error.to_string())
}

/// Empty is the number's own; another one must exist, and fits only a number that could have it.
fn area_code(text: &str, number: PhoneNumber) -> Result<Option<AreaCode>, String> {
    if text.is_empty() {
        return Ok(number.area_code());
    }
    let code: AreaCode = text.parse()?;
    area_codes::check_chosen(code, number)?;
    Ok(Some(code))
}

fn carrier(text: &str) -> Result<Option<String>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    inventory::carrier(text).map(Some)
}

/// Empty is the default; `none` and `unlimited` are no limit.
fn limit(
    column: Column,
    text: &str,
    default: Option<NonZeroU32>,
) -> Result<Option<NonZeroU32>, String> {
    if text.is_empty() {
        return Ok(default);
    }
    if text.eq_ignore_ascii_case("none") || text.eq_ignore_ascii_case("unlimited") {
        return Ok(None);
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let limit = digits.then(|| text.parse::<NonZeroU32>().ok()).flatten();
    let limit = limit.filter(|limit| limit.get() <= Limits::MOST);
    limit.map(Some).ok_or_else(|| {
        format!(
            "{column} `{}` is no limit, expected 1 to {}, `none` for no limit, or empty for the default",
            shown(text),
            Limits::MOST
        )
    })
}

fn attestation(text: &str) -> Result<Option<Attestation>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        format!(
            "attestation `{}` is unknown, expected A, B, C or empty",
            shown(text)
        )
    })
}

fn status(text: &str) -> Result<Status, String> {
    if text.is_empty() {
        return Ok(Status::Active);
    }
    text.parse().map_err(|_| {
        format!(
            "status `{}` is unknown, expected active, paused, retired, resting:2026-11-22T07:47:40Z or empty",
            shown(text)
        )
    })
}

fn pool(text: &str) -> Result<PoolId, String> {
    if text.is_empty() {
        return Ok(PoolId::default());
    }
    PoolId::to_make(text).map_err(|error| format!("{error}: `{}`", shown(text)))
}

fn meta(text: &str) -> Result<Option<Value>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    if let Some(number) = too_large(text) {
        return Err(format!(
            "meta has the number `{}`, of which digits would be lost, expected it in quotes",
            shown(number)
        ));
    }
    match serde_json::from_str(text) {
        Ok(object @ Value::Object(_)) => inventory::meta(object).map(Some),
        Ok(_) => Err(format!(
            "meta `{}` is no JSON object, expected {{…}} or empty",
            shown(text)
        )),
        Err(error) => Err(format!(
            "meta `{}` is no JSON ({error}), expected a JSON object or empty",
            shown(text)
        )),
    }
}

/// The first whole number of a JSON text that would only be kept to about 16 digits.
pub(super) fn too_large(json: &str) -> Option<&str> {
    let is_large = |word: &&str| {
        let digits = word.strip_prefix('-').unwrap_or(word);
        digits.len() > 18
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && word.parse::<i64>().is_err()
            && word.parse::<u64>().is_err()
    };
    let (mut quoted, mut escaped) = (false, false);
    // What stands in a text is no number, so it only separates.
    let separates = move |character: char| {
        let inside = quoted;
        match character {
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = inside && character == '\\' && !escaped;
        inside || !matches!(character, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')
    };
    json.split(separates).find(is_large)
}
