//! Facts about reading and pruning history.

use caller_id_core::store::PastAllocation;
use caller_id_core::{AllocationId, CallEnd, Timestamp};

use super::DataSet;
use super::records::{allocated, at, end_record, ended, full_record, own, record};

/// Indexed or not makes no difference to who reads.
pub async fn what_is_committed_is_seen_before_and_after_it_is_settled(data: &mut dyn DataSet) {
    let store = data.open().await;
    let records = [record(1, 1, own(1)), full_record(2, 2, own(2))];
    store.commit(records.iter().map(allocated)).await;
    let expected = records.map(PastAllocation::new);
    assert_eq!(store.past().await, expected);
    store.settle().await;
    assert_eq!(store.past().await, expected);
}

/// In the same batch, in a later one, moved before it or with it.
pub async fn an_end_is_seen_wherever_its_allocation_is(data: &mut dyn DataSet) {
    let store = data.open().await;
    let [a, b, c] = [1, 2, 3].map(|n| record(n as i64, n, own(n)));
    store.commit([allocated(&a), allocated(&b)]).await;
    store.settle().await;
    store
        .commit([
            ended(&a, 10, CallEnd::Answer),
            allocated(&c),
            ended(&c, 11, CallEnd::Busy),
        ])
        .await;
    store.commit([ended(&b, 12, CallEnd::ChanUnavail)]).await;
    let expected = [
        Some(end_record(&a, 10, CallEnd::Answer)),
        Some(end_record(&b, 12, CallEnd::ChanUnavail)),
        Some(end_record(&c, 11, CallEnd::Busy)),
    ];
    for _ in 0..2 {
        let ends: Vec<_> = store.past().await.iter().map(|past| past.ended).collect();
        assert_eq!(ends, expected);
        store.settle().await;
    }
}

/// A call ends once.
pub async fn the_first_end_counts(data: &mut dyn DataSet) {
    let store = data.open().await;
    let a = record(1, 1, own(1));
    store
        .commit([allocated(&a), ended(&a, 5, CallEnd::Busy)])
        .await;
    store.commit([ended(&a, 6, CallEnd::Answer)]).await;
    for _ in 0..2 {
        let past = store.past().await;
        assert_eq!(past[0].ended, Some(end_record(&a, 5, CallEnd::Busy)));
        store.settle().await;
    }
    store.commit([ended(&a, 7, CallEnd::Answer)]).await;
    let past = store.past().await;
    assert_eq!(past[0].ended, Some(end_record(&a, 5, CallEnd::Busy)));
}

/// Its allocation may be pruned already.
pub async fn the_end_of_an_unknown_allocation_is_ignored(data: &mut dyn DataSet) {
    let store = data.open().await;
    let unknown = record(1, 1, own(1));
    store.commit([ended(&unknown, 5, CallEnd::Answer)]).await;
    assert_eq!(store.past().await, []);
    store.settle().await;
    assert_eq!(store.past().await, []);
}

/// Of equal times by id; whatever was committed when and moved when.
pub async fn allocations_come_in_the_order_of_their_times(data: &mut dyn DataSet) {
    let store = data.open().await;
    let mut expected = Vec::new();
    for n in 0..60 {
        let one = record([7, 3, 9, 3][n as usize % 4], n, own(n % 5));
        store.commit([allocated(&one)]).await;
        expected.push(one);
        if n == 30 {
            store.settle().await;
        }
    }
    expected.sort_by_key(|record| (record.at, record.id));
    let records: Vec<_> = store
        .past()
        .await
        .into_iter()
        .map(|past| past.record)
        .collect();
    assert_eq!(records, expected);
}

/// The instant itself is included.
pub async fn allocations_before_the_instant_are_left_out(data: &mut dyn DataSet) {
    let store = data.open().await;
    let records: Vec<_> = (0..10).map(|n| record(n, n as u64, own(1))).collect();
    store.commit(records[..6].iter().map(allocated)).await;
    store.settle().await;
    store.commit(records[6..].iter().map(allocated)).await;
    for (since, left) in [(0, 10), (4, 6), (8, 2), (10, 0)] {
        assert_eq!(store.past_since(at(since)).await.len(), left);
    }
}

/// Moved or not, and of no other number.
pub async fn the_last_use_of_a_number_is_its_latest(data: &mut dyn DataSet) {
    let store = data.open().await;
    let uses = [(1, 5), (1, 9), (2, 7), (2, 6), (3, 1)];
    let event = |(n, ms)| allocated(&record(ms, n, own(n)));
    store.commit(uses.map(event)).await;
    store.settle().await;
    store.commit([(3, 20), (4, 21), (1, 2)].map(event)).await;
    let expected = [(1, 9), (2, 7), (3, 20), (4, 21)].map(|(n, ms)| (own(n), at(ms)));
    for _ in 0..2 {
        let mut last = store.history.last_uses().await.unwrap();
        last.sort();
        assert_eq!(last, expected);
        store.settle().await;
    }
}

/// Also where some of it is moved into the index and some is not, and for an end that came later than its allocation.
pub async fn pages_of_history_join_to_the_whole(data: &mut dyn DataSet) {
    let store = data.open().await;
    let records: Vec<_> = (0..10)
        .map(|n| full_record(n / 2, n as u64, own(1)))
        .collect();
    store.commit(records[..6].iter().map(allocated)).await;
    store.settle().await;
    store.commit(records[6..].iter().map(allocated)).await;
    store.commit([ended(&records[2], 50, CallEnd::Busy)]).await;
    let whole = store.past().await;
    assert_eq!(whole.len(), 10);
    for most in [1, 3, 10, 11] {
        let mut joined = Vec::new();
        let mut from = Some(AllocationId::first_at(Timestamp::ZERO));
        while let Some(first) = from.take() {
            let page = store.history.allocations_page(first, most).await.unwrap();
            assert!(page.len() <= most);
            if page.len() == most {
                from = page.last().and_then(|last| last.record.id.next());
            }
            joined.extend(page);
        }
        assert_eq!(joined, whole, "pages of {most}");
    }
    let nothing = store.history.allocations_page(records[0].id, 0).await;
    assert_eq!(nothing.unwrap(), []);
}

/// In small steps, so that nobody waits for long.
pub async fn pruning_takes_the_oldest_and_no_more_than_asked(data: &mut dyn DataSet) {
    let store = data.open().await;
    let records: Vec<_> = (0..10).map(|n| record(n, n as u64, own(1))).collect();
    store.commit(records.iter().map(allocated)).await;
    store.settle().await;
    let history = &store.history;
    assert_eq!(history.prune(at(0), 100).await.unwrap(), 0);
    assert_eq!(history.prune(at(7), 4).await.unwrap(), 4);
    assert_eq!(store.past().await[0].record, records[4]);
    assert_eq!(history.prune(at(7), 4).await.unwrap(), 3);
    assert_eq!(history.prune(at(7), 4).await.unwrap(), 0);
    assert_eq!(store.past().await[0].record, records[7]);
    assert_eq!(store.past().await.len(), 3);
}
