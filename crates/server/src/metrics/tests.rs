use std::time::Duration;

use super::*;
use crate::meters::{Ended, Script};

fn values(text: &str) -> Vec<&str> {
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#') && !line.starts_with("process_"));
    lines.collect()
}

/// Those lines that tell of the service's state, and not of calls.
fn states(text: &str) -> Vec<&str> {
    let counted = [
        "caller_id_alert",
        "caller_id_live_pages",
        "caller_id_requests",
        "caller_id_commit",
        "caller_id_log",
        "caller_id_trace",
    ];
    let mut found = values(text);
    found.retain(|line| !counted.iter().any(|counted| line.starts_with(counted)));
    found.sort_unstable();
    found
}

#[test]
fn a_node_of_a_cluster_tells_what_waits() {
    let moment = Moment {
        serving: true,
        store: false,
        redis: Some(true),
        unfit: true,
        outbox: Some(Lag {
            events: 1_234,
            oldest_ms: 2_500,
            most: 5_000_000,
            aside: 3,
        }),
        sign_in_failures: 3,
        sessions: 7,
        ..Moment::default()
    };
    let text = moment.text(&Meters::default());
    let version = env!("CARGO_PKG_VERSION");
    let info =
        format!("caller_id_build_info{{version=\"{version}\",engine=\"redis\",store=\"\"}} 1");
    assert_eq!(
        states(&text),
        [
            &*info,
            "caller_id_outbox_aside 3",
            "caller_id_outbox_events 1234",
            "caller_id_outbox_limit 5000000",
            "caller_id_outbox_oldest_seconds 2.5",
            "caller_id_redis_unfit 1",
            "caller_id_redis_up 1",
            "caller_id_serving 1",
            "caller_id_sessions 7",
            "caller_id_sign_in_failures_total 3",
            "caller_id_store_up 0",
        ]
    );
    for name in ["caller_id_outbox_events", "caller_id_serving"] {
        assert!(text.contains(&format!("# HELP {name} ")), "{text}");
    }
}

#[test]
fn a_service_alone_tells_nothing_of_redis() {
    let moment = Moment {
        store: true,
        ..Moment::default()
    };
    let text = moment.text(&Meters::default());
    assert_eq!(states(&text).len(), 5, "{text}");
    assert!(text.contains("engine=\"memory\""), "{text}");
}

#[test]
fn alerts_are_told_by_what_became_of_them() {
    let moment = Moment {
        alerts: AlertCounts {
            outcomes: [4, 3, 2, 1],
            retries: 9,
            waiting: 5,
        },
        ..Moment::default()
    };
    let text = moment.text(&Meters::default());
    for line in [
        "caller_id_alerts_total{outcome=\"delivered\"} 4",
        "caller_id_alerts_total{outcome=\"failed\"} 3",
        "caller_id_alerts_total{outcome=\"refused\"} 2",
        "caller_id_alerts_total{outcome=\"dropped\"} 1",
        "caller_id_alert_retries_total 9",
        "caller_id_alerts_waiting 5",
    ] {
        assert!(values(&text).contains(&line), "{line}\n{text}");
    }
}

#[test]
fn what_a_histogram_has_seen_is_told_by_how_many_are_below_each_bound() {
    let meters = Meters::default();
    for us in [50, 300, 400, 20_000_000] {
        meters.talked(Script::NextCid, Ended::Answered, Duration::from_micros(us));
    }
    let text = Moment::default().text(&meters);
    let of = |le: &str| {
        format!(
            "caller_id_fastagi_dialog_duration_seconds_bucket{{script=\"next-cid\",ended=\"answered\",le=\"{le}\"}}"
        )
    };
    for (le, count) in [
        ("0.0001", 1),
        ("0.00025", 1),
        ("0.0005", 3),
        ("10", 3),
        ("+Inf", 4),
    ] {
        let line = format!("{} {count}", of(le));
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(text.contains("_duration_seconds_count{script=\"next-cid\",ended=\"answered\"} 4"));
}

#[test]
fn names_that_a_pool_may_have_break_no_line() {
    let moment = Moment {
        pools: Some(vec![PoolCounts {
            pool: "east \"1\" \\ west".to_owned(),
            eligible: 7,
            ..PoolCounts::default()
        }]),
        ..Moment::default()
    };
    let text = moment.text(&Meters::default());
    let line = r#"caller_id_pool_numbers{pool="east \"1\" \\ west",state="eligible"} 7"#;
    assert!(text.lines().any(|found| found == line), "{text}");
}

#[test]
#[cfg(target_os = "linux")]
fn the_process_tells_its_memory_files_and_start() {
    let text = Moment::default().text(&Meters::default());
    let value = |name: &str| -> f64 {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.expect("there").parse().expect("a number")
    };
    assert!(value("process_resident_memory_bytes") > 1e6);
    assert!(value("process_open_fds") >= 3.0);
    assert!(value("process_max_fds") >= value("process_open_fds"));
    assert!(value("process_start_time_seconds") > 1.6e9);
    assert!(value("process_cpu_seconds_total") >= 0.0);
}

#[test]
fn every_metric_has_a_name_of_its_own_that_says_its_unit() {
    let mut names: Vec<_> = FAMILIES.iter().map(|family| family.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FAMILIES.len());
    for family in FAMILIES {
        let is_total = family.name.ends_with("_total");
        assert_eq!(is_total, family.kind == Kind::Counter, "{}", family.name);
        let of_time = family.kind == Kind::Histogram;
        assert!(
            !of_time || family.name.ends_with("_duration_seconds"),
            "{}",
            family.name
        );
    }
}
