//! Physical lines of bounded length, which can be given back.

use std::collections::VecDeque;
use std::io::{self, BufRead};

/// The longest line, and the longest record, in bytes. Longer ones are bad rows.
pub(super) const BYTES_MOST: usize = 256 * 1024;
/// What is kept of a line that is too long, so that the report can show its first fields.
const KEPT_BYTES: usize = 256;

/// One line with its terminator (`\n`, `\r\n` or `\r`).
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) bytes: Vec<u8>,
    /// More than [`BYTES_MOST`] long: only its start is here.
    pub(super) too_long: bool,
}

/// The lines of a stream, counted from 1.
pub(super) struct Lines<R> {
    input: R,
    given_back: VecDeque<Line>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            given_back: VecDeque::new(),
            number: 0,
        }
    }

    /// The number of the line read last, 0 before the first.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn input(&self) -> &R {
        &self.input
    }

    /// Reads the next line into `line`; false at the end.
    pub(super) fn read(&mut self, line: &mut Line) -> io::Result<bool> {
        if let Some(earlier) = self.given_back.pop_front() {
            *line = earlier;
            self.number += 1;
            return Ok(true);
        }
        line.bytes.clear();
        line.too_long = false;
        let some = self.read_on(line)?;
        self.number += u64::from(some);
        Ok(some)
    }

    /// Takes lines back that were read last, in their order: they will be read again.
    pub(super) fn give_back(&mut self, lines: Vec<Line>) {
        self.number -= lines.len() as u64;
        for line in lines.into_iter().rev() {
            self.given_back.push_front(line);
        }
    }

    fn read_on(&mut self, line: &mut Line) -> io::Result<bool> {
        let mut some = false;
        loop {
            let buffer = fill(&mut self.input)?;
            if buffer.is_empty() {
                return Ok(some);
            }
            some = true;
            let end = buffer.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let taken = end.map_or(buffer.len(), |end| end + 1);
            line.take(&buffer[..taken]);
            let carriage_return = end.is_some_and(|end| buffer[end] == b'\r');
            self.input.consume(taken);
            if carriage_return && fill(&mut self.input)?.first() == Some(&b'\n') {
                line.take(b"\n");
                self.input.consume(1);
            }
            if end.is_some() {
                return Ok(true);
            }
        }
    }
}

impl Line {
    fn take(&mut self, more: &[u8]) {
        if self.too_long {
            return;
        }
        if self.bytes.len() + more.len() > BYTES_MOST {
            self.too_long = true;
            let room = KEPT_BYTES.saturating_sub(self.bytes.len());
            self.bytes.extend_from_slice(&more[..room.min(more.len())]);
            self.bytes.truncate(KEPT_BYTES);
            self.bytes.shrink_to_fit();
        } else {
            self.bytes.extend_from_slice(more);
        }
    }
}

fn fill(input: &mut impl BufRead) -> io::Result<&[u8]> {
    loop {
        match input.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    // Asked again because the borrow of the loop's answer would outlive the loop; it is buffered, so nothing is read.
    input.fill_buf()
}
