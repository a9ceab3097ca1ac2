//! Crashes between two steps, full disks, logs cut off.

use std::path::Path;
use std::sync::Arc;

use caller_id_core::store::OnDuplicate;
use caller_id_core::{
    AllocationRecord, CallEnd, HistoryStore, InventoryStore, Journal, JournalEvent, Number,
    StoreError,
};
use caller_id_store::{SqliteOptions, SqliteStore};
use caller_id_testkit::builders::somebody;
#[cfg(target_os = "linux")]
use caller_id_testkit::small_disk::SmallDisk;
use caller_id_testkit::store_suite::records::{allocated, ended, full_record, own, record};
use rusqlite::Connection;

use super::{Folder, ids, meddle, options, past, until};

fn batch(n: u64) -> Vec<AllocationRecord> {
    (0..10)
        .map(|i| full_record(n as i64, n * 10 + i, own(i)))
        .collect()
}

fn events(n: u64) -> Vec<JournalEvent> {
    batch(n).iter().map(allocated).collect()
}

#[tokio::test]
async fn a_crash_between_moving_and_deleting_doubles_nothing() {
    let folder = Folder::new();
    let store = folder.open();
    let held = folder.hold_main();
    store.commit(events(1)).await.unwrap();
    let end = ended(&batch(1)[0], 50, CallEnd::Busy);
    store.commit(vec![end]).await.unwrap();
    store.close().await;
    drop((store, held));
    // The journal as it is when everything is moved and nothing is deleted yet.
    std::fs::copy(folder.journal(), folder.file("kept")).unwrap();
    let store = folder.open();
    store.settle().await.unwrap();
    let moved = past(&store).await.unwrap();
    assert_eq!(moved.len(), 10);
    assert!(moved[0].ended.is_some());
    store.close().await;
    drop(store);
    std::fs::copy(folder.file("kept"), folder.journal()).unwrap();

    let store = folder.open();
    assert_eq!(store.backlog(), 0);
    assert_eq!(past(&store).await.unwrap(), moved);
    store.commit(events(2)).await.unwrap();
    store.settle().await.unwrap();
    assert_eq!(ids(&store).await.len(), 20);
}

#[cfg(unix)]
#[tokio::test]
async fn a_store_whose_files_were_taken_away_is_not_well() {
    for takes_journal in [true, false] {
        let folder = Folder::new();
        let store = folder.open();
        store.probe().await.unwrap();
        let taken = match takes_journal {
            true => folder.journal(),
            false => folder.main(),
        };
        std::fs::rename(&taken, folder.file("taken")).unwrap();
        let gone = store.probe().await.unwrap_err().to_string();
        assert!(gone.contains("the file in use is gone"), "{gone}");
        std::fs::write(&taken, "something else").unwrap();
        let replaced = store.probe().await.unwrap_err().to_string();
        assert!(replaced.contains("was replaced"), "{replaced}");
        std::fs::rename(folder.file("taken"), &taken).unwrap();
        store.probe().await.unwrap();
    }
}

#[tokio::test]
async fn nothing_begins_anew_beside_the_journal_of_a_file_that_is_gone() {
    type Open = fn(&Path, SqliteOptions) -> Result<Arc<SqliteStore>, StoreError>;
    let ways: [Open; 3] = [
        SqliteStore::open,
        SqliteStore::open_beside,
        SqliteStore::open_to_read,
    ];
    let folder = Folder::new();
    let store = folder.open();
    store.commit(events(1)).await.unwrap();
    store.close().await;
    let kept = std::fs::read(folder.main()).unwrap();
    let refused = |how: &str| {
        for open in ways {
            let refused = open(&folder.main(), options()).err().unwrap();
            assert!(
                matches!(refused, StoreError::Missing(_)),
                "{how}: {refused}"
            );
            let refused = refused.to_string();
            for part in [
                "/caller-id.db`",
                "/caller-id.journal.db`",
                "caller-id restore",
            ] {
                assert!(refused.contains(part), "{how}: {refused}");
            }
        }
    };
    std::fs::remove_file(folder.main()).unwrap();
    refused("it is gone");
    assert!(!folder.main().exists(), "nothing was made");
    std::fs::write(folder.main(), "").unwrap();
    refused("it is empty");
    let blank = Connection::open(folder.main()).unwrap();
    blank.pragma_update(None, "journal_mode", "WAL").unwrap();
    drop(blank);
    refused("it has no tables");
    std::fs::write(folder.main(), kept).unwrap();
    let store = folder.open();
    assert_eq!(past(&store).await.unwrap().len(), events(1).len());
    store.close().await;
    // Who wants to begin anew takes the journal away.
    std::fs::remove_file(folder.main()).unwrap();
    std::fs::remove_file(folder.journal()).unwrap();
    folder.open().close().await;
}

