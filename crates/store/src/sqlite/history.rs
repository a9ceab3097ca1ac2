//! Reading and pruning history, with what is committed and not yet moved into it.

use std::collections::HashMap;

use async_trait::async_trait;
use caller_id_core::store::{PastAllocation, PastSink};
use caller_id_core::{
    AllocationId, HistoryStore, JournalEvent, PhoneNumber, Sought, StoreError, Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Row};
use tokio::sync::mpsc;

use super::error::{on, sqlite};
use super::journal::{Flow, each_after};
use super::merge::{EndReader, Merge, PastReader, Stream};
use super::{SqliteStore, find, meta, tail};

const SINCE: &str = "
    SELECT id, at, number, destination, campaign, agent, call_id, pool, rung, reserved_until, ended_at, call_end,
        result_at, answered_seconds, dialed_seconds, hangup_cause, sip_code
    FROM main.allocations WHERE id >= ?1 ORDER BY id";
const TAIL_SINCE: &str = "
    SELECT id, at, number, destination, campaign, agent, call_id, pool, rung, reserved_until, NULL, NULL,
        NULL, NULL, NULL, NULL, NULL
    FROM temp.tail WHERE id >= ?1 ORDER BY id";
const TAIL_ENDS_SINCE: &str = "
    SELECT id, ended_at, call_end, result_at, answered_seconds, dialed_seconds, hangup_cause, sip_code
    FROM temp.tail_ends WHERE id >= ?1 ORDER BY id";
/// The greatest number below one that was ever used, and when last: one seek in the index, so that all last uses cost
/// a seek for each number and not a look at each allocation.
const LAST_USE_BELOW: &str = "
    SELECT number, at FROM allocations WHERE number < ?1 ORDER BY number DESC, at DESC LIMIT 1";
const PRUNE: &str = "
    DELETE FROM allocations WHERE id IN (SELECT id FROM allocations WHERE id < ?1 ORDER BY id LIMIT ?2)";

/// How many allocations go from the reading thread to the caller at once, and how many such lots may wait.
const LOT: usize = 1_024;
const LOTS_WAITING: usize = 4;

/// Two connections that together see all that is committed.
pub(super) struct HistoryReader {
    main: Connection,
    /// None where there is no journal file: nothing was ever committed then.
    journal: Option<Connection>,
    /// A transaction is open on the main file, and all that is not in it is in the temporary tables.
    held: bool,
}

impl HistoryReader {
    pub(super) fn new(main: Connection, journal: Option<Connection>) -> Result<Self, StoreError> {
        main.execute_batch(tail::TABLES).map_err(sqlite)?;
        Ok(Self {
            main,
            journal,
            held: false,
        })
    }

    /// Begins a moment that does not end; [`Held::fill`] makes it whole.
    pub(super) fn hold(self) -> Result<Held, StoreError> {
        let (journal, main, applied) = self.moment()?;
        journal.into_iter().for_each(Moment::keep);
        main.keep();
        Ok(Held {
            reader: self,
            applied,
        })
    }

    /// One moment of both files: history up to the mark it gives, and the journal after it.
    ///
    /// The journal's moment must be the earlier one. Seen in this order, a batch that was deleted from the journal
    /// before its moment was in history before it, so before history's moment too; and one that was moved between the
    /// two is in both, and not read twice because its number is not after the mark. In the other order a batch could be
    /// moved and deleted in between, and be seen in neither.
    pub(super) fn moment(&self) -> Result<(Option<Moment<'_>>, Moment<'_>, i64), StoreError> {
        let journal = match &self.journal {
            Some(journal) => Some(Moment::begin(journal, "SELECT max(seq) FROM journal")?),
            None => None,
        };
        let main = Moment::begin(&self.main, "SELECT max(value) FROM meta")?;
        let applied = meta(main.0, "applied_seq").map_err(|error| on(main.0, error))?;
        Ok((journal, main, applied))
    }

