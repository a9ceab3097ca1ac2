//! One batch of events into history: allocations in one statement, ends in another, results in a third, one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use caller_id_core::{
    AgentId, AllocationId, AllocationRecord, CallId, CallReport, CallResult, CampaignId, EndRecord,
    Journal, JournalEvent, PhoneNumber, PoolId, Rung, StoreError, Timestamp,
};
use sqlx_core::connection::Connection;
use sqlx_core::query::query;
use sqlx_postgres::{PgConnection, Postgres};
use uuid::Uuid;

use super::PostgresStore;
use super::error::Fault;
use super::parts::{Parts, Week};
use super::trouble::Standing;

const INSERT: &str = "INSERT INTO caller_id.allocations
        (id, at, number, destination, campaign, agent, call_id, pool, rung, reserved_until)
    SELECT * FROM UNNEST($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[],
        $8::text[], $9::text[], $10::bigint[])
    ON CONFLICT (id) DO NOTHING";
/// The bounds tell which weeks need to be looked at.
const END: &str = "UPDATE caller_id.allocations a SET ended_at = e.at,
        call_end = CASE coalesce(a.call_end, 'RELEASED') WHEN 'RELEASED' THEN e.call_end ELSE a.call_end END
    FROM UNNEST($1::uuid[], $2::bigint[], $3::text[]) AS e (id, at, call_end)
    WHERE a.id = e.id AND a.ended_at IS NULL AND a.id BETWEEN $4 AND $5";

