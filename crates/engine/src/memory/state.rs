//! The hot state, and every step that changes it. Nothing here waits, reads a clock, or does I/O.

use ahash::AHashMap;
use caller_id_core::agent_limit::{Arrival, OverLimit, Permit};
use caller_id_core::eligibility::{Availability, availability};
use caller_id_core::usage::{Hold, Usage};
use caller_id_core::{
    AgentId, Allocation, AllocationId, AllocationRecord, Ask, CallEnd, CallId, Cause, EndRecord,
    EngineNumber, Exhausted, JournalEvent, NumberState, Outcome, PhoneNumber, Policy, PoolId,
    ReleaseTarget, Rung, Timestamp,
};
use rand::RngExt;
use rand::rngs::SmallRng;
use smallvec::SmallVec;
use std::sync::Arc;

use super::commit::Change;
use super::expiring::ExpiringMap;
use super::order::Place;
use super::pool::{Climb, Pool};
use super::slab::{Entry, Slab};
use super::undo::{Kind, Replaced, Undo};

mod recover;

/// Destinations whose number is remembered. Past it the ones shown longest ago are forgotten early.
const STICKY_MOST: usize = 4_000_000;
/// Agents whose limit is remembered; each is forgotten a minute after its last call anyway.
const AGENTS_MOST: usize = 4_000_000;

pub(super) type StickyKey = (u32, PhoneNumber);

/// Which number a destination was shown, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct StickyShown {
    slot: u32,
    at: Timestamp,
}

/// Where the number of a live reservation is, and which call it belongs to.
#[derive(Debug, Clone)]
pub(super) struct Reservation {
    slot: u32,
    call_id: Option<CallId>,
}

/// The allocation that a call got, for when it asks again.
#[derive(Debug, Clone)]
pub(super) struct Call {
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
    numbers: Slab,
    slots: AHashMap<PhoneNumber, u32>,
    pools: Vec<Pool>,
    pool_slots: AHashMap<PoolId, u32>,
    reservations: AHashMap<AllocationId, Reservation>,
    calls: AHashMap<CallId, Call>,
    agents: ExpiringMap<AgentId, Arrival>,
    sticky: ExpiringMap<StickyKey, StickyShown>,
    random: SmallRng,
}

impl Default for State {
    fn default() -> Self {
        Self {
            now: Timestamp::ZERO,
            changes: 0,
            numbers: Slab::default(),
            slots: AHashMap::new(),
            pools: Vec::new(),
            pool_slots: AHashMap::new(),
            reservations: AHashMap::new(),
            calls: AHashMap::new(),
            agents: ExpiringMap::new(AGENTS_MOST),
            sticky: ExpiringMap::new(STICKY_MOST),
            random: rand::make_rng(),
        }
    }
}

/// The number whose turn it is.
struct Chosen {
    slot: u32,
    rung: Rung,
}

/// What a request needs besides itself.
type PoolSlots = SmallVec<[u32; 4]>;

impl State {
    /// How many changes were made so far.
    pub(super) const fn changes(&self) -> u64 {
        self.changes
    }

    /// Chooses, reserves and counts in one step.
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
        let pools: PoolSlots = ask
            .pools
            .iter()
            .filter_map(|pool| self.pool_slots.get(pool).copied())
            .collect();
        let destination = ask.request.destination;
        let chosen = self.shown_before(&pools, destination, now);
        match chosen.map_or_else(|| self.climb(&pools, destination, now), Ok) {
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
        let id = match target {
            ReleaseTarget::Reservation(id) => Some(*id),
            ReleaseTarget::Call(call) => self.calls.get(call).map(|call| call.record.id),
        };
        let found = id.and_then(|id| {
            self.reservations
                .get(&id)
                .map(|reservation| (id, reservation.slot))
        });
        let Some((id, slot)) = found else {
            return Decision::nothing_changed(None);
        };
        let usage = self.numbers.get(slot).usage.clone();
        if self.numbers.get_mut(slot).usage.release(id, now).is_none() {
            return Decision::nothing_changed(None);
        }
        let Some(reservation) = self.reservations.remove(&id) else {
            return Decision::nothing_changed(None);
        };
        let call = reservation
            .call_id
            .as_ref()
            .and_then(|call| self.calls.remove(call));
        self.place(slot, now);
        let ended = EndRecord { id, at: now, end };
        let undo = Undo {
            slot,
            usage,
            kind: Kind::Ended {
                id,
                reservation,
                call,
            },
        };
        self.changed(Some(ended), JournalEvent::Ended(ended), undo)
    }

