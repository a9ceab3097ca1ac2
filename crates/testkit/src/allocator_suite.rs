//! The conformance suite of engines: what the rule book says, one fact a function.
//!
//! An engine's tests name a factory and say `caller_id_testkit::allocator_suite!(factory)`: every fact becomes a test.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use caller_id_core::{
    AgentLimit, Allocation, AllocationRequest, Allocator, Ask, CallEnd, EngineNumber, Exhausted,
    HistoryStore, Inspector, ManualClock, Outcome, PhoneNumber, Policy, PoolId, ReleaseTarget,
};

use crate::builders::{call, pool, request};

mod choice;
mod inspection;
mod limits;
mod memory;
mod reports;
mod standing;

pub use choice::*;
pub use inspection::*;
pub use limits::*;
pub use memory::*;
pub use reports::*;
pub use standing::*;

/// Starts engines to be tested.
#[async_trait]
pub trait EngineFactory: Sync {
    /// An empty engine whose clock stands at [`crate::builders::START`].
    async fn start(&self) -> EngineUnderTest;
}

/// All that an engine is.
pub trait Engine: Allocator + Inspector {}

impl<T: Allocator + Inspector> Engine for T {}

/// A running engine.
pub struct EngineUnderTest {
    /// The engine.
    pub allocator: Arc<dyn Engine>,
    /// Its clock.
    pub clock: Arc<ManualClock>,
    /// Where what it does can be read back.
    pub history: Arc<dyn HistoryStore>,
    /// Whatever must live as long as the engine.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// No agent limit.
pub const NO_LIMIT: AgentLimit = AgentLimit::OFF;

impl EngineUnderTest {
    /// Sets the policy of the pool `default`.
    pub async fn policy(&self, policy: Policy) {
        self.pool("default", policy).await;
    }

    /// Sets the policy of a pool.
    pub async fn pool(&self, name: &str, policy: Policy) {
        self.allocator
            .put_pools(vec![(pool(name), policy)])
            .await
            .expect("pools are taken");
    }

    /// Adds or changes numbers.
    pub async fn put(&self, numbers: impl IntoIterator<Item = EngineNumber>) {
        self.allocator
            .put_numbers(numbers.into_iter().collect())
            .await
            .expect("numbers are taken");
    }

    /// Asks the pools `pools` for a number.
    pub async fn ask(
        &self,
        request: &AllocationRequest,
        pools: &[PoolId],
        agent_limit: AgentLimit,
    ) -> Outcome {
        self.allocator
            .allocate(Ask {
                request,
                pools,
                agent_limit,
            })
            .await
            .expect("the engine answers")
    }

    /// Asks the pool `default`, with no agent limit.
    pub async fn outcome(&self, request: &AllocationRequest) -> Outcome {
        self.ask(request, &[PoolId::default()], NO_LIMIT).await
    }

    /// Asks for a call to `destination` that must get a number.
    pub async fn next(&self, destination: PhoneNumber) -> Allocation {
        allocated(self.outcome(&AllocationRequest::to(destination)).await)
    }

    /// Asks for a call with an id that must get a number.
    pub async fn next_for_call(&self, destination: PhoneNumber, name: &str) -> Allocation {
        allocated(self.outcome(&request(destination, "", name)).await)
    }

    /// Asks for a call to `destination` that must not get a number.
    pub async fn none(&self, destination: PhoneNumber) -> Exhausted {
        exhausted(self.outcome(&AllocationRequest::to(destination)).await)
    }

    /// Releases by call id; tells whether that ended a reservation.
    pub async fn release(&self, name: &str) -> bool {
        let target = ReleaseTarget::Call(call(name));
        self.allocator
            .release(&target, CallEnd::Answer)
            .await
            .expect("the engine answers")
            .is_some()
    }

