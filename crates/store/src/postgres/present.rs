//! What is going on, for people who watch: campaigns at present, numbers that are answered less than they were.

use caller_id_core::history_query::{Activity, FALLING_DAYS, FALLING_LEAST, Falling};
use caller_id_core::listing::NumberGroup;
use caller_id_core::{CampaignId, StoreError, Timestamp};
use sqlx_core::query::query;
use sqlx_core::query_scalar::query_scalar;
use sqlx_postgres::{PgConnection, PgRow, Postgres};

use super::PostgresStore;
use super::commit::uuid;
use super::error::Fault;
use super::rows::{area_code, column};
use super::stats::{MARK, counted, read_calls};
use crate::look::id_at;
use crate::present;
use crate::sums::{DAY_MS, Job};
use crate::values::{number, unreadable};

const ACTIVITY: &str = concat!(
    "SELECT coalesce(campaign, '') COLLATE \"C\", ",
    counted!(),
    ", count(DISTINCT agent), count(*) FILTER (WHERE reserved_until > $2 AND (ended_at IS NULL OR ended_at > $2))
    FROM caller_id.allocations WHERE id >= $1 GROUP BY 1 ORDER BY 1"
);
/// For each number that has calls enough a seek for each day before.
const FALLING: &str = "
    WITH found AS (
        SELECT l.*, l.answered + l.busy + l.no_answer + l.cancelled + l.failed AS reported, before.*
        FROM caller_id.sums_by_day l CROSS JOIN LATERAL (
            SELECT sum(b.calls)::bigint AS c, sum(b.answered)::bigint AS a, sum(b.busy)::bigint AS b,
                sum(b.no_answer)::bigint AS n, sum(b.cancelled)::bigint AS g, sum(b.failed)::bigint AS f,
                sum(b.answered_seconds)::bigint AS s
            FROM generate_series(1, $2) AS back
            JOIN caller_id.sums_by_day b ON b.day = $1 - back * 86400000::bigint AND b.number = l.number
        ) AS before
        WHERE l.day = $1 AND l.answered + l.busy + l.no_answer + l.cancelled + l.failed >= $3
    )
    SELECT number, calls, answered, busy, no_answer, cancelled, failed, answered_seconds, c, a, b, n, g, f, s FROM found
    WHERE a > 0 AND a + b + n + g + f >= $3 AND 3 * answered * (a + b + n + g + f) <= 2 * a * reported
    ORDER BY answered::float8 * (a + b + n + g + f) / (a::float8 * reported), number LIMIT $4";
const GROUPS: &str = "
    SELECT pool, area_code, carrier, CASE WHEN status = 'resting' AND resting_until <= $1 THEN 'active' ELSE status END,
        count(*), count(hourly_limit), coalesce(sum(hourly_limit), 0)::bigint,
        min(resting_until) FILTER (WHERE status = 'resting' AND resting_until > $1)
    FROM caller_id.numbers GROUP BY 1, 2, 3, 4";

async fn activity(
    connection: &mut PgConnection,
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<Activity>, Fault> {
    let asking = query::<Postgres>(ACTIVITY)
        .bind(uuid(id_at(since.max(Timestamp::ZERO))))
        .bind(now.as_ms());
    let rows = asking.fetch_all(connection).await?;
    rows.iter().map(read_activity).collect()
}

fn read_activity(row: &PgRow) -> Result<Activity, Fault> {
    let name: &str = column(row, 0)?;
    let id = (!name.is_empty()).then(|| CampaignId::new(name));
    let id = id.transpose();
    Ok(Activity {
        campaign: id.map_err(|cause| unreadable("an allocation", &cause.to_string()))?,
        calls: read_calls(row, 1)?,
        agents: column::<i64>(row, 8)?.unsigned_abs(),
        reserved: column::<i64>(row, 9)?.unsigned_abs(),
    })
}

async fn falling(
    connection: &mut PgConnection,
    most: i64,
) -> Result<(Timestamp, Vec<Falling>), Fault> {
    let mark = query_scalar::<Postgres, i64>(MARK).bind(Job::DAYS.mark());
    let last = mark.fetch_one(&mut *connection).await? - DAY_MS;
    let asking = query::<Postgres>(FALLING)
        .bind(last)
        .bind(FALLING_DAYS)
        .bind(FALLING_LEAST.cast_signed())
        .bind(most);
    let rows = asking.fetch_all(connection).await?;
    let read = |row: &PgRow| {
        Ok(Falling {
            number: number(column(row, 0)?)?,
            last: read_calls(row, 1)?,
            before: read_calls(row, 8)?,
        })
    };
    let found: Result<Vec<_>, Fault> = rows.iter().map(read).collect();
    Ok((Timestamp::from_ms(last.max(0)), found?))
}

fn read_group(row: &PgRow) -> Result<NumberGroup, Fault> {
    let fail = |why: &str| unreadable("a number", why);
    let group = present::group(
        (
            column(row, 0)?,
            area_code(row, 1, fail)?,
            column(row, 2)?,
            column(row, 3)?,
        ),
        [column(row, 4)?, column(row, 5)?, column(row, 6)?],
        column(row, 7)?,
    );
    Ok(group?)
}

impl PostgresStore {
    pub(super) async fn activity_since(
        &self,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Activity>, StoreError> {
        self.lane
            .run(|connection| Box::pin(activity(connection, since, now)))
            .await
    }

    pub(super) async fn falling_most(
        &self,
        most: usize,
    ) -> Result<(Timestamp, Vec<Falling>), StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.lane
            .run(|connection| Box::pin(falling(connection, most)))
            .await
    }

    pub(super) async fn groups(&self) -> Result<Vec<NumberGroup>, StoreError> {
        let now = self.clock.now().as_ms();
        self.lane
            .run(|connection| {
                Box::pin(async move {
                    let counting = query::<Postgres>(GROUPS).bind(now);
                    let rows = counting.fetch_all(connection).await?;
                    rows.iter().map(read_group).collect()
                })
            })
            .await
    }
}
