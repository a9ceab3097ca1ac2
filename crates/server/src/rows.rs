//! Rows of CSV: how numbers come in and go out, for the command line and the API alike.
//!
//! A file is read as a stream, in bounded memory, whatever is in it. One bad row is one [`BadRow`] and never the end of
//! the import: a stray quote spoils its own line and not the rest of the file, which is why the records are split here
//! and not by a general CSV reader (that one would also let a line grow without bound).

mod batches;
mod cells;
mod file_error;
mod foresight;
mod header;
mod intake;
mod json;
mod lines;
mod new_pools;
#[cfg(test)]
mod properties;
mod reader;
mod records;
mod report;
mod seen;
mod source;
mod splitter;
#[cfg(test)]
mod tests;
mod writer;

use caller_id_core::store::{Fields, OnDuplicate};
use caller_id_core::text::shown;

pub(crate) use cells::number as number_of_cells;
pub use file_error::FileError;
pub use header::Column;
pub use intake::{
    Form, Intake, Options, Stop, Tally, Target, Watcher, WriteMode, exists_reason, foresee_new,
    take_in,
};
pub use reader::{Row, RowReader};
pub use report::ReportWriter;
pub use seen::Seen;
pub use writer::NumberWriter;

/// A row that was not written: where it is, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct BadRow {
    /// The line of the file on which the row begins, the header being line 1.
    pub line: u64,
    /// The row's caller ID as far as it can be shown: at most 64 characters.
    pub caller_id: String,
    /// What is wrong: the field, its value, and what was expected.
    pub reason: String,
}

/// Most bad rows that one answer of the API names; an import through the API sends no more rows than that at once.
pub const NAMED_MOST: usize = 5_000;
/// Most new pools that one answer names.
pub const NEW_POOLS_MOST: usize = 1_000;

/// Reads `skip`, `update` or `fail`.
///
/// # Errors
/// Says what was given and what was expected.
pub fn parse_on_duplicate(text: &str) -> Result<OnDuplicate, String> {
    match text {
        "skip" => Ok(OnDuplicate::Skip),
        "update" => Ok(OnDuplicate::Update(Fields::ALL)),
        "fail" => Ok(OnDuplicate::Fail),
        other => Err(format!(
            "on-duplicate `{}` is unknown, expected skip, update or fail",
            shown(other)
        )),
    }
}

/// The word that [`parse_on_duplicate`] reads.
pub const fn on_duplicate_word(on_duplicate: OnDuplicate) -> &'static str {
    match on_duplicate {
        OnDuplicate::Skip => "skip",
        OnDuplicate::Update(_) => "update",
        OnDuplicate::Fail => "fail",
    }
}
