//! Source and target side by side: what is the same, and what is not.

mod beside;
mod part;

use async_trait::async_trait;
use caller_id_core::audit::AuditEntry;
use caller_id_core::roles::ApiKey;
use caller_id_core::store::PastAllocation;
use caller_id_core::takeover::{DaySum, HourSum, RemovedNumber, SumMarks};
use caller_id_core::{Campaign, Number, Pool, PoolId, Timestamp};

use super::source::Source;
use super::walk::{Pair, Walk};

pub(in crate::cli) use self::part::{Difference, Part};

/// Who looks on is told after so many rows.
const ROWS_BETWEEN: u64 = 1_000;

/// The part that the audit log is.
pub(in crate::cli) const LOG: &str = "audit log";

/// Takes what the target has not, or has otherwise.
#[async_trait]
pub(in crate::cli) trait Taker: Send {
    /// A pool, as it is to be.
    async fn pool(&mut self, pool: Pool) -> anyhow::Result<()>;
    /// A number, as it is to be.
    async fn number(&mut self, number: Number) -> anyhow::Result<()>;
    /// A campaign, as it is to be.
    async fn campaign(&mut self, campaign: Campaign) -> anyhow::Result<()>;
    /// An allocation that is missing, or whose end or result is.
    async fn allocation(&mut self, past: PastAllocation) -> anyhow::Result<()>;
    /// A number that was deleted.
    async fn removed(&mut self, number: RemovedNumber) -> anyhow::Result<()>;
    /// An API key, as it is to be.
    async fn key(&mut self, key: ApiKey) -> anyhow::Result<()>;
    /// A sum of an hour, as it is to be.
    async fn hour(&mut self, sum: HourSum) -> anyhow::Result<()>;
    /// A sum of a day, as it is to be.
    async fn day(&mut self, sum: DaySum) -> anyhow::Result<()>;
    /// How far it is summed up.
    async fn marks(&mut self, marks: SumMarks) -> anyhow::Result<()>;
    /// An entry of the audit log that is missing.
    async fn entry(&mut self, entry: AuditEntry) -> anyhow::Result<()>;
    /// Nothing more of the part that was taken last.
    async fn end_of_part(&mut self) -> anyhow::Result<()>;
}

/// Who looks on.
pub(in crate::cli) trait Onlooker: Send {
    /// So many rows of the source were looked at; of history, all up to this instant.
    fn seen(&mut self, part: &'static str, rows: u64, at: Option<Timestamp>);
}

/// What is looked at beside the inventory and history, where the source has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) struct Scope {
    /// The audit log.
    pub(in crate::cli) log: bool,
    /// The sums. What history they count must be the source's alone.
    pub(in crate::cli) sums: bool,
}

impl Scope {
    /// Everything.
    pub(in crate::cli) const ALL: Self = Self {
        log: true,
        sums: true,
    };
}

/// Looks through everything on both sides, in an order in which it may be written: pools, numbers, campaigns, history, and what is
/// kept beside them.
pub(in crate::cli) async fn compare(
    source: &mut dyn Source,
    target: &mut dyn Source,
    scope: Scope,
    taker: &mut dyn Taker,
    onlooker: &mut dyn Onlooker,
) -> anyhow::Result<Vec<Part>> {
    let is_ours = source.is_ours();
    source.rewind().await?;
    let mut parts = Vec::new();
    if is_ours {
        parts.push(pools(source, target, taker).await?);
    }
    parts.push(numbers(source, target, taker, onlooker).await?);
    if is_ours {
        parts.push(campaigns(source, target, taker).await?);
    }
    parts.extend(history(source, target, taker, onlooker).await?);
    if is_ours {
        parts.push(beside::removed(source, target, taker).await?);
        parts.push(beside::keys(source, target, taker).await?);
    }
    if is_ours && scope.sums {
        parts.push(beside::hours(source, target, taker).await?);
        parts.push(beside::days(source, target, taker).await?);
        parts.push(beside::marks(source, target, taker).await?);
    }
    if is_ours && scope.log {
        parts.push(beside::entries(source, target, taker, onlooker).await?);
    }
    Ok(parts)
}

async fn pools(
    source: &mut dyn Source,
    target: &mut dyn Source,
    taker: &mut dyn Taker,
) -> anyhow::Result<Part> {
    let mut part = Part::new("pools");
    let (pools, mut there) = (source.pools().await?, target.pools().await?);
    // Every store has it from the start: as long as nobody changed it, it is like none.
    there.retain(|pool| {
        *pool != Pool::new(PoolId::default()) || pools.iter().any(|own| own == pool)
    });
    for pool in pools {
        let name = format!("pool `{}`", pool.id);
        match there.iter().position(|kept| kept.id == pool.id) {
            None => part.missing(&pool, &name),
            Some(place) => {
                if part.both(&pool, &there.remove(place)) {
                    continue;
                }
                part.different(&name);
            }
        }
        taker.pool(pool).await?;
    }
    there
        .iter()
        .for_each(|pool| part.extra(&format!("pool `{}`", pool.id)));
    taker.end_of_part().await?;
    Ok(part)
}

