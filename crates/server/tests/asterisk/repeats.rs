//! Calls that ask again, and callers who are gone.

use caller_id_core::CallEnd;

use crate::calls::lines;
use crate::process::wait_for;
use crate::rig::Rig;
use crate::service::{Service, Via};

/// A carrier that is busy, then the same call again over a second one, as VICIdial's fail-over carriers do.
fn fail_over(service: &Service, via: Via) -> String {
    let first = lines(service, via, "sip", "");
    let second = lines(service, via, "pjsip", "--prefix 8 --another");
    // The call goes on to the second where the first would have hung up.
    let (dial, rest) = first
        .split_once(" same => n,Hangup()\n")
        .expect("a hang-up");
    let onward = " same => n,Goto(8${EXTEN:1},1)\n same => n,Hangup()\n";
    format!("{dial}{onward}{rest}{second}")
}

#[test]
fn a_fail_over_line_shows_the_same_number_counted_once_by_fastagi() {
    fail_over_shows_the_same(Via::Agi);
}

#[test]
fn a_fail_over_line_shows_the_same_number_counted_once_by_curl() {
    fail_over_shows_the_same(Via::Curl);
}

fn fail_over_shows_the_same(via: Via) {
    let service = Service::start();
    let mut rig = Rig::start(&fail_over(&service, via));
    let call = rig.call("13125562000");
    let seen = rig.seen(2);
    assert_eq!(seen[0].from, seen[1].from, "{seen:?}");
    assert_eq!(seen[0].from[..6], *"312333");
    let history = service.history();
    let [past] = &history[..] else {
        panic!("one number is taken: {history:?}");
    };
    assert_eq!(
        past.record.call_id.as_ref().map(|id| id.as_str()),
        Some(call.id.as_str())
    );
    assert_eq!(past.ended.map(|ended| ended.end), Some(CallEnd::Busy));
}

#[test]
fn a_caller_who_hangs_up_during_the_lookup_leaves_no_number_reserved() {
    for (via, asks) in [(Via::Agi, "/next-cid"), (Via::Curl, "CIDROT_QUERY=to")] {
        let service = Service::start();
        let mut rig = Rig::start(&lines(&service, via, "sip", ""));
        service.signal("-STOP");
        rig.call("13125552000");
        wait_for("the call asks", || {
            let steps = rig.manager.command("core show channels concise");
            steps.contains(asks).then_some(())
        });
        rig.manager.hang_up("/^Local/.*/");
        service.signal("-CONT");
        rig.quiet();
        assert_eq!(rig.seen_until_now(), [], "{via:?}");
        // Whether it got a number is a matter of luck; kept it has none.
        for past in service.history() {
            assert!(past.ended.is_some(), "{via:?}: {past:?}");
        }
    }
}

#[test]
fn sessions_of_agents_take_no_number() {
    for via in [Via::Agi, Via::Curl] {
        let service = Service::start();
        let mut rig = Rig::start(&lines(&service, via, "sip", ""));
        rig.call_as("S12306150000000000001", "13125552000");
        let seen = rig.seen(1);
        assert_eq!(seen[0].from, crate::rig::OWN);
        assert!(service.history().is_empty());
    }
}

/// Somebody dials by hand, and the phone has the name of a person: that is no id of a call, and its last word is no agent.
#[test]
fn calls_under_the_name_of_a_person_are_calls_of_their_own() {
    let names = [
        "Alice Smith",
        "Alice Smith",
        "Sam",
        "ACME 24",
        "V122153045",
        "Al?ice:)(${EXTEN}$[1",
        "",
    ];
    for via in [Via::Agi, Via::Curl] {
        let service = Service::start();
        let mut rig = Rig::start(&lines(&service, via, "sip", ""));
        for (name, line) in names.iter().zip(2_000..) {
            rig.call_as(name, &format!("1312555{line}"));
        }
        let seen = rig.seen(names.len());
        let mut numbers: Vec<_> = seen.iter().map(|invite| &invite.from).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), names.len(), "{via:?}: {seen:?}");
        let history = service.history();
        assert_eq!(history.len(), names.len(), "{via:?}");
        for past in history {
            assert_eq!(past.record.agent, None, "{via:?}: {past:?}");
            assert!(past.record.call_id.is_some(), "{via:?}: {past:?}");
            assert!(past.result.is_some(), "{via:?}: {past:?}");
        }
    }
}

#[test]
fn the_agent_that_vicidial_appends_is_kept() {
    for via in [Via::Agi, Via::Curl] {
        let service = Service::start();
        let mut rig = Rig::start(&lines(&service, via, "sip", ""));
        let name = "M4050908070000012345 6666 TESTCAMP";
        rig.call_as(name, "13125552000");
        let seen = rig.seen(1);
        assert_eq!(seen[0].name, name, "VICIdial's name is untouched");
        let history = service.history();
        assert_eq!(history.len(), 1);
        let record = &history[0].record;
        let text = |id: Option<&str>| id.unwrap_or_default().to_owned();
        assert_eq!(
            text(record.call_id.as_ref().map(|id| id.as_str())),
            name[..20]
        );
        assert_eq!(text(record.agent.as_ref().map(|id| id.as_str())), "6666");
    }
}
