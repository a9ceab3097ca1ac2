//! Killed in the middle of it.

use std::fs;
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use caller_id_core::ManualClock;
use caller_id_store::{PostgresOptions, PostgresStore};
use caller_id_testkit::builders::START;

use super::data::{fill, more};
use super::{Postgres, Sqlite, backup, command, restore, run, said, status};

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// How often it is killed.
const ROUNDS: u32 = 6;

/// Kills it at its start, or after it began to write this file; each time a little later.
fn kill_at(mut child: Child, round: u32, file: &Path) {
    while round > 0 && child.try_wait().unwrap().is_none() && !file.exists() {
        std::thread::yield_now();
    }
    // The instant at which it dies is what is random here.
    std::thread::sleep(Duration::from_millis(u64::from(round) * 8));
    kill(child);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_backup_leaves_nothing_that_is_taken_for_one_and_the_next_one_tidies_up() {
    let folder = tempfile::tempdir().unwrap();
    let source = Sqlite::new();
    fill(&source, 1_500).await;
    let (url, to) = (source.url(), folder.path().to_str().unwrap());
    let words = ["backup", "--database-url", url.as_str(), "--to", to];
    let mut drafts = 0;
    let draft = folder.path().join("caller-id.backup.draft");
    for round in 0..ROUNDS {
        // Each is killed after it took the draft for itself.
        let _ = fs::remove_file(&draft);
        kill_at(command(&words).spawn().unwrap(), round, &draft);
        for entry in fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path == draft {
                drafts += 1;
                continue;
            }
            let checked = run(&["backup", "--check", path.to_str().unwrap()]);
            assert_eq!(status(&checked), 0, "{}", said(&checked));
            fs::remove_file(path).unwrap();
        }
    }
    assert!(drafts > 0, "no kill came in the middle");
    let done = run(&words);
    assert_eq!(status(&done), 0, "{}", said(&done));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_restore_leaves_no_half_of_a_file_of_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (Sqlite::new(), Sqlite::new());
    fill(&source, 1_500).await;
    let file = folder.path().join("a.gz");
    backup(&source.url(), &file);
    let whole = source.contents().await;
    let url = target.url();
    let main = url.strip_prefix("sqlite:").unwrap();
    let words = ["restore", file.to_str().unwrap(), "--to", &url];
    let mut halfway = 0;
    let draft = format!("{main}.restoring");
    let draft = Path::new(&draft);
    for round in 0..ROUNDS {
        // Only what a killed one left may be removed, and by the next one: each begins with its own.
        let _ = fs::remove_file(draft);
        kill_at(command(&words).spawn().unwrap(), round, draft);
        if Path::new(main).exists() {
            break;
        }
        halfway += u32::from(draft.exists());
    }
    assert!(halfway > 0, "no kill came in the middle");
    if !Path::new(main).exists() {
        let done = run(&words);
        assert_eq!(status(&done), 0, "{}", said(&done));
    }
    let mut left: Vec<_> = fs::read_dir(Path::new(main).parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["caller-id.db", "caller-id.lock"]);
    assert_eq!(target.contents().await, whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_works_on_half_of_a_restore_in_postgresql_and_the_next_one_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (Sqlite::new(), Postgres::new());
    more(&source, 0..6_000).await;
    let file = folder.path().join("a.gz");
    backup(&source.url(), &file);
    target.open().await.close();
    let mut child = command(&["restore", file.to_str().unwrap(), "--to", &target.url()])
        .spawn()
        .unwrap();
    while child.try_wait().unwrap().is_none() && target.calls() == 0 {
        tokio::task::yield_now().await;
    }
    kill(child);
    let calls = target.calls();
    assert!(0 < calls && calls < 6_000, "{calls} calls were brought");
    let options = || PostgresOptions::new(std::sync::Arc::new(ManualClock::at(START)));
    let url = target.url();
    let refused = [
        PostgresStore::open(&url, options()).await.err(),
        PostgresStore::open_beside(&url, options()).await.err(),
        PostgresStore::open_moment(&url, options()).await.err(),
    ];
    for refused in refused {
        let refused = refused.unwrap().to_string();
        assert!(refused.contains("did not come to its end"), "{refused}");
        assert!(refused.contains("caller-id restore FILE"), "{refused}");
    }
    let looked = command(&["doctor"])
        .env("DATABASE_URL", &url)
        .output()
        .unwrap();
    assert_eq!(status(&looked), 1);
    let told = String::from_utf8(looked.stdout).unwrap();
    assert!(told.contains("did not come to its end"), "{told}");
    let done = restore(&file, &url);
    assert_eq!(status(&done), 0, "{}", said(&done));
    assert_eq!(target.contents().await, source.contents().await);
}
