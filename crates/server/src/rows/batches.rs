//! A file on its way into the inventory: read on a thread of its own, row by row, into batches.

use std::collections::HashSet;
use std::io::Read;

use caller_id_core::store::{Fields, OnDuplicate};
use caller_id_core::{Number, PhoneNumber};
use tokio::sync::{mpsc, oneshot};

use super::BadRow;
use super::file_error::FileError;
use super::intake::{Form, Options};
use super::json::JsonReader;
use super::reader::{Row, RowReader};
use crate::app::step_back;

/// A batch ends here too, however few rows it has, so that long rows do not fill the memory.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Reads on a thread of its own: it may wait long for its input, and must not take the place of the store's work. Calls need
/// the processor more than it does.
/// It ends with its input, or when nobody listens to `parts`.
pub(super) fn spawn_reader<R: Read + Send + 'static>(
    input: R,
    options: Options,
    parts: mpsc::Sender<Part>,
) -> std::io::Result<oneshot::Receiver<Result<(), FileError>>> {
    let (end, ended) = oneshot::channel();
    let reading = move || {
        step_back();
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
    let mut open = Open::default();
    loop {
        let (row, fields) = match reader.next_row() {
            Ok(Some(read)) => read,
            ended => {
                open.send_all(&mut sender, reader.unknown());
                return ended.map(drop);
            }
        };
        // Only an update asks which fields a row gives.
        let fields = if is_update { fields } else { Fields::ALL };
        let mut listens = true;
        if is_update && open.is_in_the_way(&row, fields) {
            listens = open.send_all(&mut sender, reader.unknown());
        }
        open.push(row, fields);
        if listens && open.is_full(options.batch_rows) {
            listens = open.send_all(&mut sender, reader.unknown());
        }
        if !listens {
            return Ok(());
        }
    }
}

/// Batches that are not sent yet, one for each set of fields that rows give: a file of which rows leave out now this and now
/// that is not written row by row.
#[derive(Default)]
struct Open {
    batches: Vec<Batch>,
    /// The numbers in them.
    numbers: HashSet<PhoneNumber>,
}

impl Open {
    /// Whether the row must wait until all of these are written: its number is in another of them, or they are enough.
    fn is_in_the_way(&self, row: &Row, fields: Fields) -> bool {
        /// So many sets of fields are told apart at once.
        const MOST: usize = 32;
        let Row::Good(_, number) = row else {
            return false;
        };
        let is_new = self.batches.iter().all(|batch| batch.fields != fields);
        let is_twice = self.numbers.contains(&number.number);
        let is_elsewhere = is_twice && (is_new || self.batches.len() > 1);
        is_elsewhere || is_new && self.batches.len() >= MOST
    }

    fn push(&mut self, row: Row, fields: Fields) {
        let of = match &row {
            Row::Good(_, number) => {
                self.numbers.insert(number.number);
                self.batches.iter().position(|batch| batch.fields == fields)
            }
            // What is bad of a row is told with any.
            Row::Bad(_) => self.batches.first().map(|_| 0),
        };
        let place = of.unwrap_or(self.batches.len());
        if place == self.batches.len() {
            self.batches.push(Batch::of(fields));
        }
        self.batches[place].push(row);
    }

    fn is_full(&self, batch_rows: usize) -> bool {
        let rows = |batch: &Batch| batch.numbers.len() + batch.bad.len();
        let bytes: usize = self.batches.iter().map(|batch| batch.bytes).sum();
        self.batches.iter().map(rows).sum::<usize>() >= batch_rows || bytes >= BATCH_BYTES
    }

    /// Tells whether anybody listens.
    fn send_all(&mut self, sender: &mut Sender<'_>, unknown: &[String]) -> bool {
        self.numbers.clear();
        let mut whole = std::mem::take(&mut self.batches);
        if whole.is_empty() {
            whole.push(Batch::of(Fields::ALL));
        }
        whole.into_iter().all(|batch| sender.send(batch, unknown))
    }
}
