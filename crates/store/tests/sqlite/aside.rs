//! Work on many numbers while calls are made: it makes way for them, and is done all the same.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use caller_id_core::listing::{NumberChange, NumberFilter, NumberPatch};
use caller_id_core::store::{OnDuplicate, Revision, Written};
use caller_id_core::{InventoryStore, Journal, Number, PhoneNumber, Status};
use caller_id_store::{SqliteOptions, SqliteStore};
use caller_id_testkit::builders::somebody;
use caller_id_testkit::store_suite::records::{allocated, own, record};

use super::{Folder, options, until};

/// Numbers of one write; the last write has fewer than would make way.
const BATCH: u64 = 2_000;
const BATCHES: u64 = 3;

fn numbers(batch: u64) -> Vec<Number> {
    let number = |line| PhoneNumber::from_e164_digits(13_125_000_000 + batch * BATCH + line);
    let numbers = (0..BATCH).map(|line| number(line).unwrap());
    numbers.map(Number::new).collect()
}

/// Whether some thread of this process makes way: it is aside (policy 5), or stepped back where it may not go that far.
fn somebody_makes_way() -> bool {
    let Ok(threads) = fs::read_dir("/proc/self/task") else {
        return false;
    };
    threads.flatten().any(|thread| {
        // A thread may have ended meanwhile.
        let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        let Some((name, fields)) = stat.rsplit_once(") ") else {
            return false;
        };
        let fields: Vec<&str> = fields.split(' ').collect();
        name.ends_with("(aside") && (fields[38] == "5" || fields[16] == "10")
    })
}

/// Writes what is there already, again and again, until somebody is seen to make way.
async fn until_it_makes_way(store: &SqliteStore, commits: &SqliteStore) {
    let (seen, stop) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicBool::new(false)),
    );
    let watching = {
        let (seen, stop) = (seen.clone(), stop.clone());
        std::thread::spawn(move || {
            while !stop.load(Ordering::SeqCst) && !seen.load(Ordering::SeqCst) {
                seen.fetch_or(somebody_makes_way(), Ordering::SeqCst);
            }
        })
    };
    let (mut calls, by) = (100, somebody());
    until(async || {
        calls += 1;
        let event = allocated(&record(calls as i64, calls, own(calls)));
        commits.commit(vec![event]).await.unwrap();
        let again = store.write_numbers(numbers(0), OnDuplicate::Skip, &by);
        let written = again.await.unwrap();
        assert!(written.iter().all(|one| *one == Written::Skipped));
        seen.load(Ordering::SeqCst)
    })
    .await;
    stop.store(true, Ordering::SeqCst);
    watching.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_beside_calls_steps_aside_and_writes_the_same() {
    let (folder, by) = (Folder::new(), somebody());
    // On a busy machine the historian may hold the file for long.
    let wait = Duration::from_secs(60);
    let store = folder.open_with(|options| options.wait = wait);
    let patient = SqliteOptions { wait, ..options() };
    let beside = SqliteStore::open_beside(&folder.main(), patient).unwrap();
    assert!(!somebody_makes_way(), "no call was made yet");
    for batch in 0..BATCHES {
        let event = allocated(&record(batch as i64, batch, own(batch)));
        store.commit(vec![event]).await.unwrap();
        let written = store.write_numbers(numbers(batch), OnDuplicate::Skip, &by);
        assert_eq!(written.await.unwrap(), vec![Written::Added; BATCH as usize]);
    }
    let all = (BATCH * BATCHES) as usize;
    let changes = store.changes(Revision(0), None, all + 1).await.unwrap();
    assert_eq!(changes.numbers.len(), all);
    assert_eq!(changes.after, None);
    let none = store.changes(changes.upto, None, all).await.unwrap();
    assert_eq!((none.numbers.len(), none.upto), (0, changes.upto));
    assert_eq!(store.numbers(None, all + 1).await.unwrap().len(), all);
    let pause = NumberChange::Patch(NumberPatch {
        status: Some(Status::Paused),
        ..NumberPatch::default()
    });
    let filter = NumberFilter::default();
    let step = store.change_numbers(&filter, &pause, None, all, &by);
    assert_eq!(step.await.unwrap().changed, all as u64);
    let kept = store.numbers(None, all).await.unwrap();
    assert!(kept.iter().all(|number| number.status == Status::Paused));
    // In the service, and in an import into its database.
    until_it_makes_way(&store, &store).await;
    until_it_makes_way(&beside, &store).await;
}
