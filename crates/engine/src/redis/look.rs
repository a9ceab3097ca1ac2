//! The Redis engine for people: looks into its state by scripts that write nothing.

use std::time::Duration;

use async_trait::async_trait;
use caller_id_core::inspection::{Counts, Foreseen};
use caller_id_core::ladder::Candidates;
use caller_id_core::{AllocatorError, AreaCode, Ask, Inspector, NumberState, PhoneNumber, PoolId};
use tokio::time::Instant;

use super::error::Unreadable;
use super::reply::Reply;
use super::step::Arguments;
use super::{Engine, RedisAllocator, step};

/// So many numbers are read in one script: half a millisecond or so.
const READ_AT_ONCE: usize = 100;
/// So many groups are named to one script; it does not get further.
const GROUPS_AT_ONCE: usize = 50;
/// After each part of a count Redis is left alone for as long as the part took, and no shorter than this.
const PAUSE_LEAST: Duration = Duration::from_millis(1);
/// And no longer than this.
const PAUSE_MOST: Duration = Duration::from_millis(20);

#[async_trait]
impl Inspector for RedisAllocator {
    async fn states(
        &self,
        numbers: &[PhoneNumber],
    ) -> Result<Vec<Option<NumberState>>, AllocatorError> {
        let mut states = Vec::with_capacity(numbers.len());
        for some in numbers.chunks(READ_AT_ONCE) {
            states.extend(self.engine.states(some).await?);
        }
        Ok(states)
    }

    /// Where the local days of a pool are missing in Redis they are given: they are no state, and whoever asks next needs them.
    async fn foresee(&self, ask: Ask<'_>) -> Result<Foreseen, AllocatorError> {
        let most = self.engine.outbox_most.to_string().into();
        let arguments = [most, step::allocate(&ask)];
        let script = &self.engine.scripts.foresee;
        match self.engine.run_with_days(script, &arguments).await? {
            Reply::Turn { number, pool, rung } => Ok(Foreseen::Number { number, pool, rung }),
            other => Ok(Foreseen::from(&other.outcome()?)),
        }
    }

    /// Numbers that are allocated or released meanwhile may be missed, or counted as what they were before.
    async fn counts(&self, pool: &PoolId, among: Candidates) -> Result<Counts, AllocatorError> {
        let groups = match among {
            Candidates::Area(code) => groups_of(&[code]),
            Candidates::Areas(codes) => groups_of(codes),
            Candidates::All => self.engine.groups(pool).await?,
        };
        self.engine.counts(pool, &groups).await
    }
}

impl Engine {
    async fn states(
        &self,
        numbers: &[PhoneNumber],
    ) -> Result<Vec<Option<NumberState>>, AllocatorError> {
        let arguments: Arguments = numbers.iter().map(|number| step::digits(*number)).collect();
        let reply = self.run_with_days(&self.scripts.states, &arguments).await?;
        match reply {
            Reply::States(states) if states.len() == numbers.len() => Ok(states),
            other => Err(other.unexpected().into()),
        }
    }

    async fn groups(&self, pool: &PoolId) -> Result<Vec<String>, AllocatorError> {
        let arguments = [pool.as_str().into()];
        let reply = self.run_with_days(&self.scripts.groups, &arguments).await?;
        match reply {
            Reply::Groups(groups) => Ok(groups),
            other => Err(other.unexpected().into()),
        }
    }

    async fn counts(&self, pool: &PoolId, groups: &[String]) -> Result<Counts, AllocatorError> {
        let (mut counts, mut left, mut cursor) = (Counts::default(), groups, Vec::new());
        while !left.is_empty() {
            let asked = Instant::now();
            let (some, done, next) = self.count(pool, left, cursor).await?;
            counts += some;
            left = left.get(done..).unwrap_or_default();
            cursor = next;
            if !left.is_empty() {
                let pause = asked.elapsed().clamp(PAUSE_LEAST, PAUSE_MOST);
                tokio::time::sleep(pause).await;
            }
        }
        Ok(counts)
    }

    /// One part: what was counted, how many groups are done, and where to go on in the next.
    async fn count(
        &self,
        pool: &PoolId,
        groups: &[String],
        cursor: Vec<u8>,
    ) -> Result<(Counts, usize, Vec<u8>), AllocatorError> {
        let mut arguments: Arguments = vec![pool.as_str().into(), cursor];
        let some = groups.iter().take(GROUPS_AT_ONCE);
        arguments.extend(some.map(|group| group.as_bytes().to_vec()));
        match self.run_with_days(&self.scripts.counts, &arguments).await? {
            Reply::Counted(_, 0, next) if next.is_empty() => {
                Err(Unreadable("a count does not go on".to_owned()).into())
            }
            Reply::Counted(counts, done, next) => Ok((counts, done, next)),
            other => Err(other.unexpected().into()),
        }
    }
}

/// The groups in which numbers of these area codes stand.
fn groups_of(codes: &[AreaCode]) -> Vec<String> {
    let both = codes
        .iter()
        .map(|code| [code.to_string(), format!("!{code}")]);
    both.flatten().collect()
}
