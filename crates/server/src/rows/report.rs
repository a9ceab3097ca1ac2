//! The report of bad rows as a file.

use std::io::{self, Write};

use super::BadRow;
use super::writer::quoted;

/// Writes bad rows as CSV: `line,caller_id,reason`.
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
            quoted(&row.caller_id),
            quoted(&row.reason)
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
