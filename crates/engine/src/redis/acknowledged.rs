//! What this node told others lately: the server may forget it (a replica that takes over has not everything), we do not.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use caller_id_core::{AllocationRecord, EndRecord, JournalEvent, Timestamp};

/// So many events are remembered: some minutes of a busy node, in about ten megabytes.
const MOST: usize = 65_536;

/// The last events that this node acknowledged, oldest first.
#[derive(Default)]
pub(super) struct Acknowledged(Mutex<VecDeque<JournalEvent>>);

impl Acknowledged {
    /// Remembers an allocation.
    pub(super) fn allocated(&self, record: &Arc<AllocationRecord>) {
        self.push(JournalEvent::Allocated(record.clone()));
    }

    /// Remembers an end.
    pub(super) fn ended(&self, end: EndRecord) {
        self.push(JournalEvent::Ended(end));
    }

    /// Those at `since` or later; all when nothing is said.
    pub(super) fn since(&self, since: Option<Timestamp>) -> Vec<JournalEvent> {
        let events = self.lock();
        let late = |event: &&JournalEvent| since.is_none_or(|since| at(event) >= since);
        events.iter().filter(late).cloned().collect()
    }

    fn push(&self, event: JournalEvent) {
        let mut events = self.lock();
        if events.len() == MOST {
            events.pop_front();
        }
        events.push_back(event);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<JournalEvent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn at(event: &JournalEvent) -> Timestamp {
    match event {
        JournalEvent::Allocated(record) => record.at,
        JournalEvent::Ended(end) => end.at,
    }
}

#[cfg(test)]
mod tests {
    use caller_id_core::{AllocationId, CallEnd};
    use caller_id_testkit::builders::{START, number};

    use super::*;

    fn end(ms: i64) -> EndRecord {
        let at = START.plus_ms(ms);
        EndRecord {
            id: AllocationId::of(number(312, 1), at, 0),
            at,
            end: CallEnd::Released,
        }
    }

    #[test]
    fn the_latest_events_are_remembered_and_no_more_than_there_is_room_for() {
        let acknowledged = Acknowledged::default();
        for ms in 0..MOST as i64 + 2 {
            acknowledged.ended(end(ms));
        }
        let all = acknowledged.since(None);
        assert_eq!(all.len(), MOST);
        assert_eq!(all[0], JournalEvent::Ended(end(2)));
        let last = MOST as i64 + 1;
        let late = acknowledged.since(Some(START.plus_ms(last)));
        assert_eq!(late, [JournalEvent::Ended(end(last))]);
    }
}
