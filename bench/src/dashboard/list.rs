//! Every page, and the lists that people usually look at.

use anyhow::Context;
use caller_id_core::PhoneNumber;

use crate::client::Client;

/// A page by what it shows, and its path.
pub(super) struct Page {
    pub(super) name: &'static str,
    pub(super) path: String,
}

/// Pages that stand for themselves.
const PLAIN: [(&str, &str); 53] = [
    ("overview", "/dashboard"),
    ("numbers", "/dashboard/numbers"),
    ("numbers, a pool", "/dashboard/numbers?pool=pool-07"),
    (
        "numbers, a pool and status",
        "/dashboard/numbers?pool=pool-07&status=active",
    ),
    ("numbers, paused", "/dashboard/numbers?status=paused"),
    ("numbers, retired", "/dashboard/numbers?status=retired"),
    ("numbers, a carrier", "/dashboard/numbers?carrier=Lumen"),
    ("numbers, no carrier", "/dashboard/numbers?no_carrier=true"),
    ("numbers, an area code", "/dashboard/numbers?area_code=312"),
    ("numbers, a state", "/dashboard/numbers?region=CA"),
    ("numbers, attestation", "/dashboard/numbers?attestation=B"),
    ("numbers, begins", "/dashboard/numbers?begins=1312"),
    ("numbers, has 200", "/dashboard/numbers?q=200"),
    ("numbers, has 2000777", "/dashboard/numbers?q=2000777"),
    ("numbers, has 99999", "/dashboard/numbers?q=99999"),
    (
        "numbers, a whole one",
        "/dashboard/numbers?q=(312)+200-0007",
    ),
    (
        "numbers, digits in a pool",
        "/dashboard/numbers?q=2001&pool=pool-19",
    ),
    ("numbers, from the last", "/dashboard/numbers?sort=-number"),
    ("numbers by area code", "/dashboard/numbers?sort=-area_code"),
    ("numbers by carrier", "/dashboard/numbers?sort=carrier"),
    ("numbers by pool", "/dashboard/numbers?sort=-pool"),
    ("numbers by status", "/dashboard/numbers?sort=-status"),
    (
        "numbers by last change",
        "/dashboard/numbers?sort=-updated_at",
    ),
    (
        "numbers, a pool by carrier",
        "/dashboard/numbers?pool=pool-07&sort=-carrier",
    ),
    ("a new number", "/dashboard/numbers/new"),
    (
        "change a pool's numbers",
        "/dashboard/numbers/bulk?which=matching&pool=pool-07",
    ),
    (
        "change all numbers",
        "/dashboard/numbers/bulk?which=matching",
    ),
    ("coverage", "/dashboard/coverage"),
    ("coverage, a day", "/dashboard/coverage?days=1"),
    ("coverage, a month", "/dashboard/coverage?days=31"),
    ("coverage of a state", "/dashboard/coverage?region=CA"),
    ("pools", "/dashboard/pools"),
    ("pools, kept up to date", "/dashboard/pools?part=live"),
    ("a new pool", "/dashboard/pools?new=1"),
    ("a pool", "/dashboard/pools/pool-07"),
    (
        "a pool, kept up to date",
        "/dashboard/pools/pool-07?part=live",
    ),
    ("campaigns", "/dashboard/campaigns"),
    ("a campaign", "/dashboard/campaigns/CAMP3"),
    ("explain, empty", "/dashboard/explain"),
    (
        "explain a call",
        "/dashboard/explain?to=13125551234&campaign=CAMP3&agent=1001",
    ),
    ("history", "/dashboard/history"),
    (
        "history of a campaign",
        "/dashboard/history?campaign=CAMPAIGN3",
    ),
    ("history of an agent", "/dashboard/history?agent=1001"),
    ("history of a pool", "/dashboard/history?pool=pool-03"),
    ("who was called, empty", "/dashboard/lookup"),
    ("requests", "/dashboard/requests"),
    ("requests, looked for", "/dashboard/requests?q=312"),
    ("reservations", "/dashboard/reservations"),
    ("import", "/dashboard/import"),
    ("jobs", "/dashboard/jobs"),
    ("API keys", "/dashboard/keys"),
    ("audit log", "/dashboard/audit"),
    ("settings", "/dashboard/settings"),
];

/// All of them.
pub(super) fn all(client: &mut Client, numbers: &[PhoneNumber]) -> anyhow::Result<Vec<Page>> {
    let mut all: Vec<Page> = PLAIN
        .iter()
        .map(|(name, path)| Page {
            name,
            path: (*path).to_owned(),
        })
        .collect();
    let mut add = |name, path| all.push(Page { name, path });
    let plus = |number: &str| number.replace('+', "%2B");
    let number = plus(&numbers[numbers.len() / 3].to_string());
    let past = client.get("/api/v1/allocations?limit=100")?.body;
    let call = &past["allocations"][50];
    let word = |name: &str| {
        let word = call[name].as_str().map(plus);
        word.with_context(|| format!("a call without {name}: {call}"))
    };
    add("a number", format!("/dashboard/numbers/{number}"));
    add(
        "a number in use",
        format!("/dashboard/numbers/{}", word("caller_id")?),
    );
    add(
        "history of a number",
        format!("/dashboard/history?number={}", word("caller_id")?),
    );
    add(
        "history of a destination",
        format!("/dashboard/history?destination={}", word("destination")?),
    );
    add("a call", format!("/dashboard/history/{}", word("id")?));
    add(
        "who was called",
        format!("/dashboard/lookup?number={}", word("caller_id")?),
    );
    add(
        "audit log of numbers",
        "/dashboard/audit?action=number.&author=admin".to_owned(),
    );
    for (name, list, order) in [
        ("numbers, last page", "numbers", "sort=number"),
        (
            "numbers by change, last page",
            "numbers",
            "sort=-updated_at",
        ),
        (
            "a pool by carrier, last page",
            "numbers",
            "pool=pool-07&sort=carrier",
        ),
    ] {
        let cursor = last(client, &format!("/api/v1/{list}?{order}"), "next")?;
        add(name, format!("/dashboard/{list}?{order}&cursor={cursor}"));
    }
    let cursor = last(client, "/api/v1/allocations?", "next")?;
    add(
        "history, last page",
        format!("/dashboard/history?cursor={cursor}"),
    );
    Ok(all)
}

/// The cursor of the last page of a list, in pages of 1,000.
fn last(client: &mut Client, list: &str, next: &str) -> anyhow::Result<String> {
    let mut cursor = String::new();
    loop {
        let more = match cursor.as_str() {
            "" => String::new(),
            cursor => format!("&cursor={cursor}"),
        };
        let page = client.get(&format!("{list}&limit=1000{more}").replace("?&", "?"))?;
        match page.body[next].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return Ok(cursor),
        }
    }
}
