//! Nodes that are killed or stand still, and a PostgreSQL that is away: Redis has the whole state all the time.

use std::thread;
use std::time::Duration;

use caller_id_testkit::redis::{RedisServer, RedisSetup};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::dialers::NODES;
use crate::rig::{Rig, drainer};
use caller_id_testkit::told::Certainty;

/// How often a node is killed.
const KILLS: u64 = 6;
/// Far longer than a node that is not heard of keeps the work of draining: 5 seconds. And shorter than a dialer waits for the
/// answer that was on its way when the node was stopped.
const STANDSTILL: Duration = Duration::from_secs(12);

#[test]
fn nodes_killed_again_and_again_lose_nothing_and_another_drains_the_outbox() {
    let redis = RedisServer::start();
    let rig = Rig::start(&redis.url());
    let mut random = SmallRng::seed_from_u64(1);
    let log = rig.field.dial(1, || {
        for kill in 0..KILLS {
            // The instant at which it dies is what is random here.
            thread::sleep(Duration::from_millis(random.random_range(30..400)));
            // Half of the time the one that has most to lose.
            let node = match kill % 2 {
                0 => rig.drainer(|| drainer(&redis)),
                _ => random.random_range(0..NODES),
            };
            rig.kill_node(node);
            thread::sleep(Duration::from_millis(random.random_range(0..100)));
            rig.start_node(node);
        }
        rig.wait_until_all_serve();
    });
    rig.check(&log, Certainty::Whole);
}

#[test]
fn while_postgresql_is_away_all_nodes_hand_out_numbers_and_history_is_whole_afterwards() {
    let redis = RedisServer::start();
    let rig = Rig::start(&redis.url());
    let log = rig.field.dial(2, || {
        rig.wait_until_all_serve();
        rig.postgres.down();
        rig.wait_until_all_serve();
        // Longer than whatever would have been under way.
        thread::sleep(Duration::from_secs(2));
        rig.wait_until_all_serve();
        assert_eq!(rig.get(0, "/health").json()["db"], "error");
        rig.postgres.up();
        rig.wait_until_all_serve();
    });
    rig.check(&log, Certainty::Whole);
}

#[test]
fn a_node_that_stood_still_while_it_drained_the_outbox_does_no_harm_when_it_goes_on() {
    let redis = RedisSetup::default().start();
    let rig = Rig::start(&redis.url());
    let log = rig.field.dial(3, || {
        rig.wait_until_all_serve();
        let slept = rig.drainer(|| drainer(&redis));
        rig.signal(slept, "-STOP");
        let address = rig.field.address(slept);
        // Dialers turn to the others: a proxy in front of the nodes would send them there.
        rig.field.now_at(slept, None);
        thread::sleep(STANDSTILL);
        let other = rig.drainer(|| drainer(&redis));
        assert_ne!(slept, other, "another node drains the outbox by now");
        rig.signal(slept, "-CONT");
        rig.field.now_at(slept, address);
        rig.wait_until_all_serve();
    });
    rig.check(&log, Certainty::Whole);
}
