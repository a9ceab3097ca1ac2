//! The numbers that the load is put on, chosen so that every rule refuses somebody.

use caller_id_core::{Limits, PhoneNumber, Policy};
use caller_id_testkit::invariants::Rules;

use crate::client::Client;

/// How long an allocation holds its number, in seconds: some reservations run out, some live across a restart.
pub(crate) const RESERVATION_S: u32 = 2;
/// The rest of the numbers in the pool `default`, in seconds; the others have none.
pub(crate) const COOLDOWN_S: u32 = 1;
/// Allocations of one agent in a minute.
pub(crate) const AGENT_LIMIT: u32 = 40;

/// The campaigns: none, one with numbers for every load, one that falls back to them, two that are soon used up.
pub(crate) const CAMPAIGNS: [&str; 5] = ["", "BUSY", "BOTH", "SMALL", "DAY"];

/// Numbers of one area code, all in one pool.
struct Group {
    area_code: u16,
    pool: &'static str,
    /// How many are without limits; they come first.
    unlimited: u32,
    limited: u32,
    hourly: u32,
    daily: u32,
}

const GROUPS: [Group; 4] = [
    group(312, "default", [15, 5], [3, 5]),
    group(415, "busy", [110, 40], [40, 60]),
    group(808, "small", [0, 6], [3, 5]),
    group(907, "day", [0, 4], [5, 3]),
];

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
    }
}

/// How many reservations of one number may live in the pool `small`.
const MOST_IN_SMALL: u16 = 2;

/// What a service says of a change that is not in force in time.
const WRITTEN: &str = "written, and not in force yet";

/// Writes numbers, pools and campaigns.
pub(crate) fn fill(client: &mut Client) {
    let mut csv = "caller_id,pool,hourly_limit,daily_limit\n".to_owned();
    for group in &GROUPS {
        for line in 0..group.unlimited + group.limited {
            let limits = match line < group.unlimited {
                true => "none,none".to_owned(),
                false => format!("{},{}", group.hourly, group.daily),
            };
            csv.push_str(&format!(
                "{}555{line:04},{},{limits}\n",
                group.area_code, group.pool
            ));
        }
    }
    let rows = csv.lines().count() - 1;
    let taken = client
        .ask("POST", "/api/v1/numbers/import", &csv)
        .expect("an answer");
    // What is written and not in force yet is brought with what is written next.
    let is_written = taken.status == 503 && taken.body.contains(WRITTEN);
    let added = &taken.json()["added"];
    assert!(is_written || *added == rows, "{}", taken.body);
    let most = format!("{{\"cooldown_seconds\": 0, \"most_reservations\": {MOST_IN_SMALL}}}");
    for (path, body) in [
        ("pools/busy", "{\"cooldown_seconds\": 0}"),
        ("pools/small", &most),
        ("pools/day", "{\"cooldown_seconds\": 0}"),
        ("campaigns/DAY", "{\"pools\": [\"day\"]}"),
        ("campaigns/BUSY", "{\"pools\": [\"busy\"]}"),
        ("campaigns/BOTH", "{\"pools\": [\"default\", \"busy\"]}"),
        ("campaigns/SMALL", "{\"pools\": [\"small\"]}"),
    ] {
        put(client, &format!("/api/v1/{path}"), body);
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
    let digits = number.e164_digits();
    let group = GROUPS
        .iter()
        .find(|group| digits / 10_000_000 == u64::from(1_000 + group.area_code))
        .expect("a number of ours");
    let mut policy = Policy {
        reservation_ms: i64::from(RESERVATION_S) * 1_000,
        cooldown_ms: 0,
        ..Policy::default()
    };
    match group.pool {
        "default" => policy.cooldown_ms = i64::from(COOLDOWN_S) * 1_000,
        "small" => policy.most_reservations = MOST_IN_SMALL.try_into().expect("not 0"),
        _ => {}
    }
    let limits = match digits % 10_000 < u64::from(group.unlimited) {
        true => Limits::NONE,
        false => Limits::new(group.daily, group.hourly),
    };
    Rules { policy, limits }
}
