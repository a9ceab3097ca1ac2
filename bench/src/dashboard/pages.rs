//! How long pages take, and how large they are with all that they load.

use std::collections::{BTreeSet, HashMap};

use super::list::Page;
use crate::administration::{median, part};
use crate::client::Client;

/// Each page is asked for so often; all of them in turn, as people go from one to the other.
const ROUNDS: usize = 30;
/// Most bytes that a first visit of a page may load.
const ASKED_BYTES: usize = 300_000;
const GZIP: &str = "Accept-Encoding: gzip, deflate, br\r\n";
const ASSETS: &str = "\"/dashboard/assets/";

/// What was seen of a page.
#[derive(Default)]
struct Seen {
    ms: Vec<f64>,
    html: usize,
    /// With all that it loads: as browsers ask for it, and without any compression.
    all: [usize; 2],
}

/// Prints for each page milliseconds and bytes, and which are above what is asked.
pub(super) fn measure(client: &mut Client, list: &[Page], asked_ms: f64) -> anyhow::Result<()> {
    let mut seen: Vec<Seen> = list.iter().map(|_| Seen::default()).collect();
    let mut loaded = HashMap::new();
    for round in 0..ROUNDS {
        for (page, seen) in list.iter().zip(&mut seen) {
            let raw = client.page(&page.path, GZIP)?;
            seen.ms.push(raw.ms);
            seen.html = seen.html.max(raw.body.len());
            if round == 0 {
                let plain = client.page(&page.path, "")?.body;
                let assets = assets(&String::from_utf8_lossy(&plain));
                seen.all = [raw.body.len(), plain.len()];
                for asset in assets {
                    let bytes = load(client, &mut loaded, asset)?;
                    seen.all[0] += bytes[0];
                    seen.all[1] += bytes[1];
                }
            }
        }
    }
    println!(
        "{:<30} {:>8} {:>8} {:>8} {:>8} {:>9} {:>10} {:>10}",
        "page, ms", "first", "median", "p95", "most", "HTML", "all, gzip", "all, plain"
    );
    let mut above = Vec::new();
    for (page, seen) in list.iter().zip(&seen) {
        let half = median(&seen.ms);
        println!(
            "{:<30} {:>8.1} {half:>8.1} {:>8.1} {:>8.1} {:>9} {:>10} {:>10}",
            page.name,
            seen.ms[0],
            part(&seen.ms, 95),
            part(&seen.ms, 100),
            seen.html,
            seen.all[0],
            seen.all[1]
        );
        if half > asked_ms {
            above.push(format!("{}: {half:.0} ms", page.name));
        }
        if seen.all[0] > ASKED_BYTES {
            above.push(format!("{}: {} bytes", page.name, seen.all[0]));
        }
    }
    let medians: Vec<f64> = seen.iter().map(|seen| median(&seen.ms)).collect();
    println!(
        "medians of {} pages, each asked for {ROUNDS} times: {:.1} ms, the longest {:.1}",
        list.len(),
        median(&medians),
        part(&medians, 100)
    );
    println!(
        "above {asked_ms} ms at the median, or {ASKED_BYTES} bytes: {}",
        above.len()
    );
    above.iter().for_each(|page| println!("  {page}"));
    Ok(())
}

/// The files that a page names.
fn assets(html: &str) -> BTreeSet<String> {
    let rest = html.split(ASSETS).skip(1);
    let names = rest.filter_map(|rest| rest.split('"').next());
    names
        .map(|name| format!("/dashboard/assets/{name}"))
        .collect()
}

/// Bytes of a file, compressed and plain.
fn load(
    client: &mut Client,
    loaded: &mut HashMap<String, [usize; 2]>,
    asset: String,
) -> anyhow::Result<[usize; 2]> {
    if let Some(bytes) = loaded.get(&asset) {
        return Ok(*bytes);
    }
    let compressed = client.page(&asset, GZIP)?.body.len();
    let plain = client.page(&asset, "")?.body.len();
    loaded.insert(asset, [compressed, plain]);
    Ok([compressed, plain])
}
