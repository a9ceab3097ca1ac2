//! A file on its way into the inventory: read on a thread of its own, row by row, into batches.

use std::io::Read;

use caller_id_core::store::{Fields, OnDuplicate};
use caller_id_core::{Number, PhoneNumber};
use tokio::sync::{mpsc, oneshot};

use super::BadRow;
use super::file_error::FileError;
use super::intake::{Form, Options};
use super::json::JsonReader;
use super::reader::{Row, RowReader};

/// A batch ends here too, however few rows it has, so that long rows do not fill the memory.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Reads on a thread of its own: it may wait long for its input, and must not take the place of the store's work.
/// It ends with its input, or when nobody listens to `parts`.
pub(super) fn spawn_reader<R: Read + Send + 'static>(
    input: R,
    options: Options,
    parts: mpsc::Sender<Part>,
) -> std::io::Result<oneshot::Receiver<Result<(), FileError>>> {
    let (end, ended) = oneshot::channel();
    let reading = move || {
        let read = read(input, options, &parts);
        // First the end, then the close of `parts`; where nobody listens, nobody needs to know.
        let _ = end.send(read);
    };
    std::thread::Builder::new()
        .name("import".to_owned())
        .spawn(reading)?;
    Ok(ended)
}

/// What a reader gives.
pub(super) enum Part {
    /// The columns that mean nothing to us, as far as they are known.
    Unknown(Vec<String>),
    Batch(Batch),
}

/// Rows that are written together.
pub(super) struct Batch {
    /// The fields that its good rows give.
    pub(super) fields: Fields,
    /// The good rows: the line each begins on, and its number.
    pub(super) rows: Vec<(u64, PhoneNumber)>,
    pub(super) numbers: Vec<Number>,
    pub(super) bad: Vec<BadRow>,
    bytes: usize,
}

impl Batch {
    const fn of(fields: Fields) -> Self {
        Self {
            fields,
            rows: Vec::new(),
            numbers: Vec::new(),
            bad: Vec::new(),
            bytes: 0,
        }
    }

    fn push(&mut self, row: Row) {
        match row {
            Row::Good(line, number) => {
                self.bytes += size(&number);
                self.rows.push((line, number.number));
                self.numbers.push(number);
            }
            Row::Bad(row) => {
                self.bytes += row.reason.len();
                self.bad.push(row);
            }
        }
    }

    fn is_full(&self, batch_rows: usize) -> bool {
        self.numbers.len() + self.bad.len() >= batch_rows || self.bytes >= BATCH_BYTES
    }
}

/// About how much memory the parts of `number` take that have no fixed size.
fn size(number: &Number) -> usize {
    let meta = number
        .meta
        .as_ref()
        .map_or(0, |meta| meta.to_string().len());
    number.carrier.as_ref().map_or(0, String::len) + meta * 4
}

/// A reader of either form.
enum Reader<R> {
    Csv(Box<RowReader<R>>),
    Ndjson(JsonReader<R>),
}

impl<R: Read> Reader<R> {
    fn open(input: R, form: Form) -> Result<Self, FileError> {
        Ok(match form {
            Form::Csv => Self::Csv(Box::new(RowReader::open(input)?)),
            Form::Ndjson => Self::Ndjson(JsonReader::open(input)?),
        })
    }

    /// The next row, and the fields that it gives.
    fn next_row(&mut self) -> Result<Option<(Row, Fields)>, FileError> {
        match self {
            Self::Csv(reader) => {
                let row = reader.next_row()?;
                Ok(row.map(|row| (row, reader.fields())))
            }
            Self::Ndjson(reader) => reader.next_row(),
        }
    }

    fn unknown(&self) -> &[String] {
        match self {
            Self::Csv(reader) => reader.unknown_columns(),
            Self::Ndjson(reader) => reader.unknown(),
        }
    }
}

/// Gives batches to whoever listens.
struct Sender<'a> {
    parts: &'a mpsc::Sender<Part>,
    unknown_told: usize,
}

impl Sender<'_> {
    /// Tells whether anybody listens.
    fn send(&mut self, batch: Batch, unknown: &[String]) -> bool {
        if unknown.len() > self.unknown_told {
            self.unknown_told = unknown.len();
            if self.give(Part::Unknown(unknown.to_vec())).is_none() {
                return false;
            }
        }
        self.give(Part::Batch(batch)).is_some()
    }

    fn give(&self, part: Part) -> Option<()> {
        self.parts.blocking_send(part).ok()
    }
}

/// Reads to the end, or until nobody listens.
fn read<R: Read>(input: R, options: Options, parts: &mpsc::Sender<Part>) -> Result<(), FileError> {
    let mut reader = Reader::open(input, options.form)?;
    let mut sender = Sender {
        parts,
        unknown_told: 0,
    };
    let is_update = matches!(options.on_duplicate, OnDuplicate::Update(_));
    let mut batch = Batch::of(Fields::NONE);
    loop {
        let (row, fields) = match reader.next_row() {
            Ok(Some(read)) => read,
            ended => {
                sender.send(batch, reader.unknown());
                return ended.map(drop);
            }
        };
        let is_good = matches!(row, Row::Good(..));
        let differs = is_good && fields != batch.fields;
        let mut listens = true;
        if differs && is_update && !batch.numbers.is_empty() {
            let whole = std::mem::replace(&mut batch, Batch::of(fields));
            listens = sender.send(whole, reader.unknown());
        } else if differs {
            batch.fields = fields;
        }
        batch.push(row);
        if listens && batch.is_full(options.batch_rows) {
            let next = Batch::of(batch.fields);
            let whole = std::mem::replace(&mut batch, next);
            listens = sender.send(whole, reader.unknown());
        }
        if !listens {
            return Ok(());
        }
    }
}
