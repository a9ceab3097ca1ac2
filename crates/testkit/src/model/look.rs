//! What the model shows to people.

use caller_id_core::inspection::Counts;
use caller_id_core::{NumberState, PhoneNumber, Policy, PoolId, Rung, Timestamp};

use super::Model;
use super::conditions::{FIVE_MINUTES, rung_holds};

impl Model {
    /// All numbers.
    pub fn numbers(&self) -> Vec<PhoneNumber> {
        self.numbers.keys().copied().collect()
    }

    /// The policy of a pool.
    pub fn policy(&self, pool: &PoolId) -> Option<&Policy> {
        self.pools.get(pool)
    }

    /// The state of a number.
    pub fn state(&self, number: PhoneNumber, now: Timestamp) -> Option<NumberState> {
        let now = self.now.max(now);
        let (row, _) = self.numbers.get(&number)?;
        let policy = self.pools.get(&row.pool).cloned().unwrap_or_default();
        let today = policy.time_zone.day(now).start;
        let running = now.as_ms() / FIVE_MINUTES;
        let uses = self.uses_of(number);
        let count = |counts: &dyn Fn(Timestamp) -> bool| {
            let counted = uses.iter().filter(|used| counts(used.at));
            counted.count() as u32
        };
        Some(NumberState {
            available_at: self.free(number, now).map(|(at, _)| at),
            last_used_at: uses.last().map(|used| used.at),
            uses_in_hour: count(&|at| at.as_ms() / FIVE_MINUTES + 12 >= running),
            uses_today: count(&|at| at >= today),
            reservations: uses.iter().filter(|used| used.end() > now).count() as u32,
        })
    }

    /// The numbers of a pool that are on a rung of `destination`, counted.
    pub fn counts(
        &self,
        pool: &PoolId,
        rung: Rung,
        destination: PhoneNumber,
        now: Timestamp,
    ) -> Counts {
        let now = self.now.max(now);
        let mut counts = Counts::default();
        for (number, _) in self.numbers.values() {
            let near = rung_holds(rung, destination.area_code(), number.area_code);
            if number.pool == *pool
                && near
                && let Some((at, cause)) = self.free(number.number, now)
            {
                counts.count((at > now).then_some(cause));
            }
        }
        counts
    }
}
