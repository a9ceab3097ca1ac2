//! Choosing: the rules that come before a number is taken. Nothing here counts or reserves.

use caller_id_core::agent_limit::{Arrival, OverLimit, Permit};
use caller_id_core::{AgentId, Allocation, Ask, Exhausted, Outcome, PhoneNumber, Rung, Timestamp};
use smallvec::SmallVec;

use super::super::order::Place;
use super::super::pool::Climb;
use super::{Chosen, State};

/// So many numbers that stand where an older policy put them are looked at for one request. A stricter policy can leave a
/// whole pool so, until [`State::reindex`] has passed; then a request is told to come again rather than made to wait.
const MISPLACED_MOST: usize = 256;

/// The pools of a request, as the engine knows them.
type PoolSlots = SmallVec<[u32; 4]>;

/// What becomes of a request.
pub(super) enum Considered {
    /// It gets this number.
    Turn(Chosen, Option<Permit>),
    /// It is answered with nothing taken; the answer rests on that change, if on any.
    Told(Outcome, Option<u64>),
}

/// The numbers that were put right while one was chosen, and where each stood before.
pub(super) type Moved = Vec<(u32, Option<Timestamp>)>;

impl State {
    /// Rules 1 to 5 and 7, in their order. Nothing is counted or reserved.
    pub(super) fn consider(
        &mut self,
        ask: &Ask<'_>,
        now: Timestamp,
        moved: &mut Moved,
    ) -> Considered {
        if let Some((again, sequence)) = self.repeat(ask, now) {
            return Considered::Told(Outcome::Allocated(again), Some(sequence));
        }
        let permit = match self.permit(ask, now) {
            Ok(permit) => permit,
            Err(OverLimit { retry_after_ms }) => {
                return Considered::Told(Outcome::AgentLimited { retry_after_ms }, None);
            }
        };
        match self.choose(ask, now, moved) {
            Ok(chosen) => Considered::Turn(chosen, permit),
            Err(exhausted) => Considered::Told(Outcome::Exhausted(exhausted), None),
        }
    }

    /// Rule 1: a call that asks again while its reservation lives gets the same answer, counted once. Gives that, and the
    /// change that made it.
    fn repeat(&self, ask: &Ask<'_>, now: Timestamp) -> Option<(Allocation, u64)> {
        let call = self.calls.get(ask.request.call_id.as_ref()?)?;
        let entry = self.numbers.get(call.slot);
        if !entry.usage.is_held_by(call.record.id, now) {
            return None;
        }
        let limited = ask
            .request
            .agent
            .as_ref()
            .filter(|_| ask.agent_limit.is_on());
        let remaining = |agent| ask.agent_limit.remaining(self.arrival(agent), now);
        let again = Allocation {
            record: call.record.clone(),
            area_code: entry.area_code,
            limits: entry.limits,
            agent_remaining: limited.map(remaining),
            repeated: true,
        };
        Some((again, call.sequence))
    }

    /// Rule 2: the agent limit.
    fn permit(&self, ask: &Ask<'_>, now: Timestamp) -> Result<Option<Permit>, OverLimit> {
        match &ask.request.agent {
            Some(agent) if ask.agent_limit.is_on() => {
                ask.agent_limit.check(self.arrival(agent), now)
            }
            _ => Ok(None),
        }
    }

    /// What is stored for an agent.
    fn arrival(&self, agent: &AgentId) -> Option<Arrival> {
        self.agents.get(agent).map(|agent| agent.arrival)
    }

    /// Rules 3 to 5 and 7: the number this destination knows, else the one whose turn it is, else until when there is none.
    fn choose(
        &mut self,
        ask: &Ask<'_>,
        now: Timestamp,
        moved: &mut Moved,
    ) -> Result<Chosen, Exhausted> {
        let slots = ask
            .pools
            .iter()
            .filter_map(|pool| self.pool_slots.get(pool));
        let pools: PoolSlots = slots.copied().collect();
        let destination = ask.request.destination;
        match self.shown_before(&pools, destination, now) {
            Some(chosen) => Ok(chosen),
            None => self.climb(&pools, destination, now, moved),
        }
    }

    /// Rule 3: the number this destination was last shown by one of these pools, if it is eligible now.
    fn shown_before(
        &self,
        pools: &[u32],
        destination: PhoneNumber,
        now: Timestamp,
    ) -> Option<Chosen> {
        let shown = pools.iter().filter_map(|pool| {
            let pool = &self.pools[*pool as usize];
            let sticky_ms = pool.policy().sticky_ms;
            let shown = (sticky_ms > 0).then(|| pool.shown.get(destination));
            shown
                .flatten()
                .filter(|shown| shown.at.plus_ms(sticky_ms) > now)
        });
        let latest =
            shown.reduce(|latest, other| if other.at > latest.at { other } else { latest });
        let slot = latest?.slot;
        let mine = pools.contains(&self.numbers.get(slot).pool);
        (mine && self.is_free(slot, now)).then_some(Chosen {
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
        moved: &mut Moved,
    ) -> Result<Chosen, Exhausted> {
        let mut earliest: Option<Place> = None;
        for pool in pools {
            loop {
                match self.pools[*pool as usize].climb(destination, now) {
                    Climb::Free(place, rung) => {
                        let slot = place.slot();
                        let in_place = self.pools[*pool as usize].stale_from().is_none();
                        if in_place || self.is_free(slot, now) {
                            return Ok(Chosen { slot, rung });
                        }
                        // It stood there by a policy that has changed since. In its right place it is not found again.
                        moved.push((slot, self.numbers.get(slot).available_at));
                        self.place(slot, now);
                        if moved.len() == MISPLACED_MOST {
                            return Err(self.exhausted(slot, now));
                        }
                    }
                    Climb::Earliest(first) => {
                        earliest = first.into_iter().chain(earliest).min();
                        break;
                    }
                }
            }
        }
        let first = earliest.map(Place::slot);
        Err(first.map_or(Exhausted::EMPTY, |slot| self.exhausted(slot, now)))
    }

    /// Rule 7: until when there is none, and why.
    fn exhausted(&self, first: u32, now: Timestamp) -> Exhausted {
        let free = self.availability(first, now);
        free.map_or(Exhausted::EMPTY, |free| Exhausted {
            earliest: Some(free.at),
            wait_ms: free.at.ms_since(now),
            cause: free.cause,
        })
    }

    fn is_free(&self, slot: u32, now: Timestamp) -> bool {
        self.availability(slot, now)
            .is_some_and(|free| free.at <= now)
    }
}
