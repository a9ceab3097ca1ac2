//! Every command once, as a table and as JSON.

use std::time::Duration;

use crate::rig::Service;

/// A command, and what its table has.
type Case = (&'static str, &'static [&'static str]);

/// Words with blanks between; `_` in a word is a blank.
const READ: [Case; 20] = [
    ("whoami", &["role      admin"]),
    (
        "numbers list --pool east --sort -number --count",
        &["NUMBER", "312-555-0101", "east", "0/300"],
    ),
    (
        "numbers show (312)_555-0100",
        &["312-555-0100", "+13125550100", "of 50", "Carrier A"],
    ),
    ("pools list", &["POOL", "default", "east"]),
    ("pools show east", &["cooldown", "60 s", "(global)"]),
    ("campaigns list", &["SOLAR", "east, default"]),
    ("campaigns list --seen", &["ROOF", "CALLS IN 30 DAYS"]),
    ("campaigns show SOLAR", &["20 a minute"]),
    ("jobs list", &[]),
    (
        "reservations list --campaign SOLAR",
        &["773-555-0123", "312-555-0100"],
    ),
    (
        "stats --by campaign --span day",
        &["CAMPAIGN", "SOLAR", "CALLS"],
    ),
    (
        // Two calls of which nobody told how they ended: there is no answer rate.
        "stats",
        &[
            "CALLS  ANSWERED  REPORTED  RATE  BUSY",
            "    2         0         0     -     0",
        ],
    ),
    (
        "explain 773-555-0123 --campaign SOLAR --agent 7",
        &["answer", "FREE", "area_code", "any"],
    ),
    (
        "lookup 312-555-0100 --from 773-555-0123",
        &["(ours)", "calls back", "M123"],
    ),
    ("trace 773-555-0123", &["312-555-0100", "SOLAR"]),
    ("trace M123", &["773-555-0123"]),
    ("trace --number 312-555-0100 --since 2026-01-01", &["M123"]),
    ("trace --campaign SOLAR --all", &["M123"]),
    ("requests --limit 5", &["REQUEST", "allocated"]),
    ("requests --outcome allocated", &["773-555-****"]),
];

async fn filled() -> Service {
    let service = Service::start().await;
    for words in [
        "numbers add 312-555-0100 --pool east --carrier Carrier_A --attestation A --meta {\"owner\":\"west\"}",
        "numbers add 13125550101 --pool east --daily-limit 300 --hourly-limit none",
        "pools set east --cooldown-seconds 60 --ladder area_code,any --time-zone America/Chicago",
        "numbers add 312-555-0103",
        "campaigns set SOLAR --pools east,default --agent-limit 20",
    ] {
        asked(&service, words).await.fine();
    }
    service
        .call("to=17735550123&campaign=SOLAR&agent=7&call=M123")
        .await;
    service.call("to=17735550124&campaign=ROOF&call=M124").await;
    // History is written a moment after the answer.
    let written = async {
        while !service
            .said("/api/v1/campaigns?seen=true")
            .await
            .contains("ROOF")
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let written = tokio::time::timeout(Duration::from_secs(20), written).await;
    written.unwrap();
    service
}

async fn asked(service: &Service, words: &str) -> crate::rig::Told {
    let is_text = |word: &str| !word.starts_with("area_") && !word.contains("_code");
    let words: Vec<String> = words
        .split(' ')
        .map(|word| match is_text(word) {
            true => word.replace('_', " "),
            false => word.to_owned(),
        })
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    service.ask(&words).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_that_reads_has_a_table_and_json() {
    let service = filled().await;
    for (words, parts) in READ {
        let told = asked(&service, words).await.fine();
        for part in parts {
            assert!(told.out.contains(part), "{words}: no `{part}`: {told:?}");
        }
        assert!(!told.out.starts_with('{'), "{words}: {told:?}");
        if words.contains("--outcome") {
            continue;
        }
        let told = asked(&service, &format!("{words} --json")).await.fine();
        let lines: Vec<&str> = told.out.lines().collect();
        for line in &lines {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(value.is_object(), "{words}: {told:?}");
        }
        assert!(words.contains("--all") || lines.len() == 1, "{words}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_that_changes_tells_what_it_did() {
    let service = filled().await;
    for (words, part) in [
        ("numbers add 312-555-0102", "pool              default"),
        (
            "numbers change 312-555-0102 --daily-limit 1,000 --carrier B",
            "daily_limit 500 → 1,000",
        ),
        (
            "numbers change 312-555-0102 --carrier none",
            "carrier B → none",
        ),
        (
            "numbers change 312-555-0102 --carrier none",
            "was so already",
        ),
        (
            "numbers pause 312-555-0102 312-555-0101",
            "312-555-0101 (pool east) is paused",
        ),
        ("numbers resume 312-555-0102", "is active"),
        ("numbers rest 312-555-0102 --hours 2", "is resting until 20"),
        (
            "numbers rest 312-555-0102 --minutes 5",
            "is resting until 20",
        ),
        (
            "numbers rest 312-555-0102 --until 2099-01-01",
            "is resting until 2099-01-01 00:00:00 CST",
        ),
        ("numbers retire 312-555-0102", "is retired"),
        (
            "numbers bulk pause --pool east --dry-run",
            "312-555-0100: status active → paused\n1 number would be paused, 2 asked for: nothing is written",
        ),
        (
            "numbers bulk pause --pool east --yes",
            "1 number paused, 2 asked for",
        ),
        (
            "numbers bulk rest --status paused --minutes 5 -y",
            "2 numbers sent to rest",
        ),
        (
            "numbers bulk resume --all -y",
            "3 numbers resumed, 4 asked for",
        ),
        (
            "numbers bulk change --area-code 312 --set daily-limit=7 --set carrier=none -y",
            "4 numbers changed",
        ),
        (
            "numbers bulk retire --number 312-555-0102 -y",
            "1 number retired",
        ),
        (
            "numbers bulk remove --status retired -y",
            "1 number removed",
        ),
        ("numbers remove 312-555-0101 -y", "312-555-0101 is removed"),
        ("pools set west", "numbers            0 active"),
        (
            "pools set west --sticky-seconds 3600",
            "sticky for         3,600 s\n",
        ),
        (
            "pools set west --sticky-seconds global",
            "sticky for         0 s (global)",
        ),
        ("pools remove west -y", "pool west is removed"),
        (
            "campaigns set SOLAR --agent-limit 0",
            "pools        east, default\nagent limit  no limit",
        ),
        (
            "campaigns set SOLAR --agent-limit global --pools default",
            "pools        default\nagent limit  global",
        ),
        ("campaigns remove SOLAR -y", "campaign SOLAR is removed"),
    ] {
        let told = asked(&service, words).await.fine();
        assert!(told.out.contains(part), "{words}: {told:?}");
        // Who mistyped a name sees it here.
        let made = match words {
            "pools set west" => "made the pool west, which was not there before\n",
            _ => "",
        };
        assert_eq!(told.err, made, "{words}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_show_what_the_api_says_as_json() {
    let service = filled().await;
    for (words, member) in [
        ("numbers add 312-555-0102", "number"),
        ("numbers change 312-555-0102 --carrier B", "carrier"),
        ("numbers pause 312-555-0102", "status"),
        ("numbers bulk resume --all --dry-run", "first"),
        ("numbers bulk resume --all --yes", "matched"),
        ("numbers remove 312-555-0102 --yes", "removed"),
        ("pools set west", "effective"),
        ("pools remove west --yes", "removed"),
        ("campaigns set ROOF --pools default", "pools"),
        ("campaigns remove ROOF --yes", "removed"),
    ] {
        let told = asked(&service, &format!("{words} --json")).await.fine();
        assert!(told.json().get(member).is_some(), "{words}: {told:?}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_traced_and_ended_by_its_reservation() {
    let service = filled().await;
    let list = service.ask(&["reservations", "list", "--call-id", "M123", "--json"]);
    let list = list.await.fine().json();
    let id = list["reservations"][0]["id"].as_str().unwrap().to_owned();
    let one = service.ask(&["trace", "--id", &id]).await.fine();
    for part in [
        "call id         M123",
        "destination     773-555-0123",
        "state           reserved",
    ] {
        assert!(one.out.contains(part), "{one:?}");
    }
    let end = ["reservations", "end", &id, "--dialstatus", "ANSWER"];
    let ended = service.ask(&end).await.fine();
    assert_eq!(ended.out, "it is ended, and its number free\n");
    let again = service.ask(&end).await;
    assert_eq!(again.code, 1, "{again:?}");
    assert!(again.out.contains("no such reservation"), "{again:?}");
    service.stop().await;
}
