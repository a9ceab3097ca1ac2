//! What history says is counted in one go, and noted: then no node brings it once more.

use std::sync::Arc;

use caller_id_core::recovery::{Rules, recover_listing};
use caller_id_core::shared::Claim;
use caller_id_core::store::PastAllocation;
use caller_id_core::{
    AgentLimit, AllocationRecord, Allocator, CallEnd, EndRecord, Journal, JournalEvent, Policy,
    PoolId, Recovered, ReleaseTarget, SharedAllocator, Standing,
};
use caller_id_engine::RedisAllocator;
use caller_id_testkit::builders::{brisk_policy, engine_number, number};
use caller_id_testkit::memory_history::MemoryHistory;

use crate::losses::{Nodes, allocate, nodes};

/// Longer than a node that is not heard of keeps the work of rebuilding.
const CLAIM_OVER_MS: i64 = 6_000;

async fn claim(node: &RedisAllocator) -> Claim {
    let claimed = node.claim_rebuild().await.expect("redis answers");
    claimed.expect("nobody else is at it")
}

async fn release(node: &RedisAllocator, record: &AllocationRecord) -> EndRecord {
    let target = ReleaseTarget::Reservation(record.id);
    let ended = node.release(&target, CallEnd::Busy).await;
    ended.expect("redis answers").expect("it lives")
}

async fn put_numbers(node: &RedisAllocator, lines: u64) {
    let pools = vec![(PoolId::default(), brisk_policy())];
    node.put_pools(pools).await.expect("they are taken");
    let numbers = (0..lines).map(|line| engine_number(number(312, line)));
    let put = node.put_numbers(numbers.collect()).await;
    put.expect("they are taken");
}

/// Does what a node does that rebuilds from a history of these events, until nodes bring what they know.
async fn bring_history(nodes: &Nodes, events: Vec<JournalEvent>) {
    let claim = claim(&nodes.one).await;
    assert!(claim.untouched);
    put_numbers(&nodes.one, 3).await;
    let history = MemoryHistory::default();
    history.commit(events).await.expect("kept");
    let rules = Rules {
        pools: &[(PoolId::default(), brisk_policy())],
        global: &Policy::default(),
        agent_limits: &AgentLimit::OFF.into(),
    };
    let recent = claim.begun.plus_ms(-60_000);
    let read = recover_listing(&history, rules, claim.begun, recent).await;
    let (recovered, listed) = read.expect("it is read");
    nodes.one.recover(recovered).await.expect("taken over");
    nodes.one.note_counted(&listed).await.expect("noted");
    let merging = nodes.one.begin_merging(None).await;
    merging.expect("it goes on");
}

fn allocated(record: &AllocationRecord) -> JournalEvent {
    JournalEvent::Allocated(Arc::new(record.clone()))
}

/// A number's uses today, and its live reservations.
async fn uses(nodes: &Nodes, record: &AllocationRecord) -> Option<(u32, u32)> {
    let lines = 0..3;
    let line = lines
        .into_iter()
        .find(|line| record.number == number(312, *line));
    nodes.uses(line.expect("one of them")).await
}

#[tokio::test]
async fn what_history_knows_is_counted_once_and_nodes_bring_the_rest() {
    let nodes = nodes(3).await;
    let stored = allocate(&nodes.other).await;
    let ended = allocate(&nodes.other).await;
    let end = release(&nodes.other, &ended).await;
    let unknown = allocate(&nodes.other).await;
    nodes.clock.advance_ms(1);
    nodes.flush();
    let known = [&stored, &ended].map(allocated);
    bring_history(&nodes, [&known[..], &[JournalEvent::Ended(end)]].concat()).await;
    assert_eq!(nodes.bring(&nodes.other).await, 1, "what history lacks");
    assert_eq!(nodes.outbox().await, "a");
    assert_eq!(uses(&nodes, &stored).await, Some((1, 1)));
    assert_eq!(uses(&nodes, &ended).await, Some((1, 0)));
    assert_eq!(uses(&nodes, &unknown).await, Some((1, 1)));
    assert_eq!(nodes.bring(&nodes.other).await, 0);
}

