//! Judges Redis and the database together.

use std::collections::BTreeSet;

use caller_id_core::Position;
use caller_id_core::shared::Lag;

use caller_id_core::shared::Announcement;

use super::{Finding, Part};
use crate::accord::{differences, name_of};
use crate::app::inspect::{Holder, InventoryInspection, RecordedState, StateInspection};
use crate::mismatch::Mismatch;

/// So old is nothing in the outbox while all is well.
const LATE_MS: i64 = 60_000;

/// Which state in Redis has the numbers of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// That one, where it is written down.
    pub state: Option<RecordedState>,
    /// The nodes that hold it.
    pub holders: Vec<Holder>,
}

/// All that is to say of the state in Redis, with the database's inventory, and the state that it belongs to, where they are
/// known.
pub fn judge(
    state: &StateInspection,
    database: Option<InventoryInspection>,
    recorded: Option<&Recorded>,
) -> Vec<Finding> {
    let mut findings = vec![whole(state), outbox(state.lag)];
    findings.extend(recorded.map(|recorded| owner(state, recorded)));
    findings.extend(database.map(|database| belongs(state.inventory, database)));
    findings
}

/// Whether the nodes that run have the settings of rotation that hold here.
pub fn settings(node: &str, ours: &str, announced: &[Announcement]) -> Finding {
    let about = "settings";
    let names = || announced.iter().map(|other| name_of(&other.node));
    let mut seen = BTreeSet::new();
    if let Some(twin) = names().find(|name| !seen.insert(*name)) {
        return finding(about, format!("more than one node is called `{twin}`")).warning(
            "set another NODE_NAME for each; look again in a minute if one was killed and started again",
        );
    }
    let others = announced
        .iter()
        .filter(|other| name_of(&other.node) != node);
    let others: Vec<_> = others.cloned().collect();
    let differ: Vec<_> = differences(node, ours, &others).into_iter().collect();
    if !differ.is_empty() {
        return finding(about, differ.join("; "))
            .warning("set the same everywhere, and restart the nodes: each applies its own");
    }
    match others.len() {
        0 => finding(about, "no other node runs"),
        1 => finding(about, "1 other node runs, with the same"),
        count => finding(about, format!("{count} other nodes run, with the same")),
    }
}

/// What is to say when Redis was reached, and does not tell of the state.
pub fn untold(why: &str) -> Finding {
    finding("state", why).error("see what else is told of Redis here, its rights above all")
}

fn finding(about: &'static str, fact: impl Into<String>) -> Finding {
    Finding::new(Part::Cluster, about, fact)
}

fn whole(state: &StateInspection) -> Finding {
    let about = "state";
    match state.lost {
        None => finding(about, "whole: numbers can be handed out"),
        Some(None) => finding(about, "none: nodes that run rebuild it from the database"),
        Some(Some(until)) => finding(
            about,
            format!(
                "of another run of Redis, whole until {until}: nodes that run bring what came since"
            ),
        ),
    }
}

fn owner(state: &StateInspection, recorded: &Recorded) -> Finding {
    let about = "state of the database";
    let Some(record) = &recorded.state else {
        return finding(about, "none is written down: the first node does that");
    };
    let written = format!(
        "state {:016x} of {}, written down by the node `{}` at {}",
        record.state.0, record.at, record.node, record.since
    );
    if state.id == Some(record.state) {
        return finding(about, format!("this one: {written}"));
    }
    let here = match state.id {
        Some(id) => format!("state {:016x} of {}", id.0, state.at),
        None => format!("none yet, of {}", state.at),
    };
    let names: Vec<_> = recorded.holders.iter().map(ToString::to_string).collect();
    if names.is_empty() {
        return finding(
            about,
            format!(
                "another one, which no node holds: {written}. Nodes take it over with what is here: {here}"
            ),
        );
    }
    finding(
        about,
        format!(
            "another one, which the nodes {} hold: {written}. Here is {here}",
            names.join(", ")
        ),
    )
    .error(
        "set REDIS_URL (its hosts and the number of the database) and REDIS_TENANT as those nodes have them, or stop them all \
         to move here; if this is their Redis, and was emptied just now, look again in some seconds",
    )
}

fn outbox(lag: Lag) -> Finding {
    let Lag {
        events,
        oldest_ms,
        most,
        aside,
    } = lag;
    if aside > 0 {
        return finding(
            "outbox",
            format!("{aside} events could not be read, are set aside, and in no history; {events} of {most} wait"),
        )
        .error("start a node of the version that wrote them: it brings them to the database");
    }
    if events == 0 {
        return finding("outbox", "nothing waits for the database");
    }
    let seconds = oldest_ms / 1_000;
    let found = finding(
        "outbox",
        format!("{events} of {most} events wait for the database, the oldest for {seconds} s"),
    );
    if events.saturating_mul(2) >= most {
        return found.error(
            "bring the database back, and start a node: when it is full, no number is handed out",
        );
    }
    if oldest_ms >= LATE_MS {
        return found.warning("see that the database answers, and that a node runs");
    }
    found
}

