//! A file of numbers as NDJSON: one JSON object a line, with the names that the API has.

use std::io::Read;

use caller_id_core::store::Fields;
use caller_id_core::text::shown;
use serde_json::{Map, Value};

use super::cells::{self, too_large};
use super::file_error::FileError;
use super::header::{Column, field};
use super::lines::{BYTES_MOST, Line, Lines};
use super::source::Source;
use super::{BadRow, Row};

/// Most names that mean nothing to us and are told.
const UNKNOWN_MOST: usize = 64;
/// With the status `resting`: until when.
const RESTING_UNTIL: &str = "resting_until";

/// Reads numbers from NDJSON: plain or gzip, UTF-8. Holds one line at a time, of 256 KiB at most.
pub(super) struct JsonReader<R> {
    /// None: there is nothing in the file.
    lines: Option<Lines<Source<R>>>,
    line: Line,
    unknown: Vec<String>,
}

impl<R: Read> JsonReader<R> {
    pub(super) fn open(input: R) -> Result<Self, FileError> {
        let lines = match Source::open(input) {
            Ok(source) => Some(Lines::new(source)),
            // No numbers at all are a file, too.
            Err(FileError::Empty) => None,
            Err(error) => return Err(error),
        };
        Ok(Self {
            lines,
            line: Line::default(),
            unknown: Vec::new(),
        })
    }

    /// Names that mean nothing to us, of those read so far.
    pub(super) fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// The next row, and the fields that it gives.
    pub(super) fn next_row(&mut self) -> Result<Option<(Row, Fields)>, FileError> {
        let Some(lines) = &mut self.lines else {
            return Ok(None);
        };
        loop {
            let read = lines.read(&mut self.line);
            if !read.map_err(|source| lines.input().error(lines.number(), source))? {
                return Ok(None);
            }
            if !self.line.bytes.trim_ascii().is_empty() || self.line.too_long {
                break;
            }
        }
        let line = lines.number();
        let bad = |caller_id: String, reason: String| {
            let row = BadRow {
                line,
                caller_id,
                reason,
            };
            Ok(Some((Row::Bad(row), Fields::NONE)))
        };
        if self.line.too_long {
            let reason = format!("is longer than {BYTES_MOST} bytes, the most a row may have");
            return bad(String::new(), reason);
        }
        let members = match object(&self.line.bytes) {
            Ok(members) => members,
            Err(reason) => return bad(String::new(), reason),
        };
        let row = JsonRow::new(&members, &mut self.unknown);
        match row.and_then(|row| row.number(&self.line.bytes)) {
            Ok((number, fields)) => Ok(Some((Row::Good(line, number), fields))),
            Err(reason) => bad(caller_id(&members), reason),
        }
    }
}

fn object(line: &[u8]) -> Result<Map<String, Value>, String> {
    match serde_json::from_slice(line) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err("is no JSON object, one is expected on each line".to_owned()),
        Err(error) => Err(format!("is no JSON ({error}), an object is expected")),
    }
}

/// The number as far as it can be shown.
fn caller_id(members: &Map<String, Value>) -> String {
    let mut columns = members.iter();
    let found = columns.find(|(name, _)| Column::from_title(name) == Some(Column::CallerId));
    found.map_or_else(String::new, |(_, value)| match value {
        Value::String(text) => shown(text.trim()),
        value => shown(&value.to_string()),
    })
}

/// The members of a line, as the cells of a row.
struct JsonRow {
    cells: [Option<String>; Column::ALL.len()],
}

impl JsonRow {
    fn new(members: &Map<String, Value>, unknown: &mut Vec<String>) -> Result<Self, String> {
        let mut row = Self {
            cells: Default::default(),
        };
        for (name, value) in members {
            let Some(column) = Column::from_title(name) else {
                if name != RESTING_UNTIL {
                    note(unknown, name);
                }
                continue;
            };
            let cell = cell(column, value)?;
            if row.cells[column as usize].replace(cell).is_some() {
                return Err(format!("has {column} twice, under two names"));
            }
        }
        row.rests(members.get(RESTING_UNTIL))?;
        Ok(row)
    }

    /// `resting` and its instant are one cell.
    fn rests(&mut self, until: Option<&Value>) -> Result<(), String> {
        let status = &mut self.cells[Column::Status as usize];
        match until {
            None | Some(Value::Null) => Ok(()),
            Some(Value::String(until)) if status.as_deref() == Some("resting") => {
                *status = Some(format!("resting:{}", until.trim()));
                Ok(())
            }
            Some(_) => Err(format!(
                "has {RESTING_UNTIL}, which goes with the status resting and is an instant"
            )),
        }
    }

    fn number(&self, line: &[u8]) -> Result<(caller_id_core::Number, Fields), String> {
        let meta = self.cells[Column::Meta as usize].as_deref();
        if meta.is_some_and(|meta| !meta.is_empty()) {
            // Such digits were lost when the line was read.
            let text = String::from_utf8_lossy(line);
            if let Some(number) = too_large(&text) {
                return Err(format!(
                    "has the number `{}`, of which digits would be lost, expected it in quotes",
                    shown(number)
                ));
            }
        }
        let cell = |column: Column| self.cells[column as usize].as_deref().unwrap_or_default();
        let number = cells::number(cell)?;
        let given = Column::ALL.into_iter();
        let given = given.filter(|column| {
            let cell = self.cells[*column as usize].as_deref();
            cell.is_some_and(|cell| !cells::is_left(*column, cell))
        });
        let fields = given.filter_map(field).fold(Fields::NONE, Fields::with);
        Ok((number, fields))
    }
}

/// `null` is no limit, and of all else nothing.
fn cell(column: Column, value: &Value) -> Result<String, String> {
    let text = match (column, value) {
        (Column::DailyLimit | Column::HourlyLimit, Value::Null) => "none".to_owned(),
        (_, Value::Null) => String::new(),
        (Column::Meta, Value::Object(_)) => value.to_string(),
        (_, Value::String(text)) => text.trim().to_owned(),
        (_, Value::Number(number)) => number.to_string(),
        (Column::Meta, _) => return Err("meta is no JSON object, expected {…} or null".to_owned()),
        (column, _) => return Err(format!("{column} is neither a text nor a number nor null")),
    };
    match text.contains('\0') {
        true => Err(format!("{column} has a NUL character, text expected")),
        false => Ok(text),
    }
}

fn note(unknown: &mut Vec<String>, name: &str) {
    let name = shown(name);
    if unknown.len() < UNKNOWN_MOST && !unknown.contains(&name) {
        unknown.push(name);
    }
}
