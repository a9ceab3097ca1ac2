//! Where backups lie, and what else lies there.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::data::{fill, more};
use super::places::small_disk;
use super::{Sqlite, backup, run, said, small, status};

pub(super) fn names(folder: &Path) -> Vec<String> {
    let all = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = all
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

pub(super) fn into(url: &str, folder: &Path, more: &[&str]) -> std::process::Output {
    let to = folder.to_str().unwrap();
    run(&[&["backup", "--database-url", url, "--to", to], more].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_stay_and_what_is_not_ours_does_too() {
    let folder = tempfile::tempdir().unwrap();
    let source = Sqlite::new();
    fill(&source, 20).await;
    let old: Vec<PathBuf> = (1..=4)
        .map(|day| {
            folder
                .path()
                .join(format!("caller-id-2026010{day}T030000Z.backup.gz"))
        })
        .collect();
    old.iter().for_each(|path| backup(&source.url(), path));
    let others = ["caller-id-20260101T030000Z.backup.gz.old", "mine.backup.gz"];
    for other in others {
        fs::write(folder.path().join(other), "kept").unwrap();
    }
    // It has a name of ours, and is none: nobody knows what it is.
    let broken = folder.path().join("caller-id-20250101T030000Z.backup.gz");
    fs::write(&broken, "broken").unwrap();
    let done = into(&source.url(), folder.path(), &["--keep", "3"]);
    assert_eq!(status(&done), 0, "{}", said(&done));
    let left = names(folder.path());
    assert!(
        broken.exists() && !old[0].exists() && !old[1].exists(),
        "{left:?}"
    );
    assert!(old[2].exists() && old[3].exists(), "{left:?}");
    assert!(
        others
            .iter()
            .all(|other| left.contains(&(*other).to_owned()))
    );
    assert_eq!(left.len(), 6, "{left:?}");
    let new = left
        .iter()
        .find(|name| name.starts_with("caller-id-2026") && !name.contains("-202601"));
    let mode = fs::metadata(folder.path().join(new.unwrap()))
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_of_an_empty_database_push_none_out_that_has_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let (_source, file) = small(folder.path()).await;
    let good = folder.path().join("caller-id-20260101T030000Z.backup.gz");
    fs::rename(file, &good).unwrap();
    let empty = Sqlite::new();
    empty.open().close().await;
    for _ in 0..3 {
        let done = into(&empty.url(), folder.path(), &["--keep", "1"]);
        assert_eq!(status(&done), 0, "{}", said(&done));
        let said = said(&done);
        assert!(said.contains("no old backup is removed"), "{said}");
        assert!(
            said.contains("has 120 numbers, and the new one 0"),
            "{said}"
        );
    }
    assert!(good.exists());
    assert_eq!(names(folder.path()).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_over_that_is_no_backup() {
    let folder = tempfile::tempdir().unwrap();
    let source = Sqlite::new();
    fill(&source, 20).await;
    let url = source.url();
    let database = PathBuf::from(url.strip_prefix("sqlite:").unwrap());
    let beside = |name: &str| database.with_file_name(name);
    fs::write(beside("admin-token"), "kept").unwrap();
    fs::write(folder.path().join(".env"), "A=kept").unwrap();
    for path in [
        database.clone(),
        beside("caller-id.journal.db"),
        beside("caller-id.lock"),
        beside("admin-token"),
        folder.path().join(".env"),
    ] {
        let before = fs::read(&path).unwrap();
        let refused = into(&url, &path, &[]);
        assert_eq!(status(&refused), 1, "{}", path.display());
        assert_eq!(fs::read(&path).unwrap(), before, "{}", path.display());
    }
    // A backup is written over by the next one, as a whole.
    let file = folder.path().join("a.gz");
    backup(&url, &file);
    backup(&url, &file);
    assert_eq!(names(folder.path()), [".env", "a.gz"]);
    let refused = into(&url, Path::new("/proc/"), &[]);
    assert_eq!(status(&refused), 1);
    let said = said(&refused);
    assert!(said.contains("cannot write /proc/"), "{said}");
    let refused = into(&url, &file, &["--keep", "2"]);
    assert_eq!(status(&refused), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_leaves_no_draft_and_the_backup_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let (_source, file) = small(folder.path()).await;
    let Some((_disk, place)) = small_disk(folder.path(), "disk", 1) else {
        return;
    };
    let good = place.join("caller-id-20260101T030000Z.backup.gz");
    fs::copy(&file, &good).unwrap();
    fs::write(place.join("filler"), vec![7; 940 << 10]).unwrap();
    let source = Sqlite::new();
    more(&source, 0..4_000).await;
    let refused = into(&source.url(), &place, &["--keep", "1"]);
    assert_eq!(status(&refused), 1);
    let said = said(&refused);
    assert!(said.contains("No space left on device"), "{said}");
    assert!(good.exists());
    assert_eq!(names(&place).len(), 2, "{:?}", names(&place));
}
