//! A service in trouble: every call goes out, on the campaign's own number, and soon.

use std::net::SocketAddr;
use std::thread;

use crate::calls::lines;
use crate::gateway::Invite;
use crate::printed::printed;
use crate::process::tcp_port;
use crate::rig::{OWN, Placed, Rig};
use crate::service::{Service, Via};
use crate::stubs::{self, BlackHole};

/// What Asterisk waits for a connection over FastAGI: it is built in.
const AGI_MS: i64 = 2_000;
/// What the lines set for CURL.
const CURL_MS: i64 = 500;
/// What a call takes from the dialer's word to the carrier without any lookup, on a machine that has other work.
const CALL_MS: i64 = 700;

const CALLS: u32 = 40;
const PER_SECOND: u32 = 20;

fn asks(via: Via, address: SocketAddr) -> String {
    let way = match via {
        Via::Agi => "agi",
        Via::Curl => "curl",
    };
    printed(&format!(
        "--peer gw --asterisk 16 --via {way} --host {address}"
    ))
}

/// How long a call waited, at most, of all that showed what `expected` says.
fn longest_ms(placed: &[Placed], seen: &[Invite]) -> i64 {
    let wait = |call: &Placed| {
        let invite = seen
            .iter()
            .find(|invite| invite.destination == call.destination)
            .unwrap_or_else(|| panic!("{call:?} did not go out"));
        invite.at.ms_since(call.at)
    };
    placed.iter().map(wait).max().expect("there are calls")
}

fn all_are_own(seen: &[Invite]) {
    for invite in seen {
        assert_eq!(
            (invite.from.as_str(), invite.asserted.as_str()),
            (OWN, OWN),
            "{invite:?}"
        );
    }
}

/// Places calls with these lines, and shows that all go out on their own number.
fn every_call_goes_out(rig: &mut Rig, what: &str, lines: &str, most_ms: i64) {
    let before = rig.seen_until_now().len();
    assert_eq!(rig.reload(lines), Vec::<String>::new());
    let placed = rig.calls(CALLS, PER_SECOND, |_| {});
    let seen = rig.seen(before + placed.len()).split_off(before);
    all_are_own(&seen);
    let longest = longest_ms(&placed, &seen);
    println!("{what}: the longest of {CALLS} calls waited {longest} ms");
    assert!(longest <= most_ms + CALL_MS, "{what}: {longest} ms");
}

#[test]
fn nobody_listens() {
    let mut rig = Rig::start("");
    for (via, most_ms) in [(Via::Agi, 0), (Via::Curl, 0)] {
        let lines = asks(via, ([127, 0, 0, 1], tcp_port()).into());
        every_call_goes_out(
            &mut rig,
            &format!("nobody listens, {via:?}"),
            &lines,
            most_ms,
        );
    }
}

#[test]
fn a_network_that_swallows_everything() {
    let mut rig = Rig::start("");
    let hole = BlackHole::open();
    for (via, most_ms) in [(Via::Agi, AGI_MS), (Via::Curl, CURL_MS)] {
        let lines = asks(via, hole.address);
        every_call_goes_out(&mut rig, &format!("black hole, {via:?}"), &lines, most_ms);
    }
}

#[test]
fn a_server_that_accepts_and_says_nothing_or_closes() {
    let mut rig = Rig::start("");
    for (via, most_ms) in [(Via::Agi, AGI_MS), (Via::Curl, CURL_MS)] {
        let lines = asks(via, stubs::silent());
        every_call_goes_out(&mut rig, &format!("silent, {via:?}"), &lines, most_ms);
        let lines = asks(via, stubs::closes());
        every_call_goes_out(&mut rig, &format!("closes, {via:?}"), &lines, 0);
    }
}

#[test]
fn answers_that_are_no_number() {
    let mut rig = Rig::start("");
    for (status, body) in [
        ("404 Not Found", ""),
        (
            "404 Not Found",
            "{\"detail\":\"No caller IDs available, 3125550100\"}",
        ),
        ("429 Too Many Requests", "3125550100"),
        (
            "500 Internal Server Error",
            "Internal \"Server\" Error)}, ${EXTEN} 312555",
        ),
        ("503 Service Unavailable", ""),
        ("200 OK", "<html>call 312-555-0100</html>"),
        ("200 OK", "31255501001"),
        ("200 OK", ""),
    ] {
        let lines = asks(Via::Curl, stubs::answers(status, body));
        every_call_goes_out(&mut rig, &format!("{status} {body:?}"), &lines, 0);
    }
}

