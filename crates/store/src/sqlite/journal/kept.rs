//! Reading what the journal keeps.

use std::borrow::Cow;

use caller_id_core::{JournalEvent, StoreError};
use rusqlite::Connection;

use crate::sqlite::codec;
use crate::sqlite::error::{on, sqlite};

const BOUNDS: &str = "SELECT coalesce(min(seq), 0), coalesce(max(seq), 0) FROM journal";
const SELECT_AFTER: &str = "SELECT seq, events FROM journal WHERE seq > ?1 ORDER BY seq";

/// The numbers of the oldest and the newest batch; 0 when there is none.
pub(in crate::sqlite) fn bounds(connection: &Connection) -> Result<(i64, i64), StoreError> {
    connection
        .query_row(BOUNDS, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(|error| on(connection, sqlite(error)))
}

/// How many events the batches after `seq` have.
pub(in crate::sqlite) fn count_after(connection: &Connection, seq: i64) -> Result<u64, StoreError> {
    let mut events = 0;
    each_after(connection, seq, |kept| {
        events += kept.count()?;
        Ok(Flow::On)
    })?;
    Ok(events)
}

/// Whether to read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sqlite) enum Flow {
    /// The next one, please.
    On,
    /// Enough.
    End,
}

/// A batch as the journal keeps it.
pub(in crate::sqlite) struct KeptBatch<'row, 'journal> {
    pub(in crate::sqlite) seq: i64,
    bytes: Cow<'row, [u8]>,
    journal: &'journal Connection,
}

impl KeptBatch<'_, '_> {
    /// How many events it has.
    fn count(&self) -> Result<u64, StoreError> {
        codec::count(&self.bytes).map_err(|error| self.here(error))
    }

    /// Its events.
    pub(in crate::sqlite) fn events(&self) -> Result<Vec<JournalEvent>, StoreError> {
        codec::decode(&self.bytes).map_err(|error| self.here(error))
    }

    fn here(&self, error: StoreError) -> StoreError {
        let error = match error {
            StoreError::Unreadable(text) => {
                StoreError::Unreadable(format!("batch {} of the journal: {text}", self.seq))
            }
            other => other,
        };
        on(self.journal, error)
    }
}

/// Gives the batches after `seq` one by one, in order. Errors name the journal's file, except those of `take`.
pub(in crate::sqlite) fn each_after<'journal>(
    connection: &'journal Connection,
    seq: i64,
    mut take: impl FnMut(KeptBatch<'_, 'journal>) -> Result<Flow, StoreError>,
) -> Result<(), StoreError> {
    let fail = |error| on(connection, sqlite(error));
    let mut select = connection.prepare_cached(SELECT_AFTER).map_err(fail)?;
    let mut rows = select.query([seq]).map_err(fail)?;
    while let Some(row) = rows.next().map_err(fail)? {
        let seq = row.get(0).map_err(fail)?;
        let blob = row.get_ref(1).map_err(fail)?.as_blob();
        let batch = KeptBatch {
            seq,
            // The table is strict: where this is no blob the page is damaged, and no bytes are no batch.
            bytes: Cow::Borrowed(blob.unwrap_or_default()),
            journal: connection,
        };
        if take(batch)? == Flow::End {
            break;
        }
    }
    Ok(())
}

/// At most `most` batches after `seq`, as copies: the journal's log is held no longer than it takes to make them.
pub(in crate::sqlite) fn some_after(
    connection: &Connection,
    seq: i64,
    most: usize,
) -> Result<Vec<KeptBatch<'static, '_>>, StoreError> {
    let mut some = Vec::new();
    each_after(connection, seq, |batch| {
        some.push(KeptBatch {
            seq: batch.seq,
            bytes: Cow::Owned(batch.bytes.into_owned()),
            journal: batch.journal,
        });
        Ok(match some.len() < most {
            true => Flow::On,
            false => Flow::End,
        })
    })?;
    Ok(some)
}
