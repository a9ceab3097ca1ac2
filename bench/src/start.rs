//! Start of the service with a long history.

use std::sync::Arc;

use caller_id_core::{
    AllocationId, AllocationRecord, Clock, HistoryStore, Journal, JournalEvent, PhoneNumber,
    PoolId, Rung, SystemClock,
};
use caller_id_store::{SqliteOptions, SqliteStore};

use crate::numbers::inventory;
use crate::server::Site;

const NUMBERS: usize = 20_000;
const ALLOCATIONS: u64 = 1_000_000;
const BATCH: u64 = 1_000;

/// Prints how long the service takes from its spawning to its first good answer.
pub(crate) fn run() -> anyhow::Result<()> {
    println!(
        "## Start with {NUMBERS} numbers and {ALLOCATIONS} allocations in history (asked: 2 s)"
    );
    let site = Site::new()?;
    let numbers = inventory(NUMBERS);
    site.import(&site.csv(&numbers)?, &["--mode", "db"])?;
    tokio::runtime::Runtime::new()?.block_on(fill(&site, &numbers))?;
    for round in 1..=3 {
        let server = site.serve(&[])?;
        println!("start {round}: ready after {:.2} s", server.start_seconds);
    }
    Ok(())
}

/// All within the last day: the most a start has to read.
async fn fill(site: &Site, numbers: &[PhoneNumber]) -> anyhow::Result<()> {
    let clock = Arc::new(SystemClock::new());
    let store = SqliteStore::open(&site.database(), SqliteOptions::new(clock.clone()))?;
    let (now, step_ms) = (clock.now(), 20 * 3_600_000 / ALLOCATIONS as i64);
    for first in (0..ALLOCATIONS).step_by(BATCH as usize) {
        let events = (first..first + BATCH).map(|place| {
            let at = now.plus_ms((place as i64 - ALLOCATIONS as i64) * step_ms - 1_000);
            let number = numbers[place as usize % numbers.len()];
            JournalEvent::Allocated(Arc::new(record(number, place, at)))
        });
        store.commit(events.collect()).await?;
    }
    store.settle().await?;
    store.close().await;
    Ok(())
}

fn record(number: PhoneNumber, place: u64, at: caller_id_core::Timestamp) -> AllocationRecord {
    let destination = 13_122_000_000 + place * 7 % 7_000_000;
    AllocationRecord {
        id: AllocationId::of(number, at, place as u32 & 0xff_ffff),
        at,
        number,
        destination: PhoneNumber::from_e164_digits(destination).expect("a number in Chicago"),
        campaign: caller_id_core::CampaignId::new("SOLAR").ok(),
        agent: caller_id_core::AgentId::new(&format!("{}", 1_000 + place % 500)).ok(),
        call_id: caller_id_core::CallId::new(&format!("V1122074740{place:09}")).ok(),
        pool: PoolId::default(),
        rung: Rung::AreaCode,
        reserved_until: at.plus_ms(60_000),
    }
}