#[tokio::test]
async fn batches_moved_a_second_time_change_nothing() {
    let folder = Folder::new();
    let store = folder.open();
    let held = folder.hold_main();
    store.commit(events(1)).await.unwrap();
    store
        .commit(vec![ended(&batch(1)[3], 50, CallEnd::Busy)])
        .await
        .unwrap();
    store.close().await;
    drop((store, held));
    std::fs::copy(folder.journal(), folder.file("kept")).unwrap();
    let store = folder.open();
    store.settle().await.unwrap();
    let moved = past(&store).await.unwrap();
    drop(store);
    // The mark is lost, as if an older copy of it had been put back.
    std::fs::copy(folder.file("kept"), folder.journal()).unwrap();
    meddle(
        &folder.main(),
        "UPDATE meta SET value = 0 WHERE key = 'applied_seq'",
    );
    let store = folder.open();
    assert_eq!(store.backlog(), 11);
    assert_eq!(past(&store).await.unwrap(), moved);
    store.settle().await.unwrap();
    assert_eq!(past(&store).await.unwrap(), moved);
}

#[tokio::test]
async fn a_journal_that_ends_before_the_mark_hides_no_new_batch() {
    let folder = Folder::new();
    drop(folder.open());
    meddle(
        &folder.main(),
        "UPDATE meta SET value = 1000 WHERE key = 'applied_seq'",
    );
    let store = folder.open();
    store.commit(events(1)).await.unwrap();
    assert_eq!(ids(&store).await.len(), 10);
    store.settle().await.unwrap();
    assert_eq!(ids(&store).await.len(), 10);
}

#[tokio::test]
async fn a_log_cut_off_anywhere_holds_whole_batches_only() {
    let folder = Folder::new();
    let store = folder.open();
    let held = folder.hold_main();
    for n in 0..12 {
        store.commit(events(n)).await.unwrap();
    }
    let log = std::fs::read(folder.file("caller-id.journal.db-wal")).unwrap();
    let journal = std::fs::read(folder.journal()).unwrap();
    drop((store, held));
    let mut seen = Vec::new();
    for part in 0..=24 {
        let torn = Folder::new();
        std::fs::copy(folder.main(), torn.main()).unwrap();
        std::fs::write(torn.journal(), &journal).unwrap();
        let cut = log.len() * part / 24;
        std::fs::write(torn.file("caller-id.journal.db-wal"), &log[..cut]).unwrap();
        let store = torn.open();
        let count = ids(&store).await.len();
        assert_eq!(count % 10, 0, "half a batch at {cut} bytes");
        store.commit(events(100)).await.unwrap();
        assert_eq!(ids(&store).await.len(), count + 10);
        seen.push(count);
    }
    assert!(seen.is_sorted());
    assert_eq!((seen[0], seen[24]), (0, 120));
}

#[tokio::test]
async fn a_full_journal_refuses_a_batch_whole_and_takes_the_next_when_there_is_room() {
    let folder = Folder::new();
    let store = folder.open_with(|options| options.journal_bytes_most = Some(160 << 10));
    let held = folder.hold_main();
    let mut recorded = Vec::new();
    let mut n = 0;
    let refused = loop {
        match store.commit(events(n)).await {
            Ok(()) => recorded.extend(batch(n).iter().map(|record| record.id)),
            Err(error) => break error,
        }
        n += 1;
    };
    assert!(matches!(refused, StoreError::Full(_)), "{refused}");
    assert!(refused.to_string().contains("caller-id.journal.db"));
    assert!(n > 10);
    assert!(matches!(
        store.probe().await,
        Err(StoreError::Full(_)) | Ok(())
    ));
    assert_eq!(ids(&store).await, recorded);

    drop(held);
    store.settle().await.unwrap();
    // Rows that were moved are deleted a moment later, by the thread that commits.
    until(async || store.commit(events(n + 1)).await.is_ok()).await;
    recorded.extend(batch(n + 1).iter().map(|record| record.id));
    assert_eq!(ids(&store).await, recorded);
}

#[tokio::test]
async fn a_full_backlog_refuses_until_it_is_moved() {
    let folder = Folder::new();
    let store = folder.open_with(|options| options.backlog_most = 25);
    let held = folder.hold_main();
    store.commit(events(1)).await.unwrap();
    store.commit(events(2)).await.unwrap();
    let refused = store.commit(events(3)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Full(_)));
    let text = refused.to_string();
    assert!(
        text.contains("20 events wait") && text.contains("at most 25"),
        "{text}"
    );
    assert_eq!(store.backlog(), 20);
    drop(held);
    store.settle().await.unwrap();
    store.commit(events(3)).await.unwrap();
    assert_eq!(ids(&store).await.len(), 30);
}