    /// Makes a pool or changes its policy. Tells whether its numbers may stand in the wrong place until
    /// [`State::reindex`] has passed over them.
    pub fn put_pool(&mut self, id: &PoolId, policy: Policy, now: Timestamp) -> bool {
        let now = self.advance(now);
        if let Some(slot) = self.pool_slots.get(id) {
            return self.pools[*slot as usize].set_policy(policy, now);
        }
        self.pool_slots.insert(id.clone(), self.pools.len() as u32);
        self.pools.push(Pool::new(id.clone(), policy, now));
        false
    }

    /// Looks at `most` numbers from `slot` on and puts those of `pool` into their right places; gives the slot to go on
    /// from, `None` after the last.
    pub fn reindex(
        &mut self,
        pool: &PoolId,
        slot: u32,
        most: usize,
        now: Timestamp,
    ) -> Option<u32> {
        let now = self.advance(now);
        let pool = *self.pool_slots.get(pool)?;
        let end = slot.saturating_add(most as u32).min(self.numbers.len());
        for slot in slot..end {
            if self.numbers.get(slot).pool == pool {
                self.place(slot, now);
            }
        }
        (end < self.numbers.len()).then_some(end)
    }

    /// Adds a number, or changes what its owner says of it. Its use so far is kept.
    pub fn put_number(&mut self, number: &EngineNumber, now: Timestamp) {
        let now = self.advance(now);
        let pool = self
            .pool_slots
            .get(&number.pool)
            .copied()
            .unwrap_or_else(|| {
                self.put_pool(&number.pool, Policy::default(), now);
                self.pools.len() as u32 - 1
            });
        let slot = match self.slots.get(&number.number).copied() {
            Some(slot) => {
                self.leave_orders(slot);
                let entry = self.numbers.get_mut(slot);
                entry.area_code = number.area_code;
                entry.status = number.status;
                entry.limits = number.limits;
                entry.pool = pool;
                slot
            }
            None => self.add(number, pool),
        };
        self.place(slot, now);
    }

    /// The live state of a number.
    pub fn number_state(&mut self, number: PhoneNumber, now: Timestamp) -> Option<NumberState> {
        let now = self.advance(now);
        let slot = *self.slots.get(&number)?;
        let available_at = self.availability(slot, now).map(|free| free.at);
        let entry = self.numbers.get(slot);
        let day = self.pools[entry.pool as usize].day(now);
        Some(NumberState {
            available_at,
            last_used_at: (entry.usage.last_used_at > Timestamp::ZERO)
                .then_some(entry.usage.last_used_at),
            uses_in_hour: entry.usage.hour.count(now),
            uses_today: entry.usage.day.count(day),
            reservations: entry.usage.live(now) as u32,
        })
    }

    /// Takes back the newest change that is not taken back yet.
    pub(super) fn undo(&mut self, undo: Undo) {
        match undo.kind {
            Kind::Allocated(replaced) => self.undo_allocation(*replaced),
            Kind::Ended {
                id,
                reservation,
                call,
            } => {
                if let Some((call_id, call)) = reservation.call_id.clone().zip(call) {
                    self.calls.insert(call_id, call);
                }
                self.reservations.insert(id, reservation);
            }
        }
        self.numbers.get_mut(undo.slot).usage = undo.usage;
        self.place(undo.slot, self.now);
    }

    fn undo_allocation(&mut self, replaced: Replaced) {
        self.reservations.remove(&replaced.id);
        match replaced.call {
            Some((call_id, Some(before))) => drop(self.calls.insert(call_id, before)),
            Some((call_id, None)) => drop(self.calls.remove(&call_id)),
            None => {}
        }
        if let Some((agent, before)) = replaced.agent {
            self.agents.restore(&agent, before);
        }
        if let Some((key, before)) = replaced.sticky {
            self.sticky.restore(&key, before);
        }
    }

    fn advance(&mut self, now: Timestamp) -> Timestamp {
        self.now = self.now.max(now);
        self.now
    }

