//! Numbers and pools that come and change, and where each number stands.

use caller_id_core::eligibility::{Availability, availability};
use caller_id_core::usage::Usage;
use caller_id_core::{EngineNumber, Policy, PoolId, Timestamp};

use super::super::order::Place;
use super::super::pool::Pool;
use super::super::slab::Entry;
use super::State;

impl State {
    /// Makes a pool or changes its policy. Numbers that stand in the wrong place by it move in [`State::reindex`].
    pub fn put_pool(&mut self, id: &PoolId, policy: Policy, now: Timestamp) {
        let now = self.advance(now);
        self.inventory += 1;
        match self.pool_slots.get(id) {
            Some(slot) => self.pools[*slot as usize].set_policy(policy, now),
            None => {
                self.pool_slots.insert(id.clone(), self.pools.len() as u32);
                self.pools.push(Pool::new(id.clone(), policy, now));
            }
        }
    }

    /// Looks at the next `most` numbers and puts those of `pool` into their right places. Tells whether there are more;
    /// a pass that was broken off is resumed.
    pub fn reindex(&mut self, pool: &PoolId, most: u32, now: Timestamp) -> bool {
        let now = self.advance(now);
        let Some(pool) = self.pool_slots.get(pool).copied() else {
            return false;
        };
        let Some(from) = self.pools[pool as usize].stale_from() else {
            return false;
        };
        self.inventory += 1;
        let end = from.saturating_add(most).min(self.numbers.len());
        for slot in from..end {
            if self.numbers.get(slot).pool == pool {
                self.place(slot, now);
            }
        }
        let rest = (end < self.numbers.len()).then_some(end);
        self.pools[pool as usize].set_stale_from(rest);
        rest.is_some()
    }

    /// Adds a number, or changes what its owner says of it. Its use so far is kept.
    pub fn put_number(&mut self, number: &EngineNumber, now: Timestamp) {
        let now = self.advance(now);
        self.inventory += 1;
        let pool = self.pool_slot(&number.pool, now);
        let slot = match self.slots.get(&number.number).copied() {
            Some(slot) => {
                self.place_at(slot, None);
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

    fn pool_slot(&mut self, id: &PoolId, now: Timestamp) -> u32 {
        if let Some(slot) = self.pool_slots.get(id) {
            return *slot;
        }
        self.put_pool(id, Policy::default(), now);
        self.pools.len() as u32 - 1
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

    /// From when a number is free, as things stand.
    pub(super) fn availability(&self, slot: u32, now: Timestamp) -> Option<Availability> {
        let entry = self.numbers.get(slot);
        let pool = &self.pools[entry.pool as usize];
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

    /// Computes from when a number is free, and puts it into its place in its pool's orders.
    pub(super) fn place(&mut self, slot: u32, now: Timestamp) {
        let available_at = self.availability(slot, now).map(|free| free.at);
        self.place_at(slot, available_at);
    }

    pub(super) fn place_at(&mut self, slot: u32, available_at: Option<Timestamp>) {
        let entry = self.numbers.get_mut(slot);
        let before = std::mem::replace(&mut entry.available_at, available_at);
        if before != available_at {
            let place = |instant| Place::new(instant, entry.number, slot);
            let (from, to) = (before.map(place), available_at.map(place));
            self.pools[entry.pool as usize].change_place(from, to, entry.area_code);
        }
    }
}
