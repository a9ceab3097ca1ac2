//! A database that a backup is being brought into: a mark says so until it is whole, and nobody else works on it meanwhile.

use caller_id_core::StoreError;
use sqlx_core::connection::Connection;
use sqlx_core::query::query;
use sqlx_core::query_scalar::query_scalar;
use sqlx_core::raw_sql::raw_sql;
use sqlx_postgres::{PgConnection, Postgres};
use tokio::time::timeout;

use super::error::Fault;
use super::holders::holders;
use super::place::Place;
use super::{PostgresOptions, PostgresStore, lane, schema};

const MARK: &str =
    "INSERT INTO caller_id.meta (key, value) VALUES ('restoring', 1) ON CONFLICT (key) DO NOTHING";
const UNMARK: &str = "DELETE FROM caller_id.meta WHERE key = 'restoring'";
const IS_MARKED: &str = "SELECT EXISTS (SELECT FROM caller_id.meta WHERE key = 'restoring')";
const DROP: &str = "DROP SCHEMA caller_id CASCADE";

impl PostgresStore {
    /// Says that a backup is being brought into it: nobody else opens it until [`PostgresStore::restored`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_restore(&self) -> Result<(), StoreError> {
        self.do_once(MARK).await
    }

    /// Says that all of the backup is in it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn restored(&self) -> Result<(), StoreError> {
        self.do_once(UNMARK).await
    }

    async fn do_once(&self, sql: &'static str) -> Result<(), StoreError> {
        let work = self.lane.run(|connection| {
            Box::pin(async move {
                query::<Postgres>(sql).execute(connection).await?;
                Ok(())
            })
        });
        work.await
    }

    /// Drops the tables that a restore left behind which did not come to its end, and nothing else. Tells whether there were
    /// such.
    ///
    /// # Errors
    /// [`StoreError::Owned`] when somebody works on them; others when the server cannot be reached or refuses.
    pub async fn drop_half_restored(
        url: &str,
        options: &PostgresOptions,
    ) -> Result<bool, StoreError> {
        let place = Place::parse(url)?;
        let work = async {
            let mut session = lane::connect(&place, options.wait).await?;
            drop_half(&mut session).await
        };
        let done = timeout(options.wait, work).await.unwrap_or_else(|_| {
            let text = format!("no answer within {:?}", options.wait);
            Err(StoreError::Busy(text.into()).into())
        });
        done.map_err(|fault| fault.at(&place))
    }
}

async fn drop_half(session: &mut PgConnection) -> Result<bool, Fault> {
    let mut transaction = session.begin().await?;
    schema::lock(&mut transaction).await?;
    if schema::found(&mut transaction).await? == 0 || !is_marked(&mut transaction).await? {
        return Ok(false);
    }
    if let Some(holder) = holders(&mut transaction).await?.first() {
        let text = format!("a restore into it is under way: {holder}");
        return Err(StoreError::Owned(text).into());
    }
    raw_sql(DROP).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(true)
}

async fn is_marked(connection: &mut PgConnection) -> Result<bool, Fault> {
    let marked = query_scalar::<Postgres, bool>(IS_MARKED);
    Ok(marked.fetch_one(connection).await?)
}

/// Refuses a database that has half of a backup.
///
/// # Errors
/// [`StoreError::Failed`] says what to do.
pub(super) async fn check(connection: &mut PgConnection) -> Result<(), Fault> {
    match is_marked(connection).await? {
        false => Ok(()),
        true => {
            let text = "a restore into it did not come to its end: run `caller-id restore FILE` again, which begins anew";
            Err(StoreError::Failed(text.into()).into())
        }
    }
}
