//! What history says about what callers were told, whoever they were. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};

use caller_id_core::store::PastAllocation;
use caller_id_core::{AgentLimit, AllocationId};

use super::Ended;

/// History by the ids of its allocations.
pub type ById<'a> = HashMap<AllocationId, &'a PastAllocation>;

/// The id of the call that an allocation was for; empty when it had none.
pub fn call_of(past: &PastAllocation) -> &str {
    let call = past.record.call_id.as_ref();
    call.map_or("", |call| call.as_str())
}

/// The ids that were handed out, each with whether the answer was a repeated one: of those, only where the first answer was
/// never heard.
pub fn acknowledged(handed: impl Iterator<Item = (AllocationId, bool)>) -> Vec<AllocationId> {
    let (later, first): (Vec<_>, Vec<_>) = handed.partition(|(_, repeated)| *repeated);
    let mut ids: Vec<_> = first.into_iter().map(|(id, _)| id).collect();
    let heard: HashSet<_> = ids.iter().copied().collect();
    let later: HashSet<_> = later.into_iter().map(|(id, _)| id).collect();
    ids.extend(later.difference(&heard));
    ids
}

/// Each end that was acknowledged is in history as it was told.
pub fn not_ended(by_id: &ById<'_>, ended: &[Ended]) -> Vec<String> {
    let lost = ended.iter().filter_map(|ended| {
        let past = by_id.get(&ended.id).and_then(|past| past.ended);
        let same = past.is_some_and(|past| (past.at, past.end) == (ended.at, ended.end));
        (!same).then(|| format!("{ended:?} was acknowledged and history says {past:?}"))
    });
    lost.collect()
}

/// What nobody was told may be in history only when the answer to its call was lost on its way.
pub fn unheard_of(
    history: &[PastAllocation],
    heard: &HashSet<AllocationId>,
    unknown: &HashSet<String>,
) -> Vec<String> {
    let unheard = history
        .iter()
        .filter(|past| !heard.contains(&past.record.id) && !unknown.contains(call_of(past)));
    unheard
        .map(|past| format!("{:?} is in history and nobody was told", past.record))
        .collect()
}

/// While a call's reservation lives, asking again makes no second one.
pub fn calls_with_two(history: &[PastAllocation]) -> Vec<String> {
    let mut by_call: BTreeMap<&str, Vec<&PastAllocation>> = BTreeMap::new();
    for past in history {
        by_call.entry(call_of(past)).or_default().push(past);
    }
    let end = |past: &PastAllocation| past.ended.map_or(past.record.reserved_until, |end| end.at);
    let twice = by_call
        .into_iter()
        .filter(|(_, uses)| uses.windows(2).any(|pair| end(pair[0]) > pair[1].record.at));
    twice
        .map(|(call, uses)| format!("call {call} has two live reservations: {uses:?}"))
        .collect()
}

/// Agents who were given more than so many numbers in a minute.
pub fn agents_over_their_limit(history: &[PastAllocation], per_minute: u32) -> Vec<String> {
    let limit = AgentLimit::per_minute(per_minute);
    let mut arrivals = HashMap::new();
    let mut found = Vec::new();
    for past in history {
        let Some(agent) = &past.record.agent else {
            continue;
        };
        match limit.check(arrivals.get(agent).copied(), past.record.at) {
            Ok(permit) => drop(arrivals.insert(agent, permit.expect("there is a limit").arrival)),
            Err(_) => found.push(format!(
                "agent {agent} is over its limit at {}",
                past.record.at
            )),
        }
    }
    found
}
