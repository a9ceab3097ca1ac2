//! Races of nodes that rebuild a lost state, bring what they know, or sleep meanwhile.

use std::sync::Arc;

use caller_id_core::shared::{Merge, StateId};
use caller_id_core::store::PastAllocation;
use caller_id_core::usage::Usage;
use caller_id_core::{
    AgentLimit, AllocationRecord, Allocator, CallEnd, CallReport, EngineNumber, JournalEvent,
    ManualClock, Outbox, Outcome, Recovered, ReleaseTarget, Reported, SharedAllocator, Standing,
};
use caller_id_engine::RedisAllocator;
use caller_id_testkit::builders::{engine_number, number, pool};
use caller_id_testkit::redis::RedisServer;

use crate::rig::{NEVER, ask, clock, declare_whole, engine, far, stock, time};

/// Longer than a node that is not heard of keeps the work of rebuilding.
const CLAIM_OVER_MS: i64 = 6_000;

pub(crate) struct Nodes {
    server: RedisServer,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) one: Arc<RedisAllocator>,
    pub(crate) other: Arc<RedisAllocator>,
}

/// Two nodes on one Redis with a few numbers.
pub(crate) async fn nodes(numbers: u64) -> Nodes {
    let server = RedisServer::start();
    let clock = clock();
    let [one, other] = [(), ()].map(|()| engine(&server, "default", time(&clock)));
    stock(&one, numbers).await;
    Nodes {
        server,
        clock,
        one,
        other,
    }
}

impl Nodes {
    pub(crate) fn flush(&self) {
        let _: String = self.server.ask(&["FLUSHALL"]).expect("it forgets");
    }

    pub(crate) async fn bring(&self, node: &RedisAllocator) -> usize {
        let merge = match node.standing().await.expect("redis answers") {
            Standing::Ready(merge)
            | Standing::Lost {
                merging: Some(merge),
                ..
            } => merge,
            other => panic!("nodes bring nothing yet: {other:?}"),
        };
        let brought = node.hand_in(merge, &AgentLimit::OFF.into()).await;
        brought.expect("it is taken")
    }

    /// Whether a node was noted that brings something.
    pub(crate) fn somebody_is_busy(&self) -> bool {
        let key = "caller-id:{default}:rebuild";
        let busy: Option<String> = self.server.ask(&["HGET", key, "busy"]).expect("it tells");
        busy.is_some()
    }

    /// The kinds of what waits in the outbox: `a` for an allocation, `e` for its end, `r` for how the call went.
    pub(crate) async fn outbox(&self) -> String {
        let entries = self.one.journal("0", 100).await.expect("it is read");
        let kind = |event: &JournalEvent| match event {
            JournalEvent::Allocated(_) => 'a',
            JournalEvent::Ended(_) => 'e',
            JournalEvent::Reported(_) => 'r',
        };
        entries.iter().map(|entry| kind(&entry.event)).collect()
    }

    pub(crate) async fn uses(&self, line: u64) -> Option<(u32, u32)> {
        let state = self.one.number_state(number(312, line)).await;
        let state = state.expect("redis answers")?;
        Some((state.uses_today, state.reservations))
    }
}

pub(crate) async fn allocate(node: &RedisAllocator) -> AllocationRecord {
    match ask(node, &far()).await.expect("redis answers") {
        Outcome::Allocated(got) => (*got.record).clone(),
        other => panic!("a number is free: {other:?}"),
    }
}

/// Takes the work of rebuilding, puts the inventory, and lets nodes bring what they know.
async fn begin(node: &RedisAllocator) -> Merge {
    let begun = node.claim_rebuild().await.expect("redis answers");
    assert!(begun.is_some(), "nobody else is at it");
    let numbers = vec![engine_number(number(312, 0))];
    node.put_numbers(numbers).await.expect("they are taken");
    node.begin_merging(None).await.expect("it goes on")
}

