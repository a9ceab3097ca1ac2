//! What changed in the inventory, page by page, for engines.

use caller_id_core::store::{Changes, Revision};
use caller_id_core::{Limits, Number, PhoneNumber, PoolId, Status, StoreError};
use rusqlite::{Connection, Row};

use super::error::sqlite;
use super::list::list;
use super::meta;
use super::rows::{self, REVISION_PLACE, column, select_numbers, text, unreadable};
use super::things::{CAMPAIGNS, POOLS};

const CHANGED: &str =
    select_numbers!("WHERE (revision, number) > (?1, ?2) ORDER BY revision, number LIMIT ?3");
const REMOVED: &str =
    "SELECT number, area_code, pool, daily_limit, hourly_limit, revision FROM removed_numbers
    WHERE (revision, number) > (?1, ?2) ORDER BY revision, number LIMIT ?3";

/// A number at the revision that changed it.
type At = (Revision, Number);

/// A number that was deleted, as engines see it.
fn read_removed(row: &Row<'_>) -> Result<At, StoreError> {
    let number = rows::number(column(row, 0)?)?;
    let fail = |why: &str| unreadable(&format!("the removed number `{number}`"), why);
    let pool = PoolId::new(text(row, 2)?.unwrap_or_default());
    let removed = Number {
        area_code: rows::area_code(row, 1, fail)?,
        status: Status::Retired,
        pool: pool.map_err(|cause| fail(&cause.to_string()))?,
        limits: Limits {
            daily: rows::limit(row, 3)?,
            hourly: rows::limit(row, 4)?,
        },
        ..Number::new(number)
    };
    Ok((Revision(column(row, 5)?), removed))
}

fn read_changed(row: &Row<'_>) -> Result<At, StoreError> {
    let revision = column(row, REVISION_PLACE)?;
    Ok((Revision(revision), rows::read_number(row)?))
}

/// The numbers of a page of changes, and where the page ends when there are more.
fn numbers(
    connection: &Connection,
    since: Revision,
    after: Option<PhoneNumber>,
    most: usize,
) -> Result<(Vec<At>, Option<Revision>), StoreError> {
    // Without a number to go on after, the revision itself is complete: no number is greater than this.
    let after = after.map_or(i64::MAX, |number| number.e164_digits() as i64);
    // One more than asked for tells whether there are more.
    let most_and_one = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
    let place = (since.0, after, most_and_one);
    let mut page = list(connection, CHANGED, place, read_changed)?;
    let removed = list(connection, REMOVED, place, read_removed)?;
    if !removed.is_empty() {
        page.extend(removed);
        page.sort_by_key(|(revision, number)| (*revision, number.number));
    }
    let cut = page.len() > most;
    page.truncate(most);
    let end = page.last().filter(|_| cut).map(|(revision, _)| *revision);
    Ok((page, end))
}

/// What [`changes`] says where nothing changed; None where something did.
pub(super) fn unchanged(
    connection: &mut Connection,
    since: Revision,
) -> Result<Option<Changes>, StoreError> {
    let moment = connection.transaction().map_err(sqlite)?;
    let upto = Revision(meta(&moment, "revision")?);
    if upto > since {
        return Ok(None);
    }
    Ok(Some(Changes {
        upto,
        campaigns_at: Revision(meta(&moment, "campaigns_revision")?),
        ..Changes::default()
    }))
}

/// See [`caller_id_core::InventoryStore::changes`].
pub(super) fn changes(
    connection: &mut Connection,
    since: Revision,
    after: Option<PhoneNumber>,
    most: usize,
) -> Result<Changes, StoreError> {
    let moment = connection.transaction().map_err(sqlite)?;
    let upto = Revision(meta(&moment, "revision")?);
    let campaigns_at = Revision(meta(&moment, "campaigns_revision")?);
    let (page, cut_at) = numbers(&moment, since, after, most.max(1))?;
    let (revisions, numbers): (Vec<_>, Vec<_>) = page.into_iter().unzip();
    let pools = match meta(&moment, "pools_revision")? > since.0 {
        true => Some(list(&moment, POOLS, [], rows::read_pool)?),
        false => None,
    };
    let campaigns = match campaigns_at > since {
        true => Some(list(&moment, CAMPAIGNS, [], rows::read_campaign)?),
        false => None,
    };
    Ok(Changes {
        after: cut_at.and(numbers.last().map(|last: &Number| last.number)),
        numbers,
        revisions,
        pools,
        campaigns,
        campaigns_at,
        upto: cut_at.unwrap_or(upto),
    })
}
