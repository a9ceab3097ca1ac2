use caller_id_core::{
    AllocationRecord, CallEnd, CallId, CallReport, CallResult, EndRecord, Limits, Policy, PoolId,
    Rung,
};

use super::super::{Ended, Reported};
use super::*;

const START: Timestamp = Timestamp::from_ms(1_795_348_800_000);
const RESERVATION_MS: i64 = 2_000;
/// Without limits or cooldown.
const FREE: &str = "+14155550001";
/// With a cooldown of a second.
const RESTS: &str = "+13125550001";
/// With three a day.
const FEW: &str = "+19075550001";

fn rules(number: PhoneNumber) -> Rules {
    let is = |text: &str| number == text.parse().unwrap();
    let policy = Policy {
        reservation_ms: RESERVATION_MS,
        cooldown_ms: if is(RESTS) { 1_000 } else { 0 },
        ..Policy::default()
    };
    let limits = if is(FEW) {
        Limits::new(3, 5)
    } else {
        Limits::NONE
    };
    Rules { policy, limits }
}

/// What is found by these rules.
fn faults(history: &[PastAllocation], log: &Log, certainty: Certainty) -> Vec<String> {
    super::faults(history, log, certainty, rules)
}

fn past(number: &str, ms: i64, call: &str) -> PastAllocation {
    let (at, number) = (START.plus_ms(ms), number.parse().unwrap());
    let record = AllocationRecord {
        id: AllocationId::of(number, at, 0),
        at,
        number,
        destination: "+12125550199".parse().unwrap(),
        campaign: None,
        agent: None,
        call_id: Some(CallId::new(call).unwrap()),
        pool: PoolId::default(),
        rung: Rung::Any,
        reserved_until: at.plus_ms(RESERVATION_MS),
    };
    PastAllocation::new(record)
}

fn heard(past: &PastAllocation) -> Handed {
    Handed {
        node: 0,
        call: call_of(past).to_owned(),
        id: past.record.id,
        number: past.record.number,
        destination: past.record.destination,
        repeated: false,
        asked: past.record.at,
        answered: past.record.at.plus_ms(1),
    }
}

fn log(history: &[PastAllocation]) -> Log {
    Log {
        handed: history.iter().map(heard).collect(),
        ..Log::default()
    }
}

fn but(node: usize, ms: i64) -> Certainty {
    let since = START.plus_ms(ms);
    Certainty::AllBut { node, since }
}

fn found(history: &[PastAllocation], log: &Log) -> usize {
    faults(history, log, Certainty::Whole).len()
}

#[test]
fn a_history_in_which_all_is_well_has_no_faults() {
    let mut history = [
        past(FREE, 0, "a"),
        past(FREE, 1_000, "b"),
        past(RESTS, 0, "c"),
    ];
    let mut log = log(&history);
    let (id, at, end) = (history[0].record.id, START.plus_ms(900), CallEnd::Busy);
    history[0].ended = Some(EndRecord { id, at, end });
    log.ended.push((0, Ended { id, at, end }));
    log.tried.push((id, START.plus_ms(890)));
    assert_eq!(
        faults(&history, &log, Certainty::Whole),
        Vec::<String>::new()
    );
}

#[test]
fn a_double_reservation_is_found_in_history_and_by_the_dialers_clock() {
    let history = [past(FREE, 0, "a"), past(FREE, 1_000, "b")];
    assert_eq!(found(&history, &log(&history)), 2);
    // History may lie about the instant: the dialers do not.
    let later = [past(FREE, 0, "a"), past(FREE, 5_000, "b")];
    let mut log = log(&later);
    log.handed[1].asked = START.plus_ms(100);
    log.handed[1].answered = START.plus_ms(101);
    assert_eq!(found(&later, &log), 1);
}

#[test]
fn an_end_that_was_lost_with_the_state_is_no_double_reservation_and_one_before_it_is() {
    let history = [past(FREE, 0, "a"), past(FREE, 1_000, "b")];
    let mut log = log(&history);
    let acknowledged = |log: &Log| faults(&history, log, Certainty::Acknowledged).len();
    log.tried.push((history[0].record.id, START.plus_ms(990)));
    assert_eq!(acknowledged(&log), 0);
    assert_eq!(found(&history, &log), 1, "a state that was kept keeps ends");
    log.tried[0].1 = START.plus_ms(1_010);
    assert_eq!(
        acknowledged(&log),
        2,
        "in history, and by the dialers' clock"
    );
}

