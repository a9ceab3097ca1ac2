//! The right to use the database: an advisory lock of a session that is kept for life.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use caller_id_core::{StoreError, Timestamp};
use sqlx_core::query::query;
use sqlx_core::query_as::query_as;
use sqlx_core::query_scalar::query_scalar;
use sqlx_core::raw_sql::raw_sql;
use sqlx_postgres::{PgConnection, Postgres};
use tokio::time::{Instant, sleep};

use super::error::Fault;
use super::holders::{Holder, SHARED, SOLE, Session, holders, reason};
use super::locks;
use super::place::Place;
use super::record::{self, Memory};
use super::schema;

/// Who may use a database at the same time. Every node says its name, for the others to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ownership {
    /// One of many nodes: their engine is in Redis.
    Shared {
        /// What this node calls itself.
        node: String,
    },
    /// The one node there is: its engine is in memory, and a second one would hand out the same numbers again.
    Sole {
        /// What this node calls itself.
        node: String,
    },
}

impl Default for Ownership {
    fn default() -> Self {
        Self::Shared {
            node: "unnamed".to_owned(),
        }
    }
}

impl Ownership {
    /// What the node calls itself.
    pub fn node(&self) -> &str {
        match self {
            Self::Shared { node } | Self::Sole { node } => node,
        }
    }

    /// Whether no other node may run.
    pub fn is_sole(&self) -> bool {
        matches!(self, Self::Sole { .. })
    }
}

/// PostgreSQL cuts longer names of sessions.
const NAME_BYTES: usize = 63;
const NAME_SESSION: &str = "SELECT set_config('application_name', $1, false)";
/// A node whose machine is gone is noticed within about ten seconds, not after two hours; and rest is no reason to end it.
const KEEP: &str =
    "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3;
    SET tcp_user_timeout = 10000; SET idle_session_timeout = 0";
const THIS_SESSION: &str = "SELECT pid, (extract(epoch FROM backend_start) * 1000000)::bigint
    FROM pg_stat_activity WHERE pid = pg_backend_pid()";
const TAKE_ALONE: &str = "SELECT pg_try_advisory_lock($1)";
const TAKE_SHARED: &str = "SELECT pg_try_advisory_lock_shared($1)";
/// What a state in Redis knows is not enough once a node worked without it.
const ENTER: &str =
    "UPDATE caller_id.owner SET epoch = epoch + 1, node = $1, since = now(), state = CASE WHEN $2 THEN NULL ELSE state END
    RETURNING epoch";
const LAST: &str =
    "SELECT epoch, node, (extract(epoch FROM since) * 1000)::bigint FROM caller_id.owner";
/// Only what is still the same session, under the same name.
const END_SESSION: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid = $1 AND (extract(epoch FROM backend_start) * 1000000)::bigint = $2 AND application_name = $3";

/// How often a session that was lost is asked for its lock.
const AGAIN: Duration = Duration::from_millis(20);
/// Sessions of ours that may still live on the server without us.
const REMEMBERED: usize = 8;

/// Takes the lock, for the first time and whenever its session was lost.
pub(super) struct Owner {
    ownership: Ownership,
    place: Arc<Place>,
    state: Mutex<State>,
    come_back: Duration,
    pub(super) memory: Memory,
}

#[derive(Default)]
struct State {
    /// That of this node's opening.
    epoch: i64,
    /// Sessions that hold the lock, or might.
    sessions: Vec<Session>,
    /// Who worked meanwhile: this node never works again.
    ousted: Option<String>,
}

impl Owner {
    pub(super) fn new(ownership: Ownership, place: Arc<Place>, come_back: Duration) -> Self {
        Self {
            ownership,
            place,
            state: Mutex::default(),
            come_back,
            memory: Memory::default(),
        }
    }

