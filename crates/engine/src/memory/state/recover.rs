//! Taking over what history knows, at start.

use std::sync::Arc;

use caller_id_core::allocator::Shown;
use caller_id_core::usage::Usage;
use caller_id_core::{AllocationRecord, PhoneNumber, Recovered, Timestamp};

use super::super::pool;
use super::State;

impl State {
    /// Takes over what history knows of numbers that were put before. What it says of others is left out: a number that
    /// is ours no longer is never presented.
    pub fn recover(&mut self, recovered: Recovered, now: Timestamp) {
        let now = self.advance(now);
        for (number, usage) in recovered.usages {
            self.recover_usage(number, usage, now);
        }
        for record in recovered.calls {
            self.recover_call(record);
        }
        for shown in &recovered.shown {
            self.recover_shown(shown);
        }
        for (agent, arrival) in &recovered.agents {
            self.remember_agent(agent, *arrival);
        }
    }

    fn recover_usage(&mut self, number: PhoneNumber, usage: Usage, now: Timestamp) {
        if let Some(slot) = self.slots.get(&number).copied() {
            self.numbers.get_mut(slot).usage = usage;
            self.place(slot, now);
        }
    }

    fn recover_call(&mut self, record: AllocationRecord) {
        let slot = self.slots.get(&record.number).copied();
        if let Some(slot) = slot {
            self.remember_call(&Arc::new(record), slot, 0);
        }
    }

    fn recover_shown(&mut self, shown: &Shown) {
        let pool = self.pool_slots.get(&shown.pool).copied();
        let slot = self.slots.get(&shown.number).copied();
        if let Some((pool, slot)) = pool.zip(slot) {
            let found = pool::Shown { slot, at: shown.at };
            self.pools[pool as usize].remember_shown(shown.destination, found, shown.at);
        }
    }
}
