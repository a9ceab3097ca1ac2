//! Facts about lists of numbers: [`NumberFilter::has`] and [`NumberQuery::compare`] say what they are.

use std::num::NonZeroU32;

use caller_id_core::listing::{
    Direction, NumberChange, NumberFilter, NumberPlace, NumberQuery, NumberRow, SortBy, SortKey,
    StatusKind,
};
use caller_id_core::store::{Fields, OnDuplicate};
use caller_id_core::{Attestation, InventoryStore, Limits, Number, PhoneNumber, Status};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestRunner};

use super::{DataSet, OpenStore};
use crate::builders::{START, area, number, pool, somebody};

const SORTS: [SortBy; 7] = [
    SortBy::Number,
    SortBy::AreaCode,
    SortBy::Carrier,
    SortBy::Pool,
    SortBy::Status,
    SortBy::CreatedAt,
    SortBy::UpdatedAt,
];
const CARRIERS: [&str; 5] = ["", "Acme", "acme", "Zürich Tel", "Ä"];
const POOLS: [&str; 4] = ["default", "Solar", "solar", "roof-1"];
const LEVELS: [Attestation; 3] = [Attestation::A, Attestation::B, Attestation::C];
const AREAS: [u16; 4] = [212, 312, 646, 773];

fn statuses() -> impl Strategy<Value = Status> {
    select(vec![
        Status::Active,
        Status::Paused,
        Status::Resting(START),
        Status::Resting(START.plus_ms(7)),
        Status::Resting(START.plus_ms(700)),
        Status::Resting(START.plus_ms(100_000_000)),
        Status::Retired,
    ])
}

fn phones() -> impl Strategy<Value = PhoneNumber> {
    let nanp = (select(&AREAS[..]), 0_u64..9).prop_map(|(area, line)| number(area, line * 37));
    let foreign = select(vec![44_207_946_095, 3_120_000_000, 861_312_555_000_112])
        .prop_map(|digits| PhoneNumber::from_e164_digits(digits).expect("a number"));
    prop_oneof![6 => nanp, 1 => foreign]
}

fn numbers() -> impl Strategy<Value = Number> {
    let areas = option::weighted(0.8, select(&AREAS[..]));
    let carriers = option::weighted(0.7, select(&CARRIERS[..]));
    let levels = option::of(select(&LEVELS[..]));
    let limits = (0_u32..3, 0_u32..3);
    let fields = (
        areas,
        carriers,
        levels,
        statuses(),
        select(&POOLS[..]),
        limits,
    );
    (phones(), fields).prop_map(
        |(phone, (code, carrier, level, status, name, limits))| Number {
            area_code: code.map(area),
            carrier: carrier.map(str::to_owned),
            attestation: level,
            status,
            pool: pool(name),
            limits: Limits {
                daily: NonZeroU32::new(limits.0),
                hourly: NonZeroU32::new(limits.1),
            },
            ..Number::new(phone)
        },
    )
}

fn some<T: Clone + std::fmt::Debug + 'static>(all: &[T]) -> impl Strategy<Value = Vec<T>> + use<T> {
    let some = subsequence(all.to_vec(), 0..=all.len());
    prop_oneof![3 => Just(Vec::new()), 2 => some]
}

fn filters() -> impl Strategy<Value = NumberFilter> {
    let begins = select(vec![
        "",
        "1",
        "1312",
        "13125550037",
        "44",
        "0",
        "x",
        "1312555003700000",
    ]);
    let contains = select(vec!["", "55", "0037", "312", "9", "+1", "é"]);
    let columns = (
        some(&POOLS),
        some(&StatusKind::ALL),
        some(&CARRIERS),
        some(&AREAS),
        some(&LEVELS),
    );
    let digits = (
        prop_oneof![4 => Just(Vec::new()), 1 => vec(phones(), 0..6)],
        option::weighted(0.3, begins),
        option::weighted(0.3, contains),
    );
    (columns, digits).prop_map(|(columns, (numbers, begins, contains))| {
        let (pools, statuses, carriers, areas, attestations) = columns;
        NumberFilter {
            pools: pools.into_iter().map(pool).collect(),
            statuses,
            carriers: carriers.into_iter().map(str::to_owned).collect(),
            area_codes: areas.into_iter().map(area).collect(),
            attestations,
            numbers,
            begins: begins.map(str::to_owned),
            contains: contains.map(str::to_owned),
        }
    })
}

