//! The parts of history: made ahead, dropped whole, never in a writer's way.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use caller_id_core::{CallEnd, HistoryStore, Journal, ManualClock, StoreError};
use caller_id_testkit::builders::START;
use caller_id_testkit::store_suite::records::{allocated, at, ended, own, record};
use sqlx_core::connection::Connection;
use sqlx_core::raw_sql::raw_sql;
use sqlx_postgres::PgConnection;

use super::log::Log;
use super::{Database, past};

const WEEK_MS: i64 = 7 * 24 * 3_600_000;
const PARTS: &str =
    "SELECT count(*) FROM pg_class WHERE relname ~ '^allocations_[0-9]+$' AND relkind = 'r'";

#[tokio::test]
async fn a_batch_over_several_weeks_finds_its_parts_made() {
    let database = Database::new();
    let store = database.open().await.unwrap();
    let records: Vec<_> = (-2..6)
        .map(|week| record(week * WEEK_MS, 1, own(1)))
        .collect();
    store
        .commit(records.iter().map(allocated).collect())
        .await
        .unwrap();
    assert_eq!(past(&store).await, records);
    let last = store.last_uses().await.unwrap();
    assert_eq!(last, [(own(1), at(5 * WEEK_MS))]);
}

#[tokio::test]
async fn weeks_that_are_past_are_dropped_whole() {
    let database = Database::new();
    let store = database.open().await.unwrap();
    let records: Vec<_> = (0..30)
        .map(|n| record((n % 3 - 3) * WEEK_MS, n as u64, own(1)))
        .collect();
    store
        .commit(records.iter().map(allocated).collect())
        .await
        .unwrap();
    let before: i64 = database.psql(PARTS).parse().unwrap();
    assert_eq!(store.prune(at(-WEEK_MS), 500).await.unwrap(), 20);
    let after: i64 = database.psql(PARTS).parse().unwrap();
    assert_eq!((past(&store).await.len(), before - after), (10, 2));
    // A late row of a dropped week is no reason to fail.
    store
        .commit(vec![allocated(&record(-3 * WEEK_MS, 7, own(2)))])
        .await
        .unwrap();
    assert_eq!(past(&store).await.len(), 11);
}

#[tokio::test]
async fn who_prunes_beside_a_long_reader_keeps_no_writer_waiting() {
    let database = Database::new();
    let store = database.open().await.unwrap();
    let wait = Duration::from_millis(500);
    let pruner = database
        .open_with(|options| options.wait = wait)
        .await
        .unwrap();
    let old = record(-3 * WEEK_MS, 1, own(1));
    store.commit(vec![allocated(&old)]).await.unwrap();

    let mut reader = PgConnection::connect(&database.url()).await.unwrap();
    let read = "BEGIN; SELECT count(*) FROM caller_id.allocations";
    raw_sql(read).execute(&mut reader).await.unwrap();
    let (pruned, ()) = tokio::join!(pruner.prune(at(0), 500), async {
        for n in 0..100 {
            let one = record(n, n as u64, own(1));
            store.commit(vec![allocated(&one)]).await.unwrap();
        }
    });
    assert!(matches!(pruned, Err(StoreError::Busy(_))), "{pruned:?}");

    raw_sql("COMMIT").execute(&mut reader).await.unwrap();
    // What was half done is ended; the one who was given up may still be about it.
    let ending = async {
        while store.prune(at(0), 500).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ending)
        .await
        .unwrap();
    assert_eq!(past(&store).await.len(), 100);
    let left = format!("{PARTS} AND relname < 'allocations_2026'");
    assert_eq!(database.psql(&left), "0");
}

