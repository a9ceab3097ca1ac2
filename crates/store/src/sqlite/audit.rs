//! The audit log.

use std::net::IpAddr;

use async_trait::async_trait;
use caller_id_core::audit::{
    AuditEntry, AuditEvent, AuditFilter, AuthorKind, Link, MANY_AT_ONCE, mark_of,
};
use caller_id_core::{AuditLog, Author, PhoneNumber, StoreError, Timestamp};
use rusqlite::types::Value;
use rusqlite::{
    Connection, OptionalExtension, Params, Row, Statement, TransactionBehavior, params_from_iter,
};

use super::SqliteStore;
use super::error::sqlite;
use super::rows::{column, text, unreadable};
use crate::values::{behind, going_on, no_head};

/// A SELECT from `audit` with the columns in the order that [`read_entry`] expects.
macro_rules! select_entries {
    ($rest:literal) => {
        concat!(
            "SELECT place, at, author_kind, author, address, action, subject, before, after, link FROM audit ",
            $rest
        )
    };
}

const HEAD: &str = "SELECT place, link FROM audit_head";
const SET_HEAD: &str = "UPDATE audit_head SET place = ?1, link = ?2";
const APPEND: &str = "INSERT INTO audit
    (place, at, author_kind, author, address, action, subject, before, after, link)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
const NEWEST: &str = select_entries!("WHERE place < ?");
const NEWEST_FIRST: &str = " ORDER BY place DESC LIMIT ?";
const AFTER: &str = select_entries!("WHERE place >= ?1 ORDER BY place LIMIT ?2");

/// The lowest place of the entries of many numbers that are looked into.
const FLOOR: &str = "SELECT place FROM audit
    WHERE action IN ('numbers.import', 'numbers.update', 'numbers.delete', 'reservation.end') AND place < ?1
    ORDER BY place DESC LIMIT 1 OFFSET ?2";
const TOUCHING: &str = select_entries!(
    "WHERE place IN (
        SELECT place FROM audit WHERE subject IN (?4, ?5) AND place >= ?1 AND place < ?2
        UNION
        SELECT place FROM audit
        WHERE action IN ('numbers.import', 'numbers.update', 'numbers.delete', 'reservation.end')
            AND place >= ?1 AND place < ?2 AND (instr(before, ?6) > 0 OR instr(after, ?6) > 0)
    ) AND (?7 IS NULL OR author = ?7) AND (?8 IS NULL OR instr(action, ?8) = 1)
        AND (?9 IS NULL OR at >= ?9) AND (?10 IS NULL OR at < ?10)
    ORDER BY place DESC LIMIT ?3"
);

/// Adds an entry, as part of a transaction that is open and may write.
pub(super) fn append(
    transaction: &Connection,
    at: Timestamp,
    event: AuditEvent,
) -> Result<(), StoreError> {
    if event.author.is_restoring() {
        return Ok(());
    }
    let entry = AuditEntry::following(head(transaction)?, at, event);
    put(transaction, &entry)
}

/// Adds entries that follow the last one, as part of a transaction; gives the place of the first that does not.
pub(super) fn restore(
    transaction: &Connection,
    entries: Vec<AuditEntry>,
) -> Result<Option<i64>, StoreError> {
    let mut last = head(transaction)?;
    for entry in entries {
        if !entry.follows(last) {
            return Ok(Some(entry.place));
        }
        last = (entry.place, entry.link);
        put(transaction, &entry)?;
    }
    Ok(None)
}

fn put(transaction: &Connection, entry: &AuditEntry) -> Result<(), StoreError> {
    let AuditEvent {
        author,
        action,
        subject,
        before,
        after,
    } = &entry.event;
    let address = author.address.map(|address| address.to_string());
    transaction
        .prepare_cached(APPEND)
        .and_then(|mut append| {
            append.execute((
                entry.place,
                entry.at.as_ms(),
                author.kind.as_str(),
                &author.name,
                address,
                action,
                subject,
                before,
                after,
                entry.link.0,
            ))
        })
        .map_err(sqlite)?;
    transaction
        .prepare_cached(SET_HEAD)
        .and_then(|mut set| set.execute((entry.place, entry.link.0)))
        .map_err(sqlite)?;
    Ok(())
}

