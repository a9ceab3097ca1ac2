//! What SQLite says, in the words of core's [`StoreError`].

use std::path::Path;

use caller_id_core::StoreError;
use caller_id_core::store::BoxError;
use rusqlite::ffi;
use rusqlite::{Connection, Error, ErrorCode};

/// Sorts an error of the driver by what a caller can do about it.
pub(super) fn sqlite(error: Error) -> StoreError {
    let Some(code) = error.sqlite_error() else {
        return match error {
            // A column has what nobody wrote there.
            Error::FromSqlConversionFailure(..)
            | Error::InvalidColumnType(..)
            | Error::IntegralValueOutOfRange(..) => StoreError::Unreadable(error.to_string()),
            _ => StoreError::Failed(error.into()),
        };
    };
    // The shared memory beside a write-ahead log grows with it, and fails under another name when the disk is full.
    // A write past a limit of the file's size (EFBIG) is not among these: SQLite says of it what it says of a broken disk
    // (SQLITE_IOERR_WRITE), and the system's own word is behind its C interface only.
    let full =
        matches!(code.code, ErrorCode::DiskFull) || code.extended_code == ffi::SQLITE_IOERR_SHMSIZE;
    match code.code {
        _ if full => StoreError::Full(error.into()),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy(error.into()),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            StoreError::Unreadable(error.to_string())
        }
        _ => StoreError::Failed(error.into()),
    }
}

/// An error of the file system, with what was tried.
pub(super) fn file(doing: &str, path: &Path, error: &std::io::Error) -> StoreError {
    let text = BoxError::from(format!("{doing} `{}`: {error}", path.display()));
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            StoreError::Full(text)
        }
        _ => StoreError::Failed(text),
    }
}

/// An error of the driver, with the file it is about.
pub(super) fn in_file(path: &Path, error: StoreError) -> StoreError {
    let named = |text: &str| format!("`{}`: {text}", path.display());
    match error {
        StoreError::Full(source) => StoreError::Full(named(&source.to_string()).into()),
        StoreError::Busy(source) => StoreError::Busy(named(&source.to_string()).into()),
        StoreError::Unreadable(text) => StoreError::Unreadable(named(&text)),
        StoreError::Failed(source) => StoreError::Failed(named(&source.to_string()).into()),
        other => other,
    }
}

/// An error of the driver, with the file that the connection has open: which of the two was damaged is what an admin
/// has to know.
pub(super) fn on(connection: &Connection, error: StoreError) -> StoreError {
    match connection.path() {
        Some(path) => in_file(Path::new(path), error),
        None => error,
    }
}

/// The same error once more, for everybody who waits for one thing.
pub(super) fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::Full(source) => StoreError::Full(source.to_string().into()),
        StoreError::Busy(source) => StoreError::Busy(source.to_string().into()),
        StoreError::Unreadable(text) => StoreError::Unreadable(text.clone()),
        StoreError::Missing(text) => StoreError::Missing(text.clone()),
        StoreError::Failed(source) => StoreError::Failed(source.to_string().into()),
        StoreError::Owned(text) => StoreError::Owned(text.clone()),
        StoreError::Closed => StoreError::Closed,
    }
}
