//! What is kept beside the inventory and history: deleted numbers, API keys, sums, the audit log.

use caller_id_core::audit::AuditEntry;
use caller_id_core::roles::ApiKey;
use caller_id_core::takeover::{DaySum, HourSum, RemovedNumber};

use super::{LOG, Onlooker, Part, ROWS_BETWEEN, Taker};
use crate::cli::migrate::source::Source;
use crate::cli::migrate::walk::{Pair, Walk};

/// Deleted numbers. What the target has beyond them is nothing of its own: a number that came back there is deleted no more when it
/// is written.
pub(super) async fn removed(
    source: &mut dyn Source,
    target: &mut dyn Source,
    taker: &mut dyn Taker,
) -> anyhow::Result<Part> {
    let mut part = Part::new("deleted");
    let mut walk = Walk::<RemovedNumber>::new(source, target);
    while let Some(pair) = walk.next().await? {
        let number = match pair {
            Pair::Extra(_) => continue,
            Pair::Both(number, there) if number == there => {
                part.both(&number, &there);
                continue;
            }
            Pair::Missing(number) | Pair::Both(number, _) => number,
        };
        let name = format!("the deleted number {}", number.number);
        part.missing(&number, &name);
        taker.removed(number).await?;
    }
    taker.end_of_part().await?;
    Ok(part)
}

/// API keys. That one was used or revoked since is no other key.
pub(super) async fn keys(
    source: &mut dyn Source,
    target: &mut dyn Source,
    taker: &mut dyn Taker,
) -> anyhow::Result<Part> {
    let mut part = Part::new("keys");
    let mut there = target.keys().await?;
    for key in source.keys().await? {
        let name = format!("key {} (`{}`)", key.id, key.name);
        let kept = there.iter().position(|kept| kept.id == key.id);
        match kept.map(|place| there.remove(place)) {
            None => part.missing(&key, &name),
            Some(kept) if kept == key => {
                part.both(&key, &kept);
                continue;
            }
            Some(kept) if later(kept.clone(), &key) == key => part.missing(&key, &name),
            Some(kept) => {
                part.both(&key, &kept);
                part.different(&name);
            }
        }
        taker.key(key).await?;
    }
    there
        .iter()
        .for_each(|key| part.extra(&format!("key {} (`{}`)", key.id, key.name)));
    taker.end_of_part().await?;
    Ok(part)
}

/// The target's key with what may have become of it in the source.
fn later(kept: ApiKey, source: &ApiKey) -> ApiKey {
    ApiKey {
        last_used_at: kept.last_used_at.max(source.last_used_at),
        revoked_at: kept.revoked_at.or(source.revoked_at),
        ..kept
    }
}

/// Sums by hour. Another count of the same hour is the source's from later: it counts hours twice.
pub(super) async fn hours(
    source: &mut dyn Source,
    target: &mut dyn Source,
    taker: &mut dyn Taker,
) -> anyhow::Result<Part> {
    let mut part = Part::new("hour sums");
    let mut walk = Walk::<HourSum>::new(source, target);
    while let Some(pair) = walk.next().await? {
        let name = |sum: &HourSum| format!("the sum {:?}", sum.place);
        match pair {
            Pair::Extra(sum) => part.extra(&name(&sum)),
            Pair::Both(sum, there) if sum == there => {
                part.both(&sum, &there);
            }
            Pair::Missing(sum) | Pair::Both(sum, _) => {
                part.missing(&sum, &name(&sum));
                taker.hour(sum).await?;
            }
        }
    }
    taker.end_of_part().await?;
    Ok(part)
}

/// Sums by day, in the same way.
pub(super) async fn days(
    source: &mut dyn Source,
    target: &mut dyn Source,
    taker: &mut dyn Taker,
) -> anyhow::Result<Part> {
    let mut part = Part::new("day sums");
    let mut walk = Walk::<DaySum>::new(source, target);
    while let Some(pair) = walk.next().await? {
        let name = |sum: &DaySum| format!("the sum of {} on the day {}", sum.place.1, sum.place.0);
        match pair {
            Pair::Extra(sum) => part.extra(&name(&sum)),
            Pair::Both(sum, there) if sum == there => {
                part.both(&sum, &there);
            }
            Pair::Missing(sum) | Pair::Both(sum, _) => {
                part.missing(&sum, &name(&sum));
                taker.day(sum).await?;
            }
        }
    }
    taker.end_of_part().await?;
    Ok(part)
}

/// How far it is summed up: after the sums, so that a migration that was killed leaves hours to be summed up again, and none out.
pub(super) async fn marks(
    source: &mut dyn Source,
    target: &mut dyn Source,
    taker: &mut dyn Taker,
) -> anyhow::Result<Part> {
    let mut part = Part::new("sum marks");
    let (marks, there) = (source.marks().await?, target.marks().await?);
    if marks == there {
        part.both(&marks, &there);
    } else {
        part.missing(&marks, &"how far history is summed up");
        taker.marks(marks).await?;
    }
    Ok(part)
}

/// The audit log, place by place: it goes on where the target's ends, or it is another.
pub(super) async fn entries(
    source: &mut dyn Source,
    target: &mut dyn Source,
    taker: &mut dyn Taker,
    onlooker: &mut dyn Onlooker,
) -> anyhow::Result<Part> {
    let mut part = Part::new(LOG);
    let mut walk = Walk::<AuditEntry>::new(source, target);
    while let Some(pair) = walk.next().await? {
        let name = |entry: &AuditEntry| format!("entry {} of the audit log", entry.place);
        match pair {
            Pair::Extra(entry) => part.extra(&name(&entry)),
            Pair::Missing(entry) => {
                part.missing(&entry, &name(&entry));
                taker.entry(entry).await?;
            }
            Pair::Both(entry, there) => {
                if !part.both(&entry, &there) {
                    part.different(&name(&entry));
                }
            }
        }
        if part.source.rows.is_multiple_of(ROWS_BETWEEN) {
            onlooker.seen(part.name, part.source.rows, None);
        }
    }
    taker.end_of_part().await?;
    Ok(part)
}
