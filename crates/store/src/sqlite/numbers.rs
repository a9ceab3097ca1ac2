//! Numbers: written, changed and deleted.

use std::collections::HashSet;

use caller_id_core::listing::{BulkStep, Changed, Expected, NumberChange, NumberFilter};
use caller_id_core::store::{OnDuplicate, Written};
use caller_id_core::{Author, Number, PhoneNumber, StoreError};

use super::list;
use super::write::Change;
use crate::entries::{Numbers, Of};
use crate::expectations::{self, no_pool, pool_named};
use crate::lists::Next;

/// Numbers that are written one by one: a number that comes twice is a duplicate of itself.
struct Writing<'c, 'a> {
    change: &'c mut Change<'a>,
    by: &'c Author,
    on_duplicate: OnDuplicate,
    /// Whether numbers may come back that were deleted: else nobody looks for them.
    may_come_back: bool,
    told: Numbers,
}

impl Writing<'_, '_> {
    fn all(&mut self, numbers: &[Number]) -> Result<Vec<Written>, StoreError> {
        let mut known = HashSet::new();
        let mut written = Vec::with_capacity(numbers.len());
        for number in numbers {
            if !known.contains(&number.pool) {
                // Only a row that is written makes a pool.
                let there = match self.on_duplicate {
                    OnDuplicate::Update(_) => None,
                    OnDuplicate::Skip | OnDuplicate::Fail => self.change.kept(number.number)?,
                };
                if there.is_some() {
                    written.push(refusal(self.on_duplicate));
                    continue;
                }
                self.change.make_pool(&number.pool, self.by)?;
                known.insert(&number.pool);
            }
            written.push(self.one(number)?);
        }
        Ok(written)
    }

    fn one(&mut self, number: &Number) -> Result<Written, StoreError> {
        if self.change.insert(number)? {
            if self.may_come_back {
                self.change.come_back(number.number)?;
            }
            self.told.made(number)?;
            return Ok(Written::Added);
        }
        if let OnDuplicate::Update(fields) = self.on_duplicate {
            let kept = self.change.kept(number.number)?;
            let kept = kept.ok_or_else(|| {
                StoreError::Missing(format!("number `{}` is not there", number.number))
            })?;
            let merged = fields.merge(kept.clone(), number);
            if merged != kept {
                self.change.update(&merged)?;
                self.told.updated(&kept, &merged)?;
            }
        }
        Ok(refusal(self.on_duplicate))
    }
}

/// What becomes of a row whose number is there already.
fn refusal(on_duplicate: OnDuplicate) -> Written {
    match on_duplicate {
        OnDuplicate::Skip => Written::Skipped,
        OnDuplicate::Update(_) => Written::Updated,
        OnDuplicate::Fail => Written::Exists,
    }
}

impl Change<'_> {
    /// See [`caller_id_core::InventoryStore::write_numbers`].
    pub(super) fn write_numbers(
        &mut self,
        numbers: &[Number],
        on_duplicate: OnDuplicate,
        by: &Author,
    ) -> Result<Vec<Written>, StoreError> {
        let numbers = &*expectations::written(numbers, by, self.now());
        let mut writing = Writing {
            may_come_back: self.has_removed()?,
            change: self,
            by,
            on_duplicate,
            told: Numbers::default(),
        };
        let written = writing.all(numbers)?;
        let event = writing.told.event(Of::Rows, by);
        self.tell(event);
        Ok(written)
    }

    /// See [`caller_id_core::InventoryStore::change_number`].
    pub(super) fn change_number(
        &mut self,
        number: PhoneNumber,
        change: &NumberChange,
        expected: &Expected<Number>,
        by: &Author,
    ) -> Result<Changed<Number>, StoreError> {
        let found = self.kept(number)?;
        let mut told = Numbers::default();
        let changed = match change {
            NumberChange::Delete => {
                let changed = expectations::delete(found, expected);
                if let Changed::From(before) = &changed {
                    self.remove(number)?;
                    told.deleted(before)?;
                }
                changed
            }
            NumberChange::Patch(patch) => {
                let (changed, after) = expectations::patch(found, patch, expected);
                if let (Changed::From(before), Some(after)) = (&changed, after) {
                    self.check_pool(change)?;
                    self.update(&after)?;
                    told.updated(before, &after)?;
                }
                changed
            }
        };
        self.tell(told.event(Of::One, by));
        Ok(changed)
    }

    /// See [`caller_id_core::InventoryStore::change_numbers`].
    pub(super) fn change_numbers(
        &mut self,
        filter: &NumberFilter,
        change: &NumberChange,
        after: Option<PhoneNumber>,
        most: usize,
        by: &Author,
    ) -> Result<BulkStep, StoreError> {
        self.check_pool(change)?;
        let most = most.max(1);
        let asked = Next {
            filter,
            after,
            most,
            now: self.now(),
        };
        let page = list::next(self.connection(), asked)?;
        let next = page.last().filter(|_| page.len() == most);
        let next = next.map(|row| row.number.number);
        let matched = page.len() as u64;
        let mut told = Numbers::default();
        for row in page {
            match change {
                NumberChange::Delete => {
                    self.remove(row.number.number)?;
                    told.deleted(&row.number)?;
                }
                NumberChange::Patch(patch) => {
                    let after = patch.applied(&row.number);
                    if after != row.number {
                        self.update(&after)?;
                        told.updated(&row.number, &after)?;
                    }
                }
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

    fn check_pool(&self, change: &NumberChange) -> Result<(), StoreError> {
        match pool_named(change) {
            Some(pool) if self.pool(pool)?.is_none() => Err(no_pool(pool)),
            _ => Ok(()),
        }
    }
}
