//! The hot state, and every step that changes it. Nothing here waits, reads a clock, or does I/O.

use std::sync::Arc;

use ahash::AHashMap;
use caller_id_core::agent_limit::Permit;
use caller_id_core::usage::Hold;
use caller_id_core::{
    Allocation, AllocationId, AllocationRecord, Ask, CallEnd, EndRecord, JournalEvent, Outcome,
    PhoneNumber, PoolId, ReleaseTarget, Rung, Timestamp,
};

use self::choose::{Considered, Moved};
pub use self::look::Tally;
use self::remember::Agent;
pub(super) use self::remember::Call;
use super::commit::Change;
use super::expiring::ExpiringMap;
use super::pool::Pool;
use super::slab::Slab;
use super::undo::{Done, Undo};

mod choose;
mod inventory;
mod look;
mod recover;
mod remember;
mod report;

/// Calls whose answer is remembered; each is forgotten when its reservation has run out.
const CALLS_MOST: usize = 4_000_000;
/// Agents whose limit is remembered; each is forgotten a minute after its last call at the latest.
const AGENTS_MOST: usize = 4_000_000;

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
#[derive(Debug)]
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
    calls: ExpiringMap<Call>,
    agents: ExpiringMap<Agent>,
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
        match self.consider(&ask, now, &mut Moved::new()) {
            Considered::Turn(chosen, permit) => self.take(&ask, &chosen, permit, now),
            Considered::Told(answer, rests_on) => Decision {
                answer,
                change: None,
                rests_on,
            },
        }
    }

    /// Ends a reservation. Released before, run out or never known: `None`, and nothing changes.
    pub fn release(
        &mut self,
        target: &ReleaseTarget,
        end: CallEnd,
        now: Timestamp,
    ) -> Decision<Option<EndRecord>> {
        self.advance(now);
        let Some((id, slot)) = self.find(target) else {
            return self.nothing_to_release();
        };
        match self.end(id, slot, end) {
            Some((ended, undo)) => self.changed(Some(ended), JournalEvent::Ended(ended), undo),
            None => self.nothing_to_release(),
        }
    }

    /// Ends the reservation if it lives.
    fn end(&mut self, id: AllocationId, slot: u32, end: CallEnd) -> Option<(EndRecord, Undo)> {
        let now = self.now;
        let entry = self.numbers.get_mut(slot);
        let (available_at, last_end_at) = (entry.available_at, entry.usage.last_end_at);
        let hold = entry.usage.release(id, now)?;
        self.place(slot, now);
        let done = Done::Released { hold, last_end_at };
        let ended = EndRecord { id, at: now, end };
        Some((ended, self.undo_of(slot, available_at, done)))
    }

    /// Takes back the newest change that is not taken back yet.
    pub(super) fn undo(&mut self, undo: Undo) {
        let slot = undo.slot;
        let usage = &mut self.numbers.get_mut(slot).usage;
        match undo.done {
            Done::Allocated {
                record,
                last_used_at,
                replaced,
            } => {
                usage.forget(record.id, record.at, last_used_at);
                self.put_back(&record, replaced);
            }
            Done::Released { hold, last_end_at } => usage.hold_again(hold, last_end_at),
            Done::Nothing => return,
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
        let pool = &mut self.pools[entry.pool as usize];
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
        let done = Done::Allocated {
            record: record.clone(),
            last_used_at,
            replaced: self.remember(&record, slot, permit),
        };
        let undo = self.undo_of(slot, available_at, done);
        self.changed(
            Outcome::Allocated(allocation),
            JournalEvent::Allocated(record),
            undo,
        )
    }

    fn changed<T>(&mut self, answer: T, event: JournalEvent, undo: Undo) -> Decision<T> {
        self.changes += 1;
        Decision {
            answer,
            change: Some(Change {
                event,
                result: None,
                undo,
            }),
            rests_on: None,
        }
    }
}
