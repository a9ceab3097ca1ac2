//! Looks at the state that change nothing, not even the latest instant it was given.

use caller_id_core::inspection::{Counts, Foreseen};
use caller_id_core::ladder::Candidates;
use caller_id_core::{Ask, NumberState, PhoneNumber, PoolId, Timestamp};

use super::State;
use super::choose::{Considered, Moved};

/// How long it takes to count a number, and to pass over one of another pool.
const COUNTED: u64 = 10;
const PASSED: u64 = 1;

/// A count of a pool's candidates that is taken in parts.
#[derive(Debug)]
pub struct Tally {
    pool: u32,
    among: Candidates,
    /// Where the candidates are, when they are few; else all numbers are looked through for them.
    slots: Option<Vec<u32>>,
    /// How many of these, or of all, were looked at.
    looked_at: u32,
    counts: Counts,
}

impl State {
    /// The live state of a number.
    pub fn number_state(&self, number: PhoneNumber, now: Timestamp) -> Option<NumberState> {
        let now = self.seen_at(now);
        let slot = *self.slots.get(&number)?;
        let entry = self.numbers.get(slot);
        let day = self.pools[entry.pool as usize].day(now);
        let last_used_at = entry.usage.last_used_at;
        Some(NumberState {
            available_at: self.availability(slot, now).map(|free| free.at),
            last_used_at: (last_used_at > Timestamp::ZERO).then_some(last_used_at),
            uses_in_hour: entry.usage.hour.count(now),
            uses_today: entry.usage.day.count(day),
            reservations: entry.usage.live(now) as u32,
        })
    }

    /// What [`State::allocate`] would answer. Numbers that stand where an older policy put them are put right meanwhile, and
    /// back again: so the same steps lead to the same answer.
    pub fn foresee(&mut self, ask: Ask<'_>, now: Timestamp) -> Foreseen {
        let now = self.seen_at(now);
        let mut moved = Moved::new();
        let considered = self.consider(&ask, now, &mut moved);
        for (slot, stood_at) in moved.into_iter().rev() {
            self.place_at(slot, stood_at);
        }
        match considered {
            Considered::Turn(chosen, _) => {
                let entry = self.numbers.get(chosen.slot);
                Foreseen::Number {
                    number: entry.number,
                    pool: self.pools[entry.pool as usize].id.clone(),
                    rung: chosen.rung,
                }
            }
            Considered::Told(outcome, _) => Foreseen::from(&outcome),
        }
    }

    /// Begins to count a pool's candidates; `None` when there is no such pool. When there are `listed_most` at most, they are
    /// listed, so that no other number is looked at.
    pub fn tally(&self, pool: &PoolId, among: Candidates, listed_most: usize) -> Option<Tally> {
        let slot = *self.pool_slots.get(pool)?;
        let pool = &self.pools[slot as usize];
        let are_few = pool.count(among) <= listed_most;
        Some(Tally {
            pool: slot,
            among,
            slots: are_few.then(|| pool.slots(among).collect()),
            looked_at: 0,
            counts: Counts::default(),
        })
    }

    /// Goes on with a count: counts `most` numbers, and passes over others on the way to them, of which ten take no longer than
    /// one that is counted. Gives the counts when there are no more.
    ///
    /// Each number is counted once, as it is when it is looked at.
    pub fn go_on(&self, tally: &mut Tally, most: u32, now: Timestamp) -> Option<Counts> {
        let now = self.seen_at(now);
        let all = match &tally.slots {
            Some(slots) => slots.len() as u32,
            None => self.numbers.len(),
        };
        let mut left = u64::from(most) * COUNTED;
        while tally.looked_at < all && left >= COUNTED {
            let place = tally.looked_at;
            let listed = tally.slots.as_ref().map(|slots| slots[place as usize]);
            let slot = listed.unwrap_or(place);
            let entry = self.numbers.get(slot);
            left -= PASSED;
            if entry.pool == tally.pool && tally.among.has(entry.area_code) {
                self.count(&mut tally.counts, slot, now);
                left -= COUNTED - PASSED;
            }
            tally.looked_at += 1;
        }
        (tally.looked_at == all).then_some(tally.counts)
    }

    fn count(&self, counts: &mut Counts, slot: u32, now: Timestamp) {
        if let Some(free) = self.availability(slot, now) {
            counts.count((free.at > now).then_some(free.cause));
        }
    }

    /// The instant of a look at `now`: time never goes back.
    fn seen_at(&self, now: Timestamp) -> Timestamp {
        self.now.max(now)
    }
}

#[cfg(test)]
mod tests {
    use caller_id_core::{AgentLimit, AllocationRequest, Policy};
    use caller_id_testkit::builders::{START, brisk_policy, engine_number, number};

    use super::*;

    fn ask<'a>(request: &'a AllocationRequest, pools: &'a [PoolId]) -> Ask<'a> {
        Ask {
            request,
            pools,
            agent_limit: AgentLimit::OFF,
        }
    }

    /// So many numbers that are in use, and stand where a policy put them that allowed more.
    fn misplaced(count: u64) -> State {
        let mut state = State::default();
        let pool = PoolId::default();
        state.put_pool(&pool, brisk_policy(), START);
        for line in 0..count {
            state.put_number(&engine_number(number(312, line)), START);
        }
        let request = AllocationRequest::to(number(808, 1));
        for _ in 0..count {
            state.allocate(ask(&request, std::slice::from_ref(&pool)), START);
        }
        let stricter = Policy {
            cooldown_ms: 600_000,
            ..brisk_policy()
        };
        state.put_pool(&pool, stricter, START);
        state
    }

    #[test]
    fn what_is_foreseen_among_misplaced_numbers_is_what_is_answered_and_nothing_has_moved() {
        let later = START.plus_ms(60_000);
        let request = AllocationRequest::to(number(808, 1));
        let pools = [PoolId::default()];
        for count in [1, 255, 256, 257, 600] {
            let mut state = misplaced(count);
            state.put_number(&engine_number(number(312, 9_000)), START.plus_ms(1));
            // Each answer puts 256 of them right at most.
            for _ in 0..4 {
                let before = format!("{state:?}");
                let foreseen = state.foresee(ask(&request, &pools), later);
                assert_eq!(format!("{state:?}"), before, "{count} numbers");
                let answer = state.allocate(ask(&request, &pools), later).answer;
                assert_eq!(foreseen, Foreseen::from(&answer), "{count} numbers");
            }
        }
    }

    #[test]
    fn a_count_in_parts_is_the_count_at_once() {
        let state = misplaced(600);
        let pool = PoolId::default();
        let later = START.plus_ms(60_000);
        for among in [
            Candidates::All,
            Candidates::Area(caller_id_testkit::builders::area(312)),
        ] {
            let mut parts = state.tally(&pool, among, 0).expect("a pool");
            let mut steps = 1;
            let counts = loop {
                match state.go_on(&mut parts, 100, later) {
                    Some(counts) => break counts,
                    None => steps += 1,
                }
            };
            assert_eq!(steps, 6);
            let mut whole = state.tally(&pool, among, 600).expect("a pool");
            assert_eq!(state.go_on(&mut whole, 600, later), Some(counts));
            assert_eq!((counts.cooldown, counts.total()), (600, 600));
        }
    }
}
