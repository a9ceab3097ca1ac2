//! The naive model: the rule book as a list, filters and a sort. Slow, and hard to get wrong.
//!
//! It shares no code with engines: not the windows, not the agent limit, not the index.

use std::collections::BTreeMap;

use caller_id_core::{
    AgentId, AllocationRequest, CallId, Cause, EngineNumber, PhoneNumber, Policy, PoolId, Rung,
    Status, Timestamp,
};

mod conditions;
mod look;

use self::conditions::{day_free, hour_free, reserved_until, rung_holds};

/// One use of a number.
#[derive(Debug, Clone)]
struct Use {
    number: PhoneNumber,
    destination: PhoneNumber,
    agent: Option<AgentId>,
    call_id: Option<CallId>,
    pool: PoolId,
    rung: Rung,
    at: Timestamp,
    until: Timestamp,
    released: Option<Timestamp>,
}

impl Use {
    fn end(&self) -> Timestamp {
        self.released.unwrap_or(self.until)
    }
}

/// The model's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A number.
    Allocated {
        /// Which.
        number: PhoneNumber,
        /// How it was chosen.
        rung: Rung,
        /// The pool it was in.
        pool: PoolId,
        /// The end of its reservation.
        reserved_until: Timestamp,
        /// What the agent has left.
        agent_remaining: Option<u32>,
        /// Asked before.
        repeated: bool,
    },
    /// None: until when, and why.
    Exhausted(Option<Timestamp>, Cause),
    /// Over the agent limit, for so many milliseconds.
    AgentLimited(i64),
}

/// All numbers, all uses, and nothing clever.
#[derive(Debug, Default)]
pub struct Model {
    numbers: BTreeMap<PhoneNumber, (EngineNumber, Option<Free>)>,
    pools: BTreeMap<PoolId, Policy>,
    uses: Vec<Use>,
    agents: BTreeMap<AgentId, f64>,
    agent_limit: u32,
    now: Timestamp,
}

/// From when a number is free, and what holds it.
type Free = (Timestamp, Cause);

impl Model {
    /// An empty model with this many allocations a minute for each agent, 0 = no limit.
    pub fn new(agent_limit: u32) -> Self {
        Self {
            agent_limit,
            ..Self::default()
        }
    }

    /// Makes a pool or changes its policy.
    pub fn put_pool(&mut self, id: &PoolId, policy: Policy, now: Timestamp) {
        self.advance(now);
        self.pools.insert(id.clone(), policy);
        let members: Vec<_> = self
            .numbers
            .values()
            .filter(|(n, _)| n.pool == *id)
            .map(|(n, _)| n.number)
            .collect();
        members
            .into_iter()
            .for_each(|number| self.recompute(number));
    }

    /// Adds or changes a number.
    pub fn put_number(&mut self, number: EngineNumber, now: Timestamp) {
        self.advance(now);
        let key = number.number;
        self.numbers.insert(key, (number, None));
        self.recompute(key);
    }

    /// Decides a request.
    pub fn allocate(
        &mut self,
        request: &AllocationRequest,
        pools: &[PoolId],
        now: Timestamp,
    ) -> Answer {
        let now = self.advance(now);
        let limited = request.agent.clone().filter(|_| self.agent_limit > 0);
        let live_call = self.uses.iter().rev().find(|used| {
            request.call_id.is_some()
                && used.call_id == request.call_id
                && used.released.is_none()
                && used.until > now
        });
        if let Some(used) = live_call {
            let left = limited.map(|agent| self.remaining(&agent, now));
            return answer(used, left, true);
        }
        if let Some(wait) = limited
            .as_ref()
            .and_then(|agent| self.agent_wait(agent, now))
        {
            return Answer::AgentLimited(wait);
        }
        let chosen = self.sticky(request.destination, pools, now);
        match chosen.or_else(|| self.climb(request.destination, pools, now)) {
            Some((number, rung)) => self.take(request, number, rung, now),
            None => self.exhausted(request.destination, pools),
        }
    }

