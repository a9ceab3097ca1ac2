//! Records: one line, or several where a quoted field holds line ends.

use std::io::{self, BufRead};

use super::lines::{BYTES_MOST, Line, Lines};
use super::splitter::{Progress, Splitter};

/// The records of a file. Blank lines are none.
pub(super) struct Records<R> {
    lines: Lines<R>,
    splitter: Splitter,
    line: Line,
    started_on: u64,
    fields_most: usize,
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A record, in [`Records::field`].
    Record,
    /// A line that is none, and why. What could be read of it is in [`Records::field`].
    Broken(String),
    /// The end of the file.
    End,
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(lines: Lines<R>, delimiter: u8, fields_most: usize) -> Self {
        Self {
            lines,
            splitter: Splitter::new(delimiter),
            line: Line::default(),
            started_on: 0,
            fields_most,
        }
    }

    /// Sets how many fields a record has that goes on for several lines.
    pub(super) fn set_fields_most(&mut self, fields_most: usize) {
        self.fields_most = fields_most;
    }

    /// The line that the record read last began on.
    pub(super) fn started_on(&self) -> u64 {
        self.started_on
    }

    pub(super) fn lines(&self) -> &Lines<R> {
        &self.lines
    }

    pub(super) fn len(&self) -> usize {
        self.splitter.len()
    }

    pub(super) fn has_nul(&self) -> bool {
        self.splitter.has_nul()
    }

    pub(super) fn field(&self, index: usize) -> Option<&[u8]> {
        self.splitter.field(index)
    }

    pub(super) fn read(&mut self) -> io::Result<Next> {
        loop {
            if !self.lines.read(&mut self.line)? {
                return Ok(Next::End);
            }
            if !self.line.bytes.trim_ascii().is_empty() || self.line.too_long {
                break;
            }
        }
        self.started_on = self.lines.number();
        self.splitter.begin();
        let progress = self.splitter.push(&self.line.bytes);
        if self.line.too_long {
            return Ok(Next::Broken(format!(
                "is longer than {BYTES_MOST} bytes, the most a row may have"
            )));
        }
        match progress {
            Progress::Whole => Ok(Next::Record),
            Progress::Broken(reason) => Ok(Next::Broken(reason.to_owned())),
            Progress::Open => self.read_on(),
        }
    }

    /// Reads lines until the open quote is closed. Where that does not work out, only the first line is bad:
    /// the others are given back. A record may not have more fields than the header, so this looks few lines ahead.
    fn read_on(&mut self) -> io::Result<Next> {
        let mut bytes = self.line.bytes.len();
        let mut ahead: Vec<Line> = Vec::new();
        while self.splitter.len() < self.fields_most {
            let mut line = Line::default();
            if !self.lines.read(&mut line)? {
                break;
            }
            bytes += line.bytes.len();
            let within = bytes <= BYTES_MOST && !line.too_long;
            let progress = within.then(|| self.splitter.push(&line.bytes));
            ahead.push(line);
            match progress {
                Some(Progress::Whole) => return Ok(Next::Record),
                Some(Progress::Open) => {}
                Some(Progress::Broken(_)) | None => break,
            }
        }
        self.lines.give_back(ahead);
        self.splitter.begin();
        self.splitter.push(&self.line.bytes);
        self.splitter.give_up();
        Ok(Next::Broken(
            "has a quote that is opened and not closed".to_owned(),
        ))
    }
}
