//! Rows as core's types, and back.

use std::num::NonZeroU32;
use std::str::FromStr;

use caller_id_core::listing::NumberRow;
use caller_id_core::store::PastAllocation;
use caller_id_core::{
    AgentId, AllocationId, AllocationRecord, AreaCode, CallEnd, CallId, CallReport, CallResult,
    Campaign, CampaignId, EndRecord, IdError, Limits, Number, Pool, PoolId, Rung, Status,
    StoreError, Timestamp,
};
use sqlx_core::decode::Decode;
use sqlx_core::row::Row;
use sqlx_core::types::Type;
use sqlx_postgres::{PgRow, Postgres};
use uuid::Uuid;

use super::error::Fault;
use crate::lists::CREATED_PLACE;
use crate::values::{Known, number, unreadable};

/// The value of a column.
pub(super) fn column<'r, T>(row: &'r PgRow, place: usize) -> Result<T, Fault>
where
    T: Decode<'r, Postgres> + Type<Postgres>,
{
    Ok(row.try_get(place)?)
}

/// The SHA-256 in a column of `what`.
pub(super) fn hash(row: &PgRow, place: usize, what: &str) -> Result<[u8; 32], Fault> {
    let bytes = column::<&[u8]>(row, place)?;
    let hash = bytes.try_into().map_err(|_| {
        let why = format!("its hash has {} bytes, 32 expected", bytes.len());
        unreadable(what, &why)
    });
    Ok(hash?)
}

/// A SELECT from `numbers` with the columns in the order that [`read_number`] expects.
macro_rules! select_numbers {
    ($rest:literal) => {
        concat!(
            "SELECT number, area_code, carrier, attestation, status, resting_until, pool, daily_limit, hourly_limit, \
             meta, revision FROM caller_id.numbers ",
            $rest
        )
    };
}
pub(super) use select_numbers;

/// Where the revision is among them.
pub(super) const REVISION_PLACE: usize = 10;

/// An area code, if there is one; `fail` says whose it is.
pub(super) fn area_code(
    row: &PgRow,
    place: usize,
    fail: impl Fn(&str) -> StoreError,
) -> Result<Option<AreaCode>, Fault> {
    let code = column::<Option<i32>>(row, place)?.map(|code| {
        let read = u16::try_from(code).ok().and_then(AreaCode::new);
        read.ok_or_else(|| fail("its area code is none").into())
    });
    code.transpose()
}

/// A limit; none where there is none.
pub(super) fn limit(row: &PgRow, place: usize) -> Result<Option<NonZeroU32>, Fault> {
    let limit = column::<Option<i32>>(row, place)?;
    Ok(limit.and_then(|limit| NonZeroU32::new(limit.unsigned_abs())))
}

/// The row of the inventory.
pub(super) fn read_number(row: &PgRow) -> Result<Number, Fault> {
    let number = number(column(row, 0)?)?;
    let fail = |why: &str| unreadable(&format!("number `{number}`"), why);
    let area_code = area_code(row, 1, fail)?;
    let attestation = column::<Option<&str>>(row, 3)?.map(str::parse).transpose();
    let until = column::<Option<i64>>(row, 5)?.map(Timestamp::from_ms);
    let status = match (column(row, 4)?, until) {
        ("resting", Some(until)) => Status::Resting(until),
        (word, _) => word.parse().map_err(|cause: String| fail(&cause))?,
    };
    let meta = column::<Option<&str>>(row, 9)?
        .map(serde_json::from_str)
        .transpose();
    Ok(Number {
        number,
        area_code,
        carrier: column(row, 2)?,
        attestation: attestation.map_err(|cause: String| fail(&cause))?,
        status,
        pool: PoolId::new(column(row, 6)?).map_err(|cause| fail(&cause.to_string()))?,
        limits: Limits {
            daily: limit(row, 7)?,
            hourly: limit(row, 8)?,
        },
        meta: meta.map_err(|cause| fail(&cause.to_string()))?,
    })
}

/// The row with its instants, from the columns of [`crate::lists::COLUMNS`].
pub(super) fn read_row(row: &PgRow) -> Result<NumberRow, Fault> {
    let instant = |place| column(row, place).map(Timestamp::from_ms);
    Ok(NumberRow {
        number: read_number(row)?,
        created_at: instant(CREATED_PLACE)?,
        updated_at: instant(CREATED_PLACE + 1)?,
    })
}

