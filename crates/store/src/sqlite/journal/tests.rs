//! How the journal's thread and its callers share the one writer, and a disk that is full.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::thread;

use caller_id_core::SystemClock;
use caller_id_testkit::small_disk::SmallDisk;

use super::*;
use crate::sqlite::files::Files;
use crate::sqlite::{SqliteOptions, schema};

/// A writer that is alone with the file: nobody reads it, and nobody else shortens its log.
fn writer(files: &Files) -> JournalWriter {
    let options = SqliteOptions::new(Arc::new(SystemClock::new()));
    let manner = schema::Manner {
        checkpoint_pages: 0,
        ..options.manner()
    };
    files.prepare_journal().unwrap();
    let mut connection = schema::connect(&files.journal, manner).unwrap();
    schema::migrate(&mut connection, &files.journal, schema::JOURNAL).unwrap();
    let (ask, _) = sync_channel(1);
    let log = LogKeeper::new(1 << 40, options.wait, ask, Arc::default());
    JournalWriter::new(connection, Arc::new(Progress::new(0, 0, 0)), log, 0)
}

/// A writer of a journal whose first `moved` batches are in history and not deleted yet.
fn untidy_writer(folder: &Path, moved: i64) -> SharedWriter {
    let mut writer = writer(&Files::prepare(&folder.join("a.db")).unwrap());
    writer
        .connection
        .execute(
            "INSERT INTO journal (seq, events) WITH RECURSIVE batches (seq) AS
             (SELECT 1 UNION ALL SELECT seq + 1 FROM batches WHERE seq < ?1) SELECT seq, x'07' FROM batches",
            [moved],
        )
        .unwrap();
    writer.progress.note_committed(moved, 0);
    writer.progress.note_applied(moved, 0);
    writer.next_seq = moved + 1;
    SharedWriter::new(writer)
}

#[test]
fn a_commit_that_waits_for_the_thread_does_not_wait_until_all_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let writer = untidy_writer(folder.path(), 10_000);
    let (send, commands) = sync_channel(3);
    let (reply, done) = oneshot::channel();
    send.send(Command::Tidy).unwrap();
    send.send(Command::Commit(Batch {
        bytes: vec![7],
        events: 1,
        reply,
    }))
    .unwrap();
    send.send(Command::Stop).unwrap();
    writer.run(&commands);
    done.blocking_recv().unwrap().unwrap();
    let journal = Connection::open(folder.path().join("a.journal.db")).unwrap();
    let (first, last) = bounds(&journal).unwrap();
    assert!(first < 1_000, "all before batch {first} were deleted first");
    assert_eq!(last, 10_001);
}

#[test]
fn commits_of_callers_get_their_turn_while_much_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let writer = untidy_writer(folder.path(), 100_000);
    let (send, commands) = sync_channel(2);
    send.send(Command::Tidy).unwrap();
    let running = writer.clone();
    let tidying = thread::spawn(move || running.run(&commands));
    while writer.with(|writer| writer.deleted) == Some(0) {
        thread::yield_now();
    }
    for _ in 0..20 {
        writer.commit(&[7], 1).0.unwrap();
    }
    let deleted = writer.with(|writer| writer.deleted).unwrap();
    send.send(Command::Stop).unwrap();
    tidying.join().unwrap();
    assert!(deleted < 50_000, "{deleted} were deleted meanwhile");
}

/// On a busy machine the thread may get no time for seconds: here it gets none until it is let go.
#[test]
fn callers_do_not_commit_on_and_on_while_nobody_looks_after_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let writer = untidy_writer(folder.path(), 1);
    let (commands, received) = sync_channel(COMMANDS_MOST);
    for _ in 0..10 {
        let here = (0..).take_while(|_| !writer.is_unlooked());
        let committed = here.map(|_| writer.commit(&[7], 1).0.unwrap()).count();
        assert!(committed <= UNLOOKED_MOST as usize, "{committed}");
        // The next commit waits for the thread, which looks first.
        let (reply, done) = oneshot::channel();
        let bytes = vec![7];
        let events = 1;
        let batch = Batch {
            bytes,
            events,
            reply,
        };
        commands.try_send(Command::Commit(batch)).unwrap();
        commands.try_send(Command::Stop).unwrap();
        writer.serve(&received);
        done.blocking_recv().unwrap().unwrap();
        assert!(!writer.is_unlooked());
    }
}

/// Fills the disk but for so many bytes.
fn fill(folder: &Path, left: u64) {
    let mut filler = File::create(folder.join("filler")).unwrap();
    while filler.write_all(&[1; 4_096]).is_ok() {}
    let full = filler.metadata().unwrap().len();
    filler.set_len(full - left).unwrap();
}

#[test]
fn a_commit_that_finds_the_disk_full_makes_room_and_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_disk) = SmallDisk::mount_on(folder.path(), 4) else {
        return;
    };
    let mut writer = writer(&Files::prepare(&folder.path().join("a.db")).unwrap());
    // The file was larger once, and has room for all that follows: only the log grows.
    writer.commit(&[7; 200 << 10], 1).0.unwrap();
    writer.connection.execute(DELETE, [1]).unwrap();
    writer.make_room().unwrap();
    fill(folder.path(), 512 << 10);
    for n in 0..400 {
        let committed = writer.commit(&[7; 100], 1).0;
        committed.unwrap_or_else(|error| panic!("commit {n}: {error}"));
    }
}

#[test]
fn room_that_comes_back_goes_to_the_file_before_the_log_can_take_it() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_disk) = SmallDisk::mount_on(folder.path(), 4) else {
        return;
    };
    let mut writer = writer(&Files::prepare(&folder.path().join("a.db")).unwrap());
    fill(folder.path(), 512 << 10);
    // All of it goes to the log, and none is left to move that into the file.
    while writer.commit(&[7; 2_000], 1).0.is_ok() {}
    let moved = writer.progress.committed();
    writer.progress.note_applied(moved, 0);
    let filler = File::options()
        .write(true)
        .open(folder.path().join("filler"));
    let filler = filler.unwrap();
    let bytes = filler.metadata().unwrap().len();
    filler.set_len(bytes - (512 << 10)).unwrap();
    // What is in history is deleted: the file has room for all that follows, once the log is in it.
    for n in 0..400 {
        let (committed, due) = writer.commit(&[7; 2_000], 1);
        committed.unwrap_or_else(|error| panic!("commit {n}: {error}"));
        if due {
            writer.look_at_log();
        }
        let last = writer.progress.committed();
        writer.progress.note_applied(last, 0);
        while writer.tidy() {}
    }
}
