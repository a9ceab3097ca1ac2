//! Pages of the list of numbers, for every filter and order.

use anyhow::Context;

use crate::client::Client;

/// Most that a page of this list took by the median may be.
const ASKED_MS: f64 = 50.0;
const SORTS: [&str; 14] = [
    "number",
    "-number",
    "area_code",
    "-area_code",
    "carrier",
    "-carrier",
    "pool",
    "-pool",
    "status",
    "-status",
    "created_at",
    "-created_at",
    "updated_at",
    "-updated_at",
];
/// First pages, and pages by cursor behind some thousands of rows, of each list.
const ROUNDS: usize = 3;
/// Pages of 1,000 that are passed before.
const PASSED: usize = 3;
/// The lists that are gone to their middle by cursor, in so many pages of 1,000.
const DEEP: [&str; 3] = [
    "sort=number",
    "sort=-updated_at",
    "pool=pool-07&sort=carrier",
];
const DEEP_PAGES: usize = 500;

const FILTERS: [(&str, &str); 38] = [
    ("all", ""),
    ("a pool", "pool=pool-07"),
    ("the last pool", "pool=pool-19"),
    ("a rare pool", "pool=rare"),
    ("two pools", "pool=pool-00,pool-19"),
    ("status active", "status=active"),
    ("status retired", "status=retired"),
    ("status paused", "status=paused"),
    ("status resting: none", "status=resting"),
    ("a carrier", "carrier=Lumen"),
    ("no carrier", "no_carrier=true"),
    ("an area code", "area_code=312"),
    ("a region", "region=CA"),
    ("attestation B", "attestation=B"),
    (
        "three numbers",
        "number=13122000001,13122000002,12122000003",
    ),
    ("begins 1", "begins=1"),
    ("begins 1312", "begins=1312"),
    ("begins 13122000", "begins=13122000"),
    ("pool and status", "pool=pool-07&status=active"),
    ("pool and few of it", "pool=pool-07&status=retired"),
    ("pool and carrier", "pool=pool-07&carrier=Lumen"),
    ("pool and carrier: none", "pool=pool-16&carrier=Lumen"),
    (
        "two pools and carrier: none",
        "pool=pool-16,pool-17&carrier=Lumen",
    ),
    ("carrier and status", "carrier=Lumen&status=retired"),
    ("carrier and attestation", "carrier=Lumen&attestation=B"),
    (
        "region, status, carrier",
        "region=CA&status=active&carrier=Twilio",
    ),
    ("pool and area code", "pool=pool-07&area_code=312"),
    ("has 7", "q=7"),
    ("has 200", "q=200"),
    ("has 2001", "q=2001"),
    ("has 00123", "q=00123"),
    ("has 2000777", "q=2000777"),
    ("has 9876: few or none", "q=9876"),
    ("has 99999: none", "q=99999"),
    ("has 9999999: none", "q=9999999"),
    ("a whole number", "q=(312)%20200-0777"),
    ("has 2001, in a pool", "q=2001&pool=pool-19"),
    (
        "has 777, in a carrier's: few",
        "q=777&carrier=Lumen&status=paused",
    ),
];

/// Prints milliseconds for each filter: the median of its first pages, and of pages by cursor, over all orders; the order
/// with the greatest median; and how long it takes to count.
pub(super) fn measure(client: &mut Client) -> anyhow::Result<()> {
    println!(
        "{:<30} {:>9} {:>8} {:>8} {:>8}   slowest order, its median",
        "pages of 100, ms at the median", "numbers", "counted", "first", "cursor"
    );
    let (mut all, mut above) = (Vec::new(), Vec::new());
    for (what, filter) in FILTERS {
        let counted = client.get(&format!("/api/v1/numbers?count=true&limit=1&{filter}"))?;
        let total = counted.body["total"].as_u64().context("no total")?;
        let alone = client.get(&format!("/api/v1/numbers?limit=1&{filter}"))?;
        let (mut first, mut by_cursor, mut slowest) = (Vec::new(), Vec::new(), (0.0, ""));
        for sort in SORTS {
            let list = format!("{filter}&sort={sort}");
            let times = pages(client, list.trim_start_matches('&'))?;
            let both: Vec<f64> = times.0.iter().chain(&times.1).copied().collect();
            let of_order = median(&both);
            if of_order > slowest.0 {
                slowest = (of_order, sort);
            }
            if of_order > ASKED_MS {
                above.push(format!("{what}, {sort}: {of_order:.0} ms"));
            }
            all.extend(both);
            first.extend(times.0);
            by_cursor.extend(times.1);
        }
        println!(
            "{what:<30} {total:>9} {:>8.1} {:>8.1} {:>8.1}   {} {:.1}",
            (counted.ms - alone.ms).max(0.0),
            median(&first),
            median(&by_cursor),
            slowest.1,
            slowest.0
        );
    }
    println!(
        "all {} pages: {:.1} ms at the median, {:.1} at the 99th hundredth, {:.1} the longest (asked: {ASKED_MS} at the median)",
        all.len(),
        median(&all),
        part(&all, 99),
        part(&all, 100)
    );
    println!(
        "lists above that: {} of {}",
        above.len(),
        FILTERS.len() * SORTS.len()
    );
    for list in above {
        println!("  {list}");
    }
    deep(client)
}

/// Times of first pages, and of pages by cursor behind some thousands of rows, where there are so many.
fn pages(client: &mut Client, list: &str) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
    let (mut first, mut by_cursor) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        first.push(client.get(&format!("/api/v1/numbers?limit=100&{list}"))?.ms);
    }
    let mut cursor = None;
    for _ in 0..PASSED {
        match next(client, list, cursor.as_deref(), 1_000)? {
            (_, None) => return Ok((first, by_cursor)),
            (_, next) => cursor = next,
        }
    }
    for _ in 0..ROUNDS {
        let (ms, next) = next(client, list, cursor.as_deref(), 100)?;
        by_cursor.push(ms);
        if next.is_none() {
            break;
        }
        cursor = next;
    }
    Ok((first, by_cursor))
}

/// A page behind a cursor: how long it takes, and the next cursor.
fn next(
    client: &mut Client,
    list: &str,
    cursor: Option<&str>,
    limit: usize,
) -> anyhow::Result<(f64, Option<String>)> {
    let cursor = cursor.map_or(String::new(), |cursor| format!("&cursor={cursor}"));
    let page = client.get(&format!("/api/v1/numbers?{list}&limit={limit}{cursor}"))?;
    Ok((page.ms, page.body["next"].as_str().map(str::to_owned)))
}

fn deep(client: &mut Client) -> anyhow::Result<()> {
    for list in DEEP {
        let (mut cursor, mut passed, mut times) = (None, 0, Vec::new());
        while passed < DEEP_PAGES {
            let (_, next) = next(client, list, cursor.as_deref(), 1_000)?;
            passed += 1;
            match next {
                Some(_) if passed < DEEP_PAGES => cursor = next,
                _ => break,
            }
        }
        for _ in 0..9 {
            times.push(next(client, list, cursor.as_deref(), 100)?.0);
        }
        println!(
            "{list}: a page of 100 behind {passed},000 rows: {:.1} ms",
            median(&times)
        );
    }
    Ok(())
}

pub(crate) fn median(times: &[f64]) -> f64 {
    part(times, 50)
}

/// What so many hundredths of the times do not pass.
pub(crate) fn part(times: &[f64], hundredths: usize) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (sorted.len() * hundredths / 100).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or_default()
}
