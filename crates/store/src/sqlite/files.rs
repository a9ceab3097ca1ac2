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
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the main file is gone or empty and its journal is there.
    pub(super) fn prepare(path: &Path) -> Result<Self, StoreError> {
        Self::of(settled(path)).check_journal()?;
        make_folder_of(path)?;
        touch(path)?;
        let main = path
            .canonicalize()
            .map_err(|cause| error::file("cannot find", path, &cause))?;
        Ok(Self::of(main))
    }

    /// Those of a data set that may be made here; its folder is made.
    ///
    /// # Errors
    /// As [`Files::prepare`].
    pub(super) fn place(path: &Path) -> Result<Self, StoreError> {
        make_folder_of(path)?;
        let files = Self::of(settled(path));
        files.check_journal()?;
        Ok(files)
    }

    /// Those of a data set that is there.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when it is not.
    pub(super) fn existing(path: &Path) -> Result<Self, StoreError> {
        let files = Self::of(settled(path));
        match (is_nothing(&files.main), files.have_journal()) {
            (false, _) => Ok(files),
            (true, true) => Err(files.would_begin_anew()),
            (true, false) => {
                let text = format!("there is no database `{}`", path.display());
                Err(StoreError::Missing(text))
            }
        }
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

    /// The journal of the data set at `path`, where there is one with something in it.
    pub(super) fn journal_of(path: &Path) -> Option<PathBuf> {
        let files = Self::of(settled(path));
        files.have_journal().then_some(files.journal)
    }

    /// Whether there is a journal with something in it.
    pub(super) fn have_journal(&self) -> bool {
        !is_nothing(&self.journal)
    }

    /// Refuses a journal without its main file.
    fn check_journal(&self) -> Result<(), StoreError> {
        // The journal is looked at first: another process that begins anew makes it last.
        match self.have_journal() && is_nothing(&self.main) {
            true => Err(self.would_begin_anew()),
            false => Ok(()),
        }
    }

    /// Those of a draft that is made beside this data set.
    pub(super) fn draft(&self) -> Self {
        Self::of(with_ending(&self.main, ".restoring"))
    }

    /// All files there may be, the main file first.
    pub(super) fn all(&self) -> impl Iterator<Item = PathBuf> {
        let of_main = ["", "-wal", "-shm"].map(|end| with_ending(&self.main, end));
        let lock = std::iter::once(self.lock.clone());
        of_main.into_iter().chain(self.of_journal()).chain(lock)
    }

    /// All that belongs to the main file and is not it, nor the lock.
    pub(super) fn journals(&self) -> impl Iterator<Item = PathBuf> {
        let of_main = ["-wal", "-shm"].map(|end| with_ending(&self.main, end));
        self.of_journal().into_iter().chain(of_main)
    }

    fn of_journal(&self) -> [PathBuf; 3] {
        ["", "-wal", "-shm"].map(|end| with_ending(&self.journal, end))
    }

    /// Why no new main file is made beside a journal: the numbers and the history that the journal belongs to would seem
    /// never to have been there.
    pub(super) fn would_begin_anew(&self) -> StoreError {
        let [main, journal] = [&self.main, &self.journal].map(|path| path.display());
        StoreError::Missing(format!(
            "the database `{main}` is missing or empty, but its journal `{journal}` is there, and nothing is begun anew beside it: \
             put that file back, or move the journal away and run `caller-id restore FILE` with a backup; with the journal \
             moved away and no backup the next start begins with no numbers"
        ))
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
        match Self::of(settled(path)).lock_shared() {
            Ok(_) => Ok(false),
            Err(StoreError::Busy(_)) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Whether the main file is on a file system that is read-only here.
    pub(super) fn are_fixed(&self) -> bool {
        // It is opened, and nothing is written.
        let opened = OpenOptions::new().write(true).open(&self.main);
        opened.is_err_and(|cause| cause.kind() == ErrorKind::ReadOnlyFilesystem)
    }

    /// Keeps servers away as long as the file that it gives is open. None where no server ever used them; nothing is made.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when one uses them.
    pub(super) fn lock_shared(&self) -> Result<Option<File>, StoreError> {
        let file = match File::open(&self.lock) {
            Ok(file) => file,
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(error::file("cannot open the lock file", &self.lock, &cause)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => {
                let text = format!("a caller-id serve uses `{}`", self.main.display());
                Err(StoreError::Busy(text.into()))
            }
            Err(TryLockError::Error(cause)) => Err(error::file("cannot lock", &self.lock, &cause)),
        }
    }

    /// The journal's write-ahead log.
    pub(super) fn journal_log(&self) -> PathBuf {
        log_of(&self.journal)
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

/// The write-ahead log of a file of SQLite.
pub(super) fn log_of(path: &Path) -> PathBuf {
    with_ending(path, "-wal")
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

fn make_folder_of(path: &Path) -> Result<(), StoreError> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => std::fs::create_dir_all(folder)
            .map_err(|cause| error::file("cannot make the folder", folder, &cause)),
        _ => Ok(()),
    }
}

/// Whether there is no such file, or nothing in it.
pub(super) fn is_nothing(path: &Path) -> bool {
    path.metadata().map_or_else(
        |cause| cause.kind() == ErrorKind::NotFound,
        |found| found.len() == 0,
    )
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
