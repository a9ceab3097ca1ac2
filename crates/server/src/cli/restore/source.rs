//! A backup as something that is read in the order of its keys, as a migration reads a database.

use std::fs::File;

use async_trait::async_trait;
use caller_id_core::audit::AuditEntry;
use caller_id_core::roles::ApiKey;
use caller_id_core::store::{Fields, PastAllocation};
use caller_id_core::takeover::{DaySum, HourPlace, HourSum, RemovedNumber, SumMarks};
use caller_id_core::{AllocationId, Campaign, Number, PhoneNumber, Pool};

use crate::backup::record::{Part, Record};
use crate::backup::unpack::Unpacker;
use crate::cli::migrate::source::Source;

/// So many rows are read at once.
const ROWS_AT_ONCE: usize = 2_000;
/// So many entries of the audit log: one of a large import has some hundred kilobytes.
const ENTRIES_AT_ONCE: usize = 50;

/// A backup, read from its beginning to its end; each part is asked for in its turn.
pub(super) struct Backup {
    file: File,
    unpacker: Unpacker,
    ahead: Option<Record>,
}

impl Backup {
    /// Reads a file from its beginning.
    pub(super) fn open(file: File) -> anyhow::Result<Self> {
        Ok(Self {
            unpacker: Unpacker::new(file.try_clone()?)?,
            file,
            ahead: None,
        })
    }

    /// The next records of one part, as long as there are such.
    fn page<T>(
        &mut self,
        part: Part,
        most: usize,
        row: fn(Record) -> Option<T>,
    ) -> anyhow::Result<Vec<T>> {
        let mut page = Vec::new();
        while page.len() < most {
            let next = match self.ahead.take() {
                Some(record) => Some(record),
                None => self.unpacker.next_record()?,
            };
            match next {
                Some(record) if record.part() == part => page.extend(row(record)),
                other => {
                    self.ahead = other;
                    break;
                }
            }
        }
        Ok(page)
    }
}

/// What a record of a kind is.
macro_rules! of {
    ($kind:ident) => {
        |record| match record {
            Record::$kind(row) => Some(row),
            _ => None,
        }
    };
}

#[async_trait]
impl Source for Backup {
    async fn rewind(&mut self) -> anyhow::Result<()> {
        self.unpacker = Unpacker::new(self.file.try_clone()?)?;
        self.ahead = None;
        Ok(())
    }

    fn fields(&self) -> Fields {
        Fields::ALL
    }

    fn is_ours(&self) -> bool {
        true
    }

    async fn pools(&mut self) -> anyhow::Result<Vec<Pool>> {
        self.page(Part::Pool, usize::MAX, of!(Pool))
    }

    async fn campaigns(&mut self) -> anyhow::Result<Vec<Campaign>> {
        self.page(Part::Campaign, usize::MAX, of!(Campaign))
    }

    async fn numbers(&mut self, _: Option<PhoneNumber>) -> anyhow::Result<Vec<Number>> {
        self.page(Part::Number, ROWS_AT_ONCE, of!(Number))
    }

    async fn history(&mut self, _: Option<AllocationId>) -> anyhow::Result<Vec<PastAllocation>> {
        self.page(Part::Call, ROWS_AT_ONCE, of!(Call))
    }

    async fn keys(&mut self) -> anyhow::Result<Vec<ApiKey>> {
        self.page(Part::Key, usize::MAX, of!(Key))
    }

    async fn removed(&mut self, _: Option<PhoneNumber>) -> anyhow::Result<Vec<RemovedNumber>> {
        self.page(Part::Deleted, ROWS_AT_ONCE, of!(Deleted))
    }

    async fn hours(&mut self, _: Option<HourPlace>) -> anyhow::Result<Vec<HourSum>> {
        self.page(Part::Hour, ROWS_AT_ONCE, of!(Hour))
    }

    async fn days(&mut self, _: Option<(i64, PhoneNumber)>) -> anyhow::Result<Vec<DaySum>> {
        self.page(Part::Day, ROWS_AT_ONCE, of!(Day))
    }

    async fn marks(&mut self) -> anyhow::Result<SumMarks> {
        let marks = self.page(Part::Marks, 1, of!(Marks))?;
        Ok(marks.into_iter().next().unwrap_or_default())
    }

    async fn entries(&mut self, _: Option<i64>) -> anyhow::Result<Vec<AuditEntry>> {
        self.page(Part::Entry, ENTRIES_AT_ONCE, of!(Entry))
    }
}
