//! The numbers of the soak: most calls find one, and every rule refuses somebody.

use std::path::{Path, PathBuf};

use anyhow::Context;
use caller_id_core::PhoneNumber;
use caller_id_testkit::invariants::Rules;
use caller_id_testkit::stock::{Group, Stock};
use serde_json::json;

use crate::client::Client;

/// How long an allocation holds its number, in seconds.
pub(super) const RESERVATION_S: u32 = 2;
/// The rest of numbers in the pool `default`, in seconds; the others have none.
pub(super) const COOLDOWN_S: u32 = 1;
/// Allocations of one agent in a minute.
pub(super) const AGENT_LIMIT: u32 = 40;
/// The causes of a refusal that must be seen.
pub(super) const CAUSES: [&str; 3] = ["hourly_limit", "daily_limit", "agent"];

/// The campaigns with their pools; who names none has the pool `default`.
const CAMPAIGNS: [(&str, &[&str]); 4] = [
    ("BUSY", &["busy"]),
    ("BOTH", &["default", "busy"]),
    ("SMALL", &["small"]),
    ("DAY", &["day"]),
];
/// The pool of numbers that are imported again and again, and that no campaign has.
pub(super) const SPARE: &str = "spare";

const STOCK: Stock = Stock {
    groups: &[
        group(312, "default", [200, 40], [3, 5]),
        group(415, "busy", [600, 60], [400, 600]),
        group(808, "small", [0, 6], [3, 5]),
        group(907, "day", [0, 4], [5, 3]),
    ],
    reservation_s: RESERVATION_S,
};

const fn group(
    area_code: u16,
    pool: &'static str,
    [unlimited, limited]: [u32; 2],
    [hourly, daily]: [u32; 2],
) -> Group {
    Group {
        area_code,
        pool,
        unlimited,
        limited,
        hourly,
        daily,
        cooldown_s: if area_code == 312 { COOLDOWN_S } else { 0 },
        most_reservations: if area_code == 808 { 2 } else { 1 },
    }
}

/// Writes the file with all numbers into the folder.
pub(super) fn csv(folder: &Path) -> anyhow::Result<PathBuf> {
    let path = folder.join("stock.csv");
    std::fs::write(&path, STOCK.csv()).context("the numbers cannot be written")?;
    Ok(path)
}

/// Numbers that nobody calls from, as a file in which each import changes something.
pub(super) fn spare(round: usize) -> String {
    let rows = (0..200).map(|line| format!("212556{line:04},{SPARE},carrier-{}\n", round % 3));
    format!("caller_id,pool,carrier\n{}", rows.collect::<String>())
}

/// Tells a service the rules of the pools, and the campaigns.
pub(super) fn arrange(client: &mut Client) -> anyhow::Result<()> {
    for (pool, body) in STOCK.pools() {
        let line = format!("PUT /api/v1/pools/{pool}");
        client.order(&line, &serde_json::from_str(&body)?)?;
    }
    for (campaign, pools) in CAMPAIGNS {
        let line = format!("PUT /api/v1/campaigns/{campaign}");
        client.order(&line, &json!({ "pools": pools }))?;
    }
    Ok(())
}

/// What holds for a number of these.
pub(super) fn rules(number: PhoneNumber) -> Rules {
    STOCK.rules(number)
}