/// A pool from its columns `id, policy`.
pub(super) fn read_pool(row: &PgRow) -> Result<Pool, Fault> {
    let name: &str = column(row, 0)?;
    let fail = |why: &str| unreadable(&format!("pool `{name}`"), why);
    Ok(Pool {
        id: PoolId::new(name).map_err(|cause| fail(&cause.to_string()))?,
        policy: serde_json::from_str(column(row, 1)?).map_err(|cause| fail(&cause.to_string()))?,
    })
}

/// A campaign from its columns `id, pools, agent_limit_per_minute`.
pub(super) fn read_campaign(row: &PgRow) -> Result<Campaign, Fault> {
    let name: &str = column(row, 0)?;
    let fail = |why: &str| unreadable(&format!("campaign `{name}`"), why);
    Ok(Campaign {
        id: CampaignId::new(name).map_err(|cause| fail(&cause.to_string()))?,
        pools: serde_json::from_str(column(row, 1)?).map_err(|cause| fail(&cause.to_string()))?,
        agent_limit_per_minute: column::<Option<i32>>(row, 2)?.map(i32::unsigned_abs),
    })
}

/// Reads rows of history. The same few campaigns, agents and pools come again and again: each is kept in memory once.
#[derive(Default)]
pub(super) struct PastReader {
    campaigns: Known<CampaignId>,
    agents: Known<AgentId>,
    pools: Known<PoolId>,
}

impl PastReader {
    /// The row of history.
    pub(super) fn read(&mut self, row: &PgRow) -> Result<PastAllocation, Fault> {
        let id = AllocationId::from_bytes(column::<Uuid>(row, 0)?.into_bytes());
        let fail = |why: &str| unreadable(&format!("allocation `{id}`"), why);
        let name = |cause: IdError| fail(&cause.to_string());
        let optional = |place| column::<Option<&str>>(row, place);
        let record = AllocationRecord {
            id,
            at: Timestamp::from_ms(column(row, 1)?),
            number: number(column(row, 2)?)?,
            destination: number(column(row, 3)?)?,
            campaign: optional(4)?
                .map(|text| self.campaigns.get(text, CampaignId::new))
                .transpose()
                .map_err(name)?,
            agent: optional(5)?
                .map(|text| self.agents.get(text, AgentId::new))
                .transpose()
                .map_err(name)?,
            call_id: optional(6)?.map(CallId::new).transpose().map_err(name)?,
            pool: self.pools.get(column(row, 7)?, PoolId::new).map_err(name)?,
            rung: Rung::from_str(column(row, 8)?).map_err(|cause| fail(&cause))?,
            reserved_until: Timestamp::from_ms(column(row, 9)?),
        };
        let status: Option<CallEnd> = optional(11)?
            .map(str::parse)
            .transpose()
            .map_err(|cause: String| fail(&cause))?;
        let status = status.unwrap_or_default();
        let ended = column::<Option<i64>>(row, 10)?.map(|at| EndRecord {
            id,
            at: Timestamp::from_ms(at),
            end: status,
        });
        let result = column::<Option<i64>>(row, 12)?
            .map(|at| read_result(row, id, Timestamp::from_ms(at), status))
            .transpose()?;
        Ok(PastAllocation {
            record,
            ended,
            result,
        })
    }
}

/// How a call went, from the columns behind `result_at`.
fn read_result(
    row: &PgRow,
    id: AllocationId,
    at: Timestamp,
    status: CallEnd,
) -> Result<CallResult, Fault> {
    let fail = || unreadable(&format!("allocation `{id}`"), "its result is out of range");
    let seconds = |place| -> Result<Option<u32>, Fault> {
        let value = column::<Option<i64>>(row, place)?.map(u32::try_from);
        Ok(value.transpose().map_err(|_| fail())?)
    };
    let code = |place| -> Result<Option<u16>, Fault> {
        let value = column::<Option<i32>>(row, place)?.map(u16::try_from);
        Ok(value.transpose().map_err(|_| fail())?)
    };
    let report = CallReport {
        status,
        answered_seconds: seconds(13)?,
        dialed_seconds: seconds(14)?,
        hangup_cause: code(15)?,
        sip_code: code(16)?,
    };
    Ok(CallResult { id, at, report })
}