    /// The connection to the journal, where there is one.
    pub(super) fn journal(&self) -> Option<&Connection> {
        self.journal.as_ref()
    }

    /// A moment of history, with what is committed and not yet moved in the temporary tables.
    pub(super) fn whole_moment(&self) -> Result<Moment<'_>, StoreError> {
        if self.held {
            return Ok(Moment::of_held(&self.main));
        }
        let (journal, main, applied) = self.moment()?;
        if let Some(journal) = journal {
            // The journal's moment ends here: its log cannot start anew while somebody reads, and this may take long.
            tail::fill(main.0, journal.0, applied)?;
        }
        Ok(main)
    }

    fn since(
        &mut self,
        first: AllocationId,
        take: impl FnMut(PastAllocation) -> Flow,
    ) -> Result<(), StoreError> {
        let main = self.whole_moment()?;
        each_since(main.0, first, take).map_err(|error| on(main.0, error))
    }

    fn find(
        &mut self,
        sought: &Sought,
        since: Timestamp,
    ) -> Result<Option<AllocationId>, StoreError> {
        let (journal, main, applied) = self.moment()?;
        let unmoved = match journal {
            Some(journal) => find::unmoved(journal.0, applied, sought, since)?,
            None => None,
        };
        let moved = find::moved(main.0, sought, since).map_err(|error| on(main.0, error))?;
        Ok(unmoved.max(moved))
    }

    fn last_uses(&mut self) -> Result<Vec<(PhoneNumber, Timestamp)>, StoreError> {
        let (journal, main, applied) = self.moment()?;
        let mut uses = HashMap::new();
        let mut used = |number, at: Timestamp| {
            let latest = uses.entry(number).or_insert(at);
            *latest = at.max(*latest);
        };
        if let Some(journal) = journal {
            each_after(journal.0, applied, |batch| {
                for event in batch.events()? {
                    if let JournalEvent::Allocated(record) = event {
                        used(record.number, record.at);
                    }
                }
                Ok(Flow::On)
            })?;
        }
        each_last_use(main.0, used).map_err(|error| on(main.0, error))?;
        Ok(uses.into_iter().collect())
    }
}

/// A moment of both files that does not end before its connections do.
pub(super) struct Held {
    reader: HistoryReader,
    applied: i64,
}

impl Held {
    /// Takes over what only the journal has, and lets that go.
    pub(super) fn fill(self) -> Result<HistoryReader, StoreError> {
        let Self {
            mut reader,
            applied,
        } = self;
        if let Some(journal) = reader.journal.take() {
            tail::fill(&reader.main, &journal, applied)?;
        }
        reader.held = true;
        Ok(reader)
    }
}

/// A reading transaction. Its end takes back what was put into temporary tables, too.
pub(super) struct Moment<'a>(pub(super) &'a Connection, bool);

impl<'a> Moment<'a> {
    /// Begins it, and looks at the file: SQLite takes its snapshot at the first look, not at BEGIN.
    fn begin(connection: &'a Connection, look: &str) -> Result<Self, StoreError> {
        let fail = |error| on(connection, sqlite(error));
        connection.execute_batch("BEGIN").map_err(fail)?;
        let moment = Self(connection, true);
        connection.query_row(look, [], |_| Ok(())).map_err(fail)?;
        Ok(moment)
    }

    /// One that somebody else holds: nothing ends with it.
    const fn of_held(connection: &'a Connection) -> Self {
        Self(connection, false)
    }

    /// Ends nothing.
    fn keep(mut self) {
        self.1 = false;
    }
}

impl Drop for Moment<'_> {
    fn drop(&mut self) {
        if self.1 {
            // It fails only where SQLite has ended the transaction already.
            let _ = self.0.execute_batch("ROLLBACK");
        }
    }
}