    /// Rule 1: a call that asks again gets the same answer, counted once.
    fn repeat(&self, ask: &Ask<'_>, now: Timestamp) -> Option<Decision<Outcome>> {
        let call = self.calls.get(ask.request.call_id.as_ref()?)?;
        let slot = self.reservations.get(&call.record.id)?.slot;
        if call.record.reserved_until <= now {
            return None;
        }
        let entry = self.numbers.get(slot);
        let limited = ask
            .request
            .agent
            .as_ref()
            .filter(|_| ask.agent_limit.is_on());
        let answer = Outcome::Allocated(Allocation {
            record: call.record.clone(),
            area_code: entry.area_code,
            limits: entry.limits,
            agent_remaining: limited
                .map(|agent| ask.agent_limit.remaining(self.agents.get(agent), now)),
            repeated: true,
        });
        Some(Decision {
            answer,
            change: None,
            rests_on: Some(call.sequence),
        })
    }

    /// Rule 2: the agent limit. Nothing counts yet.
    fn permit(&self, ask: &Ask<'_>, now: Timestamp) -> Result<Option<Permit>, OverLimit> {
        match &ask.request.agent {
            Some(agent) if ask.agent_limit.is_on() => {
                ask.agent_limit.check(self.agents.get(agent), now)
            }
            _ => Ok(None),
        }
    }

    /// Rule 3: the number this destination was last shown by one of these pools, if it is eligible now.
    fn shown_before(
        &mut self,
        pools: &[u32],
        destination: PhoneNumber,
        now: Timestamp,
    ) -> Option<Chosen> {
        let shown = pools.iter().filter_map(|pool| {
            let sticky_ms = self.pools[*pool as usize].policy().sticky_ms;
            let shown = (sticky_ms > 0)
                .then(|| self.sticky.get(&(*pool, destination)))
                .flatten()?;
            (shown.at.plus_ms(sticky_ms) > now).then_some(shown)
        });
        let slot = shown
            .reduce(|latest, other| if other.at > latest.at { other } else { latest })?
            .slot;
        let mine = pools.contains(&self.numbers.get(slot).pool);
        let free = mine
            && self
                .availability(slot, now)
                .is_some_and(|free| free.at <= now);
        free.then_some(Chosen {
            slot,
            rung: Rung::Sticky,
        })
    }

    /// Rules 4, 5 and 7: pool by pool, rung by rung, the number that has been free the longest.
    fn climb(
        &mut self,
        pools: &[u32],
        destination: PhoneNumber,
        now: Timestamp,
    ) -> Result<Chosen, Exhausted> {
        let mut earliest: Option<Place> = None;
        for pool in pools {
            loop {
                match self.pools[*pool as usize].climb(destination, now) {
                    Climb::Free(place, rung) => {
                        let slot = place.slot;
                        if self
                            .availability(slot, now)
                            .is_some_and(|free| free.at <= now)
                        {
                            return Ok(Chosen { slot, rung });
                        }
                        // It stood there by a policy that has changed since. In its right place it comes no more.
                        self.place(slot, now);
                    }
                    Climb::Earliest(first) => {
                        earliest = first.into_iter().chain(earliest).min();
                        break;
                    }
                }
            }
        }
        Err(earliest.map_or(Exhausted::EMPTY, |place| {
            let cause = self
                .availability(place.slot, now)
                .map_or(Cause::Empty, |free| free.cause);
            Exhausted {
                earliest: Some(place.available_at),
                cause,
            }
        }))
    }