/// Any place, also one that no list of this inventory has, or no list in this order.
fn places() -> impl Strategy<Value = NumberPlace> {
    let keys = prop_oneof![
        Just(SortKey::None),
        select(vec![
            0,
            312,
            700,
            START.as_ms(),
            START.as_ms() + 1,
            i64::MAX
        ])
        .prop_map(SortKey::Whole),
        select(vec!["", "Acme", "active", "solar", "zz", "a\0b", "é"])
            .prop_map(|text| SortKey::Text(text.to_owned())),
    ];
    let digits = prop_oneof![
        select(vec![0, 44_000_000_000, u64::MAX]),
        phones().prop_map(|phone| phone.e164_digits()),
    ];
    (keys, digits).prop_map(|(key, digits)| NumberPlace { key, digits })
}

fn queries() -> impl Strategy<Value = NumberQuery> {
    let ways = select(vec![Direction::Up, Direction::Down]);
    let after = option::weighted(0.4, places());
    (filters(), select(&SORTS[..]), ways, after, 1_usize..9).prop_map(
        |(filter, sort, direction, after, most)| NumberQuery {
            filter,
            sort,
            direction,
            after,
            most,
        },
    )
}

/// What the query asks for, all of it, in its order.
fn expected(rows: &[NumberRow], query: &NumberQuery) -> Vec<NumberRow> {
    let behind = |row: &&NumberRow| {
        query.after.as_ref().is_none_or(|after| {
            let place = query.place(row);
            let order = (place.key, place.digits).cmp(&(after.key.clone(), after.digits));
            match query.direction {
                Direction::Up => order.is_gt(),
                Direction::Down => order.is_lt(),
            }
        })
    };
    let mut all: Vec<_> = rows
        .iter()
        .filter(|row| query.filter.has(&row.number))
        .filter(behind)
        .cloned()
        .collect();
    all.sort_by_cached_key(|row| {
        let place = query.place(row);
        (place.key, place.digits)
    });
    if query.direction == Direction::Down {
        all.reverse();
    }
    assert!(all.is_sorted_by(|one, other| query.compare(one, other).is_lt()));
    all
}

/// Every page of a list.
async fn walk(inventory: &dyn InventoryStore, query: &NumberQuery) -> Vec<NumberRow> {
    let mut query = query.clone();
    let mut all: Vec<NumberRow> = Vec::new();
    loop {
        let page = inventory.list_numbers(&query).await.unwrap();
        assert!(page.len() <= query.most);
        let end = page.len() < query.most;
        query.after = page.last().map(|last| query.place(last)).or(query.after);
        all.extend(page);
        if end {
            return all;
        }
    }
}

/// Writes batches, a millisecond apart, over what there is; tells the rows that are there then.
async fn fill(store: &OpenStore, batches: Vec<Vec<Number>>) -> Vec<NumberRow> {
    let inventory = &store.inventory;
    let (none, by) = (NumberFilter::default(), somebody());
    let delete = NumberChange::Delete;
    let deleted = inventory.change_numbers(&none, &delete, None, usize::MAX >> 1, &by);
    assert_eq!(deleted.await.unwrap().next, None);
    let mut rows: Vec<NumberRow> = Vec::new();
    for batch in batches {
        let now = store.clock.advance_ms(1);
        rows = rows.into_iter().map(|row| row.at(now)).collect();
        for number in &batch {
            let number = &Number {
                status: number.status.at(now),
                ..number.clone()
            };
            match rows
                .iter_mut()
                .find(|row| row.number.number == number.number)
            {
                Some(row) if row.number == *number => {}
                Some(row) => {
                    row.number = number.clone();
                    row.updated_at = now;
                }
                None => rows.push(NumberRow {
                    number: number.clone(),
                    created_at: now,
                    updated_at: now,
                }),
            }
        }
        let update = OnDuplicate::Update(Fields::ALL);
        inventory.write_numbers(batch, update, &by).await.unwrap();
    }
    rows
}

