//! What the engine shows to people, against what the model says.

use caller_id_core::explain::{self, Tried};
use caller_id_core::ladder::Candidates;
use caller_id_core::{AgentLimit, AllocationRequest, Ask, PhoneNumber, PoolId, Rung};
use proptest::prelude::*;

use super::Walker;
use crate::builders::phone;

impl Walker<'_> {
    /// All numbers are in the state that the model says, and as many are free on each rung of the ladder.
    pub(super) async fn look(
        &self,
        destination: PhoneNumber,
        pools: &[PoolId],
    ) -> Result<(), TestCaseError> {
        let mut numbers = self.model.numbers();
        numbers.push(phone("+442079460999"));
        let states = self.allocator.states(&numbers).await;
        let expected = numbers.iter();
        let expected = expected.map(|number| self.model.state(*number, self.now));
        prop_assert_eq!(states.expect("it is seen"), expected.collect::<Vec<_>>());
        let request = AllocationRequest::to(destination);
        let ask = Ask {
            request: &request,
            pools,
            agent_limit: AgentLimit::OFF,
        };
        let all = pools.iter().map(|pool| Tried {
            pool: pool.clone(),
            rung: Rung::Any,
            among: Candidates::All,
        });
        for step in explain::way(ask, |pool| self.model.policy(pool))
            .into_iter()
            .chain(all)
        {
            let counts = self.allocator.counts(&step.pool, step.among).await;
            let expected = self
                .model
                .counts(&step.pool, step.rung, destination, self.now);
            prop_assert_eq!(counts.expect("they are counted"), expected, "{:?}", step);
        }
        Ok(())
    }
}
