//! The outbox on its way into the store: by one node at a time, in order, and again until it is there.

use std::sync::Arc;
use std::time::Duration;

use caller_id_core::shared::{Lag, Unread};
use caller_id_core::{AllocatorError, Journal, Outbox, StoreError};
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::telemetry::outage::{Outages, User};

/// So many events are stored in one batch at most.
const BATCH: usize = 4_096;
/// And so many at least are tried: where Redis or the store is slow, as many as they manage in time.
const BATCH_LEAST: usize = 64;
/// A batch that takes longer was too much: who is not heard of for five seconds loses the work to another node.
const SLOW: Duration = Duration::from_secs(1);
/// An empty outbox is looked at again after so long: history is that much behind.
const PAUSE: Duration = Duration::from_millis(50);
/// A node that stops tries for so long to bring what waits into the store.
const LAST_WORDS_MOST: Duration = Duration::from_secs(2);
/// And for so long where another one has the work: by then it was heard of again, or this one has taken its place.
const OTHERS_LAST_WORDS_MOST: Duration = Duration::from_secs(6);
/// Two clocks tell the age of an event.
const SLACK_MS: i64 = 20;
/// Another node drains; is it still there?
const OTHERS_PAUSE: Duration = Duration::from_secs(1);
/// After a failure: long enough for another node, which may reach the store, to take over.
const AFTER_FAILURE: Duration = Duration::from_secs(2);
/// How often it is looked how far the store is behind.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often a store that is behind is told of.
const TELL_EVERY: Duration = Duration::from_secs(30);
/// With this share of what may wait, it is an error and no warning: one half.
const ALARMING: u64 = 2;
/// So old is nothing while all is well, in milliseconds.
const LATE_MS: i64 = 60_000;
/// What is younger waits only for its turn: less than a node rests that failed.
const FRESH_MS: i64 = 1_000;

/// Brings what waits in the outbox into the store.
pub struct Drainer {
    /// What waits.
    pub outbox: Arc<dyn Outbox>,
    /// Where it goes.
    pub journal: Arc<dyn Journal>,
    /// Whether the outbox is the store's: what waits for another one is not taken.
    pub belongs: watch::Receiver<bool>,
    /// Who tells what is away.
    pub outages: Arc<Outages>,
}

