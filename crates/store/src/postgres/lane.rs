//! A few connections of one kind, lent to work one at a time.
//!
//! Ours and not the driver's pool: that one tries again for as long as one waits when a server refuses, and we say at
//! once what is wrong; and here a connection whose work failed or was given up is closed, never lent again.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use caller_id_core::StoreError;
use caller_id_core::meter::Calls;
use sqlx_core::connection::Connection;
use sqlx_core::raw_sql::raw_sql;
use sqlx_core::sql_str::AssertSqlSafe;
use sqlx_postgres::PgConnection;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::error::Fault;
use super::owner::Owner;
use super::place::Place;

/// What is done with a connection.
pub(super) type Work<'c, R> = Pin<Box<dyn Future<Output = Result<R, Fault>> + Send + 'c>>;

/// At most so many connections work at once; whoever waits too long for one, or for its answer, is told so.
pub(super) struct Lane {
    place: Arc<Place>,
    permits: Semaphore,
    idle: Mutex<Vec<(PgConnection, Instant)>>,
    terms: Terms,
    /// Of a lane of one connection, that takes a lock when it is made and keeps it for as long as it lives.
    owner: Option<Arc<Owner>>,
    /// A transaction is open on its one connection: it is never made anew.
    held: bool,
    /// What the server was asked, of all lanes of a store together.
    calls: Arc<Calls>,
}

/// How a lane lends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// Most connections at once.
    pub(super) most: usize,
    /// How long all of it may take: waiting for a connection, making it, the work.
    pub(super) wait: Duration,
    /// A connection that rested for longer is asked whether it lives: the server may have been started anew meanwhile.
    pub(super) trust: Duration,
}

impl Lane {
    /// A lane of connections that are made when they are first needed.
    pub(super) fn new(place: Arc<Place>, terms: Terms) -> Self {
        Self {
            place,
            permits: Semaphore::new(terms.most),
            idle: Mutex::new(Vec::new()),
            terms,
            owner: None,
            held: false,
            calls: Arc::default(),
        }
    }

    /// A lane of this one connection alone: when it is lost, so is all work.
    pub(super) fn held(place: Arc<Place>, terms: Terms, only: PgConnection) -> Self {
        Self {
            held: true,
            idle: Mutex::new(vec![(only, Instant::now())]),
            ..Self::new(place, Terms { most: 1, ..terms })
        }
    }

    /// The same, which counts what it does there.
    #[must_use]
    pub(super) fn counting(mut self, calls: Arc<Calls>) -> Self {
        self.calls = calls;
        self
    }

    /// What was counted.
    pub(super) fn calls(&self) -> Arc<Calls> {
        self.calls.clone()
    }

    /// A lane of one connection, which holds the owner's lock: `first` does already.
    pub(super) fn owned(
        place: Arc<Place>,
        terms: Terms,
        owner: Arc<Owner>,
        first: PgConnection,
    ) -> Self {
        Self {
            owner: Some(owner),
            idle: Mutex::new(vec![(first, Instant::now())]),
            ..Self::new(place, Terms { most: 1, ..terms })
        }
    }

    /// Does `work` with a connection; an error names the server.
    pub(super) async fn run<R: Send>(
        &self,
        work: impl for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, R> + Send,
    ) -> Result<R, StoreError> {
        self.attempt(work)
            .await
            .map_err(|fault| fault.at(&self.place))
    }

    /// The same, for who knows what to do about some faults.
    pub(super) async fn attempt<R: Send>(
        &self,
        work: impl for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, R> + Send,
    ) -> Result<R, Fault> {
        self.attempt_trusting(self.terms.trust, work).await
    }

    /// The same with a connection that may have rested so long without being asked: for what is done again when it was
    /// lost.
    pub(super) async fn attempt_trusting<R: Send>(
        &self,
        trust: Duration,
        work: impl for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, R> + Send,
    ) -> Result<R, Fault> {
        if let Some(owner) = &self.owner {
            owner.check()?;
        }
        let began = Instant::now();
        let done = timeout(self.terms.wait, self.lend(trust, work))
            .await
            .unwrap_or_else(|_| {
                let text = format!("no answer within {:?}", self.terms.wait);
                Err(StoreError::Busy(text.into()).into())
            });
        self.calls.note(began.elapsed(), done.is_err());
        done
    }

    /// The server's name.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Who takes the lock, where this lane has one.
    pub(super) fn owner(&self) -> Option<Arc<Owner>> {
        self.owner.clone()
    }

    /// Whether another node took the lock for good.
    pub(super) fn is_lost(&self) -> bool {
        self.owner
            .as_ref()
            .is_some_and(|owner| owner.check().is_err())
    }

    /// Refuses further work and closes what is idle.
    pub(super) fn close(&self) {
        self.permits.close();
        self.idle().clear();
    }

    async fn lend<R>(
        &self,
        trust: Duration,
        work: impl for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, R>,
    ) -> Result<R, Fault> {
        let _permit = self
            .permits
            .acquire()
            .await
            .map_err(|_| StoreError::Closed)?;
        let mut connection = match self.rested(trust).await {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        // An error, or a caller that stops waiting, drops the connection: the server takes back what is not committed.
        let result = work(&mut connection).await;
        if self.outlives(&result, &mut connection).await && !self.permits.is_closed() {
            self.idle().push((connection, Instant::now()));
        }
        result
    }

    /// Whether the connection can be lent again. Where work failed it is not trusted, except with a lock that is not to
    /// be let go for a statement that was refused.
    async fn outlives<R>(&self, result: &Result<R, Fault>, connection: &mut PgConnection) -> bool {
        match result {
            Ok(_) => true,
            Err(fault) => {
                self.owner.is_some() && fault.spares_session() && connection.ping().await.is_ok()
            }
        }
    }

    /// An idle connection that lives.
    async fn rested(&self, trust: Duration) -> Option<PgConnection> {
        loop {
            let (mut connection, since) = self.idle().pop()?;
            if since.elapsed() < trust || connection.ping().await.is_ok() {
                return Some(connection);
            }
        }
    }

    async fn connect(&self) -> Result<PgConnection, Fault> {
        if self.held {
            let text = "the connection was lost, and with it the moment that was read";
            return Err(StoreError::Failed(text.into()).into());
        }
        let mut connection = connect(&self.place, self.terms.wait).await?;
        if let Some(owner) = &self.owner {
            owner
                .retake(&mut connection, self.terms.wait * 7 / 8)
                .await?;
        }
        Ok(connection)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(PgConnection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A new connection on which no statement takes longer than `wait`.
pub(super) async fn connect(place: &Place, wait: Duration) -> Result<PgConnection, Fault> {
    let mut connection = place.connect().await?;
    let ms = wait.as_millis();
    // Plans are made for the values at hand: only these tell which weeks of history need to be looked at.
    let settings = format!(
        "SET statement_timeout = {ms}; SET lock_timeout = {ms};
         SET idle_in_transaction_session_timeout = {ms}; SET plan_cache_mode = force_custom_plan"
    );
    raw_sql(AssertSqlSafe(settings))
        .execute(&mut connection)
        .await?;
    Ok(connection)
}
