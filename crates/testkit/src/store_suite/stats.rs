//! Facts about counting calls.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use caller_id_core::history_query::{Calls, Span, StatsBy, StatsKey, StatsQuery, StatsRow};
use caller_id_core::policy::TimeZone;
use caller_id_core::store::{OnDuplicate, PastAllocation};
use caller_id_core::{CallEnd, CallReport, Number, PhoneNumber, Timestamp};
use proptest::option;
use proptest::prelude::*;

use super::dice::Dice;
use super::past::{for_all, random_record};
use super::records::{
    allocated, at, end_record, ended, full_report, own, record, reported, result_record,
};
use super::{DataSet, OpenStore};
use crate::builders::{START, campaign_id, pool, somebody};

pub(super) const HOUR_MS: i64 = 3_600_000;
pub(super) const DAY_MS: i64 = 24 * HOUR_MS;
const MINUTE_MS: i64 = 60_000;

/// Counts everything, by this.
pub(super) fn all_by(by: StatsBy) -> StatsQuery {
    StatsQuery {
        by,
        span: Span::Whole,
        since: Timestamp::ZERO,
        until: Timestamp::MAX,
        pool: None,
        campaign: None,
        number: None,
    }
}

pub(super) async fn stats(store: &OpenStore, query: &StatsQuery) -> Vec<StatsRow> {
    store.reader.stats(query, usize::MAX).await.unwrap()
}

/// Sums up all that can be summed up at `now`.
pub(super) async fn sum_up_all(store: &OpenStore, now: Timestamp) {
    while store.reader.sum_up(now).await.unwrap() {}
}

fn carrier(number: PhoneNumber) -> Option<&'static str> {
    (0..5)
        .position(|n| own(n) == number)
        .and_then(|n| [Some("Acme"), Some("B, \"Inc\""), None, Some("Acme"), None][n])
}

/// The numbers of random histories, but for one that the inventory has not.
async fn write_carriers(store: &OpenStore) {
    let numbers = (0..4).map(|n| Number {
        carrier: carrier(own(n)).map(str::to_owned),
        ..Number::new(own(n))
    });
    let by = somebody();
    let written = store
        .inventory
        .write_numbers(numbers.collect(), OnDuplicate::Skip, &by);
    written.await.unwrap();
}

fn floor(ms: i64, span: i64) -> i64 {
    ms - ms.rem_euclid(span)
}

fn ceil(ms: i64, span: i64) -> i64 {
    floor(ms.saturating_add(span - 1), span)
}

/// What it is counted under, as text too: lines are in its order.
fn key(by: StatsBy, past: &PastAllocation) -> (String, StatsKey) {
    let record = &past.record;
    let name = |text: Option<&str>| match text {
        Some(text) => (text.to_owned(), StatsKey::Name(text.to_owned())),
        None => (String::new(), StatsKey::None),
    };
    match by {
        StatsBy::All => (String::new(), StatsKey::None),
        StatsBy::Pool => name(Some(record.pool.as_str())),
        StatsBy::Campaign => name(record.campaign.as_ref().map(|id| id.as_str())),
        StatsBy::AreaCode => match record.destination.area_code() {
            Some(code) => (code.to_string(), StatsKey::AreaCode(code)),
            None => (String::new(), StatsKey::None),
        },
        StatsBy::Carrier => name(carrier(record.number)),
        StatsBy::Number => (record.number.to_string(), StatsKey::Number(record.number)),
        StatsBy::Rung => (record.rung.to_string(), StatsKey::Rung(record.rung)),
        StatsBy::Reach => {
            let code = record.destination.area_code();
            let text = code.map(|code| code.to_string()).unwrap_or_default();
            let key = StatsKey::Reach(code, record.rung);
            (format!("{text} {}", record.rung), key)
        }
    }
}

/// What should be counted, by looking at each allocation.
fn expected(all: &[PastAllocation], query: &StatsQuery) -> Vec<StatsRow> {
    let filtered = query.number.is_some() || query.pool.is_some() || query.campaign.is_some();
    let only_days = query.by == StatsBy::Number && !filtered;
    let unit = if only_days { DAY_MS } else { query.unit_ms() };
    let (since, until) = (
        floor(query.since.as_ms(), unit),
        ceil(query.until.as_ms(), unit),
    );
    let mut lines = BTreeMap::new();
    for past in all {
        let (record, ms) = (&past.record, past.record.at.as_ms());
        let asked = (since..until).contains(&ms)
            && query.pool.as_ref().is_none_or(|pool| *pool == record.pool)
            && (query.campaign.is_none() || query.campaign == record.campaign)
            && query.number.is_none_or(|number| number == record.number);
        if !asked {
            continue;
        }
        let from = match &query.span {
            Span::Whole => since,
            Span::Hour(_) | Span::Day(_) if only_days => floor(ms, DAY_MS),
            Span::Hour(zone) => zone.hour(record.at).as_ms(),
            Span::Day(zone) => zone.day(record.at).start.as_ms(),
        };
        let (text, key) = key(query.by, past);
        let line = lines.entry((from, text)).or_insert((key, Calls::default()));
        line.1.count(past);
    }
    let line = |((from, _), (key, calls))| StatsRow {
        from: Timestamp::from_ms(from),
        key,
        calls,
    };
    lines.into_iter().map(line).collect()
}

