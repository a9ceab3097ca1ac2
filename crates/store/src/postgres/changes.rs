//! What changed in the inventory, page by page, for engines.

use caller_id_core::store::{Changes, Revision};
use caller_id_core::{Limits, Number, PhoneNumber, PoolId, Status};
use sqlx_core::connection::Connection;
use sqlx_core::query::query;
use sqlx_core::query_as::query_as;
use sqlx_core::sql_str::SqlStr;
use sqlx_postgres::{PgConnection, PgRow, Postgres};

use super::error::Fault;
use super::list::list;
use super::rows::{self, REVISION_PLACE, column, read_number, select_numbers};
use super::things::{CAMPAIGNS, POOLS};
use crate::values::{number, unreadable};

const CHANGED: &str =
    select_numbers!("WHERE (revision, number) > ($1, $2) ORDER BY revision, number LIMIT $3");
const REMOVED: &str = "SELECT number, area_code, pool, daily_limit, hourly_limit, revision
    FROM caller_id.removed_numbers
    WHERE (revision, number) > ($1, $2) ORDER BY revision, number LIMIT $3";
const REVISIONS: &str = "SELECT
    (SELECT value FROM caller_id.meta WHERE key = 'revision'),
    (SELECT value FROM caller_id.meta WHERE key = 'pools_revision'),
    (SELECT value FROM caller_id.meta WHERE key = 'campaigns_revision')";
/// All that is read shows one moment.
pub(super) const ONE_MOMENT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// A number at the revision that changed it.
type At = (Revision, Number);

/// A number that was deleted, as engines see it.
fn read_removed(row: &PgRow) -> Result<At, Fault> {
    let number = number(column(row, 0)?)?;
    let fail = |why: &str| unreadable(&format!("the removed number `{number}`"), why);
    let removed = Number {
        area_code: rows::area_code(row, 1, fail)?,
        status: Status::Retired,
        pool: PoolId::new(column(row, 2)?).map_err(|cause| fail(&cause.to_string()))?,
        limits: Limits {
            daily: rows::limit(row, 3)?,
            hourly: rows::limit(row, 4)?,
        },
        ..Number::new(number)
    };
    Ok((Revision(column(row, 5)?), removed))
}

fn read_changed(row: &PgRow) -> Result<At, Fault> {
    Ok((Revision(column(row, REVISION_PLACE)?), read_number(row)?))
}

/// Where a page of changes begins, and how long it may be.
#[derive(Clone, Copy)]
pub(super) struct Page {
    /// The revision before.
    pub(super) since: Revision,
    /// The number of that revision with which the page before ended.
    pub(super) after: Option<PhoneNumber>,
    /// At most so many numbers.
    pub(super) most: usize,
}

impl Page {
    async fn part(
        self,
        connection: &mut PgConnection,
        sql: &'static str,
        read: fn(&PgRow) -> Result<At, Fault>,
    ) -> Result<Vec<At>, Fault> {
        // Without a number to go on after, the revision itself is complete: no number is greater than this.
        let after = self.after.map(|number| number.e164_digits() as i64);
        let most = i64::try_from(self.most).unwrap_or(i64::MAX);
        let rows = query::<Postgres>(sql)
            .bind(self.since.0)
            .bind(after.unwrap_or(i64::MAX))
            // One more than asked for tells whether there are more.
            .bind(most.saturating_add(1))
            .fetch_all(connection)
            .await?;
        rows.iter().map(read).collect()
    }

    /// The numbers of the page, and where it ends when there are more.
    async fn numbers(
        self,
        connection: &mut PgConnection,
    ) -> Result<(Vec<At>, Option<Revision>), Fault> {
        let mut page = self.part(connection, CHANGED, read_changed).await?;
        let removed = self.part(connection, REMOVED, read_removed).await?;
        if !removed.is_empty() {
            page.extend(removed);
            page.sort_by_key(|(revision, number)| (*revision, number.number));
        }
        let cut = page.len() > self.most;
        page.truncate(self.most);
        let end = page.last().filter(|_| cut).map(|(revision, _)| *revision);
        Ok((page, end))
    }

    /// What changed.
    pub(super) async fn changes(self, connection: &mut PgConnection) -> Result<Changes, Fault> {
        let (upto, _, campaigns_at) = revisions(connection).await?;
        if upto <= self.since.0 && self.after.is_none() {
            return Ok(Changes {
                upto: Revision(upto),
                campaigns_at: Revision(campaigns_at),
                ..Changes::default()
            });
        }
        let mut moment = connection
            .begin_with(SqlStr::from_static(ONE_MOMENT))
            .await?;
        let (upto, pools_at, campaigns_at) = revisions(&mut moment).await?;
        let (page, cut_at) = self.numbers(&mut moment).await?;
        let (revisions, numbers): (Vec<_>, Vec<_>) = page.into_iter().unzip();
        let pools = match pools_at > self.since.0 {
            true => Some(list(&mut moment, POOLS, rows::read_pool).await?),
            false => None,
        };
        let campaigns = match campaigns_at > self.since.0 {
            true => Some(list(&mut moment, CAMPAIGNS, rows::read_campaign).await?),
            false => None,
        };
        moment.commit().await?;
        Ok(Changes {
            after: cut_at.and(numbers.last().map(|last: &Number| last.number)),
            numbers,
            revisions,
            pools,
            campaigns,
            campaigns_at: Revision(campaigns_at),
            upto: cut_at.unwrap_or(Revision(upto)),
        })
    }
}

/// Of anything, of pools, of campaigns.
async fn revisions(connection: &mut PgConnection) -> Result<(i64, i64, i64), Fault> {
    Ok(query_as::<Postgres, _>(REVISIONS)
        .fetch_one(connection)
        .await?)
}
