//! The parts of history: a week each, made before they are needed, dropped whole.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use caller_id_core::{AllocationId, StoreError, Timestamp};
use sqlx_core::connection::Connection;
use sqlx_core::query_as::query_as;
use sqlx_core::query_scalar::query_scalar;
use sqlx_core::raw_sql::raw_sql;
use sqlx_core::sql_str::AssertSqlSafe;
use sqlx_postgres::{PgConnection, Postgres};

use super::error::Fault;
use super::schema;

/// Every part, the oldest first; also those that are being taken off, or are off and not dropped yet.
const LIST: &str = "SELECT c.relname::text, c.reltuples::float8, coalesce(pg_relation_size(c.oid), 0),
        i.inhrelid IS NOT NULL, coalesce(i.inhdetachpending, false)
    FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    WHERE c.relnamespace = 'caller_id'::regnamespace AND c.relkind = 'r' AND c.relname ~ '^allocations_[0-9]{8}$'
    ORDER BY c.relname";
const IS_PART: &str =
    "SELECT i.inhrelid IS NOT NULL FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    WHERE c.relnamespace = 'caller_id'::regnamespace AND c.relname = $1";

const DAY_MS: i64 = 24 * 3_600_000;
const WEEK_MS: i64 = 7 * DAY_MS;
/// 1970-01-05 was a Monday.
const FIRST_MONDAY_MS: i64 = 4 * DAY_MS;

/// A week in UTC, from its Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Week(i64);

impl Week {
    /// The week of an instant.
    pub(super) fn of(at: Timestamp) -> Self {
        Self((at.as_ms() - FIRST_MONDAY_MS).div_euclid(WEEK_MS))
    }

    /// The week that an id belongs to, by the instant it begins with.
    pub(super) fn of_id(id: AllocationId) -> Self {
        let ms = id.as_bytes()[..6]
            .iter()
            .fold(0, |ms, byte| ms << 8 | i64::from(*byte));
        Self::of(Timestamp::from_ms(ms))
    }

    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }

    fn first(self) -> Timestamp {
        Timestamp::from_ms(self.0 * WEEK_MS + FIRST_MONDAY_MS)
    }

    /// `allocations_20261123`.
    fn table(self) -> String {
        let day: String = self
            .first()
            .to_string()
            .chars()
            .take(10)
            .filter(char::is_ascii_digit)
            .collect();
        format!("allocations_{day}")
    }
}

/// A part as the database has it.
pub(super) struct Part {
    /// The table's name, digits and all.
    pub(super) table: String,
    /// About how many rows it has; None when nobody has counted.
    pub(super) rows: Option<usize>,
    /// How large it is without its indexes.
    pub(super) bytes: usize,
    attached: bool,
    pending: bool,
}

impl Part {
    /// The first instant after it.
    pub(super) fn end(&self) -> Option<Timestamp> {
        let day = self.table.strip_prefix("allocations_")?;
        let (year, month, day) = (day.get(..4)?, day.get(4..6)?, day.get(6..)?);
        let first: Timestamp = format!("{year}-{month}-{day}T00:00:00Z").parse().ok()?;
        Some(first.plus_ms(WEEK_MS))
    }

    /// Removes it whole. Writers go on meanwhile: it is taken off in two steps, and between them everybody ends what he
    /// began when it was still on. Where that takes too long it stays half off, and the next time goes on from there.
    pub(super) async fn drop_whole(&self, connection: &mut PgConnection) -> Result<(), Fault> {
        let table = &self.table;
        if self.attached {
            let how = if self.pending {
                "FINALIZE"
            } else {
                "CONCURRENTLY"
            };
            let detach = format!(
                "ALTER TABLE caller_id.allocations DETACH PARTITION caller_id.{table} {how}"
            );
            run(connection, detach).await?;
        }
        run(
            connection,
            format!("DROP TABLE IF EXISTS caller_id.{table}"),
        )
        .await
    }
}