    /// Releases the live reservation of a call; tells whether there was one.
    pub fn release_call(&mut self, call: &CallId, now: Timestamp) -> bool {
        let now = self.advance(now);
        let live = |used: &&mut Use| {
            used.call_id.as_ref() == Some(call) && used.released.is_none() && used.until > now
        };
        let Some(used) = self.uses.iter_mut().rev().find(live) else {
            return false;
        };
        used.released = Some(now);
        let number = used.number;
        self.recompute(number);
        true
    }

    /// Time has come to `now`, and nothing else happened.
    pub fn see(&mut self, now: Timestamp) {
        self.advance(now);
    }

    fn advance(&mut self, now: Timestamp) -> Timestamp {
        self.now = self.now.max(now);
        self.now
    }

    fn agent_interval(&self) -> f64 {
        (60_000_000.0 / f64::from(self.agent_limit)).floor()
    }

    /// Milliseconds to wait, when the agent must.
    fn agent_wait(&self, agent: &AgentId, now: Timestamp) -> Option<i64> {
        let full_at = self
            .agents
            .get(agent)
            .copied()
            .unwrap_or(0.0)
            .max(now.as_ms() as f64 * 1_000.0);
        let over = full_at + self.agent_interval() - (now.as_ms() as f64 * 1_000.0 + 60_000_000.0);
        (over > 0.0).then(|| (over / 1_000.0).ceil() as i64)
    }

    fn remaining(&self, agent: &AgentId, now: Timestamp) -> u32 {
        let now_us = now.as_ms() as f64 * 1_000.0;
        let ahead = (self.agents.get(agent).copied().unwrap_or(0.0) - now_us).max(0.0);
        ((60_000_000.0 - ahead) / self.agent_interval()).floor() as u32
    }

    fn sticky(
        &self,
        destination: PhoneNumber,
        pools: &[PoolId],
        now: Timestamp,
    ) -> Option<(PhoneNumber, Rung)> {
        let mut last: Option<&Use> = None;
        for pool in pools {
            let sticky_ms = self.pools.get(pool).map_or(0, |policy| policy.sticky_ms);
            let shown = self
                .uses
                .iter()
                .rev()
                .find(|used| used.pool == *pool && used.destination == destination);
            let shown = shown.filter(|used| used.at.as_ms() + sticky_ms > now.as_ms());
            if shown.is_some_and(|used| last.is_none_or(|last| used.at > last.at)) {
                last = shown;
            }
        }
        let (number, free) = self.numbers.get(&last?.number)?;
        let free_now = free.is_some_and(|(at, _)| at <= now) && pools.contains(&number.pool);
        free_now.then_some((number.number, Rung::Sticky))
    }

    fn climb(
        &self,
        destination: PhoneNumber,
        pools: &[PoolId],
        now: Timestamp,
    ) -> Option<(PhoneNumber, Rung)> {
        for pool in pools {
            for rung in [Rung::AreaCode, Rung::Overlay, Rung::Region, Rung::Any] {
                let mut free: Vec<_> = self
                    .candidates(pool, rung, destination)
                    .filter(|(at, ..)| *at <= now)
                    .collect();
                free.sort_by_key(|(at, number, _)| (*at, *number));
                if let Some((_, number, _)) = free.first() {
                    return Some((*number, rung));
                }
            }
        }
        None
    }

    fn exhausted(&self, destination: PhoneNumber, pools: &[PoolId]) -> Answer {
        let rungs = [Rung::AreaCode, Rung::Overlay, Rung::Region, Rung::Any];
        let all = pools.iter().flat_map(|pool| rungs.map(|rung| (pool, rung)));
        let all = all.flat_map(|(pool, rung)| self.candidates(pool, rung, destination));
        let first = all.min_by_key(|(at, number, _)| (*at, *number));
        first.map_or(Answer::Exhausted(None, Cause::Empty), |(at, _, cause)| {
            Answer::Exhausted(Some(at), cause)
        })
    }

