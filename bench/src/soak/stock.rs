//! The numbers of the soak: most calls find one, and every rule refuses somebody.

use std::path::{Path, PathBuf};

use anyhow::Context;
use caller_id_core::PhoneNumber;
use caller_id_testkit::invariants::Rules;
use caller_id_testkit::stock::{self, CAMPAIGNS, RESERVATION_S, Size, Stock};
use serde_json::json;

use crate::client::Client;

/// The causes of a refusal that must be seen.
pub(super) const CAUSES: [&str; 3] = ["hourly_limit", "daily_limit", "agent"];

/// The pool of numbers that are imported again and again, and that no campaign has.
pub(super) const SPARE: &str = "spare";

const STOCK: Stock = Stock {
    groups: &stock::of_every_rule(Size {
        default: [200, 40],
        busy: [600, 60],
        busy_limits: [400, 600],
    }),
    reservation_s: RESERVATION_S,
};

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
