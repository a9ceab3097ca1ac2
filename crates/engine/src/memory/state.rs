//! The hot state, and every step that changes it. Nothing here waits, reads a clock, or does I/O.

use std::sync::Arc;

use ahash::AHashMap;
use caller_id_core::agent_limit::{Arrival, OverLimit, Permit};
use caller_id_core::usage::Hold;
use caller_id_core::{
    AgentId, Allocation, AllocationId, AllocationRecord, Ask, CallEnd, CallId, EndRecord,
    JournalEvent, Outcome, PhoneNumber, PoolId, ReleaseTarget, Rung, Timestamp,
};

use super::commit::Change;
use super::expiring::{Expiring, ExpiringMap};
use super::pool::{Pool, Shown};
use super::slab::Slab;
use super::undo::{Done, Replaced, Undo};

mod choose;
mod inventory;
mod recover;

/// Calls whose answer is remembered; each is forgotten when its reservation has run out.
const CALLS_MOST: usize = 4_000_000;
/// Agents whose limit is remembered; each is forgotten a minute after its last call at the latest.
const AGENTS_MOST: usize = 4_000_000;

/// The allocation that a call got, for when it asks again.
#[derive(Debug, Clone)]
pub(super) struct Call {
    slot: u32,
    record: Arc<AllocationRecord>,
    /// The change that made it.
    sequence: u64,
}

/// The answer of a step, and what must be committed before it is given.
pub struct Decision<T> {
    /// What to say.
    pub answer: T,
    /// What the journal must take first.
    pub change: Option<Change>,
    /// The earlier change that the answer rests on, when the step made none itself.
    pub rests_on: Option<u64>,
}

impl<T> Decision<T> {
    const fn nothing_changed(answer: T) -> Self {
        Self {
            answer,
            change: None,
            rests_on: None,
        }
    }
}

/// All that the memory engine knows. Each method is one atomic step of the rule book.
pub struct State {
    /// The latest instant any step was given: time never goes back.
    now: Timestamp,
    changes: u64,
    /// How many changes of numbers and pools there were.
    inventory: u64,
    /// Tells apart allocations of one number in one millisecond.
    salt: u32,
    numbers: Slab,
    slots: AHashMap<PhoneNumber, u32>,
    pools: Vec<Pool>,
    pool_slots: AHashMap<PoolId, u32>,
    calls: ExpiringMap<CallId, Call>,
    agents: ExpiringMap<AgentId, Arrival>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            now: Timestamp::ZERO,
            changes: 0,
            inventory: 0,
            salt: 0,
            numbers: Slab::default(),
            slots: AHashMap::new(),
            pools: Vec::new(),
            pool_slots: AHashMap::new(),
            calls: ExpiringMap::new(CALLS_MOST),
            agents: ExpiringMap::new(AGENTS_MOST),
        }
    }
}

/// The number whose turn it is.
struct Chosen {
    slot: u32,
    rung: Rung,
}

impl State {
    /// How many changes were made so far.
    pub(super) const fn changes(&self) -> u64 {
        self.changes
    }

    /// Chooses, reserves and counts in one step: the rules of a request, in their order.
    pub fn allocate(&mut self, ask: Ask<'_>, now: Timestamp) -> Decision<Outcome> {
        let now = self.advance(now);
        if let Some(decision) = self.repeat(&ask, now) {
            return decision;
        }
        let permit = match self.permit(&ask, now) {
            Ok(permit) => permit,
            Err(OverLimit { retry_after_ms }) => {
                return Decision::nothing_changed(Outcome::AgentLimited { retry_after_ms });
            }
        };
        match self.choose(&ask, now) {
            Ok(chosen) => self.take(&ask, &chosen, permit, now),
            Err(exhausted) => Decision::nothing_changed(Outcome::Exhausted(exhausted)),
        }
    }

    /// Ends a reservation. Released before, run out or never known: `None`, and nothing changes.
    pub fn release(
        &mut self,
        target: &ReleaseTarget,
        end: CallEnd,
        now: Timestamp,
    ) -> Decision<Option<EndRecord>> {
        let now = self.advance(now);
        let Some((id, slot)) = self.find(target) else {
            return self.nothing_to_release();
        };
        let entry = self.numbers.get_mut(slot);
        let (available_at, last_end_at) = (entry.available_at, entry.usage.last_end_at);
        let Some(hold) = entry.usage.release(id, now) else {
            return self.nothing_to_release();
        };
        self.place(slot, now);
        let ended = EndRecord { id, at: now, end };
        let done = Done::Released { hold, last_end_at };
        let undo = self.undo_of(slot, available_at, done);
        self.changed(Some(ended), JournalEvent::Ended(ended), undo)
    }

    /// Takes back the newest change that is not taken back yet.
    pub(super) fn undo(&mut self, undo: Undo) {
        let slot = undo.slot;
        let usage = &mut self.numbers.get_mut(slot).usage;
        match undo.done {
            Done::Allocated {
                id,
                at,
                last_used_at,
                replaced,
            } => {
                usage.forget(id, at, last_used_at);
                self.put_back(replaced);
            }
            Done::Released { hold, last_end_at } => usage.hold_again(hold, last_end_at),
        }
        if undo.inventory == self.inventory {
            self.place_at(slot, undo.available_at);
        } else {
            self.place(slot, self.now);
        }
    }

