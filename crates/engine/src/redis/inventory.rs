//! Numbers and pools that come, change and go.

use caller_id_core::store::{Position, Revision};
use caller_id_core::{
    AllocatorError, EngineNumber, InventoryStep, PhoneNumber, Policy, PoolId, Status, Timestamp,
};

use tokio::time::Instant;

use super::error::Unreadable;
use super::reply::{Reply, digits_of};
use super::step::{Arguments, digits, group, region};
use super::{CHANGES_AT_ONCE, Engine, pool};

/// The last instant that fits into 6 bytes.
const INSTANT_MOST_MS: i64 = (1 << 48) - 1;

/// Who puts a pool's numbers into their places after a change, and took no step for so long, is gone: others go on.
const GIVEN_UP_MS: u32 = 2_000;

impl Engine {
    /// Makes pools or changes their policies, and puts their numbers into their places by them.
    pub(super) async fn put_pools(&self, pools: &[(PoolId, Policy)]) -> Result<(), AllocatorError> {
        for some in pools.chunks(CHANGES_AT_ONCE) {
            self.put(some, &[], Way::Anywhere).await?;
        }
        Ok(())
    }

    /// Adds or changes numbers.
    pub(super) async fn put_numbers(&self, numbers: &[EngineNumber]) -> Result<(), AllocatorError> {
        for some in numbers.chunks(CHANGES_AT_ONCE) {
            self.put(&[], some, Way::Anywhere).await?;
        }
        Ok(())
    }

    /// Takes a step of the inventory, all of it at once. `false`: the inventory is not where it begins.
    pub(super) async fn follow(&self, step: &InventoryStep) -> Result<bool, AllocatorError> {
        let claim = self.claim();
        let way = Way::Step {
            from: text(step.from),
            to: text(step.to),
            rebuild: claim.map(digits_of).unwrap_or_default(),
        };
        let asked = Instant::now();
        let taken = self.put(&step.pools, &step.numbers, way).await;
        let took = asked.elapsed();
        if claim.is_some() {
            self.pace.took(step.numbers.len(), took);
        } else if let Ok(Some(told)) = taken
            && let Some(pause) = self.give_way.after(told, took)
        {
            tokio::time::sleep(pause).await;
        }
        taken.map(|told| told.is_some())
    }

    /// Gives how many events there were so far. `None`: nothing was put, the inventory is not where it must be.
    async fn put(
        &self,
        pools: &[(PoolId, Policy)],
        numbers: &[EngineNumber],
        way: Way,
    ) -> Result<Option<i64>, AllocatorError> {
        let arguments = arguments(pools, numbers, way);
        // Before it is asked: its answer may be lost on the way.
        let change = self.unsettled.add(pools.iter().map(|(id, _)| id));
        let script = &self.scripts.put_inventory;
        let taken = match self.run_with_days(script, &arguments).await? {
            Reply::Put(told, stale) => {
                let right = |id: &&PoolId| !stale.iter().any(|name| name == id.as_str());
                for id in pools.iter().map(|(id, _)| id).filter(right) {
                    self.unsettled.settled(id, change);
                }
                Some(told)
            }
            Reply::Elsewhere => None,
            other => return Err(unexpected(&other).into()),
        };
        self.settle().await?;
        Ok(taken)
    }

    /// Puts numbers into their places where a policy changed.
    async fn settle(&self) -> Result<(), AllocatorError> {
        while let Some((id, change)) = self.unsettled.first() {
            self.reindex(&id).await?;
            self.unsettled.settled(&id, change);
        }
        Ok(())
    }

    async fn reindex(&self, id: &PoolId) -> Result<(), AllocatorError> {
        let mut from = Vec::new();
        loop {
            let arguments = [id.as_str().into(), from];
            let script = &self.scripts.reindex;
            match self.run_with_days(script, &arguments).await? {
                Reply::More(next) => from = next,
                Reply::Done => return Ok(()),
                other => return Err(unexpected(&other).into()),
            }
        }
    }