#[tokio::test]
async fn numbers_of_many_pools_are_put_into_an_empty_state_at_once() {
    let nodes = nodes(0).await;
    let numbers = (0..20).map(|line| EngineNumber {
        pool: pool(&format!("pool{line}")),
        ..engine_number(number(312, line))
    });
    let put = nodes.one.put_numbers(numbers.collect()).await;
    assert!(put.is_ok(), "{put:?}");
}

#[tokio::test]
async fn a_state_that_is_lost_again_is_not_declared_whole_by_who_rebuilt_it_before() {
    let nodes = nodes(1).await;
    nodes.flush();
    begin(&nodes.one).await;
    nodes.flush();
    assert!(nodes.one.declare_ready().await.is_err());
    assert!(nodes.one.keep_claim().await.is_err());
    let standing = nodes.other.standing().await;
    assert!(
        matches!(standing, Ok(Standing::Lost { .. })),
        "{standing:?}"
    );
}

#[tokio::test]
async fn who_slept_too_long_over_a_rebuild_can_do_nothing_more_for_it() {
    let nodes = nodes(1).await;
    let record = allocate(&nodes.one).await;
    nodes.flush();
    begin(&nodes.one).await;
    let refused = nodes.other.claim_rebuild().await;
    assert_eq!(refused.expect("redis answers"), None);
    nodes.clock.advance_ms(CLAIM_OVER_MS);
    begin(&nodes.other).await;
    let past = PastAllocation::new(record);
    let replayed = nodes.one.replay(vec![past], &AgentLimit::OFF.into()).await;
    assert!(replayed.is_err());
    assert!(nodes.one.declare_ready().await.is_err());
    assert!(nodes.other.declare_ready().await.expect("redis answers"));
    assert_eq!(nodes.uses(0).await, Some((0, 0)));
}

#[tokio::test]
async fn a_node_begins_its_own_rebuild_anew_at_once_and_from_where_it_was_begun() {
    let nodes = nodes(1).await;
    nodes.flush();
    let first = nodes.one.claim_rebuild().await.expect("redis answers");
    nodes.clock.advance_ms(1_000);
    let again = nodes.one.claim_rebuild().await.expect("redis answers");
    assert!(first.is_some_and(|claim| claim.known_until.is_none()));
    assert_eq!(first, again);
}

#[tokio::test]
async fn a_node_that_comes_late_brings_what_it_acknowledged_once() {
    let nodes = nodes(1).await;
    allocate(&nodes.other).await;
    nodes.flush();
    begin(&nodes.one).await;
    assert!(nodes.one.declare_ready().await.expect("redis answers"));
    assert_eq!(nodes.uses(0).await, Some((0, 0)));
    assert_eq!(nodes.bring(&nodes.other).await, 1);
    assert_eq!(nodes.bring(&nodes.other).await, 0);
    assert_eq!(nodes.uses(0).await, Some((1, 1)));
    assert_eq!(nodes.outbox().await, "a");
}

#[tokio::test]
async fn what_was_acknowledged_in_this_state_is_not_brought_to_it() {
    let nodes = nodes(1).await;
    nodes.flush();
    begin(&nodes.one).await;
    assert!(nodes.one.declare_ready().await.expect("redis answers"));
    allocate(&nodes.one).await;
    assert_eq!(nodes.bring(&nodes.one).await, 0);
}

#[tokio::test]
async fn an_end_that_is_brought_before_its_allocation_ends_it_and_follows_it_to_the_store() {
    let nodes = nodes(1).await;
    let record = allocate(&nodes.one).await;
    let target = ReleaseTarget::Reservation(record.id);
    let ended = nodes.other.release(&target, CallEnd::Busy).await;
    assert!(ended.expect("redis answers").is_some());
    nodes.flush();
    begin(&nodes.one).await;
    assert_eq!(nodes.bring(&nodes.other).await, 1);
    assert_eq!(nodes.bring(&nodes.one).await, 1);
    assert_eq!(nodes.outbox().await, "eae");
    assert_eq!(nodes.uses(0).await, Some((1, 0)));
}

