//! Numbers written as CSV that reads back as the same numbers.

use std::borrow::Cow;
use std::io::{self, Write};
use std::num::NonZeroU32;

use caller_id_core::Number;
use caller_id_core::store::Fields;

use super::header::{Column, field};
use crate::spreadsheet::marked;

/// Writes numbers as CSV, every column, the numbers in E.164.
///
/// Text that a spreadsheet would take for a formula gets an apostrophe in front, which is taken away where the file is read
/// back. Phone numbers stay as they are.
pub struct NumberWriter<W> {
    output: W,
    columns: Vec<Column>,
}

impl<W: Write> NumberWriter<W> {
    /// Writes the header, with every column.
    ///
    /// # Errors
    /// What the output said.
    pub fn new(output: W) -> io::Result<Self> {
        Self::with_columns(output, &Column::ALL)
    }

    /// Writes the header, with these columns.
    ///
    /// # Errors
    /// What the output said.
    pub fn with_columns(mut output: W, columns: &[Column]) -> io::Result<Self> {
        let names: Vec<_> = columns.iter().map(|column| column.name()).collect();
        writeln!(output, "{}", names.join(","))?;
        Ok(Self {
            output,
            columns: columns.to_vec(),
        })
    }

    /// Writes one number, on one line.
    ///
    /// # Errors
    /// What the output said.
    pub fn write(&mut self, number: &Number) -> io::Result<()> {
        self.write_fields(number, Fields::ALL)
    }

    /// The same with these fields alone; the cells of others are empty.
    ///
    /// # Errors
    /// What the output said.
    pub fn write_fields(&mut self, number: &Number, fields: Fields) -> io::Result<()> {
        for (place, column) in self.columns.iter().enumerate() {
            if place > 0 {
                self.output.write_all(b",")?;
            }
            if field(*column).is_none_or(|field| fields.has(field)) {
                self.output.write_all(cell(number, *column).as_bytes())?;
            }
        }
        self.output.write_all(b"\n")
    }

    /// The output, to take what is in it.
    pub const fn get_mut(&mut self) -> &mut W {
        &mut self.output
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

fn cell(number: &Number, column: Column) -> Cow<'_, str> {
    match column {
        Column::CallerId => number.number.to_string().into(),
        Column::Carrier => text(number.carrier.as_deref().unwrap_or_default()),
        Column::AreaCode => or_empty(number.area_code).into(),
        Column::DailyLimit => limit(number.limits.daily).into(),
        Column::HourlyLimit => limit(number.limits.hourly).into(),
        Column::Pool => text(number.pool.as_str()),
        Column::Attestation => or_empty(number.attestation).into(),
        Column::Status => number.status.to_string().into(),
        Column::Meta => {
            let meta = number.meta.as_ref().map(ToString::to_string);
            Cow::Owned(quoted(&meta.unwrap_or_default()).into_owned())
        }
    }
}

fn or_empty(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// No limit is said in so many words: an empty cell is the default.
fn limit(limit: Option<NonZeroU32>) -> String {
    limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string())
}

/// A text that somebody chose, as a cell that no spreadsheet runs.
fn text(text: &str) -> Cow<'_, str> {
    match marked(text) {
        Cow::Borrowed(text) => quoted(text),
        Cow::Owned(text) => Cow::Owned(quoted(&text).into_owned()),
    }
}

/// `text` as a cell: between quotes where it must be.
pub(super) fn quoted(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(text)
    }
}
