//! From a file into the inventory, batch by batch.

use std::io::Read;
use std::sync::Arc;

use caller_id_core::store::{OnDuplicate, Written};
use caller_id_core::{Author, InventoryStore, PhoneNumber, StoreError};
use thiserror::Error;
use tokio::sync::mpsc;

use super::batches::{Batch, Part, spawn_reader};
use super::file_error::FileError;
use super::foresight::Foresight;
use super::new_pools::NewPools;
use super::{BadRow, on_duplicate_word};
use crate::sync::{Bringing, InventorySync};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
    /// Brings them to the engine while the rest is written, where this process has one.
    pub sync: Option<Arc<InventorySync>>,
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

    /// Rows name a pool that was not there: it is made, or would be.
    fn new_pool(&mut self, _name: &str) {}

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
    let mut pools = NewPools::default();
    let sync = target.as_ref().and_then(|target| target.sync.clone());
    let mut bringing = Bringing::by(sync.filter(|_| options.mode == WriteMode::Write));
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
        let store = target.as_ref().map(|target| &*target.store);
        let strange = match pools.strange(store, &numbers).await {
            Ok(strange) => strange,
            Err(error) => {
                intake.stopped = Some(error.into());
                return intake;
            }
        };
        let written = match &target {
            _ if numbers.is_empty() => Ok(Vec::new()),
            Some(target) if options.mode == WriteMode::Write => {
                let Target { store, by, .. } = target;
                store.write_numbers(numbers, on_duplicate, by).await
            }
            _ => {
                let numbers = rows.iter().map(|(_, number)| *number);
                foresight.tell(store, numbers, on_duplicate).await
            }
        };
        match written {
            Ok(written) => {
                pools.tell(strange, &written, on_duplicate, watcher);
                settle(&rows, bad, &written, &mut intake.tally, watcher);
            }
            Err(error) => {
                intake.stopped = Some(error.into());
                return intake;
            }
        }
        watcher.progress(&intake.tally);
        bringing
            .written(intake.tally.added + intake.tally.updated)
            .await;
    }
    intake.stopped = match ended.await {
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
