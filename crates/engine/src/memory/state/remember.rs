//! What an allocation leaves behind besides the number's use: its call, its agent's limit, and what its destination was
//! shown.

use std::sync::Arc;

use caller_id_core::agent_limit::{Arrival, Permit};
use caller_id_core::{AgentId, AllocationRecord, CallId, Timestamp};

use super::super::expiring::Expires;
use super::super::pool::Shown;
use super::super::undo::Replaced;
use super::State;

/// The allocation that a call got, for when it asks again.
#[derive(Debug)]
pub(in super::super) struct Call {
    pub(super) record: Arc<AllocationRecord>,
    pub(super) slot: u32,
    /// The change that made it.
    pub(super) sequence: u64,
    /// The end of its reservation, as in the record: beside the others, so that looking for what has expired touches
    /// no record.
    pub(super) reserved_until: Timestamp,
}

impl Expires for Call {
    type Key = CallId;

    fn key(&self) -> &CallId {
        let call_id = self.record.call_id.as_ref();
        call_id.expect("only an allocation with a call id is remembered")
    }

    fn expires(&self) -> Timestamp {
        self.reserved_until
    }
}

/// An agent's limit.
#[derive(Debug)]
pub(super) struct Agent {
    pub(super) id: AgentId,
    pub(super) arrival: Arrival,
}

impl Expires for Agent {
    type Key = AgentId;

    fn key(&self) -> &AgentId {
        &self.id
    }

    fn expires(&self) -> Timestamp {
        self.arrival.forgotten_at()
    }
}

impl State {
    /// Remembers what rules 1 to 3 look for, and gives what was remembered before.
    pub(super) fn remember(
        &mut self,
        record: &Arc<AllocationRecord>,
        slot: u32,
        permit: Option<Permit>,
    ) -> Replaced {
        let agent = record.agent.as_ref().zip(permit);
        Replaced {
            call: self.remember_call(record, slot, self.changes + 1),
            agent: agent.map(|(agent, permit)| self.remember_agent(agent, permit.arrival)),
            shown: self.remember_shown(record, slot),
        }
    }

    pub(super) fn remember_call(
        &mut self,
        record: &Arc<AllocationRecord>,
        slot: u32,
        sequence: u64,
    ) -> Option<Call> {
        record.call_id.as_ref()?;
        let call = Call {
            record: record.clone(),
            slot,
            sequence,
            reserved_until: record.reserved_until,
        };
        self.calls.insert(call, record.at)
    }

    pub(super) fn remember_agent(&mut self, id: &AgentId, arrival: Arrival) -> Option<Arrival> {
        if let Some(agent) = self.agents.get_mut(id) {
            return Some(std::mem::replace(&mut agent.arrival, arrival));
        }
        let id = id.clone();
        self.agents.insert(Agent { id, arrival }, self.now);
        None
    }

    fn remember_shown(
        &mut self,
        record: &AllocationRecord,
        slot: u32,
    ) -> Option<(u32, Option<Shown>)> {
        let at = record.at;
        let pool_slot = self.numbers.get(slot).pool;
        let pool = &mut self.pools[pool_slot as usize];
        let sticky = pool.policy().sticky_ms > 0;
        sticky.then(|| {
            let shown = Shown { slot, at };
            (
                pool_slot,
                pool.remember_shown(record.destination, shown, at),
            )
        })
    }

    /// Takes back what [`State::remember`] remembered of an allocation.
    pub(super) fn put_back(&mut self, record: &AllocationRecord, replaced: Replaced) {
        if let Some(call_id) = &record.call_id {
            match replaced.call {
                Some(before) => drop(self.calls.insert(before, self.now)),
                None => self.calls.remove(call_id),
            }
        }
        if let Some((agent, before)) = record.agent.as_ref().zip(replaced.agent) {
            match before {
                Some(before) => drop(self.remember_agent(agent, before)),
                None => self.agents.remove(agent),
            }
        }
        if let Some((pool, before)) = replaced.shown {
            let shown = &mut self.pools[pool as usize].shown;
            shown.restore(record.destination, before);
        }
    }
}
