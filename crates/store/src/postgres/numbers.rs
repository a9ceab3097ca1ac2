//! Numbers: written, changed and deleted.

use std::collections::{BTreeMap, BTreeSet};

use caller_id_core::listing::{BulkStep, Changed, Expected, NumberChange, NumberFilter, NumberRow};
use caller_id_core::store::{OnDuplicate, Written};
use caller_id_core::{Author, Number, PhoneNumber, StoreError};
use sqlx_core::query_scalar::query_scalar;
use sqlx_postgres::Postgres;

use super::error::Fault;
use super::list;
use super::write::{self, Change};
use crate::entries::{Numbers, Of, pool_made};
use crate::expectations::{self, no_pool, pool_named};
use crate::lists::Next;

const MAKE_POOLS: &str = "INSERT INTO caller_id.pools (id, policy)
    SELECT id, '{}' FROM UNNEST($1::text[]) AS t (id) ON CONFLICT (id) DO NOTHING RETURNING id";

impl Change<'_> {
    /// See [`caller_id_core::InventoryStore::write_numbers`]. A number that comes twice is a duplicate of itself.
    pub(super) async fn write_numbers(
        &mut self,
        numbers: &[Number],
        on_duplicate: OnDuplicate,
        by: &Author,
    ) -> Result<Vec<Written>, Fault> {
        let numbers = &*expectations::written(numbers, by, self.now());
        let keys: Vec<_> = numbers.iter().map(|row| row.number).collect();
        let now = self.now();
        let kept = list::given(self.connection(), &keys, now).await?;
        let Decided {
            written,
            rows,
            added,
            told,
        } = decide(kept, numbers, on_duplicate)?;
        if rows.is_empty() {
            return Ok(written);
        }
        let pools: BTreeSet<_> = rows.iter().map(|row| row.pool.as_str()).collect();
        let making = query_scalar::<Postgres, String>(MAKE_POOLS);
        let making = making.bind(pools.into_iter().collect::<Vec<_>>());
        let mut made = making.fetch_all(self.connection()).await?;
        made.sort_unstable();
        self.changed(write::POOLS, made.len() as u64);
        for pool in rows.iter().map(|row| &row.pool) {
            // Each once: what was told is taken out.
            if let Ok(place) = made.binary_search_by(|name| name.as_str().cmp(pool.as_str())) {
                made.remove(place);
                self.tell(Some(pool_made(pool, by)));
            }
        }
        self.put(&rows).await?;
        self.come_back(&added).await?;
        self.tell(told.event(Of::Rows, by));
        Ok(written)
    }

    /// See [`caller_id_core::InventoryStore::change_number`].
    pub(super) async fn change_number(
        &mut self,
        number: PhoneNumber,
        change: &NumberChange,
        expected: &Expected<Number>,
        by: &Author,
    ) -> Result<Changed<Number>, Fault> {
        let now = self.now();
        let found = list::given(self.connection(), &[number], now).await?;
        let found = found.into_iter().next().map(|row| row.number);
        let mut told = Numbers::default();
        let changed = match change {
            NumberChange::Delete => {
                let changed = expectations::delete(found, expected);
                if let Changed::From(before) = &changed {
                    self.remove(&[number]).await?;
                    told.deleted(before)?;
                }
                changed
            }
            NumberChange::Patch(patch) => {
                let (changed, after) = expectations::patch(found, patch, expected);
                if let (Changed::From(before), Some(after)) = (&changed, after) {
                    self.check_pool(change).await?;
                    told.updated(before, &after)?;
                    self.put(&[after]).await?;
                }
                changed
            }
        };
        self.tell(told.event(Of::One, by));
        Ok(changed)
    }

    /// See [`caller_id_core::InventoryStore::change_numbers`].
    pub(super) async fn change_numbers(
        &mut self,
        filter: &NumberFilter,
        change: &NumberChange,
        after: Option<PhoneNumber>,
        most: usize,
        by: &Author,
    ) -> Result<BulkStep, Fault> {
        self.check_pool(change).await?;
        let most = most.max(1);
        let asked = Next {
            filter,
            after,
            most,
            now: self.now(),
        };
        let page = list::next(self.connection(), asked).await?;
        let next = page.last().filter(|_| page.len() == most);
        let next = next.map(|row| row.number.number);
        let matched = page.len() as u64;
        let mut told = Numbers::default();
        match change {
            NumberChange::Delete => {
                for row in &page {
                    told.deleted(&row.number)?;
                }
                let numbers: Vec<_> = page.iter().map(|row| row.number.number).collect();
                self.remove(&numbers).await?;
            }
            NumberChange::Patch(patch) => {
                let mut rows = Vec::new();
                for NumberRow { number, .. } in &page {
                    let after = patch.applied(number);
                    if after != *number {
                        told.updated(number, &after)?;
                        rows.push(after);
                    }
                }
                self.put(&rows).await?;
            }
        }
        let changed = told.changed();
        self.tell(told.event(Of::Many, by));
        Ok(BulkStep {
            matched,
            changed,
            next,
        })
    }

    async fn check_pool(&mut self, change: &NumberChange) -> Result<(), Fault> {
        match pool_named(change) {
            Some(pool) if self.pool(pool).await?.is_none() => Err(no_pool(pool).into()),
            _ => Ok(()),
        }
    }
}

/// What is to be done with a batch.
#[derive(Default)]
struct Decided {
    /// What becomes of each row.
    written: Vec<Written>,
    /// The numbers that differ in the end from those that were kept.
    rows: Vec<Number>,
    /// Those of them that are new.
    added: Vec<PhoneNumber>,
    told: Numbers,
}

/// Decides row by row.
fn decide(
    kept: Vec<NumberRow>,
    rows: &[Number],
    on_duplicate: OnDuplicate,
) -> Result<Decided, StoreError> {
    let kept = kept.into_iter().map(|row| (row.number.number, row.number));
    let mut numbers: BTreeMap<PhoneNumber, Number> = kept.collect();
    let mut changed = BTreeSet::new();
    let mut decided = Decided::default();
    for row in rows {
        let Some(there) = numbers.get(&row.number) else {
            decided.told.made(row)?;
            decided.added.push(row.number);
            numbers.insert(row.number, row.clone());
            changed.insert(row.number);
            decided.written.push(Written::Added);
            continue;
        };
        decided.written.push(match on_duplicate {
            OnDuplicate::Skip => Written::Skipped,
            OnDuplicate::Fail => Written::Exists,
            OnDuplicate::Update(fields) => {
                let merged = fields.merge(there.clone(), row);
                if merged != *there {
                    decided.told.updated(there, &merged)?;
                    changed.insert(row.number);
                    numbers.insert(row.number, merged);
                }
                Written::Updated
            }
        });
    }
    numbers.retain(|number, _| changed.contains(number));
    decided.rows = numbers.into_values().collect();
    Ok(decided)
}
