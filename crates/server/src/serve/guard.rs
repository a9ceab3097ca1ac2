//! When a connection must go although its client did not end it.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Sleep, sleep};
use tokio_util::sync::CancellationToken;

use super::seats::Seat;

/// How a connection must go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// When what was asked is answered.
    Finish,
    /// At once: nothing was asked.
    Cut,
}

/// Watches one connection.
#[derive(Debug)]
pub(super) struct Guard<'a> {
    seat: &'a Seat,
    stop: &'a CancellationToken,
    stopped: bool,
    /// Runs out when the first request must be here; none afterwards.
    first_head: Option<Pin<Box<Sleep>>>,
}

impl<'a> Guard<'a> {
    /// Watches the connection in `seat`, that must send its first request head within `first_head`.
    pub(super) fn new(seat: &'a Seat, stop: &'a CancellationToken, first_head: Duration) -> Self {
        Self {
            seat,
            stop,
            stopped: false,
            first_head: Some(Box::pin(sleep(first_head))),
        }
    }

    /// Resolves when the connection must go. A stop is told once.
    pub(super) async fn verdict(&mut self) -> Verdict {
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled(), if !self.stopped => {
                    self.stopped = true;
                    return Verdict::Finish;
                }
                () = self.seat.told_to_leave() => return self.leave(),
                () = past(&mut self.first_head) => {
                    self.first_head = None;
                    if !self.seat.has_asked() {
                        return Verdict::Cut;
                    }
                }
            }
        }
    }

    /// An answer may still be on its way to a client that has asked.
    fn leave(&self) -> Verdict {
        if self.seat.has_asked() {
            Verdict::Finish
        } else {
            Verdict::Cut
        }
    }
}

async fn past(deadline: &mut Option<Pin<Box<Sleep>>>) {
    match deadline {
        Some(sleep) => sleep.await,
        None => std::future::pending().await,
    }
}
