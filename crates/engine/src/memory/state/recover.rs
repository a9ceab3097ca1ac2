//! Taking over what history knows, at start.

use std::sync::Arc;

use caller_id_core::allocator::Shown;
use caller_id_core::usage::Usage;
use caller_id_core::{AllocationRecord, PhoneNumber, Recovered, Timestamp};

use super::super::expiring::Expiring;
use super::super::pool;
use super::{Call, State};

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
        for (agent, arrival) in recovered.agents {
            let expires = arrival.forgotten_at();
            self.agents.insert(
                agent,
                Expiring {
                    value: arrival,
                    expires,
                },
                now,
            );
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
        if let Some((slot, call_id)) = slot.zip(record.call_id.clone()) {
            let (at, expires) = (record.at, record.reserved_until);
            let call = Call {
                slot,
                record: Arc::new(record),
                sequence: 0,
            };
            self.calls.insert(
                call_id,
                Expiring {
                    value: call,
                    expires,
                },
                at,
            );
        }
    }

    fn recover_shown(&mut self, shown: &Shown) {
        let pool = self.pool_slots.get(&shown.pool).copied();
        let slot = self.slots.get(&shown.number).copied();
        if let Some((pool, slot)) = pool.zip(slot) {
            let pool = &mut self.pools[pool as usize];
            let sticky_ms = pool.policy().sticky_ms;
            let value = pool::Shown { slot, at: shown.at };
            let expires = shown.at.plus_ms(sticky_ms);
            pool.shown
                .insert(shown.destination, Expiring { value, expires }, shown.at);
        }
    }
}