    /// Up to where the inventory is known. What a step began and did not end is ended first, whoever began it.
    pub(super) async fn known_inventory(&self) -> Result<Position, AllocatorError> {
        self.settle().await?;
        let arguments = [GIVEN_UP_MS.to_string().into()];
        let reply: Vec<String> = self.run(&self.scripts.position, &arguments).await?;
        let (known, given_up) = reply
            .split_first()
            .ok_or_else(|| Unreadable("no position of the inventory".to_owned()))?;
        for name in given_up {
            let id = PoolId::new(name).map_err(|error| Unreadable(error.to_string()))?;
            self.reindex(&id).await?;
        }
        Ok(position(known)?)
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

/// Where the inventory is before a change, and after it.
enum Way {
    /// Wherever it is, it stays there.
    Anywhere,
    /// Exactly here, or nothing changes: another node's older page does not undo what came since.
    Step {
        from: String,
        to: String,
        /// Of which it is a part, in digits; empty where the state is whole.
        rebuild: Vec<u8>,
    },
}

/// What `put_inventory.lua` wants.
fn arguments(pools: &[(PoolId, Policy)], numbers: &[EngineNumber], way: Way) -> Arguments {
    let (from, to, rebuild) = match way {
        Way::Anywhere => (String::new(), String::new(), Vec::new()),
        Way::Step { from, to, rebuild } => (from, to, rebuild),
    };
    let default = pool::value(&Policy::default());
    let mut arguments = vec![default, from.into(), to.into(), rebuild];
    arguments.push(pools.len().to_string().into());
    for (id, policy) in pools {
        arguments.extend([id.as_str().into(), pool::value(policy)]);
    }
    arguments.extend(numbers.iter().flat_map(fields));
    arguments
}

/// A position as Redis keeps it: the store in hexadecimal digits and a slash (neither where it is not known), the revision, a
/// colon, the digits of the number.
fn text(position: Position) -> String {
    let store = position.store.map(|store| format!("{store:016x}/"));
    let after = position
        .after
        .map(|number| number.e164_digits().to_string());
    let (store, after) = (store.unwrap_or_default(), after.unwrap_or_default());
    format!("{store}{}:{after}", position.since.0)
}

fn position(text: &str) -> Result<Position, Unreadable> {
    let read = || {
        let (store, rest) = match text.split_once('/') {
            Some((store, rest)) => (Some(i64::from_str_radix(store, 16).ok()?), rest),
            None => (None, text),
        };
        let (since, after) = rest.split_once(':')?;
        let after = match after {
            "" => None,
            digits => Some(PhoneNumber::from_e164_digits(digits.parse().ok()?)?),
        };
        let since = Revision(since.parse().ok()?);
        Some(Position {
            store,
            since,
            after,
        })
    };
    read().ok_or_else(|| Unreadable(format!("the position `{text}` of the inventory")))
}

/// What `put_inventory.lua` wants of a number.
fn fields(number: &EngineNumber) -> [Vec<u8>; 8] {
    let (status, until) = match number.status {
        Status::Active => ("0", Timestamp::ZERO),
        Status::Resting(until) => ("1", until),
        Status::Paused => ("2", Timestamp::ZERO),
        Status::Retired => ("3", Timestamp::ZERO),
    };
    let until_ms = until.as_ms().clamp(0, INSTANT_MOST_MS);
    let limit = |limit: Option<std::num::NonZeroU32>| limit.map_or(0, |limit| limit.get());
    [
        digits(number.number),
        status.into(),
        until_ms.to_string().into(),
        group(number.number, number.area_code).into(),
        region(number.area_code).into(),
        limit(number.limits.daily).to_string().into(),
        limit(number.limits.hourly).to_string().into(),
        number.pool.as_str().into(),
    ]
}

pub(super) fn unexpected(reply: &Reply) -> Unreadable {
    Unreadable(format!("a reply is not to what was asked: {reply:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_back_as_it_was_written() {
        for known in [
            "0:",
            "7:",
            "0000000000000001/7:",
            "7fffffffffffffff/12:13125550100",
        ] {
            let read = position(known).expect("a position");
            assert_eq!(text(read), known);
        }
        for unreadable in ["", "7", "/7:", "x/7:", "1/x:", "1/7:12"] {
            assert!(position(unreadable).is_err(), "{unreadable}");
        }
        assert_eq!(text(Position::default()), "0:", "as in number.lua");
    }
}
