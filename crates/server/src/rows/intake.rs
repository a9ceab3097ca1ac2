//! From a file into the inventory, batch by batch.

use std::io::Read;
use std::sync::Arc;

use caller_id_core::store::{OnDuplicate, Written};
use caller_id_core::{InventoryStore, Number, PhoneNumber, StoreError};
use futures_util::future::try_join_all;
use thiserror::Error;
use tokio::sync::mpsc;

use super::file_error::FileError;
use super::reader::{Row, RowReader};
use super::seen::Seen;
use super::{BadRow, on_duplicate_word};

/// A batch ends here too, however few rows it has, so that long rows do not fill the memory.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Batches read ahead while one is written.
const BATCHES_AHEAD: usize = 2;
/// Look-ups of a dry run that are under way at once.
const LOOK_UPS: usize = 256;

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
    /// What to do with numbers that are there.
    pub on_duplicate: OnDuplicate,
    /// Whether to write.
    pub mode: WriteMode,
    /// Rows of one transaction.
    pub batch_rows: usize,
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

/// Reads numbers from `input` and writes them to `store`, one transaction a batch. Rows that cannot be written are told
/// to `watcher`. Memory stays bounded, however long the file.
pub async fn take_in<R: Read + Send + 'static>(
    input: R,
    store: Arc<dyn InventoryStore>,
    options: Options,
    watcher: &mut dyn Watcher,
) -> Intake {
    let (sender, mut parts) = mpsc::channel(BATCHES_AHEAD);
    let reading = tokio::task::spawn_blocking(move || read(input, options.batch_rows, &sender));
    let mut intake = Intake {
        tally: Tally::default(),
        stopped: None,
    };
    let mut seen = Seen::default();
    while let Some(part) = parts.recv().await {
        match part {
            Part::UnknownColumns(names) => watcher.unknown_columns(&names),
            Part::Batch(batch) => {
                let taken = match options.mode {
                    WriteMode::Write => write(&*store, &batch, options.on_duplicate).await,
                    WriteMode::DryRun => {
                        foresee(&*store, &batch, options.on_duplicate, &mut seen).await
                    }
                };
                match taken {
                    Ok(written) => settle(batch, &written, &mut intake.tally, watcher),
                    Err(error) => {
                        intake.stopped = Some(error.into());
                        return intake;
                    }
                }
                watcher.progress(&intake.tally);
            }
        }
    }
    intake.stopped = match reading.await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.into()),
        Err(_) => Some(StoreError::Closed.into()),
    };
    intake
}

/// The reason of a row whose number is in the inventory.
pub fn exists_reason(number: PhoneNumber) -> String {
    format!(
        "number {number} exists already, and on-duplicate is `{}`",
        on_duplicate_word(OnDuplicate::Fail)
    )
}

enum Part {
    UnknownColumns(Vec<String>),
    Batch(Batch),
}

#[derive(Default)]
struct Batch {
    lines: Vec<u64>,
    numbers: Vec<Number>,
    bad: Vec<BadRow>,
    bytes: usize,
}

impl Batch {
    fn push(&mut self, row: Row) {
        match row {
            Row::Good(line, number) => {
                self.bytes += size(&number);
                self.lines.push(line);
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

/// Reads to the end, or until nobody listens.
fn read<R: Read>(input: R, batch_rows: usize, parts: &mpsc::Sender<Part>) -> Result<(), FileError> {
    let mut reader = RowReader::open(input)?;
    if !reader.unknown_columns().is_empty() {
        let names = reader.unknown_columns().to_vec();
        if parts.blocking_send(Part::UnknownColumns(names)).is_err() {
            return Ok(());
        }
    }
    let mut batch = Batch::default();
    loop {
        let row = reader.next_row();
        let last = !matches!(row, Ok(Some(_)));
        let ended = match row {
            Ok(Some(row)) => {
                batch.push(row);
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if last || batch.is_full(batch_rows) {
            let full = Part::Batch(std::mem::take(&mut batch));
            if parts.blocking_send(full).is_err() || last {
                return ended;
            }
        }
    }
}

async fn write(
    store: &dyn InventoryStore,
    batch: &Batch,
    on_duplicate: OnDuplicate,
) -> Result<Vec<Written>, StoreError> {
    if batch.numbers.is_empty() {
        return Ok(Vec::new());
    }
    store
        .write_numbers(batch.numbers.clone(), on_duplicate)
        .await
}

/// What [`write`] would tell.
async fn foresee(
    store: &dyn InventoryStore,
    batch: &Batch,
    on_duplicate: OnDuplicate,
    seen: &mut Seen,
) -> Result<Vec<Written>, StoreError> {
    let mut foreseen = Vec::with_capacity(batch.numbers.len());
    for some in batch.numbers.chunks(LOOK_UPS) {
        let owned = try_join_all(some.iter().map(|number| store.number(number.number))).await?;
        for (number, owned) in some.iter().zip(owned) {
            let new = seen.insert(number.number) && owned.is_none();
            foreseen.push(match on_duplicate {
                _ if new => Written::Added,
                OnDuplicate::Skip => Written::Skipped,
                OnDuplicate::Update => Written::Updated,
                OnDuplicate::Fail => Written::Exists,
            });
        }
    }
    Ok(foreseen)
}

/// Counts a batch and tells its bad rows in the order of their lines.
fn settle(batch: Batch, written: &[Written], tally: &mut Tally, watcher: &mut dyn Watcher) {
    let mut bad = batch.bad;
    tally.rows += bad.len() as u64;
    tally.failed += bad.len() as u64;
    for ((number, line), written) in batch.numbers.iter().zip(batch.lines).zip(written) {
        tally.count(*written);
        if *written == Written::Exists {
            bad.push(BadRow {
                line,
                caller_id: number.number.to_string(),
                reason: exists_reason(number.number),
            });
        }
    }
    bad.sort_by_key(|row| row.line);
    for row in bad {
        watcher.bad_row(row);
    }
}
