//! Nodes of two builds at the same time: one after the other is replaced while calls come.

use std::path::Path;
use std::sync::atomic::Ordering;

use caller_id_testkit::redis::RedisServer;
use caller_id_testkit::told::Certainty;

use crate::dialers::NODES;
use crate::older::older;
use crate::process::BINARY;
use crate::rig::Rig;

/// A machine that is slow for a while refuses calls, too: that is not what is tested.
const PATIENCE: [(&str, &str); 2] = [
    ("REDIS_TIMEOUT_MS", "20000"),
    ("REQUEST_DEADLINE_MS", "20000"),
];

#[test]
fn nodes_are_replaced_by_those_of_another_build_one_after_the_other_and_no_call_is_refused() {
    let redis = RedisServer::start();
    let rig = Rig::without_nodes(&redis.url());
    let start = |node: usize, build: &Path| rig.start_node_of(node, build, &PATIENCE);
    for node in 0..NODES {
        start(node, &older());
    }
    rig.fill();
    let log = rig.field.dial(40, || {
        rig.wait_until_all_serve();
        for node in 0..NODES {
            rig.stop_node(node);
            start(node, Path::new(BINARY));
            // For a while both builds serve, and bring what happens to PostgreSQL.
            rig.wait_until_all_serve();
        }
    });
    let unavailable = rig.field.unavailable.load(Ordering::Relaxed);
    assert_eq!(unavailable, 0, "calls were refused because of the change");
    rig.check(&log, Certainty::Whole);
}
