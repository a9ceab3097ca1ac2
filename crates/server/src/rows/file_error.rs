//! What can be wrong with a file as a whole.

use std::io;

use thiserror::Error;

/// A file that cannot be read as CSV, or not to its end.
#[derive(Debug, Error)]
pub enum FileError {
    /// There is nothing in it.
    #[error("the file is empty, a header line with `caller_id` expected")]
    Empty,
    /// It is something else.
    #[error("the file is not CSV but {0}; save it as CSV in UTF-8")]
    NotCsv(&'static str),
    /// The header cannot be split into names.
    #[error("the header (line {line}) {reason}")]
    Header {
        /// Where it is.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// The gzip data breaks off or is damaged.
    #[error("the gzip data is damaged after line {line}: {source}")]
    Gzip {
        /// The last line that was whole.
        line: u64,
        /// What the decoder said.
        source: io::Error,
    },
    /// Reading stopped.
    #[error("reading stopped after line {line}: {source}")]
    Read {
        /// The last line that was whole.
        line: u64,
        /// What the reader said.
        source: io::Error,
    },
}
