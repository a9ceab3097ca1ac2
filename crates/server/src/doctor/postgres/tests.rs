//! Facts about verdicts on a PostgreSQL.

use caller_id_core::Timestamp;

use super::*;
use crate::app::inspect::{Holder, Latency, PostgresRights};
use crate::doctor::Verdict;

/// One that nothing is wrong with.
fn good() -> PostgresInspection {
    PostgresInspection {
        place: "db.example.com:5432/calls".to_owned(),
        version: "16.4 (Debian 16.4-1)".to_owned(),
        version_number: 160_004,
        database: "calls".to_owned(),
        user: "caller-id".to_owned(),
        encryption: Some("TLSv1.3 TLS_AES_256_GCM_SHA384".to_owned()),
        in_recovery: false,
        refused: None,
        rights: PostgresRights {
            create_schema: true,
            create_tables: Some(true),
            own_history: Some(true),
        },
        synchronous_commit: "on".to_owned(),
        fsync: true,
        connections_most: 100,
        connections_used: 12,
        clock_offset_ms: -4,
        latency: Latency {
            median_us: 150,
            most_us: 900,
            samples: 50,
        },
        schema_found: 2,
        schema_known: 2,
        revision: Some(7),
        identity: Some(1),
        holders: Vec::new(),
        state: None,
        state_holders: Vec::new(),
    }
}

/// One of many nodes.
fn shared() -> Use {
    Use {
        node: "a".to_owned(),
        shared: true,
        standby: false,
        connections: 7,
    }
}

/// What is not well with it.
fn bad(change: impl FnOnce(&mut PostgresInspection)) -> Vec<(Verdict, &'static str)> {
    let mut postgres = good();
    change(&mut postgres);
    let found = judge(&postgres, &shared()).into_iter();
    found
        .filter(|finding| finding.verdict != Verdict::Ok)
        .inspect(|finding| assert!(finding.advice.is_some(), "{finding}"))
        .map(|finding| (finding.verdict, finding.about))
        .collect()
}

#[test]
fn a_good_one_is_well() {
    assert_eq!(bad(|_| {}), []);
}

#[test]
fn older_than_14_is_an_error() {
    let error = [(Verdict::Error, "version")];
    assert_eq!(bad(|postgres| postgres.version_number = 130_016), error);
    assert_eq!(bad(|postgres| postgres.version_number = 140_000), []);
}

#[test]
fn a_copy_that_only_reads_is_an_error() {
    let error = [(Verdict::Error, "writable")];
    assert_eq!(bad(|postgres| postgres.in_recovery = true), error);
}

#[test]
fn one_that_refuses_rows_is_an_error_in_its_words_with_what_to_do() {
    let refused = |why: &str| PostgresInspection {
        refused: Some(why.to_owned()),
        ..good()
    };
    let told = writable(&refused("no space left -> make room")).to_string();
    assert!(
        told.starts_with("error    postgresql: writable: no: no space left; "),
        "{told}"
    );
    assert!(told.ends_with(" -> make room"), "{told}");
    let told = writable(&refused("it will not")).to_string();
    assert!(told.ends_with(" -> see its log"), "{told}");
}

#[test]
fn no_encryption_is_a_warning_unless_it_is_on_this_machine() {
    for (place, far) in [
        ("db.example.com:5432/calls", true),
        ("10.0.0.5:5432/calls", true),
        ("localhost:5432/calls", false),
        ("127.0.0.1:5432/calls", false),
        ("::1:5432/calls", false),
        ("[::1]:5432/calls", false),
        ("/run/postgresql:5432/calls", false),
    ] {
        let found = bad(|postgres| {
            postgres.place = place.to_owned();
            postgres.encryption = None;
        });
        let warning = [(Verdict::Warning, "encryption")];
        assert_eq!(found == warning, far, "{place}");
        assert_eq!(found.is_empty(), !far, "{place}");
    }
}