#[tokio::test]
async fn how_a_call_went_is_brought_and_follows_its_allocation_to_the_store() {
    let nodes = nodes(1).await;
    let record = allocate(&nodes.one).await;
    let target = ReleaseTarget::Reservation(record.id);
    let report = CallReport {
        status: CallEnd::Busy,
        sip_code: Some(486),
        ..CallReport::default()
    };
    for released in [true, false] {
        let kept = nodes.other.report(&target, &report).await;
        let id = record.id;
        assert_eq!(
            kept.expect("redis answers"),
            Reported::Kept { id, released }
        );
    }
    nodes.flush();
    begin(&nodes.one).await;
    assert_eq!(nodes.bring(&nodes.other).await, 3);
    assert_eq!(nodes.bring(&nodes.one).await, 1);
    assert_eq!(nodes.outbox().await, "erraer");
    assert_eq!(nodes.uses(0).await, Some((1, 0)));
}

#[tokio::test]
async fn a_state_is_not_whole_while_a_node_brings_what_it_knows() {
    let nodes = nodes(1).await;
    allocate(&nodes.other).await;
    nodes.flush();
    begin(&nodes.one).await;
    assert_eq!(nodes.bring(&nodes.other).await, 1);
    // By the time of the server, which no test sets: a moment later it is.
    while !nodes.one.declare_ready().await.expect("redis answers") {
        tokio::task::yield_now().await;
    }
    assert_eq!(nodes.uses(0).await, Some((1, 1)));
}

/// Waits until the node is linked to the server that came after.
async fn wait_for_loss(node: &RedisAllocator) {
    let lost = async {
        while !matches!(node.standing().await, Ok(Standing::Lost { .. })) {
            tokio::task::yield_now().await;
        }
    };
    let lost = tokio::time::timeout(NEVER, lost).await;
    lost.expect("it comes back");
}

#[tokio::test]
async fn what_one_run_of_the_server_gave_to_the_store_is_not_taken_out_of_another() {
    let mut nodes = nodes(2).await;
    allocate(&nodes.one).await;
    let taken = nodes.one.take(10).await.expect("redis answers");
    let taken = taken.expect("nobody else drains");
    nodes.server.restart();
    wait_for_loss(&nodes.one).await;
    stock(&nodes.one, 2).await;
    // As if the other server's clock were behind: its places are before those of the first.
    let (run, _) = taken.upto.split_once(' ').expect("a place in a run");
    let upto = format!("{run} 9999999999999-0");
    let ahead = caller_id_core::shared::Taken { upto, ..taken };
    allocate(&nodes.one).await;
    nodes.one.done(&ahead).await.expect("redis answers");
    assert_eq!(nodes.outbox().await, "a");
    // What this run gave is.
    let taken = nodes.one.take(10).await.expect("redis answers");
    let done = nodes.one.done(&taken.expect("nobody else drains")).await;
    done.expect("redis answers");
    assert_eq!(nodes.outbox().await, "");
}

#[tokio::test]
async fn time_goes_on_from_what_a_server_with_a_later_clock_handed_out() {
    let nodes = nodes(1).await;
    let mut record = allocate(&nodes.one).await;
    record.at = record.at.plus_ms(300_000);
    record.reserved_until = record.reserved_until.plus_ms(300_000);
    let at = record.at;
    nodes.flush();
    begin(&nodes.one).await;
    let past = PastAllocation::new(record);
    let replayed = nodes.one.replay(vec![past], &AgentLimit::OFF.into()).await;
    replayed.expect("it is taken");
    assert!(nodes.one.declare_ready().await.expect("redis answers"));
    declare_whole(&nodes.one).await;
    nodes
        .one
        .put_numbers(vec![engine_number(number(312, 1))])
        .await
        .expect("it is taken");
    assert!(allocate(&nodes.one).await.at >= at);
}