    fn candidates<'a>(
        &'a self,
        pool: &'a PoolId,
        rung: Rung,
        destination: PhoneNumber,
    ) -> impl Iterator<Item = (Timestamp, PhoneNumber, Cause)> + 'a {
        let allowed = self
            .pools
            .get(pool)
            .is_some_and(|policy| policy.ladder.has(rung));
        self.numbers.values().filter_map(move |(number, free)| {
            let mine = allowed && number.pool == *pool && number.number != destination;
            let near = mine && rung_holds(rung, destination.area_code(), number.area_code);
            free.filter(|_| near)
                .map(|(at, cause)| (at, number.number, cause))
        })
    }

    fn take(
        &mut self,
        request: &AllocationRequest,
        number: PhoneNumber,
        rung: Rung,
        now: Timestamp,
    ) -> Answer {
        let pool = self.numbers[&number].0.pool.clone();
        let used = Use {
            number,
            destination: request.destination,
            agent: request.agent.clone(),
            call_id: request.call_id.clone(),
            until: now.plus_ms(self.pools[&pool].reservation_ms),
            pool,
            rung,
            at: now,
            released: None,
        };
        self.uses.push(used.clone());
        self.recompute(number);
        let left = used
            .agent
            .as_ref()
            .filter(|_| self.agent_limit > 0)
            .map(|agent| {
                let full_at = self
                    .agents
                    .get(agent)
                    .copied()
                    .unwrap_or(0.0)
                    .max(now.as_ms() as f64 * 1_000.0);
                let full_at = full_at + self.agent_interval();
                self.agents.insert(agent.clone(), full_at);
                self.remaining(agent, now)
            });
        answer(&used, left, false)
    }

    /// Computes from when a number is free, from all its uses, as things stand now.
    fn recompute(&mut self, number: PhoneNumber) {
        let free = self.free(number, self.now);
        if let Some(entry) = self.numbers.get_mut(&number) {
            entry.1 = free;
        }
    }

    /// The same as things stand at `now`.
    fn free(&self, number: PhoneNumber, now: Timestamp) -> Option<Free> {
        let (row, _) = &self.numbers[&number];
        let policy = self.pools.get(&row.pool).cloned().unwrap_or_default();
        let resting = match row.status {
            Status::Active => Some(Timestamp::ZERO),
            Status::Resting(until) => Some(until),
            Status::Paused | Status::Retired => None,
        };
        resting.map(|resting| {
            let uses = self.uses_of(number);
            let conditions = [
                (
                    reserved_until(&uses, policy.most_reservations.get().into(), now),
                    Cause::Reserved,
                ),
                (
                    uses.last()
                        .map_or(Timestamp::ZERO, |used| used.at.plus_ms(policy.cooldown_ms)),
                    Cause::Cooldown,
                ),
                (
                    hour_free(
                        &uses,
                        row.limits.hourly.map(|limit| limit.get() as usize),
                        now,
                    ),
                    Cause::HourlyLimit,
                ),
                (
                    day_free(
                        &uses,
                        row.limits.daily.map(|limit| limit.get() as usize),
                        &policy,
                        now,
                    ),
                    Cause::DailyLimit,
                ),
                (resting, Cause::Resting),
            ];
            conditions
                .into_iter()
                .rev()
                .max_by_key(|(at, _)| *at)
                .expect("there are five")
        })
    }

    fn uses_of(&self, number: PhoneNumber) -> Vec<&Use> {
        let all = self.uses.iter();
        all.filter(|used| used.number == number).collect()
    }
}

fn answer(used: &Use, agent_remaining: Option<u32>, repeated: bool) -> Answer {
    Answer::Allocated {
        number: used.number,
        rung: used.rung,
        pool: used.pool.clone(),
        reserved_until: used.until,
        agent_remaining,
        repeated,
    }
}