#[test]
fn missing_rights_are_an_error_and_a_schema_that_is_there_need_not_be_made() {
    let error = [(Verdict::Error, "rights")];
    let with = |create_schema, create_tables, own_history| {
        bad(|postgres| {
            postgres.rights = PostgresRights {
                create_schema,
                create_tables,
                own_history,
            };
        })
    };
    assert_eq!(with(false, None, None), error);
    assert_eq!(with(true, None, None), []);
    assert_eq!(with(false, Some(true), Some(true)), []);
    assert_eq!(with(true, Some(false), Some(true)), error);
    assert_eq!(with(true, Some(true), Some(false)), error);
}

#[test]
fn fsync_off_is_an_error_and_synchronous_commit_off_a_warning() {
    let off = || "off".to_owned();
    let error = [(Verdict::Error, "durability")];
    assert_eq!(bad(|postgres| postgres.fsync = false), error);
    let warning = [(Verdict::Warning, "durability")];
    assert_eq!(bad(|postgres| postgres.synchronous_commit = off()), warning);
    let local = || "local".to_owned();
    assert_eq!(bad(|postgres| postgres.synchronous_commit = local()), []);
}

#[test]
fn few_connections_left_are_a_warning() {
    let warning = [(Verdict::Warning, "connections")];
    assert_eq!(bad(|postgres| postgres.connections_used = 79), []);
    assert_eq!(bad(|postgres| postgres.connections_used = 80), warning);
    let full = PostgresInspection {
        connections_used: 100,
        ..good()
    };
    let told = connections(&full, &shared()).told();
    assert!(
        told.contains("DATABASE_POOL_SIZE") && told.ends_with("takes up to 7"),
        "{told}"
    );
}

#[test]
fn tables_of_a_newer_version_are_an_error_those_of_an_older_one_are_brought_up_to_date() {
    for (found, verdict) in [(0, Verdict::Ok), (1, Verdict::Ok), (2, Verdict::Ok)] {
        let mut postgres = good();
        postgres.schema_found = found;
        assert_eq!(schema(&postgres).verdict, verdict, "{found}");
    }
    let error = [(Verdict::Error, "tables")];
    assert_eq!(bad(|postgres| postgres.schema_found = 3), error);
}

#[test]
fn who_uses_it_is_judged_by_how_this_node_would() {
    let since = Timestamp::from_ms(1_700_000_000_000);
    let one = |node: &str, alone| vec![Holder::seen(node.to_owned(), alone, since)];
    let sole = |node: &str, standby| Use {
        node: node.to_owned(),
        shared: false,
        standby,
        connections: 7,
    };
    for (holders, by, verdict) in [
        (one("b", false), shared(), Verdict::Ok),
        (one("b", true), shared(), Verdict::Error),
        (one("b", false), sole("a", false), Verdict::Error),
        (one("b", true), sole("a", false), Verdict::Warning),
        (one("b", true), sole("b", false), Verdict::Ok),
        (one("b", true), sole("a", true), Verdict::Ok),
        (Vec::new(), sole("a", false), Verdict::Ok),
    ] {
        let mut postgres = good();
        postgres.holders = holders;
        let found = owners(&postgres, &by);
        assert_eq!(found.verdict, verdict, "{by:?} {found}");
    }
}

#[test]
fn a_proxy_that_lends_transactions_is_told_from_a_server_that_is_away() {
    let found = away("it is behind a proxy that lends sessions for one transaction at a time");
    assert!(found.advice.unwrap().contains("pool_mode = session"));
    assert_eq!(away("refused").verdict, Verdict::Error);
}

#[test]
fn its_clock_and_its_answers_are_judged() {
    let found = bad(|postgres| postgres.clock_offset_ms = 61_000);
    assert_eq!(found, [(Verdict::Warning, "clock")]);
    let found = bad(|postgres| postgres.latency.most_us = 51_000);
    assert_eq!(found, [(Verdict::Warning, "latency")]);
}
