//! Numbers are handed out from one shared state alone: the one that the store has recorded. A node on another one hands out
//! none, and says why.
//!
//! See `docs/adr/0014-one-shared-state-for-one-database.md`.

use std::sync::Arc;
use std::time::Duration;

use caller_id_core::rotator::Permission;
use caller_id_core::shared::{Agreement, Seen, StateRecord};
use caller_id_core::{AllocatorError, SharedAllocator, Standing, StoreError};
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How often the state is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How often the store is asked when nothing changed, and nobody waits.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// Whether this node may hand out numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// Not known yet: no.
    Unknown,
    /// It waits for nodes of another state, which may come back, or may follow: no.
    Waiting(String),
    /// Yes.
    Open,
    /// No, and why.
    Closed(String),
}

/// Compares the state that this node sees with what the store has recorded.
pub struct Fence {
    /// The state.
    pub engine: Arc<dyn SharedAllocator>,
    /// What the store says; `None`: nobody else can open it.
    pub record: Option<Arc<dyn StateRecord>>,
    /// Where the state is, for people.
    pub at: String,
    /// What came of it.
    pub gate: watch::Sender<Gate>,
}

/// When the store was asked, and what about.
#[derive(Default)]
struct Asked {
    last: Option<(Seen, Instant)>,
    /// The last answer was that all is well.
    well: bool,
}

impl Fence {
    /// Compares until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        let Some(record) = &self.record else {
            self.gate.send_replace(Gate::Open);
            return stop.cancelled().await;
        };
        let mut asked = Asked::default();
        let watching = async {
            loop {
                // That Redis is away is told by others; nothing is handed out then.
                if let Ok(standing) = self.engine.standing().await {
                    self.look(&**record, seen(standing), &mut asked).await;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        stop.run_until_cancelled(watching).await;
    }

    async fn look(&self, record: &dyn StateRecord, seen: Seen, asked: &mut Asked) {
        let due = asked
            .last
            .is_none_or(|(before, at)| before != seen || !asked.well || at.elapsed() >= ASK_EVERY);
        if !due {
            return;
        }
        // A master that does not take writes is seen by nobody: another one is about to take its place.
        if matches!(seen, Seen::Whole(_)) && self.engine.probe().await.is_err() {
            return;
        }
        let said = record.agree(seen, &self.at).await;
        asked.last = Some((seen, Instant::now()));
        asked.well = matches!(said, Ok(Agreement::Agreed | Agreement::Undecided) | Err(_));
        match said {
            Ok(Agreement::Agreed) => self.set(Gate::Open),
            Ok(Agreement::Waiting(why)) => {
                if *self.gate.borrow() == Gate::Unknown {
                    self.set(Gate::Waiting(why));
                }
            }
            Ok(Agreement::Stale) => self.disown(seen).await,
            Ok(Agreement::Refused(why)) | Err(StoreError::Owned(why)) => {
                self.set(Gate::Closed(why));
            }
            // While the store is away, what was known holds.
            Ok(Agreement::Undecided) | Err(_) => {}
        }
    }

    async fn disown(&self, seen: Seen) {
        let Seen::Whole(state) = seen else { return };
        tracing::warn!(
            "the state of {} does not know what was handed out from another one since: it is made anew from the store",
            self.at
        );
        if let Err(error) = self.engine.disown(state).await {
            tracing::warn!(%error, "it could not be given up yet");
        }
    }

    fn set(&self, now: Gate) {
        self.gate.send_if_modified(|gate| {
            let changed = *gate != now;
            match (&*gate, &now) {
                _ if !changed => {}
                (Gate::Closed(_), Gate::Closed(_)) => {}
                (_, Gate::Closed(why)) => tracing::error!("no number is handed out: {why}"),
                (_, Gate::Waiting(why)) => tracing::warn!("no number is handed out yet: {why}"),
                (Gate::Closed(_), Gate::Open) => {
                    tracing::info!("{} is the state of the database again", self.at);
                }
                _ => {}
            }
            *gate = now;
            changed
        });
    }
}

fn seen(standing: Standing) -> Seen {
    match standing {
        Standing::Ready(merge) => Seen::Whole(merge.state),
        Standing::Lost { of, .. } => Seen::Lost { of },
    }
}

/// A state from which nothing may be handed out.
#[derive(Debug, Error)]
enum Fenced {
    #[error("it is not known yet whether the database belongs to this state in redis")]
    Unknown,
    #[error("{0}")]
    Told(String),
}

/// Permission while the gate is open.
pub struct WhileOpen(pub watch::Receiver<Gate>);

impl Permission for WhileOpen {
    fn check(&self) -> Result<(), AllocatorError> {
        let fenced = match &*self.0.borrow() {
            Gate::Open => return Ok(()),
            Gate::Unknown => Fenced::Unknown,
            Gate::Waiting(why) | Gate::Closed(why) => Fenced::Told(why.clone()),
        };
        Err(AllocatorError::Unavailable(Arc::new(fenced)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_handed_out_while_the_gate_is_open_and_else_it_is_told_why_not() {
        let why = || "the nodes a and b have the database".to_owned();
        let (told, gate) = watch::channel(Gate::Open);
        let permission = WhileOpen(gate);
        assert!(permission.check().is_ok());
        for (gate, expected) in [
            (Gate::Unknown, "it is not known yet"),
            (Gate::Waiting(why()), "a and b"),
            (Gate::Closed(why()), "a and b"),
        ] {
            told.send_replace(gate);
            let refused = permission.check().expect_err("it is not open").to_string();
            assert!(refused.contains(expected), "{refused}");
        }
    }
}