#[tokio::test]
async fn a_state_that_is_disowned_is_lost_up_to_its_beginning_and_history_knows_more_than_it() {
    let nodes = nodes(1).await;
    let before = allocate(&nodes.one).await;
    let Ok(Standing::Ready(merge)) = nodes.one.standing().await else {
        panic!("it is whole");
    };
    let another = StateId(merge.state.0 ^ 1);
    for (state, disowned) in [(another, false), (merge.state, true), (merge.state, false)] {
        let said = nodes.other.disown(state).await;
        assert_eq!(said.expect("redis answers"), disowned);
    }
    let lost = Standing::Lost {
        known_until: None,
        merging: None,
        of: Some(merge.state),
    };
    assert_eq!(nodes.one.standing().await.expect("redis answers"), lost);
    assert!(ask(&nodes.one, &far()).await.is_err());
    // What was handed out elsewhere since is taken over, though the number was used here before.
    nodes.clock.advance_ms(60_000);
    let claim = nodes.one.claim_rebuild().await.expect("redis answers");
    assert_eq!(claim.expect("nobody has it").known_until, None);
    let later = before.at.plus_ms(30_000);
    let usage = Usage {
        last_used_at: later,
        last_end_at: later,
        ..Usage::default()
    };
    let recovered = Recovered {
        usages: vec![(before.number, usage)],
        ..Recovered::default()
    };
    let taken = nodes.one.recover(recovered).await;
    taken.expect("it is taken over");
    let merge = nodes.one.begin_merging(None).await;
    merge.expect("it goes on");
    assert!(nodes.one.declare_ready().await.expect("redis answers"));
    let state = nodes.one.number_state(before.number).await;
    let state = state.expect("redis answers").expect("it is known");
    assert_eq!(state.last_used_at, Some(later));
    assert_eq!(state.reservations, 0);
}

/// A cluster that moves to another Redis and back within the two minutes that are counted one by one.
#[tokio::test]
async fn what_was_replayed_into_a_state_counts_again_when_that_is_made_anew_from_history() {
    let nodes = nodes(1).await;
    let first = allocate(&nodes.one).await;
    nodes.flush();
    let merge = begin(&nodes.one).await;
    let past = vec![PastAllocation::new(first.clone())];
    let replayed = nodes
        .one
        .replay(past.clone(), &AgentLimit::OFF.into())
        .await;
    assert!(replayed.is_ok(), "{replayed:?}");
    assert!(nodes.one.declare_ready().await.expect("redis answers"));
    assert_eq!(nodes.uses(0).await, Some((1, 1)));
    // Elsewhere the number was used once more: what is here does not know it.
    nodes.clock.advance_ms(30_000);
    let disowned = nodes.other.disown(merge.state).await;
    assert!(disowned.expect("redis answers"));
    let began = nodes.other.claim_rebuild().await.expect("redis answers");
    let claim = began.expect("nobody else is at it");
    assert_eq!(claim.known_until, None);
    let numbers = vec![engine_number(number(312, 0))];
    nodes.other.put_numbers(numbers).await.expect("taken");
    let elsewhere = first.at.plus_ms(20_000);
    let usage = Usage {
        last_used_at: elsewhere,
        ..Usage::default()
    };
    let recovered = Recovered {
        usages: vec![(first.number, usage)],
        ..Recovered::default()
    };
    nodes.other.recover(recovered).await.expect("it is taken");
    let replayed = nodes.other.replay(past, &AgentLimit::OFF.into()).await;
    assert!(replayed.is_ok(), "{replayed:?}");
    nodes.other.begin_merging(None).await.expect("it goes on");
    assert!(nodes.other.declare_ready().await.expect("redis answers"));
    assert_eq!(nodes.uses(0).await, Some((1, 1)));
}
