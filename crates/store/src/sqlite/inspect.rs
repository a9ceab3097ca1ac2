//! What a file is, for who looks for what is wrong with it. Nothing is judged and nothing changed here.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use caller_id_core::StoreError;

use super::error;
use super::files::Files;
use super::schema::MAIN;

/// The main file of a data set, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteInspection {
    /// Where it is.
    pub path: PathBuf,
    /// What it is.
    pub file: SqliteFile,
    /// The journal beside it, where there is one with something in it.
    pub journal: Option<PathBuf>,
    /// Version of the tables that this program works with.
    pub schema_known: usize,
    /// Whether a service uses it now.
    pub in_use: bool,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqliteFile {
    /// There is none.
    Missing,
    /// Nothing is in it.
    Empty,
    /// A database of ours.
    Ours {
        /// Version of its tables.
        version: usize,
    },
    /// Something of another program.
    Foreign,
}

/// The head of every file of SQLite: its first bytes, and where its marks stand (<https://sqlite.org/fileformat2.html>).
const HEAD: usize = 100;
const MAGIC: &[u8] = b"SQLite format 3\0";
const USER_VERSION_AT: usize = 60;
const APPLICATION_ID_AT: usize = 68;

/// Looks at the main file of a data set without opening it as a database.
///
/// # Errors
/// When it, or the file of its lock, cannot be read.
pub fn inspect_sqlite(path: &Path) -> Result<SqliteInspection, StoreError> {
    Ok(SqliteInspection {
        path: path.to_owned(),
        file: look(path)?,
        journal: Files::journal_of(path),
        schema_known: MAIN.known(),
        in_use: Files::in_use(path)?,
    })
}

fn look(path: &Path) -> Result<SqliteFile, StoreError> {
    let cannot = |cause: std::io::Error| error::file("cannot read", path, &cause);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(SqliteFile::Missing),
        Err(cause) => return Err(cannot(cause)),
    };
    let mut head = Vec::new();
    file.take(HEAD as u64)
        .read_to_end(&mut head)
        .map_err(cannot)?;
    Ok(kind(&head))
}

fn kind(head: &[u8]) -> SqliteFile {
    if head.is_empty() {
        return SqliteFile::Empty;
    }
    if head.len() < HEAD || !head.starts_with(MAGIC) {
        return SqliteFile::Foreign;
    }
    let number = |at: usize| {
        let bytes = [head[at], head[at + 1], head[at + 2], head[at + 3]];
        i64::from(i32::from_be_bytes(bytes))
    };
    MAIN.version(number(APPLICATION_ID_AT), number(USER_VERSION_AT))
        .map_or(SqliteFile::Foreign, |version| SqliteFile::Ours { version })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use caller_id_core::SystemClock;

    use super::super::{SqliteOptions, SqliteStore};
    use super::*;

    #[tokio::test]
    async fn a_file_is_told_from_none_from_others_and_while_it_is_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("caller-id.db");
        let look = || inspect_sqlite(&path).unwrap();
        assert_eq!((look().file, look().in_use), (SqliteFile::Missing, false));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let options = SqliteOptions::new(Arc::new(SystemClock::new()));
        let store = SqliteStore::open(&path, options).unwrap();
        assert!(look().in_use);
        let version = look().schema_known;
        assert_eq!(look().file, SqliteFile::Ours { version }, "already");
        store.close().await;
        assert_eq!(look().file, SqliteFile::Ours { version });
        assert!(!look().in_use);
        std::fs::write(&path, "number,pool\n").unwrap();
        assert_eq!(look().file, SqliteFile::Foreign);
        std::fs::write(&path, "").unwrap();
        assert_eq!(look().file, SqliteFile::Empty);
        let journal = look().journal.unwrap();
        assert!(journal.ends_with("caller-id.journal.db"), "{journal:?}");
        std::fs::write(&journal, "").unwrap();
        assert_eq!(look().journal, None, "nothing is in it");
    }
}
