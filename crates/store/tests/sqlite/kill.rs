//! A process that is killed while it commits.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use caller_id_core::{CallEnd, HistoryStore, Journal};
use caller_id_testkit::store_suite::records::{allocated, ended, full_record, own};

use super::{Folder, past};

/// How many allocations a batch has; each is ended in the next batch.
const BATCH: u64 = 7;
/// After how many acknowledged batches the process is killed, round after round.
const KILLED_AFTER: [u64; 8] = [1, 40, 3, 500, 150, 2, 900, 300];

fn record_of(n: u64) -> caller_id_core::AllocationRecord {
    full_record((n / 3) as i64, n, own(n % 100))
}

/// The process that is killed: commits for ever from the batch it is told on, and says which it was told are committed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by the test below, which kills it"]
async fn commits_until_it_is_killed() {
    let mut orders = std::io::stdin().lines();
    let path = orders.next().unwrap().unwrap();
    let first: u64 = orders.next().unwrap().unwrap().parse().unwrap();
    let store = caller_id_store::SqliteStore::open(path.as_ref(), super::options()).unwrap();
    for batch in first.. {
        let made = (batch * BATCH..(batch + 1) * BATCH).map(|n| allocated(&record_of(n)));
        let before = (batch.saturating_sub(1) * BATCH..batch * BATCH)
            .map(|n| ended(&record_of(n), 900_000, CallEnd::Answer));
        store.commit(made.chain(before).collect()).await.unwrap();
        println!("committed {batch}");
        if batch % 100 == 99 {
            store.settle().await.unwrap();
        }
    }
}

fn start(folder: &Folder, first: u64) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "kill::commits_until_it_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut orders = child.stdin.take().unwrap();
    writeln!(orders, "{}\n{first}", folder.main().display()).unwrap();
    child
}

/// Kills it after so many batches; gives the last one it said was committed.
fn run_and_kill(folder: &Folder, first: u64, batches: u64) -> u64 {
    let mut child = start(folder, first);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = lines
        .map_while(Result::ok)
        // The test runner's own words may stand before ours in the line.
        .filter_map(|line| line.rsplit_once("committed ")?.1.parse::<u64>().ok());
    let acknowledged = said.by_ref().find(|batch| *batch >= first + batches - 1);
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said before it died counts, too.
    said.last().or(acknowledged).expect("it committed")
}

#[tokio::test]
async fn a_kill_at_any_instant_loses_no_committed_batch_and_doubles_none() {
    let folder = Folder::new();
    let mut first = 0;
    for batches in KILLED_AFTER {
        let acknowledged = run_and_kill(&folder, first, batches);
        let store = folder.open();
        let past = past(&store).await.unwrap();
        let distinct: HashSet<_> = past.iter().map(|past| past.record.id).collect();
        assert_eq!(distinct.len(), past.len(), "an allocation is doubled");
        assert_eq!(past.len() as u64 % BATCH, 0, "a batch is there in part");
        let there = past.len() as u64 / BATCH;
        assert!(
            there > acknowledged,
            "batch {acknowledged} is lost, {there} are there"
        );
        for (n, past) in (0..).zip(&past) {
            assert_eq!(past.record, record_of(n));
            let last_batch = n / BATCH == there - 1;
            assert_eq!(past.ended.is_some(), !last_batch, "end of allocation {n}");
        }
        if batches % 2 == 0 {
            store.settle().await.unwrap();
        }
        store.close().await;
        first = there;
    }
}
