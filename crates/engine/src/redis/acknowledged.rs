//! What this node told others lately: the server may forget it (a replica that takes over has not everything), we do not.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use caller_id_core::shared::{Merge, StateId};
use caller_id_core::{JournalEvent, Timestamp};

/// So many events are remembered: some minutes of a busy node, in about ten megabytes.
const MOST: usize = 65_536;

/// The last events that this node acknowledged, oldest first, each with the state that it is known to be in.
#[derive(Default)]
pub(super) struct Acknowledged(Mutex<Events>);

#[derive(Default)]
struct Events {
    kept: VecDeque<(StateId, JournalEvent)>,
    /// How many were dropped from the front.
    dropped: u64,
    /// All are known to be in this state.
    all_in: Option<StateId>,
}

/// What a state may not know.
pub(super) struct Unknown {
    /// Oldest first.
    pub(super) events: Vec<JournalEvent>,
    merge: Merge,
    /// How many events there were so far when it was looked.
    upto: u64,
}

impl Acknowledged {
    /// Remembers an event of that state.
    pub(super) fn push(&self, state: StateId, event: JournalEvent) {
        let mut events = self.lock();
        if events.kept.len() == MOST {
            events.kept.pop_front();
            events.dropped += 1;
        }
        if events.kept.is_empty() {
            events.all_in = Some(state);
        } else if events.all_in != Some(state) {
            events.all_in = None;
        }
        events.kept.push_back((state, event));
    }

    /// Those of other states that are not older than what the state knows; nothing when all are known to be in it.
    pub(super) fn unknown_to(&self, merge: Merge) -> Option<Unknown> {
        let events = self.lock();
        if events.kept.is_empty() || events.all_in == Some(merge.state) {
            return None;
        }
        let late = |event: &JournalEvent| merge.since.is_none_or(|since| at(event) >= since);
        let unknown = events.kept.iter();
        let unknown = unknown.filter(|(state, event)| *state != merge.state && late(event));
        Some(Unknown {
            events: unknown.map(|(_, event)| event.clone()).collect(),
            merge,
            upto: events.dropped + events.kept.len() as u64,
        })
    }

    /// They are in that state now.
    pub(super) fn brought(&self, unknown: &Unknown) {
        let mut events = self.lock();
        let state = unknown.merge.state;
        let known = unknown.upto.saturating_sub(events.dropped) as usize;
        for (of, _) in events.kept.iter_mut().take(known) {
            *of = state;
        }
        let all = events.kept.iter().all(|(of, _)| *of == state);
        events.all_in = all.then_some(state);
    }

    fn lock(&self) -> MutexGuard<'_, Events> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn at(event: &JournalEvent) -> Timestamp {
    match event {
        JournalEvent::Allocated(record) => record.at,
        JournalEvent::Ended(end) => end.at,
        JournalEvent::Reported(result) => result.at,
    }
}

#[cfg(test)]
mod tests {
    use caller_id_core::{AllocationId, CallEnd, EndRecord};
    use caller_id_testkit::builders::{START, number};

    use super::*;

    const FIRST: StateId = StateId(1);
    const SECOND: StateId = StateId(2);

    fn end(ms: i64) -> JournalEvent {
        let at = START.plus_ms(ms);
        JournalEvent::Ended(EndRecord {
            id: AllocationId::of(number(312, 1), at, 0),
            at,
            end: CallEnd::Released,
        })
    }

    fn to_second(since: Option<i64>) -> Merge {
        let since = since.map(|ms| START.plus_ms(ms));
        Merge {
            state: SECOND,
            since,
        }
    }

    #[test]
    fn the_latest_events_are_remembered_and_no_more_than_there_is_room_for() {
        let acknowledged = Acknowledged::default();
        for ms in 0..MOST as i64 + 2 {
            acknowledged.push(FIRST, end(ms));
        }
        let all = acknowledged.unknown_to(to_second(None)).unwrap().events;
        assert_eq!(all.len(), MOST);
        assert_eq!(all[0], end(2));
        let last = MOST as i64 + 1;
        let late = acknowledged.unknown_to(to_second(Some(last))).unwrap();
        assert_eq!(late.events, [end(last)]);
    }

    #[test]
    fn what_a_state_knows_is_not_brought_to_it() {
        let acknowledged = Acknowledged::default();
        assert!(acknowledged.unknown_to(to_second(None)).is_none());
        acknowledged.push(SECOND, end(1));
        assert!(acknowledged.unknown_to(to_second(None)).is_none());
        acknowledged.push(FIRST, end(2));
        acknowledged.push(SECOND, end(3));
        let unknown = acknowledged.unknown_to(to_second(None)).unwrap();
        assert_eq!(unknown.events, [end(2)]);
    }

    #[test]
    fn what_was_brought_is_not_brought_again_and_what_came_meanwhile_is() {
        let acknowledged = Acknowledged::default();
        acknowledged.push(FIRST, end(1));
        let unknown = acknowledged.unknown_to(to_second(None)).unwrap();
        acknowledged.push(FIRST, end(2));
        acknowledged.brought(&unknown);
        let unknown = acknowledged.unknown_to(to_second(None)).unwrap();
        assert_eq!(unknown.events, [end(2)]);
        acknowledged.brought(&unknown);
        assert!(acknowledged.unknown_to(to_second(None)).is_none());
    }
}
