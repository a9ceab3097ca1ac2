//! Counting calls: from sums, and from the allocations of which there are none yet.

use async_trait::async_trait;
use caller_id_core::history_query::{
    Activity, Calls, Falling, PastPage, PastQuery, StatsQuery, StatsRow,
};
use caller_id_core::{CampaignId, HistoryReader, StoreError, Timestamp};
use sqlx_core::connection::Connection;
use sqlx_core::query::{Query, query};
use sqlx_core::query_scalar::query_scalar;
use sqlx_postgres::{PgArguments, PgConnection, PgRow, Postgres};

use super::PostgresStore;
use super::commit::uuid;
use super::error::Fault;
use super::rows::column;
use crate::counts::{Plan, Sums, Tally, campaigns, of_campaigns, word};
use crate::look::id_at;
use crate::sums::calls_of;

/// All is read of one moment: what is summed up meanwhile is counted once.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
pub(super) const MARK: &str = "SELECT value FROM caller_id.meta WHERE key = $1";

/// The counts of a group of allocations, in the order of [`read_calls`].
macro_rules! counted {
    () => {
        "count(*), count(*) FILTER (WHERE call_end = 'ANSWER'), count(*) FILTER (WHERE call_end = 'BUSY'), \
         count(*) FILTER (WHERE call_end = 'NOANSWER'), count(*) FILTER (WHERE call_end = 'CANCEL'), \
         count(*) FILTER (WHERE call_end IN ('CONGESTION', 'CHANUNAVAIL')), \
         coalesce(sum(answered_seconds), 0)::bigint"
    };
}
pub(super) use counted;

/// The same of a group of sums.
macro_rules! added {
    () => {
        "sum(calls)::bigint, sum(answered)::bigint, sum(busy)::bigint, sum(no_answer)::bigint, \
         sum(cancelled)::bigint, sum(failed)::bigint, sum(answered_seconds)::bigint"
    };
}

/// The area code of the destination; empty outside the NANP.
macro_rules! area_code {
    () => {
        "CASE WHEN destination BETWEEN 12000000000 AND 19999999999 \
         THEN (destination / 10000000 % 1000)::text ELSE '' END"
    };
}
pub(super) use area_code;

/// Plans are made for the values at hand, so what is not asked for costs nothing.
const RAW: &str = concat!(
    "SELECT CASE WHEN $3 THEN 0 ELSE at / $4 * $4 END, CASE $5::text WHEN 'pool' THEN pool
        WHEN 'campaign' THEN coalesce(campaign, '') WHEN 'area_code' THEN ",
    area_code!(),
    "   WHEN 'carrier' THEN coalesce((SELECT carrier FROM caller_id.numbers n WHERE n.number = a.number), '')
        WHEN 'number' THEN number::text WHEN 'rung' THEN rung
        WHEN 'reach' THEN ",
    area_code!(),
    " || ' ' || rung ELSE '' END, ",
    counted!(),
    " FROM caller_id.allocations a WHERE id >= $1 AND id < $2 AND ($6::text IS NULL OR pool = $6)
        AND ($7::text IS NULL OR campaign = $7) AND ($8::bigint IS NULL OR number = $8) GROUP BY 1, 2"
);
const HOURS: &str = concat!(
    "SELECT CASE WHEN $3 THEN 0 ELSE hour END,
        CASE $5::text WHEN 'pool' THEN pool WHEN 'campaign' THEN campaign ELSE key END, ",
    added!(),
    " FROM caller_id.sums_by_hour WHERE what = $4 AND hour >= $1 AND hour < $2 AND ($6::text IS NULL OR pool = $6)
        AND ($7::text IS NULL OR campaign = $7) GROUP BY 1, 2"
);
const DAYS: &str = concat!(
    "SELECT CASE WHEN $3 THEN 0 ELSE day END, number::text, ",
    added!(),
    " FROM caller_id.sums_by_day WHERE day >= $1 AND day < $2 GROUP BY 1, 2"
);

