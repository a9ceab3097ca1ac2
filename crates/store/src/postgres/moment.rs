//! One moment of a database that nodes may be using, to be read for as long as it takes.

use std::sync::Arc;
use std::time::Duration;

use caller_id_core::StoreError;
use sqlx_core::raw_sql::raw_sql;
use sqlx_postgres::PgConnection;
use tokio::time::timeout;

use super::error::Fault;
use super::lane::{self, Lane, Terms};
use super::place::Place;
use super::trouble::Trouble;
use super::{PostgresOptions, PostgresStore, pooled, restoring, schema};

/// All statements of it see the same. Whoever takes what is read may take as long as they like.
const BEGIN: &str = "SET idle_in_transaction_session_timeout = 0;
    BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT max(value) FROM caller_id.meta";

impl PostgresStore {
    /// Opens one moment of the database beside whoever uses it, to be read alone: whatever is committed from now on is not seen.
    /// Nothing is changed. As long as it is open the server keeps old rows, and parts of history are not taken off.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where it has no tables, [`StoreError::Unreadable`] where it does not have those of this
    /// version; others when it cannot be reached or read. They name the server, never the password.
    pub async fn open_moment(url: &str, options: PostgresOptions) -> Result<Arc<Self>, StoreError> {
        let place = Arc::new(Place::parse(url)?);
        let session = timeout(options.wait, begin(&place, options.wait));
        let session = session.await.unwrap_or_else(|_| {
            let text = format!("no answer within {:?}", options.wait);
            Err(StoreError::Busy(text.into()).into())
        });
        let session = session.map_err(|fault| fault.at(&*place))?;
        let terms = Terms {
            most: 1,
            wait: options.wait,
            // It is not asked whether it lives: when it does not, all is over.
            trust: Duration::MAX,
        };
        let lane = Arc::new(Lane::held(place, terms, session));
        Ok(Arc::new(Self {
            commits: Arc::clone(&lane),
            lane,
            owner: None,
            parts: Arc::default(),
            ahead: Arc::default(),
            trouble: Trouble::default(),
            catalog: Arc::default(),
            clock: options.clock,
        }))
    }
}

async fn begin(place: &Place, wait: Duration) -> Result<PgConnection, Fault> {
    let mut session = lane::connect(place, wait).await?;
    pooled::check(place, &mut session).await?;
    schema::check_current(&mut session).await?;
    restoring::check(&mut session).await?;
    raw_sql(BEGIN).execute(&mut session).await?;
    Ok(session)
}
