//! The conditions of a number, each computed from the list of its uses.

use caller_id_core::{AreaCode, Policy, Rung, Timestamp, area_codes};

use super::Use;

pub(super) fn rung_holds(
    rung: Rung,
    destination: Option<AreaCode>,
    number: Option<AreaCode>,
) -> bool {
    let table = area_codes::table();
    match (rung, destination, number) {
        (Rung::Any, _, _) => true,
        (Rung::AreaCode, Some(theirs), Some(ours)) => theirs == ours,
        (Rung::Overlay, Some(theirs), Some(ours)) => table.overlay(theirs).contains(&ours),
        (Rung::Region, Some(theirs), Some(ours)) => {
            table.region(theirs).is_some() && table.region(theirs) == table.region(ours)
        }
        _ => false,
    }
}

pub(super) fn reserved_until(uses: &[&Use], most: usize, now: Timestamp) -> Timestamp {
    let mut live: Vec<Timestamp> = uses
        .iter()
        .map(|used| used.end())
        .filter(|end| *end > now)
        .collect();
    live.sort();
    if live.len() >= most {
        return live[live.len() - most];
    }
    uses.iter()
        .map(|used| used.end())
        .filter(|end| *end <= now)
        .max()
        .unwrap_or(Timestamp::ZERO)
}

pub(super) const FIVE_MINUTES: i64 = 300_000;

pub(super) fn hour_free(uses: &[&Use], limit: Option<usize>, now: Timestamp) -> Timestamp {
    let Some(limit) = limit else {
        return Timestamp::ZERO;
    };
    let counted = |bucket: i64| {
        uses.iter()
            .filter(|used| used.at.as_ms() / FIVE_MINUTES + 12 >= bucket)
            .count()
    };
    let running = now.as_ms() / FIVE_MINUTES;
    if counted(running) < limit {
        return Timestamp::ZERO;
    }
    let free = (running + 1..)
        .find(|bucket| counted(*bucket) < limit)
        .expect("in 65 minutes nothing counts");
    Timestamp::from_ms(free * FIVE_MINUTES)
}

pub(super) fn day_free(
    uses: &[&Use],
    limit: Option<usize>,
    policy: &Policy,
    now: Timestamp,
) -> Timestamp {
    let today = policy.time_zone.day(now);
    let count = uses.iter().filter(|used| used.at >= today.start).count();
    if limit.is_some_and(|limit| count >= limit) {
        today.end
    } else {
        Timestamp::ZERO
    }
}
