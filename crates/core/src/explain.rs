//! Why a request gets what it gets: the way that its ladder goes, for whoever asks how many numbers are free at each step.

use crate::ids::PoolId;
use crate::ladder::{Candidates, Rung};
use crate::policy::Policy;
use crate::request::Ask;

/// One step of the way: a rung of one pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Which pool.
    pub pool: PoolId,
    /// On which rung.
    pub rung: Rung,
    /// Whose turn it may be there. The destination itself, when it is a number of ours, is never chosen and may be one of
    /// them.
    pub among: Candidates,
}

/// All that is tried for `ask` as long as no number is free, in order: pool by pool, in each rung by rung. `policy` gives the
/// policy of a pool; a pool that has none is not there, and nothing is tried in it.
///
/// What comes before the ladder (the call asked before, the agent is over its limit, the destination knows a number) is no
/// step of it: [`crate::Inspector::foresee`] tells, the last with [`Rung::Sticky`].
pub fn way<'a>(ask: Ask<'_>, policy: impl Fn(&PoolId) -> Option<&'a Policy>) -> Vec<Tried> {
    let area_code = ask.request.destination.area_code();
    let known = ask.pools.iter();
    let known = known.filter_map(|pool| policy(pool).map(|policy| (pool, policy)));
    let steps = known.flat_map(|(pool, policy)| {
        let rungs = policy.ladder.climb(area_code);
        rungs.map(|(rung, among)| Tried {
            pool: pool.clone(),
            rung,
            among,
        })
    });
    steps.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent_limit::AgentLimit;
    use crate::ladder::Ladder;
    use crate::number::PhoneNumber;
    use crate::request::AllocationRequest;

    fn steps(destination: &str, policies: &[(&str, Policy)]) -> Vec<(String, Rung)> {
        let destination: PhoneNumber = destination.parse().expect("a number");
        let request = AllocationRequest::to(destination);
        let names = ["solar", "nowhere", "roof"];
        let pools = names.map(|name| PoolId::new(name).expect("a name"));
        let ask = Ask {
            request: &request,
            pools: &pools,
            agent_limit: AgentLimit::OFF,
        };
        let policy = |pool: &PoolId| {
            let found = policies.iter().find(|(name, _)| *name == pool.as_str());
            found.map(|(_, policy)| policy)
        };
        let way = way(ask, policy).into_iter();
        way.map(|step| (step.pool.as_str().to_owned(), step.rung))
            .collect()
    }

    #[test]
    fn pool_by_pool_and_rung_by_rung_what_the_policy_allows() {
        let short = Policy {
            ladder: Ladder::new(&[Rung::Any, Rung::AreaCode]).expect("two rungs"),
            ..Policy::default()
        };
        let policies = [("roof", Policy::default()), ("solar", short)];
        let expected = [
            ("solar", Rung::AreaCode),
            ("solar", Rung::Any),
            ("roof", Rung::AreaCode),
            ("roof", Rung::Overlay),
            ("roof", Rung::Region),
            ("roof", Rung::Any),
        ];
        let expected = expected.map(|(pool, rung)| (pool.to_owned(), rung));
        assert_eq!(steps("+12125550100", &policies), expected);
    }

    #[test]
    fn a_destination_without_area_code_has_one_rung() {
        let policies = [("solar", Policy::default())];
        let expected = [("solar".to_owned(), Rung::Any)];
        assert_eq!(steps("+442079460958", &policies), expected);
    }
}
