//! The report of bad rows as a file.

use std::io::{self, Write};

use super::BadRow;
use super::writer::quoted;
use crate::spreadsheet::harmless;

/// Writes bad rows as CSV: `line,caller_id,reason`.
///
/// People open it in a spreadsheet, and its caller IDs come out of a file that may be anybody's: what would run there as a formula
/// gets an apostrophe in front.
pub struct ReportWriter<W> {
    output: W,
}

impl<W: Write> ReportWriter<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// What the output said.
    pub fn new(mut output: W) -> io::Result<Self> {
        output.write_all(b"line,caller_id,reason\n")?;
        Ok(Self { output })
    }

    /// Writes one row.
    ///
    /// # Errors
    /// What the output said.
    pub fn write(&mut self, row: &BadRow) -> io::Result<()> {
        writeln!(
            self.output,
            "{},{},{}",
            row.line,
            quoted(&harmless(&row.caller_id)),
            quoted(&harmless(&row.reason))
        )
    }

    /// Writes out what is buffered.
    ///
    /// # Errors
    /// What the output said.
    pub fn finish(mut self) -> io::Result<()> {
        self.output.flush()
    }
}
