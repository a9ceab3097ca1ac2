//! Posts what waits, one after the other, again where that may help.

use std::sync::Arc;
use std::time::Duration;

use caller_id_core::Clock;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::message::Message;
use super::outgoing::{Outcome, Outgoing};
use super::post::{Next, Receiver};
use crate::telemetry::outage::{Outage, User};

/// A receiver has so long for an answer.
pub const WITHIN: Duration = Duration::from_secs(5);
/// A message is tried so often: over some four minutes.
pub const TRIES: u32 = 10;
/// The pause after the first try; twice as long after each, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// What waits at a stop has so long.
pub const LAST_WORDS_MOST: Duration = Duration::from_secs(2);

/// Posts what waits.
pub struct Delivery {
    /// What waits.
    pub outgoing: Arc<Outgoing>,
    /// Who takes it.
    pub receiver: Arc<Receiver>,
    /// The time, for signatures.
    pub clock: Arc<dyn Clock>,
    /// For what waits at a stop.
    pub last_words: Duration,
}

impl Delivery {
    /// Posts until `stop`; then what is left is tried once more, as long as there is time.
    pub async fn run(&self, stop: CancellationToken) {
        let outage = Outage::new(
            "the receiver of ALERT_WEBHOOK_URL",
            "alerts wait and are tried again",
        );
        while let Some(message) = stop.run_until_cancelled(self.outgoing.next()).await {
            if let Some(left) = self.deliver(message, &outage, &stop).await {
                self.outgoing.put_back(left);
                break;
            }
        }
        self.last_words().await;
    }

    /// Tries until it is settled, or until `stop`: then gives it back.
    async fn deliver(
        &self,
        message: Message,
        outage: &Outage,
        stop: &CancellationToken,
    ) -> Option<Message> {
        let mut pause = FIRST_PAUSE;
        let mut tries = 1;
        loop {
            let (why, wait) = match self.once(&message, stop).await {
                None => return Some(message),
                Some(Next::Done) => {
                    outage.served(User::Alerts);
                    self.outgoing.settle(Outcome::Delivered, None);
                    return None;
                }
                Some(Next::Never(why)) => {
                    self.lost(&message, Outcome::Refused, &why);
                    return None;
                }
                Some(Next::Again(why, wait)) => (why, wait),
            };
            outage.failed(User::Alerts, &why);
            if tries >= TRIES {
                self.lost(&message, Outcome::Failed, &why);
                return None;
            }
            tries += 1;
            self.outgoing.retry();
            // Nodes that fail together do not come back together.
            let jitter = pause.mul_f64(rand::random::<f64>() / 2.0);
            let pause_now = wait.unwrap_or(pause / 2).max(pause / 2) + jitter;
            pause = (2 * pause).min(LONGEST_PAUSE);
            let slept = stop
                .run_until_cancelled(tokio::time::sleep(pause_now))
                .await;
            if slept.is_none() {
                return Some(message);
            }
        }
    }

    /// One try. None: the service stops, and there was no answer in the time that is left.
    async fn once(&self, message: &Message, stop: &CancellationToken) -> Option<Next> {
        let (receiver, now) = (self.receiver.clone(), self.clock.now());
        let message = message.clone();
        let mut posting = tokio::task::spawn_blocking(move || receiver.post(&message, now));
        let posted = tokio::select! {
            posted = &mut posting => Some(posted),
            () = stop.cancelled() => tokio::time::timeout(self.last_words, posting).await.ok(),
        };
        posted.map(|posted| posted.unwrap_or_else(|_| Next::Again("it broke".to_owned(), None)))
    }

    async fn last_words(&self) {
        let until = Instant::now() + self.last_words;
        while Instant::now() < until {
            let Some(message) = self.outgoing.take() else {
                return;
            };
            let (receiver, now) = (self.receiver.clone(), self.clock.now());
            let posted = message.clone();
            let posting = tokio::task::spawn_blocking(move || receiver.post(&posted, now));
            let posted = tokio::time::timeout_at(until, posting).await;
            match posted {
                Ok(Ok(Next::Done)) => self.outgoing.settle(Outcome::Delivered, None),
                Ok(Ok(Next::Never(why))) => self.lost(&message, Outcome::Refused, &why),
                Ok(Ok(Next::Again(why, _))) => self.lost(&message, Outcome::Failed, &why),
                Ok(Err(_)) | Err(_) => self.lost(&message, Outcome::Failed, "the service stops"),
            }
        }
        while let Some(message) = self.outgoing.take() {
            self.lost(&message, Outcome::Failed, "the service stops");
        }
    }

    /// A message reaches nobody: one line.
    fn lost(&self, message: &Message, outcome: Outcome, why: &str) {
        let (kind, id, receiver) = (message.kind.as_str(), &message.id, self.receiver.shown());
        tracing::error!(kind, %id, %receiver, %why, "an alert reached nobody");
        self.outgoing.settle(outcome, Some(why.to_owned()));
    }
}
