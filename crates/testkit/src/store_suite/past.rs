//! Facts about pages of history, newest first.

use caller_id_core::history_query::{PastFilter, PastPage, PastQuery};
use caller_id_core::store::PastAllocation;
use caller_id_core::{AllocationId, AllocationRecord, CallEnd, CallReport, PhoneNumber};
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use super::dice::Dice;
use super::records::{
    allocated, at, destination, end_record, ended, own, record, reported, result_record,
};
use super::{DataSet, OpenStore};
use crate::builders::{agent, call, campaign_id, pool};

const MINUTE_MS: i64 = 60_000;
/// The allocations of a random history are made in so many milliseconds.
const SPAN_MS: i64 = 180 * MINUTE_MS;

/// Runs `check` with random values, as often as it takes to meet most of what there is.
pub(super) fn for_all<S: Strategy>(values: S, check: impl AsyncFn(S::Value)) {
    let config = Config {
        cases: 200,
        failure_persistence: None,
        ..Config::default()
    };
    let run = |value| {
        block_in_place(|| Handle::current().block_on(check(value)));
        Ok(())
    };
    TestRunner::new(config).run(&values, run).unwrap();
}

/// One allocation of a history in which much comes again.
pub(super) fn random_record(dice: &mut Dice, ms: i64, n: u64) -> AllocationRecord {
    let one_of = |n: u64, names: &[&str]| -> Option<String> {
        names.get(n as usize).map(|&name| name.to_owned())
    };
    AllocationRecord {
        destination: destination(dice.roll(8)),
        campaign: one_of(dice.roll(4), &["SOLAR", "WIND", "é"]).map(|name| campaign_id(&name)),
        agent: one_of(dice.roll(4), &["a1", "a2", "a3"]).map(|name| agent(&name)),
        call_id: one_of(dice.roll(9), &["c1", "c2", "c3", "c4"]).map(|name| call(&name)),
        pool: pool(["default", "solar", "z"][dice.roll(3) as usize]),
        rung: caller_id_core::Rung::ALL[dice.roll(5) as usize],
        reserved_until: at(ms + dice.roll(20) as i64 * MINUTE_MS),
        ..record(ms, n, own(dice.roll(5)))
    }
}

/// A random history, some of it settled; as it is, newest first.
async fn random_history(store: &OpenStore) -> Vec<PastAllocation> {
    let mut dice = Dice::new(7);
    let mut all: Vec<PastAllocation> = Vec::new();
    for n in 0..400 {
        let ms = dice.roll(SPAN_MS as u64) as i64;
        let made = random_record(&mut dice, ms, n);
        store.commit([allocated(&made)]).await;
        all.push(PastAllocation::new(made));
        let place = dice.roll(all.len() as u64) as usize;
        let past = &mut all[place];
        let later = ms + dice.roll(10) as i64 * MINUTE_MS;
        match dice.roll(4) {
            0 => {
                let event = ended(&past.record, later, CallEnd::Busy);
                store.commit([event]).await;
                past.end(end_record(&past.record, later, CallEnd::Busy));
            }
            1 => {
                let report = CallReport {
                    status: CallEnd::Answer,
                    answered_seconds: Some(7),
                    ..CallReport::default()
                };
                let event = reported(&past.record, later, report);
                store.commit([event]).await;
                past.report(result_record(&past.record, later, report));
            }
            _ => {}
        }
        if n % 150 == 149 {
            store.settle().await;
        }
    }
    all.sort_by_key(|past| std::cmp::Reverse(past.record.id));
    all
}

fn own_number() -> impl Strategy<Value = PhoneNumber> {
    (0..6_u64).prop_map(own)
}

fn name(names: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(names)
}

fn filter() -> impl Strategy<Value = PastFilter> {
    let instant = || option::weighted(0.3, (-MINUTE_MS..SPAN_MS + MINUTE_MS).prop_map(at));
    let names = (
        option::weighted(
            0.2,
            name(&["SOLAR", "WIND", "é", "none"]).prop_map(campaign_id),
        ),
        option::weighted(0.2, name(&["a1", "a2", "a3", "none"]).prop_map(agent)),
        option::weighted(0.2, name(&["c1", "c2", "c3", "none"]).prop_map(call)),
        option::weighted(0.2, name(&["default", "solar", "z", "none"]).prop_map(pool)),
    );
    let numbers = (
        option::weighted(0.3, own_number()),
        option::weighted(0.2, (0..9_u64).prop_map(destination)),
    );
    let instants = (instant(), instant(), instant());
    (names, numbers, instants).prop_map(|(names, numbers, instants)| PastFilter {
        number: numbers.0,
        destination: numbers.1,
        campaign: names.0,
        agent: names.1,
        call_id: names.2,
        pool: names.3,
        since: instants.0,
        until: instants.1,
        reserved_at: instants.2,
    })
}

