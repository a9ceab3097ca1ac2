use std::sync::Arc;

use caller_id_core::{AllocationId, PhoneNumber, Timestamp};

use super::*;

fn record(pool: &str, rung: Rung) -> AllocationRecord {
    let number = PhoneNumber::parse("3125550100").unwrap();
    let at = Timestamp::from_ms(1_795_348_800_000);
    AllocationRecord {
        id: AllocationId::new(at, 1),
        at,
        number,
        destination: number,
        campaign: None,
        agent: None,
        call_id: None,
        pool: PoolId::new(pool).unwrap(),
        rung,
        reserved_until: at,
    }
}

#[test]
fn places_of_rungs_and_outcomes_are_those_of_their_lists() {
    assert!(
        Rung::ALL
            .iter()
            .enumerate()
            .all(|(n, rung)| *rung as usize == n)
    );
    assert!(
        Outcome::ALL
            .iter()
            .enumerate()
            .all(|(n, one)| *one as usize == n)
    );
}

#[test]
fn allocations_are_counted_by_pool_and_rung_and_repeats_are_not() {
    let meters = Meters::default();
    let east = record("east", Rung::Overlay);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..100).for_each(|_| meters.asked("allocated", Some(&east))));
        }
    });
    meters.asked("repeated", Some(&east));
    meters.asked("exhausted", None);
    meters.asked("hung_up", None);
    assert_eq!(meters.outcome(Outcome::Allocated), 400);
    assert_eq!(meters.outcome(Outcome::Repeated), 1);
    let all = meters.allocations();
    assert_eq!(all, [("east".to_owned(), Rung::Overlay, 400)]);
}

#[test]
fn pools_beyond_the_most_are_counted_together_also_when_all_come_at_once() {
    let meters = Arc::new(Meters::default());
    let pools = POOLS_MOST + 10;
    std::thread::scope(|scope| {
        for turn in 0..4 {
            let meters = &meters;
            scope.spawn(move || {
                for n in 0..pools {
                    let pool = format!("pool {}", (n + turn * 17) % pools);
                    meters.asked("allocated", Some(&record(&pool, Rung::Any)));
                }
            });
        }
    });
    let all = meters.allocations();
    assert_eq!(all.len(), POOLS_MOST + 1);
    let (other, named): (Vec<_>, Vec<_>) = all.iter().partition(|(pool, ..)| pool == OTHER);
    assert_eq!(other[0].2, 40);
    assert!(named.iter().all(|(_, _, count)| *count == 4), "{named:?}");
}

#[test]
fn answers_are_counted_by_method_route_and_class() {
    let meters = Meters::default();
    let took = Duration::from_millis(3);
    meters.called(200, took);
    meters.answered(("GET", Some("/next-cid/")), 404, took);
    meters.answered(("GET", Some("/api/v1/numbers/{number}")), 200, took);
    meters.answered(("GET", Some("/api/v1/numbers/{number}")), 200, took);
    meters.answered(("BREW", None), 999, took);
    let answers = meters.answers();
    let found = answers.iter().map(|one| {
        let (method, route, class) = (one.method, one.route.as_str(), one.class);
        (method, route, class, one.took.count())
    });
    assert_eq!(
        found.collect::<Vec<_>>(),
        [
            ("GET", "/next-cid", "2xx", 1),
            ("GET", "/next-cid", "4xx", 1),
            ("GET", "/api/v1/numbers/{number}", "2xx", 2),
            ("other", "none", "other", 1),
        ]
    );
    assert_eq!(answers[0].took.sum_ns, 3_000_000);
}

#[test]
fn dialogs_are_counted_by_script_and_end() {
    let meters = Meters::default();
    meters.talked(Script::NextCid, Ended::Deadline, Duration::from_millis(150));
    let dialogs = meters.dialogs();
    assert_eq!(dialogs.len(), 1);
    assert_eq!(
        (dialogs[0].0, dialogs[0].1),
        (Script::NextCid, Ended::Deadline)
    );
}