    /// Rule 6: reserve and count.
    fn take(
        &mut self,
        ask: &Ask<'_>,
        chosen: &Chosen,
        permit: Option<Permit>,
        now: Timestamp,
    ) -> Decision<Outcome> {
        let request = ask.request;
        let entry = self.numbers.get_mut(chosen.slot);
        let pool_slot = entry.pool;
        let pool = &mut self.pools[pool_slot as usize];
        let record = Arc::new(AllocationRecord {
            id: AllocationId::new(now, self.random.random()),
            at: now,
            number: entry.number,
            destination: request.destination,
            campaign: request.campaign.clone(),
            agent: request.agent.clone(),
            call_id: request.call_id.clone(),
            pool: pool.id.clone(),
            rung: chosen.rung,
            reserved_until: now.plus_ms(pool.policy().reservation_ms),
        });
        let (day, sticky_ms) = (pool.day(now), pool.policy().sticky_ms);
        let usage = entry.usage.clone();
        let passed = entry.usage.record(
            Hold {
                id: record.id,
                until: record.reserved_until,
            },
            now,
            day,
        );
        let allocation = Allocation {
            area_code: entry.area_code,
            limits: entry.limits,
            agent_remaining: permit.map(|permit| permit.remaining),
            repeated: false,
            record: record.clone(),
        };
        passed.iter().for_each(|hold| self.forget(hold.id));
        self.place(chosen.slot, now);
        let replaced = Box::new(Replaced {
            id: record.id,
            call: self.remember_call(&record, chosen.slot),
            agent: self.remember_agent(request.agent.as_ref(), permit, now),
            sticky: self.remember_shown(pool_slot, sticky_ms, &record, chosen.slot),
        });
        let undo = Undo {
            slot: chosen.slot,
            usage,
            kind: Kind::Allocated(replaced),
        };
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
    ) -> Option<(CallId, Option<Call>)> {
        let call_id = record.call_id.clone();
        self.reservations.insert(
            record.id,
            Reservation {
                slot,
                call_id: call_id.clone(),
            },
        );
        let call = Call {
            record: record.clone(),
            sequence: self.changes + 1,
        };
        call_id.map(|call_id| (call_id.clone(), self.calls.insert(call_id, call)))
    }

    fn remember_agent(
        &mut self,
        agent: Option<&AgentId>,
        permit: Option<Permit>,
        now: Timestamp,
    ) -> Option<(AgentId, Option<Arrival>)> {
        let (agent, arrival) = (agent?, permit?.arrival);
        let before = self
            .agents
            .insert(agent.clone(), arrival, arrival.forgotten_at(), now);
        Some((agent.clone(), before))
    }

    fn remember_shown(
        &mut self,
        pool: u32,
        sticky_ms: i64,
        record: &AllocationRecord,
        slot: u32,
    ) -> Option<(StickyKey, Option<StickyShown>)> {
        let key = (pool, record.destination);
        let shown = StickyShown {
            slot,
            at: record.at,
        };
        (sticky_ms > 0).then(|| {
            (
                key,
                self.sticky
                    .insert(key, shown, record.at.plus_ms(sticky_ms), record.at),
            )
        })
    }

    /// Drops what is kept of a reservation whose end has passed.
    fn forget(&mut self, id: AllocationId) {
        let call_id = self
            .reservations
            .remove(&id)
            .and_then(|reservation| reservation.call_id);
        if let Some(call_id) = call_id
            && self
                .calls
                .get(&call_id)
                .is_some_and(|call| call.record.id == id)
        {
            self.calls.remove(&call_id);
        }
    }

    fn changed<T>(&mut self, answer: T, event: JournalEvent, undo: Undo) -> Decision<T> {
        self.changes += 1;
        let change = Change { event, undo };
        Decision {
            answer,
            change: Some(change),
            rests_on: None,
        }
    }

    fn add(&mut self, number: &EngineNumber, pool: u32) -> u32 {
        let slot = self.numbers.push(Entry {
            number: number.number,
            area_code: number.area_code,
            status: number.status,
            limits: number.limits,
            pool,
            usage: Usage::default(),
            available_at: None,
        });
        self.slots.insert(number.number, slot);
        slot
    }

    fn availability(&mut self, slot: u32, now: Timestamp) -> Option<Availability> {
        let entry = self.numbers.get(slot);
        let pool = &mut self.pools[entry.pool as usize];
        let day = pool.day(now);
        availability(
            &entry.usage,
            entry.status,
            entry.limits,
            pool.policy(),
            day,
            now,
        )
    }

    /// Computes when a number is free, and puts it into its place in its pool's orders.
    fn place(&mut self, slot: u32, now: Timestamp) {
        let available_at = self.availability(slot, now).map(|free| free.at);
        if self.numbers.get(slot).available_at == available_at {
            return;
        }
        self.leave_orders(slot);
        if let Some(available_at) = available_at {
            let entry = self.numbers.get_mut(slot);
            entry.available_at = Some(available_at);
            let place = Place {
                available_at,
                number: entry.number,
                slot,
            };
            self.pools[entry.pool as usize].insert(place, entry.area_code);
        }
    }

    fn leave_orders(&mut self, slot: u32) {
        let entry = self.numbers.get_mut(slot);
        if let Some(available_at) = entry.available_at.take() {
            let place = Place {
                available_at,
                number: entry.number,
                slot,
            };
            self.pools[entry.pool as usize].remove(place, entry.area_code);
        }
    }
}
