//! Facts about what people watch: campaigns at present, numbers that are answered less, numbers counted by what they have in
//! common.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use caller_id_core::history_query::{Activity, Calls, Falling};
use caller_id_core::listing::{NumberGroup, StatusKind};
use caller_id_core::store::OnDuplicate;
use caller_id_core::{AllocationRecord, CallEnd, Limits, Number, PhoneNumber, Status, Timestamp};

use super::records::{allocated, at, ended, full_report, own, record, reported};
use super::stats::{DAY_MS, HOUR_MS, sum_up_all};
use super::{DataSet, OpenStore};
use crate::builders::{START, agent, campaign_id, number, pool, somebody};

const MINUTE_MS: i64 = 60_000;

fn call(ms: i64, n: u64, campaign: Option<&str>, who: Option<&str>) -> AllocationRecord {
    AllocationRecord {
        campaign: campaign.map(campaign_id),
        agent: who.map(agent),
        ..record(ms, n, own(n))
    }
}

/// Settled or not, from exactly the instant on.
pub async fn what_campaigns_do_is_counted_from_an_instant_on(data: &mut dyn DataSet) {
    let store = data.open().await;
    let early = call(0, 1, Some("SOLAR"), Some("1"));
    let one = call(MINUTE_MS, 2, Some("SOLAR"), Some("1"));
    let two = call(2 * MINUTE_MS, 3, Some("SOLAR"), Some("2"));
    let three = call(2 * MINUTE_MS, 4, Some("SOLAR"), Some("2"));
    let none = call(3 * MINUTE_MS, 5, None, None);
    let all = [&early, &one, &two, &three, &none];
    store.commit(all.map(allocated)).await;
    store
        .commit([ended(&one, 2 * MINUTE_MS, CallEnd::Answer)])
        .await;
    let now = at(4 * MINUTE_MS);
    let seen = |answered, reserved: [u64; 2]| {
        vec![
            Activity {
                campaign: None,
                calls: Calls {
                    calls: 1,
                    ..Calls::default()
                },
                agents: 0,
                reserved: reserved[0],
            },
            Activity {
                campaign: Some(campaign_id("SOLAR")),
                calls: Calls {
                    calls: 3,
                    answered,
                    answered_seconds: 42 * (answered - 1),
                    ..Calls::default()
                },
                agents: 2,
                reserved: reserved[1],
            },
        ]
    };
    let since = at(MINUTE_MS);
    let activity = async |now| store.reader.activity(since, now).await.unwrap();
    assert_eq!(activity(now).await, seen(1, [1, 2]));
    store.settle().await;
    assert_eq!(activity(now).await, seen(1, [1, 2]));
    let report = full_report(CallEnd::Answer);
    store.commit([reported(&two, 3 * MINUTE_MS, report)]).await;
    store
        .commit([ended(&three, 3 * MINUTE_MS, CallEnd::Released)])
        .await;
    assert_eq!(activity(now).await, seen(2, [1, 1]));
    store.settle().await;
    assert_eq!(activity(now).await, seen(2, [1, 1]));
    let later = at(7 * MINUTE_MS);
    assert_eq!(activity(later).await, seen(2, [1, 0]));
    let nobody = store.reader.activity(at(DAY_MS), at(DAY_MS)).await;
    assert_eq!(nobody.unwrap(), []);
}

/// Calls of a number on a day after the first: so many answered, so many busy, so many of which nothing is said.
async fn calls(store: &OpenStore, number: PhoneNumber, day: i64, [answer, busy, rest]: [u64; 3]) {
    let midnight = floor(START.as_ms()) - START.as_ms() + (day + 1) * DAY_MS;
    let mut events = Vec::new();
    for n in 0..answer + busy + rest {
        let ms = midnight + HOUR_MS + (n as i64) * 1_000;
        let one = record(ms, number.e164_digits() * 1_000 + n, number);
        events.push(allocated(&one));
        let end = match n {
            n if n < answer => CallEnd::Answer,
            n if n < answer + busy => CallEnd::Busy,
            _ => continue,
        };
        events.push(ended(&one, ms + 1, end));
    }
    store.commit(events).await;
}

const fn floor(ms: i64) -> i64 {
    ms - ms.rem_euclid(DAY_MS)
}

