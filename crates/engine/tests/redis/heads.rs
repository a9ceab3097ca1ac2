//! The orders of heads have each group that has numbers, by an instant that is not after its first number's.

use std::collections::BTreeMap;

use caller_id_core::area_codes;
use caller_id_testkit::builders::area;
use caller_id_testkit::redis::RedisServer;

/// A member of an order, and its instant.
type Place = (String, i64);

/// Whether the orders of the tenant agree. Says what is wrong.
pub(crate) fn agree(server: &RedisServer, tenant: &str) -> Result<(), String> {
    let prefix = format!("caller-id:{{{tenant}}}:o:");
    let keys: Vec<String> = server
        .ask(&["KEYS", &format!("{prefix}*")])
        .expect("redis answers");
    let mut groups = keys.iter().filter_map(|key| {
        let (pool, group) = key[prefix.len()..].rsplit_once(':').expect("a name");
        let code: u16 = group.trim_start_matches('!').parse().ok()?;
        Some((format!("{prefix}{pool}:"), group, code))
    });
    groups.try_for_each(|(pool, group, code)| agrees(server, &pool, group, code))
}

fn agrees(server: &RedisServer, pool: &str, group: &str, code: u16) -> Result<(), String> {
    let numbers = places(server, &format!("{pool}{group}"));
    let own = format!("00001{group}");
    for (digits, _) in &numbers {
        if digits.starts_with(&own) == group.starts_with('!') {
            return Err(format!("{digits} stands in the group {group}"));
        }
    }
    let region = (code > 0).then(|| area_codes::table().region(area(code)));
    let region = region.flatten().map(|region| region.as_str().to_owned());
    for heads in region.into_iter().chain(["all".to_owned()]) {
        if group.starts_with('!') {
            odd_agrees(server, pool, group, &numbers, &heads)?;
            continue;
        }
        let bounds: BTreeMap<_, _> = places(server, &format!("{pool}{heads}"))
            .into_iter()
            .collect();
        match bounds.get(group) {
            Some(bound) if *bound <= numbers[0].1 => {}
            found => {
                let (order, first) = (format!("{pool}{heads}"), &numbers[0]);
                return Err(format!(
                    "{group} begins with {first:?}, and {order} has it at {found:?}"
                ));
            }
        }
    }
    Ok(())
}

/// The numbers of an odd group stand in the order of all odd ones too, at the same instants.
fn odd_agrees(
    server: &RedisServer,
    pool: &str,
    group: &str,
    numbers: &[Place],
    heads: &str,
) -> Result<(), String> {
    let known: Vec<String> = server
        .ask(&["SMEMBERS", &format!("{pool}odd")])
        .expect("redis answers");
    if !known.iter().any(|known| known == group) {
        return Err(format!("the odd group {group} is not known to be one"));
    }
    let order = format!("{pool}!{heads}");
    let odd = places(server, &order);
    match numbers.iter().find(|number| !odd.contains(number)) {
        Some(missing) => Err(format!("{missing:?} of {group} is not in {order}")),
        None => Ok(()),
    }
}

/// The members of an order.
fn places(server: &RedisServer, key: &str) -> Vec<Place> {
    let flat: Vec<String> = server
        .ask(&["ZRANGE", key, "0", "-1", "WITHSCORES"])
        .expect("redis answers");
    flat.chunks(2)
        .map(|pair| (pair[0].clone(), pair[1].parse().expect("an instant")))
        .collect()
}
