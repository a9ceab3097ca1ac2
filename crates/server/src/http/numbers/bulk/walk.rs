//! Through all numbers that a filter asks for, a thousand at a time.

use std::sync::Arc;

use caller_id_core::listing::{NumberChange, NumberFilter, NumberPlace, NumberQuery};
use caller_id_core::{Author, InventoryStore, PhoneNumber, StoreError};

use super::BulkRow;
use crate::http::numbers::body::NumberFields;
use crate::http::numbers::one::no_pool;
use crate::http::{Api, ApiError};
use crate::jobs::{Ending, Running};
use crate::rows::WriteMode;
use crate::sync::{Bringing, InventorySync, SyncError};

/// Numbers of one transaction: few enough that allocations do not wait for it.
const STEP: usize = 1_000;
/// So many that would change are shown.
const FIRST_MOST: usize = 20;

/// Whether there is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// There is.
    NotYet,
    /// That was all.
    Yes,
}

/// A change of many numbers under way.
pub(super) struct Walk {
    store: Arc<dyn InventoryStore>,
    sync: Arc<InventorySync>,
    bringing: Bringing,
    filter: NumberFilter,
    change: NumberChange,
    mode: WriteMode,
    by: Author,
    after: Option<PhoneNumber>,
    pub(super) matched: u64,
    pub(super) changed: u64,
    pub(super) first: Vec<BulkRow>,
}

impl Walk {
    pub(super) fn new(
        api: &Api,
        filter: NumberFilter,
        change: NumberChange,
        (mode, by): (WriteMode, Author),
    ) -> Self {
        Self {
            store: api.inventory.clone(),
            sync: api.sync.clone(),
            bringing: Bringing::by(Some(api.sync.clone())),
            filter,
            change,
            mode,
            by,
            after: None,
            matched: 0,
            changed: 0,
            first: Vec::new(),
        }
    }

    /// Who asked for it.
    pub(super) const fn by(&self) -> &Author {
        &self.by
    }

    /// The next numbers.
    pub(super) async fn step(&mut self) -> Result<Ended, ApiError> {
        let step = match self.mode {
            WriteMode::Write => self.write().await,
            WriteMode::DryRun => self.foresee().await,
        };
        self.after = step.map_err(no_pool)?;
        Ok(match self.after {
            Some(_) => Ended::NotYet,
            None => Ended::Yes,
        })
    }

    async fn write(&mut self) -> Result<Option<PhoneNumber>, StoreError> {
        let step = self
            .store
            .change_numbers(&self.filter, &self.change, self.after, STEP, &self.by)
            .await?;
        self.matched += step.matched;
        self.changed += step.changed;
        self.bringing.written(self.changed).await;
        Ok(step.next)
    }

    async fn foresee(&mut self) -> Result<Option<PhoneNumber>, StoreError> {
        let query = NumberQuery {
            filter: self.filter.clone(),
            after: self.after.map(|number| NumberPlace {
                key: caller_id_core::listing::SortKey::None,
                digits: number.e164_digits(),
            }),
            most: STEP,
            ..NumberQuery::default()
        };
        let rows = self.store.list_numbers(&query).await?;
        self.matched += rows.len() as u64;
        for row in &rows {
            let after = match &self.change {
                NumberChange::Delete => None,
                NumberChange::Patch(patch) => Some(patch.applied(&row.number)),
            };
            if after.as_ref() == Some(&row.number) {
                continue;
            }
            self.changed += 1;
            if self.first.len() < FIRST_MOST {
                self.first.push(BulkRow {
                    before: NumberFields::from(&row.number),
                    after: after.as_ref().map(NumberFields::from),
                });
            }
        }
        let last = rows.last().filter(|_| rows.len() == STEP);
        Ok(last.map(|row| row.number.number))
    }

    /// Brings what was written to the engine.
    pub(super) async fn bring(&self, sync: &InventorySync) -> Result<(), SyncError> {
        match self.mode {
            WriteMode::Write if self.changed > 0 => sync.now().await,
            _ => Ok(()),
        }
    }

    /// Goes to the end, or until it is cancelled.
    pub(super) async fn run(mut self, running: Running) {
        let job = running.job().clone();
        let id = job.id.to_string();
        let ending = loop {
            if job.is_cancelled() {
                break Ending::Cancelled;
            }
            let step = self.step().await;
            let mut progress = job.progress();
            progress.matched = self.matched;
            progress.changed = self.changed;
            drop(progress);
            match step {
                Ok(Ended::NotYet) => {}
                Ok(Ended::Yes) => break Ending::Done,
                Err(error) => break Ending::Failed(error.told_later(&id)),
            }
        };
        if let Err(error) = self.bring(&self.sync).await {
            job.progress().note = Some(ApiError::from(error).told_later(&id));
        }
        running.end(ending);
    }
}
