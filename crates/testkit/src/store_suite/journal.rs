//! Facts about commits: nothing is lost, nothing is doubled.

use std::collections::BTreeMap;

use caller_id_core::store::PastAllocation;
use caller_id_core::{AllocationId, CallEnd};

use super::dice::Dice;
use super::records::{
    allocated, at, end_record, ended, full_record, full_report, own, record, reported,
    result_record,
};
use super::{DataSet, OpenStore};

async fn ids(store: &OpenStore) -> Vec<AllocationId> {
    let past = store.past().await;
    past.into_iter().map(|past| past.record.id).collect()
}

/// A commit whose answer was lost may be made again.
pub async fn a_batch_committed_twice_is_in_history_once(data: &mut dyn DataSet) {
    let store = data.open().await;
    let a = record(1, 1, own(1));
    let b = record(2, 2, own(2));
    for settle_between in [false, true] {
        store.commit([allocated(&a), allocated(&b)]).await;
        if settle_between {
            store.settle().await;
        }
        assert_eq!(ids(&store).await, [a.id, b.id]);
    }
    store
        .commit([allocated(&b), ended(&b, 5, CallEnd::Busy)])
        .await;
    assert_eq!(ids(&store).await, [a.id, b.id]);
    store.settle().await;
    assert_eq!(ids(&store).await, [a.id, b.id]);
}

/// In events, and none when settled.
pub async fn the_backlog_is_what_was_committed_and_not_moved(data: &mut dyn DataSet) {
    let store = data.open().await;
    assert_eq!(store.history.backlog(), 0);
    store.settle().await;
    let records: Vec<_> = (0..5).map(|n| record(n, n as u64, own(1))).collect();
    store.commit(records.iter().map(allocated)).await;
    assert!(store.history.backlog() <= 5);
    store.settle().await;
    assert_eq!(store.history.backlog(), 0);
}

/// It is a commit like any other, of nothing.
pub async fn a_probe_leaves_no_trace_in_history(data: &mut dyn DataSet) {
    let store = data.open().await;
    store.journal.probe().await.unwrap();
    store.commit([]).await;
    store.commit([allocated(&record(1, 1, own(1)))]).await;
    store.journal.probe().await.unwrap();
    store.settle().await;
    assert_eq!(store.past().await.len(), 1);
    assert_eq!(store.history.backlog(), 0);
}

/// Moved or not, several times over.
pub async fn everything_committed_survives_a_reopen(data: &mut dyn DataSet) {
    let mut expected = Vec::new();
    for round in 0..4 {
        let store = data.open().await;
        assert_eq!(ids(&store).await, expected, "round {round}");
        for n in 0..20 {
            let one = record(round * 100 + n, n as u64, own(1));
            expected.push(one.id);
            store
                .commit([allocated(&one), ended(&one, 900, CallEnd::Answer)])
                .await;
        }
        if round % 2 == 0 {
            store.settle().await;
        }
    }
    let store = data.open().await;
    let past = store.past().await;
    assert_eq!(past.len(), 80);
    assert!(past.iter().all(|past| past.ended.is_some()));
    store.settle().await;
    assert_eq!(ids(&store).await, expected);
}

/// Batches of every size, with ends of what was allocated long before or just now, settled and reopened in between.
pub async fn random_batches_read_back_as_they_were_committed(data: &mut dyn DataSet) {
    let mut dice = Dice::new(2_026);
    let mut expected: BTreeMap<AllocationId, PastAllocation> = BTreeMap::new();
    let mut store = data.open().await;
    let mut made: Vec<AllocationId> = Vec::new();
    for step in 0..120 {
        let mut batch = Vec::new();
        for n in 0..dice.roll(40) {
            let ms = step * 10 + dice.roll(30) as i64;
            if dice.roll(3) > 0 || made.is_empty() {
                let one = full_record(ms, step as u64 * 1_000 + n, own(dice.roll(50)));
                batch.push(allocated(&one));
                made.push(one.id);
                let past = PastAllocation::new(one.clone());
                expected.insert(one.id, past);
            } else {
                let id = made[dice.roll(made.len() as u64) as usize];
                let past = expected.get_mut(&id).expect("it was made");
                if dice.roll(2) > 0 {
                    batch.push(ended(&past.record, ms, CallEnd::NoAnswer));
                    past.end(end_record(&past.record, ms, CallEnd::NoAnswer));
                } else {
                    let report = full_report(CallEnd::NoAnswer);
                    batch.push(reported(&past.record, ms, report));
                    past.report(result_record(&past.record, ms, report));
                }
            }
        }
        store.commit(batch).await;
        match dice.roll(20) {
            0 => store.settle().await,
            1 => {
                drop(store);
                store = data.open().await;
            }
            2 => assert_same(&store, &expected).await,
            _ => {}
        }
    }
    assert_same(&store, &expected).await;
}

async fn assert_same(store: &OpenStore, expected: &BTreeMap<AllocationId, PastAllocation>) {
    let past = store.past().await;
    assert_eq!(past.len(), expected.len());
    assert!(past.iter().eq(expected.values()));
}

/// What is committed is in the journal, in history, or for a moment in both: a reader sees it once.
pub async fn reading_while_batches_are_moved_sees_each_allocation_once(data: &mut dyn DataSet) {
    let store = data.open().await;
    let writing = async {
        for n in 0..400 {
            store
                .commit([allocated(&record(n, n as u64, own(1)))])
                .await;
            if n % 2 == 0 {
                store.settle().await;
            }
        }
    };
    let reading = async {
        let mut seen = 0;
        while seen < 400 {
            let past = store.past().await;
            assert!(past.len() >= seen, "an allocation was seen and is gone");
            let in_order = past
                .iter()
                .zip(0..)
                .all(|(past, n)| past.record.at == at(n));
            assert!(in_order, "an allocation is missing or doubled");
            seen = past.len();
        }
    };
    tokio::join!(writing, reading);
}
