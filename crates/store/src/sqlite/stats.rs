//! Counting calls: from sums, and from the allocations of which there are none yet.

use async_trait::async_trait;
use caller_id_core::history_query::{
    Activity, Calls, Falling, PastPage, PastQuery, StatsQuery, StatsRow,
};
use caller_id_core::{CampaignId, StoreError, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, Row};

use super::error::{on, sqlite};
use super::history::HistoryReader;
use super::past::bind;
use super::rows::column;
use super::{SqliteStore, meta};
use crate::counts::{Plan, Sums, Tally, campaigns, of_campaigns, word};
use crate::look::id_at;
use crate::sums::calls_of;

/// The counts of a group of allocations, in the order of [`read_calls`].
macro_rules! counted {
    () => {
        "count(*), count(*) FILTER (WHERE call_end = 'ANSWER'), count(*) FILTER (WHERE call_end = 'BUSY'), \
         count(*) FILTER (WHERE call_end = 'NOANSWER'), count(*) FILTER (WHERE call_end = 'CANCEL'), \
         count(*) FILTER (WHERE call_end IN ('CONGESTION', 'CHANUNAVAIL')), coalesce(sum(answered_seconds), 0)"
    };
}
pub(super) use counted;

/// The same of a group of sums.
macro_rules! added {
    () => {
        "sum(calls), sum(answered), sum(busy), sum(no_answer), sum(cancelled), sum(failed), sum(answered_seconds)"
    };
}

/// The area code of the destination; empty outside the NANP.
macro_rules! area_code {
    () => {
        "CASE WHEN destination BETWEEN 12000000000 AND 19999999999 \
         THEN CAST(destination / 10000000 % 1000 AS TEXT) ELSE '' END"
    };
}
pub(super) use area_code;

/// Counts of allocations by span and key: those of the table that have the condition, with the ends that are not moved
/// yet, and those that are not moved themselves. The first end counts, and the first that is said of a call.
macro_rules! raw {
    ($table:literal, $condition:literal) => {
        concat!(
            "SELECT iif(?3, 0, at / ?4 * ?4), CASE ?5 WHEN 'pool' THEN pool WHEN 'campaign' THEN coalesce(campaign, '')
                WHEN 'area_code' THEN ", area_code!(), "
                WHEN 'carrier' THEN coalesce((SELECT carrier FROM main.numbers n WHERE n.number = every.number), '')
                WHEN 'number' THEN CAST(number AS TEXT) WHEN 'rung' THEN rung
                WHEN 'reach' THEN ", area_code!(), " || ' ' || rung ELSE '' END, ", counted!(), "
            FROM (
                SELECT a.at, a.number, a.destination, a.campaign, a.pool, a.rung,
                    CASE WHEN coalesce(a.call_end, 'RELEASED') = 'RELEASED'
                        AND (e.ended_at IS NOT NULL AND a.ended_at IS NULL
                            OR e.result_at IS NOT NULL AND a.result_at IS NULL)
                        THEN e.call_end ELSE a.call_end END AS call_end,
                    iif(a.result_at IS NULL, e.answered_seconds, a.answered_seconds) AS answered_seconds
                FROM ", $table, " LEFT JOIN temp.tail_ends e ON e.id = a.id
                WHERE a.id >= ?1 AND a.id < ?2", $condition, "
                UNION ALL
                SELECT t.at, t.number, t.destination, t.campaign, t.pool, t.rung, e.call_end, e.answered_seconds
                FROM temp.tail t LEFT JOIN temp.tail_ends e ON e.id = t.id
                WHERE t.id >= ?1 AND t.id < ?2 AND NOT EXISTS (SELECT 1 FROM main.allocations m WHERE m.id = t.id)
            ) AS every
            WHERE (?6 IS NULL OR pool = ?6) AND (?7 IS NULL OR campaign = ?7) AND (?8 IS NULL OR number = ?8)
            GROUP BY 1, 2"
        )
    };
}
const RAW: &str = raw!("main.allocations a", "");
const RAW_OF_NUMBER: &str = raw!(
    "main.allocations a INDEXED BY allocations_by_number",
    " AND a.number = ?8 AND a.at >= ?9"
);
const HOURS: &str = concat!(
    "SELECT iif(?3, 0, hour), CASE ?5 WHEN 'pool' THEN pool WHEN 'campaign' THEN campaign ELSE key END, ",
    added!(),
    " FROM sums_by_hour WHERE what = ?4 AND hour >= ?1 AND hour < ?2 AND (?6 IS NULL OR pool = ?6)
        AND (?7 IS NULL OR campaign = ?7) GROUP BY 1, 2"
);
const DAYS: &str = concat!(
    "SELECT iif(?3, 0, day), CAST(number AS TEXT), ",
    added!(),
    " FROM sums_by_day WHERE day >= ?1 AND day < ?2 GROUP BY 1, 2"
);

