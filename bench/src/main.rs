//! Benchmarks that print ratios of one run: machines are noisy, and absolute times lie.
//!
//! `make bench` builds everything in release and runs this. Each part can be run alone.

mod administration;
mod agi;
mod channel;
mod client;
mod contest;
mod dashboard;
mod history;
mod http;
mod lists;
mod load;
mod look;
mod memory;
mod midnight;
mod numbers;
mod past;
mod pick;
mod place;
mod redis;
mod server;
mod soak;
mod start;
mod stopwatch;

use clap::{Parser, Subcommand};

/// As the service itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the service, and prints ratios.
#[derive(Debug, Parser)]
struct Cli {
    /// One part; all when none is named.
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
enum Part {
    /// A pick in process, at 1,000 to 1,000,000 numbers.
    Pick,
    /// GET /next-cid against a bare handler with the same answer.
    Http,
    /// FastAGI allocations against a bare FastAGI server.
    Agi,
    /// Memory of the service at 20,000 and 1,000,000 numbers.
    Memory,
    /// Lists, imports and explanations of 1,000,000 numbers by API, in both stores.
    Administration {
        /// One of `imports`, `lists` and `explain`; all three when none is named.
        only: Option<String>,
    },
    /// Every page of the dashboard, and calls beside fifty open ones, in both stores.
    Dashboard {
        /// Some of `sqlite` or `postgres`, `few` or `many` numbers, `pages` or `open`; all of what is not named.
        only: Vec<String>,
    },
    /// Start with a million allocations in history.
    Start,
    /// GET /next-cid of one node on Redis and PostgreSQL against a bare handler.
    Cluster,
    /// Picks on one core of Redis, at 1,000 and 1,000,000 numbers.
    Redis,
    /// Picks at local midnight, when 100,000 numbers are due at once, in both engines.
    Midnight,
    /// Picks while a million numbers are counted in a loop, in both engines.
    Look,
    /// History into PostgreSQL, against a bare COPY.
    History,
    /// Pages and counts of 2,000,000 allocations, in both stores.
    Lists,
    /// Load and faults for a while, and whether all of it held: no measurement, and no part of a run without a name.
    Soak {
        /// For about so many seconds.
        #[arg(long, default_value_t = 600)]
        seconds: u32,
    },
    /// Serve the bare handler: what `http` compares with.
    #[command(hide = true)]
    Bare,
    /// Serve the bare dialog: what `agi` compares with.
    #[command(hide = true)]
    BareAgi,
}

fn main() -> anyhow::Result<()> {
    let part = Cli::parse().part;
    if part == Some(Part::Bare) {
        return http::serve_bare();
    }
    if part == Some(Part::BareAgi) {
        return agi::serve_bare();
    }
    if let Some(Part::Administration { only }) = &part {
        return administration::run(only.as_deref());
    }
    if let Some(Part::Dashboard { only }) = &part {
        return dashboard::run(only);
    }
    if let Some(Part::Soak { seconds }) = part {
        return soak::run(seconds);
    }
    let wanted = |one| part.is_none() || part == Some(one);
    if wanted(Part::Pick) {
        pick::run();
    }
    if wanted(Part::Http) {
        http::run()?;
    }
    if wanted(Part::Agi) {
        agi::run()?;
    }
    if wanted(Part::Memory) {
        memory::run()?;
    }
    if part.is_none() {
        administration::run(None)?;
        dashboard::run(&[])?;
    }
    if wanted(Part::Start) {
        start::run()?;
    }
    if wanted(Part::Cluster) {
        http::run_cluster()?;
    }
    if wanted(Part::Redis) {
        redis::run()?;
    }
    if wanted(Part::Midnight) {
        midnight::run()?;
    }
    if wanted(Part::Look) {
        look::run()?;
    }
    if wanted(Part::History) {
        history::run()?;
    }
    if wanted(Part::Lists) {
        lists::run()?;
    }
    Ok(())
}
