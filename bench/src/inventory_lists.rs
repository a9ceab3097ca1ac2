//! Lists of a million numbers, page by page, in both stores.

use std::sync::Arc;

use anyhow::Context;
use caller_id_core::listing::{Direction, NumberFilter, NumberQuery, SortBy, StatusKind};
use caller_id_core::store::OnDuplicate;
use caller_id_core::{
    AreaCode, Attestation, Author, InventoryStore, Number, PhoneNumber, PoolId, Status, SystemClock,
};
use caller_id_store::{PostgresOptions, PostgresStore, SqliteOptions, SqliteStore};
use caller_id_testkit::postgres::Postgres;

use crate::numbers::inventory;
use crate::stopwatch::Stopwatch;

const NUMBERS: usize = 1_000_000;
/// Rows of one transaction, as an import writes them.
const BATCH: usize = 2_000;
/// Rows of a page.
const PAGE: usize = 100;
/// Pages of each list, from all over it.
const PAGES: usize = 9;
/// Settings of a server that keeps what it acknowledged, with memory as a small one has.
const SERVER: [&str; 3] = ["fsync=on", "shared_buffers=512MB", "max_wal_size=4GB"];

const SORTS: [SortBy; 7] = [
    SortBy::Number,
    SortBy::AreaCode,
    SortBy::Carrier,
    SortBy::Pool,
    SortBy::Status,
    SortBy::CreatedAt,
    SortBy::UpdatedAt,
];

/// Prints the milliseconds of a page: the median, and the longest, for each filter and order.
pub(crate) fn run() -> anyhow::Result<()> {
    println!("## Lists of 1,000,000 numbers (asked: any page of {PAGE} in 50 ms at the median)");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let folder = tempfile::tempdir()?;
        let options = SqliteOptions::new(Arc::new(SystemClock::new()));
        let store = SqliteStore::open_beside(&folder.path().join("caller-id.db"), options)?;
        measure("SQLite", &*store).await?;
        let server = Postgres::start_with(&SERVER, &[]);
        let options = PostgresOptions::new(Arc::new(SystemClock::new()));
        let store = PostgresStore::open(&server.url(&server.database()), options).await?;
        measure("PostgreSQL", &*store).await
    })
}

async fn measure(name: &str, store: &dyn InventoryStore) -> anyhow::Result<()> {
    let numbers = inventory(NUMBERS);
    let watch = Stopwatch::start();
    fill(store, &numbers).await?;
    println!(
        "{name}: {NUMBERS} rows written in batches of {BATCH}, with their audit entries: {:.1} s",
        watch.seconds()
    );
    for (what, filter) in filters(&numbers)? {
        let watch = Stopwatch::start();
        let count = store.count_matching(&filter).await?;
        println!(
            "{name}, {what}: {count} numbers, counted in {:.1} ms; a page, sorted by",
            watch.seconds() * 1_000.0
        );
        for sort in SORTS {
            let mut times = Vec::new();
            for direction in [Direction::Up, Direction::Down] {
                times.extend(pages(store, &numbers, &filter, sort, direction).await?);
            }
            times.sort_by(f64::total_cmp);
            let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
            println!("  {sort:?}: median {median:.1} ms, longest {worst:.1} ms");
        }
    }
    Ok(())
}

/// Milliseconds of the first page, and of pages behind numbers from all over the inventory.
async fn pages(
    store: &dyn InventoryStore,
    numbers: &[PhoneNumber],
    filter: &NumberFilter,
    sort: SortBy,
    direction: Direction,
) -> anyhow::Result<Vec<f64>> {
    let mut query = NumberQuery {
        filter: filter.clone(),
        sort,
        direction,
        after: None,
        most: PAGE,
    };
    let mut times = Vec::new();
    for page in 0..PAGES {
        if page > 0 {
            let number = numbers[page * 104_729 % numbers.len()];
            let row = store
                .number_row(number)
                .await?
                .context("a number is missing")?;
            query.after = Some(query.place(&row));
        }
        let watch = Stopwatch::start();
        store.list_numbers(&query).await?;
        times.push(watch.seconds() * 1_000.0);
    }
    Ok(times)
}