/// The seven counts from the column `place` on.
pub(super) fn read_calls(row: &PgRow, place: usize) -> Result<Calls, Fault> {
    let mut columns = [0; 7];
    for (n, count) in columns.iter_mut().enumerate() {
        *count = column(row, place + n)?;
    }
    Ok(calls_of(columns))
}

type Asking<'q> = Query<'q, Postgres, PgArguments>;

async fn add_to(
    tally: &mut Tally,
    connection: &mut PgConnection,
    asking: Asking<'_>,
) -> Result<(), Fault> {
    for row in asking.fetch_all(connection).await? {
        tally.add(column(&row, 0)?, column(&row, 1)?, &read_calls(&row, 2)?);
    }
    Ok(())
}

async fn count(
    connection: &mut PgConnection,
    asked: &StatsQuery,
    plan: &Plan,
) -> Result<Tally, Fault> {
    let mut tally = Tally::new(asked, plan);
    let whole = tally.is_whole();
    let pool = asked.pool.as_ref().map(ToString::to_string);
    let campaign = asked.campaign.as_ref().map(ToString::to_string);
    if !plan.sums.is_empty() {
        let (begin, end) = (plan.sums.start, plan.sums.end);
        let days = plan.from == Sums::Days;
        let sql = if days { DAYS } else { HOURS };
        let asking = query::<Postgres>(sql).bind(begin).bind(end).bind(whole);
        let asking = match days {
            true => asking,
            false => asking
                .bind(plan.what(asked.by))
                .bind(word(asked.by))
                .bind(&pool)
                .bind(&campaign),
        };
        add_to(&mut tally, connection, asking).await?;
    }
    for raw in plan.raw.iter().filter(|raw| !raw.is_empty()) {
        let [begin, end] = [raw.start, raw.end].map(|ms| uuid(id_at(Timestamp::from_ms(ms))));
        let asking = query::<Postgres>(RAW)
            .bind(begin)
            .bind(end)
            .bind(whole)
            .bind(plan.unit_ms)
            .bind(word(asked.by))
            .bind(&pool)
            .bind(&campaign)
            .bind(asked.number.map(|number| number.e164_digits() as i64));
        add_to(&mut tally, connection, asking).await?;
    }
    Ok(tally)
}

/// What a plan makes of up to where sums are made.
type Planning = fn(&StatsQuery, i64) -> Plan;

impl PostgresStore {
    async fn lines(
        &self,
        asked: StatsQuery,
        plan: Planning,
        most: usize,
    ) -> Result<Vec<StatsRow>, StoreError> {
        let counting = self.lane.run(|connection| {
            Box::pin(async move {
                let mut moment = connection.begin_with(BEGIN).await?;
                let summed = match Sums::of(&asked).mark() {
                    Some(mark) => {
                        let read = query_scalar::<Postgres, i64>(MARK).bind(mark);
                        read.fetch_one(&mut *moment).await?
                    }
                    None => 0,
                };
                let tally = count(&mut moment, &asked, &plan(&asked, summed)).await?;
                moment.rollback().await?;
                Ok(tally)
            })
        });
        counting.await?.lines(most)
    }
}

#[async_trait]
impl HistoryReader for PostgresStore {
    async fn past(&self, query: &PastQuery) -> Result<PastPage, StoreError> {
        self.past_page(query).await
    }

    async fn stats(&self, query: &StatsQuery, most: usize) -> Result<Vec<StatsRow>, StoreError> {
        self.lines(query.clone(), Plan::new, most).await
    }

    async fn campaigns_seen(&self, since: Timestamp) -> Result<Vec<(CampaignId, u64)>, StoreError> {
        let plan = |asked: &StatsQuery, summed| Plan::since(asked.since, summed);
        campaigns(self.lines(of_campaigns(since), plan, usize::MAX).await?)
    }

    async fn activity(
        &self,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Activity>, StoreError> {
        self.activity_since(since, now).await
    }

    async fn falling(&self, most: usize) -> Result<(Timestamp, Vec<Falling>), StoreError> {
        self.falling_most(most).await
    }

    async fn sum_up(&self, now: Timestamp) -> Result<bool, StoreError> {
        self.sum_up_next(now).await
    }
}
