//! A Redis that forgets: restarted, flushed, replaced, failed over. The bounds are those of ADR 11.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use caller_id_testkit::redis::{Keep, Reach, RedisSentinels, RedisServer, RedisSetup};

use crate::rig::{Rig, drainer, wait_for};
use caller_id_testkit::told::Certainty;

fn kept(keep: Keep) -> RedisServer {
    RedisSetup {
        keep,
        ..RedisSetup::default()
    }
    .start()
}

#[test]
fn a_redis_that_is_killed_and_comes_back_with_what_it_kept_lost_nothing() {
    for (seed, keep) in [(10, Keep::Always), (11, Keep::EverySecond)] {
        let mut redis = kept(keep);
        let rig = Rig::start(&redis.url());
        let log = rig.field.dial(seed, || {
            for _ in 0..2 {
                rig.wait_until_all_serve();
                redis.restart_keeping();
            }
            rig.wait_until_all_serve();
        });
        rig.check(&log, Certainty::Acknowledged);
    }
}

#[test]
fn a_redis_that_comes_back_while_postgresql_is_away_is_made_whole_by_the_nodes() {
    let mut redis = kept(Keep::Always);
    let rig = Rig::start(&redis.url());
    let log = rig.field.dial(18, || {
        rig.wait_until_all_serve();
        rig.postgres.down();
        rig.wait_until_all_serve();
        redis.restart_keeping();
        rig.wait_until_all_serve();
        rig.postgres.up();
        rig.wait_until_all_serve();
    });
    rig.check(&log, Certainty::Acknowledged);
}

/// The file that the server appends to now.
fn append_only_file(redis: &RedisServer) -> PathBuf {
    let settings: Vec<String> = redis.ask(&["CONFIG", "GET", "dir"]).expect("it tells");
    let folder = PathBuf::from(&settings[1]);
    let parts = fs::read_dir(folder.join("appendonlydir"))
        .into_iter()
        .flatten();
    let parts = parts.map(|part| part.expect("a file").path());
    // Before Redis 7 it is one file.
    parts
        .filter(|part| part.to_string_lossy().ends_with(".incr.aof"))
        .max()
        .unwrap_or_else(|| folder.join("appendonly.aof"))
}

#[test]
fn what_a_machine_that_loses_power_forgets_of_the_last_second_the_nodes_bring_again() {
    let mut redis = kept(Keep::EverySecond);
    let rig = Rig::start(&redis.url());
    let log = rig.field.dial(12, || {
        for _ in 0..2 {
            rig.wait_until_all_serve();
            let file = append_only_file(&redis);
            let synced = fs::metadata(&file).expect("it is there").len();
            thread::sleep(Duration::from_secs(1));
            redis.kill();
            let written = fs::OpenOptions::new()
                .write(true)
                .open(&file)
                .expect("it is there");
            let length = written.metadata().expect("it is there").len();
            assert!(length > synced, "a second of load is written");
            // A byte less than whole: the tail may be torn.
            written.set_len(synced - 1).expect("it can be cut");
            redis.restart_keeping();
        }
        rig.wait_until_all_serve();
    });
    rig.check(&log, Certainty::Acknowledged);
}

#[test]
fn a_redis_that_is_flushed_or_replaced_by_an_empty_one_is_filled_again() {
    let mut redis = RedisServer::start();
    let rig = Rig::start(&redis.url());
    let log = rig.field.dial(13, || {
        for _ in 0..2 {
            rig.wait_until_all_serve();
            let _: String = redis.ask(&["FLUSHALL"]).expect("it forgets");
            rig.wait_until_all_serve();
            redis.restart();
        }
        rig.wait_until_all_serve();
    });
    rig.check(&log, Certainty::Acknowledged);
}

#[test]
fn a_redis_that_is_flushed_while_it_is_filled_again_is_filled_once_more() {
    let redis = RedisServer::start();
    let rig = Rig::start(&redis.url());
    let log = rig.field.dial(14, || {
        for pause_ms in [20, 60, 300, 420] {
            rig.wait_until_all_serve();
            for _ in 0..2 {
                let _: String = redis.ask(&["FLUSHALL"]).expect("it forgets");
                // Where in the rebuilding it is flushed again is what is tried.
                thread::sleep(Duration::from_millis(pause_ms));
            }
        }
        rig.wait_until_all_serve();
    });
    rig.check(&log, Certainty::Acknowledged);
}

#[test]
fn a_node_that_slept_while_the_state_was_lost_brings_what_it_knows_when_it_wakes() {
    let redis = RedisServer::start();
    let rig = Rig::start(&redis.url());
    let mut but = None;
    let log = rig.field.dial(15, || {
        rig.wait_until_all_serve();
        // While it sleeps nothing reaches the store: what it acknowledged last, it alone knows.
        let slept = rig.drainer(|| drainer(&redis));
        // What it answered a second ago is in the store.
        let since = rig.field.now().plus_ms(-1_000);
        but = Some(Certainty::AllBut { node: slept, since });
        rig.signal(slept, "-STOP");
        let address = rig.field.address(slept);
        rig.field.now_at(slept, None);
        let _: String = redis.ask(&["FLUSHALL"]).expect("it forgets");
        let handed = rig.field.handed();
        wait_for("the others go on", || rig.field.handed() > handed + 50);
        rig.signal(slept, "-CONT");
        rig.field.now_at(slept, address);
        rig.wait_until_all_serve();
    });
    rig.check(&log, but.expect("it slept"));
}

#[test]
fn when_sentinels_make_a_replica_the_master_that_was_behind_nothing_acknowledged_is_lost() {
    let mut sentinels = RedisSentinels::start(Reach::Tcp);
    let rig = Rig::start(&sentinels.url());
    let log = rig.field.dial(16, || {
        rig.wait_until_all_serve();
        // The replica misses what comes now, as one does that is far away: it cannot log in again.
        let replica = sentinels.first_replica();
        let _: String = replica
            .ask(&["CONFIG", "SET", "masterauth", "wrong"])
            .expect("it takes it");
        let cut: usize = sentinels
            .first_master()
            .ask(&["CLIENT", "KILL", "TYPE", "replica"])
            .expect("it takes it");
        assert_eq!(cut, 1);
        rig.wait_until_all_serve();
        sentinels.first_master().kill();
        sentinels.wait_for_failover();
        rig.wait_until_all_serve();
    });
    rig.check(&log, Certainty::Acknowledged);
}

#[test]
fn a_master_that_stood_still_while_another_took_over_does_no_harm_when_it_goes_on() {
    let mut sentinels = RedisSentinels::start(Reach::Tcp);
    let rig = Rig::start(&sentinels.url());
    let log = rig.field.dial(17, || {
        rig.wait_until_all_serve();
        sentinels.first_master().pause();
        sentinels.wait_for_failover();
        rig.wait_until_all_serve();
        sentinels.first_master().resume();
        rig.wait_until_all_serve();
    });
    rig.check(&log, Certainty::Acknowledged);
}
