//! From a file into the inventory, batch by batch.

use std::io::Read;
use std::sync::Arc;

use caller_id_core::store::{Fields, OnDuplicate, Written};
use caller_id_core::{Author, InventoryStore, Number, PhoneNumber, StoreError};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

use super::file_error::FileError;
use super::foresight::Foresight;
use super::json::JsonReader;
use super::reader::{Row, RowReader};
use super::{BadRow, on_duplicate_word};

/// A batch ends here too, however few rows it has, so that long rows do not fill the memory.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Batches read ahead while one is written.
const BATCHES_AHEAD: usize = 1;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Comma-separated values.
    Csv,
    /// One JSON object a line. Where numbers that are there are updated, lines with the same fields go together: a file of
    /// which each line has other ones than the line before takes long.
    Ndjson,
}

/// Whether an import writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteMode {
    /// It does.
    Write,
    /// It tells what it would do.
    DryRun,
}

/// How to take a file in.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How the file is written.
    pub form: Form,
    /// What to do with numbers that are there. An update takes only the fields that the file has a column for.
    pub on_duplicate: OnDuplicate,
    /// Whether to write.
    pub mode: WriteMode,
    /// Rows of one transaction.
    pub batch_rows: usize,
}

/// Where rows go.
#[derive(Clone)]
pub struct Target {
    /// Takes them.
    pub store: Arc<dyn InventoryStore>,
    /// Who imports them, for the audit log.
    pub by: Author,
}

/// How many rows there were, and what became of them.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    serde::Serialize,
    serde::Deserialize,
    utoipa::ToSchema,
)]
pub struct Tally {
    /// Numbers that are new.
    pub added: u64,
    /// Numbers that were there and have the row's values now.
    pub updated: u64,
    /// Numbers that were there and stay as they are.
    pub skipped: u64,
    /// Bad rows.
    pub failed: u64,
    /// All rows read.
    pub rows: u64,
}

impl Tally {
    /// Counts `more` in.
    pub fn add(&mut self, more: &Self) {
        self.added += more.added;
        self.updated += more.updated;
        self.skipped += more.skipped;
        self.failed += more.failed;
        self.rows += more.rows;
    }

    /// Counts one row.
    pub fn count(&mut self, written: Written) {
        self.rows += 1;
        match written {
            Written::Added => self.added += 1,
            Written::Updated => self.updated += 1,
            Written::Skipped => self.skipped += 1,
            Written::Exists => self.failed += 1,
        }
    }
}

/// Who wants to know how an import goes.
pub trait Watcher: Send {
    /// The header was read; these columns are kept out.
    fn unknown_columns(&mut self, names: &[String]);

    /// A row was not written.
    fn bad_row(&mut self, row: BadRow);

    /// A batch was written.
    fn progress(&mut self, tally: &Tally);
}

/// Why an import ended before its file did.
#[derive(Debug, Error)]
pub enum Stop {
    /// The file cannot be read, or not to its end.
    #[error(transparent)]
    File(#[from] FileError),
    /// The store refused a batch, of which nothing was written then.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What an import did. Batches written before it stopped stay written.
#[derive(Debug)]
pub struct Intake<E = Stop> {
    /// What became of the rows.
    pub tally: Tally,
    /// Why it ended early, if it did.
    pub stopped: Option<E>,
}

/// Reads numbers from `input` and writes them to `target`, one transaction a batch. Rows that cannot be written are told
/// to `watcher`. Memory stays bounded, however long the file.
pub async fn take_in<R: Read + Send + 'static>(
    input: R,
    target: Target,
    options: Options,
    watcher: &mut dyn Watcher,
) -> Intake {
    take(input, Some(target), options, watcher).await
}

/// Tells what [`take_in`] would do with an inventory that is not made yet.
pub async fn foresee_new<R: Read + Send + 'static>(
    input: R,
    options: Options,
    watcher: &mut dyn Watcher,
) -> Intake {
    take(input, None, options, watcher).await
}

async fn take<R: Read + Send + 'static>(
    input: R,
    target: Option<Target>,
    options: Options,
    watcher: &mut dyn Watcher,
) -> Intake {
    let (sender, mut parts) = mpsc::channel(BATCHES_AHEAD);
    let mut intake = Intake {
        tally: Tally::default(),
        stopped: None,
    };
    let ended = match spawn_reader(input, options, sender) {
        Ok(ended) => ended,
        Err(error) => {
            intake.stopped = Some(StoreError::Failed(error.into()).into());
            return intake;
        }
    };
    let mut foresight = Foresight::default();
    while let Some(part) = parts.recv().await {
        let batch = match part {
            Part::Batch(batch) => batch,
            Part::Unknown(names) => {
                watcher.unknown_columns(&names);
                continue;
            }
        };
        let Batch {
            fields,
            rows,
            numbers,
            bad,
            ..
        } = batch;
        let on_duplicate = match options.on_duplicate {
            OnDuplicate::Update(_) => OnDuplicate::Update(fields),
            other => other,
        };
        let written = match &target {
            _ if numbers.is_empty() => Ok(Vec::new()),
            Some(target) if options.mode == WriteMode::Write => {
                let Target { store, by } = target;
                store.write_numbers(numbers, on_duplicate, by).await
            }
            target => {
                let store = target.as_ref().map(|target| &*target.store);
                let numbers = rows.iter().map(|(_, number)| *number);
                foresight.tell(store, numbers, on_duplicate).await
            }
        };
        match written {
            Ok(written) => settle(&rows, bad, &written, &mut intake.tally, watcher),
            Err(error) => {
                intake.stopped = Some(error.into());
                return intake;
            }
        }
        watcher.progress(&intake.tally);
    }
    intake.stopped = match ended.await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.into()),
        Err(_) => Some(StoreError::Closed.into()),
    };
    intake
}

/// Reads on a thread of its own: it may wait long for its input, and must not take the place of the store's work.
/// It ends with its input, or when nobody listens to `parts`.
fn spawn_reader<R: Read + Send + 'static>(
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

/// The reason of a row whose number is in the inventory.
pub fn exists_reason(number: PhoneNumber) -> String {
    format!(
        "number {number} exists already, and on-duplicate is `{}`",
        on_duplicate_word(OnDuplicate::Fail)
    )
}

enum Part {
    /// The columns that mean nothing to us, as far as they are known.
    Unknown(Vec<String>),
    Batch(Batch),
}

struct Batch {
    /// The fields that its good rows give.
    fields: Fields,
    /// The good rows: the line each begins on, and its number.
    rows: Vec<(u64, PhoneNumber)>,
    numbers: Vec<Number>,
    bad: Vec<BadRow>,
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

/// Counts a batch and tells its bad rows in the order of their lines.
fn settle(
    rows: &[(u64, PhoneNumber)],
    mut bad: Vec<BadRow>,
    written: &[Written],
    tally: &mut Tally,
    watcher: &mut dyn Watcher,
) {
    tally.rows += bad.len() as u64;
    tally.failed += bad.len() as u64;
    for ((line, number), written) in rows.iter().zip(written) {
        tally.count(*written);
        if *written == Written::Exists {
            bad.push(BadRow {
                line: *line,
                caller_id: number.to_string(),
                reason: exists_reason(*number),
            });
        }
    }
    bad.sort_by_key(|row| row.line);
    bad.into_iter().for_each(|row| watcher.bad_row(row));
}
