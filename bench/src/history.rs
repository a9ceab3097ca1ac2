//! History into PostgreSQL, as the drainer of an outbox writes it, against what the same server takes by a bare COPY.

use std::sync::Arc;

use anyhow::{Context, ensure};
use caller_id_core::{
    AgentId, AllocationId, AllocationRecord, CallEnd, CallId, CallReport, CallResult, CampaignId,
    Clock, EndRecord, HistoryStore, Journal, JournalEvent, PhoneNumber, PoolId, Rung, SystemClock,
    Timestamp,
};
use caller_id_store::{PostgresOptions, PostgresStore};
use caller_id_testkit::postgres::Postgres;

use crate::stopwatch::Stopwatch;

/// As many events as an outbox is drained of at once.
const BATCH: usize = 4_096;
/// Allocations that are written in all.
const ALLOCATIONS: usize = 400_000;
/// A call ends this many allocations after its own.
const CALL: usize = 3_000;

/// Settings of a server that keeps what it acknowledged, with memory as a small one has.
const SERVER: [&str; 3] = ["fsync=on", "shared_buffers=512MB", "max_wal_size=4GB"];
/// The columns of history without its keys and parts.
const BARE: &str = "CREATE TABLE bare (id uuid, at bigint, number bigint, destination bigint, campaign text, agent text,
    call_id text, pool text, rung text, reserved_until bigint)";
/// As history is written in one go, from rows that the server makes by itself.
const ROWS: &str = "SELECT gen_random_uuid(), 1790000000000 + n * 20, 13120000000 + n % 20000, 14150000000 + n, 'SOLAR',
    'agent' || n % 200, 'V11222026' || n, 'default', 'area_code', 1790000300000 + n * 20 FROM generate_series(1, ";

/// Prints rows a second, and the ratio to a bare COPY.
pub(crate) fn run() -> anyhow::Result<()> {
    println!("## History into PostgreSQL (asked: 20,000 rows a second)");
    let server = Postgres::start_with(&SERVER, &[]);
    let bare = bare(&server)?;
    println!("a bare COPY of as many rows: {bare:>9.0} rows a second");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let url = server.url(&server.database());
    runtime.block_on(async {
        let options = PostgresOptions::new(Arc::new(SystemClock::new()));
        let store = PostgresStore::open(&url, options).await?;
        let begin = SystemClock::new().now();
        let allocations = allocations(begin)?;
        let plain = allocations.iter().cloned().map(JournalEvent::Allocated);
        report(
            "allocations alone",
            commit(&store, plain.collect()).await?,
            bare,
        );
        let again = self::allocations(begin.plus_ms(1))?;
        report(
            "each with its end",
            commit(&store, mixed(&again, How::Ended)).await?,
            bare,
        );
        let reported = self::allocations(begin.plus_ms(2))?;
        report(
            "each with its end and how the call went",
            commit(&store, mixed(&reported, How::Reported)).await?,
            bare,
        );
        start(&store, begin).await
    })
}

fn report(what: &str, rows: f64, bare: f64) {
    println!(
        "{what}: {rows:>9.0} rows a second, {:.2} of the COPY",
        rows / bare
    );
}

/// Rows a second.
fn bare(server: &Postgres) -> anyhow::Result<f64> {
    let database = server.database();
    let file = server.folder().join("rows.copy");
    let file = file.to_str().context("a folder with a plain name")?;
    server.psql(&database, BARE);
    server.psql(
        &database,
        &format!("COPY ({ROWS}{ALLOCATIONS}) AS n) TO '{file}'"),
    );
    let watch = Stopwatch::start();
    for _ in 0..3 {
        server.psql(&database, &format!("COPY bare FROM '{file}'"));
    }
    Ok(3.0 * ALLOCATIONS as f64 / watch.seconds())
}

/// 50 a second, 20,000 numbers in turn.
fn allocations(begin: Timestamp) -> anyhow::Result<Vec<Arc<AllocationRecord>>> {
    let digits = |digits| PhoneNumber::from_e164_digits(digits).context("digits of a number");
    let (campaign, pool) = (CampaignId::new("SOLAR")?, PoolId::new("default")?);
    let one = |n: u64| -> anyhow::Result<_> {
        let at = begin.plus_ms(n as i64 * 20);
        Ok(Arc::new(AllocationRecord {
            id: AllocationId::new(at, rand::random()),
            at,
            number: digits(13_122_000_000 + n % 20_000)?,
            destination: digits(14_152_000_000 + n * 7 % 8_000_000)?,
            campaign: Some(campaign.clone()),
            agent: Some(AgentId::new(&format!("agent{}", n % 200))?),
            call_id: Some(CallId::new(&format!("V112220260{n:010}"))?),
            pool: pool.clone(),
            rung: Rung::AreaCode,
            reserved_until: at.plus_ms(300_000),
        }))
    };
    (0..ALLOCATIONS as u64).map(one).collect()
}

/// How a call is over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// It was released.
    Ended,
    /// It was reported while its reservation lived.
    Reported,
}

/// Each allocation, and later its end.
fn mixed(allocations: &[Arc<AllocationRecord>], how: How) -> Vec<JournalEvent> {
    let mut events = Vec::with_capacity(3 * allocations.len());
    for (n, record) in allocations.iter().enumerate() {
        events.push(JournalEvent::Allocated(Arc::clone(record)));
        if let Some(before) = n.checked_sub(CALL) {
            events.extend(over(&allocations[before], how));
        }
    }
    let last = allocations[allocations.len() - CALL..].iter();
    events.extend(last.flat_map(|record| over(record, how)));
    events
}

fn over(record: &AllocationRecord, how: How) -> impl Iterator<Item = JournalEvent> {
    let (id, at) = (record.id, record.at.plus_ms(60_000));
    let end = CallEnd::Answer;
    let report = CallReport {
        status: end,
        answered_seconds: Some(42),
        dialed_seconds: Some(60),
        hangup_cause: Some(16),
        sip_code: Some(200),
    };
    let result = (how == How::Reported).then_some(CallResult { id, at, report });
    let ended = JournalEvent::Ended(EndRecord { id, at, end });
    [ended]
        .into_iter()
        .chain(result.map(JournalEvent::Reported))
}

/// Commits one batch after the other; gives events a second.
async fn commit(store: &PostgresStore, events: Vec<JournalEvent>) -> anyhow::Result<f64> {
    let watch = Stopwatch::start();
    for batch in events.chunks(BATCH) {
        store.commit(batch.to_vec()).await?;
    }
    Ok(events.len() as f64 / watch.seconds())
}

/// What a start reads.
async fn start(store: &PostgresStore, begin: Timestamp) -> anyhow::Result<()> {
    let watch = Stopwatch::start();
    let uses = store.last_uses().await?;
    println!(
        "last uses of {} numbers: {:.2} s",
        uses.len(),
        watch.seconds()
    );
    let (watch, mut rows) = (Stopwatch::start(), 0);
    store.allocations_since(begin, &mut |_| rows += 1).await?;
    println!("{rows} rows of history read: {:.2} s", watch.seconds());
    ensure!(rows == 3 * ALLOCATIONS, "{rows} rows in history");
    Ok(())
}
