//! The files of one data set: `caller-id.db`, `caller-id.journal.db` and `caller-id.lock`.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use caller_id_core::StoreError;

use super::error;

/// Where the files of one data set are.
#[derive(Debug, Clone)]
pub(super) struct Files {
    /// Inventory and indexed history.
    pub(super) main: PathBuf,
    /// What is committed and not yet moved into history.
    pub(super) journal: PathBuf,
    lock: PathBuf,
}

impl Files {
    /// Makes the folder and an empty main file where they are missing, and settles links, so that two names of one
    /// file have one lock.
    pub(super) fn prepare(path: &Path) -> Result<Self, StoreError> {
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            std::fs::create_dir_all(folder)
                .map_err(|cause| error::file("cannot make the folder", folder, &cause))?;
        }
        touch(path)?;
        let main = path
            .canonicalize()
            .map_err(|cause| error::file("cannot find", path, &cause))?;
        Ok(Self::of(main))
    }

    fn of(main: PathBuf) -> Self {
        // Only `.db` is taken off: `data.sqlite` and `data.db` in one folder stay apart.
        let stem = match main.extension() {
            Some(extension) if extension == "db" => main.with_extension(""),
            _ => main.clone(),
        };
        Self {
            journal: with_ending(&stem, ".journal.db"),
            lock: with_ending(&stem, ".lock"),
            main,
        }
    }

    /// Whether `path` is a file of the data set at `main`, or one that SQLite keeps beside those.
    pub(super) fn have(main: &Path, path: &Path) -> bool {
        let files = Self::of(settled(main));
        let path = settled(path);
        let databases = [&files.main, &files.journal];
        let beside = databases
            .into_iter()
            .flat_map(|file| ["", "-wal", "-shm", "-journal"].map(|end| with_ending(file, end)));
        path == files.lock || beside.into_iter().any(|file| file == path)
    }

    /// Both databases as they are now, when they are open.
    pub(super) fn opened(&self) -> Result<Opened, StoreError> {
        let opened = |path: &PathBuf| {
            let metadata = path.metadata();
            let metadata = metadata.map_err(|cause| error::file("cannot read", path, &cause))?;
            Ok((path.clone(), metadata))
        };
        Ok(Opened([opened(&self.main)?, opened(&self.journal)?]))
    }

    /// Whether a server uses the data set at `path` now; nothing is made. One that starts in this very moment may be told
    /// that another has it.
    pub(super) fn in_use(path: &Path) -> Result<bool, StoreError> {
        let lock = Self::of(settled(path)).lock;
        let file = match File::open(&lock) {
            Ok(file) => file,
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(false),
            Err(cause) => return Err(error::file("cannot open the lock file", &lock, &cause)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(cause)) => Err(error::file("cannot lock", &lock, &cause)),
        }
    }

    /// The journal's write-ahead log.
    pub(super) fn journal_log(&self) -> PathBuf {
        with_ending(&self.journal, "-wal")
    }

    /// Makes an empty journal file where it is missing.
    pub(super) fn prepare_journal(&self) -> Result<(), StoreError> {
        touch(&self.journal)
    }

    /// Takes the lock that only one server can hold; it ends with the returned file, or with the process.
    pub(super) fn lock(&self) -> Result<File, StoreError> {
        let file = owner_only()
            .open(&self.lock)
            .map_err(|cause| error::file("cannot open the lock file", &self.lock, &cause))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(StoreError::Busy(
                format!(
                    "another caller-id serve uses `{}` (it holds `{}`)",
                    self.main.display(),
                    self.lock.display()
                )
                .into(),
            )),
            Err(TryLockError::Error(cause)) => Err(error::file("cannot lock", &self.lock, &cause)),
        }
    }
}

/// Both databases as they were opened.
pub(super) struct Opened([(PathBuf, Metadata); 2]);

impl Opened {
    /// Whether both are still where they were: what is written into a file that nobody can find again is not kept.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        for (path, opened) in &self.0 {
            let now = path
                .metadata()
                .map_err(|cause| error::file("the file in use is gone:", path, &cause))?;
            if !is_same(opened, &now) {
                let text = format!("the file in use was replaced: `{}`", path.display());
                return Err(StoreError::Failed(text.into()));
            }
        }
        Ok(())
    }
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Elsewhere an open file cannot be taken away.
#[cfg(not(unix))]
fn is_same(_one: &Metadata, _other: &Metadata) -> bool {
    true
}

/// The path without links, as far as it exists.
fn settled(path: &Path) -> PathBuf {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let in_folder = || Some(folder.canonicalize().ok()?.join(path.file_name()?));
    let whole = path.canonicalize().ok().or_else(in_folder);
    whole.unwrap_or_else(|| path.to_owned())
}

fn with_ending(stem: &Path, ending: &str) -> PathBuf {
    let mut name = stem.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// SQLite gives its own helper files the rights of the file they belong to, so it is enough to make that one.
fn touch(path: &Path) -> Result<(), StoreError> {
    owner_only()
        .open(path)
        .map(drop)
        .map_err(|cause| error::file("cannot open", path, &cause))
}

/// Numbers and called parties are nobody else's business: a new file is readable by its owner only.
fn owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_and_the_lock_are_named_after_the_main_file() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::prepare(&folder.path().join("new/caller-id.db")).unwrap();
        assert!(files.main.ends_with("new/caller-id.db"));
        assert!(files.journal.ends_with("new/caller-id.journal.db"));
        assert!(files.lock.ends_with("new/caller-id.lock"));
        let other = Files::prepare(&folder.path().join("new/caller-id.sqlite")).unwrap();
        assert!(other.journal.ends_with("new/caller-id.sqlite.journal.db"));
    }

    #[test]
    fn the_files_of_a_data_set_are_known_by_any_name() {
        let folder = tempfile::tempdir().unwrap();
        let main = folder.path().join("caller-id.db");
        let known = |name: &str| Files::have(&main, &folder.path().join(name));
        for _ in ["before they are made", "and when they are there"] {
            for own in [
                "caller-id.db",
                "caller-id.db-wal",
                "caller-id.journal.db",
                "caller-id.journal.db-shm",
                "caller-id.lock",
                "./caller-id.db",
            ] {
                assert!(known(own), "{own}");
            }
            for other in [
                "caller-id.csv",
                "numbers.csv",
                "other.db",
                "caller-id.db.csv",
            ] {
                assert!(!known(other), "{other}");
            }
            Files::prepare(&main).unwrap();
        }
    }

    #[test]
    fn a_second_holder_of_the_lock_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::prepare(&folder.path().join("caller-id.db")).unwrap();
        let held = files.lock().unwrap();
        let refused = files.lock().unwrap_err().to_string();
        assert!(
            refused.contains("another caller-id serve uses"),
            "{refused}"
        );
        assert!(refused.contains("caller-id.lock"), "{refused}");
        drop(held);
        files.lock().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_is_readable_by_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let files = Files::prepare(&folder.path().join("caller-id.db")).unwrap();
        let mode = files.main.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
