//! Judges Redis and the database together.

use caller_id_core::shared::Lag;
use caller_id_core::store::Revision;

use super::{Finding, Part};
use crate::app::inspect::StateInspection;

/// So old is nothing in the outbox while all is well.
const LATE_MS: i64 = 60_000;

/// All that is to say of the state in Redis, with the revision of the database's inventory where that is known.
pub fn judge(state: &StateInspection, revision: Option<Revision>) -> Vec<Finding> {
    let mut findings = vec![whole(state), outbox(state.lag)];
    findings.extend(revision.map(|revision| belongs(state.inventory, revision)));
    findings
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

fn outbox(lag: Lag) -> Finding {
    let Lag {
        events,
        oldest_ms,
        most,
    } = lag;
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

fn belongs(known: Revision, found: Revision) -> Finding {
    let (known, found) = (known.0, found.0);
    let about = "belongs together";
    if known > found {
        return finding(
            about,
            format!("no: Redis knows revision {known} of the inventory, the database is at {found}"),
        )
        .error(
            "name the database that belongs to it, or another REDIS_TENANT. After a restore of an older database remove this \
             tenant's keys: docs/cluster.md",
        );
    }
    finding(
        about,
        format!("revision {known} of the inventory in Redis, {found} in the database"),
    )
}

#[cfg(test)]
mod tests {
    use caller_id_core::Timestamp;

    use super::*;
    use crate::doctor::Verdict;

    fn lag(events: u64, oldest_ms: i64) -> Lag {
        Lag {
            events,
            oldest_ms,
            most: 1_000,
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
    }

    #[test]
    fn a_redis_that_knows_more_than_the_database_belongs_to_another() {
        for (known, found, verdict) in [
            (0, 1, Verdict::Ok),
            (7, 7, Verdict::Ok),
            (8, 7, Verdict::Error),
        ] {
            assert_eq!(belongs(Revision(known), Revision(found)).verdict, verdict);
        }
    }

    #[test]
    fn a_state_that_is_lost_is_rebuilt_by_the_nodes_and_no_error() {
        for lost in [None, Some(None), Some(Some(Timestamp::from_ms(1)))] {
            let state = StateInspection {
                lost,
                lag: lag(0, 0),
                inventory: Revision(0),
            };
            let found = judge(&state, None);
            assert!(found.iter().all(|found| found.verdict == Verdict::Ok));
        }
        assert_eq!(untold("NOPERM").verdict, Verdict::Error);
    }
}