fn head(connection: &Connection) -> Result<(i64, Link), StoreError> {
    let mut select = connection.prepare_cached(HEAD).map_err(sqlite)?;
    let mut rows = select.query([]).map_err(sqlite)?;
    match rows.next().map_err(sqlite)? {
        Some(row) => Ok((column(row, 0)?, Link(column(row, 1)?))),
        None => Err(no_head()),
    }
}

/// The conditions that are given, each for its index.
fn newest(
    connection: &Connection,
    filter: AuditFilter,
    before: Option<i64>,
    most: usize,
) -> Result<Vec<AuditEntry>, StoreError> {
    let instant = |at: Option<Timestamp>| at.map(|at| Value::from(at.as_ms()));
    let conditions = [
        (" AND author = ?", filter.author.map(Value::from)),
        (" AND instr(action, ?) = 1", filter.action.map(Value::from)),
        (" AND subject = ?", filter.subject.map(Value::from)),
        (" AND at >= ?", instant(filter.since)),
        (" AND at < ?", instant(filter.until)),
    ];
    let mut sql = NEWEST.to_owned();
    let mut values = vec![Value::from(before.unwrap_or(i64::MAX))];
    for (condition, value) in conditions {
        if let Some(value) = value {
            sql.push_str(condition);
            values.push(value);
        }
    }
    sql.push_str(NEWEST_FIRST);
    values.push(Value::from(limit(most)));
    let mut select = connection.prepare(&sql).map_err(sqlite)?;
    entries(&mut select, params_from_iter(values))
}

/// The entries that touched a number, and before which place to go on.
fn touching(
    connection: &Connection,
    number: PhoneNumber,
    filter: AuditFilter,
    before: Option<i64>,
    most: usize,
) -> Result<(Vec<AuditEntry>, Option<i64>), StoreError> {
    let before = before.unwrap_or(i64::MAX);
    let floor: Option<i64> = connection
        .prepare_cached(FLOOR)
        .and_then(|mut floor| {
            let last = limit(MANY_AT_ONCE) - 1;
            floor.query_row((before, last), |row| row.get(0)).optional()
        })
        .map_err(sqlite)?;
    let mut select = connection.prepare_cached(TOUCHING).map_err(sqlite)?;
    let values = (
        floor.unwrap_or(i64::MIN),
        before,
        limit(most),
        number.to_string(),
        filter.subject,
        mark_of(number),
        filter.author,
        filter.action,
        filter.since.map(Timestamp::as_ms),
        filter.until.map(Timestamp::as_ms),
    );
    let found = entries(&mut select, values)?;
    let next = going_on(&found, most, floor);
    Ok((found, next))
}

fn entries(
    select: &mut Statement<'_>,
    parameters: impl Params,
) -> Result<Vec<AuditEntry>, StoreError> {
    let mut rows = select.query(parameters).map_err(sqlite)?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next().map_err(sqlite)? {
        entries.push(read_entry(row)?);
    }
    Ok(entries)
}

fn read_entry(row: &Row<'_>) -> Result<AuditEntry, StoreError> {
    let place = column(row, 0)?;
    let fail = |why: &str| unreadable(&format!("entry {place} of the audit log"), why);
    let kind = text(row, 2)?.and_then(AuthorKind::from_word);
    let address = text(row, 4)?.map(str::parse::<IpAddr>).transpose();
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
        link: Link(column(row, 9)?),
    })
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

#[async_trait]
impl AuditLog for SqliteStore {
    async fn add(&self, event: AuditEvent) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.writer
            .run(move |main| {
                let transaction = main
                    .transaction_with_behavior(TransactionBehavior::Immediate)
                    .map_err(sqlite)?;
                append(&transaction, now, event)?;
                transaction.commit().map_err(sqlite)
            })
            .await
    }

    async fn head(&self) -> Result<(i64, Link), StoreError> {
        self.readers.run(|main| head(main)).await
    }

    async fn newest(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        most: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let filter = filter.clone();
        self.readers
            .run(move |main| newest(main, filter, before, most))
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
        self.readers
            .run(move |main| touching(main, number, filter, before, most))
            .await
    }

    async fn after(&self, after: Option<i64>, most: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let Some(first) = behind(after) else {
            return Ok(Vec::new());
        };
        self.readers
            .run(move |main| {
                let mut select = main.prepare_cached(AFTER).map_err(sqlite)?;
                entries(&mut select, (first, limit(most)))
            })
            .await
    }
}
