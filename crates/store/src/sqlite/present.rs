//! What is going on, for people who watch: campaigns at present, numbers that are answered less than they were.

use caller_id_core::history_query::{Activity, FALLING_DAYS, FALLING_LEAST, Falling};
use caller_id_core::listing::NumberGroup;
use caller_id_core::{CampaignId, StoreError, Timestamp};
use rusqlite::{Connection, Row};

use super::error::on;
use super::history::HistoryReader;
use super::list::list;
use super::meta;
use super::rows::{area_code, column, number, unreadable};
use super::stats::{counted, read_calls};
use crate::look::id_at;
use crate::present;
use crate::sums::{DAY_MS, Job};

/// Those that are moved, with the ends that are not, and those that are not moved themselves: as counts have them.
const ACTIVITY: &str = concat!(
    "SELECT coalesce(campaign, ''), ",
    counted!(),
    ", count(DISTINCT agent), count(*) FILTER (WHERE reserved_until > ?2 AND (ended_at IS NULL OR ended_at > ?2))
    FROM (
        SELECT a.campaign, a.agent, a.reserved_until, coalesce(a.ended_at, e.ended_at) AS ended_at,
            CASE WHEN coalesce(a.call_end, 'RELEASED') = 'RELEASED'
                AND (e.ended_at IS NOT NULL AND a.ended_at IS NULL OR e.result_at IS NOT NULL AND a.result_at IS NULL)
                THEN e.call_end ELSE a.call_end END AS call_end,
            iif(a.result_at IS NULL, e.answered_seconds, a.answered_seconds) AS answered_seconds
        FROM main.allocations a LEFT JOIN temp.tail_ends e ON e.id = a.id WHERE a.id >= ?1
        UNION ALL
        SELECT t.campaign, t.agent, t.reserved_until, e.ended_at, e.call_end, e.answered_seconds
        FROM temp.tail t LEFT JOIN temp.tail_ends e ON e.id = t.id
        WHERE t.id >= ?1 AND NOT EXISTS (SELECT 1 FROM main.allocations m WHERE m.id = t.id)
    ) GROUP BY 1 ORDER BY 1"
);
/// For each number that has calls enough a seek for each day before.
const FALLING: &str = "
    WITH RECURSIVE days (day) AS (VALUES (?1 - 86400000) UNION ALL SELECT day - 86400000 FROM days LIMIT ?2),
    found AS (
        SELECT l.number, l.calls, l.answered, l.busy, l.no_answer, l.cancelled, l.failed, l.answered_seconds,
            sum(b.calls) AS c, sum(b.answered) AS a, sum(b.busy) AS b, sum(b.no_answer) AS n, sum(b.cancelled) AS g,
            sum(b.failed) AS f, sum(b.answered_seconds) AS s,
            l.answered + l.busy + l.no_answer + l.cancelled + l.failed AS reported
        FROM sums_by_day l CROSS JOIN days CROSS JOIN sums_by_day b ON b.day = days.day AND b.number = l.number
        WHERE l.day = ?1 AND l.answered + l.busy + l.no_answer + l.cancelled + l.failed >= ?3
        GROUP BY l.number
    )
    SELECT number, calls, answered, busy, no_answer, cancelled, failed, answered_seconds, c, a, b, n, g, f, s FROM found
    WHERE a > 0 AND a + b + n + g + f >= ?3 AND 3 * answered * (a + b + n + g + f) <= 2 * a * reported
    ORDER BY CAST(answered AS REAL) * (a + b + n + g + f) / (CAST(a AS REAL) * reported), number LIMIT ?4";
const GROUPS: &str = "
    SELECT pool, area_code, carrier, CASE WHEN status = 'resting' AND resting_until <= ?1 THEN 'active' ELSE status END,
        count(*), count(hourly_limit), coalesce(sum(hourly_limit), 0),
        min(resting_until) FILTER (WHERE status = 'resting' AND resting_until > ?1)
    FROM numbers GROUP BY 1, 2, 3, 4";

impl HistoryReader {
    pub(super) fn activity(
        &mut self,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Activity>, StoreError> {
        let main = self.whole_moment()?;
        let since = id_at(since.max(Timestamp::ZERO));
        let values = (since.as_bytes(), now.as_ms());
        let read = |row: &Row<'_>| {
            let name: String = column(row, 0)?;
            Ok(Activity {
                campaign: campaign(&name)?,
                calls: read_calls(row, 1)?,
                agents: column::<i64>(row, 8)?.unsigned_abs(),
                reserved: column::<i64>(row, 9)?.unsigned_abs(),
            })
        };
        list(main.0, ACTIVITY, values, read).map_err(|error| on(main.0, error))
    }

    pub(super) fn falling(&mut self, most: usize) -> Result<(Timestamp, Vec<Falling>), StoreError> {
        let (_, main, _) = self.moment()?;
        falling(main.0, most).map_err(|error| on(main.0, error))
    }
}

fn campaign(name: &str) -> Result<Option<CampaignId>, StoreError> {
    if name.is_empty() {
        return Ok(None);
    }
    let id = CampaignId::new(name);
    id.map(Some)
        .map_err(|cause| unreadable("an allocation", &cause.to_string()))
}

fn falling(main: &Connection, most: usize) -> Result<(Timestamp, Vec<Falling>), StoreError> {
    let last = meta(main, Job::DAYS.mark())? - DAY_MS;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let values = (last, FALLING_DAYS, FALLING_LEAST.cast_signed(), most);
    let read = |row: &Row<'_>| {
        Ok(Falling {
            number: number(column(row, 0)?)?,
            last: read_calls(row, 1)?,
            before: read_calls(row, 8)?,
        })
    };
    let found = list(main, FALLING, values, read)?;
    Ok((Timestamp::from_ms(last.max(0)), found))
}

/// All numbers as they are at `now`, counted by what they have in common.
pub(super) fn groups(main: &Connection, now: Timestamp) -> Result<Vec<NumberGroup>, StoreError> {
    list(main, GROUPS, [now.as_ms()], |row| {
        let fail = |why: &str| unreadable("a number", why);
        let (pool, status): (String, String) = (column(row, 0)?, column(row, 3)?);
        present::group(
            (&pool, area_code(row, 1, fail)?, column(row, 2)?, &status),
            [column(row, 4)?, column(row, 5)?, column(row, 6)?],
            column(row, 7)?,
        )
    })
}
