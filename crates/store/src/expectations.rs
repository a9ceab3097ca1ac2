//! What becomes of a change, by what is there and what was expected. Decided here, done by each store.

use std::borrow::Cow;

use caller_id_core::listing::{Changed, Expected, NumberChange, NumberPatch, PoolRemoval};
use caller_id_core::{Author, Campaign, Number, Pool, PoolId, StoreError, Timestamp};

/// A thing is to be `wanted`: written where it is [`Changed::Made`] or [`Changed::From`].
pub(crate) fn put<T: PartialEq>(
    found: Option<T>,
    wanted: &T,
    expected: &Expected<T>,
) -> Changed<T> {
    if !expected.is(found.as_ref()) {
        return Changed::Differs(found);
    }
    match found {
        None => Changed::Made,
        Some(found) if found == *wanted => Changed::Same,
        Some(found) => Changed::From(found),
    }
}

/// A thing is to be deleted: it is where it is [`Changed::From`].
pub(crate) fn delete<T: PartialEq>(found: Option<T>, expected: &Expected<T>) -> Changed<T> {
    match found {
        None if !matches!(expected, Expected::This(_)) => Changed::Missing,
        found if !expected.is(found.as_ref()) => Changed::Differs(found),
        Some(found) => Changed::From(found),
        None => Changed::Missing,
    }
}

/// Numbers as they are written at `now`: a rest that is over by then is none. A migration writes what there was.
pub(crate) fn written<'n>(numbers: &'n [Number], by: &Author, now: Timestamp) -> Cow<'n, [Number]> {
    let is_over = |number: &Number| number.status != number.status.at(now);
    if by.is_migration() || !numbers.iter().any(is_over) {
        return Cow::Borrowed(numbers);
    }
    let mut numbers = numbers.to_vec();
    for number in &mut numbers {
        number.status = number.status.at(now);
    }
    Cow::Owned(numbers)
}

/// A number is to be changed; tells what it is then, where it is to be written.
pub(crate) fn patch(
    found: Option<Number>,
    patch: &NumberPatch,
    expected: &Expected<Number>,
) -> (Changed<Number>, Option<Number>) {
    match delete(found, expected) {
        Changed::From(before) => {
            let after = patch.applied(&before);
            match after == before {
                true => (Changed::Same, None),
                false => (Changed::From(before), Some(after)),
            }
        }
        refused => (refused, None),
    }
}

/// A pool is to be deleted, that has so many numbers; `None`: it may be.
pub(crate) fn removal(
    id: &PoolId,
    found: Option<Pool>,
    expected: &Expected<Pool>,
    numbers: u64,
    campaigns: &[Campaign],
) -> (PoolRemoval, Option<Pool>) {
    let found = match delete(found, expected) {
        Changed::From(found) => found,
        Changed::Missing => return (PoolRemoval::Missing, None),
        _ => return (PoolRemoval::Differs, None),
    };
    let naming = campaigns
        .iter()
        .filter(|campaign| campaign.pools.contains(id));
    let campaigns: Vec<_> = naming.map(|campaign| campaign.id.to_string()).collect();
    if numbers > 0 || !campaigns.is_empty() || *id == PoolId::default() {
        return (PoolRemoval::InUse { numbers, campaigns }, None);
    }
    (PoolRemoval::Removed, Some(found))
}

/// The pool that a change names, which must be there.
pub(crate) fn pool_named(change: &NumberChange) -> Option<&PoolId> {
    match change {
        NumberChange::Patch(patch) => patch.pool.as_ref(),
        NumberChange::Delete => None,
    }
}

/// A change names a pool that is not there.
pub(crate) fn no_pool(pool: &PoolId) -> StoreError {
    StoreError::Missing(format!("the pool `{pool}` does not exist"))
}

/// A campaign names a pool that is not there.
pub(crate) fn no_pool_of(campaign: &Campaign, pool: &PoolId) -> StoreError {
    StoreError::Missing(format!(
        "campaign `{}` names the pool `{pool}`, which does not exist",
        campaign.id
    ))
}
