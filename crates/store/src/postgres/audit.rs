//! The audit log.

use std::net::IpAddr;

use async_trait::async_trait;
use caller_id_core::audit::{
    AuditEntry, AuditEvent, AuditFilter, AuthorKind, Link, MANY_AT_ONCE, mark_of,
};
use caller_id_core::{AuditLog, Author, PhoneNumber, StoreError, Timestamp};
use sqlx_core::connection::Connection;
use sqlx_core::query::query;
use sqlx_core::query_scalar::query_scalar;
use sqlx_postgres::{PgConnection, PgRow, Postgres};

use super::PostgresStore;
use super::error::Fault;
use super::rows::{column, hash};
use crate::values::{behind, going_on, no_head, unreadable};

/// A SELECT from `audit` with the columns in the order that [`read_entry`] expects.
macro_rules! select_entries {
    ($rest:literal) => {
        concat!(
            "SELECT place, at, author_kind, author, address, action, subject, before, after, link
            FROM caller_id.audit ",
            $rest
        )
    };
}

const HEAD: &str = "SELECT place, link FROM caller_id.audit_head";
/// Nobody else adds an entry until the end of the transaction.
const TAKE_HEAD: &str = "SELECT place, link FROM caller_id.audit_head FOR UPDATE";
const APPEND: &str = "WITH entry AS (
        INSERT INTO caller_id.audit
            (place, at, author_kind, author, address, action, subject, before, after, link)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING place, link
    ) UPDATE caller_id.audit_head h SET place = entry.place, link = entry.link FROM entry";
/// Planned for the values at hand: conditions that are not given fall away.
const NEWEST: &str = select_entries!(
    "WHERE place < $1 AND ($2::text IS NULL OR author = $2) AND ($3::text IS NULL OR starts_with(action, $3))
        AND ($4::text IS NULL OR subject = $4) AND ($5::bigint IS NULL OR at >= $5) AND ($6::bigint IS NULL OR at < $6)
    ORDER BY place DESC LIMIT $7"
);
const AFTER: &str = select_entries!("WHERE place >= $1 ORDER BY place LIMIT $2");

/// The lowest place of the entries of many numbers that are looked into.
const FLOOR: &str = "SELECT place FROM caller_id.audit
    WHERE action IN ('numbers.import', 'numbers.update', 'numbers.delete', 'reservation.end') AND place < $1
    ORDER BY place DESC LIMIT 1 OFFSET $2";
const TOUCHING: &str = select_entries!(
    "WHERE place IN (
        SELECT place FROM caller_id.audit WHERE subject IN ($4, $5) AND place >= $1 AND place < $2
        UNION
        SELECT place FROM caller_id.audit
        WHERE action IN ('numbers.import', 'numbers.update', 'numbers.delete', 'reservation.end')
            AND place >= $1 AND place < $2 AND (strpos(before, $6) > 0 OR strpos(after, $6) > 0)
    ) AND ($7::text IS NULL OR author = $7) AND ($8::text IS NULL OR strpos(action, $8) = 1)
        AND ($9::bigint IS NULL OR at >= $9) AND ($10::bigint IS NULL OR at < $10)
    ORDER BY place DESC LIMIT $3"
);

/// The entries that touched a number, and before which place to go on.
async fn touching(
    connection: &mut PgConnection,
    number: PhoneNumber,
    filter: AuditFilter,
    before: Option<i64>,
    most: usize,
) -> Result<(Vec<AuditEntry>, Option<i64>), Fault> {
    let before = before.unwrap_or(i64::MAX);
    let floor = query_scalar::<Postgres, i64>(FLOOR).bind(before);
    let floor = floor.bind(limit(MANY_AT_ONCE) - 1);
    let floor = floor.fetch_optional(&mut *connection).await?;
    let rows = query::<Postgres>(TOUCHING)
        .bind(floor.unwrap_or(i64::MIN))
        .bind(before)
        .bind(limit(most))
        .bind(number.to_string())
        .bind(filter.subject)
        .bind(mark_of(number))
        .bind(filter.author)
        .bind(filter.action)
        .bind(filter.since.map(Timestamp::as_ms))
        .bind(filter.until.map(Timestamp::as_ms))
        .fetch_all(connection)
        .await?;
    let found: Vec<_> = rows.iter().map(read_entry).collect::<Result<_, _>>()?;
    let next = going_on(&found, most, floor);
    Ok((found, next))
}

/// Adds an entry, as part of an open transaction: nobody else adds one until its end. To be done last in it, so that the
/// others wait for no longer than they have to, and never for each other.
pub(super) async fn append(
    transaction: &mut PgConnection,
    at: Timestamp,
    event: AuditEvent,
) -> Result<(), Fault> {
    if event.author.is_restoring() {
        return Ok(());
    }
    let head = query::<Postgres>(TAKE_HEAD).fetch_optional(&mut *transaction);
    let entry = AuditEntry::following(read_head(head.await?)?, at, event);
    put(transaction, entry).await
}

