//! Looking for the latest allocation of a call.

use caller_id_core::{AllocationId, JournalEvent, Sought, StoreError, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};

use super::error::sqlite;
use super::journal::{Flow, each_after};

const BY_CALL: &str =
    "SELECT id FROM allocations WHERE call_id = ?1 AND id >= ?2 ORDER BY id DESC LIMIT 1";
const SHOWN: &str = "SELECT id FROM allocations WHERE number = ?1 AND destination = ?2 AND at >= ?3
    ORDER BY at DESC, id DESC LIMIT 1";

/// The latest one that is moved into history.
pub(super) fn moved(
    main: &Connection,
    sought: &Sought,
    since: Timestamp,
) -> Result<Option<AllocationId>, StoreError> {
    let id = |row: &Row<'_>| row.get(0).map(AllocationId::from_bytes);
    let found = match sought {
        Sought::Call(call) => {
            let first = AllocationId::first_at(since);
            main.prepare_cached(BY_CALL).and_then(|mut find| {
                find.query_row((call.as_str(), first.as_bytes()), id)
                    .optional()
            })
        }
        Sought::Shown {
            number,
            destination,
        } => {
            let [number, destination] = [number, destination].map(|one| one.e164_digits() as i64);
            main.prepare_cached(SHOWN).and_then(|mut find| {
                find.query_row((number, destination, since.as_ms()), id)
                    .optional()
            })
        }
    };
    found.map_err(sqlite)
}

/// The latest one in the batches after `applied`.
pub(super) fn unmoved(
    journal: &Connection,
    applied: i64,
    sought: &Sought,
    since: Timestamp,
) -> Result<Option<AllocationId>, StoreError> {
    let mut found = None;
    each_after(journal, applied, |batch| {
        for event in batch.events()? {
            if let JournalEvent::Allocated(record) = event
                && record.at >= since
                && sought.is(&record)
            {
                found = found.max(Some(record.id));
            }
        }
        Ok(Flow::On)
    })?;
    Ok(found)
}