/// Why a batch is not stored.
#[derive(Debug, Error)]
enum DrainError {
    #[error("{0}")]
    Outbox(#[from] AllocatorError),
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// How many events are asked for at once. A backlog in batches that are always too large would never become less.
#[derive(Debug, Clone, Copy)]
struct Batch(usize);

impl Batch {
    /// After one that succeeded in this time.
    fn took(&mut self, time: Duration) {
        match time > SLOW {
            true => self.failed(),
            false => self.0 = (self.0 * 2).min(BATCH),
        }
    }

    /// After one that did not.
    fn failed(&mut self) {
        self.0 = (self.0 / 4).max(BATCH_LEAST);
    }
}

/// What was brought to the store.
struct Drained {
    /// There may be more.
    more: bool,
}

impl Drainer {
    /// Drains until `stop`; then until nothing is left. What fails is told by `outages`, how far the store is behind is told meanwhile.
    pub async fn run(&self, stop: CancellationToken) {
        tokio::join!(self.drain_all(&stop), self.tell(&stop));
    }

    async fn drain_all(&self, stop: &CancellationToken) {
        let Outages { redis, database } = &*self.outages;
        let (mut failed, mut batch) = (false, Batch(BATCH));
        while !stop.is_cancelled() {
            let pause = match self.drain(&mut batch).await {
                Ok(drained) => {
                    redis.served(User::Drainer);
                    if failed && (drained.is_some() || self.others_succeed().await) {
                        failed = false;
                        database.served(User::Drainer);
                    }
                    match drained {
                        None => OTHERS_PAUSE,
                        Some(Drained { more: true }) => Duration::ZERO,
                        Some(Drained { more: false }) => PAUSE,
                    }
                }
                Err(error) => {
                    match &error {
                        DrainError::Outbox(error) => redis.failed(User::Drainer, error),
                        DrainError::Store(error) => {
                            failed = true;
                            database.failed(User::Drainer, error);
                        }
                    }
                    // Whoever reaches the store may do it. That Redis is away, too, is told above.
                    let _ = self.outbox.leave().await;
                    AFTER_FAILURE
                }
            };
            stop.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
        self.last_words(batch).await;
    }

    /// All that waits now, because after the last node nobody may come back to this Redis. Where another one drains, it is
    /// waited for: it may be on its way out, too, and have taken its last batch, or be dead.
    async fn last_words(&self, mut batch: Batch) {
        let began = Instant::now();
        let (mut most, mut failed) = (LAST_WORDS_MOST, false);
        while *self.belongs.borrow() {
            match self.drain(&mut batch).await {
                Ok(Some(Drained { more: true })) => continue,
                Ok(Some(_)) => {}
                Ok(None) => most = OTHERS_LAST_WORDS_MOST,
                Err(error) => {
                    if !failed {
                        tracing::warn!(%error, "what waits cannot be stored");
                    }
                    (most, failed) = (LAST_WORDS_MOST, true);
                }
            }
            // Nobody is at it where this one failed, either.
            let _ = self.outbox.leave().await;
            // Taken before it is asked: an answer that is late makes nothing younger than it is.
            let asked_ms = millis(began);
            let lag = self.outbox.lag().await;
            // What is younger comes from others, who go on.
            let ours = |lag: &Lag| lag.events > 0 && lag.oldest_ms + SLACK_MS >= asked_ms;
            if lag.as_ref().is_ok_and(|lag| !ours(lag)) {
                return;
            }
            if began.elapsed() >= most {
                return left_behind(lag, most == OTHERS_LAST_WORDS_MOST);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Stores one batch, and learns how large the next one may be. `None` while it is not this node's to do.
    async fn drain(&self, batch: &mut Batch) -> Result<Option<Drained>, DrainError> {
        let (began, most) = (Instant::now(), batch.0);
        let drained = self.drain_some(most).await;
        match &drained {
            Ok(Some(_)) => batch.took(began.elapsed()),
            Ok(None) => {}
            Err(_) => batch.failed(),
        }
        // It need not be a whole one: what one script did stays together.
        Ok(drained?.map(|events| Drained {
            more: events >= most / 2,
        }))
    }

    /// Stores at most so many events. Gives how many that were.
    async fn drain_some(&self, most: usize) -> Result<Option<usize>, DrainError> {
        if !*self.belongs.borrow() {
            return Ok(None);
        }
        let Some(taken) = self.outbox.take(most).await? else {
            return Ok(None);
        };
        let events = taken.events.len();
        if events > 0 {
            self.journal.commit(taken.events.clone()).await?;
        }
        if !taken.upto.is_empty() {
            self.outbox.done(&taken).await?;
        }
        if let Some(Unread { place, why, .. }) = taken.unread.first() {
            let events = taken.unread.len();
            tracing::error!(
                events, %place, %why,
                "what this version cannot read of the outbox is set aside: start a node of the version that wrote it"
            );
        }
        Ok(Some(events + taken.unread.len()))
    }

    /// Whether what this node could not store is stored: that another one drains says nothing of whether it succeeds.
    async fn others_succeed(&self) -> bool {
        let lag = self.outbox.lag().await;
        lag.is_ok_and(|lag| lag.oldest_ms < FRESH_MS)
    }

    /// Tells how far the store is behind: at once when it gets worse, and again every half a minute while it is not well.
    async fn tell(&self, stop: &CancellationToken) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        let mut told = (Delay::None, Instant::now());
        let mut aside = 0;
        while stop.run_until_cancelled(looks.tick()).await.is_some() {
            // That the outbox cannot be reached is told by the drain.
            let Ok(lag) = self.outbox.lag().await else {
                continue;
            };
            if lag.aside > aside {
                tracing::error!(
                    events = lag.aside,
                    "what could not be read of the outbox is kept in Redis, and is in no history"
                );
            }
            aside = lag.aside;
            let delay = Delay::of(lag);
            if delay > told.0 || (delay > Delay::None && told.1.elapsed() >= TELL_EVERY) {
                delay.tell(lag);
                told.1 = Instant::now();
            }
            told.0 = delay;
        }
    }
}

/// Says what this node has not brought to the store when it stops.
fn left_behind(lag: Result<Lag, AllocatorError>, others_drain: bool) {
    match lag {
        Ok(Lag { events, .. }) if others_drain => tracing::warn!(
            events,
            "what waits in Redis for the store is left to another node, which is at it"
        ),
        Ok(Lag { events, .. }) => tracing::error!(
            events,
            "what waits in Redis for the store stays there: start a node again on the same Redis"
        ),
        Err(error) => {
            tracing::error!(%error, "what waits in Redis for the store is not known");
        }
    }
}

fn millis(since: Instant) -> i64 {
    i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX)
}

/// How far the store is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Delay {
    /// It is not.
    None,
    /// What waits is old.
    Late,
    /// Much waits.
    Far,
    /// As much waits as may.
    Full,
}

impl Delay {
    fn of(lag: Lag) -> Self {
        match lag {
            Lag { events, most, .. } if events >= most => Self::Full,
            Lag { events, most, .. } if events >= most / ALARMING => Self::Far,
            Lag { oldest_ms, .. } if oldest_ms > LATE_MS => Self::Late,
            _ => Self::None,
        }
    }

    fn tell(self, lag: Lag) {
        let (events, most, seconds) = (lag.events, lag.most, lag.oldest_ms / 1_000);
        match self {
            Self::None => {}
            Self::Late => tracing::warn!(events, seconds, "the store is behind"),
            Self::Far => tracing::error!(
                events,
                most,
                seconds,
                "the store is far behind: with as many events as OUTBOX_LIMIT no number is handed out"
            ),
            Self::Full => tracing::error!(
                events,
                most,
                seconds,
                "the outbox is full: no number is handed out until the store takes what waits"
            ),
        }
    }
}

#[cfg(test)]
mod tests;
