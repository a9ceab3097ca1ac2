//! What the inspection tells of servers set up in one way or another.

use std::collections::BTreeSet;

use caller_id_engine::redis::Settings;
use caller_id_engine::redis::inspect::{Flavour, Inspection, Mode, Writes, inspect};
use caller_id_testkit::redis::{Keep, Reach, RedisServer, RedisSetup};

use crate::rig::patient;

async fn inspected(server: &RedisServer) -> Inspection {
    let settings = Settings {
        tls_ca: server.authority(),
        ..patient(&server.url())
    };
    inspect(&settings).await.expect("the server answers")
}

#[tokio::test]
async fn a_server_by_itself_is_told_as_it_is() {
    let server = RedisServer::start();
    let found = inspected(&server).await;
    assert_eq!(found.mode, Mode::Standalone);
    assert!(matches!(found.flavour, Flavour::Redis | Flavour::Valkey));
    let major: u32 = found
        .version
        .split('.')
        .next()
        .and_then(|major| major.parse().ok())
        .expect("a version");
    assert!(major >= 6, "{}", found.version);
    assert!(found.address.ends_with("redis.sock"), "{}", found.address);
    assert_eq!(
        (found.replicas, found.min_replicas_to_write),
        (Some(0), Some(0))
    );
    assert_eq!(found.memory.most, Some(0));
    assert_eq!(found.memory.policy.as_deref(), Some("noeviction"));
    assert!(found.memory.used > Some(0));
    assert_eq!(found.disk.append_only, Some(false));
    assert_eq!(found.disk.snapshot_ok, Some(true));
    assert_eq!(found.writes, Writes::Work);
    assert!(found.round_trip.median <= found.round_trip.longest);
    // The same machine's clock, however busy it is.
    assert!(
        found.clock_ahead_ms.abs() < 60_000,
        "{}",
        found.clock_ahead_ms
    );
    let keys: u64 = server.ask(&["DBSIZE"]).expect("it counts keys");
    assert_eq!(keys, 0, "nothing is left of it");
}

#[tokio::test]
async fn what_a_server_keeps_and_what_it_drops_is_told() {
    let server = RedisSetup {
        reach: Reach::Tls,
        password: Some("secret".to_owned()),
        keep: Keep::EverySecond,
        more: [
            "--maxmemory",
            "100mb",
            "--maxmemory-policy",
            "allkeys-lru",
            "--min-replicas-to-write",
            "1",
        ]
        .map(str::to_owned)
        .into(),
        ..RedisSetup::default()
    }
    .start();
    let found = inspected(&server).await;
    assert_eq!(found.address, format!("localhost:{}", server.port()));
    assert_eq!(found.memory.most, Some(100 << 20));
    assert_eq!(found.memory.policy.as_deref(), Some("allkeys-lru"));
    assert_eq!(found.disk.append_only, Some(true));
    assert_eq!(found.disk.append_fsync.as_deref(), Some("everysec"));
    assert_eq!(found.disk.append_ok, Some(true));
    assert_eq!(found.min_replicas_to_write, Some(1));
    let Writes::Refused(why) = found.writes else {
        panic!("without a replica it refuses: {:?}", found.writes);
    };
    assert!(why.contains("NOREPLICAS"), "{why}");
}

#[tokio::test]
async fn what_a_user_may_not_ask_is_unknown_and_what_it_may_not_do_is_told() {
    let server = RedisSetup {
        reach: Reach::Tcp,
        ..RedisSetup::default()
    }
    .start();
    let users = [
        ("strange", "~other:* +@all -config"),
        ("silent", "~caller-id:* +@all -config -eval"),
        ("known", "~caller-id:* +@all -config"),
    ];
    let mut seen = BTreeSet::new();
    for (user, rules) in users {
        let mut words = vec!["ACL", "SETUSER", user, "on", ">pass"];
        words.extend(rules.split(' '));
        let () = server.ask(&words).expect("the user is made");
        let url = format!("redis://{user}:pass@127.0.0.1:{}", server.port());
        let found = inspect(&patient(&url)).await.expect("the server answers");
        assert_eq!(found.min_replicas_to_write, None);
        assert_eq!(found.disk.append_fsync, None);
        assert_eq!(found.memory.policy.as_deref(), Some("noeviction"));
        let writes = match found.writes {
            Writes::Work => "work",
            Writes::NoScripts(_) => "no scripts",
            Writes::Refused(_) => "refused",
            Writes::Forbidden(_) => "forbidden",
        };
        seen.insert((user, writes));
    }
    let told = [
        ("known", "work"),
        ("silent", "no scripts"),
        ("strange", "refused"),
    ];
    assert_eq!(seen, BTreeSet::from(told));
}

/// Each right of the document is taken away in turn.
#[tokio::test]
async fn every_documented_right_that_is_missing_is_named() {
    let server = RedisServer::start();
    let document = include_str!("../../../../docs/redis-keys.md");
    let line = document.lines().find(|line| line.contains("ACL SETUSER"));
    let rights: Vec<_> = line.expect("the rights").split(' ').collect();
    let mut named = 0;
    for right in rights.iter().filter_map(|word| word.strip_prefix('+')) {
        // Without these it is not known at all, or they are for clusters and for a database that is not 0.
        if ["ping", "info", "select", "cluster", "eval"].contains(&right) {
            continue;
        }
        let () = server
            .ask(&["ACL", "SETUSER", "poor", "reset"])
            .expect("made");
        let words = ["ACL", "SETUSER", "poor", "on", ">pw", "~caller-id:*"];
        let rights = rights.iter().filter(|word| word.starts_with('+'));
        let rights = rights.filter(|word| word[1..] != *right);
        let words: Vec<_> = words.iter().chain(rights).copied().collect();
        let () = server.ask(&words).expect("the user is made");
        let url = format!("{}?user=poor&pass=pw", server.url());
        let found = inspect(&patient(&url)).await;
        // The clock is asked before anything is tried.
        match found {
            Err(error) => assert!(
                right == "time" && error.to_string().contains("'time'"),
                "{error}"
            ),
            Ok(found) => assert_eq!(found.writes, Writes::Forbidden(vec![right.to_owned()])),
        }
        named += 1;
    }
    assert!(named >= 20, "{named}");
}
