//! Memory of the running service.

use crate::load::{Load, Protocol};
use crate::numbers::inventory;
use crate::server::Site;

const SECONDS: f64 = 2.0;

/// Prints resident memory at rest, and after some load, with few and with many numbers.
pub(crate) fn run() -> anyhow::Result<()> {
    println!(
        "## Memory of the service (asked: at most 40 MB at 20,000 numbers, 600 MB at 1,000,000)"
    );
    for count in [20_000, 1_000_000] {
        let site = Site::new()?;
        site.import(&site.csv(&inventory(count))?, &["--mode", "db"])?;
        let server = site.serve(&[])?;
        let at_rest = server.memory_mb()?;
        let load = Load {
            protocol: Protocol::Http,
            address: server.address,
            connections: 8,
            threads: 1,
            seconds: SECONDS,
            pause: std::time::Duration::ZERO,
        };
        let rate = load.run()?.rate;
        println!(
            "{count:>9} numbers: {at_rest:.1} MB after the start, {:.1} MB after {SECONDS} s of load at {rate:.0}/s",
            server.memory_mb()?
        );
    }
    Ok(())
}
