//! Facts about verdicts on a Redis.

use std::time::Duration;

use super::*;
use crate::app::inspect::{Disk, Memory, RoundTrip};

/// One that nothing is wrong with.
fn good() -> RedisInspection {
    let quick = Duration::from_micros(80);
    RedisInspection {
        address: "redis:6379".to_owned(),
        mode: Mode::Standalone,
        flavour: Flavour::Redis,
        version: "7.0.15".to_owned(),
        replicas: Some(0),
        min_replicas_to_write: Some(0),
        memory: Memory {
            used: Some(1 << 20),
            most: Some(0),
            policy: Some("noeviction".to_owned()),
        },
        disk: Disk {
            append_only: Some(true),
            append_fsync: Some("everysec".to_owned()),
            append_ok: Some(true),
            snapshot_ok: Some(true),
        },
        clock_ahead_ms: 3,
        round_trip: RoundTrip {
            median: quick,
            longest: quick * 4,
        },
        writes: Writes::Work,
    }
}

/// What is not well with it.
fn bad(change: impl FnOnce(&mut RedisInspection)) -> Vec<(Verdict, &'static str)> {
    let mut redis = good();
    change(&mut redis);
    let found = judge(&redis).into_iter();
    found
        .filter(|finding| finding.verdict != Verdict::Ok)
        .inspect(|finding| assert!(finding.advice.is_some(), "{finding}"))
        .map(|finding| (finding.verdict, finding.about))
        .collect()
}

#[test]
fn a_good_one_is_well_and_may_be_started_on() {
    assert_eq!(bad(|_| {}), []);
    assert_eq!(refusal(&good()), None);
    assert_eq!(warning(&good()), None);
}

#[test]
fn an_old_version_is_an_error_and_refused() {
    for (version, old) in [
        ("6.0.16", true),
        ("5.0.9", true),
        ("6.2.0", false),
        ("6.10.1", false),
        ("7.0.15", false),
        ("10.0.0", false),
    ] {
        let found = bad(|redis| redis.version = version.to_owned());
        assert_eq!(found == [(Verdict::Error, VERSION)], old, "{version}");
        assert_eq!(found.is_empty(), !old, "{version}");
        let mut redis = good();
        redis.version = version.to_owned();
        assert_eq!(refusal(&redis).is_some(), old, "{version}");
    }
}

#[test]
fn valkey_is_named_and_well_and_what_is_neither_is_a_warning() {
    let mut valkey = good();
    (valkey.flavour, valkey.version) = (Flavour::Valkey, "8.1.1".to_owned());
    assert_eq!(version(&valkey).verdict, Verdict::Ok);
    assert!(version(&valkey).fact.starts_with("valkey 8.1.1"));
    let found = bad(|redis| redis.flavour = Flavour::Other("dragonfly".to_owned()));
    assert_eq!(found, [(Verdict::Warning, VERSION)]);
    let found = bad(|redis| redis.version.clear());
    assert_eq!(found, [(Verdict::Warning, VERSION)]);
}

#[test]
fn any_policy_that_drops_keys_is_an_error_and_refused_with_or_without_a_bound() {
    for policy in [
        "allkeys-lru",
        "volatile-lru",
        "volatile-ttl",
        "allkeys-random",
    ] {
        for most in [0, 1 << 30] {
            let mut redis = good();
            redis.memory.policy = Some(policy.to_owned());
            redis.memory.most = Some(most);
            let refused = refusal(&redis).unwrap();
            assert_eq!((refused.verdict, refused.about), (Verdict::Error, POLICY));
            assert!(refused.to_string().contains("maxmemory-policy noeviction"));
        }
    }
}

#[test]
fn a_policy_that_is_not_told_is_a_warning_and_starts() {
    let mut redis = good();
    redis.memory.policy = None;
    assert_eq!(policy(&redis).verdict, Verdict::Warning);
    assert_eq!(refusal(&redis), None);
}

#[test]
fn memory_near_its_bound_is_a_warning_and_at_it_an_error() {
    for (used, most, verdict) in [
        (79, 100, Verdict::Ok),
        (80, 100, Verdict::Warning),
        (99, 100, Verdict::Warning),
        (100, 100, Verdict::Error),
        (1 << 40, 0, Verdict::Ok),
    ] {
        let mut redis = good();
        redis.memory.used = Some(used);
        redis.memory.most = Some(most);
        assert_eq!(memory(&redis).verdict, verdict, "{used}");
        redis.writes = Writes::Refused("OOM command not allowed".to_owned());
        let full = most > 0;
        assert_eq!(memory(&redis).verdict == Verdict::Error, full, "{used}");
    }
}

