//! A file of numbers, read row by row.

use std::io::Read;

use caller_id_core::Number;
use caller_id_core::store::Fields;

use super::cells;
use super::file_error::FileError;
use super::header::{self, Column, Header};
use super::lines::{Line, Lines};
use super::records::{Next, Records};
use super::source::Source;
use crate::spreadsheet::unmarked;
use caller_id_core::text::shown;

use super::BadRow;

/// The most columns a header may have.
const COLUMNS_MOST: usize = 256;

/// One row of the file.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// A number, and the line it begins on.
    Good(u64, Number),
    /// What cannot be one.
    Bad(BadRow),
}

/// Reads numbers from CSV: plain or gzip, UTF-8 with or without byte order mark, any line ends, comma, semicolon or tab.
/// Holds one row at a time, and no row of more than 256 KiB.
pub struct RowReader<R> {
    records: Records<Source<R>>,
    header: Header,
}

impl<R: Read> RowReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`FileError`] when it is no CSV, or names no `caller_id`.
    pub fn open(input: R) -> Result<Self, FileError> {
        let source = Source::open(input)?;
        let mut lines = Lines::new(source);
        let delimiter = delimiter(&mut lines)?;
        let mut records = Records::new(lines, delimiter, COLUMNS_MOST);
        let header = read_header(&mut records)?;
        records.set_fields_most(header.width());
        Ok(Self { records, header })
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    /// [`FileError`] when the stream breaks; what was read until then stands.
    pub fn next_row(&mut self) -> Result<Option<Row>, FileError> {
        let next = self.records.read().map_err(|source| {
            let lines = self.records.lines();
            lines.input().error(lines.number(), source)
        })?;
        let parsed = match next {
            Next::End => return Ok(None),
            Next::Broken(reason) => Err(reason),
            Next::Record => self.parse(),
        };
        let line = self.records.started_on();
        Ok(Some(match parsed {
            Ok(number) => Row::Good(line, number),
            Err(reason) => Row::Bad(BadRow {
                line,
                caller_id: self.caller_id(),
                reason,
            }),
        }))
    }

    /// The columns that the file has, of those we know.
    pub fn columns(&self) -> Vec<Column> {
        self.header.columns()
    }

    /// The fields that the file gives of the row that was read last; the others are defaults that nobody asked for.
    pub fn fields(&self) -> Fields {
        let says = |column: &Column| {
            let place = self.header.place(*column);
            let cell = place.and_then(|place| self.records.field(place));
            let cell = cell.and_then(|cell| std::str::from_utf8(cell).ok());
            !cells::is_left(*column, cell.unwrap_or_default().trim())
        };
        let given = self.header.columns().into_iter().filter(says);
        let given = given.filter_map(header::field);
        given.fold(Fields::NONE, Fields::with)
    }

    /// The names of columns that mean nothing to us: they are kept out.
    pub fn unknown_columns(&self) -> &[String] {
        self.header.unknown()
    }

    fn parse(&self) -> Result<Number, String> {
        let (found, expected) = (self.records.len(), self.header.width());
        if found != expected {
            return Err(format!(
                "has {found} fields, {expected} expected as in the header"
            ));
        }
        if self.records.has_nul() {
            return Err("has a NUL byte, text expected".to_owned());
        }
        let mut cells = [""; Column::ALL.len()];
        for column in Column::ALL {
            if let Some(place) = self.header.place(column) {
                cells[column as usize] = self.cell(column, place)?;
            }
        }
        cells::number(|column| cells[column as usize])
    }

    fn cell(&self, column: Column, place: usize) -> Result<&str, String> {
        let field = self.records.field(place).unwrap_or_default();
        let text = std::str::from_utf8(field).map(|text| unmarked(text.trim()));
        text.map_err(|error| {
            format!(
                "{column} `{}` is not UTF-8 at byte {}",
                shown(&String::from_utf8_lossy(field)),
                error.valid_up_to() + 1
            )
        })
    }

    fn caller_id(&self) -> String {
        let place = self.header.place(Column::CallerId);
        let field = place.and_then(|place| self.records.field(place));
        field.map_or_else(String::new, |field| {
            shown(String::from_utf8_lossy(field).trim())
        })
    }
}

/// The separator, from the first line that is not blank; that line is given back.
fn delimiter<R: Read>(lines: &mut Lines<Source<R>>) -> Result<u8, FileError> {
    let mut line = Line::default();
    loop {
        let some = lines
            .read(&mut line)
            .map_err(|source| lines.input().error(0, source))?;
        if !some {
            return Err(FileError::Empty);
        }
        if line.too_long || !line.bytes.trim_ascii().is_empty() {
            break;
        }
    }
    let delimiter = header::delimiter(&line.bytes);
    lines.give_back(vec![line]);
    Ok(delimiter)
}

fn read_header<R: Read>(records: &mut Records<Source<R>>) -> Result<Header, FileError> {
    let refuse = |line, reason| FileError::Header { line, reason };
    let next = records
        .read()
        .map_err(|source| records.lines().input().error(0, source))?;
    let line = records.started_on();
    match next {
        Next::End => return Err(FileError::Empty),
        Next::Broken(reason) => return Err(refuse(line, reason)),
        Next::Record => {}
    }
    if records.has_nul() {
        return Err(FileError::NotCsv("binary data"));
    }
    if records.len() > COLUMNS_MOST {
        return Err(refuse(
            line,
            format!(
                "has {} columns, at most {COLUMNS_MOST} expected",
                records.len()
            ),
        ));
    }
    let titles = (0..records.len())
        .filter_map(|place| records.field(place))
        .map(|field| String::from_utf8(field.to_vec()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| FileError::NotCsv("binary data or text in another encoding"))?;
    Header::new(&titles).map_err(|reason| refuse(line, reason))
}