    /// Releases what an allocation reserved; tells whether that ended a reservation.
    pub async fn give_back(&self, allocation: &Allocation) -> bool {
        let target = ReleaseTarget::Reservation(allocation.record.id);
        self.allocator
            .release(&target, CallEnd::Busy)
            .await
            .expect("the engine answers")
            .is_some()
    }
}

/// The allocation in an outcome that must have one.
pub fn allocated(outcome: Outcome) -> Allocation {
    match outcome {
        Outcome::Allocated(allocation) => allocation,
        other => panic!("expected a number, got {other:?}"),
    }
}

/// The refusal in an outcome that must have one.
pub fn exhausted(outcome: Outcome) -> Exhausted {
    match outcome {
        Outcome::Exhausted(exhausted) => exhausted,
        other => panic!("expected that no number is free, got {other:?}"),
    }
}

/// Makes a test of every fact of the suite, on engines from `$factory`; or one test of all of them, one after the other,
/// where what the engines need takes long to start: `allocator_suite!(in_one_test name, factory)`.
#[macro_export]
macro_rules! allocator_suite {
    ($factory:expr) => {
        $crate::allocator_suite!(@facts each $factory);
    };
    (in_one_test $name:ident, $factory:expr) => {
        $crate::allocator_suite!(@facts in_one $name, $factory);
    };
    (@facts $($how:tt)*) => {
        $crate::allocator_suite!(@$($how)*;
            a_number_never_used_goes_first_and_ties_go_by_number,
            the_number_that_has_been_free_the_longest_goes_next,
            a_number_whose_long_call_has_just_ended_does_not_come_straight_back,
            the_ladder_goes_from_area_code_to_overlay_to_region_to_any,
            the_owners_area_code_counts_not_the_numbers_own,
            a_rung_left_out_is_never_used,
            a_destination_outside_the_nanp_gets_any_number,
            a_number_is_never_shown_to_itself,
            a_campaign_never_leaves_its_pools_and_asks_them_in_order,
            a_destination_sees_the_number_it_was_last_shown,
            a_sticky_number_that_is_not_eligible_is_not_used,
            paused_and_retired_numbers_are_never_presented_and_resting_ends_by_itself,
            an_empty_pool_says_empty,
            limited_numbers_never_hide_the_free_ones,
            numbers_are_free_again_at_the_instant_that_was_told,
            a_reserved_number_is_never_allocated_again,
            a_release_frees_the_number_but_its_cooldown_counts_from_the_use,
            releasing_twice_or_late_or_the_unknown_changes_nothing,
            a_number_may_be_reserved_as_often_as_its_policy_says,
            no_sixty_minutes_hold_more_than_the_hourly_limit,
            the_daily_limit_ends_at_local_midnight,
            a_moved_midnight_never_lets_a_number_pass_its_limit,
            a_midnight_that_moves_back_counts_the_uses_it_passes,
            changed_limits_take_effect_at_the_next_request_and_counts_are_kept,
            a_changed_policy_takes_effect_at_the_next_request,
            a_policy_that_allows_more_reservations_frees_numbers_that_stand_reserved,
            a_moved_midnight_frees_numbers_that_stand_at_their_daily_limit,
            only_successful_allocations_count_against_the_agent,
            a_call_without_agent_has_no_agent_limit,
            a_call_that_asks_again_gets_the_same_answer_counted_once,
            a_call_id_is_free_again_when_its_reservation_has_ended,
            a_clock_that_goes_back_changes_nothing,
            many_at_once_never_get_one_number_twice,
            an_engine_that_recovers_remembers_uses_reservations_calls_and_sticky_numbers,
            an_engine_that_recovers_remembers_the_agents,
            a_report_frees_the_number_and_is_kept,
            a_report_after_the_reservation_is_kept_and_frees_nothing,
            the_first_report_counts_and_completes_a_release,
            a_report_of_an_unknown_call_is_told_so,
            many_states_come_in_the_order_asked,
            what_is_foreseen_is_what_is_answered,
            looks_leave_no_trace,
            each_number_is_counted_by_what_holds_it,
            counts_are_of_the_candidates_alone,
            thousands_are_counted_in_parts,
            a_changed_policy_changes_what_is_seen_at_once,
        );
    };
    (@each $factory:expr; $($fact:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $fact() {
                let engine = $crate::allocator_suite::EngineFactory::start(&$factory).await;
                $crate::allocator_suite::$fact(&engine, &$factory).await;
            }
        )*
    };
    (@in_one $name:ident, $factory:expr; $($fact:ident,)*) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let factory = $factory;
            $(
                println!("{}", stringify!($fact));
                let engine = $crate::allocator_suite::EngineFactory::start(&factory).await;
                $crate::allocator_suite::$fact(&engine, &factory).await;
            )*
        }
    };
}