#[tokio::test]
async fn an_end_that_history_does_not_know_ends_what_history_says_is_held() {
    let nodes = nodes(3).await;
    let record = allocate(&nodes.one).await;
    release(&nodes.other, &record).await;
    nodes.clock.advance_ms(1);
    nodes.flush();
    bring_history(&nodes, vec![allocated(&record)]).await;
    assert_eq!(uses(&nodes, &record).await, Some((1, 1)));
    assert_eq!(nodes.bring(&nodes.one).await, 0);
    assert_eq!(nodes.bring(&nodes.other).await, 1);
    assert_eq!(uses(&nodes, &record).await, Some((1, 0)));
    assert_eq!(nodes.outbox().await, "e");
}

/// Or it could be declared whole between the question and what is brought.
#[tokio::test]
async fn a_node_that_asks_what_a_state_lacks_is_waited_for_from_then_on() {
    let nodes = nodes(1).await;
    let record = allocate(&nodes.other).await;
    nodes.clock.advance_ms(1);
    nodes.flush();
    bring_history(&nodes, vec![allocated(&record)]).await;
    assert!(!nodes.somebody_is_busy());
    assert_eq!(nodes.bring(&nodes.other).await, 0, "it asks, no more");
    assert!(nodes.somebody_is_busy());
}

#[tokio::test]
async fn a_number_that_is_not_known_was_not_counted_whatever_is_noted() {
    let nodes = nodes(1).await;
    let record = allocate(&nodes.other).await;
    nodes.flush();
    claim(&nodes.one).await;
    let past = [PastAllocation::new(record)];
    nodes.one.note_counted(&past).await.expect("noted");
    put_numbers(&nodes.one, 1).await;
    let merging = nodes.one.begin_merging(None).await;
    merging.expect("it goes on");
    assert_eq!(nodes.bring(&nodes.other).await, 1);
    assert_eq!(nodes.uses(0).await, Some((1, 1)));
}

#[tokio::test]
async fn who_lost_the_rebuild_notes_nothing_and_nothing_is_left_out_of_another_state() {
    let nodes = nodes(1).await;
    let record = allocate(&nodes.other).await;
    nodes.flush();
    claim(&nodes.one).await;
    put_numbers(&nodes.one, 1).await;
    let merge = nodes.one.begin_merging(None).await;
    let merge = merge.expect("it goes on");
    nodes.clock.advance_ms(CLAIM_OVER_MS);
    claim(&nodes.other).await;
    let past = [PastAllocation::new(record)];
    assert!(nodes.one.note_counted(&past).await.is_err());
    let limits = AgentLimit::OFF.into();
    assert!(nodes.other.hand_in(merge, &limits).await.is_err());
    let merging = nodes.other.begin_merging(None).await;
    merging.expect("it goes on");
    assert_eq!(nodes.bring(&nodes.other).await, 1);
    assert_eq!(nodes.uses(0).await, Some((1, 1)));
}

#[tokio::test]
async fn a_state_is_untouched_until_something_is_counted_into_it() {
    let nodes = nodes(1).await;
    let record = allocate(&nodes.other).await;
    nodes.flush();
    assert!(claim(&nodes.one).await.untouched);
    assert!(claim(&nodes.one).await.untouched, "nothing was counted");
    put_numbers(&nodes.one, 1).await;
    let nothing = nodes.one.recover(Recovered::default()).await;
    nothing.expect("nothing to do");
    nodes.clock.advance_ms(CLAIM_OVER_MS);
    assert!(claim(&nodes.other).await.untouched, "another goes on");
    let past = vec![PastAllocation::new(record)];
    let replayed = nodes.other.replay(past, &AgentLimit::OFF.into()).await;
    replayed.expect("it is taken");
    assert!(!claim(&nodes.other).await.untouched);
    nodes.clock.advance_ms(CLAIM_OVER_MS);
    assert!(!claim(&nodes.one).await.untouched);
}

#[tokio::test]
async fn a_state_that_took_over_history_or_was_disowned_is_not_untouched() {
    let nodes = nodes(1).await;
    let record = allocate(&nodes.one).await;
    nodes.clock.advance_ms(1);
    nodes.flush();
    bring_history(&nodes, vec![allocated(&record)]).await;
    assert!(!claim(&nodes.one).await.untouched);
    assert!(nodes.one.declare_ready().await.expect("redis answers"));
    let Ok(Standing::Ready(merge)) = nodes.one.standing().await else {
        panic!("it is whole");
    };
    let disowned = nodes.other.disown(merge.state).await;
    assert!(disowned.expect("redis answers"));
    let claim = claim(&nodes.other).await;
    assert_eq!((claim.known_until, claim.untouched), (None, false));
}
