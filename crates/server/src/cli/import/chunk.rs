//! The rows of one request.

use std::collections::HashSet;
use std::io::Read;

use caller_id_core::store::{Fields, OnDuplicate, Written};
use caller_id_core::{Number, PhoneNumber};

use crate::rows::{
    self, BadRow, Column, FileError, NAMED_MOST, NumberWriter, Options, Row, RowReader, Seen,
    Tally, WriteMode,
};

/// A chunk ends here too, however few rows it has.
const BYTES_MOST: usize = 4 * 1024 * 1024;

/// Some rows of the file, checked, as CSV for one request.
pub(super) struct Chunk {
    writer: NumberWriter<Vec<u8>>,
    lines: Vec<u64>,
    numbers: HashSet<PhoneNumber>,
    unsent: Tally,
    bad: Vec<BadRow>,
}

impl Chunk {
    /// Sends these columns, and no others: what the file has not must stay as it is.
    pub(super) fn new(columns: &[Column]) -> Self {
        Self {
            writer: NumberWriter::with_columns(Vec::new(), columns)
                .expect("a Vec takes all that is written"),
            lines: Vec::new(),
            numbers: HashSet::new(),
            unsent: Tally::default(),
            bad: Vec::new(),
        }
    }

    /// How many rows are to be sent.
    pub(super) fn rows(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn numbers(&self) -> &HashSet<PhoneNumber> {
        &self.numbers
    }

    /// The body of the request.
    pub(super) fn body(&self) -> &[u8] {
        self.writer.get_ref()
    }

    /// What became of the rows that are not sent, and the bad ones among them; once.
    pub(super) fn take_unsent(&mut self) -> (Tally, Vec<BadRow>) {
        (
            std::mem::take(&mut self.unsent),
            std::mem::take(&mut self.bad),
        )
    }

    /// A row that the service refused, with its line in the file: the body has a header and one line for each row.
    pub(super) fn in_file(&self, row: BadRow) -> BadRow {
        let place = row
            .line
            .checked_sub(2)
            .and_then(|place| usize::try_from(place).ok());
        let line = place.and_then(|place| self.lines.get(place).copied());
        BadRow {
            line: line.unwrap_or(row.line),
            ..row
        }
    }

    /// Cells that the row leaves empty are sent so: they may leave what is there as it is.
    fn push(&mut self, line: u64, number: &Number, fields: Fields) {
        self.writer
            .write_fields(number, fields)
            .expect("a Vec takes all that is written");
        self.lines.push(line);
        self.numbers.insert(number.number);
    }

    fn push_bad(&mut self, row: BadRow) {
        self.unsent.count(Written::Exists);
        self.bad.push(row);
    }

    fn is_full(&self) -> bool {
        let rows = self.lines.len() + self.bad.len();
        rows >= NAMED_MOST || self.body().len() >= BYTES_MOST
    }
}

/// Fills chunks from the file.
pub(super) struct Filler {
    options: Options,
    seen: Seen,
}

impl Filler {
    pub(super) fn new(options: Options) -> Self {
        Self {
            options,
            seen: Seen::default(),
        }
    }

    /// Reads rows until `chunk` is full; false at the end of the file.
    pub(super) fn fill(
        &mut self,
        reader: &mut RowReader<impl Read>,
        chunk: &mut Chunk,
    ) -> Result<bool, FileError> {
        while !chunk.is_full() {
            match reader.next_row()? {
                None => return Ok(false),
                Some(Row::Bad(row)) => chunk.push_bad(row),
                Some(Row::Good(line, number)) if self.is_new(number.number) => {
                    chunk.push(line, &number, reader.fields());
                }
                Some(Row::Good(line, number)) => self.foresee(line, number.number, chunk),
            }
        }
        Ok(true)
    }

    /// A dry run's requests write nothing, so the service cannot see that an earlier one had the number.
    fn is_new(&mut self, number: PhoneNumber) -> bool {
        self.options.mode == WriteMode::Write || self.seen.insert(number)
    }

    fn foresee(&self, line: u64, number: PhoneNumber, chunk: &mut Chunk) {
        match self.options.on_duplicate {
            OnDuplicate::Skip => chunk.unsent.count(Written::Skipped),
            OnDuplicate::Update(_) => chunk.unsent.count(Written::Updated),
            OnDuplicate::Fail => chunk.push_bad(BadRow {
                line,
                caller_id: number.to_string(),
                reason: rows::exists_reason(number),
            }),
        }
    }
}
