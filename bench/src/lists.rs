//! What people ask of history: pages of it, and counts, with millions of allocations in it.

use std::sync::Arc;

use anyhow::ensure;
use caller_id_core::history_query::{PastFilter, PastQuery, Span, StatsBy, StatsQuery};
use caller_id_core::{
    CampaignId, Clock, HistoryReader, HistoryStore, Journal, PhoneNumber, SystemClock, Timestamp,
};
use caller_id_store::{PostgresOptions, PostgresStore, SqliteOptions, SqliteStore};
use caller_id_testkit::postgres::Postgres;

use crate::numbers::inventory;
use crate::past::{Past, destination};
use crate::stopwatch::Stopwatch;

const ALLOCATIONS: u64 = 2_000_000;
const NUMBERS: usize = 20_000;
const DAY_MS: i64 = 24 * 3_600_000;
/// The time that they are made in.
const SPAN_MS: i64 = 30 * DAY_MS;
const ROUNDS: u64 = 21;
const PAGE: usize = 100;
/// How deep into the list it is gone by cursor.
const PAGES: usize = 1_000;

/// Settings of a server that keeps what it acknowledged, with memory as a small one has.
const SERVER: [&str; 3] = ["fsync=on", "shared_buffers=512MB", "max_wal_size=4GB"];

/// Prints milliseconds at the median.
pub(crate) fn run() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let folder = tempfile::tempdir()?;
    let clock = Arc::new(SystemClock::new());
    println!("## Pages and counts of {ALLOCATIONS} allocations (asked: 50 ms at the median)");
    let server = Postgres::start_with(&SERVER, &[]);
    runtime.block_on(async {
        let file = folder.path().join("caller-id.db");
        let store = SqliteStore::open(&file, SqliteOptions::new(clock.clone()))?;
        measure("SQLite", &*store, &*clock).await?;
        store.close().await;
        let url = server.url(&server.database());
        let store = PostgresStore::open(&url, PostgresOptions::new(clock.clone())).await?;
        measure("PostgreSQL", &*store, &*clock).await
    })
}

async fn measure<S>(name: &str, store: &S, clock: &dyn Clock) -> anyhow::Result<()>
where
    S: HistoryReader + HistoryStore + Journal,
{
    println!("### {name}");
    let numbers = inventory(NUMBERS);
    let now = clock.now();
    let watch = Stopwatch::start();
    let past = Past {
        numbers: &numbers,
        now,
        span_ms: SPAN_MS,
        allocations: ALLOCATIONS,
        pool: |place| format!("pool{}", place % 5),
    };
    past.write(store).await?;
    println!("written in {:.0} s", watch.seconds());
    let (watch, mut steps) = (Stopwatch::start(), 0);
    while store.sum_up(now).await? {
        steps += 1;
    }
    println!("summed up in {:.1} s, {steps} steps", watch.seconds());
    pages(store, &numbers).await?;
    deep(store).await?;
    counts(store, now).await
}

/// The median of some rounds, in milliseconds.
fn median(mut micros: Vec<u64>) -> f64 {
    micros.sort_unstable();
    micros[micros.len() / 2] as f64 / 1_000.0
}

/// What is asked for in a round.
type Asked<'a> = &'a dyn Fn(u64) -> anyhow::Result<PastFilter>;

async fn pages<S: HistoryReader>(store: &S, numbers: &[PhoneNumber]) -> anyhow::Result<()> {
    let of_campaign = |name: &str| -> anyhow::Result<_> {
        Ok(PastFilter {
            campaign: Some(CampaignId::new(name)?),
            ..PastFilter::default()
        })
    };
    let of_number = |round: u64| PastFilter {
        number: Some(numbers[round as usize * 900]),
        ..PastFilter::default()
    };
    let of_destination = |round: u64| -> anyhow::Result<_> {
        Ok(PastFilter {
            destination: Some(destination(round * 90_000)?),
            ..PastFilter::default()
        })
    };
    let lists: [(&str, Asked<'_>); 5] = [
        ("all", &|_| Ok(PastFilter::default())),
        ("of a number", &|round| Ok(of_number(round))),
        ("of a destination", &of_destination),
        ("of a common campaign", &|round| {
            of_campaign(&format!("CAMPAIGN{}", round % 20))
        }),
        ("of a rare campaign", &|_| of_campaign("RARE")),
    ];
    for (name, asked) in lists {
        first_page(store, name, asked).await?;
    }
    Ok(())
}

async fn first_page<S: HistoryReader>(
    store: &S,
    name: &str,
    asked: Asked<'_>,
) -> anyhow::Result<()> {
    let (mut micros, mut rows) = (Vec::new(), 0);
    for round in 0..ROUNDS {
        let query = PastQuery {
            filter: asked(round)?,
            before: None,
            most: PAGE,
        };
        let watch = Stopwatch::start();
        rows = store.past(&query).await?.allocations.len();
        micros.push(watch.micros());
    }
    println!("first page {name}: {:.1} ms, {rows} rows", median(micros));
    Ok(())
}

async fn deep<S: HistoryReader>(store: &S) -> anyhow::Result<()> {
    let mut query = PastQuery {
        most: PAGE,
        ..PastQuery::default()
    };
    let mut micros = Vec::new();
    for _ in 0..PAGES {
        let watch = Stopwatch::start();
        let page = store.past(&query).await?;
        micros.push(watch.micros());
        ensure!(page.allocations.len() == PAGE, "a page is not full");
        query.before = page.next;
    }
    let last = micros.split_off(micros.len() - ROUNDS as usize);
    println!("page {PAGES} by cursor: {:.1} ms", median(last));
    Ok(())
}

async fn counts<S: HistoryReader>(store: &S, now: Timestamp) -> anyhow::Result<()> {
    for (name, by, days, span) in [
        ("a day by pool", StatsBy::Pool, 1, Span::Whole),
        (
            "a day by pool and hour",
            StatsBy::Pool,
            1,
            Span::Hour(caller_id_core::TimeZone::utc()),
        ),
        ("30 days by campaign", StatsBy::Campaign, 30, Span::Whole),
        ("30 days by area code", StatsBy::AreaCode, 30, Span::Whole),
        ("30 days by number", StatsBy::Number, 30, Span::Whole),
    ] {
        let query = StatsQuery {
            by,
            span,
            since: now.plus_ms(-days * DAY_MS),
            until: now,
            pool: None,
            campaign: None,
            number: None,
        };
        let (mut micros, mut lines) = (Vec::new(), 0);
        for _ in 0..ROUNDS {
            let watch = Stopwatch::start();
            lines = store.stats(&query, 1_000).await?.len();
            micros.push(watch.micros());
        }
        println!("counts of {name}: {:.1} ms, {lines} lines", median(micros));
    }
    Ok(())
}