fn query(span_ms: i64) -> impl Strategy<Value = StatsQuery> {
    let by = prop::sample::select(vec![
        StatsBy::All,
        StatsBy::Pool,
        StatsBy::Campaign,
        StatsBy::AreaCode,
        StatsBy::Carrier,
        StatsBy::Number,
        StatsBy::Rung,
        StatsBy::Reach,
    ]);
    let zone = |name: &str| TimeZone::parse(name).unwrap();
    let span = prop::sample::select(vec![
        Span::Whole,
        Span::Hour(TimeZone::utc()),
        Span::Hour(zone("Asia/Kolkata")),
        Span::Day(TimeZone::utc()),
        Span::Day(zone("America/Chicago")),
        Span::Day(zone("America/St_Johns")),
        Span::Day(zone("Asia/Kathmandu")),
    ]);
    let instant = move || {
        let any = -DAY_MS..span_ms + DAY_MS;
        (any, 0..4).prop_map(|(ms, unit)| match unit {
            0 => at(floor(ms, HOUR_MS / 4)),
            _ => at(ms),
        })
    };
    let names = |names: &'static [&'static str]| prop::sample::select(names);
    let filters = (
        option::weighted(0.2, names(&["default", "solar", "none"]).prop_map(pool)),
        option::weighted(0.2, names(&["SOLAR", "é", "none"]).prop_map(campaign_id)),
        option::weighted(0.2, (0..6_u64).prop_map(own)),
    );
    (by, span, instant(), instant(), filters).prop_map(|(by, span, since, until, filters)| {
        StatsQuery {
            by,
            span,
            since,
            until: since.max(until),
            pool: filters.0,
            campaign: filters.1,
            number: filters.2,
        }
    })
}

/// Calls as they are made over days: none of an hour, or many; ended and reported within the hour after.
struct Days {
    dice: Dice,
    now_ms: i64,
    all: Vec<PastAllocation>,
}

impl Days {
    /// Some time goes by, and some calls are made and end.
    async fn go_on(&mut self, store: &OpenStore) {
        let dice = &mut self.dice;
        self.now_ms += match dice.roll(10) {
            0 => dice.roll(30 * 60) as i64 * MINUTE_MS,
            _ => dice.roll(90) as i64 * MINUTE_MS,
        };
        let mut batch = Vec::new();
        for _ in 0..dice.roll(12) {
            let ms = self.now_ms - dice.roll(15) as i64 * MINUTE_MS;
            let mut one = random_record(dice, ms, self.all.len() as u64);
            if dice.roll(5) == 0 {
                one.destination = "+442079460958".parse().unwrap();
            }
            batch.push(allocated(&one));
            self.all.push(PastAllocation::new(one));
        }
        store.commit(batch).await;
        let now = at(self.now_ms);
        let mut batch = Vec::new();
        for past in self.all.iter_mut().rev().take(20) {
            let end = CallEnd::ALL[self.dice.roll(7) as usize];
            if now.ms_since(past.record.at) > HOUR_MS {
                continue;
            }
            match self.dice.roll(6) {
                0 | 1 => {
                    batch.push(ended(&past.record, self.now_ms, end));
                    past.end(end_record(&past.record, self.now_ms, end));
                }
                2 => {
                    let report = CallReport {
                        status: end,
                        answered_seconds: (self.dice.roll(2) == 0).then_some(self.now_ms as u32),
                        ..CallReport::default()
                    };
                    batch.push(reported(&past.record, self.now_ms, report));
                    past.report(result_record(&past.record, self.now_ms, report));
                }
                _ => {}
            }
        }
        store.commit(batch).await;
    }
}

