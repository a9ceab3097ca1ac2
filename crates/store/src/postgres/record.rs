//! Which shared state the numbers are handed out from: one row of the database says it, and nodes that agree with the row hold
//! a lock on it. Two states are two sets of reservations over the same numbers.
//!
//! See `docs/adr/0014-one-shared-state-for-one-database.md`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use caller_id_core::shared::{Agreement, Seen, StateId, StateRecord};
use caller_id_core::{StoreError, Timestamp};
use sqlx_core::connection::Connection;
use sqlx_postgres::PgConnection;
use tokio::time::Instant;

use super::PostgresStore;
use super::error::Fault;
use super::holders::Holder;
use super::lane::Lane;
use super::owner::Owner;

mod reasons;
mod row;

pub use self::row::RecordedState;
use self::row::{hold, let_go, read, read_alone};
pub(super) use self::row::{holders, recorded};

/// One of the nodes that see the recorded state says so this often.
const SEEN_EVERY_MS: i64 = 900;
/// A node may say that it saw the state when it has been lost already, but not for so long.
const LATE_MS: i64 = 1_000;
/// When nobody has seen the recorded state for so long, though sessions hold it, its nodes sleep or see another one.
const GONE: Duration = Duration::from_secs(4);
/// By then whoever follows has followed.
const FOLLOWED: Duration = Duration::from_secs(6);

/// What this node remembers of the record.
#[derive(Default)]
pub(super) struct Memory(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// With which one it agreed last, and when that was recorded.
    agreed: Option<(StateId, Timestamp)>,
    /// On which one its session has a lock.
    held: Option<StateId>,
    /// It agreed at some time.
    has_agreed: bool,
    /// Since when nodes hold a record that is not of the state that is seen here.
    differs: Option<Differs>,
    free: Option<Free>,
}

/// A record that other nodes hold, and this one does not see.
#[derive(Clone, Copy)]
struct Differs {
    record: StateId,
    since: Instant,
    /// The same by the server's clock.
    since_there: Timestamp,
}

/// A record that no node holds.
#[derive(Clone, Copy)]
struct Free {
    record: StateId,
    since: Instant,
    /// The state that was whole here then: whatever was handed out from the recorded one, it does not know.
    had: Option<StateId>,
    /// What was left here then was the recorded one.
    was_ours: bool,
}

impl Memory {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new session has no locks yet.
    pub(super) async fn hold_again(&self, connection: &mut PgConnection) -> Result<(), Fault> {
        let held = self.known().held;
        match held {
            Some(state) => hold(connection, state).await,
            None => Ok(()),
        }
    }

    /// Nothing was learned: what has to be so for a while begins anew.
    fn interrupted(&self) {
        let mut known = self.known();
        (known.differs, known.free) = (None, None);
    }
}

/// What is to be done about a state that is whole.
enum Step {
    /// It is the recorded one, since then.
    Join(Timestamp),
    /// It takes the record's place.
    Write,
    /// Nothing yet, or never.
    Say(Agreement),
}

impl Owner {
    /// Compares, and takes what may be taken.
    async fn agree(
        &self,
        connection: &mut PgConnection,
        seen: Seen,
        at: &str,
    ) -> Result<Agreement, Fault> {
        let (record, now) = read(connection).await?;
        let whole = match seen {
            Seen::Whole(state) => state,
            Seen::Lost { of } => return self.meanwhile(connection, record, of, at).await,
        };
        if let Some(record) = &record
            && record.state == whole
            && !record.left
            && self.memory.known().held == Some(whole)
        {
            if now.ms_since(record.seen) >= SEEN_EVERY_MS {
                row::saw(connection, whole).await?;
            }
            self.memory.interrupted();
            return Ok(Agreement::Agreed);
        }
        let mut transaction = connection.begin().await?;
        let found = read_alone(&mut transaction).await?;
        match self.step(&mut transaction, found, whole, at).await? {
            Step::Say(said) => {
                transaction.rollback().await?;
                if matches!(said, Agreement::Refused(_)) {
                    self.hold_no_more(connection).await?;
                }
                Ok(said)
            }
            step => {
                hold(&mut transaction, whole).await?;
                let since = match step {
                    Step::Join(since) => {
                        row::stay(&mut transaction).await?;
                        since
                    }
                    _ => row::write(&mut transaction, whole, (self.node(), at)).await?,
                };
                transaction.commit().await?;
                self.hold_only(connection, whole, since).await?;
                Ok(Agreement::Agreed)
            }
        }
    }

    /// This node agreed: what its session held before, it holds no more.
    async fn hold_only(
        &self,
        connection: &mut PgConnection,
        whole: StateId,
        since: Timestamp,
    ) -> Result<(), Fault> {
        let before = {
            let mut known = self.memory.known();
            (known.agreed, known.has_agreed) = (Some((whole, since)), true);
            (known.differs, known.free) = (None, None);
            known.held.replace(whole)
        };
        match before {
            // A lock that is taken twice is held until both are let go.
            Some(before) => let_go(connection, before).await,
            None => Ok(()),
        }
    }

    /// Others have the database: they do not wait for this node, and whatever it sees later has to be made anew.
    async fn hold_no_more(&self, connection: &mut PgConnection) -> Result<(), Fault> {
        let held = {
            let mut known = self.memory.known();
            known.agreed = None;
            known.held.take()
        };
        match held {
            Some(held) => let_go(connection, held).await,
            None => Ok(()),
        }
    }

