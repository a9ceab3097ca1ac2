//! Numbers and pools that come, change and go.

use caller_id_core::{
    AllocatorError, EngineNumber, PhoneNumber, Policy, PoolId, Status, Timestamp,
};

use super::error::Unreadable;
use super::reply::Reply;
use super::step::{Arguments, digits, region};
use super::{CHANGES_AT_ONCE, Engine, pool};

/// What stands for a number without region.
const NO_REGION: &str = "--";
/// The last instant that fits into 6 bytes.
const INSTANT_MOST_MS: i64 = (1 << 48) - 1;

impl Engine {
    /// Makes a pool or changes its policy, and puts its numbers into their places by it.
    pub(super) async fn put_pool(
        &self,
        id: &PoolId,
        policy: &Policy,
    ) -> Result<(), AllocatorError> {
        let arguments = [id.as_str().into(), pool::value(policy)];
        let (stale, generation): (i64, i64) = self.run(&self.scripts.put_pool, &arguments).await?;
        if stale == 1 {
            self.reindex(id, generation).await?;
        }
        Ok(())
    }

    async fn reindex(&self, id: &PoolId, generation: i64) -> Result<(), AllocatorError> {
        let mut from = b"0".to_vec();
        loop {
            let arguments = [id.as_str().into(), generation.to_string().into(), from];
            let script = &self.scripts.reindex;
            match self.run_with_days(script, &arguments).await? {
                Reply::More(next) => from = next,
                Reply::Done => return Ok(()),
                other => return Err(unexpected(&other).into()),
            }
        }
    }

    /// Adds or changes numbers.
    pub(super) async fn put_numbers(&self, numbers: &[EngineNumber]) -> Result<(), AllocatorError> {
        for some in numbers.chunks(CHANGES_AT_ONCE) {
            let mut arguments: Arguments = vec![pool::value(&Policy::default())];
            for number in some {
                arguments.extend(fields(number));
            }
            match self
                .run_with_days(&self.scripts.put_numbers, &arguments)
                .await?
            {
                Reply::Done => {}
                other => return Err(unexpected(&other).into()),
            }
        }
        Ok(())
    }

    /// Forgets numbers.
    pub(super) async fn remove_numbers(
        &self,
        numbers: &[PhoneNumber],
    ) -> Result<u64, AllocatorError> {
        let mut removed = 0;
        for some in numbers.chunks(CHANGES_AT_ONCE) {
            let arguments: Arguments = some.iter().map(|number| digits(*number)).collect();
            removed += self.run::<u64>(&self.scripts.remove, &arguments).await?;
        }
        Ok(removed)
    }
}

/// What `put_numbers.lua` wants of a number.
fn fields(number: &EngineNumber) -> [Vec<u8>; 8] {
    let (status, until) = match number.status {
        Status::Active => ("0", Timestamp::ZERO),
        Status::Resting(until) => ("1", until),
        Status::Paused => ("2", Timestamp::ZERO),
        Status::Retired => ("3", Timestamp::ZERO),
    };
    let until_ms = until.as_ms().clamp(0, INSTANT_MOST_MS);
    let area_code = number.area_code.map_or(0, |code| code.get());
    let region = match region(number.area_code) {
        none if none.is_empty() => NO_REGION.to_owned(),
        region => region,
    };
    let limit = |limit: Option<std::num::NonZeroU32>| limit.map_or(0, |limit| limit.get());
    [
        digits(number.number),
        status.into(),
        until_ms.to_string().into(),
        area_code.to_string().into(),
        region.into(),
        limit(number.limits.daily).to_string().into(),
        limit(number.limits.hourly).to_string().into(),
        number.pool.as_str().into(),
    ]
}

pub(super) fn unexpected(reply: &Reply) -> Unreadable {
    Unreadable(format!("a reply is not to what was asked: {reply:?}"))
}