async fn campaigns(
    source: &mut dyn Source,
    target: &mut dyn Source,
    taker: &mut dyn Taker,
) -> anyhow::Result<Part> {
    let mut part = Part::new("campaigns");
    let mut there = target.campaigns().await?;
    for campaign in source.campaigns().await? {
        let name = format!("campaign `{}`", campaign.id);
        match there.iter().position(|kept| kept.id == campaign.id) {
            None => part.missing(&campaign, &name),
            Some(place) => {
                if part.both(&campaign, &there.remove(place)) {
                    continue;
                }
                part.different(&name);
            }
        }
        taker.campaign(campaign).await?;
    }
    let extra = |campaign: &Campaign| part.extra(&format!("campaign `{}`", campaign.id));
    there.iter().for_each(extra);
    taker.end_of_part().await?;
    Ok(part)
}

async fn numbers(
    source: &mut dyn Source,
    target: &mut dyn Source,
    taker: &mut dyn Taker,
    onlooker: &mut dyn Onlooker,
) -> anyhow::Result<Part> {
    let mut part = Part::new("numbers");
    let fields = source.fields();
    let mut walk = Walk::<Number>::new(source, target);
    while let Some(pair) = walk.next().await? {
        match pair {
            Pair::Missing(number) => {
                part.missing(&number, &number.number);
                taker.number(number).await?;
            }
            Pair::Extra(number) => part.extra(&number.number),
            Pair::Both(number, there) => {
                // What the source does not know stays as it is there.
                let wanted = fields.merge(there.clone(), &number);
                if !part.both(&wanted, &there) {
                    part.different(&wanted.number);
                    taker.number(wanted).await?;
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

async fn history(
    source: &mut dyn Source,
    target: &mut dyn Source,
    taker: &mut dyn Taker,
    onlooker: &mut dyn Onlooker,
) -> anyhow::Result<[Part; 3]> {
    let names = ["allocations", "ends", "results"];
    let mut parts = names.map(Part::new);
    let mut walk = Walk::<PastAllocation>::new(source, target);
    while let Some(pair) = walk.next().await? {
        let at = match &pair {
            Pair::Missing(past) | Pair::Extra(past) | Pair::Both(past, _) => past.record.at,
        };
        if let Some(past) = look(&mut parts, pair) {
            taker.allocation(past).await?;
        }
        let [allocations, ..] = &parts;
        if allocations.source.rows.is_multiple_of(ROWS_BETWEEN) {
            onlooker.seen(allocations.name, allocations.source.rows, Some(at));
        }
    }
    taker.end_of_part().await?;
    Ok(parts)
}

/// Counts a pair; gives what is to be written.
fn look(parts: &mut [Part; 3], pair: Pair<PastAllocation>) -> Option<PastAllocation> {
    let [allocations, ends, results] = parts;
    match pair {
        Pair::Missing(past) => {
            let [name, end, result] = names(&past);
            allocations.missing(&past.record, &name);
            if let Some(row) = &past.ended {
                ends.missing(row, &end);
            }
            if let Some(row) = &past.result {
                results.missing(row, &result);
            }
            Some(past)
        }
        Pair::Extra(past) => {
            let [name, end, result] = names(&past);
            allocations.extra(&name);
            if past.ended.is_some() {
                ends.extra(&end);
            }
            if past.result.is_some() {
                results.extra(&result);
            }
            None
        }
        Pair::Both(past, there) => {
            let [name, end, result] = names(&past);
            if !allocations.both(&past.record, &there.record) {
                allocations.different(&name);
            }
            // What the source knows beyond the target may be the status of an end that the target has without one.
            let mut learned = there.clone();
            past.ended.into_iter().for_each(|end| learned.end(end));
            past.result
                .into_iter()
                .for_each(|said| learned.report(said));
            let ends = ends.part_of(past.ended, there.ended, learned.ended.as_ref(), &end);
            let results =
                results.part_of(past.result, there.result, learned.result.as_ref(), &result);
            (ends || results).then_some(past)
        }
    }
}

/// What an allocation, its end, and how its call went are called.
fn names(past: &PastAllocation) -> [String; 3] {
    let name = format!("allocation {} ({})", past.record.id, past.record.at);
    let [end, result] = ["end", "result"].map(|what| format!("the {what} of {name}"));
    [name, end, result]
}

/// Takes nothing: for who only looks.
pub(in crate::cli) struct Nobody;

#[async_trait]
impl Taker for Nobody {
    async fn pool(&mut self, _: Pool) -> anyhow::Result<()> {
        Ok(())
    }

    async fn number(&mut self, _: Number) -> anyhow::Result<()> {
        Ok(())
    }

    async fn campaign(&mut self, _: Campaign) -> anyhow::Result<()> {
        Ok(())
    }

    async fn allocation(&mut self, _: PastAllocation) -> anyhow::Result<()> {
        Ok(())
    }

    async fn removed(&mut self, _: RemovedNumber) -> anyhow::Result<()> {
        Ok(())
    }

    async fn key(&mut self, _: ApiKey) -> anyhow::Result<()> {
        Ok(())
    }

    async fn hour(&mut self, _: HourSum) -> anyhow::Result<()> {
        Ok(())
    }

    async fn day(&mut self, _: DaySum) -> anyhow::Result<()> {
        Ok(())
    }

    async fn marks(&mut self, _: SumMarks) -> anyhow::Result<()> {
        Ok(())
    }

    async fn entry(&mut self, _: AuditEntry) -> anyhow::Result<()> {
        Ok(())
    }

    async fn end_of_part(&mut self) -> anyhow::Result<()> {
        Ok(())
    }
}