/// Every part, the oldest first.
pub(super) async fn list(connection: &mut PgConnection) -> Result<Vec<Part>, Fault> {
    let rows: Vec<(String, f64, i64, bool, bool)> =
        query_as::<Postgres, _>(LIST).fetch_all(connection).await?;
    let part = |(table, rows, bytes, attached, pending): (String, f64, i64, bool, bool)| Part {
        table,
        rows: (rows >= 0.0).then_some(rows as usize),
        bytes: bytes as usize,
        attached,
        pending,
    };
    Ok(rows.into_iter().map(part).collect())
}

async fn run(connection: &mut PgConnection, sql: String) -> Result<(), Fault> {
    raw_sql(AssertSqlSafe(sql)).execute(connection).await?;
    Ok(())
}

/// The weeks that are known to have a part.
#[derive(Default)]
pub(super) struct Parts(Mutex<BTreeSet<Week>>);

impl Parts {
    /// Whether a part is known for the week.
    pub(super) fn knows(&self, week: Week) -> bool {
        self.known().contains(&week)
    }

    /// Knows nothing any more: another node has dropped one.
    pub(super) fn forget(&self) {
        self.known().clear();
    }

    /// Makes the parts that are missing, if nobody else does meanwhile.
    pub(super) async fn make(
        &self,
        connection: &mut PgConnection,
        weeks: &[Week],
    ) -> Result<(), Fault> {
        let missing: Vec<_> = weeks.iter().filter(|week| !self.knows(**week)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let mut transaction = connection.begin().await?;
        schema::lock(&mut transaction).await?;
        for week in missing {
            make_one(&mut transaction, *week).await?;
        }
        transaction.commit().await?;
        self.known().extend(weeks);
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, BTreeSet<Week>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Made beside history and then attached: so no writer has to wait, as one would for a part made in its place.
async fn make_one(connection: &mut PgConnection, week: Week) -> Result<(), Fault> {
    let table = week.table();
    if table.len() != "allocations_20261123".len() {
        let text = format!("no history is kept for the week of {}", week.first());
        return Err(StoreError::Failed(text.into()).into());
    }
    let there: Option<bool> = query_scalar::<Postgres, _>(IS_PART)
        .bind(&table)
        .fetch_optional(&mut *connection)
        .await?;
    match there {
        Some(true) => return Ok(()),
        // Taken off by somebody who pruned and did not live to drop it.
        Some(false) => run(connection, format!("DROP TABLE caller_id.{table}")).await?,
        None => {}
    }
    let from = AllocationId::first_at(week.first());
    let to = AllocationId::first_at(week.next().first());
    // Room in each page for the end of a call beside its allocation.
    let make = format!(
        "CREATE TABLE caller_id.{table} (LIKE caller_id.allocations INCLUDING ALL) WITH (fillfactor = 90);
         ALTER TABLE caller_id.allocations ATTACH PARTITION caller_id.{table} FOR VALUES FROM ('{from}') TO ('{to}')"
    );
    run(connection, make).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_week_begins_on_monday_and_is_named_after_it() {
        for day in ["2026-11-23T00:00:00Z", "2026-11-29T23:59:59.999Z"] {
            assert_eq!(Week::of(at(day)).table(), "allocations_20261123");
            let id = AllocationId::new(at(day), u128::MAX);
            assert_eq!(Week::of_id(id), Week::of(at(day)));
        }
        assert_eq!(
            Week::of(at("2026-11-22T23:59:59.999Z")).table(),
            "allocations_20261116"
        );
    }

    #[test]
    fn the_end_of_a_part_is_read_from_its_name() {
        let part = Part {
            table: "allocations_20261123".to_owned(),
            rows: None,
            bytes: 0,
            attached: true,
            pending: false,
        };
        assert_eq!(part.end(), Some(at("2026-11-30T00:00:00Z")));
    }
}