/// The first report counts; its status where none was said before.
const RESULT: &str = "UPDATE caller_id.allocations a SET result_at = r.at,
        call_end = CASE coalesce(a.call_end, 'RELEASED') WHEN 'RELEASED' THEN r.call_end ELSE a.call_end END,
        answered_seconds = r.answered_seconds, dialed_seconds = r.dialed_seconds, hangup_cause = r.hangup_cause,
        sip_code = r.sip_code
    FROM UNNEST($1::uuid[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::int[], $7::int[])
        AS r (id, at, call_end, answered_seconds, dialed_seconds, hangup_cause, sip_code)
    WHERE a.id = r.id AND a.result_at IS NULL AND a.id BETWEEN $8 AND $9";

/// How often a batch is tried that met a lost connection, a lost race or a missing part: doing it twice changes nothing.
const ATTEMPTS: usize = 3;

/// So many rows take some pages of their own: one more may fit beside others on a disk that is full.
const TRIAL_ROWS: u128 = 256;
/// A number that is nobody's, and what the trial calls the rest.
const TRIAL_NUMBER: &str = "+12025550100";
const TRIAL_NAME: &str = "trial";

pub(super) fn uuid(id: AllocationId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

/// A batch without repetitions, in the order of ids: two nodes that write the same rows do so in the same order, and
/// wait for one another in no circle.
struct Batch {
    allocations: BTreeMap<AllocationId, Arc<AllocationRecord>>,
    ends: BTreeMap<AllocationId, EndRecord>,
    results: BTreeMap<AllocationId, CallResult>,
    /// Whether it is only tried, and taken back.
    trial: bool,
}

impl Batch {
    fn new(events: Vec<JournalEvent>) -> Self {
        let mut batch = Self {
            allocations: BTreeMap::new(),
            ends: BTreeMap::new(),
            results: BTreeMap::new(),
            trial: false,
        };
        for event in events {
            match event {
                JournalEvent::Allocated(record) => {
                    batch.allocations.entry(record.id).or_insert(record);
                }
                JournalEvent::Ended(end) => {
                    batch.ends.entry(end.id).or_insert(end);
                }
                JournalEvent::Reported(result) => {
                    batch.results.entry(result.id).or_insert(result);
                }
            }
        }
        batch
    }

    /// Rows that need room of their own, and are taken back: of a call that was never made.
    fn trial(now: Timestamp) -> Result<Self, StoreError> {
        let broken = |why: &dyn std::fmt::Display| StoreError::Failed(why.to_string().into());
        let number = PhoneNumber::parse(TRIAL_NUMBER).map_err(|why| broken(&why))?;
        let pool = PoolId::new(TRIAL_NAME).map_err(|why| broken(&why))?;
        let call_id = CallId::new(TRIAL_NAME).map_err(|why| broken(&why))?;
        // Of this moment and of no other node: rows of the same id would wait for one another.
        let first: u128 = rand::random();
        let record = |n| {
            JournalEvent::Allocated(Arc::new(AllocationRecord {
                id: AllocationId::new(now, first.wrapping_add(n)),
                at: now,
                number,
                destination: number,
                campaign: None,
                agent: None,
                call_id: Some(call_id.clone()),
                pool: pool.clone(),
                rung: Rung::Any,
                reserved_until: now,
            }))
        };
        Ok(Self {
            trial: true,
            ..Self::new((0..TRIAL_ROWS).map(record).collect())
        })
    }

    fn is_empty(&self) -> bool {
        self.allocations.is_empty() && self.ends.is_empty() && self.results.is_empty()
    }

    /// In order, each once.
    fn weeks(&self) -> Vec<Week> {
        let mut weeks: Vec<_> = self.allocations.keys().copied().map(Week::of_id).collect();
        weeks.dedup();
        weeks
    }

    async fn write(&self, parts: &Parts, connection: &mut PgConnection) -> Result<(), Fault> {
        parts.make(connection, &self.weeks()).await?;
        if self.trial {
            let mut transaction = connection.begin().await?;
            self.insert(&mut transaction).await?;
            return Ok(transaction.rollback().await?);
        }
        // One statement is a transaction by itself, and one way to the server and back.
        match (
            self.allocations.is_empty(),
            self.ends.is_empty(),
            self.results.is_empty(),
        ) {
            (_, true, true) => return self.insert(connection).await,
            (true, false, true) => return self.end(connection).await,
            (true, true, false) => return self.report(connection).await,
            _ => {}
        }
        let mut transaction = connection.begin().await?;
        if !self.allocations.is_empty() {
            self.insert(&mut transaction).await?;
        }
        self.end(&mut transaction).await?;
        self.report(&mut transaction).await?;
        Ok(transaction.commit().await?)
    }

    async fn insert(&self, connection: &mut PgConnection) -> Result<(), Fault> {
        let rows: Vec<&AllocationRecord> = self.allocations.values().map(|row| &**row).collect();
        let ms = |of: fn(&AllocationRecord) -> i64| -> Vec<i64> {
            rows.iter().map(|row| of(row)).collect()
        };
        let insert = query::<Postgres>(INSERT)
            .bind(rows.iter().map(|row| uuid(row.id)).collect::<Vec<_>>())
            .bind(ms(|row| row.at.as_ms()))
            .bind(ms(|row| row.number.e164_digits() as i64))
            .bind(ms(|row| row.destination.e164_digits() as i64))
            .bind(texts(&rows, |row| {
                row.campaign.as_ref().map(CampaignId::as_str)
            }))
            .bind(texts(&rows, |row| row.agent.as_ref().map(AgentId::as_str)))
            .bind(texts(&rows, |row| row.call_id.as_ref().map(CallId::as_str)))
            .bind(texts(&rows, |row| Some(row.pool.as_str())))
            .bind(texts(&rows, |row| Some(row.rung.as_str())))
            .bind(ms(|row| row.reserved_until.as_ms()));
        insert.execute(connection).await?;
        Ok(())
    }

    async fn end(&self, connection: &mut PgConnection) -> Result<(), Fault> {
        let (Some(first), Some(last)) = (self.ends.keys().next(), self.ends.keys().last()) else {
            return Ok(());
        };
        let ends = self.ends.values();
        let end = query::<Postgres>(END)
            .bind(ends.clone().map(|end| uuid(end.id)).collect::<Vec<_>>())
            .bind(ends.clone().map(|end| end.at.as_ms()).collect::<Vec<_>>())
            .bind(ends.map(|end| end.end.as_str()).collect::<Vec<_>>())
            .bind(uuid(*first))
            .bind(uuid(*last));
        end.execute(connection).await?;
        Ok(())
    }

    async fn report(&self, connection: &mut PgConnection) -> Result<(), Fault> {
        let ids = self.results.keys();
        let (Some(first), Some(last)) = (ids.clone().next(), ids.clone().last()) else {
            return Ok(());
        };
        let said = self.results.values();
        let seconds = |of: fn(&CallReport) -> Option<u32>| -> Vec<Option<i64>> {
            let each = said.clone().map(|result| of(&result.report));
            each.map(|seconds| seconds.map(i64::from)).collect()
        };
        let codes = |of: fn(&CallReport) -> Option<u16>| -> Vec<Option<i32>> {
            let each = said.clone().map(|result| of(&result.report));
            each.map(|code| code.map(i32::from)).collect()
        };
        let statuses = said.clone().map(|result| result.report.status.as_str());
        let report = query::<Postgres>(RESULT)
            .bind(ids.map(|id| uuid(*id)).collect::<Vec<_>>())
            .bind(
                said.clone()
                    .map(|result| result.at.as_ms())
                    .collect::<Vec<_>>(),
            )
            .bind(statuses.collect::<Vec<_>>())
            .bind(seconds(|report| report.answered_seconds))
            .bind(seconds(|report| report.dialed_seconds))
            .bind(codes(|report| report.hangup_cause))
            .bind(codes(|report| report.sip_code))
            .bind(uuid(*first))
            .bind(uuid(*last));
        report.execute(connection).await?;
        Ok(())
    }
}

fn texts<'a>(
    rows: &[&'a AllocationRecord],
    of: fn(&'a AllocationRecord) -> Option<&'a str>,
) -> Vec<Option<&'a str>> {
    rows.iter().map(|row| of(row)).collect()
}

impl PostgresStore {
    /// Makes the part of this week, which is yet to come, once, without anybody waiting for it.
    fn make_ahead(&self, week: Week) {
        if self.parts.knows(week) || !self.ahead.begin(self.clock.now()) {
            return;
        }
        let (lane, parts) = (Arc::clone(&self.lane), Arc::clone(&self.parts));
        let (ahead, clock) = (Arc::clone(&self.ahead), Arc::clone(&self.clock));
        tokio::spawn(async move {
            let made = lane
                .run(|connection| Box::pin(async move { parts.make(connection, &[week]).await }))
                .await;
            ahead.end(&made, clock.now());
            if let Err(error) = made {
                tracing::warn!(%error, "the next part of history could not be made ahead");
            }
        });
    }
}

impl PostgresStore {
    async fn put(&self, batch: &Arc<Batch>) -> Result<(), Fault> {
        let mut attempts = 1;
        loop {
            let (given, parts) = (Arc::clone(batch), Arc::clone(&self.parts));
            match self
                .commits
                .attempt(|connection| {
                    Box::pin(async move { given.write(&parts, connection).await })
                })
                .await
            {
                Ok(()) => return Ok(()),
                Err(fault) if attempts < ATTEMPTS && fault.is_no_part() => self.parts.forget(),
                Err(fault) if attempts < ATTEMPTS && fault.is_passing() => {}
                Err(fault) => return Err(fault),
            }
            attempts += 1;
        }
    }

    fn told(&self, fault: Fault) -> StoreError {
        fault.at(self.commits.place())
    }
}

#[async_trait]
impl Journal for PostgresStore {
    async fn commit(&self, events: Vec<JournalEvent>) -> Result<(), StoreError> {
        let batch = Arc::new(Batch::new(events));
        if let Err(fault) = self.put(&batch).await {
            let of_rows = fault.may_meet_rows_alone() && !batch.is_empty();
            let error = self.told(fault);
            if of_rows {
                self.trouble.refused(&error);
            }
            return Err(error);
        }
        if !batch.is_empty() {
            self.trouble.over();
        }
        if let Some(last) = batch.weeks().last() {
            self.make_ahead(last.next());
        }
        Ok(())
    }

    /// A read-only server refuses even to insert nothing. One whose disk is full refuses rows alone: the last refusal is
    /// told, and after a while without calls rows are tried, and taken back.
    async fn probe(&self) -> Result<(), StoreError> {
        let nothing = Arc::new(Batch::new(Vec::new()));
        self.put(&nothing).await.map_err(|fault| self.told(fault))?;
        match self.trouble.standing() {
            Standing::Well => Ok(()),
            Standing::Refused(why) => Err(why),
            Standing::Doubtful(since) => {
                let trial = Arc::new(Batch::trial(self.clock.now())?);
                self.put(&trial).await.map_err(|fault| self.told(fault))?;
                self.trouble.over_since(since);
                Ok(())
            }
        }
    }
}
