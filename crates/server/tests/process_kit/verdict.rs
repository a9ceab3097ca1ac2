//! What the data on disk says about what was told.

use std::path::Path;
use std::sync::Arc;

use caller_id_core::store::PastAllocation;
use caller_id_core::{HistoryStore, SystemClock, Timestamp};
use caller_id_store::{SqliteOptions, SqliteStore};
use caller_id_testkit::invariants::violations;
use caller_id_testkit::told::evidence::{
    ById, acknowledged, agents_over_their_limit, call_of, calls_with_two, not_ended, unheard_of,
};

use crate::inventory::{AGENT_LIMIT, rules};
use crate::load::Told;

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
    let handed = told
        .handed
        .iter()
        .map(|handed| (handed.id, handed.repeated));
    let heard = told.handed.iter().map(|handed| handed.id).collect();
    let mut found = violations(history, &acknowledged(handed), rules);
    found.extend(different(&by_id, told));
    found.extend(not_ended(&by_id, &told.ended));
    found.extend(unheard_of(history, &heard, &told.unknown));
    found.extend(calls_with_two(history));
    found.extend(agents_over_their_limit(history, AGENT_LIMIT));
    found
}

/// Each answer, also a repeated one, gave what is recorded for its call.
fn different(by_id: &ById<'_>, told: &Told) -> Vec<String> {
    let told = told.handed.iter().filter_map(|handed| {
        let past = by_id.get(&handed.id)?;
        let record = &past.record;
        let same = (record.number, call_of(past)) == (handed.number, &handed.call);
        (!same).then(|| format!("{handed:?} is in history as {record:?}"))
    });
    told.collect()
}
