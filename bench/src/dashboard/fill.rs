//! What a service has that was in use for some days.

use std::sync::Arc;
use std::time::Duration;

use caller_id_core::{Clock, HistoryReader, HistoryStore, Journal, PhoneNumber, SystemClock};
use caller_id_store::{PostgresOptions, PostgresStore, SqliteOptions, SqliteStore};
use serde_json::json;

use crate::client::Client;
use crate::load::{Load, Protocol};
use crate::past::Past;
use crate::place::{Kind, Place};
use crate::server::Server;

const ALLOCATIONS: u64 = 100_000;
/// The time that they are made in: a week.
const SPAN_MS: i64 = 7 * 24 * 3_600_000;
/// Numbers that somebody paused and resumed.
const CHANGED: usize = 150;
const KEYS: usize = 20;
/// As the load names them.
const CAMPAIGNS: usize = 20;
const CALLS_SECONDS: f64 = 2.0;

/// Writes calls of the last week.
pub(super) fn history(place: &Place, kind: Kind, numbers: &[PhoneNumber]) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let clock = Arc::new(SystemClock::new());
        match kind {
            Kind::Sqlite => {
                let options = SqliteOptions::new(clock.clone());
                let store = SqliteStore::open(&place.site.database(), options)?;
                write(&*store, numbers, &*clock).await?;
                store.close().await;
            }
            Kind::Postgres => {
                let options = PostgresOptions::new(clock.clone());
                let store = PostgresStore::open(&place.database_url()?, options).await?;
                write(&*store, numbers, &*clock).await?;
                store.close();
            }
        }
        Ok(())
    })
}

async fn write<S>(store: &S, numbers: &[PhoneNumber], clock: &dyn Clock) -> anyhow::Result<()>
where
    S: HistoryReader + HistoryStore + Journal,
{
    let past = Past {
        numbers,
        now: clock.now(),
        span_ms: SPAN_MS,
        allocations: ALLOCATIONS,
        pool: |place| format!("pool-{:02}", place % 20),
    };
    past.write(store).await?;
    while store.sum_up(clock.now()).await? {}
    Ok(())
}

/// Makes campaigns and keys, and changes some numbers.
pub(super) fn administration(client: &mut Client, numbers: &[PhoneNumber]) -> anyhow::Result<()> {
    for place in 0..CAMPAIGNS {
        let body = json!({"pools": [format!("pool-{place:02}"), "default"]});
        client.order(&format!("PUT /api/v1/campaigns/CAMP{place}"), &body)?;
    }
    for place in 0..KEYS {
        let body = json!({"name": format!("dialer {place}"), "role": "dialer"});
        client.order("POST /api/v1/keys", &body)?;
    }
    for number in &numbers[..CHANGED] {
        for action in ["pause", "resume"] {
            let line = format!("POST /api/v1/numbers/{number}/{action}");
            client.order(&line.replace('+', "%2B"), &json!({}))?;
        }
    }
    Ok(())
}

/// Makes some thousands of calls.
pub(super) fn calls(server: &Server) -> anyhow::Result<()> {
    let load = Load {
        protocol: Protocol::Http,
        address: server.address,
        connections: 8,
        threads: 1,
        seconds: CALLS_SECONDS,
        pause: Duration::from_millis(4),
    };
    let report = load.run()?;
    println!(
        "calls before: {:.0} a second, {} refused",
        report.rate, report.refused
    );
    Ok(())
}
