//! Whether a session is ours for as long as its connection lives. A proxy may lend sessions for one transaction at a time:
//! locks and prepared statements are then somebody else's a moment later, and nobody is told.

use caller_id_core::StoreError;
use sqlx_core::connection::Connection;
use sqlx_core::raw_sql::raw_sql;
use sqlx_core::row::Row;
use sqlx_postgres::PgConnection;

use super::error::Fault;
use super::place::Place;

/// How often two connections ask in turn. Where nothing else goes through the proxy the first time tells.
const ROUNDS: usize = 4;

/// Two connections to the place that are both open have each its session, or this fails.
///
/// # Errors
/// [`StoreError::Failed`] says what to do; and those of another connection.
pub(super) async fn check(place: &Place, session: &mut PgConnection) -> Result<(), Fault> {
    let mut other = place.connect().await?;
    let first = server_process(session).await?;
    for _ in 0..ROUNDS {
        let lent =
            server_process(&mut other).await? == first || server_process(session).await? != first;
        if lent {
            let text = "it is behind a proxy that lends sessions for one transaction at a time: locks and prepared \
                        statements belong to sessions. Set `pool_mode = session` (PgBouncer), or name the server itself";
            return Err(StoreError::Failed(text.into()).into());
        }
    }
    // That it ends in good order is of no matter.
    let _ = other.close().await;
    Ok(())
}

/// Who answers. Asked without a prepared statement: such a proxy may not know those.
async fn server_process(connection: &mut PgConnection) -> Result<i32, Fault> {
    let row = raw_sql("SELECT pg_backend_pid()")
        .fetch_one(connection)
        .await?;
    Ok(row.try_get(0)?)
}
