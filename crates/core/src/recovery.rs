//! Rebuilding what an engine must remember from history, at start.

use std::collections::{BTreeMap, HashMap};

use crate::agent_limit::{AgentLimits, Arrival};
use crate::allocator::{Recovered, Shown};
use crate::ids::{AgentId, PoolId};
use crate::journal::AllocationRecord;
use crate::number::PhoneNumber;
use crate::policy::Policy;
use crate::store::{HistoryStore, PastAllocation, StoreError};
use crate::time::Timestamp;
use crate::usage::{Hold, Usage};

/// A local day has at most 25 hours; a day more covers every reservation, which are bounded by a day.
const LOOK_BACK_MS: i64 = 26 * 3_600_000;
/// The longest reservation a policy may ask for, in milliseconds.
pub const RESERVATION_MOST_MS: i64 = 24 * 3_600_000;

/// The rules by which history counts.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The pools there are, with their whole policies.
    pub pools: &'a [(PoolId, Policy)],
    /// Of pools that history names and nobody knows, as after an older inventory was put back.
    pub global: &'a Policy,
    /// Of agents, on calls of each campaign.
    pub agent_limits: &'a AgentLimits,
}

/// Reads history and gives what an engine must not forget.
///
/// Uses that history dates after `now` (the clock was wrong then) count as made now: never forgotten, never stuck.
///
/// # Errors
/// [`StoreError`] of the store.
pub async fn recover(
    history: &dyn HistoryStore,
    rules: Rules<'_>,
    now: Timestamp,
) -> Result<Recovered, StoreError> {
    let end_of_time = Timestamp::from_ms(i64::MAX);
    recover_until(history, rules, now, end_of_time).await
}

/// The same without the allocations made at `until` or later, where these are counted in another way. When a number was
/// last used is told in any case.
///
/// # Errors
/// [`StoreError`] of the store.
pub async fn recover_until(
    history: &dyn HistoryStore,
    rules: Rules<'_>,
    now: Timestamp,
    until: Timestamp,
) -> Result<Recovered, StoreError> {
    read(history, rules, now, &mut |past| past.record.at < until).await
}

/// What was made before `now`, and which of it was made at `since` or later: all that another may bring once more.
///
/// # Errors
/// [`StoreError`] of the store.
pub async fn recover_listing(
    history: &dyn HistoryStore,
    rules: Rules<'_>,
    now: Timestamp,
    since: Timestamp,
) -> Result<(Recovered, Vec<PastAllocation>), StoreError> {
    let mut listed = Vec::new();
    let mut counts = |past: &PastAllocation| {
        let counts = past.record.at < now;
        if counts && past.record.at >= since {
            listed.push(past.clone());
        }
        counts
    };
    let recovered = read(history, rules, now, &mut counts).await?;
    Ok((recovered, listed))
}

/// Reads what counts.
async fn read(
    history: &dyn HistoryStore,
    rules: Rules<'_>,
    now: Timestamp,
    counts: &mut (dyn FnMut(&PastAllocation) -> bool + Send),
) -> Result<Recovered, StoreError> {
    let sticky_ms = rules
        .pools
        .iter()
        .map(|(_, policy)| policy.sticky_ms)
        .max()
        .unwrap_or(0);
    let since = now.plus_ms(-LOOK_BACK_MS.max(sticky_ms));
    let mut memory = Memory::new(rules, now);
    for (number, at) in history.last_uses().await? {
        memory.last_use(number, at);
    }
    history
        .allocations_since(since, &mut |past| {
            if counts(&past) {
                memory.replay(past);
            }
        })
        .await?;
    Ok(memory.into_recovered())
}

struct Memory<'a> {
    policies: HashMap<&'a PoolId, &'a Policy>,
    global: &'a Policy,
    agent_limits: &'a AgentLimits,
    now: Timestamp,
    recovered: Recovered,
    usages: HashMap<PhoneNumber, Usage>,
    shown: BTreeMap<(PoolId, PhoneNumber), (PhoneNumber, Timestamp)>,
    agents: HashMap<AgentId, Arrival>,
}

impl<'a> Memory<'a> {
    fn new(rules: Rules<'a>, now: Timestamp) -> Self {
        let policies = rules.pools.iter().map(|(id, policy)| (id, policy));
        Self {
            policies: policies.collect(),
            global: rules.global,
            agent_limits: rules.agent_limits,
            now,
            recovered: Recovered::default(),
            usages: HashMap::new(),
            shown: BTreeMap::new(),
            agents: HashMap::new(),
        }
    }

    fn last_use(&mut self, number: PhoneNumber, at: Timestamp) {
        let usage = self.usages.entry(number).or_default();
        usage.last_used_at = at.min(self.now);
    }

    fn replay(&mut self, past: PastAllocation) {
        let record = self.as_of_now(past.record);
        let policy = self.policies.get(&record.pool).copied();
        let policy = policy.unwrap_or(self.global);
        let usage = self.usages.entry(record.number).or_default();
        let hold = Hold {
            id: record.id,
            until: record.reserved_until,
        };
        usage.record(hold, record.at, policy.time_zone.day(record.at));
        if let Some(end) = past.ended {
            usage.release(record.id, end.at.clamp(record.at, self.now));
        }
        if policy.sticky_ms > 0 && record.at.plus_ms(policy.sticky_ms) > self.now {
            let key = (record.pool.clone(), record.destination);
            self.shown.insert(key, (record.number, record.at));
        }
        self.replay_agent(&record);
        if record.call_id.is_some() && past.ended.is_none() && record.reserved_until > self.now {
            self.recovered.calls.push(record);
        }
    }

    /// A record from the future was written when the clock was wrong: it counts as made now, and holds its number as
    /// long as it did then.
    fn as_of_now(&self, record: AllocationRecord) -> AllocationRecord {
        let held_ms = record.reserved_until.ms_since(record.at);
        let at = record.at.min(self.now);
        AllocationRecord {
            at,
            reserved_until: at.plus_ms(held_ms.min(RESERVATION_MOST_MS)),
            ..record
        }
    }

    fn replay_agent(&mut self, record: &AllocationRecord) {
        let Some(agent) = &record.agent else { return };
        let stored = self.agents.get(agent).copied();
        let limit = self.agent_limits.of(record.campaign.as_ref());
        if let Ok(Some(permit)) = limit.check(stored, record.at) {
            self.agents.insert(agent.clone(), permit.arrival);
        }
    }

    fn into_recovered(mut self) -> Recovered {
        self.recovered.usages = self.usages.into_iter().collect();
        let now = self.now;
        let agents = self.agents.into_iter();
        self.recovered.agents = agents
            .filter(|(_, arrival)| arrival.forgotten_at() > now)
            .collect();
        let shown = self
            .shown
            .into_iter()
            .map(|((pool, destination), (number, at))| Shown {
                pool,
                destination,
                number,
                at,
            });
        self.recovered.shown = shown.collect();
        self.recovered.shown.sort_by_key(|shown| shown.at);
        self.recovered
    }
}
