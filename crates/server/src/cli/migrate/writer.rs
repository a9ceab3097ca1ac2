//! Writes what the target has not. Doing it twice changes nothing.

use std::sync::Arc;

use async_trait::async_trait;
use caller_id_core::listing::Expected;
use caller_id_core::store::{Fields, OnDuplicate, PastAllocation};
use caller_id_core::{Author, Campaign, JournalEvent, Number, Pool};

use super::compare::Taker;
use crate::app::stores::OpenStore;

/// So many rows are one transaction.
const ROWS_AT_ONCE: usize = 2_000;
/// After so many transactions of history a store that moves it later is waited for: what waits there has a bound.
const TRANSACTIONS_BETWEEN: usize = 16;

/// Gathers rows and writes them.
pub(super) struct Writer<'a> {
    target: &'a OpenStore,
    by: Author,
    numbers: Vec<Number>,
    history: Vec<PastAllocation>,
    unsettled: usize,
}

impl<'a> Writer<'a> {
    pub(super) fn new(target: &'a OpenStore) -> Self {
        Self {
            target,
            by: Author::command("migrate"),
            numbers: Vec::new(),
            history: Vec::new(),
            unsettled: 0,
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

    async fn end_of_part(&mut self) -> anyhow::Result<()> {
        self.write_numbers().await?;
        self.write_history().await?;
        self.settle().await
    }
}
