//! The conformance suite of stores: what core's ports promise, one fact a function.
//!
//! A store's tests name a factory and say `caller_id_testkit::store_suite!(factory)`: every fact becomes a test.

#![expect(clippy::unwrap_used, reason = "every function here is a test")]

use std::sync::Arc;

use async_trait::async_trait;
use caller_id_core::store::PastAllocation;
use caller_id_core::{
    AuditLog, HistoryReader, HistoryStore, InventoryStore, Journal, JournalEvent, KeyStore,
    ManualClock, Timestamp,
};

mod administration;
mod audit;
mod changes;
mod dice;
mod history;
mod inventory;
mod journal;
mod keys;
mod lists;
mod past;
mod present;
pub mod records;
mod rests;
mod results;
mod sessions;
mod stats;
mod sums;
mod things;

pub use administration::*;
pub use audit::*;
pub use changes::*;
pub use history::*;
pub use inventory::*;
pub use journal::*;
pub use keys::*;
pub use lists::*;
pub use past::*;
pub use present::*;
pub use rests::*;
pub use results::*;
pub use sessions::*;
pub use stats::*;
pub use sums::*;
pub use things::*;

/// Makes stores to be tested.
#[async_trait]
pub trait StoreFactory: Sync {
    /// A new, empty data set.
    async fn data_set(&self) -> Box<dyn DataSet>;
}

/// What a store keeps, apart from the store that has it open.
#[async_trait]
pub trait DataSet: Send {
    /// Opens it, for the first time or again: the stores of the last time are dropped before.
    async fn open(&mut self) -> OpenStore;
}

/// A store that is open, seen through each of its ports. Dropping it closes it.
pub struct OpenStore {
    /// Numbers, pools, campaigns.
    pub inventory: Arc<dyn InventoryStore>,
    /// What was allocated.
    pub history: Arc<dyn HistoryStore>,
    /// The same, as people ask for it.
    pub reader: Arc<dyn HistoryReader>,
    /// Where it is committed.
    pub journal: Arc<dyn Journal>,
    /// Who changed what.
    pub audit: Arc<dyn AuditLog>,
    /// Keys and sessions.
    pub keys: Arc<dyn KeyStore>,
    /// Which gives rows their instants; it stands where the data set left it.
    pub clock: Arc<ManualClock>,
}

impl OpenStore {
    /// Commits one batch.
    pub async fn commit(&self, events: impl IntoIterator<Item = JournalEvent>) {
        self.journal
            .commit(events.into_iter().collect())
            .await
            .expect("the batch is committed");
    }

    /// Moves all that is committed into history.
    pub async fn settle(&self) {
        self.history.settle().await.expect("history is settled");
    }

    /// All allocations of history.
    pub async fn past(&self) -> Vec<PastAllocation> {
        self.past_since(Timestamp::ZERO).await
    }

    /// The allocations of history from an instant on.
    pub async fn past_since(&self, since: Timestamp) -> Vec<PastAllocation> {
        let mut past = Vec::new();
        self.history
            .allocations_since(since, &mut |one| past.push(one))
            .await
            .expect("history is read");
        past
    }
}

