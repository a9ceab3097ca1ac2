//! Posts what waits, one after the other, again where that may help.

use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use caller_id_core::Clock;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::deadline::Deadline;
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
/// What waits at a stop has so long, or half of what is left of the stop's own time.
pub const LAST_WORDS_MOST: Duration = Duration::from_secs(2);

/// A try has so long beyond the time of an answer: looking up a name is not counted everywhere.
const BEYOND: Duration = Duration::from_secs(5);

/// Posts what waits.
pub struct Delivery {
    outgoing: Arc<Outgoing>,
    receiver: Arc<Receiver>,
    /// The time, for signatures.
    clock: Arc<dyn Clock>,
    deadline: Deadline,
    /// When nothing is posted any more, from a stop on.
    end: OnceLock<Instant>,
}

impl Delivery {
    /// To `receiver`. `deadline` is told when the service is to stop.
    pub fn new(
        outgoing: Arc<Outgoing>,
        receiver: Receiver,
        clock: Arc<dyn Clock>,
        deadline: Deadline,
    ) -> Self {
        Self {
            outgoing,
            receiver: Arc::new(receiver),
            clock,
            deadline,
            end: OnceLock::new(),
        }
    }

    /// Posts until `stop`; then what is left is tried once more, as long as there is time. What is not settled then waits on.
    pub async fn run(&self, stop: CancellationToken) {
        let outage = Outage::new(
            "the receiver of ALERT_WEBHOOK_URL",
            "alerts wait and are tried again",
        );
        while let Some(message) = stop.run_until_cancelled(self.outgoing.next()).await {
            if !self.deliver(&message, &outage, &stop).await {
                break;
            }
        }
        self.last_words().await;
    }

    /// Tries until it is settled; false: until `stop`, and it was not.
    async fn deliver(&self, message: &Message, outage: &Outage, stop: &CancellationToken) -> bool {
        let mut pause = FIRST_PAUSE;
        let mut tries = 1;
        loop {
            let (why, wait) = match self.once(message, stop).await {
                None => return false,
                Some(Next::Done) => {
                    outage.served(User::Alerts);
                    self.outgoing.settle(&message.id, Outcome::Delivered, None);
                    return true;
                }
                Some(Next::Never(why)) => {
                    self.lost(message, Outcome::Refused, &why);
                    return true;
                }
                Some(Next::Again(why, wait)) => (why, wait),
            };
            outage.failed(User::Alerts, &why);
            if tries >= TRIES {
                self.lost(message, Outcome::Failed, &why);
                return true;
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
                return false;
            }
        }
    }

    /// One try. None: the service stops, and there was no answer in the time that is left.
    async fn once(&self, message: &Message, stop: &CancellationToken) -> Option<Next> {
        let mut posting = self.post(message, self.receiver.within());
        let posted = stop.run_until_cancelled(posting.answer()).await;
        match posted {
            Some(next) => Some(next),
            None => tokio::time::timeout_at(self.end(), posting.answer())
                .await
                .ok(),
        }
    }

    fn post(&self, message: &Message, within: Duration) -> Posting {
        let (receiver, message, now) = (self.receiver.clone(), message.clone(), self.clock.now());
        Posting::begin(within, move || receiver.post(&message, now, within))
    }

    async fn last_words(&self) {
        for message in self.outgoing.unsettled() {
            let left = self.end().duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let mut posting = self.post(&message, left.min(self.receiver.within()));
            match tokio::time::timeout_at(self.end(), posting.answer()).await {
                Ok(Next::Done) => self.outgoing.settle(&message.id, Outcome::Delivered, None),
                Ok(Next::Never(why)) => self.lost(&message, Outcome::Refused, &why),
                Ok(Next::Again(..)) | Err(_) => {}
            }
        }
    }

    /// When nothing is posted any more: asked from the stop on, always the same.
    fn end(&self) -> Instant {
        let last_words = || Instant::now() + self.deadline.half(LAST_WORDS_MOST);
        *self.end.get_or_init(last_words)
    }

    /// A message reaches nobody: one line.
    fn lost(&self, message: &Message, outcome: Outcome, why: &str) {
        let (kind, id, receiver) = (message.kind.as_str(), &message.id, self.receiver.shown());
        tracing::error!(kind, %id, %receiver, %why, "an alert reached nobody");
        self.outgoing
            .settle(&message.id, outcome, Some(why.to_owned()));
    }
}

/// A try that is under way. Dropped, nobody waits for it any more.
struct Posting {
    answer: JoinHandle<Option<Next>>,
    give_up: mpsc::Sender<Option<Next>>,
}

impl Posting {
    /// Posts on a thread of its own: the runtime waits for its own threads when it ends, for as long as a receiver hangs. One of
    /// those waits for the answer, by which a clock that stands does not run on meanwhile; it ends at once where that is given up.
    fn begin(within: Duration, post: impl FnOnce() -> Next + Send + 'static) -> Self {
        let (tell, told) = mpsc::channel();
        let give_up = tell.clone();
        // Who does not listen any more has given up.
        let posting = move || tell.send(Some(post())).unwrap_or_default();
        let thread = std::thread::Builder::new().name("alert".to_owned());
        if let Err(error) = thread.spawn(posting) {
            let why = format!("there is no thread to post it on: {error}");
            let _ = give_up.send(Some(Next::Again(why, None)));
        }
        let waiting = move || told.recv_timeout(within + BEYOND).ok().flatten();
        Self {
            answer: tokio::task::spawn_blocking(waiting),
            give_up,
        }
    }

    async fn answer(&mut self) -> Next {
        let answer = (&mut self.answer).await.ok().flatten();
        answer.unwrap_or_else(|| Next::Again("it broke".to_owned(), None))
    }
}

impl Drop for Posting {
    fn drop(&mut self) {
        let _ = self.give_up.send(None);
    }
}