/// Random inventories and queries, page by page.
pub async fn a_list_has_what_its_query_says_in_its_order(data: &mut dyn DataSet) {
    let store = data.open().await;
    let inventory = &store.inventory;
    let config = Config {
        cases: 48,
        failure_persistence: None,
        ..Config::default()
    };
    let cases = (vec(vec(numbers(), 0..14), 0..4), vec(queries(), 24));
    let run = TestRunner::new(config).run(&cases, |(batches, queries)| {
        let check = async {
            let mut rows = fill(&store, batches).await;
            for query in queries {
                // Rests end meanwhile, and nobody writes that.
                let now = store.clock.advance_ms(30);
                rows = rows.into_iter().map(|row| row.at(now)).collect();
                let listed = walk(&**inventory, &query).await;
                prop_assert_eq!(&listed, &expected(&rows, &query), "{:?}", query);
                let all = NumberQuery {
                    after: None,
                    ..query
                };
                let count = inventory.count_matching(&all.filter).await.unwrap();
                prop_assert_eq!(count, expected(&rows, &all).len() as u64, "{:?}", all);
            }
            Ok(())
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(check))
    });
    run.unwrap();
}

/// So many that each is found along an index, for each order, filter and way.
pub async fn a_long_list_is_walked_in_every_order(data: &mut dyn DataSet) {
    const HALF: u64 = 6_000;
    let store = data.open().await;
    let by = somebody();
    let mut rows = Vec::new();
    for batch in 0..2_u64 {
        let now = store.clock.advance_ms(1);
        let numbers: Vec<_> = (0..HALF)
            .map(|n| {
                // Neighbours in one order are far from each other in the next.
                let line = n * 4_999 % 10_000;
                let exchange = number([312, 212][(n % 2) as usize], line).e164_digits();
                let phone = exchange + (batch * 2 + n / 5_000) * 10_000;
                Number {
                    carrier: (n % 3 > 0).then(|| CARRIERS[(n % 2) as usize + 1].to_owned()),
                    attestation: (n % 5 > 0).then_some(LEVELS[(batch) as usize]),
                    status: [Status::Active, Status::Paused][(n / 3 % 2) as usize],
                    pool: pool(POOLS[(n / 6 % 2) as usize]),
                    ..Number::new(PhoneNumber::from_e164_digits(phone).expect("a number"))
                }
            })
            .collect();
        let row = |number: &Number| NumberRow {
            number: number.clone(),
            created_at: now,
            updated_at: now,
        };
        rows.extend(numbers.iter().map(row));
        let written = store
            .inventory
            .write_numbers(numbers, OnDuplicate::Fail, &by);
        written.await.unwrap();
    }
    let none = NumberFilter::default();
    let filters = [
        none.clone(),
        NumberFilter {
            pools: vec![pool("default"), pool("Solar")],
            ..none.clone()
        },
        NumberFilter {
            statuses: vec![StatusKind::Paused],
            ..none.clone()
        },
        NumberFilter {
            carriers: CARRIERS.map(str::to_owned).to_vec(),
            ..none.clone()
        },
        NumberFilter {
            area_codes: AREAS.map(area).to_vec(),
            statuses: vec![StatusKind::Active],
            ..none.clone()
        },
        NumberFilter {
            attestations: LEVELS.to_vec(),
            ..none.clone()
        },
        NumberFilter {
            begins: Some("1".to_owned()),
            contains: Some("55".to_owned()),
            ..none.clone()
        },
        NumberFilter {
            begins: Some("1312555000".to_owned()),
            ..none
        },
    ];
    let mut ways = [Direction::Up, Direction::Down];
    for filter in filters {
        for sort in SORTS {
            ways.rotate_left(1);
            let query = NumberQuery {
                filter: filter.clone(),
                sort,
                direction: ways[0],
                after: None,
                most: 2_500,
            };
            let listed = walk(&*store.inventory, &query).await;
            assert!(listed == expected(&rows, &query), "{query:?}");
        }
    }
}

/// With its instants; and none that is not there.
pub async fn a_row_tells_when_its_number_was_added_and_changed(data: &mut dyn DataSet) {
    let store = data.open().await;
    let one = Number::new(number(312, 1));
    let paused = Number {
        status: Status::Paused,
        ..one.clone()
    };
    let batches = vec![vec![one.clone()], vec![one.clone()], vec![paused.clone()]];
    fill(&store, batches).await;
    let row = store.inventory.number_row(one.number).await.unwrap();
    let expected = NumberRow {
        number: paused,
        created_at: START.plus_ms(1),
        updated_at: START.plus_ms(3),
    };
    assert_eq!(row, Some(expected));
    let none = store.inventory.number_row(number(312, 2)).await.unwrap();
    assert_eq!(none, None);
}