/// What 13 does without failure codes: the length alone protects it.
#[test]
fn answers_that_are_no_number_without_failure_codes() {
    let mut rig = Rig::start("");
    for (status, body) in [
        (
            "404 Not Found",
            "{\"detail\":\"No caller IDs available, 3125550100\"}",
        ),
        (
            "500 Internal Server Error",
            "Internal \"Server\" Error)}, ${EXTEN} 312555",
        ),
    ] {
        let host = stubs::answers(status, body);
        let lines = printed(&format!("--peer gw --asterisk 13 --via curl --host {host}"));
        every_call_goes_out(&mut rig, &format!("13: {status}"), &lines, 0);
    }
}

#[test]
fn a_service_killed_under_load_by_fastagi() {
    killed_under_load(Via::Agi);
}

#[test]
fn a_service_killed_under_load_by_curl() {
    killed_under_load(Via::Curl);
}

fn killed_under_load(via: Via) {
    let service = Service::start();
    let mut rig = Rig::start(&lines(&service, via, "sip", ""));
    let placed = rig.calls(120, 40, |call| {
        if call == 60 {
            service.signal("-KILL");
        }
    });
    let seen = rig.seen(placed.len());
    let own = seen.iter().filter(|invite| invite.from == OWN).count();
    let ours = seen
        .iter()
        .filter(|invite| invite.from[3..6] == *"333")
        .count();
    assert_eq!(own + ours, placed.len());
    assert!(
        own >= 50 && ours >= 50,
        "{own} on their own number, {ours} on ours"
    );
    assert!(seen.iter().all(|invite| invite.asserted == invite.from));
    let longest = longest_ms(&placed, &seen);
    println!("killed under load, {via:?}: the longest call waited {longest} ms");
    let most_ms = if via == Via::Agi { AGI_MS } else { CURL_MS };
    assert!(longest <= most_ms + CALL_MS, "{longest} ms");
}

#[test]
fn a_service_that_is_stopped_by_fastagi() {
    stopped(Via::Agi);
}

#[test]
fn a_service_that_is_stopped_by_curl() {
    stopped(Via::Curl);
}

/// Asterisk waits without end for the last word of a FastAGI server that hangs: ended calls wait there, calls that go out do not.
fn stopped(via: Via) {
    let service = Service::start();
    let lines = lines(&service, via, "sip", "");
    let mut rig = Rig::start(&lines);
    service.signal("-STOP");
    let most_ms = if via == Via::Agi { AGI_MS } else { CURL_MS };
    every_call_goes_out(&mut rig, &format!("stopped, {via:?}"), &lines, most_ms);
    service.signal("-CONT");
    // It is well again, so are the calls.
    let call = rig.call("13125559999");
    let seen = rig.seen(CALLS as usize + 1);
    let invite = seen.last().expect("a call");
    assert_eq!(invite.destination, call.destination);
    assert_eq!(invite.from[..6], *"312333");
}

#[test]
fn calls_that_end_while_the_service_is_stopped_are_over_when_it_goes_on() {
    let service = Service::start();
    let mut rig = Rig::start(&lines(&service, Via::Agi, "sip", ""));
    let placed = rig.calls(10, 20, |_| {});
    crate::process::wait_for("the calls go out", || {
        (rig.seen_until_now().len() == placed.len()).then_some(())
    });
    service.signal("-STOP");
    // Their near side hangs up after a second.
    thread::sleep(std::time::Duration::from_secs(2));
    service.signal("-CONT");
    rig.quiet();
}

#[test]
fn the_second_node_is_asked_when_the_first_gives_nothing() {
    let service = Service::start();
    let mut rig = Rig::start("");
    let hole = BlackHole::open();
    let nobody: SocketAddr = ([127, 0, 0, 1], tcp_port()).into();
    let mut before = 0;
    for (way, via) in [("agi", Via::Agi), ("curl", Via::Curl)] {
        let second = service.host(via);
        for first in [nobody, hole.address, stubs::silent(), stubs::closes()] {
            let words = format!("--peer gw --asterisk 16 --via {way} --host {first},{second}");
            assert_eq!(rig.reload(&printed(&words)), Vec::<String>::new());
            rig.call(&format!("1312555{:04}", 3_000 + before));
            before += 1;
            let seen = rig.seen(before);
            let invite = seen.last().expect("a call");
            assert_eq!(invite.from[..6], *"312333", "{words}: {invite:?}");
        }
    }
    let history = service.history();
    assert_eq!(history.len(), before);
    assert!(
        history.iter().all(|past| past.ended.is_some()),
        "each end was reported"
    );
}
