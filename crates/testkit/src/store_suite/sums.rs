//! Facts about summing up.

use caller_id_core::CallEnd;
use caller_id_core::history_query::{Span, StatsBy, StatsRow};
use caller_id_core::policy::TimeZone;

use super::records::{allocated, at, ended, full_record, full_report, own, record, reported};
use super::stats::{DAY_MS, HOUR_MS, all_by, stats, sum_up_all};
use super::{DataSet, OpenStore};

const BYS: [StatsBy; 8] = [
    StatsBy::All,
    StatsBy::Pool,
    StatsBy::Campaign,
    StatsBy::AreaCode,
    StatsBy::Carrier,
    StatsBy::Number,
    StatsBy::Rung,
    StatsBy::Reach,
];

/// Everything, by everything.
async fn all(store: &OpenStore) -> Vec<Vec<StatsRow>> {
    let mut all = Vec::new();
    for by in BYS {
        let mut query = all_by(by);
        query.span = Span::Hour(TimeZone::utc());
        all.push(stats(store, &query).await);
    }
    all
}

async fn total(store: &OpenStore) -> u64 {
    let lines = stats(store, &all_by(StatsBy::All)).await;
    lines.iter().map(|line| line.calls.calls).sum()
}

async fn answered(store: &OpenStore) -> (u64, u64) {
    let lines = stats(store, &all_by(StatsBy::All)).await;
    let numbers = stats(store, &all_by(StatsBy::Number)).await;
    let of = |lines: &[StatsRow]| lines.iter().map(|line| line.calls.answered).sum();
    (of(&lines), of(&numbers))
}

/// Whoever keeps allocations for a month sees the counts of a year.
pub async fn sums_outlive_the_allocations_they_were_counted_from(data: &mut dyn DataSet) {
    let store = data.open().await;
    for hour in 0..60 {
        let one = full_record(hour * HOUR_MS, hour as u64, own(hour as u64 % 7));
        store
            .commit([allocated(&one), ended(&one, hour * HOUR_MS, CallEnd::Busy)])
            .await;
    }
    store.settle().await;
    let before = all(&store).await;
    sum_up_all(&store, at(100 * HOUR_MS)).await;
    assert_eq!(all(&store).await, before);
    while store.history.prune(at(50 * HOUR_MS), 100).await.unwrap() > 0 {}
    assert_eq!(all(&store).await, before);
    sum_up_all(&store, at(300 * HOUR_MS)).await;
    assert_eq!(all(&store).await, before);
}

/// An hour is summed up a second time when nobody says anything more of it.
pub async fn what_is_said_late_is_counted_a_day_later(data: &mut dyn DataSet) {
    let store = data.open().await;
    let [a, b] = [1, 2].map(|n| record(n as i64, n, own(n)));
    store.commit([allocated(&a)]).await;
    store.settle().await;
    sum_up_all(&store, at(12 * HOUR_MS)).await;
    assert_eq!((total(&store).await, answered(&store).await), (1, (0, 0)));
    let report = full_report(CallEnd::Answer);
    store
        .commit([allocated(&b), reported(&a, 13 * HOUR_MS, report)])
        .await;
    store.settle().await;
    sum_up_all(&store, at(26 * HOUR_MS)).await;
    assert_eq!((total(&store).await, answered(&store).await), (1, (0, 0)));
    sum_up_all(&store, at(60 * HOUR_MS)).await;
    assert_eq!((total(&store).await, answered(&store).await), (2, (1, 1)));
}

/// Where allocations were pruned meanwhile the first sums stay.
pub async fn summing_up_again_takes_nothing_back(data: &mut dyn DataSet) {
    let store = data.open().await;
    let records: Vec<_> = (0..20)
        .map(|n| record(n * 1_000, n as u64, own(1)))
        .collect();
    store.commit(records.iter().map(allocated)).await;
    store.settle().await;
    sum_up_all(&store, at(13 * HOUR_MS)).await;
    let before = all(&store).await;
    assert_eq!(store.history.prune(at(10_000), 100).await.unwrap(), 10);
    sum_up_all(&store, at(90 * DAY_MS)).await;
    assert_eq!(all(&store).await, before);
    assert_eq!(total(&store).await, 20);
}

/// Any number of nodes may do it.
pub async fn summing_up_at_once_counts_once(data: &mut dyn DataSet) {
    let store = data.open().await;
    let records: Vec<_> = (0..200)
        .map(|n| full_record(n * HOUR_MS / 4, n as u64, own(n as u64 % 9)))
        .collect();
    store.commit(records.iter().map(allocated)).await;
    store.settle().await;
    let before = all(&store).await;
    let now = at(80 * HOUR_MS);
    tokio::join!(
        sum_up_all(&store, now),
        sum_up_all(&store, now),
        sum_up_all(&store, now)
    );
    assert_eq!(all(&store).await, before);
}

/// An empty year takes a few steps, not thousands.
pub async fn long_gaps_are_passed_over(data: &mut dyn DataSet) {
    let store = data.open().await;
    let mut steps = 0;
    for ms in [0, 300 * DAY_MS] {
        store.commit([allocated(&record(ms, 1, own(1)))]).await;
    }
    store.settle().await;
    while store.reader.sum_up(at(302 * DAY_MS)).await.unwrap() {
        steps += 1;
    }
    assert!(steps < 20, "{steps} steps");
    let lines = stats(&store, &all_by(StatsBy::All)).await;
    assert_eq!(lines[0].calls.calls, 2);
    assert!(!store.reader.sum_up(at(302 * DAY_MS)).await.unwrap());
}

/// Those by hour after 400 days, those by number after 100.
pub async fn old_sums_are_given_up(data: &mut dyn DataSet) {
    let store = data.open().await;
    let records: Vec<_> = (0..30)
        .map(|n| record(n, n as u64, own(n as u64)))
        .collect();
    store.commit(records.iter().map(allocated)).await;
    store.settle().await;
    for (days, hours_kept, days_kept) in [(99, 1, 30), (102, 1, 0), (402, 0, 0)] {
        sum_up_all(&store, at(days * DAY_MS)).await;
        while store.history.prune(at(20 * DAY_MS), 1_000).await.unwrap() > 0 {}
        let of_hours = stats(&store, &all_by(StatsBy::All)).await;
        let of_days = stats(&store, &all_by(StatsBy::Number)).await;
        assert_eq!((of_hours.len(), of_days.len()), (hours_kept, days_kept));
    }
}