#[test]
fn a_broken_cooldown_and_a_passed_limit_are_found() {
    let mut short = past(RESTS, 0, "a");
    short.record.reserved_until = START.plus_ms(500);
    let mut log_of = log(&[short.clone(), past(RESTS, 900, "b")]);
    log_of.tried.push((short.record.id, START.plus_ms(500)));
    assert_eq!(found(&[short, past(RESTS, 900, "b")], &log_of), 1);
    let four: Vec<_> = (0..4)
        .map(|use_of| past(FEW, use_of * 2_100, &use_of.to_string()))
        .collect();
    assert_eq!(found(&four, &log(&four)), 1, "three a day");
}

#[test]
fn an_allocation_that_is_missing_doubled_or_other_than_told_is_found() {
    let one = past(FREE, 0, "a");
    let told = log(std::slice::from_ref(&one));
    assert_eq!(found(&[], &told), 1, "missing");
    let twice = found(&[one.clone(), one.clone()], &told);
    assert!(twice >= 1, "doubled");
    let mut other = one.clone();
    other.record.destination = "+12125550100".parse().unwrap();
    assert_eq!(found(&[other], &told), 1, "another destination");
    let mut log = Log::default();
    assert_eq!(
        found(std::slice::from_ref(&one), &log),
        1,
        "nobody was told"
    );
    log.unknown.insert("a".to_owned());
    assert_eq!(found(&[one], &log), 0, "an answer was lost");
}

#[test]
fn an_end_that_is_missing_is_found() {
    let one = past(FREE, 0, "a");
    let mut log = log(std::slice::from_ref(&one));
    let (id, at, end) = (one.record.id, START.plus_ms(10), CallEnd::Answer);
    log.ended.push((0, Ended { id, at, end }));
    assert_eq!(found(&[one], &log), 1);
}

#[test]
fn an_end_that_a_sleeping_node_alone_knew_of_may_be_told_once_more_and_no_other() {
    let mut one = past(FREE, 0, "a");
    let mut log = log(std::slice::from_ref(&one));
    let (id, at, end) = (one.record.id, START.plus_ms(10), CallEnd::Answer);
    log.ended.push((0, Ended { id, at, end }));
    let (at, end) = (START.plus_ms(900), CallEnd::Released);
    one.ended = Some(EndRecord { id, at, end });
    let report = CallReport {
        answered_seconds: Some(7),
        ..CallReport::default()
    };
    one.result = Some(CallResult { id, at, report });
    let history = std::slice::from_ref(&one);
    assert_eq!(faults(history, &log, but(0, 0)).len(), 1, "not told again");
    log.reported.push(Reported {
        id,
        answered_seconds: 7,
        released: true,
    });
    assert_eq!(faults(history, &log, but(0, 0)), Vec::<String>::new());
    assert_eq!(faults(history, &log, but(1, 0)).len(), 1, "another node");
    assert_eq!(faults(history, &log, but(0, 20)).len(), 1, "stored before");
    assert_eq!(found(history, &log), 1, "nobody slept");
}

#[test]
fn a_result_that_is_missing_or_other_than_told_is_found() {
    let mut one = past(FREE, 0, "a");
    let (id, at) = (one.record.id, START.plus_ms(10));
    let mut log = log(std::slice::from_ref(&one));
    log.reported.push(Reported {
        id,
        answered_seconds: 7,
        released: false,
    });
    for (answered_seconds, faults) in [(None, 1), (Some(8), 1), (Some(7), 0)] {
        let report = CallReport {
            answered_seconds,
            ..CallReport::default()
        };
        one.result = Some(CallResult { id, at, report });
        assert_eq!(found(std::slice::from_ref(&one), &log), faults);
    }
    log.reported[0].released = true;
    assert_eq!(found(&[one], &log), 1, "no end");
}

#[test]
fn a_call_that_got_two_numbers_is_found() {
    let history = [past(FREE, 0, "a"), past("+14155550002", 100, "a")];
    assert_eq!(found(&history, &log(&history)), 2);
}

#[test]
fn what_nobody_was_told_breaks_no_rule_where_the_state_was_lost() {
    let history = [past(FREE, 0, "a"), past(FREE, 1_000, "b")];
    let mut log = log(&history[1..]);
    log.unknown.insert("a".to_owned());
    assert_eq!(
        faults(&history, &log, Certainty::Acknowledged),
        Vec::<String>::new()
    );
    assert_eq!(found(&history, &log), 1);
}

#[test]
fn only_what_a_sleeping_node_answered_last_may_break_a_rule_and_it_is_in_history_too() {
    let history = [past(FREE, 0, "a"), past(FREE, 1_000, "b")];
    let log = log(&history);
    assert_eq!(faults(&history, &log, but(0, 500)), Vec::<String>::new());
    assert_eq!(faults(&history, &log, but(1, 500)).len(), 2, "another node");
    assert_eq!(faults(&history, &log, but(0, 1_500)).len(), 2, "later");
    assert_eq!(faults(&history[..1], &log, but(0, 500)).len(), 1, "missing");
}