/// Makes a test of every fact of the suite, for the stores that the factory makes.
#[macro_export]
macro_rules! store_suite {
    ($factory:expr) => {
        $crate::store_suite_tests! {
            $factory;
            // inventory
            the_default_pool_is_there_from_the_start,
            it_is_told_which_numbers_are_owned,
            a_number_reads_back_as_it_was_written,
            numbers_are_paged_in_order,
            a_duplicate_is_skipped_replaced_or_refused_as_asked,
            a_column_that_is_not_given_keeps_its_value,
            a_number_twice_in_one_batch_is_a_duplicate_of_itself,
            the_rows_beside_a_refused_one_are_written,
            a_pool_that_a_row_names_is_made,
            a_refused_row_makes_no_pool,
            pools_and_campaigns_read_back,
            a_campaign_with_a_missing_pool_is_refused_by_name,
            a_deleted_campaign_is_gone,
            the_inventory_survives_a_reopen,
            the_identity_stays_the_same,
            // changes
            changes_page_through_every_number_once,
            nothing_changed_after_the_last_revision,
            writing_the_same_again_is_no_change,
            each_change_shows_from_the_revision_before,
            a_number_that_changes_between_two_pages_is_seen_as_it_is,
            // lists
            a_list_has_what_its_query_says_in_its_order,
            a_long_list_is_walked_in_every_order,
            a_rest_ends_by_itself_wherever_one_looks,
            a_row_tells_when_its_number_was_added_and_changed,
            // administration
            a_number_is_changed_only_when_it_is_what_was_expected,
            of_two_who_change_what_they_saw_one_is_told,
            a_change_that_names_a_missing_pool_is_refused_by_name,
            many_numbers_change_in_steps,
            a_deleted_number_comes_to_engines_as_one_that_is_retired,
            pools_and_campaigns_are_put_only_over_what_was_expected,
            a_pool_goes_only_when_nothing_uses_it,
            each_change_has_one_entry_with_what_was_before,
            // history
            what_is_committed_is_seen_before_and_after_it_is_settled,
            an_end_is_seen_wherever_its_allocation_is,
            the_first_end_counts,
            the_end_of_an_unknown_allocation_is_ignored,
            how_a_call_went_is_seen_wherever_its_allocation_is,
            the_first_report_counts,
            the_first_status_that_says_something_is_kept,
            the_report_of_an_unknown_allocation_is_ignored,
            the_latest_allocation_of_a_call_is_found,
            the_latest_call_that_showed_a_number_to_somebody_is_found,
            allocations_come_in_the_order_of_their_times,
            allocations_before_the_instant_are_left_out,
            pages_of_history_join_to_the_whole,
            the_last_use_of_a_number_is_its_latest,
            pruning_takes_the_oldest_and_no_more_than_asked,
            // past
            pages_have_what_the_filter_asks_for_newest_first,
            a_page_begins_behind_any_id,
            a_page_looks_at_no_more_than_some_rows,
            // stats
            counts_are_those_of_the_allocations_however_much_is_summed_up,
            the_lines_with_the_most_calls_are_given,
            an_end_that_is_not_settled_counts,
            campaigns_are_seen_from_an_instant_on,
            // sums
            sums_outlive_the_allocations_they_were_counted_from,
            what_is_said_late_is_counted_a_day_later,
            summing_up_again_takes_nothing_back,
            summing_up_at_once_counts_once,
            long_gaps_are_passed_over,
            old_sums_are_given_up,
            // present
            what_campaigns_do_is_counted_from_an_instant_on,
            numbers_that_are_answered_less_are_told,
            numbers_are_counted_by_what_they_have_in_common,
            // journal
            a_batch_committed_twice_is_in_history_once,
            the_backlog_is_what_was_committed_and_not_moved,
            a_probe_leaves_no_trace_in_history,
            everything_committed_survives_a_reopen,
            random_batches_read_back_as_they_were_committed,
            reading_while_batches_are_moved_sees_each_allocation_once,
            // audit
            a_new_log_is_empty,
            an_entry_reads_back_byte_for_byte,
            entries_of_many_at_once_make_one_chain,
            a_log_is_walked_in_pages_of_any_size,
            the_newest_entries_come_first_page_by_page,
            a_filter_leaves_out_what_was_not_asked_for,
            an_action_is_asked_for_by_how_it_begins,
            an_entry_is_of_its_instant_and_before_the_next,
            // keys
            a_key_reads_back_as_it_was_added,
            keys_come_in_the_order_they_were_made,
            the_name_of_a_key_is_taken_until_it_is_revoked,
            of_many_who_want_one_name_for_a_key_one_has_it,
            a_key_is_revoked_once,
            a_key_is_good_until_the_instant_it_expires,
            the_last_use_of_a_key_is_its_latest,
            the_revision_of_keys_grows_with_each_change_and_with_nothing_else,
            a_change_of_keys_is_in_the_audit_log,
            // sessions
            a_session_is_there_from_its_begin_to_its_end,
            sessions_that_ended_are_forgotten_when_another_begins,
            many_sessions_begin_at_once,
            the_audit_log_tells_of_sessions,
            the_key_of_cookies_stays,
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn no_two_data_sets_have_one_identity() {
            $crate::store_suite::no_two_data_sets_have_one_identity(&$factory).await;
        }
    };
}

/// The part of [`store_suite!`] that repeats.
#[doc(hidden)]
#[macro_export]
macro_rules! store_suite_tests {
    ($factory:expr; $($fact:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $fact() {
                let mut data_set = $crate::store_suite::StoreFactory::data_set(&$factory).await;
                $crate::store_suite::$fact(&mut *data_set).await;
            }
        )*
    };
}
