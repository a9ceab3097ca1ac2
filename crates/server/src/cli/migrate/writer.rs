//! Writes what the target has not. Doing it twice changes nothing.

use std::sync::Arc;

use anyhow::{Context, bail};
use async_trait::async_trait;
use caller_id_core::audit::{AuditEntry, AuditEvent};
use caller_id_core::listing::Expected;
use caller_id_core::roles::ApiKey;
use caller_id_core::store::{Fields, OnDuplicate, PastAllocation};
use caller_id_core::takeover::{DaySum, HourSum, RemovedNumber, SumMarks};
use caller_id_core::{Author, Campaign, JournalEvent, Number, Pool};

use super::compare::Taker;
use crate::app::stores::OpenStore;

/// So many rows are one transaction.
const ROWS_AT_ONCE: usize = 2_000;
/// So many entries of the audit log: one of a large import has some hundred kilobytes.
const ENTRIES_AT_ONCE: usize = 50;
/// After so many transactions of history a store that moves it later is waited for: what waits there has a bound.
const TRANSACTIONS_BETWEEN: usize = 16;

/// Gathers rows and writes them.
pub(super) struct Writer<'a> {
    target: &'a OpenStore,
    by: Author,
    numbers: Vec<Number>,
    history: Vec<PastAllocation>,
    unsettled: usize,
    removed: Vec<RemovedNumber>,
    keys: Vec<ApiKey>,
    hours: Vec<HourSum>,
    days: Vec<DaySum>,
    entries: Vec<AuditEntry>,
}

impl<'a> Writer<'a> {
    /// Writes into `target`; `by` is who, for its audit log: [`Author::restoring`] where that is the source's.
    pub(super) fn new(target: &'a OpenStore, by: Author) -> Self {
        Self {
            target,
            by,
            numbers: Vec::new(),
            history: Vec::new(),
            unsettled: 0,
            removed: Vec::new(),
            keys: Vec::new(),
            hours: Vec::new(),
            days: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// Keys come in all at once, so that none has the name of one that is about to be revoked.
    async fn write_keys(&mut self) -> anyhow::Result<()> {
        let keys = std::mem::take(&mut self.keys);
        if keys.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = keys.iter().map(|key| key.id.to_string()).collect();
        let restored = self.target.takeover.restore_keys(keys).await;
        restored.context(
            "API keys cannot be written (no two that are not revoked may have one name)",
        )?;
        for id in ids {
            let event = AuditEvent {
                author: self.by.clone(),
                action: "key.restore".to_owned(),
                subject: id,
                before: None,
                after: None,
            };
            self.target.audit.add(event).await?;
        }
        Ok(())
    }

    async fn write_removed(&mut self) -> anyhow::Result<()> {
        let removed = std::mem::take(&mut self.removed);
        if removed.is_empty() {
            return Ok(());
        }
        Ok(self.target.takeover.restore_removed(removed).await?)
    }

    async fn write_sums(&mut self) -> anyhow::Result<()> {
        let hours = std::mem::take(&mut self.hours);
        if !hours.is_empty() {
            self.target.takeover.restore_hour_sums(hours).await?;
        }
        let days = std::mem::take(&mut self.days);
        if !days.is_empty() {
            self.target.takeover.restore_day_sums(days).await?;
        }
        Ok(())
    }

    async fn write_entries(&mut self) -> anyhow::Result<()> {
        let entries = std::mem::take(&mut self.entries);
        if entries.is_empty() {
            return Ok(());
        }
        match self.target.takeover.restore_entries(entries).await? {
            None => Ok(()),
            Some(place) => bail!(
                "entry {place} of the source's audit log does not follow the one before: the log was changed \
                 (`caller-id audit verify` tells more). With --without-audit-log it is left behind"
            ),
        }
    }

    async fn write_numbers(&mut self) -> anyhow::Result<()> {
        let numbers = std::mem::take(&mut self.numbers);
        if !numbers.is_empty() {
            // Each is the whole row as it is to be.
            let update = OnDuplicate::Update(Fields::ALL);
            self.target
                .inventory
                .write_numbers(numbers, update, &self.by)
                .await?;
        }
        Ok(())
    }

    async fn write_history(&mut self) -> anyhow::Result<()> {
        if self.history.is_empty() {
            return Ok(());
        }
        let ends: Vec<_> = self.history.iter().filter_map(|past| past.ended).collect();
        let results: Vec<_> = self.history.iter().filter_map(|past| past.result).collect();
        let records = self.history.drain(..).map(|past| Arc::new(past.record));
        let mut events: Vec<_> = records.map(JournalEvent::Allocated).collect();
        events.extend(ends.into_iter().map(JournalEvent::Ended));
        events.extend(results.into_iter().map(JournalEvent::Reported));
        self.target.journal.commit(events).await?;
        self.unsettled += 1;
        if self.unsettled >= TRANSACTIONS_BETWEEN {
            self.settle().await?;
        }
        Ok(())
    }

    async fn settle(&mut self) -> anyhow::Result<()> {
        self.unsettled = 0;
        Ok(self.target.history.settle().await?)
    }
}

#[async_trait]
impl Taker for Writer<'_> {
    async fn pool(&mut self, pool: Pool) -> anyhow::Result<()> {
        let put = self
            .target
            .inventory
            .put_pool(pool, Expected::Any, &self.by);
        Ok(put.await.map(drop)?)
    }

    async fn number(&mut self, number: Number) -> anyhow::Result<()> {
        self.numbers.push(number);
        if self.numbers.len() >= ROWS_AT_ONCE {
            self.write_numbers().await?;
        }
        Ok(())
    }

    async fn campaign(&mut self, campaign: Campaign) -> anyhow::Result<()> {
        let put = self
            .target
            .inventory
            .put_campaign(campaign, Expected::Any, &self.by);
        Ok(put.await.map(drop)?)
    }

    async fn allocation(&mut self, past: PastAllocation) -> anyhow::Result<()> {
        self.history.push(past);
        if self.history.len() >= ROWS_AT_ONCE {
            self.write_history().await?;
        }
        Ok(())
    }

    async fn removed(&mut self, number: RemovedNumber) -> anyhow::Result<()> {
        self.removed.push(number);
        match self.removed.len() >= ROWS_AT_ONCE {
            true => self.write_removed().await,
            false => Ok(()),
        }
    }

    async fn key(&mut self, key: ApiKey) -> anyhow::Result<()> {
        self.keys.push(key);
        Ok(())
    }

    async fn hour(&mut self, sum: HourSum) -> anyhow::Result<()> {
        self.hours.push(sum);
        match self.hours.len() >= ROWS_AT_ONCE {
            true => self.write_sums().await,
            false => Ok(()),
        }
    }

    async fn day(&mut self, sum: DaySum) -> anyhow::Result<()> {
        self.days.push(sum);
        match self.days.len() >= ROWS_AT_ONCE {
            true => self.write_sums().await,
            false => Ok(()),
        }
    }

    async fn marks(&mut self, marks: SumMarks) -> anyhow::Result<()> {
        Ok(self.target.takeover.restore_sum_marks(marks).await?)
    }

    async fn entry(&mut self, entry: AuditEntry) -> anyhow::Result<()> {
        self.entries.push(entry);
        match self.entries.len() >= ENTRIES_AT_ONCE {
            true => self.write_entries().await,
            false => Ok(()),
        }
    }

    async fn end_of_part(&mut self) -> anyhow::Result<()> {
        self.write_numbers().await?;
        self.write_history().await?;
        self.write_removed().await?;
        self.write_keys().await?;
        self.write_sums().await?;
        self.write_entries().await?;
        self.settle().await
    }
}
