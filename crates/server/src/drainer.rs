//! The outbox on its way into the store: by one node at a time, in order, and again until it is there.

use std::sync::Arc;
use std::time::Duration;

use caller_id_core::{AllocatorError, Journal, Outbox, StoreError};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

/// So many events are stored in one batch.
const BATCH: usize = 4_096;
/// An empty outbox is looked at again after so long: history is that much behind.
const PAUSE: Duration = Duration::from_millis(50);
/// Another node drains; is it still there?
const OTHERS_PAUSE: Duration = Duration::from_secs(1);
/// After a failure.
const AFTER_FAILURE: Duration = Duration::from_millis(500);
/// How often a store that is behind is told of.
const TELL_EVERY: Duration = Duration::from_secs(30);
/// With more than this share of what may wait, it is an error and no warning: one half.
const ALARMING: u64 = 2;
/// So old is nothing while all is well, in milliseconds.
const LATE_MS: i64 = 60_000;

/// Brings what waits in the outbox into the store.
pub struct Drainer {
    /// What waits.
    pub outbox: Arc<dyn Outbox>,
    /// Where it goes.
    pub journal: Arc<dyn Journal>,
}

/// Why a batch is not stored.
#[derive(Debug, Error)]
enum DrainError {
    #[error("{0}")]
    Outbox(#[from] AllocatorError),
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl Drainer {
    /// Drains until `stop`; then once more, so that little is left for others. A failure is logged when it begins and when
    /// it ends; how far the store is behind is told meanwhile.
    pub async fn run(&self, stop: CancellationToken) {
        let mut failing = false;
        let mut watch = tokio::time::interval(TELL_EVERY);
        loop {
            let pause = tokio::select! {
                () = stop.cancelled() => break,
                _ = watch.tick() => {
                    self.tell().await;
                    continue;
                }
                drained = self.drain() => match drained {
                    Ok(pause) => {
                        if std::mem::take(&mut failing) {
                            tracing::info!("allocations reach the store again");
                        }
                        pause
                    }
                    Err(error) => {
                        if !std::mem::replace(&mut failing, true) {
                            tracing::error!(%error, "allocations do not reach the store; they wait in the outbox");
                        }
                        AFTER_FAILURE
                    }
                },
            };
            stop.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
        // The last words of this node; another one, or the next start, goes on from here.
        let _ = self.drain().await;
    }

    /// Stores one batch. Gives how long to wait before the next.
    async fn drain(&self) -> Result<Duration, DrainError> {
        let Some(taken) = self.outbox.take(BATCH).await? else {
            return Ok(OTHERS_PAUSE);
        };
        let events = taken.events.len();
        if events > 0 {
            self.journal.commit(taken.events.clone()).await?;
            self.outbox.done(&taken).await?;
        }
        Ok(if events == BATCH {
            Duration::ZERO
        } else {
            PAUSE
        })
    }

    async fn tell(&self) {
        // That the outbox cannot be reached is told by the drain.
        let Ok(lag) = self.outbox.lag().await else {
            return;
        };
        if lag.events > lag.most / ALARMING {
            tracing::error!(
                events = lag.events,
                most = lag.most,
                "the store is far behind; when as many events wait as may, no number is handed out"
            );
        } else if lag.oldest_ms > LATE_MS {
            tracing::warn!(
                events = lag.events,
                seconds = lag.oldest_ms / 1_000,
                "the store is behind"
            );
        }
    }
}
