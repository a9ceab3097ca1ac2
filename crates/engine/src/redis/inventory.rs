//! Numbers and pools that come, change and go.

use caller_id_core::store::{Position, Revision};
use caller_id_core::{
    AllocatorError, EngineNumber, InventoryStep, PhoneNumber, Policy, PoolId, Status, Timestamp,
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
    /// Makes a pool or changes its policy, and puts its numbers into their places by it. `false`: the inventory is not
    /// where it must be.
    pub(super) async fn put_pool(
        &self,
        id: &PoolId,
        policy: &Policy,
        expected: Expected<'_>,
    ) -> Result<bool, AllocatorError> {
        let arguments = [id.as_str().into(), pool::value(policy), expected.bytes()];
        let (stale, generation): (i64, i64) = self.run(&self.scripts.put_pool, &arguments).await?;
        if stale == 1 {
            self.reindex(id, generation).await?;
        }
        Ok(stale >= 0)
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
            self.put_some(some, Expected::Anywhere, "").await?;
        }
        Ok(())
    }

    /// Takes a step of the inventory, all of its numbers at once. `false`: the inventory is not where it begins.
    pub(super) async fn follow(&self, step: &InventoryStep) -> Result<bool, AllocatorError> {
        let from = text(step.from);
        let expected = Expected::At(&from);
        for (id, policy) in &step.pools {
            if !self.put_pool(id, policy, expected).await? {
                return Ok(false);
            }
        }
        self.put_some(&step.numbers, expected, &text(step.to)).await
    }

    async fn put_some(
        &self,
        numbers: &[EngineNumber],
        expected: Expected<'_>,
        to: &str,
    ) -> Result<bool, AllocatorError> {
        let default = pool::value(&Policy::default());
        let mut arguments: Arguments = vec![default, expected.bytes(), to.into()];
        for number in numbers {
            arguments.extend(fields(number));
        }
        match self
            .run_with_days(&self.scripts.put_numbers, &arguments)
            .await?
        {
            Reply::Done => Ok(true),
            Reply::Elsewhere => Ok(false),
            other => Err(unexpected(&other).into()),
        }
    }

    /// Up to where the inventory is known.
    pub(super) async fn known_inventory(&self) -> Result<Position, AllocatorError> {
        let mut command = ::redis::cmd("GET");
        command.arg(self.keys.inventory());
        let known: Option<String> = self.query(&command).await?;
        Ok(position(known.as_deref().unwrap_or(NOTHING))?)
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

/// Where the inventory must be for a change to be taken.
#[derive(Debug, Clone, Copy)]
pub(super) enum Expected<'a> {
    /// It is taken anyway.
    Anywhere,
    /// Exactly here: another node's older page does not undo what came since.
    At(&'a str),
}

impl Expected<'_> {
    fn bytes(self) -> Vec<u8> {
        match self {
            Self::Anywhere => Vec::new(),
            Self::At(at) => at.into(),
        }
    }
}

/// What stands for no inventory at all; `number.lua` has it too.
const NOTHING: &str = "0:";

/// A position as Redis keeps it: the revision, a colon, the digits of the number.
fn text(position: Position) -> String {
    let after = position
        .after
        .map(|number| number.e164_digits().to_string());
    format!("{}:{}", position.since.0, after.unwrap_or_default())
}

fn position(text: &str) -> Result<Position, Unreadable> {
    let read = || {
        let (since, after) = text.split_once(':')?;
        let after = match after {
            "" => None,
            digits => Some(PhoneNumber::from_e164_digits(digits.parse().ok()?)?),
        };
        let since = Revision(since.parse().ok()?);
        Some(Position { since, after })
    };
    read().ok_or_else(|| Unreadable(format!("the position `{text}` of the inventory")))
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