/// Whenever it is summed up, and however far; settled or not.
pub async fn counts_are_those_of_the_allocations_however_much_is_summed_up(data: &mut dyn DataSet) {
    let store = data.open().await;
    write_carriers(&store).await;
    let mut days = Days {
        dice: Dice::new(11),
        now_ms: 0,
        all: Vec::new(),
    };
    for _ in 0..6 {
        for _ in 0..25 {
            days.go_on(&store).await;
            if days.dice.roll(8) == 0 {
                store.settle().await;
            }
            for _ in 0..days.dice.roll(4) {
                store.reader.sum_up(at(days.now_ms)).await.unwrap();
            }
        }
        for_all(query(days.now_ms), async |query| {
            assert_eq!(stats(&store, &query).await, expected(&days.all, &query));
        });
    }
    store.settle().await;
    for hours in [0, 3, 30, 24 * 30] {
        sum_up_all(&store, at(days.now_ms + hours * HOUR_MS)).await;
        for_all(query(days.now_ms), async |query| {
            assert_eq!(stats(&store, &query).await, expected(&days.all, &query));
        });
    }
}

/// In the order of all others.
pub async fn the_lines_with_the_most_calls_are_given(data: &mut dyn DataSet) {
    let store = data.open().await;
    let mut batch = Vec::new();
    for (number, calls) in [(1, 2), (2, 5), (3, 1), (4, 4)] {
        for n in 0..calls {
            batch.push(allocated(&record(n, number * 100 + n as u64, own(number))));
        }
    }
    store.commit(batch).await;
    let query = all_by(StatsBy::Number);
    let most = store.reader.stats(&query, 2).await.unwrap();
    let lines: Vec<_> = most
        .iter()
        .map(|line| (&line.key, line.calls.calls))
        .collect();
    let keys = [2, 4].map(|n| StatsKey::Number(own(n)));
    assert_eq!(lines, [(&keys[0], 5), (&keys[1], 4)]);
    assert_eq!(store.reader.stats(&query, 0).await.unwrap(), []);
    let mut whole = stats(&store, &query).await;
    whole.sort_by_key(|line| Reverse(line.calls.calls));
    assert_eq!(whole.len(), 4);
}

/// What is said of an allocation counts as it does in pages, wherever both are kept.
pub async fn an_end_that_is_not_settled_counts(data: &mut dyn DataSet) {
    let store = data.open().await;
    let [a, b, c, d] = [1, 2, 3, 4].map(|n| record(n as i64, n, own(n)));
    store.commit([&a, &b, &c].map(allocated)).await;
    store.commit([ended(&b, 5, CallEnd::Released)]).await;
    store.settle().await;
    store
        .commit([
            allocated(&d),
            ended(&a, 6, CallEnd::Busy),
            ended(&b, 6, CallEnd::Busy),
            reported(&c, 7, full_report(CallEnd::Answer)),
            ended(&d, 8, CallEnd::Congestion),
        ])
        .await;
    let expected = Calls {
        calls: 4,
        answered: 1,
        busy: 1,
        failed: 1,
        answered_seconds: 42,
        ..Calls::default()
    };
    for _ in 0..2 {
        let counted = stats(&store, &all_by(StatsBy::All)).await;
        assert_eq!(counted.len(), 1);
        assert_eq!(counted[0].calls, expected);
        store.settle().await;
    }
}

/// To the millisecond, summed up or not.
pub async fn campaigns_are_seen_from_an_instant_on(data: &mut dyn DataSet) {
    let store = data.open().await;
    let mut dice = Dice::new(3);
    let mut all = Vec::new();
    for n in 0..300 {
        let ms = dice.roll(DAY_MS as u64) as i64;
        all.push(random_record(&mut dice, ms, n));
    }
    store.commit(all.iter().map(allocated)).await;
    store.settle().await;
    for hours in [0, 10, 40] {
        sum_up_all(&store, at(hours * HOUR_MS)).await;
        for _ in 0..30 {
            let since = at(dice.roll(DAY_MS as u64) as i64);
            let mut expected = BTreeMap::new();
            for campaign in all
                .iter()
                .filter(|one| one.at >= since)
                .filter_map(|one| one.campaign.clone())
            {
                *expected.entry(campaign).or_insert(0_u64) += 1;
            }
            let seen = store.reader.campaigns_seen(since).await.unwrap();
            assert_eq!(seen, expected.into_iter().collect::<Vec<_>>());
        }
        let all = store.reader.campaigns_seen(Timestamp::ZERO).await.unwrap();
        assert_eq!(all.len(), 3);
        let none = store.reader.campaigns_seen(START.plus_ms(2 * DAY_MS)).await;
        assert_eq!(none.unwrap(), []);
    }
}
