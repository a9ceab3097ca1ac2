//! What must hold over all that dialers were told and the whole history, whatever failed meanwhile. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};

use caller_id_core::store::PastAllocation;
use caller_id_core::{AllocationId, PhoneNumber, Timestamp};

use super::certainty::{Certainty, ends_that_stand};
use super::evidence::{ById, acknowledged, call_of, calls_with_two, not_ended, unheard_of};
use super::{Handed, Log};
use crate::invariants::{Rules, violations};

#[cfg(test)]
mod tests;

/// A sentence for everything that is wrong; an empty list is what tests want. The rules are those of each number.
pub fn faults(
    history: &[PastAllocation],
    log: &Log,
    certainty: Certainty,
    rules: impl Fn(PhoneNumber) -> Rules,
) -> Vec<String> {
    let told: HashSet<_> = log.handed.iter().map(|handed| handed.id).collect();
    let covered = log
        .handed
        .iter()
        .filter(|handed| certainty.covers_handed(handed));
    let covered: HashSet<_> = covered.map(|handed| handed.id).collect();
    let bound = match certainty {
        Certainty::Whole => history.to_vec(),
        // What nobody was told nobody used.
        Certainty::Acknowledged | Certainty::AllBut { .. } => {
            let told = history
                .iter()
                .filter(|past| covered.contains(&past.record.id));
            ended_when_tried(told, &first_tries(log))
        }
    };
    let by_id: HashMap<_, _> = history.iter().map(|past| (past.record.id, past)).collect();
    let mut found = violations(&bound, &[], &rules);
    found.extend(doubled_and_lost(history, log));
    found.extend(different(&by_id, log));
    found.extend(not_ended(&by_id, &ends_that_stand(log, certainty)));
    found.extend(not_reported(&by_id, log));
    found.extend(unheard_of(history, &told, &log.unknown));
    found.extend(calls_with_two(&bound));
    found.extend(forgotten_calls(log, certainty, &rules));
    found.extend(held_twice(log, certainty, &rules));
    found
}

/// Allocations that end at the latest when somebody first tried to end them. Where the state was lost an end may be lost with it
/// that was made and that nobody was told of: the number was free from then on, and history knows nothing of it, or of a later one.
fn ended_when_tried<'a>(
    history: impl Iterator<Item = &'a PastAllocation>,
    tried: &HashMap<AllocationId, Timestamp>,
) -> Vec<PastAllocation> {
    let ended = history.map(|past| {
        let mut past = past.clone();
        if let Some(at) = tried.get(&past.record.id) {
            past.record.reserved_until = past.record.reserved_until.min(*at);
        }
        past
    });
    ended.collect()
}

/// Each allocation that was acknowledged is in history, and none was handed out for two calls.
fn doubled_and_lost(history: &[PastAllocation], log: &Log) -> Vec<String> {
    let known: HashSet<_> = history.iter().map(|past| past.record.id).collect();
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    let handed = log.handed.iter().map(|handed| (handed.id, handed.repeated));
    for id in acknowledged(handed) {
        if !seen.insert(id) {
            found.push(format!("{id} was handed out twice"));
        }
        if !known.contains(&id) {
            found.push(format!("{id} was acknowledged and is not in history"));
        }
    }
    found
}

/// Each answer gave what is recorded for its call.
fn different(by_id: &ById<'_>, log: &Log) -> Vec<String> {
    let told = log.handed.iter().filter_map(|handed| {
        let past = by_id.get(&handed.id)?;
        let record = &past.record;
        let recorded = (record.number, record.destination, call_of(past));
        let same = recorded == (handed.number, handed.destination, &handed.call);
        (!same).then(|| format!("{handed:?} is in history as {record:?}"))
    });
    told.collect()
}

/// Each result that was acknowledged is in history as it was told, and with it the end that it made.
fn not_reported(by_id: &ById<'_>, log: &Log) -> Vec<String> {
    let lost = log.reported.iter().filter(|told| {
        let Some(past) = by_id.get(&told.id) else {
            return true;
        };
        let kept = past
            .result
            .and_then(|result| result.report.answered_seconds);
        kept != Some(told.answered_seconds) || (told.released && past.ended.is_none())
    });
    lost.map(|told| format!("{told:?} was acknowledged and history says otherwise"))
        .collect()
}

/// A call that asks again while its reservation lives for certain gets the same answer.
fn forgotten_calls(
    log: &Log,
    certainty: Certainty,
    rules: &impl Fn(PhoneNumber) -> Rules,
) -> Vec<String> {
    let tried = first_tries(log);
    let mut by_call: HashMap<&str, &Handed> = HashMap::new();
    let mut found = Vec::new();
    for handed in &log.handed {
        if let Some(before) = by_call.insert(&handed.call, handed)
            && before.id != handed.id
            && certainty.covers_handed(before)
            && handed.answered < held_until(before, &tried, rules)
        {
            found.push(format!("{before:?} was forgotten: {handed:?}"));
        }
    }
    found
}

fn first_tries(log: &Log) -> HashMap<AllocationId, Timestamp> {
    let mut tried = HashMap::new();
    for (id, at) in &log.tried {
        tried.entry(*id).or_insert(*at);
    }
    tried
}

/// Until when its reservation lived at least, by the dialers' clock: it began after it was asked for.
fn held_until(
    handed: &Handed,
    tried: &HashMap<AllocationId, Timestamp>,
    rules: &impl Fn(PhoneNumber) -> Rules,
) -> Timestamp {
    let lives_ms = rules(handed.number).policy.reservation_ms;
    let runs_out = handed.asked.plus_ms(lives_ms);
    tried
        .get(&handed.id)
        .map_or(runs_out, |at| runs_out.min(*at))
}

/// By the dialers' own clock: numbers that more dialers held at an instant than may.
fn held_twice(
    log: &Log,
    certainty: Certainty,
    rules: &impl Fn(PhoneNumber) -> Rules,
) -> Vec<String> {
    let tried = first_tries(log);
    let mut by_number: BTreeMap<PhoneNumber, Vec<(&Handed, Timestamp)>> = BTreeMap::new();
    let first = log.handed.iter().filter(|handed| !handed.repeated);
    for handed in first.filter(|handed| certainty.covers_handed(handed)) {
        let until = held_until(handed, &tried, rules);
        if handed.answered < until {
            by_number
                .entry(handed.number)
                .or_default()
                .push((handed, until));
        }
    }
    let mut found = Vec::new();
    for (number, holds) in by_number {
        let most = usize::from(rules(number).policy.most_reservations.get());
        for (handed, _) in &holds {
            let at = handed.answered;
            let live = holds
                .iter()
                .filter(|(one, until)| one.answered <= at && at < *until);
            if live.count() > most {
                found.push(format!(
                    "{number} was held more than {most} times when {handed:?} came"
                ));
            }
        }
    }
    found
}