#[test]
fn rights_that_are_missing_are_named_and_refused_what_passes_is_waited_for() {
    let mut redis = good();
    redis.writes = Writes::Forbidden(vec!["script|load".to_owned(), "xadd".to_owned()]);
    let told = refusal(&redis).unwrap().told();
    assert!(told.contains("may not run script|load, xadd"), "{told}");
    assert!(told.contains("+script|load +xadd"), "{told}");
    redis.writes = Writes::Refused("NOPERM no permission for the key".to_owned());
    assert!(refusal(&redis).is_some());
    for passing in STATES_THAT_REFUSE {
        redis.writes = Writes::Refused(format!("{passing} …"));
        assert_eq!(refusal(&redis), None);
    }
}

#[test]
fn no_append_only_file_is_a_warning_here_and_at_the_start() {
    let mut redis = good();
    redis.disk.append_only = Some(false);
    assert_eq!(append_only(&redis).verdict, Verdict::Warning);
    assert!(warning(&redis).is_some());
    assert_eq!(refusal(&redis), None);
    let found = bad(|redis| redis.disk.append_only = None);
    assert_eq!(found, [(Verdict::Warning, APPEND_ONLY)]);
    let found = bad(|redis| redis.disk.append_fsync = Some("no".to_owned()));
    assert_eq!(found, [(Verdict::Warning, APPEND_ONLY)]);
    for good in [Some("always"), Some("everysec"), None] {
        assert_eq!(
            bad(|redis| redis.disk.append_fsync = good.map(str::to_owned)),
            []
        );
    }
}

#[test]
fn a_write_that_failed_is_an_error() {
    let error = [(Verdict::Error, "writes to disk")];
    assert_eq!(bad(|redis| redis.disk.append_ok = Some(false)), error);
    assert_eq!(bad(|redis| redis.disk.snapshot_ok = Some(false)), error);
}

#[test]
fn replicas_without_a_least_number_are_a_warning_and_too_few_an_error() {
    for (mode, replicas, least, verdict) in [
        (Mode::Standalone, 0, Some(0), Verdict::Ok),
        (Mode::Standalone, 1, Some(0), Verdict::Warning),
        (Mode::Sentinel, 1, Some(1), Verdict::Ok),
        (Mode::Sentinel, 0, Some(0), Verdict::Warning),
        (Mode::Sentinel, 0, Some(1), Verdict::Error),
        (Mode::Cluster, 2, Some(0), Verdict::Warning),
        (Mode::Cluster, 2, None, Verdict::Ok),
    ] {
        let mut redis = good();
        redis.mode = mode;
        redis.replicas = Some(replicas);
        redis.min_replicas_to_write = least;
        let found = super::replicas(&redis);
        assert_eq!(found.verdict, verdict, "{mode:?} {found}");
    }
}

#[test]
fn scripts_or_keys_that_are_not_allowed_are_an_error() {
    for writes in [
        Writes::NoScripts("NOPERM".to_owned()),
        Writes::Refused("NOPERM".to_owned()),
    ] {
        let found = bad(|redis| redis.writes = writes);
        assert_eq!(found, [(Verdict::Error, "scripts")]);
    }
}

#[test]
fn one_that_refuses_everybody_is_no_matter_of_rights() {
    for (why, rights) in [
        ("NOPERM no permission", true),
        ("NOREPLICAS Not enough", false),
    ] {
        let mut redis = good();
        redis.writes = Writes::Refused(why.to_owned());
        let advice = scripts(&redis).advice.unwrap();
        assert_eq!(advice.contains("rights"), rights, "{advice}");
    }
}

#[test]
fn its_clock_and_its_answers_are_judged() {
    let found = bad(|redis| redis.clock_ahead_ms = -90_000);
    assert_eq!(found, [(Verdict::Warning, "clock")]);
    let found = bad(|redis| redis.round_trip.median = Duration::from_millis(9));
    assert_eq!(found, [(Verdict::Warning, "latency")]);
}

#[test]
fn one_that_tells_nothing_is_no_error() {
    let found = bad(|redis| {
        redis.replicas = None;
        redis.min_replicas_to_write = None;
        redis.memory = Memory::default();
        redis.disk = Disk::default();
    });
    let warnings = [POLICY, APPEND_ONLY].map(|about| (Verdict::Warning, about));
    assert_eq!(found, warnings);
}

#[test]
fn one_that_is_away_is_an_error() {
    assert_eq!(away("refused").verdict, Verdict::Error);
}
