//! Picks while people look: how long an allocation takes while all of a million numbers are counted again and again, against
//! when nobody counts, in both engines.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use caller_id_core::explain::{self, Tried};
use caller_id_core::inspection::Counts;
use caller_id_core::ladder::Candidates;
use caller_id_core::{
    AgentLimit, AllocationRequest, Allocator, AllocatorError, Ask, EngineNumber, Inspector,
    Journal, JournalEvent, Limits, Outcome, PhoneNumber, Policy, PoolId, Status, StoreError,
    SystemClock,
};
use caller_id_engine::MemoryAllocator;
use caller_id_engine::redis::Time;

use crate::numbers::inventory;
use crate::pick::Dialer;
use crate::redis::Rig;
use crate::stopwatch::Stopwatch;

const NUMBERS: usize = 1_000_000;
/// So many of them are in use: those that are not free take the longest to count.
const IN_USE: usize = 200_000;
/// Dialers, each of which asks, waits for the answer and a millisecond, and asks again.
const DIALERS: usize = 8;
const ASKED_BY_EACH: usize = 4_000;
const HOUR_MS: i64 = 3_600_000;

/// Takes everything at once and keeps nothing: what is measured is the engine.
struct Nowhere;

#[async_trait]
impl Journal for Nowhere {
    async fn commit(&self, _: Vec<JournalEvent>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn probe(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

trait Engine: Allocator + Inspector {}

impl<T: Allocator + Inspector> Engine for T {}

fn policy() -> Policy {
    Policy {
        reservation_ms: HOUR_MS,
        sticky_ms: HOUR_MS,
        ..Policy::default()
    }
}

fn limits() -> Limits {
    Limits::new(1_000, 100)
}

/// Prints how long allocations take alone and beside counts, and how long a count and an explanation take.
pub(crate) fn run() -> anyhow::Result<()> {
    println!("## Picks while {NUMBERS} numbers are counted in a loop, {IN_USE} of them in use");
    let numbers = inventory(NUMBERS);
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let engine = MemoryAllocator::new(Arc::new(Nowhere), Arc::new(SystemClock::new()));
        let pools = vec![(PoolId::default(), policy())];
        engine.put_pools(pools).await?;
        for some in numbers.chunks(5_000) {
            engine.put_numbers(rows(some)).await?;
        }
        measure("memory engine", engine, &numbers).await
    })?;
    runtime.block_on(async {
        let rig = Rig::start(policy(), Time::Server).await?;
        rig.put(&numbers, limits()).await?;
        measure("Redis engine", rig.engine.clone(), &numbers).await
    })?;
    println!();
    Ok(())
}

fn rows(numbers: &[PhoneNumber]) -> Vec<EngineNumber> {
    let row = |number: &PhoneNumber| EngineNumber {
        number: *number,
        area_code: number.area_code(),
        status: Status::Active,
        pool: PoolId::default(),
        limits: limits(),
    };
    numbers.iter().map(row).collect()
}

async fn measure(
    name: &str,
    engine: Arc<dyn Engine>,
    numbers: &[PhoneNumber],
) -> anyhow::Result<()> {
    let mut dialer = Dialer::new(numbers);
    let mut requests = |count: usize| -> Vec<Vec<AllocationRequest>> {
        let each = |_| (0..count).map(|_| dialer.next_request()).collect();
        (0..DIALERS).map(each).collect()
    };
    dial(&engine, requests(IN_USE / DIALERS), Duration::ZERO).await?;
    let pause = Duration::from_millis(1);
    // Alone before and after: the machine is not the same all the time.
    let before = dial(&engine, requests(ASKED_BY_EACH), pause).await?;
    let goes_on = Arc::new(AtomicBool::new(true));
    let counting = tokio::spawn(count_while(engine.clone(), goes_on.clone()));
    let beside = dial(&engine, requests(ASKED_BY_EACH), pause).await?;
    goes_on.store(false, Ordering::Relaxed);
    let (times, seconds, counts) = counting.await??;
    let after = dial(&engine, requests(ASKED_BY_EACH), pause).await?;
    for (what, micros) in [
        ("alone", &before),
        ("beside counts", &beside),
        ("alone again", &after),
    ] {
        let [half, most, nearly_all] = [50, 99, 999].map(|share| part(micros, share));
        println!("{name:>13}, {what}: p50 {half} us, p99 {most} us, p99.9 {nearly_all} us");
    }
    let alone = part(&before, 99).max(part(&after, 99)) as f64;
    println!(
        "{name:>13}: p99 {:.2} times as long beside counts (asked: at most 2); {times} counts, each {:.0} ms: {counts:?}",
        part(&beside, 99) as f64 / alone,
        seconds * 1e3 / times as f64
    );
    explained(name, &engine, dialer.next_request()).await
}

/// How long all counts of one explanation take.
async fn explained(
    name: &str,
    engine: &Arc<dyn Engine>,
    request: AllocationRequest,
) -> anyhow::Result<()> {
    let (pools, policy) = ([PoolId::default()], policy());
    let ask = ask_of(&request, &pools);
    let watch = Stopwatch::start();
    engine.foresee(ask).await?;
    let foreseen = watch.micros();
    let way = explain::way(ask, |_| Some(&policy));
    for Tried { pool, among, .. } in &way {
        engine.counts(pool, *among).await?;
    }
    println!(
        "{name:>13}: a request is foreseen in {foreseen} us, and explained in {:.1} ms, {} rungs counted",
        watch.seconds() * 1e3,
        way.len()
    );
    Ok(())
}

fn ask_of<'a>(request: &'a AllocationRequest, pools: &'a [PoolId]) -> Ask<'a> {
    Ask {
        request,
        pools,
        agent_limit: AgentLimit::per_minute(1_000_000),
    }
}

/// Asks for all of these, each dialer for its own; gives how long each answer took, in microseconds, sorted.
async fn dial(
    engine: &Arc<dyn Engine>,
    requests: Vec<Vec<AllocationRequest>>,
    pause: Duration,
) -> anyhow::Result<Vec<u64>> {
    let mut dialers = tokio::task::JoinSet::new();
    for mine in requests {
        let engine = engine.clone();
        dialers.spawn(async move {
            let pools = [PoolId::default()];
            let mut micros = Vec::with_capacity(mine.len());
            for request in &mine {
                let watch = Stopwatch::start();
                let answer = engine.allocate(ask_of(request, &pools)).await?;
                micros.push(watch.micros());
                assert!(matches!(answer, Outcome::Allocated(_)), "numbers are free");
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
            }
            Ok::<_, AllocatorError>(micros)
        });
    }
    let mut all = Vec::new();
    while let Some(done) = dialers.join_next().await {
        all.extend(done??);
    }
    all.sort_unstable();
    Ok(all)
}

/// Counts all numbers for as long as that holds: how often, how long in all, and what came of it last.
async fn count_while(
    engine: Arc<dyn Engine>,
    holds: Arc<AtomicBool>,
) -> Result<(usize, f64, Counts), AllocatorError> {
    let (mut times, watch) = (0, Stopwatch::start());
    loop {
        let counts = engine.counts(&PoolId::default(), Candidates::All).await?;
        times += 1;
        if !holds.load(Ordering::Relaxed) {
            return Ok((times, watch.seconds(), counts));
        }
    }
}

/// What so many hundredths, or thousandths, are below.
fn part(sorted: &[u64], share: usize) -> u64 {
    let of = if share > 100 { 1_000 } else { 100 };
    let place = (sorted.len() * share / of).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or_default()
}
