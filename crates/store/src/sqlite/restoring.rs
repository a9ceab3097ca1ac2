//! A data set that is made beside where it is to be, and put there as a whole.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use caller_id_core::StoreError;

use super::error::{self, on, sqlite};
use super::files::{self, Files};
use super::{SqliteOptions, schema};

/// A place for a data set, which nobody else can take meanwhile, and the draft that is made for it beside it.
///
/// Whatever becomes of it, the draft is gone when this is dropped: close what has it open before. A process that is killed in
/// the middle of it leaves the draft, which the next one removes; the place is as it was.
#[derive(Debug)]
pub struct SqliteDraft {
    place: Files,
    draft: Files,
    /// Held until the end: no service starts at the place.
    _lock: File,
}

impl SqliteDraft {
    /// Takes the place whose main file is to be `path`, and removes what an earlier draft for it left behind.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when a server uses it; [`StoreError::Missing`] when a journal is there without its main file; others
    /// when it cannot be read or written.
    pub fn begin(path: &Path) -> Result<Self, StoreError> {
        let place = Files::place(path)?;
        let lock = place.lock()?;
        let draft = place.draft();
        let begun = Self {
            place,
            draft,
            _lock: lock,
        };
        begun.discard()?;
        Ok(begun)
    }

    /// Whether anything is at the place.
    pub fn is_taken(&self) -> bool {
        !files::is_nothing(&self.place.main)
    }

    /// The main file of the draft: not made yet.
    pub fn path(&self) -> &Path {
        &self.draft.main
    }

    fn discard(&self) -> Result<(), StoreError> {
        remove(self.draft.all())
    }

    /// Makes the draft, which was closed with all its history settled, one file that needs no journal, and writes it
    /// through to the disk.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn finish(&self, options: &SqliteOptions) -> Result<(), StoreError> {
        let main = schema::connect(&self.draft.main, options.manner())?;
        let emptied = main
            .execute_batch("UPDATE meta SET value = 0 WHERE key = 'applied_seq'")
            .and_then(|()| {
                main.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
                    row.get::<_, i64>(0)
                })
            });
        let busy = emptied.map_err(|error| on(&main, sqlite(error)))?;
        if busy != 0 {
            return Err(on(
                &main,
                StoreError::Busy("somebody reads the draft".into()),
            ));
        }
        drop(main);
        remove(self.draft.all().skip(1))?;
        sync(&self.draft.main)
    }

    /// Puts the finished draft in its place, in one step: until then nothing was changed there. What is there is replaced.
    ///
    /// # Errors
    /// When it cannot be put there.
    pub fn publish(self) -> Result<(), StoreError> {
        // The log and the journal of what is replaced must never be taken for those of what comes. Without the main file
        // beside it the journal would be missed, so that goes last.
        remove(self.place.journals())?;
        let main = &self.place.main;
        fs::rename(&self.draft.main, main)
            .map_err(|cause| error::file("cannot put the database to", main, &cause))?;
        main.parent().map_or(Ok(()), sync)
    }
}

impl Drop for SqliteDraft {
    fn drop(&mut self) {
        // What cannot be removed the next one tries to remove, and says so.
        let _ = self.discard();
    }
}

fn remove(files: impl Iterator<Item = PathBuf>) -> Result<(), StoreError> {
    for path in files {
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(cause) if cause.kind() == ErrorKind::NotFound => {}
            Err(cause) => return Err(error::file("cannot remove", &path, &cause)),
        }
    }
    Ok(())
}

fn sync(path: &Path) -> Result<(), StoreError> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(|cause| error::file("cannot write to the disk", path, &cause))
}
