//! Facts about how calls went, and how they are found.

use caller_id_core::{CallEnd, CallReport, Sought};

use super::DataSet;
use super::records::{
    allocated, at, ended, full_record, full_report, own, record, reported, result_record,
};
use crate::builders::call;

/// In the same batch, in a later one, moved before it or with it; with an end and without.
pub async fn how_a_call_went_is_seen_wherever_its_allocation_is(data: &mut dyn DataSet) {
    let store = data.open().await;
    let [a, b, c, d] = [1, 2, 3, 4].map(|n| record(n as i64, n, own(n)));
    let silent = CallReport::default();
    let busy = full_report(CallEnd::Busy);
    store.commit([&a, &b, &d].map(allocated)).await;
    store.settle().await;
    store
        .commit([
            ended(&a, 10, CallEnd::Busy),
            reported(&a, 10, busy),
            allocated(&c),
            reported(&c, 11, silent),
        ])
        .await;
    store.commit([reported(&b, 12, busy)]).await;
    let expected = [
        Some(result_record(&a, 10, busy)),
        Some(result_record(&b, 12, busy)),
        Some(result_record(&c, 11, silent)),
        None,
    ];
    for _ in 0..2 {
        let past = store.past().await;
        let results: Vec<_> = past.iter().map(|past| past.result).collect();
        assert_eq!(results, expected);
        let ends: Vec<_> = past.iter().map(|past| past.ended.is_some()).collect();
        assert_eq!(ends, [true, false, false, false]);
        store.settle().await;
    }
}

/// Of two in one batch, or in two, moved or not.
pub async fn the_first_report_counts(data: &mut dyn DataSet) {
    let store = data.open().await;
    let a = record(1, 1, own(1));
    let [first, second] = [CallReport::default(), full_report(CallEnd::Answer)];
    store
        .commit([
            allocated(&a),
            reported(&a, 5, first),
            reported(&a, 6, second),
        ])
        .await;
    for ms in [7, 8, 9] {
        let past = store.past().await;
        assert_eq!(past[0].result, Some(result_record(&a, 5, first)));
        store.settle().await;
        store.commit([reported(&a, ms, second)]).await;
    }
}

/// A release that says nothing leaves it to the report; one that says something is not overruled.
pub async fn the_first_status_that_says_something_is_kept(data: &mut dyn DataSet) {
    let store = data.open().await;
    let [a, b] = [1, 2].map(|n| record(n as i64, n, own(n)));
    store.commit([&a, &b].map(allocated)).await;
    for settled in [true, false] {
        let [a, b] = [&a, &b];
        store
            .commit([ended(a, 5, CallEnd::Released), ended(b, 5, CallEnd::Cancel)])
            .await;
        if settled {
            store.settle().await;
        }
        let busy = full_report(CallEnd::Busy);
        store.commit([a, b].map(|one| reported(one, 9, busy))).await;
        let past = store.past().await;
        let said: Vec<_> = past.iter().map(|past| past.status()).collect();
        assert_eq!(said, [CallEnd::Busy, CallEnd::Cancel]);
        let seconds = past.iter().map(|past| past.result?.report.answered_seconds);
        assert!(seconds.eq([Some(42); 2]));
        assert!(
            past.iter()
                .all(|past| past.ended.is_some_and(|end| end.at == at(5)))
        );
        store.settle().await;
        assert_eq!(store.past().await, past);
    }
}

/// Its allocation may be pruned already, or was never made.
pub async fn the_report_of_an_unknown_allocation_is_ignored(data: &mut dyn DataSet) {
    let store = data.open().await;
    let unknown = record(1, 1, own(1));
    let report = full_report(CallEnd::Answer);
    store.commit([reported(&unknown, 5, report)]).await;
    assert_eq!(store.past().await, []);
    store.settle().await;
    assert_eq!(store.past().await, []);
}

/// Moved or not, and not before the instant.
pub async fn the_latest_allocation_of_a_call_is_found(data: &mut dyn DataSet) {
    let store = data.open().await;
    let name = full_record(1, 7, own(1)).call_id.expect("it has one");
    let [first, second] = [1, 500].map(|ms| full_record(ms, 7, own(1)));
    let other = full_record(900, 8, own(1));
    let none = record(901, 9, own(1));
    let find = async |call, since| {
        let found = store.history.find(&Sought::Call(call), at(since)).await;
        found.unwrap()
    };
    store.commit([&first, &other].map(allocated)).await;
    assert_eq!(find(name.clone(), 0).await, Some(first.id));
    store.settle().await;
    assert_eq!(find(name.clone(), 0).await, Some(first.id));
    assert_eq!(find(name.clone(), 2).await, None);
    store.commit([&second, &none].map(allocated)).await;
    for _ in 0..2 {
        assert_eq!(find(name.clone(), 0).await, Some(second.id));
        assert_eq!(find(name.clone(), 500).await, Some(second.id));
        assert_eq!(find(call("nobody"), 0).await, None);
        store.settle().await;
    }
}

/// The same.
pub async fn the_latest_call_that_showed_a_number_to_somebody_is_found(data: &mut dyn DataSet) {
    let store = data.open().await;
    let [first, second] = [1, 500].map(|ms| record(ms, 7, own(1)));
    let to_another = record(900, 8, own(1));
    let of_another = record(901, 7, own(2));
    let find = async |since| {
        let sought = Sought::Shown {
            number: first.number,
            destination: first.destination,
        };
        store.history.find(&sought, at(since)).await.unwrap()
    };
    store
        .commit([&first, &to_another, &of_another].map(allocated))
        .await;
    assert_eq!(find(0).await, Some(first.id));
    store.settle().await;
    assert_eq!((find(0).await, find(2).await), (Some(first.id), None));
    store.commit([allocated(&second)]).await;
    for _ in 0..2 {
        assert_eq!(find(0).await, Some(second.id));
        assert_eq!(find(501).await, None);
        store.settle().await;
    }
}