    async fn step(
        &self,
        connection: &mut PgConnection,
        (record, now): (Option<RecordedState>, Timestamp),
        whole: StateId,
        at: &str,
    ) -> Result<Step, Fault> {
        let (agreed, has_agreed) = {
            let known = self.memory.known();
            (known.agreed, known.has_agreed)
        };
        let Some(record) = record else {
            return Ok(match has_agreed {
                false => Step::Write,
                true => Step::Say(Agreement::Refused(self.without_redis())),
            });
        };
        if record.state == whole {
            return Ok(Step::Join(record.since));
        }
        let others = self.others(connection, record.state).await?;
        // Our own Redis was rebuilt, or another master of it is asked now; or the database forgot what was written last.
        let follows =
            agreed.is_some_and(|(state, since)| state == record.state || record.since < since);
        if !others.is_empty() {
            let differs = self.differs(&record, now);
            let for_long = differs.since.elapsed();
            let is_seen = record.seen.ms_since(differs.since_there) > LATE_MS;
            let why = self.of_another(&record, &others, at);
            return Ok(match follows {
                true if !is_seen && for_long >= GONE => Step::Write,
                _ if is_seen || for_long >= FOLLOWED => Step::Say(Agreement::Refused(why)),
                _ => Step::Say(Agreement::Waiting(why)),
            });
        }
        if follows {
            return Ok(Step::Write);
        }
        let free = self.free(record.state, Some(whole), false);
        let is_over = record.left || free.was_ours || free.since.elapsed() >= self.come_back();
        Ok(match is_over {
            false => Step::Say(Agreement::Waiting(self.may_come_back(&record, at))),
            true if free.had == Some(whole) => Step::Say(Agreement::Stale),
            true => Step::Write,
        })
    }

    /// While the state is lost nothing is taken; but time begins to run.
    async fn meanwhile(
        &self,
        connection: &mut PgConnection,
        record: Option<RecordedState>,
        of: Option<StateId>,
        at: &str,
    ) -> Result<Agreement, Fault> {
        let Some(record) = record else {
            return Ok(Agreement::Undecided);
        };
        let agreed = self.memory.known().agreed;
        if agreed.is_some_and(|(state, _)| state == record.state) {
            return Ok(Agreement::Undecided);
        }
        let others = self.others(connection, record.state).await?;
        if others.is_empty() {
            self.free(record.state, None, of == Some(record.state));
            return Ok(Agreement::Undecided);
        }
        self.memory.known().free = None;
        Ok(match of == Some(record.state) {
            true => Agreement::Undecided,
            false => Agreement::Waiting(self.of_another(&record, &others, at)),
        })
    }

    /// Nodes that hold a state, and are not this one.
    async fn others(
        &self,
        connection: &mut PgConnection,
        state: StateId,
    ) -> Result<Vec<Holder>, Fault> {
        let mut others = holders(connection, state).await?;
        others.retain(|holder| !self.is_own(holder));
        Ok(others)
    }

    /// For how long others have held that record while this node sees another state.
    fn differs(&self, record: &RecordedState, now: Timestamp) -> Differs {
        let mut known = self.memory.known();
        known.free = None;
        let before = known.differs.filter(|before| before.record == record.state);
        let differs = before.unwrap_or_else(|| Differs {
            record: record.state,
            since: Instant::now(),
            since_there: now,
        });
        *known.differs.insert(differs)
    }

    fn free(&self, record: StateId, had: Option<StateId>, was_ours: bool) -> Free {
        let mut known = self.memory.known();
        known.differs = None;
        let free = known.free.filter(|free| free.record == record);
        let free = free.unwrap_or_else(|| Free {
            record,
            since: Instant::now(),
            had,
            was_ours,
        });
        known.free = Some(free);
        free
    }
}

#[async_trait]
impl StateRecord for PostgresStore {
    async fn agree(&self, seen: Seen, at: &str) -> Result<Agreement, StoreError> {
        let Some((lane, owner)) = self.held() else {
            // Beside a service nobody hands out numbers.
            return Ok(Agreement::Undecided);
        };
        let (asking, at) = (Arc::clone(&owner), at.to_owned());
        let said = lane
            .attempt_trusting(Duration::ZERO, |connection| {
                Box::pin(async move { asking.agree(connection, seen, &at).await })
            })
            .await
            .map_err(|fault| fault.at(lane.place()));
        if said.is_err() {
            owner.memory.interrupted();
        }
        said
    }
}

impl PostgresStore {
    fn held(&self) -> Option<(&Lane, Arc<Owner>)> {
        let lane = self.owner.as_deref()?;
        Some((lane, lane.owner()?))
    }

    /// Tells that this node ends in order. After the last one that agreed with the recorded state, others need not wait for
    /// it to come back.
    ///
    /// # Errors
    /// [`StoreError`]: they wait for some seconds.
    pub async fn leave(&self) -> Result<(), StoreError> {
        let Some((lane, owner)) = self.held() else {
            return Ok(());
        };
        let asking = Arc::clone(&owner);
        let Some(held) = owner.memory.known().held else {
            return Ok(());
        };
        let leaving = lane.run(|connection| {
            Box::pin(async move {
                let mut transaction = connection.begin().await?;
                let (record, _) = read_alone(&mut transaction).await?;
                let ours = record.is_some_and(|record| record.state == held);
                if ours && asking.others(&mut transaction, held).await?.is_empty() {
                    row::leave(&mut transaction).await?;
                }
                // Before the next one looks who is there.
                let_go(&mut transaction, held).await?;
                Ok(transaction.commit().await?)
            })
        });
        leaving.await?;
        owner.memory.known().held = None;
        Ok(())
    }
}
