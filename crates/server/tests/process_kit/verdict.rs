//! What the data on disk says about what was told.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use caller_id_core::store::PastAllocation;
use caller_id_core::{AgentLimit, AllocationId, HistoryStore, SystemClock, Timestamp};
use caller_id_store::{SqliteOptions, SqliteStore};
use caller_id_testkit::invariants::violations;

use crate::inventory::{AGENT_LIMIT, rules};
use crate::load::Told;

type ById<'a> = HashMap<AllocationId, &'a PastAllocation>;

/// Everything in the data of `folder`, which no service may use meanwhile.
pub(crate) fn history(folder: &Path) -> Vec<PastAllocation> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let options = SqliteOptions::new(Arc::new(SystemClock::new()));
        let store = SqliteStore::open(&folder.join("caller-id.db"), options).expect("it opens");
        store.settle().await.expect("history takes the journal");
        let mut history = Vec::new();
        store
            .allocations_since(Timestamp::ZERO, &mut |past| history.push(past))
            .await
            .expect("it reads");
        store.close().await;
        history
    })
}

/// A sentence for everything in which the history is not what was told, or breaks a rule; an empty list is what tests want.
pub(crate) fn faults(history: &[PastAllocation], told: &Told) -> Vec<String> {
    let by_id: ById<'_> = history.iter().map(|past| (past.record.id, past)).collect();
    let mut found = violations(history, &acknowledged(told), rules);
    found.extend(different(&by_id, told));
    found.extend(not_ended(&by_id, told));
    found.extend(unheard_of(history, told));
    found.extend(calls_counted_twice(history));
    found.extend(agents_over_their_limit(history));
    found
}

/// The ids that were handed out, those of repeated answers only where the first answer was never heard.
fn acknowledged(told: &Told) -> Vec<AllocationId> {
    let (repeated, first): (Vec<_>, Vec<_>) =
        told.handed.iter().partition(|handed| handed.repeated);
    let mut ids: Vec<_> = first.iter().map(|handed| handed.id).collect();
    let heard: HashSet<_> = ids.iter().copied().collect();
    let later: HashSet<_> = repeated.iter().map(|handed| handed.id).collect();
    ids.extend(later.difference(&heard));
    ids
}

/// Each answer, also a repeated one, gave what is recorded for its call.
fn different(by_id: &ById<'_>, told: &Told) -> Vec<String> {
    let told = told.handed.iter().filter_map(|handed| {
        let record = &by_id.get(&handed.id)?.record;
        let call = record.call_id.as_ref().map_or("", |call| call.as_str());
        let same = (record.number, call) == (handed.number, &handed.call);
        (!same).then(|| format!("{handed:?} is in history as {record:?}"))
    });
    told.collect()
}

fn not_ended(by_id: &ById<'_>, told: &Told) -> Vec<String> {
    let lost = told.ended.iter().filter(|ended| {
        let past = by_id.get(&ended.id).and_then(|past| past.ended);
        past.is_none_or(|past| (past.at, past.end) != (ended.at, ended.end))
    });
    lost.map(|ended| format!("{ended:?} was acknowledged and history says otherwise"))
        .collect()
}

/// What nobody was told may be in history only when the answer was lost on its way.
fn unheard_of(history: &[PastAllocation], told: &Told) -> Vec<String> {
    let heard: HashSet<_> = told.handed.iter().map(|handed| handed.id).collect();
    let unheard = history.iter().filter(|past| {
        let call = past
            .record
            .call_id
            .as_ref()
            .map_or("", |call| call.as_str());
        !heard.contains(&past.record.id) && !told.unknown.contains(call)
    });
    unheard
        .map(|past| format!("{:?} is in history and nobody was told", past.record))
        .collect()
}

/// While a call's reservation lives, asking again makes no second one.
fn calls_counted_twice(history: &[PastAllocation]) -> Vec<String> {
    let mut by_call: BTreeMap<&str, Vec<&PastAllocation>> = BTreeMap::new();
    for past in history {
        let call = past.record.call_id.as_ref().expect("every call has an id");
        by_call.entry(call.as_str()).or_default().push(past);
    }
    let end = |past: &PastAllocation| past.ended.map_or(past.record.reserved_until, |end| end.at);
    let twice = by_call
        .into_iter()
        .filter(|(_, uses)| uses.windows(2).any(|pair| end(pair[0]) > pair[1].record.at));
    twice
        .map(|(call, uses)| format!("call {call} has two live reservations: {uses:?}"))
        .collect()
}

fn agents_over_their_limit(history: &[PastAllocation]) -> Vec<String> {
    let limit = AgentLimit::per_minute(AGENT_LIMIT);
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