#[tokio::test]
async fn who_holds_the_main_file_stops_no_commit_and_no_read() {
    let folder = Folder::new();
    let store = folder.open();
    let held = folder.hold_main();
    for n in 0..20 {
        store.commit(events(n)).await.unwrap();
    }
    assert_eq!(ids(&store).await.len(), 200);
    let refused = store.settle().await.unwrap_err();
    assert!(matches!(refused, StoreError::Busy(_)), "{refused}");
    drop(held);
    store.settle().await.unwrap();
    assert_eq!(ids(&store).await.len(), 200);
}

#[tokio::test]
async fn the_journals_log_stays_within_its_bound() {
    let folder = Folder::new();
    let store = folder.open_with(|options| options.log_bytes_most = 512 << 10);
    for n in 0..3_000 {
        store.commit(events(n)).await.unwrap();
    }
    let log = folder.file("caller-id.journal.db-wal");
    let bytes = log.metadata().unwrap().len();
    // About 35 MB were written to it.
    assert!(bytes < 3 << 20, "{bytes} bytes");
}

/// By itself it would grow to four megabytes, for a file of a fraction of that, and fill the disk.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn on_a_disk_that_is_soon_full_the_main_files_log_stays_short_too() {
    let folder = Folder::new();
    let Some(_disk) = SmallDisk::mount_on(folder.0.path(), 8) else {
        return;
    };
    let store = folder.open();
    let log = folder.file("caller-id.db-wal");
    for n in 0..200 {
        store.commit(events(n)).await.unwrap();
        store.settle().await.unwrap();
        let bytes = log.metadata().unwrap().len();
        assert!(bytes < 512 << 10, "{bytes} bytes after {n} moves");
    }
    assert_eq!(ids(&store).await.len(), 2_000);
}

#[tokio::test]
async fn a_batch_nobody_can_read_stops_the_start() {
    let folder = Folder::new();
    drop(folder.open());
    meddle(&folder.journal(), "INSERT INTO journal VALUES (7, x'0901')");
    let refused = caller_id_store::SqliteStore::open(&folder.main(), super::options());
    match refused {
        Err(StoreError::Unreadable(text)) => {
            assert!(text.contains("version 9"), "{text}");
            let place = "caller-id.journal.db`: batch 7 of the journal: ";
            assert!(text.contains(place), "{text}");
        }
        other => panic!("expected an unreadable batch, got {:?}", other.err()),
    }
}

/// Moves the log of a file into it, then writes nonsense over all its pages but the first.
fn damage(path: &Path) {
    let stranger = Connection::open(path).unwrap();
    let log = "PRAGMA wal_checkpoint(TRUNCATE)";
    let busy: i64 = stranger.query_row(log, [], |row| row.get(0)).unwrap();
    assert_eq!(busy, 0);
    drop(stranger);
    let mut bytes = std::fs::read(path).unwrap();
    assert!(bytes.len() > 3 * 4_096, "{} bytes", bytes.len());
    bytes[4_096..].fill(0xA5);
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn a_journal_that_is_damaged_while_the_service_runs_is_named() {
    let folder = Folder::new();
    let store = folder.open();
    let held = folder.hold_main();
    for n in 0..50 {
        store.commit(events(n)).await.unwrap();
    }
    damage(&folder.journal());
    let read = past(&store).await.unwrap_err();
    // What was read before the damage cannot be moved; after this, everything is read anew.
    store.settle().await.unwrap_err();
    drop(held);
    let moved = store.settle().await.unwrap_err();
    for error in [read, moved] {
        let text = error.to_string();
        assert!(matches!(error, StoreError::Unreadable(_)), "{text}");
        assert_eq!(text.matches("caller-id.journal.db`").count(), 1, "{text}");
    }
}

#[tokio::test]
async fn a_main_file_that_is_damaged_while_the_service_runs_is_named() {
    let folder = Folder::new();
    let store = folder.open();
    let numbers = (0..500).map(|line| Number::new(own(line))).collect();
    let written = store
        .write_numbers(numbers, OnDuplicate::Fail, &somebody())
        .await;
    assert_eq!(written.unwrap().len(), 500);
    damage(&folder.main());
    let text = store.numbers(None, 10).await.unwrap_err().to_string();
    assert_eq!(text.matches("caller-id.db`").count(), 1, "{text}");
}

#[tokio::test]
async fn moved_batches_are_deleted_from_the_journal() {
    let folder = Folder::new();
    let store = folder.open();
    for n in 0..100 {
        store
            .commit(vec![allocated(&record(n, 1, own(1)))])
            .await
            .unwrap();
    }
    store.settle().await.unwrap();
    let stranger = Connection::open(folder.journal()).unwrap();
    let left = || -> i64 {
        stranger
            .query_row("SELECT count(*) FROM journal", [], |row| row.get(0))
            .unwrap()
    };
    until(async || left() == 0).await;
    assert_eq!(ids(&store).await.len(), 100);
}
