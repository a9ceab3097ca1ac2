//! The numbers that the load is put on, chosen so that every rule refuses somebody.

use caller_id_core::PhoneNumber;
use caller_id_testkit::invariants::Rules;
use caller_id_testkit::stock::{Group, Stock};

use crate::client::Client;

/// How long an allocation holds its number, in seconds: some reservations run out, some live across a restart.
pub(crate) const RESERVATION_S: u32 = 2;
/// The rest of the numbers in the pool `default`, in seconds; the others have none.
pub(crate) const COOLDOWN_S: u32 = 1;
/// Allocations of one agent in a minute.
pub(crate) const AGENT_LIMIT: u32 = 40;

/// The campaigns: none, one with numbers for every load, one that falls back to them, two that are soon used up.
pub(crate) const CAMPAIGNS: [&str; 5] = ["", "BUSY", "BOTH", "SMALL", "DAY"];

/// How many reservations of one number may live in the pool `small`.
const MOST_IN_SMALL: u16 = 2;

const STOCK: Stock = Stock {
    groups: &[
        group(312, "default", [15, 5], [3, 5]),
        group(415, "busy", [110, 40], [40, 60]),
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
        most_reservations: if area_code == 808 { MOST_IN_SMALL } else { 1 },
    }
}

/// What a service says of a change that is not in force in time.
const WRITTEN: &str = "written, and not in force yet";

/// Writes numbers, pools and campaigns.
pub(crate) fn fill(client: &mut Client) {
    let csv = STOCK.csv();
    let rows = csv.lines().count() - 1;
    let taken = client
        .ask("POST", "/api/v1/numbers/import", &csv)
        .expect("an answer");
    // What is written and not in force yet is brought with what is written next.
    let is_written = taken.status == 503 && taken.body.contains(WRITTEN);
    let added = &taken.json()["added"];
    assert!(is_written || *added == rows, "{}", taken.body);
    for (pool, body) in STOCK.pools() {
        put(client, &format!("/api/v1/pools/{pool}"), &body);
    }
    for (campaign, pools) in [
        ("DAY", "\"day\""),
        ("BUSY", "\"busy\""),
        ("BOTH", "\"default\", \"busy\""),
        ("SMALL", "\"small\""),
    ] {
        let body = format!("{{\"pools\": [{pools}]}}");
        put(client, &format!("/api/v1/campaigns/{campaign}"), &body);
    }
}

/// Writes one thing, and waits until it is in force. A request waits ten seconds for that; where the machine does much else, or its
/// disk, the answer then is that it is written: asked again, the same request waits on.
fn put(client: &mut Client, path: &str, body: &str) {
    const TIMES: u32 = 6;
    for _ in 0..TIMES {
        let put = client.ask("PUT", path, body).expect("an answer");
        match put.status {
            200 => return,
            503 if put.body.contains(WRITTEN) => {}
            _ => panic!("{path}: {put:?}"),
        }
    }
    panic!("{path} is not in force after {TIMES} requests");
}

/// What holds for a number of [`fill`].
pub(crate) fn rules(number: PhoneNumber) -> Rules {
    STOCK.rules(number)
}
