//! Looks after the session that holds the lock on the database, so that it is made again soon after it was lost.

use std::sync::Weak;
use std::time::Duration;

use caller_id_core::StoreError;
use sqlx_core::connection::Connection;
use tokio::time::{MissedTickBehavior, interval};

use super::lane::Lane;

/// How often the session is asked whether it lives.
const EVERY: Duration = Duration::from_secs(1);

/// Begins to look after the session of this lane, until the lane is dropped or closed, or another node took over.
///
/// What is wrong is logged when it begins, when it becomes something else and when it ends. A node of a cluster that
/// finds a sole one in its place goes on writing, and says so: what Redis handed out is handed out already, and history must not
/// lose it. That it hands out no more is up to who asks for agreement.
pub(super) fn keep(lane: Weak<Lane>) {
    tokio::spawn(async move {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut wrong = None;
        loop {
            ticks.tick().await;
            let Some(lane) = lane.upgrade() else { return };
            let ping = lane.run(|connection| Box::pin(async { Ok(connection.ping().await?) }));
            match ping.await {
                Ok(()) => {
                    if wrong.take().is_some() {
                        tracing::info!(
                            "{}: this node holds its lock on the database again",
                            lane.place()
                        );
                    }
                }
                Err(StoreError::Closed) => return,
                Err(error) if lane.is_lost() => {
                    tracing::error!(%error, "another node took over");
                    return;
                }
                Err(error) => {
                    let why = Some(error.to_string());
                    if wrong != why {
                        tracing::error!(%error, "the lock on the database is lost, and asked for each second");
                        wrong = why;
                    }
                }
            }
        }
    });
}
