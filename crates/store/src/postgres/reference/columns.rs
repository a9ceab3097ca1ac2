//! What columns the reference's tables have, and how each is read as a text or an instant.

use std::collections::BTreeMap;

use sqlx_core::query_as::query_as;
use sqlx_core::row::Row;
use sqlx_postgres::{PgConnection, PgRow, Postgres};

use super::{ReferenceLimit, ReferenceNumber, ReferenceReservation, text};
use crate::postgres::error::Fault;

/// The columns of the table that this search path finds, and their types.
const COLUMNS: &str = "SELECT a.attname::text, format_type(a.atttypid, NULL)
    FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped";

/// What of `caller_ids` is read, and what of it says nothing that we keep.
pub(super) const NUMBER_COLUMNS: &[&str] = &[
    "id",
    "caller_id",
    "carrier",
    "area_code",
    "daily_limit",
    "hourly_limit",
    "status",
    "is_active",
    "meta",
    "last_used",
    "created_at",
    "updated_at",
];
/// The same of `reservations`.
pub(super) const RESERVATION_COLUMNS: &[&str] = &[
    "id",
    "caller_id",
    "reserved_until",
    "reserved_at",
    "created_at",
    "agent",
    "campaign",
    "destination",
    "to_number",
];

/// A table as this database has it.
#[derive(Debug)]
pub(super) struct Table {
    name: &'static str,
    types: BTreeMap<String, String>,
}

impl Table {
    /// Looks at it; none when it is not there.
    pub(super) async fn look(
        connection: &mut PgConnection,
        name: &'static str,
    ) -> Result<Option<Self>, Fault> {
        let columns: Vec<(String, String)> = query_as::<Postgres, _>(COLUMNS)
            .bind(name)
            .fetch_all(connection)
            .await?;
        Ok((!columns.is_empty()).then(|| Self {
            name,
            types: columns.into_iter().collect(),
        }))
    }

    /// Whether it has this column.
    pub(super) fn has(&self, column: &str) -> bool {
        self.types.contains_key(column)
    }

    /// The columns beyond these, as `table.column`.
    pub(super) fn others(&self, known: &[&str]) -> Vec<String> {
        let others = self
            .types
            .keys()
            .filter(|name| !known.contains(&name.as_str()));
        others.map(|name| format!("{}.{name}", self.name)).collect()
    }

    /// All numbers, those of ten digits before the same with its country code: the reference itself writes ten. Everything
    /// is asked for as text: whatever type a column has.
    pub(super) fn select_numbers(&self) -> String {
        let columns = [
            "caller_id",
            "carrier",
            "area_code",
            "daily_limit",
            "hourly_limit",
            "status",
            "is_active",
            "meta",
        ]
        .map(|name| self.as_text(name));
        format!(
            "SELECT row_number() OVER (ORDER BY length(caller_id::text), caller_id::text COLLATE \"C\"), {} FROM {}
                ORDER BY 1",
            columns.join(", "),
            self.name
        )
    }

    /// All reservations in the order of their times, then of their keys.
    pub(super) fn select_reservations(&self, reservation_ms: u32) -> String {
        let until = self.as_ms("reserved_until");
        let derived = format!("{until} - {reservation_ms}");
        let at = match self.first_of(&["reserved_at", "created_at"]) {
            Some(column) => format!("coalesce({}, {derived})", self.as_ms(column)),
            None => derived,
        };
        let destination = match self.first_of(&["destination", "to_number"]) {
            Some(column) => self.as_text(column),
            None => "NULL::text".to_owned(),
        };
        let [id, caller_id, agent, campaign] =
            ["id", "caller_id", "agent", "campaign"].map(|name| self.as_text(name));
        let order = if self.has("id") { "id" } else { "caller_id" };
        format!(
            "SELECT row_number() OVER (ORDER BY {at}, {order}), {id}, {caller_id}, {at}, {until}, {agent}, {campaign},
                {destination} FROM {} ORDER BY 1",
            self.name
        )
    }

    /// The row of `caller_ids`.
    pub(super) fn number(&self, row: &PgRow) -> Result<ReferenceNumber, Fault> {
        let limit = |name: &str, place| -> Result<ReferenceLimit, Fault> {
            Ok(match text(row, place)? {
                _ if !self.has(name) => ReferenceLimit::NoColumn,
                None => ReferenceLimit::Null,
                Some(text) => ReferenceLimit::Text(text),
            })
        };
        Ok(ReferenceNumber {
            row: count(row)?,
            caller_id: text(row, 1)?,
            carrier: text(row, 2)?,
            area_code: text(row, 3)?,
            daily_limit: limit("daily_limit", 4)?,
            hourly_limit: limit("hourly_limit", 5)?,
            status: text(row, 6)?,
            is_active: text(row, 7)?,
            meta: text(row, 8)?,
        })
    }

    fn first_of(&self, names: &[&'static str]) -> Option<&'static str> {
        names.iter().copied().find(|name| self.has(name))
    }

    fn as_text(&self, column: &str) -> String {
        match self.has(column) {
            true => format!("{column}::text"),
            false => "NULL::text".to_owned(),
        }
    }

    /// Milliseconds since 1970; NULL for what is no instant. One without a time zone is in UTC, as the reference writes it.
    fn as_ms(&self, column: &str) -> String {
        let instant = match self.types.get(column).map(String::as_str) {
            Some("timestamp with time zone") => column.to_owned(),
            Some("timestamp without time zone") => format!("({column} AT TIME ZONE 'UTC')"),
            _ => return "NULL::bigint".to_owned(),
        };
        format!(
            "(CASE WHEN isfinite({instant}) THEN floor(extract(epoch FROM {instant}) * 1000)::bigint END)"
        )
    }
}

/// The row of `reservations`.
pub(super) fn reservation(row: &PgRow) -> Result<ReferenceReservation, Fault> {
    let id = text(row, 1)?;
    let key = id.as_deref().and_then(|id| id.parse().ok());
    Ok(ReferenceReservation {
        row: key.map_or_else(|| count(row), Ok)?,
        id,
        caller_id: text(row, 2)?,
        at_ms: row.try_get(3)?,
        reserved_until_ms: row.try_get(4)?,
        agent: text(row, 5)?,
        campaign: text(row, 6)?,
        destination: text(row, 7)?,
    })
}

fn count(row: &PgRow) -> Result<u64, Fault> {
    let count: i64 = row.try_get(0)?;
    Ok(count.unsigned_abs())
}
