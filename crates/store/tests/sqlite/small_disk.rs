//! A disk that is really full, where this process may mount one.

use std::fs::File;
use std::io::Write;

use caller_id_core::{HistoryStore, Journal};
use caller_id_testkit::small_disk::SmallDisk;
use caller_id_testkit::store_suite::records::{allocated, full_record, own, record};

use super::{Folder, ids};

/// Fills the disk but for so many bytes.
fn fill(folder: &Folder, left: u64) {
    let mut filler = File::create(folder.file("filler")).unwrap();
    let lot = [1; 4_096];
    while filler.write_all(&lot).is_ok() {}
    let full = filler.metadata().unwrap().len();
    filler.set_len(full - left).unwrap();
}

#[tokio::test]
async fn a_commit_that_finds_the_disk_full_makes_room_and_is_made() {
    let folder = Folder::new();
    let Some(_disk) = SmallDisk::mount_on(folder.0.path(), 16) else {
        return;
    };
    let open = || folder.open_with(|options| options.log_bytes_most = 1 << 40);
    // The journal's file was larger once: what its log has fits into it. Only the log grows.
    let store = open();
    for n in 0..200 {
        let batch = (0..10).map(|i| full_record(n, n as u64 * 10 + i, own(i)));
        let batch: Vec<_> = batch.map(|record| allocated(&record)).collect();
        store.commit(batch).await.unwrap();
    }
    store.settle().await.unwrap();
    store.close().await;
    drop(store);

    let store = open();
    let held = folder.hold_main();
    fill(&folder, 512 << 10);
    for n in 0..400 {
        let one = allocated(&record(1_000 + n, 10_000 + n as u64, own(1)));
        let committed = store.commit(vec![one]).await;
        committed.unwrap_or_else(|error| panic!("commit {n}: {error}"));
    }
    std::fs::remove_file(folder.file("filler")).unwrap();
    drop(held);
    store.settle().await.unwrap();
    assert_eq!(ids(&store).await.len(), 2_400);
}