    const fn undo_of(&self, slot: u32, available_at: Option<Timestamp>, done: Done) -> Undo {
        Undo {
            slot,
            available_at,
            inventory: self.inventory,
            done,
        }
    }

    fn put_back(&mut self, replaced: Replaced) {
        if let Some((call_id, before)) = replaced.call {
            self.calls.restore(call_id, before, self.now);
        }
        if let Some((agent, before)) = replaced.agent {
            self.agents.restore(agent, before, self.now);
        }
        if let Some((pool, destination, before)) = replaced.shown {
            let shown = &mut self.pools[pool as usize].shown;
            shown.restore(destination, before, self.now);
        }
    }

    /// What there is not may have been released just now, by a change that is not committed yet: the answer waits for it.
    fn nothing_to_release(&self) -> Decision<Option<EndRecord>> {
        Decision {
            answer: None,
            change: None,
            rests_on: Some(self.changes),
        }
    }

    fn advance(&mut self, now: Timestamp) -> Timestamp {
        self.now = self.now.max(now);
        self.now
    }

    /// The reservation that is meant, live or not, and the slot of its number.
    fn find(&self, target: &ReleaseTarget) -> Option<(AllocationId, u32)> {
        match target {
            ReleaseTarget::Reservation(id) => {
                let slot = self.slots.get(&id.number()?)?;
                Some((*id, *slot))
            }
            ReleaseTarget::Call(call) => {
                let call = self.calls.get(call)?;
                Some((call.record.id, call.slot))
            }
        }
    }

    /// Rule 6: reserve and count.
    fn take(
        &mut self,
        ask: &Ask<'_>,
        chosen: &Chosen,
        permit: Option<Permit>,
        now: Timestamp,
    ) -> Decision<Outcome> {
        let slot = chosen.slot;
        self.salt = self.salt.wrapping_add(1) & 0xff_ffff;
        let entry = self.numbers.get_mut(slot);
        let pool_slot = entry.pool;
        let pool = &mut self.pools[pool_slot as usize];
        let record = Arc::new(AllocationRecord {
            id: AllocationId::of(entry.number, now, self.salt),
            at: now,
            number: entry.number,
            destination: ask.request.destination,
            campaign: ask.request.campaign.clone(),
            agent: ask.request.agent.clone(),
            call_id: ask.request.call_id.clone(),
            pool: pool.id.clone(),
            rung: chosen.rung,
            reserved_until: now.plus_ms(pool.policy().reservation_ms),
        });
        let day = pool.day(now);
        let hold = Hold {
            id: record.id,
            until: record.reserved_until,
        };
        let (available_at, last_used_at) = (entry.available_at, entry.usage.last_used_at);
        entry.usage.record(hold, now, day);
        let allocation = Allocation {
            area_code: entry.area_code,
            limits: entry.limits,
            agent_remaining: permit.map(|permit| permit.remaining),
            repeated: false,
            record: record.clone(),
        };
        self.place(slot, now);
        let replaced = Replaced {
            call: self.remember_call(&record, slot),
            agent: self.remember_agent(&record, permit),
            shown: self.remember_shown(pool_slot, &record, slot),
        };
        let done = Done::Allocated {
            id: record.id,
            at: now,
            last_used_at,
            replaced,
        };
        let undo = self.undo_of(slot, available_at, done);
        self.changed(
            Outcome::Allocated(allocation),
            JournalEvent::Allocated(record),
            undo,
        )
    }

    fn remember_call(
        &mut self,
        record: &Arc<AllocationRecord>,
        slot: u32,
    ) -> Option<(CallId, Option<Expiring<Call>>)> {
        let call_id = record.call_id.clone()?;
        let value = Call {
            slot,
            record: record.clone(),
            sequence: self.changes + 1,
        };
        let expires = record.reserved_until;
        let kept = Expiring { value, expires };
        Some((call_id.clone(), self.calls.insert(call_id, kept, record.at)))
    }

    fn remember_agent(
        &mut self,
        record: &AllocationRecord,
        permit: Option<Permit>,
    ) -> Option<(AgentId, Option<Expiring<Arrival>>)> {
        let (agent, value) = (record.agent.clone()?, permit?.arrival);
        let expires = value.forgotten_at();
        let kept = Expiring { value, expires };
        Some((agent.clone(), self.agents.insert(agent, kept, record.at)))
    }

    fn remember_shown(
        &mut self,
        pool_slot: u32,
        record: &AllocationRecord,
        slot: u32,
    ) -> Option<(u32, PhoneNumber, Option<Expiring<Shown>>)> {
        let (destination, at) = (record.destination, record.at);
        let pool = &mut self.pools[pool_slot as usize];
        let sticky_ms = pool.policy().sticky_ms;
        if sticky_ms == 0 {
            return None;
        }
        let kept = Expiring {
            value: Shown { slot, at },
            expires: at.plus_ms(sticky_ms),
        };
        let before = pool.shown.insert(destination, kept, at);
        Some((pool_slot, destination, before))
    }

    fn changed<T>(&mut self, answer: T, event: JournalEvent, undo: Undo) -> Decision<T> {
        self.changes += 1;
        Decision {
            answer,
            change: Some(Change { event, undo }),
            rests_on: None,
        }
    }
}
