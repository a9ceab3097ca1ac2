//! Several who use one data set: servers, imports, older programs.

use caller_id_core::store::{Fields, OnDuplicate, Revision, Written};
use caller_id_core::{CallEnd, HistoryStore, InventoryStore, Journal, Number, StoreError};
use caller_id_store::SqliteStore;
use caller_id_testkit::builders::somebody;
use caller_id_testkit::store_suite::records::{allocated, full_report, own, record, reported};
use rusqlite::Connection;

use super::{Folder, ids, meddle, options};

fn error_of<T>(result: Result<T, StoreError>) -> StoreError {
    result.err().expect("an error was expected")
}

#[tokio::test]
async fn two_servers_never_share_a_data_set() {
    let folder = Folder::new();
    let first = folder.open();
    let refused = error_of(SqliteStore::open(&folder.main(), options())).to_string();
    assert!(
        refused.contains("another caller-id serve uses"),
        "{refused}"
    );
    assert!(refused.contains("caller-id.db"), "{refused}");
    first.close().await;
    folder.open();
}

#[tokio::test]
async fn who_reads_alone_sees_the_journal_keeps_servers_out_and_changes_nothing() {
    let folder = Folder::new();
    let refused = error_of(SqliteStore::open_to_read(&folder.main(), options()));
    assert!(matches!(refused, StoreError::Missing(_)), "{refused}");
    assert!(!folder.main().exists());
    let server = folder.open();
    let refused = error_of(SqliteStore::open_to_read(&folder.main(), options()));
    assert!(matches!(refused, StoreError::Busy(_)), "{refused}");
    let held = folder.hold_main();
    let records = [record(1, 1, own(1)), record(2, 2, own(2))];
    let events = records.iter().map(allocated).collect();
    server.commit(events).await.unwrap();
    server.close().await;
    drop(held);
    let reader = SqliteStore::open_to_read(&folder.main(), options()).unwrap();
    assert_eq!(ids(&reader).await, records.map(|record| record.id));
    let refused = error_of(SqliteStore::open(&folder.main(), options()));
    assert!(matches!(refused, StoreError::Busy(_)), "{refused}");
    assert!(reader.commit(Vec::new()).await.is_err());
    reader.close().await;
    let kept: i64 = Connection::open(folder.journal())
        .unwrap()
        .query_row("SELECT count(*) FROM journal", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 1, "what is in the journal stays in it");
    folder.open();
}

#[cfg(unix)]
#[tokio::test]
async fn a_second_name_of_the_file_is_no_way_round_the_lock() {
    let folder = Folder::new();
    let _first = folder.open();
    std::os::unix::fs::symlink(folder.main(), folder.file("other.db")).unwrap();
    let refused = error_of(SqliteStore::open(&folder.file("other.db"), options()));
    assert!(matches!(refused, StoreError::Busy(_)), "{refused}");
}

#[tokio::test]
async fn a_server_sees_what_was_written_beside_it() {
    let folder = Folder::new();
    let server = folder.open();
    let before = server.changes(Revision(0), None, 10).await.unwrap().upto;
    let beside = SqliteStore::open_beside(&folder.main(), options()).unwrap();
    let rows = vec![Number::new(own(1)), Number::new(own(2))];
    let written = beside
        .write_numbers(rows.clone(), OnDuplicate::Fail, &somebody())
        .await;
    assert_eq!(written.unwrap(), [Written::Added; 2]);
    let changes = server.changes(before, None, 10).await.unwrap();
    assert_eq!(changes.numbers, rows);
}

#[tokio::test]
async fn who_is_beside_a_server_reads_all_history_and_commits_nothing() {
    let folder = Folder::new();
    let server = folder.open();
    let event = |ms| allocated(&record(ms, 1, own(1)));
    server.commit(vec![event(1)]).await.unwrap();
    server.settle().await.unwrap();
    server.commit(vec![event(2)]).await.unwrap();
    let beside = SqliteStore::open_beside(&folder.main(), options()).unwrap();
    assert_eq!(ids(&beside).await, ids(&server).await);
    let refused = error_of(beside.commit(vec![event(3)]).await);
    assert!(matches!(refused, StoreError::Closed));
    assert!(matches!(beside.settle().await, Err(StoreError::Closed)));
}

#[tokio::test]
async fn a_data_set_without_a_journal_is_read_beside() {
    let folder = Folder::new();
    let beside = SqliteStore::open_beside(&folder.main(), options()).unwrap();
    assert_eq!(ids(&beside).await, []);
    assert!(!folder.journal().exists());
}