/// The allocations from an id on, moved or put into the temporary tables, in order.
fn each_since(
    main: &Connection,
    first: AllocationId,
    mut take: impl FnMut(PastAllocation) -> Flow,
) -> Result<(), StoreError> {
    let [mut select, mut tail, mut ends] = [
        main.prepare_cached(SINCE).map_err(sqlite)?,
        main.prepare_cached(TAIL_SINCE).map_err(sqlite)?,
        main.prepare_cached(TAIL_ENDS_SINCE).map_err(sqlite)?,
    ];
    let mut merge = Merge {
        moved: Stream::start(&mut select, first, PastReader::default())?,
        tail: Stream::start(&mut tail, first, PastReader::default())?,
        ends: Stream::start(&mut ends, first, EndReader)?,
    };
    while let Some(past) = merge.next()? {
        if take(past) == Flow::End {
            break;
        }
    }
    Ok(())
}

fn each_last_use(
    main: &Connection,
    mut take: impl FnMut(PhoneNumber, Timestamp),
) -> Result<(), StoreError> {
    let mut select = main.prepare_cached(LAST_USE_BELOW).map_err(sqlite)?;
    let read = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
    let mut below = i64::MAX;
    while let Some((number, at)) = select.query_row([below], read).optional().map_err(sqlite)? {
        take(super::rows::number(number)?, Timestamp::from_ms(at));
        below = number;
    }
    Ok(())
}

#[async_trait]
impl HistoryStore for SqliteStore {
    async fn allocations_since(
        &self,
        since: Timestamp,
        sink: PastSink<'_>,
    ) -> Result<(), StoreError> {
        let (send, mut lots) = mpsc::channel::<Vec<PastAllocation>>(LOTS_WAITING);
        let first = AllocationId::first_at(since);
        let reading = self.history.run(move |reader| {
            let mut lot = Vec::with_capacity(LOT);
            reader.since(first, |past| {
                lot.push(past);
                if lot.len() < LOT {
                    return Flow::On;
                }
                let full = std::mem::replace(&mut lot, Vec::with_capacity(LOT));
                // Nobody receives any more: the caller has stopped waiting.
                send.blocking_send(full).map_or(Flow::End, |()| Flow::On)
            })?;
            let _ = send.blocking_send(lot);
            Ok(())
        });
        let receiving = async {
            while let Some(lot) = lots.recv().await {
                lot.into_iter().for_each(&mut *sink);
            }
        };
        tokio::join!(reading, receiving).0
    }

    async fn allocations_page(
        &self,
        from: AllocationId,
        most: usize,
    ) -> Result<Vec<PastAllocation>, StoreError> {
        self.history
            .run(move |reader| {
                let mut page = Vec::new();
                if most == 0 {
                    return Ok(page);
                }
                reader.since(from, |past| {
                    page.push(past);
                    if page.len() < most {
                        Flow::On
                    } else {
                        Flow::End
                    }
                })?;
                Ok(page)
            })
            .await
    }

    async fn find(
        &self,
        sought: &Sought,
        since: Timestamp,
    ) -> Result<Option<AllocationId>, StoreError> {
        let sought = sought.clone();
        self.history
            .run(move |reader| reader.find(&sought, since))
            .await
    }

    async fn last_uses(&self) -> Result<Vec<(PhoneNumber, Timestamp)>, StoreError> {
        self.history.run(HistoryReader::last_uses).await
    }

    async fn prune(&self, before: Timestamp, most: usize) -> Result<usize, StoreError> {
        self.writer
            .run(move |main| {
                let pruned = main
                    .prepare_cached(PRUNE)
                    .and_then(|mut prune| {
                        let most = i64::try_from(most).unwrap_or(i64::MAX);
                        prune.execute((AllocationId::first_at(before).as_bytes(), most))
                    })
                    .map_err(sqlite)?;
                // Old pages of history need not stay in memory.
                main.execute_batch("PRAGMA shrink_memory").map_err(sqlite)?;
                Ok(pruned)
            })
            .await
    }

    fn backlog(&self) -> u64 {
        self.progress.backlog()
    }

    async fn settle(&self) -> Result<(), StoreError> {
        self.progress.settle().await
    }
}
