//! Numbers written as CSV that reads back as the same numbers.

use std::borrow::Cow;
use std::io::{self, Write};
use std::num::NonZeroU32;

use caller_id_core::Number;

use super::header::Column;

/// Writes numbers as CSV, every column, the numbers in E.164.
///
/// Text that a spreadsheet would take for a formula is written as it is: the file is made to be read back.
pub struct NumberWriter<W> {
    output: W,
}

impl<W: Write> NumberWriter<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// What the output said.
    pub fn new(mut output: W) -> io::Result<Self> {
        let names = Column::ALL.map(Column::name).join(",");
        writeln!(output, "{names}")?;
        Ok(Self { output })
    }

    /// Writes one number, on one line.
    ///
    /// # Errors
    /// What the output said.
    pub fn write(&mut self, number: &Number) -> io::Result<()> {
        let meta = number.meta.as_ref().map(ToString::to_string);
        writeln!(
            self.output,
            "{},{},{},{},{},{},{},{},{}",
            number.number,
            quoted(number.carrier.as_deref().unwrap_or_default()),
            or_empty(number.area_code),
            limit(number.limits.daily),
            limit(number.limits.hourly),
            quoted(number.pool.as_str()),
            or_empty(number.attestation),
            number.status,
            quoted(meta.as_deref().unwrap_or_default()),
        )
    }

    /// The output.
    pub fn get_ref(&self) -> &W {
        &self.output
    }

    /// Writes out what is buffered and gives the output back.
    ///
    /// # Errors
    /// What the output said.
    pub fn finish(mut self) -> io::Result<W> {
        self.output.flush()?;
        Ok(self.output)
    }
}

fn or_empty(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// No limit is said in so many words: an empty cell is the default.
fn limit(limit: Option<NonZeroU32>) -> String {
    limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string())
}

/// `text` as a cell: between quotes where it must be.
pub(super) fn quoted(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(text)
    }
}
