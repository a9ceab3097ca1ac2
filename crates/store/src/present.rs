//! What is going on, as far as both stores tell it alike.

use caller_id_core::listing::{NumberGroup, StatusKind};
use caller_id_core::{AreaCode, PoolId, StoreError, Timestamp};

use crate::values::unreadable;

/// A group out of its columns: pool, area code, carrier and status; how many numbers, how many with a limit, the sum of these;
/// when the first of those that rest is active again.
pub(crate) fn group(
    (pool, area_code, carrier, status): (&str, Option<AreaCode>, Option<String>, &str),
    counts: [i64; 3],
    rests_until: Option<i64>,
) -> Result<NumberGroup, StoreError> {
    let [numbers, limited, hourly_limits] = counts.map(i64::unsigned_abs);
    let known = StatusKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == status);
    Ok(NumberGroup {
        pool: PoolId::new(pool).map_err(|cause| unreadable("a number", &cause.to_string()))?,
        area_code,
        carrier,
        status: known
            .ok_or_else(|| unreadable("a number", &format!("its status is `{status}`")))?,
        rests_until: rests_until.map(Timestamp::from_ms),
        numbers,
        limited,
        hourly_limits,
    })
}