async fn page(store: &OpenStore, query: &PastQuery) -> PastPage {
    store.reader.past(query).await.unwrap()
}

/// All pages, one after the other; and how many there were.
async fn walk(store: &OpenStore, filter: &PastFilter, most: usize) -> (Vec<PastAllocation>, usize) {
    let (mut all, mut pages, mut before) = (Vec::new(), 0, None);
    loop {
        let query = PastQuery {
            filter: filter.clone(),
            before,
            most,
        };
        let page = page(store, &query).await;
        assert!(page.allocations.len() <= most);
        assert!(page.next.is_none() || page.next != before, "it goes on");
        all.extend(page.allocations);
        pages += 1;
        before = page.next;
        if before.is_none() {
            return (all, pages);
        }
    }
}

/// Whatever is asked for, all pages together have it once, newest first: settled or not.
pub async fn pages_have_what_the_filter_asks_for_newest_first(data: &mut dyn DataSet) {
    let store = data.open().await;
    let all = random_history(&store).await;
    for settled in [false, true] {
        if settled {
            store.settle().await;
        }
        for_all((filter(), 1..40_usize), async |(filter, most)| {
            let asked = all.iter().filter(|past| filter.has(past));
            let expected: Vec<_> = asked.cloned().collect();
            let (found, _) = walk(&store, &filter, most).await;
            assert_eq!(found, expected);
        });
    }
}

/// Also behind an id that never was, and with no allocation asked for.
pub async fn a_page_begins_behind_any_id(data: &mut dyn DataSet) {
    let store = data.open().await;
    let records: Vec<_> = (0..10).map(|n| record(n, n as u64, own(1))).collect();
    store.commit(records[..5].iter().map(allocated)).await;
    store.settle().await;
    store.commit(records[5..].iter().map(allocated)).await;
    let query = |before, most| PastQuery {
        filter: PastFilter::default(),
        before: Some(before),
        most,
    };
    for (before, count) in [
        (AllocationId::first_at(at(7)), 7),
        (records[3].id, 3),
        (records[0].id, 0),
        (AllocationId::from_bytes([u8::MAX; 16]), 10),
        (AllocationId::from_bytes([0; 16]), 0),
    ] {
        let found = page(&store, &query(before, 50)).await;
        let ids: Vec<_> = found
            .allocations
            .iter()
            .map(|past| past.record.id)
            .collect();
        let expected: Vec<_> = records[..count].iter().rev().map(|one| one.id).collect();
        assert_eq!(ids, expected);
        assert_eq!(found.next, None);
    }
    let none = page(&store, &query(records[5].id, 0)).await;
    assert_eq!(none, PastPage::default());
}

/// One call in many thousands is found by going on; no page looks at all of them.
pub async fn a_page_looks_at_no_more_than_some_rows(data: &mut dyn DataSet) {
    let store = data.open().await;
    let count = 45_000;
    let rare = |n: u64| n == 10 || n == 40_000;
    let records: Vec<_> = (0..count)
        .map(|n| AllocationRecord {
            campaign: Some(campaign_id(if rare(n) { "RARE" } else { "SOLAR" })),
            ..record(n as i64, n, own(1))
        })
        .collect();
    for batch in records.chunks(4_096) {
        store.commit(batch.iter().map(allocated)).await;
    }
    store.settle().await;
    let of_number = PastFilter {
        number: Some(own(1)),
        ..PastFilter::default()
    };
    for filter in [PastFilter::default(), of_number] {
        let filter = PastFilter {
            campaign: Some(campaign_id("RARE")),
            ..filter
        };
        let (found, pages) = walk(&store, &filter, 10).await;
        let at: Vec<_> = found.iter().map(|past| past.record.at).collect();
        assert_eq!(at, [at_of(&records, 40_000), at_of(&records, 10)]);
        assert_eq!(pages, 3);
    }
}

fn at_of(records: &[AllocationRecord], place: usize) -> caller_id_core::Timestamp {
    records[place].at
}