    pub(super) fn node(&self) -> &str {
        self.ownership.node()
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// How long nodes are waited for that may come back.
    pub(super) fn come_back(&self) -> Duration {
        self.come_back
    }

    /// Names a new session and remembers it.
    pub(super) async fn name(&self, connection: &mut PgConnection) -> Result<(), Fault> {
        raw_sql(KEEP).execute(&mut *connection).await?;
        query::<Postgres>(NAME_SESSION)
            .bind(self.session_name())
            .execute(&mut *connection)
            .await?;
        let (pid, began_us) = query_as::<Postgres, _>(THIS_SESSION)
            .fetch_one(connection)
            .await?;
        let mut state = self.state();
        if state.sessions.len() == REMEMBERED {
            // The first is the one that held the lock last.
            state.sessions.remove(1);
        }
        state.sessions.push(Session { pid, began_us });
        Ok(())
    }

    /// Takes the lock, unless somebody else has it: that is told.
    pub(super) async fn take(
        &self,
        connection: &mut PgConnection,
    ) -> Result<Result<(), Vec<Holder>>, Fault> {
        let take = match self.ownership.is_sole() {
            true => TAKE_ALONE,
            false => TAKE_SHARED,
        };
        let taken: bool = query_scalar::<Postgres, _>(take)
            .bind(locks::OWNER)
            .fetch_one(&mut *connection)
            .await?;
        if taken {
            return Ok(Ok(()));
        }
        Ok(Err(holders(connection).await?))
    }

    /// Whether it is of use to wait until these have ended. A node that is alone never waits for nodes of a cluster: when
    /// the server is started anew it would come before them, and they would go on with what Redis holds.
    pub(super) fn may_wait(&self, holders: &[Holder]) -> bool {
        !self.ownership.is_sole() || holders.iter().all(|holder| holder.alone)
    }

    /// Why the lock was not to be had.
    pub(super) fn refusal(&self, holders: &[Holder]) -> StoreError {
        StoreError::Owned(self.reason(holders))
    }

    /// The same as text.
    pub(super) fn reason(&self, holders: &[Holder]) -> String {
        reason(&self.place, holders, self.ownership.is_sole())
    }

    /// Whether nodes that share a state in Redis had the database last, and may come back: their sessions were lost, they
    /// go on with what they have in Redis, and a node that is alone must not come before them.
    pub(super) async fn gives_way(&self, connection: &mut PgConnection) -> Result<bool, Fault> {
        if !self.ownership.is_sole() || !schema::has_states(connection).await? {
            return Ok(false);
        }
        let record = record::recorded(connection).await?;
        Ok(record.is_some_and(|record| !record.left))
    }

    /// Writes down that this node has opened the database. It holds the lock, and the tables are there.
    pub(super) async fn enter(&self, connection: &mut PgConnection) -> Result<(), Fault> {
        let epoch = query_scalar::<Postgres, i64>(ENTER)
            .bind(self.ownership.node())
            .bind(self.ownership.is_sole())
            .fetch_one(connection)
            .await?;
        self.state().epoch = epoch;
        Ok(())
    }

    /// Fails for good once another node has worked in the place of this one.
    pub(super) fn check(&self) -> Result<(), Fault> {
        match &self.state().ousted {
            Some(text) => Err(StoreError::Owned(text.clone()).into()),
            None => Ok(()),
        }
    }

    /// Takes the lock again with a new session, after the one that held it was lost; waits for at most `wait`.
    ///
    /// A session of ours that lives on without us, because the server did not notice yet, is ended. A node that is alone
    /// looks whether another one worked meanwhile, and never works again then.
    pub(super) async fn retake(
        &self,
        connection: &mut PgConnection,
        wait: Duration,
    ) -> Result<(), Fault> {
        let until = Instant::now() + wait;
        self.name(connection).await?;
        loop {
            let taken = self.take(connection).await?;
            if self.ownership.is_sole() {
                self.look_for_others(connection).await?;
            }
            let holders = match taken {
                Ok(()) => {
                    self.memory.hold_again(connection).await?;
                    let mut state = self.state();
                    let all = state.sessions.len();
                    state.sessions.drain(..all - 1);
                    return Ok(());
                }
                Err(holders) => holders,
            };
            self.end_own(connection, &holders).await?;
            if !self.ownership.is_sole() && holders.iter().any(|holder| !self.is_own(holder)) {
                return Err(self.refusal(&holders).into());
            }
            if Instant::now() >= until {
                let text = self.reason(&holders);
                return Err(StoreError::Busy(text.into()).into());
            }
            sleep(AGAIN).await;
        }
    }

    /// Whether nobody opened the database since this node did.
    async fn look_for_others(&self, connection: &mut PgConnection) -> Result<(), Fault> {
        let (epoch, node, since): (i64, String, i64) =
            query_as::<Postgres, _>(LAST).fetch_one(connection).await?;
        let mut state = self.state();
        if epoch != state.epoch {
            let at = Timestamp::from_ms(since);
            state.ousted.get_or_insert(format!(
                "{} was taken over by the node `{node}` at {at}, while the connection of this node `{}` was lost: this \
                 node stops, or both would give the same numbers out",
                self.place,
                self.ownership.node()
            ));
        }
        drop(state);
        self.check()
    }

    pub(super) fn is_own(&self, holder: &Holder) -> bool {
        self.state().sessions.contains(&holder.session)
    }

    /// Asks the server to end sessions of ours; where we may not, they end by themselves when it notices.
    async fn end_own(
        &self,
        connection: &mut PgConnection,
        holders: &[Holder],
    ) -> Result<(), Fault> {
        for holder in holders.iter().filter(|holder| self.is_own(holder)) {
            let end = query::<Postgres>(END_SESSION)
                .bind(holder.session.pid)
                .bind(holder.session.began_us)
                .bind(self.session_name())
                .execute(&mut *connection)
                .await;
            match end.map_err(Fault::from) {
                Err(fault) if !fault.is_refusal() => return Err(fault),
                _ => {}
            }
        }
        Ok(())
    }

    fn session_name(&self) -> String {
        let kind = match self.ownership.is_sole() {
            true => SOLE,
            false => SHARED,
        };
        let mut name: String = format!("{kind}{}", self.ownership.node())
            .chars()
            // The server would write `?` for others.
            .map(|char| match char {
                ' '..='~' => char,
                _ => '?',
            })
            .collect();
        name.truncate(NAME_BYTES);
        name
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
