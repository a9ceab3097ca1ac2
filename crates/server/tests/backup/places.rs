//! Where a backup goes and where it comes from: names that are no places, and disks that are full or read-only.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use caller_id_core::listing::Expected;
use caller_id_core::{InventoryStore, Pool};
use caller_id_testkit::builders::{pool, somebody};
use caller_id_testkit::small_disk::SmallDisk;
use tokio::time::Instant;

use super::data::{fill, more};
use super::folder::{into, names};
use super::{Sqlite, backup, command, restore, run, said, small, status};

/// Nobody waits longer for a command that should refuse at once.
const DEADLINE: Duration = Duration::from_secs(60);

/// What a command says that may never end.
fn ends(mut command: Command) -> Output {
    let mut child = command.spawn().unwrap();
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > DEADLINE {
            child.kill().unwrap();
            panic!("it waits");
        }
        std::thread::yield_now();
    }
    child.wait_with_output().unwrap()
}

/// The files of a data set, put into another folder as they are now.
fn copy(source: &Sqlite, to: &Path) -> String {
    let url = source.url();
    let main = Path::new(url.strip_prefix("sqlite:").unwrap());
    for entry in fs::read_dir(main.parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
    format!("sqlite:{}", to.join("caller-id.db").display())
}

/// A disk of so many megabytes in a folder of that name, where one can be mounted.
pub(super) fn small_disk(
    folder: &Path,
    name: &str,
    megabytes: u32,
) -> Option<(SmallDisk, PathBuf)> {
    let place = folder.join(name);
    fs::create_dir(&place).unwrap();
    Some((SmallDisk::mount_on(&place, megabytes)?, place))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nothing_has_is_a_folder_or_a_file_only_where_it_says_which() {
    let folder = tempfile::tempdir().unwrap();
    let source = Sqlite::new();
    fill(&source, 20).await;
    let place = |name: &str| PathBuf::from(format!("{}/{name}", folder.path().display()));
    for name in ["new", "caller-id.backup", ".gz", "no/such"] {
        let refused = into(&source.url(), &place(name), &[]);
        assert_eq!(status(&refused), 2, "{name}");
        let (said, shown) = (said(&refused), place(name));
        let ways = [
            format!("`{}/` for a folder", shown.display()),
            format!("`{}.backup.gz`", shown.display()),
        ];
        assert!(ways.iter().all(|way| said.contains(way)), "{said}");
        assert_eq!(names(folder.path()), [""; 0], "{name}");
    }
    for name in ["new/", "new.gz"] {
        let done = into(&source.url(), &place(name), &[]);
        assert_eq!(status(&done), 0, "{}", said(&done));
    }
    assert_eq!(names(folder.path()), ["new", "new.gz"]);
    // Now that it is there it needs no mark.
    let done = into(&source.url(), &place("new"), &["--keep", "1"]);
    assert_eq!(status(&done), 0, "{}", said(&done));
    assert_eq!(names(&place("new")).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn pipes_and_devices_are_refused_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let (source, file) = small(folder.path()).await;
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let (url, pipe) = (source.url(), pipe.to_str().unwrap());
    for to in [pipe, "/dev/null", "/dev/zero"] {
        let refused = ends(command(&["backup", "--database-url", &url, "--to", to]));
        assert_eq!(status(&refused), 2, "{to}");
        let said = said(&refused);
        assert!(said.contains("is no file and no folder"), "{said}");
        assert!(said.contains("`-` for the standard output"), "{said}");
    }
    for words in [
        &["backup", "--check", pipe][..],
        &["restore", pipe, "--to", "sqlite:a.db"],
    ] {
        let refused = ends(command(words));
        assert_eq!(status(&refused), 1);
        assert!(said(&refused).contains("is no file"), "{}", said(&refused));
    }
    assert!(file.exists());
}

#[test]
fn where_there_is_no_database_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    for more in [&[][..], &["--to", "new/"], &["--to", "new.gz"]] {
        let words = [&["backup", "--database-url", "sqlite:caller-id.db"], more].concat();
        let mut command = command(&words);
        let refused = command.current_dir(folder.path()).output().unwrap();
        assert_eq!(status(&refused), 1);
        let said = said(&refused);
        assert!(said.contains("there is no database"), "{said}");
        assert_eq!(names(folder.path()), [""; 0], "{more:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_none_is_asked_wrongly() {
    let folder = tempfile::tempdir().unwrap();
    let (_source, file) = small(folder.path()).await;
    for to in ["nonsense", "", "/tmp/caller-id.db", "mysql://a:horse@b/c"] {
        let refused = restore(&file, to);
        assert_eq!(status(&refused), 2, "{to}");
        let said = said(&refused);
        assert!(said.starts_with("--to: `"), "{said}");
        assert!(said.contains("expected sqlite:<file>"), "{said}");
        assert!(!said.contains("horse"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_of_one_second_is_the_one_that_stays() {
    let folder = tempfile::tempdir().unwrap();
    let source = Sqlite::new();
    source.open().close().await;
    let mut last = String::new();
    for _ in 0..4 {
        let done = into(&source.url(), folder.path(), &["--keep", "1"]);
        assert_eq!(status(&done), 0, "{}", said(&done));
        let left = names(folder.path());
        assert_eq!(left.len(), 1, "{left:?}");
        assert!(left[0] > last, "{} after {last}", left[0]);
        last.clone_from(&left[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_onto_a_full_disk_leaves_no_draft() {
    const DISK_KIB: usize = 1_024;
    let folder = tempfile::tempdir().unwrap();
    let source = Sqlite::new();
    more(&source, 0..4_000).await;
    let file = folder.path().join("a.gz");
    backup(&source.url(), &file);
    let Some((_disk, place)) = small_disk(folder.path(), "disk", 1) else {
        return;
    };
    // It fails when the draft is begun, when its tables are made, and in the middle of it.
    for free_kib in [0, 4, 64, 200, 400, 800] {
        fs::write(place.join("filler"), vec![7; (DISK_KIB - free_kib) << 10]).unwrap();
        let url = format!("sqlite:{}/caller-id.db", place.display());
        let refused = restore(&file, &url);
        assert_eq!(status(&refused), 1, "{free_kib} KiB");
        let said = said(&refused);
        let told = ["No space left on device", "is full"];
        assert!(told.iter().any(|told| said.contains(told)), "{said}");
        assert_eq!(
            names(&place),
            ["caller-id.lock", "filler"],
            "{free_kib} KiB"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_on_a_read_only_disk_is_backed_up_as_it_lies_there() {
    let folder = tempfile::tempdir().unwrap();
    let Some((disk, place)) = small_disk(folder.path(), "disk %20 é", 64) else {
        return;
    };
    let source = Sqlite::new();
    fill(&source, 0).await;
    // Some of it is in the journal alone.
    more(&source, 0..1_300).await;
    let url = copy(&source, &place);
    disk.make_read_only();
    let file = folder.path().join("a.gz");
    backup(&url, &file);
    let target = Sqlite::new();
    let restored = restore(&file, &target.url());
    assert_eq!(status(&restored), 0, "{}", said(&restored));
    assert_eq!(target.contents().await, source.contents().await);
    // What can only be read here may be written elsewhere.
    let held = File::open(place.join("caller-id.lock")).unwrap();
    held.try_lock().unwrap();
    let refused = into(&url, &file, &[]);
    assert_eq!(status(&refused), 1);
    let said = said(&refused);
    assert!(
        said.contains("can only be read here: back it up where"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_read_only_disk_a_log_with_something_in_it_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let Some((disk, place)) = small_disk(folder.path(), "disk", 64) else {
        return;
    };
    let source = Sqlite::new();
    fill(&source, 30).await;
    let held = source.open();
    let late = Pool::new(pool("late"));
    let put = held.put_pool(late, Expected::Any, &somebody()).await;
    put.unwrap();
    let url = copy(&source, &place);
    held.close().await;
    disk.make_read_only();
    let refused = run(&["backup", "--database-url", &url]);
    assert_eq!(status(&refused), 1);
    let told = said(&refused);
    for part in [
        "a read-only file system",
        "caller-id.db-wal",
        "name the copy",
    ] {
        assert!(told.contains(part), "{told}");
    }
}