/// Of the last day that is summed up, and the seven before.
pub async fn numbers_that_are_answered_less_are_told(data: &mut dyn DataSet) {
    let store = data.open().await;
    assert_eq!(
        store.reader.falling(10).await.unwrap(),
        (Timestamp::ZERO, Vec::new())
    );
    for (n, before, last) in [
        // A third less, half, no less, hardly any; then too few calls before, on the last day, and with nothing said.
        (1, [30, 30, 0], [10, 20, 0]),
        (2, [20, 20, 9], [10, 30, 9]),
        (3, [20, 20, 0], [20, 20, 0]),
        (4, [40, 0, 0], [1, 39, 0]),
        (5, [29, 0, 0], [0, 60, 0]),
        (6, [60, 0, 0], [0, 29, 0]),
        (7, [60, 0, 0], [0, 0, 60]),
        (8, [0, 60, 0], [0, 60, 0]),
    ] {
        let [answer, busy, rest] = before;
        calls(&store, own(n), 0, [answer / 2, busy, 0]).await;
        calls(&store, own(n), 6, [answer - answer / 2, 0, rest]).await;
        calls(&store, own(n), 7, last).await;
    }
    // Before the seven days.
    calls(&store, own(3), -1, [200, 0, 0]).await;
    store.settle().await;
    sum_up_all(&store, at(9 * DAY_MS + 3 * HOUR_MS)).await;
    let (day, falling) = store.reader.falling(10).await.unwrap();
    assert_eq!(day.as_ms(), floor(START.as_ms()) + 8 * DAY_MS);
    let found: Vec<_> = falling.iter().map(|one| one.number).collect();
    assert_eq!(found, [own(4), own(2), own(1)]);
    assert!(falling.iter().all(Falling::is_so));
    assert!(falling[0].fell() > 0.9 && falling[2].fell() < 0.34);
    assert_eq!((falling[1].last.calls, falling[1].before.calls), (49, 49));
    let (_, worst) = store.reader.falling(1).await.unwrap();
    assert_eq!(worst, falling[..1]);
}

/// Each number is in one group.
pub async fn numbers_are_counted_by_what_they_have_in_common(data: &mut dyn DataSet) {
    let store = data.open().await;
    assert_eq!(store.inventory.number_groups().await.unwrap(), []);
    let mut numbers = Vec::new();
    let mut expected = BTreeMap::<_, (u64, u64, u64)>::new();
    for n in 0..120_u64 {
        let status = [
            Status::Active,
            Status::Paused,
            Status::Resting(START.plus_ms(3_600_000)),
            Status::Retired,
        ];
        let one = Number {
            carrier: [None, Some("Acme"), Some("É")][n as usize % 3].map(str::to_owned),
            status: status[n as usize % 7 % 4],
            pool: pool(["default", "solar"][n as usize % 2]),
            limits: Limits {
                hourly: NonZeroU32::new(n as u32 % 4),
                ..Limits::NONE
            },
            ..Number::new(match n % 5 {
                0 => PhoneNumber::from_e164_digits(442_079_460_000 + n).unwrap(),
                other => number([312, 773][other as usize % 2], n),
            })
        };
        let key = (
            one.pool.to_string(),
            one.area_code,
            one.carrier.clone(),
            StatusKind::of(one.status).as_str(),
        );
        let group = expected.entry(key).or_default();
        group.0 += 1;
        group.1 += u64::from(one.limits.hourly.is_some());
        group.2 += u64::from(one.limits.hourly.map_or(0, NonZeroU32::get));
        numbers.push(one);
    }
    let by = somebody();
    let written = store
        .inventory
        .write_numbers(numbers, OnDuplicate::Fail, &by);
    written.await.unwrap();
    let mut of_pools = BTreeMap::<_, [u64; 4]>::new();
    for ((pool, _, _, status), counts) in &expected {
        let kinds = StatusKind::ALL.iter();
        let place = kinds
            .map(|kind| kind.as_str())
            .position(|kind| kind == *status);
        of_pools.entry(pool.clone()).or_default()[place.unwrap()] += counts.0;
    }
    let counts = store.inventory.pool_counts().await.unwrap().into_iter();
    let counts = counts.map(|count| (count.pool.to_string(), count.by_status));
    assert_eq!(counts.collect::<BTreeMap<_, _>>(), of_pools);
    let key = |group: &NumberGroup| {
        (
            group.pool.to_string(),
            group.area_code,
            group.carrier.clone(),
            group.status.as_str(),
        )
    };
    let groups = store.inventory.number_groups().await.unwrap();
    assert_eq!(groups.len(), expected.len());
    for group in &groups {
        let counts = (group.numbers, group.limited, group.hourly_limits);
        assert_eq!(expected.get(&key(group)), Some(&counts), "{group:?}");
    }
}