#[tokio::test]
async fn commits_end_while_a_part_waits_to_be_taken_off() {
    let database = Database::new();
    let wait = Duration::from_secs(60);
    let store = database
        .open_with(|options| options.wait = wait)
        .await
        .unwrap();
    let old: Vec<_> = (0..500).map(|n| record(-3 * WEEK_MS, n, own(1))).collect();
    store
        .commit(old.iter().map(allocated).collect())
        .await
        .unwrap();
    let mut reader = PgConnection::connect(&database.url()).await.unwrap();
    let read = "BEGIN; SELECT count(*) FROM caller_id.allocations";
    raw_sql(read).execute(&mut reader).await.unwrap();

    let pruner = Arc::clone(&store);
    let pruning = tokio::spawn(async move { pruner.prune(at(0), usize::MAX).await });
    let waits = "SELECT count(*) FROM pg_stat_activity
        WHERE query LIKE 'ALTER TABLE%DETACH%' AND wait_event_type = 'Lock'";
    while database.psql(waits) == "0" {
        assert!(!pruning.is_finished(), "{:?}", pruning.await);
        tokio::task::yield_now().await;
    }
    for n in 0..100 {
        let one = record(n, n as u64, own(1));
        store.commit(vec![allocated(&one)]).await.unwrap();
        store
            .commit(vec![ended(&one, n + 1, CallEnd::Answer)])
            .await
            .unwrap();
    }
    // A week that has no part yet is no reason to wait either.
    let later = record(10 * WEEK_MS, 1, own(1));
    store.commit(vec![allocated(&later)]).await.unwrap();
    assert!(!pruning.is_finished());
    raw_sql("COMMIT").execute(&mut reader).await.unwrap();
    assert_eq!(pruning.await.unwrap().unwrap(), 500);
    assert_eq!(past(&store).await.len(), 101);
}

#[tokio::test]
async fn last_uses_of_many_numbers_over_weeks_with_few_and_many_rows_are_the_latest() {
    let database = Database::new();
    let store = database.open().await.unwrap();
    let number = |n: u64| own(n % 5_000);
    // The weeks that are past have few rows, the newest has many, and some numbers were used long ago alone.
    let mut records: Vec<_> = (0..5_000)
        .map(|n| record(-3 * WEEK_MS + n, n as u64, number(n as u64)))
        .collect();
    records.extend((0..300).map(|n| record(-WEEK_MS + n, n as u64, number(n as u64 * 3))));
    records.extend((0..9_000).map(|n| record(n, n as u64, number(n as u64 % 4_500))));
    for chunk in records.chunks(4_096) {
        store
            .commit(chunk.iter().map(allocated).collect())
            .await
            .unwrap();
    }
    let latest: BTreeMap<_, _> = records.iter().map(|one| (one.number, one.at)).collect();
    let found = store.last_uses().await.unwrap();
    assert_eq!(found.len(), 5_000);
    assert_eq!(found.into_iter().collect::<BTreeMap<_, _>>(), latest);
    assert_eq!(past(&store).await, records);
}

#[tokio::test]
async fn while_tables_are_blocked_one_tries_to_make_the_next_part_and_again_after_a_minute() {
    const FAILED: &str = "could not be made ahead";
    let (log, _listens) = Log::listen();
    let database = Database::new();
    let clock = Arc::new(ManualClock::at(START));
    let store = database.open_with(|options| options.clock = clock.clone());
    let store = store.await.unwrap();
    let mut holder = PgConnection::connect(&database.url()).await.unwrap();
    let block = "SELECT pg_advisory_lock(4409668)";
    raw_sql(block).execute(&mut holder).await.unwrap();
    let commit = async |n: i64| {
        // The part of this week is there, that of the week after it is not.
        let one = record(WEEK_MS + n, n as u64, own(1));
        store.commit(vec![allocated(&one)]).await.unwrap();
    };

    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE '%advisory_xact_lock%' AND wait_event_type = 'Lock'";
    commit(0).await;
    while database.psql(waiting) == "0" {
        tokio::task::yield_now().await;
    }
    for n in 1..50 {
        commit(n).await;
    }
    assert_eq!(database.psql(waiting), "1");
    log.until(FAILED).await;
    // The server gives up a little later than we do.
    while database.psql(waiting) != "0" {
        tokio::task::yield_now().await;
    }
    for n in 50..100 {
        commit(n).await;
    }
    assert_eq!(database.psql(waiting), "0");

    holder.close().await.unwrap();
    let before = database.psql(PARTS);
    clock.advance_ms(60_000);
    commit(100).await;
    while database.psql(PARTS) == before {
        tokio::task::yield_now().await;
    }
    assert_eq!(log.count(FAILED), 1);
}