#[tokio::test]
async fn many_may_open_a_new_data_set_at_once() {
    let folder = Folder::new();
    let open = || {
        let path = folder.main();
        let patient = caller_id_store::SqliteOptions {
            wait: std::time::Duration::from_secs(30),
            ..options()
        };
        move || SqliteStore::open_beside(&path, patient).map(drop)
    };
    let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(open())).collect();
    for thread in threads {
        thread.join().unwrap().unwrap();
    }
    let pools = folder.open().pools().await.unwrap();
    assert_eq!(pools.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_and_an_import_write_side_by_side() {
    let folder = Folder::new();
    let patient = || caller_id_store::SqliteOptions {
        wait: std::time::Duration::from_secs(30),
        ..options()
    };
    let server = SqliteStore::open(&folder.main(), patient()).unwrap();
    let import = SqliteStore::open_beside(&folder.main(), patient()).unwrap();
    let write = async |store: &SqliteStore, first: u64| {
        for n in first..first + 50 {
            let rows = vec![Number::new(own(n)), Number::new(own(n + 1))];
            store
                .write_numbers(rows, OnDuplicate::Skip, &somebody())
                .await
                .unwrap();
        }
    };
    let dial = async {
        for ms in 0..200 {
            let event = allocated(&record(ms, 1, own(1)));
            server.commit(vec![event]).await.unwrap();
        }
    };
    tokio::join!(write(&server, 0), write(&import, 40), dial);
    assert_eq!(server.count_numbers().await.unwrap(), 91);
    server.settle().await.unwrap();
    assert_eq!(ids(&server).await.len(), 200);
}

#[tokio::test]
async fn a_newer_schema_is_refused_in_one_clear_line() {
    let folder = Folder::new();
    drop(folder.open());
    for path in [folder.journal(), folder.main()] {
        meddle(&path, "PRAGMA user_version = 9");
        let refused = error_of(SqliteStore::open(&folder.main(), options()));
        assert!(matches!(refused, StoreError::Unreadable(_)));
        let text = refused.to_string();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(text.contains(name) && text.contains("version 9"), "{text}");
        assert!(!text.contains('\n'), "{text}");
    }
    let refused = error_of(SqliteStore::open_beside(&folder.main(), options()));
    assert!(matches!(refused, StoreError::Unreadable(_)));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = Folder::new();
    std::fs::write(folder.main(), "number,carrier\n".repeat(500)).unwrap();
    let refused = error_of(SqliteStore::open(&folder.main(), options()));
    assert!(matches!(refused, StoreError::Unreadable(_)), "{refused}");
}

#[tokio::test]
async fn a_damaged_journal_is_told_by_its_own_name() {
    let folder = Folder::new();
    drop(folder.open());
    let journal = folder.main().with_extension("journal.db");
    assert!(journal.exists());
    std::fs::write(&journal, "no journal\n".repeat(500)).unwrap();
    let refused = error_of(SqliteStore::open(&folder.main(), options())).to_string();
    assert!(refused.contains(".journal.db`: "), "{refused}");
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_not_touched() {
    for foreign in [
        "CREATE TABLE songs (title TEXT)",
        "CREATE TABLE allocations (title TEXT)",
        "PRAGMA application_id = 7; CREATE TABLE allocations (x TEXT); PRAGMA user_version = 1",
    ] {
        let folder = Folder::new();
        let other = rusqlite::Connection::open(folder.main()).unwrap();
        other.execute_batch(foreign).unwrap();
        drop(other);
        let before = std::fs::read(folder.main()).unwrap();
        for opened in [
            SqliteStore::open(&folder.main(), options()),
            SqliteStore::open_beside(&folder.main(), options()),
        ] {
            let refused = error_of(opened).to_string();
            assert!(refused.contains("of another program"), "{refused}");
        }
        assert_eq!(std::fs::read(folder.main()).unwrap(), before);
    }
}

#[tokio::test]
async fn a_file_from_before_the_mark_is_taken_and_marked() {
    let folder = Folder::new();
    let main = rusqlite::Connection::open(folder.main()).unwrap();
    main.execute_batch(include_str!(
        "../../migrations/sqlite/0001_inventory_and_history.sql"
    ))
    .unwrap();
    main.execute_batch("PRAGMA user_version = 1").unwrap();
    let id = |connection: &rusqlite::Connection| -> i64 {
        let read = connection.pragma_query_value(None, "application_id", |row| row.get(0));
        read.unwrap()
    };
    assert_eq!(id(&main), 0);
    let store = folder.open();
    assert_eq!(id(&main), 0x4349_4401);
    let a = record(1, 1, own(1));
    let said = reported(&a, 2, full_report(CallEnd::Busy));
    store.commit(vec![allocated(&a), said]).await.unwrap();
    store.settle().await.unwrap();
    let page = store.allocations_page(a.id, 1).await.unwrap();
    assert_eq!(page[0].status(), CallEnd::Busy);
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let folder = Folder::new();
    let store = folder.open();
    store.close().await;
    assert!(matches!(store.pools().await, Err(StoreError::Closed)));
    assert!(matches!(store.probe().await, Err(StoreError::Closed)));
    assert!(matches!(store.settle().await, Err(StoreError::Closed)));
    store.close().await;
}

#[tokio::test]
async fn a_clean_end_leaves_empty_logs() {
    let folder = Folder::new();
    let store = folder.open();
    store
        .commit(vec![allocated(&record(1, 1, own(1)))])
        .await
        .unwrap();
    store.close().await;
    for name in ["caller-id.db-wal", "caller-id.journal.db-wal"] {
        let bytes = folder.file(name).metadata().map_or(0, |log| log.len());
        assert_eq!(bytes, 0, "{name}");
    }
}

#[tokio::test]
async fn rows_keep_when_they_were_made_and_when_changed() {
    let folder = Folder::new();
    let clock = std::sync::Arc::new(caller_id_core::ManualClock::default());
    let store = folder.open_with(|options| options.clock = clock.clone());
    for limit in [1, 2, 2] {
        clock.advance_ms(10);
        let row = Number {
            limits: caller_id_core::Limits::new(limit, 0),
            ..Number::new(own(1))
        };
        store
            .write_numbers(vec![row], OnDuplicate::Update(Fields::ALL), &somebody())
            .await
            .unwrap();
    }
    let times: (i64, i64) = Connection::open(folder.main())
        .unwrap()
        .query_row("SELECT created_at, updated_at FROM numbers", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(times, (10, 20));
}
