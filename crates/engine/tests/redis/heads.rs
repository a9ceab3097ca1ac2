//! The orders of heads have who is first in each area code, and nobody else.

use std::collections::{BTreeMap, BTreeSet};

use caller_id_core::area_codes;
use caller_id_testkit::builders::area;
use caller_id_testkit::redis::RedisServer;

/// A number and from when it is free, as Redis writes them.
type Place = (String, String);

/// Whether the orders of the tenant agree. Says what is wrong.
pub(crate) fn agree(server: &RedisServer, tenant: &str) -> Result<(), String> {
    let prefix = format!("caller-id:{{{tenant}}}:o:");
    let keys: Vec<String> = server
        .ask(&["KEYS", &format!("{prefix}*")])
        .expect("redis answers");
    let mut expected: BTreeMap<String, BTreeSet<Place>> = BTreeMap::new();
    let mut found: BTreeMap<String, BTreeSet<Place>> = BTreeMap::new();
    for key in keys {
        let (pool, name) = key[prefix.len()..].rsplit_once(':').expect("a name");
        let Ok(code) = name.parse::<u16>() else {
            let places = places(server, &key, "-1").into_iter();
            found.insert(format!("{pool}:{name}"), places.collect());
            continue;
        };
        let head = places(server, &key, "0").remove(0);
        let region = (code > 0).then(|| area_codes::table().region(area(code)));
        let region = region.flatten().map(|region| region.as_str().to_owned());
        for heads in region.into_iter().chain(["all".to_owned()]) {
            let heads = expected.entry(format!("{pool}:{heads}")).or_default();
            heads.insert(head.clone());
        }
    }
    match expected == found {
        true => Ok(()),
        false => Err(format!("expected the heads {expected:?}, found {found:?}")),
    }
}

/// The members of an order from the first to `last`.
fn places(server: &RedisServer, key: &str, last: &str) -> Vec<Place> {
    let flat: Vec<String> = server
        .ask(&["ZRANGE", key, "0", last, "WITHSCORES"])
        .expect("redis answers");
    flat.chunks(2)
        .map(|pair| (pair[0].clone(), pair[1].clone()))
        .collect()
}
