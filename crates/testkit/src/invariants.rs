//! What must hold over a whole history, whatever was killed, restarted or broken while it was made.

use std::collections::{BTreeMap, HashSet};

use caller_id_core::store::PastAllocation;
use caller_id_core::{AllocationId, Limits, PhoneNumber, Policy, Timestamp};

const HOUR_MS: i64 = 3_600_000;

/// The rules one number was under, all the time that the history covers.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The policy of its pool.
    pub policy: Policy,
    /// Its limits.
    pub limits: Limits,
}

/// Checks a history against the rules of each number, and that every acknowledged allocation is in it once.
///
/// Gives a sentence for each violation; an empty list is what tests want.
pub fn violations(
    history: &[PastAllocation],
    acknowledged: &[AllocationId],
    rules: impl Fn(PhoneNumber) -> Rules,
) -> Vec<String> {
    let mut found = doubled_and_lost(history, acknowledged);
    let mut by_number: BTreeMap<PhoneNumber, Vec<&PastAllocation>> = BTreeMap::new();
    for past in history {
        by_number.entry(past.record.number).or_default().push(past);
    }
    for (number, mut uses) in by_number {
        uses.sort_by_key(|past| (past.record.at, past.record.id));
        let rules = rules(number);
        found.extend(overlapping(
            number,
            &uses,
            rules.policy.most_reservations.get().into(),
        ));
        found.extend(too_close(number, &uses, rules.policy.cooldown_ms));
        if let Some(limit) = rules.limits.hourly {
            found.extend(crowded_hour(number, &uses, limit.get() as usize));
        }
        if let Some(limit) = rules.limits.daily {
            found.extend(crowded_day(
                number,
                &uses,
                limit.get() as usize,
                &rules.policy,
            ));
        }
    }
    found
}

fn doubled_and_lost(history: &[PastAllocation], acknowledged: &[AllocationId]) -> Vec<String> {
    let mut seen = HashSet::new();
    let doubled = history.iter().filter(|past| !seen.insert(past.record.id));
    let mut found: Vec<String> = doubled
        .map(|past| format!("{} is in history twice", past.record.id))
        .collect();
    let mut told = HashSet::new();
    for id in acknowledged {
        if !told.insert(*id) {
            found.push(format!("{id} was handed out twice"));
        }
        if !seen.contains(id) {
            found.push(format!("{id} was acknowledged and is not in history"));
        }
    }
    found
}

fn end(past: &PastAllocation) -> Timestamp {
    past.ended.map_or(past.record.reserved_until, |ended| {
        ended.at.min(past.record.reserved_until)
    })
}

fn overlapping(number: PhoneNumber, uses: &[&PastAllocation], most: usize) -> Vec<String> {
    let live =
        |at: Timestamp, upto: usize| uses[..=upto].iter().filter(|past| end(past) > at).count();
    let crowded = uses
        .iter()
        .enumerate()
        .filter(|(place, past)| live(past.record.at, *place) > most.max(1));
    crowded
        .filter(|(_, past)| end(past) > past.record.at)
        .map(|(_, past)| {
            format!(
                "{number} has more than {most} live reservations at {}",
                past.record.at
            )
        })
        .collect()
}

fn too_close(number: PhoneNumber, uses: &[&PastAllocation], cooldown_ms: i64) -> Vec<String> {
    let close = uses
        .windows(2)
        .filter(|pair| pair[1].record.at.ms_since(pair[0].record.at) < cooldown_ms);
    close
        .map(|pair| {
            format!(
                "{number} is used again at {} within its cooldown",
                pair[1].record.at
            )
        })
        .collect()
}

fn crowded_hour(number: PhoneNumber, uses: &[&PastAllocation], limit: usize) -> Vec<String> {
    let crowded = uses
        .windows(limit + 1)
        .filter(|some| some[limit].record.at.ms_since(some[0].record.at) < HOUR_MS);
    crowded
        .map(|some| {
            format!(
                "{number} passes {limit} uses in the hour before {}",
                some[limit].record.at
            )
        })
        .collect()
}

fn crowded_day(
    number: PhoneNumber,
    uses: &[&PastAllocation],
    limit: usize,
    policy: &Policy,
) -> Vec<String> {
    let mut days: BTreeMap<Timestamp, usize> = BTreeMap::new();
    for past in uses {
        *days
            .entry(policy.time_zone.day(past.record.at).start)
            .or_default() += 1;
    }
    let crowded = days.into_iter().filter(|(_, count)| *count > limit);
    crowded
        .map(|(day, count)| {
            format!("{number} has {count} uses on the day from {day}, limit {limit}")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builders::{START, number};
    use caller_id_core::{AllocationRecord, PoolId, Rung};

    fn past(seconds: i64, held_seconds: i64) -> PastAllocation {
        let at = START.plus_ms(seconds * 1_000);
        let record = AllocationRecord {
            id: AllocationId::new(at, seconds as u128),
            at,
            number: number(312, 1),
            destination: number(312, 2),
            campaign: None,
            agent: None,
            call_id: None,
            pool: PoolId::default(),
            rung: Rung::Any,
            reserved_until: at.plus_ms(held_seconds * 1_000),
        };
        PastAllocation::new(record)
    }

    fn check(history: &[PastAllocation], limits: Limits) -> Vec<String> {
        let ids: Vec<_> = history.iter().map(|past| past.record.id).collect();
        violations(history, &ids, |_| Rules {
            policy: Policy::default(),
            limits,
        })
    }

    #[test]
    fn a_history_within_the_rules_has_no_violations() {
        assert_eq!(
            check(
                &[past(0, 60), past(60, 60), past(3_600, 60)],
                Limits::new(3, 2)
            ),
            Vec::<String>::new()
        );
    }

    #[test]
    fn each_broken_rule_is_found() {
        let found = |history: &[PastAllocation], limits| check(history, limits).len();
        assert_eq!(
            found(&[past(0, 61), past(60, 1)], Limits::NONE),
            1,
            "overlap"
        );
        assert_eq!(
            found(&[past(0, 1), past(29, 1)], Limits::NONE),
            1,
            "cooldown"
        );
        assert_eq!(
            found(
                &[past(0, 1), past(60, 1), past(3_599, 1)],
                Limits::new(0, 2)
            ),
            1,
            "hour"
        );
        assert_eq!(
            found(
                &[past(0, 1), past(60, 1), past(4_000, 1)],
                Limits::new(2, 0)
            ),
            1,
            "day"
        );
        assert_eq!(
            found(&[past(0, 1), past(0, 1)], Limits::NONE),
            4,
            "doubled, told twice, overlap, cooldown"
        );
    }

    #[test]
    fn a_lost_acknowledgement_is_found() {
        let lost = AllocationId::new(START, 7);
        let found = violations(&[], &[lost], |_| unreachable!("there is no number"));
        assert_eq!(
            found,
            [format!("{lost} was acknowledged and is not in history")]
        );
    }
}