/// Most are alike, as they are where somebody has many, and some are rare.
fn number(place: usize, number: PhoneNumber) -> anyhow::Result<Number> {
    let pool = match place {
        7 | 500_007 | 900_007 => "rare".to_owned(),
        _ => format!("pool-{:02}", place / 7 % 20),
    };
    let carriers = ["Bandwidth", "Inteliquent", "Lumen", "Telnyx", "Twilio"];
    Ok(Number {
        carrier: carriers.get(place / 11 % 6).map(|name| (*name).to_owned()),
        attestation: [Some(Attestation::A), Some(Attestation::B), None][place / 13 % 3],
        status: match place % 1_000 {
            0..30 => Status::Retired,
            500 => Status::Paused,
            _ => Status::Active,
        },
        pool: PoolId::new(&pool).context("a pool's name")?,
        ..Number::new(number)
    })
}

async fn fill(store: &dyn InventoryStore, numbers: &[PhoneNumber]) -> anyhow::Result<()> {
    let by = Author::command("bench");
    for (batch, some) in numbers.chunks(BATCH).enumerate() {
        let rows: anyhow::Result<Vec<_>> = some
            .iter()
            .enumerate()
            .map(|(place, one)| number(batch * BATCH + place, *one))
            .collect();
        store.write_numbers(rows?, OnDuplicate::Fail, &by).await?;
    }
    Ok(())
}

fn filters(numbers: &[PhoneNumber]) -> anyhow::Result<Vec<(&'static str, NumberFilter)>> {
    let all = NumberFilter::default;
    let pools = |names: &[&str]| -> anyhow::Result<NumberFilter> {
        let pools: Result<_, _> = names.iter().map(|name| PoolId::new(name)).collect();
        Ok(NumberFilter {
            pools: pools?,
            ..all()
        })
    };
    let statuses = |kind| NumberFilter {
        statuses: vec![kind],
        ..all()
    };
    let carriers = |name: &str| NumberFilter {
        carriers: vec![name.to_owned()],
        ..all()
    };
    let mut codes: Vec<AreaCode> = numbers[..400]
        .iter()
        .filter_map(|one| one.area_code())
        .collect();
    codes.sort();
    codes.dedup();
    let codes = |count: usize| NumberFilter {
        area_codes: codes
            .iter()
            .step_by(codes.len() / count)
            .copied()
            .take(count)
            .collect(),
        ..all()
    };
    let begins = |digits: &str| NumberFilter {
        begins: Some(digits.to_owned()),
        ..all()
    };
    let contains = |digits: &str| NumberFilter {
        contains: Some(digits.to_owned()),
        ..all()
    };
    Ok(vec![
        ("all", all()),
        ("one pool", pools(&["pool-07"])?),
        ("a rare pool", pools(&["rare"])?),
        ("two pools", pools(&["pool-00", "pool-19"])?),
        ("status active", statuses(StatusKind::Active)),
        ("status retired", statuses(StatusKind::Retired)),
        ("status paused", statuses(StatusKind::Paused)),
        ("status resting (none)", statuses(StatusKind::Resting)),
        ("one carrier", carriers("Lumen")),
        ("no carrier", carriers("")),
        ("one area code", codes(1)),
        ("30 area codes", codes(30)),
        (
            "attestation B",
            NumberFilter {
                attestations: vec![Attestation::B],
                ..all()
            },
        ),
        (
            "50 numbers",
            NumberFilter {
                numbers: numbers.iter().step_by(20_000).copied().collect(),
                ..all()
            },
        ),
        ("begins with 1", begins("1")),
        ("begins with 1312", begins("1312")),
        ("begins with 13122000", begins("13122000")),
        ("has 200", contains("200")),
        ("has 00123", contains("00123")),
        ("has 2000777", contains("2000777")),
        ("has 9999999 (none)", contains("9999999")),
    ])
}
