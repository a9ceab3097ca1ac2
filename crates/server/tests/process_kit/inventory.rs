//! The numbers that the load is put on, chosen so that every rule refuses somebody.

use caller_id_core::PhoneNumber;
use caller_id_testkit::invariants::Rules;
use caller_id_testkit::stock::{self, Size, Stock};
pub(crate) use caller_id_testkit::stock::{AGENT_LIMIT, COOLDOWN_S, RESERVATION_S};

use crate::client::Client;

/// The campaigns of the load, and none.
pub(crate) const CAMPAIGNS: [&str; 5] = {
    let [busy, both, small, day] = stock::CAMPAIGNS;
    ["", busy.0, both.0, small.0, day.0]
};

const STOCK: Stock = Stock {
    groups: &stock::of_every_rule(Size {
        default: [15, 5],
        busy: [110, 40],
        busy_limits: [40, 60],
    }),
    reservation_s: RESERVATION_S,
};

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
    for (campaign, pools) in stock::CAMPAIGNS {
        let body = serde_json::json!({ "pools": pools }).to_string();
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