/// Adds entries that follow the last one, as part of a transaction; gives the place of the first that does not.
pub(super) async fn restore(
    transaction: &mut PgConnection,
    entries: Vec<AuditEntry>,
) -> Result<Option<i64>, Fault> {
    let head = query::<Postgres>(TAKE_HEAD).fetch_optional(&mut *transaction);
    let mut last = read_head(head.await?)?;
    for entry in entries {
        if !entry.follows(last) {
            return Ok(Some(entry.place));
        }
        last = (entry.place, entry.link);
        put(transaction, entry).await?;
    }
    Ok(None)
}

async fn put(transaction: &mut PgConnection, entry: AuditEntry) -> Result<(), Fault> {
    let AuditEvent {
        author,
        action,
        subject,
        before,
        after,
    } = entry.event;
    query::<Postgres>(APPEND)
        .bind(entry.place)
        .bind(entry.at.as_ms())
        .bind(author.kind.as_str())
        .bind(author.name)
        .bind(author.address.map(|address| address.to_string()))
        .bind(action)
        .bind(subject)
        .bind(before)
        .bind(after)
        .bind(entry.link.0.to_vec())
        .execute(transaction)
        .await?;
    Ok(())
}

fn read_head(row: Option<PgRow>) -> Result<(i64, Link), Fault> {
    let row = &row.ok_or_else(no_head)?;
    let link = hash(row, 1, "the end of the audit log")?;
    Ok((column(row, 0)?, Link(link)))
}

fn read_entry(row: &PgRow) -> Result<AuditEntry, Fault> {
    let place = column(row, 0)?;
    let name = format!("entry {place} of the audit log");
    let fail = |why: &str| unreadable(&name, why);
    let kind = AuthorKind::from_word(column(row, 2)?);
    let address = column::<Option<&str>>(row, 4)?
        .map(str::parse::<IpAddr>)
        .transpose();
    Ok(AuditEntry {
        place,
        at: Timestamp::from_ms(column(row, 1)?),
        event: AuditEvent {
            author: Author {
                kind: kind.ok_or_else(|| fail("the kind of its author is unknown"))?,
                name: column(row, 3)?,
                address: address.map_err(|cause| fail(&cause.to_string()))?,
            },
            action: column(row, 5)?,
            subject: column(row, 6)?,
            before: column(row, 7)?,
            after: column(row, 8)?,
        },
        link: Link(hash(row, 9, &name)?),
    })
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

#[async_trait]
impl AuditLog for PostgresStore {
    async fn add(&self, event: AuditEvent) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.lane
            .run(|connection| {
                Box::pin(async move {
                    let mut transaction = connection.begin().await?;
                    append(&mut transaction, now, event).await?;
                    Ok(transaction.commit().await?)
                })
            })
            .await
    }

    async fn head(&self) -> Result<(i64, Link), StoreError> {
        self.lane
            .run(|connection| {
                Box::pin(async move {
                    read_head(query::<Postgres>(HEAD).fetch_optional(connection).await?)
                })
            })
            .await
    }

    async fn newest(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        most: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let filter = filter.clone();
        self.lane
            .run(|connection| {
                Box::pin(async move {
                    let rows = query::<Postgres>(NEWEST)
                        .bind(before.unwrap_or(i64::MAX))
                        .bind(filter.author)
                        .bind(filter.action)
                        .bind(filter.subject)
                        .bind(filter.since.map(Timestamp::as_ms))
                        .bind(filter.until.map(Timestamp::as_ms))
                        .bind(limit(most))
                        .fetch_all(connection)
                        .await?;
                    rows.iter().map(read_entry).collect()
                })
            })
            .await
    }

    async fn touching(
        &self,
        number: PhoneNumber,
        filter: &AuditFilter,
        before: Option<i64>,
        most: usize,
    ) -> Result<(Vec<AuditEntry>, Option<i64>), StoreError> {
        let filter = filter.clone();
        self.lane
            .run(|connection| Box::pin(touching(connection, number, filter, before, most)))
            .await
    }

    async fn after(&self, after: Option<i64>, most: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let Some(first) = behind(after) else {
            return Ok(Vec::new());
        };
        self.lane
            .run(|connection| {
                Box::pin(async move {
                    let rows = query::<Postgres>(AFTER)
                        .bind(first)
                        .bind(limit(most))
                        .fetch_all(connection)
                        .await?;
                    rows.iter().map(read_entry).collect()
                })
            })
            .await
    }
}