fn belongs(known: Position, found: InventoryInspection) -> Finding {
    let about = "belongs together";
    if let Some(why) = Mismatch::between(known, found.identity, found.revision) {
        let wrong = finding(about, format!("no: Redis {why}"));
        if found == InventoryInspection::NONE {
            return wrong.error(
                "the tables of its database are gone from here, or this is another one: name that, or restore a backup \
                 (caller-id restore FILE, docs/backup.md)",
            );
        }
        return wrong.error(
            "name the database that belongs to it, or another REDIS_TENANT. After a restore of an older database remove this \
             tenant's keys: docs/cluster.md",
        );
    }
    finding(
        about,
        format!(
            "revision {} of the inventory in Redis, {} in the database",
            known.since.0, found.revision.0
        ),
    )
}

#[cfg(test)]
mod tests {
    use caller_id_core::Timestamp;
    use caller_id_core::shared::StateId;
    use caller_id_core::store::Revision;

    use super::*;
    use crate::doctor::Verdict;

    fn lag(events: u64, oldest_ms: i64) -> Lag {
        Lag {
            events,
            oldest_ms,
            most: 1_000,
            aside: 0,
        }
    }

    #[test]
    fn an_outbox_that_is_late_is_a_warning_and_one_that_is_half_full_an_error() {
        for (events, oldest_ms, verdict) in [
            (0, 0, Verdict::Ok),
            (499, 59_999, Verdict::Ok),
            (1, 60_000, Verdict::Warning),
            (500, 10, Verdict::Error),
        ] {
            let found = outbox(lag(events, oldest_ms));
            assert_eq!(found.verdict, verdict, "{found}");
        }
        let unread = Lag {
            aside: 1,
            ..lag(0, 0)
        };
        assert_eq!(outbox(unread).verdict, Verdict::Error);
    }

    #[test]
    fn a_redis_that_knows_another_database_or_more_than_there_is_belongs_to_another() {
        for (store, since, verdict) in [
            (None, 0, Verdict::Ok),
            (Some(1), 7, Verdict::Ok),
            (Some(1), 8, Verdict::Error),
            (Some(2), 7, Verdict::Error),
        ] {
            let known = Position {
                store,
                since: Revision(since),
                after: None,
            };
            let found = InventoryInspection {
                identity: Some(1),
                revision: Revision(7),
            };
            assert_eq!(belongs(known, found).verdict, verdict, "{known:?}");
        }
    }

    #[test]
    fn a_database_without_tables_is_not_well_where_redis_knows_of_some() {
        let knows = |store, since| Position {
            store,
            since: Revision(since),
            after: None,
        };
        let none = InventoryInspection::NONE;
        assert_eq!(belongs(knows(None, 0), none).verdict, Verdict::Ok);
        for known in [knows(Some(1), 7), knows(None, 7)] {
            let found = belongs(known, none);
            assert_eq!(found.verdict, Verdict::Error);
            assert!(found.told().contains("caller-id restore FILE"), "{found}");
        }
    }

    #[test]
    fn a_state_that_is_lost_is_rebuilt_by_the_nodes_and_no_error() {
        for lost in [None, Some(None), Some(Some(Timestamp::from_ms(1)))] {
            let state = StateInspection {
                at: "redis at here:6379".to_owned(),
                id: None,
                lost,
                lag: lag(0, 0),
                inventory: Position::default(),
                announced: Vec::new(),
            };
            let found = judge(&state, None, None);
            assert!(found.iter().all(|found| found.verdict == Verdict::Ok));
        }
        assert_eq!(untold("NOPERM").verdict, Verdict::Error);
    }

    #[test]
    fn two_nodes_of_one_name_are_a_warning() {
        let says = |node: &str| Announcement {
            node: node.to_owned(),
            text: "LADDER=any".to_owned(),
        };
        let nodes = [says("a/01234567"), says("b/01234567"), says("b/89abcdef")];
        for (announced, verdict) in [(&nodes[..2], Verdict::Ok), (&nodes[..], Verdict::Warning)] {
            let found = settings("a", "LADDER=any", announced);
            assert_eq!(found.verdict, verdict, "{found}");
        }
    }

    #[test]
    fn another_state_is_an_error_only_while_nodes_hold_the_one_of_the_database() {
        let node = Holder::seen("a".to_owned(), false, Timestamp::from_ms(1));
        let recorded = |id: Option<u64>, holders: &[Holder]| Recorded {
            state: id.map(|id| RecordedState {
                state: StateId(id),
                node: "a".to_owned(),
                at: "redis at there:6379".to_owned(),
                since: Timestamp::from_ms(1),
                seen: Timestamp::from_ms(1),
                left: false,
            }),
            holders: holders.to_vec(),
        };
        let nodes = [node];
        for (here, recorded, verdict) in [
            (Some(7), recorded(None, &[]), Verdict::Ok),
            (Some(7), recorded(Some(7), &nodes), Verdict::Ok),
            (Some(7), recorded(Some(8), &[]), Verdict::Ok),
            (Some(7), recorded(Some(8), &nodes), Verdict::Error),
            (None, recorded(Some(8), &nodes), Verdict::Error),
            (None, recorded(Some(8), &[]), Verdict::Ok),
        ] {
            let state = StateInspection {
                at: "redis at here:6379".to_owned(),
                id: here.map(StateId),
                lost: None,
                lag: lag(0, 0),
                inventory: Position::default(),
                announced: Vec::new(),
            };
            let found = owner(&state, &recorded);
            assert_eq!(found.verdict, verdict, "{found}");
        }
    }
}
