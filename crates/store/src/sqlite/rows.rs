//! Rows of the main file as core's types, and back.

use std::num::NonZeroU32;

use caller_id_core::listing::NumberRow;
use caller_id_core::{
    AreaCode, Campaign, CampaignId, Limits, Number, Pool, PoolId, Status, StoreError, Timestamp,
};
use rusqlite::Row;
use rusqlite::types::FromSql;

use super::error::sqlite;
use crate::lists::CREATED_PLACE;
pub(super) use crate::values::{number, status_word, unreadable};

/// The value of a column.
pub(super) fn column<T: FromSql>(row: &Row<'_>, place: usize) -> Result<T, StoreError> {
    row.get(place).map_err(sqlite)
}

/// The text of a column, not copied.
pub(super) fn text<'a>(row: &'a Row<'_>, place: usize) -> Result<Option<&'a str>, StoreError> {
    row.get_ref(place)
        .map_err(sqlite)?
        .as_str_or_null()
        .map_err(|cause| unreadable("a row", &cause.to_string()))
}

/// A SELECT from `numbers` with the columns in the order that [`read_number`] expects.
macro_rules! select_numbers {
    ($rest:literal) => {
        concat!(
            "SELECT number, area_code, carrier, attestation, status, resting_until, pool, daily_limit, hourly_limit, \
             meta, revision FROM numbers ",
            $rest
        )
    };
}
pub(super) use select_numbers;

/// Where the revision is among them.
pub(super) const REVISION_PLACE: usize = 10;

/// An area code, if there is one; `fail` says whose it is.
pub(super) fn area_code(
    row: &Row<'_>,
    place: usize,
    fail: impl Fn(&str) -> StoreError,
) -> Result<Option<AreaCode>, StoreError> {
    let code = column::<Option<u16>>(row, place)?;
    code.map(|code| AreaCode::new(code).ok_or_else(|| fail("its area code is none")))
        .transpose()
}

/// A limit; none where there is none.
pub(super) fn limit(row: &Row<'_>, place: usize) -> Result<Option<NonZeroU32>, StoreError> {
    Ok(column::<Option<u32>>(row, place)?.and_then(NonZeroU32::new))
}

/// The row of the inventory.
pub(super) fn read_number(row: &Row<'_>) -> Result<Number, StoreError> {
    let number = number(column(row, 0)?)?;
    let fail = |why: &str| unreadable(&format!("number `{number}`"), why);
    let area_code = area_code(row, 1, fail)?;
    let attestation = text(row, 3)?.map(str::parse).transpose();
    let until = column::<Option<i64>>(row, 5)?.map(Timestamp::from_ms);
    let status = match (text(row, 4)?.unwrap_or_default(), until) {
        ("resting", Some(until)) => Status::Resting(until),
        (word, _) => word.parse().map_err(|cause: String| fail(&cause))?,
    };
    let meta = text(row, 9)?.map(serde_json::from_str).transpose();
    Ok(Number {
        number,
        area_code,
        carrier: column(row, 2)?,
        attestation: attestation.map_err(|cause: String| fail(&cause))?,
        status,
        pool: PoolId::new(text(row, 6)?.unwrap_or_default())
            .map_err(|cause| fail(&cause.to_string()))?,
        limits: Limits {
            daily: limit(row, 7)?,
            hourly: limit(row, 8)?,
        },
        meta: meta.map_err(|cause| fail(&cause.to_string()))?,
    })
}

/// The row with its instants, from the columns of [`crate::lists::COLUMNS`].
pub(super) fn read_row(row: &Row<'_>) -> Result<NumberRow, StoreError> {
    let instant = |place| column(row, place).map(Timestamp::from_ms);
    Ok(NumberRow {
        number: read_number(row)?,
        created_at: instant(CREATED_PLACE)?,
        updated_at: instant(CREATED_PLACE + 1)?,
    })
}

/// A pool from its columns `id, policy`.
pub(super) fn read_pool(row: &Row<'_>) -> Result<Pool, StoreError> {
    let name = text(row, 0)?.unwrap_or_default();
    let fail = |why: &str| unreadable(&format!("pool `{name}`"), why);
    Ok(Pool {
        id: PoolId::new(name).map_err(|cause| fail(&cause.to_string()))?,
        policy: serde_json::from_str(text(row, 1)?.unwrap_or_default())
            .map_err(|cause| fail(&cause.to_string()))?,
    })
}

/// A campaign from its columns `id, pools, agent_limit_per_minute`.
pub(super) fn read_campaign(row: &Row<'_>) -> Result<Campaign, StoreError> {
    let name = text(row, 0)?.unwrap_or_default();
    let fail = |why: &str| unreadable(&format!("campaign `{name}`"), why);
    Ok(Campaign {
        id: CampaignId::new(name).map_err(|cause| fail(&cause.to_string()))?,
        pools: serde_json::from_str(text(row, 1)?.unwrap_or_default())
            .map_err(|cause| fail(&cause.to_string()))?,
        agent_limit_per_minute: column(row, 2)?,
    })
}