/// The seven counts from the column `place` on.
pub(super) fn read_calls(row: &Row<'_>, place: usize) -> Result<Calls, StoreError> {
    let mut columns = [0; 7];
    for (n, count) in columns.iter_mut().enumerate() {
        *count = column(row, place + n)?;
    }
    Ok(calls_of(columns))
}

impl HistoryReader {
    fn stats(&mut self, query: &StatsQuery, most: usize) -> Result<Vec<StatsRow>, StoreError> {
        let main = self.whole_moment()?;
        let counted = summed(main.0, Sums::of(query))
            .and_then(|summed| count(main.0, query, &Plan::new(query, summed))?.lines(most));
        counted.map_err(|error| on(main.0, error))
    }

    fn campaigns_seen(&mut self, since: Timestamp) -> Result<Vec<(CampaignId, u64)>, StoreError> {
        let main = self.whole_moment()?;
        let query = of_campaigns(since);
        let counted = summed(main.0, Sums::Hours).and_then(|summed| {
            let tally = count(main.0, &query, &Plan::since(since, summed))?;
            campaigns(tally.lines(usize::MAX)?)
        });
        counted.map_err(|error| on(main.0, error))
    }
}

/// Up to where these sums are made.
fn summed(main: &Connection, sums: Sums) -> Result<i64, StoreError> {
    sums.mark().map_or(Ok(0), |mark| meta(main, mark))
}

fn count(main: &Connection, query: &StatsQuery, plan: &Plan) -> Result<Tally, StoreError> {
    let mut tally = Tally::new(query, plan);
    let name = |name: Option<String>| Value::from(name);
    let fixed = [
        tally.is_whole().into(),
        Value::Null,
        word(query.by).to_owned().into(),
        name(query.pool.as_ref().map(ToString::to_string)),
        name(query.campaign.as_ref().map(ToString::to_string)),
    ];
    if !plan.sums.is_empty() {
        let sql = if plan.from == Sums::Days { DAYS } else { HOURS };
        let mut values = vec![plan.sums.start.into(), plan.sums.end.into()];
        values.extend(fixed.clone());
        values[3] = i64::from(plan.what(query.by)).into();
        add_to(&mut tally, main, sql, &values)?;
    }
    let number = query.number.map(|number| number.e164_digits() as i64);
    let sql = if number.is_some() { RAW_OF_NUMBER } else { RAW };
    for raw in plan.raw.iter().filter(|raw| !raw.is_empty()) {
        let id = |ms| Value::from(id_at(Timestamp::from_ms(ms)).as_bytes().to_vec());
        let mut values = vec![id(raw.start), id(raw.end)];
        values.extend(fixed.clone());
        values[3] = plan.unit_ms.into();
        values.extend([number.into(), raw.start.into()]);
        add_to(&mut tally, main, sql, &values)?;
    }
    Ok(tally)
}

fn add_to(
    tally: &mut Tally,
    main: &Connection,
    sql: &str,
    values: &[Value],
) -> Result<(), StoreError> {
    let mut select = main.prepare_cached(sql).map_err(sqlite)?;
    bind(&mut select, values).map_err(sqlite)?;
    let mut rows = select.raw_query();
    while let Some(row) = rows.next().map_err(sqlite)? {
        tally.add(column(row, 0)?, column(row, 1)?, &read_calls(row, 2)?);
    }
    Ok(())
}

#[async_trait]
impl caller_id_core::HistoryReader for SqliteStore {
    async fn past(&self, query: &PastQuery) -> Result<PastPage, StoreError> {
        let query = query.clone();
        self.history.run(move |reader| reader.past(&query)).await
    }

    async fn stats(&self, query: &StatsQuery, most: usize) -> Result<Vec<StatsRow>, StoreError> {
        let query = query.clone();
        self.history
            .run(move |reader| reader.stats(&query, most))
            .await
    }

    async fn campaigns_seen(&self, since: Timestamp) -> Result<Vec<(CampaignId, u64)>, StoreError> {
        self.history
            .run(move |reader| reader.campaigns_seen(since))
            .await
    }

    async fn activity(
        &self,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Activity>, StoreError> {
        self.history
            .run(move |reader| reader.activity(since, now))
            .await
    }

    async fn falling(&self, most: usize) -> Result<(Timestamp, Vec<Falling>), StoreError> {
        self.history.run(move |reader| reader.falling(most)).await
    }

    async fn sum_up(&self, now: Timestamp) -> Result<bool, StoreError> {
        self.sum_up_next(now).await
    }
}
