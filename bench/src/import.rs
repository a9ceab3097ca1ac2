//! Import of numbers: through the API, and straight into the database.

use crate::numbers::inventory;
use crate::server::{Site, TOKEN};

/// Prints seconds for each way.
pub(crate) fn run() -> anyhow::Result<()> {
    println!("## Import (asked: 20,000 by API in 1 s, by db in 0.5 s; 1,000,000 by db in 30 s)");
    let (few, many) = (inventory(20_000), inventory(1_000_000));
    let site = Site::new()?;
    let server = site.serve(&[])?;
    let url = format!("http://{}", server.address);
    let by_api = site.import(
        &site.csv(&few)?,
        &[
            "--api-url",
            &url,
            "--admin-token",
            TOKEN,
            "--concurrency",
            "50",
        ],
    )?;
    println!("   20,000 numbers through the API: {by_api:.2} s");
    for numbers in [few, many] {
        let site = Site::new()?;
        let seconds = site.import(&site.csv(&numbers)?, &["--mode", "db"])?;
        println!(
            "{:>9} numbers with --mode db: {seconds:.2} s",
            numbers.len()
        );
    }
    Ok(())
}
