//! The Redis engine: all hot state in Redis, for many nodes at once. Each step of the rule book is a script, so it is
//! atomic there, and its event joins the journal in the same step.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::redis::{Cmd, FromRedisValue, Script, ScriptInvocation};
use async_trait::async_trait;
use caller_id_core::meter::Calls;
use caller_id_core::shared::StateId;
use caller_id_core::{
    AllocationRecord, Allocator, AllocatorError, Ask, CallEnd, CallReport, CallResult, Clock,
    EndRecord, EngineNumber, Inspector, InventoryStep, JournalEvent, NumberState, Outcome,
    PhoneNumber, Policy, PoolId, Position, Recovered, ReleaseTarget, Reported,
};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use self::acknowledged::Acknowledged;
use self::days::DaysGiven;
use self::error::{Failed, Lost, NoDays, Superseded, unavailable};
use self::keys::Keys;
use self::link::{Link, Server};
use self::pace::{GiveWay, Pace};
use self::queue::{Answer, Queue};
use self::reply::Reply;
use self::scripts::Scripts;
use self::unsettled::Unsettled;

mod acknowledged;
mod alert_board;
mod announce;
mod board;
mod days;
mod error;
mod event;
pub mod inspect;
mod inventory;
mod job_board;
pub mod keys;
mod link;
mod look;
mod outbox;
mod pace;
mod pool;
mod queue;
mod recover;
mod reply;
mod scripts;
mod settings;
mod shared;
mod step;
mod unsettled;

pub use self::link::BadAddress;
pub use self::outbox::Entry;
pub use self::settings::Settings;

/// So many numbers change in one script, so that no request waits for more: half a millisecond or so.
const CHANGES_AT_ONCE: usize = 64;
/// So many numbers are a step of the inventory, which is one script, or another node could come between.
const STEP_MOST: usize = CHANGES_AT_ONCE;
/// The same of what history says, while a node rebuilds and nobody is served: ten milliseconds or so.
const RECOVERED_AT_ONCE: usize = 1_024;
/// And of events that are counted again one by one.
const REPLAYED_AT_ONCE: usize = 512;
/// While a node rebuilds, Redis may take so long: to give up and begin anew would take longer. Less than the claim lives.
const REBUILD_PATIENCE: Duration = Duration::from_secs(3);
/// An event takes some 150 bytes in Redis: this is most of a gigabyte, and more than an hour of 500 calls a second.
pub const OUTBOX_MOST: u64 = 5_000_000;
/// A pool's days are given once; when they are missing again, other nodes and the zone have changed meanwhile. A script
/// asks for those of one pool after the other.
const TRIES_MOST: usize = 4;

/// Where `now` comes from.
#[derive(Clone)]
pub enum Time {
    /// From Redis, so that nodes whose clocks are apart agree.
    Server,
    /// From a clock of ours: for tests.
    Clock(Arc<dyn Clock>),
}

/// The engine of a service that runs as many nodes.
///
/// Requests that wait go to Redis together, at most 32 in a call and two calls at a time. When Redis is away or hangs, each
/// request gets [`AllocatorError::Unavailable`] within `response_timeout`; a task of its own connects again, ten times a
/// second.
pub struct RedisAllocator {
    engine: Arc<Engine>,
}

struct Engine {
    link: Link,
    response_timeout: Duration,
    scripts: Scripts,
    keys: Keys,
    time: Time,
    queue: Queue,
    node: String,
    outbox_most: u64,
    acknowledged: Acknowledged,
    unsettled: Unsettled,
    /// Of what is brought in a rebuild.
    pace: Pace,
    give_way: GiveWay,
    /// The rebuild that this node began and did not end.
    claim: Mutex<Option<StateId>>,
    loss_met: Notify,
    /// Whether this node tried to read what others set aside.
    read_again: AtomicBool,
    /// What Redis was asked.
    calls: Arc<Calls>,
}

impl RedisAllocator {
    /// The engine on that Redis. Begins to connect, in the tokio runtime that this is called from.
    ///
    /// # Errors
    /// [`AllocatorError::Unavailable`] when the address is none, or the file `tls_ca` no certificate.
    pub fn new(settings: &Settings, time: Time) -> Result<Arc<Self>, AllocatorError> {
        let keys = Keys::of(&settings.tenant);
        let engine = Engine {
            link: Link::new(settings, &keys)?,
            response_timeout: settings.response_timeout,
            scripts: Scripts::new(),
            keys,
            time,
            queue: Queue::default(),
            node: settings.node.clone(),
            outbox_most: settings.outbox_most,
            acknowledged: Acknowledged::default(),
            unsettled: Unsettled::default(),
            pace: Pace::default(),
            give_way: GiveWay::default(),
            claim: Mutex::default(),
            loss_met: Notify::new(),
            read_again: AtomicBool::new(false),
            calls: Arc::default(),
        };
        Ok(Arc::new(Self {
            engine: Arc::new(engine),
        }))
    }

    /// What Redis was asked: scripts and commands, each with the time until its answer, and those that got none.
    pub fn calls(&self) -> Arc<Calls> {
        self.engine.calls.clone()
    }

    /// Forgets numbers, their use and reservations included. Tells how many there were.
    ///
    /// # Errors
    /// [`AllocatorError::Unavailable`].
    pub async fn remove_numbers(&self, numbers: &[PhoneNumber]) -> Result<u64, AllocatorError> {
        self.engine.remove_numbers(numbers).await
    }

    /// The journal from after the entry `after` on (`0` = from its beginning), at most `most` entries, oldest first.
    ///
    /// # Errors
    /// [`AllocatorError::Unavailable`], also when an entry cannot be read.
    pub async fn journal(&self, after: &str, most: usize) -> Result<Vec<Entry>, AllocatorError> {
        self.engine.journal(after, most).await
    }
}

impl Engine {
    /// Runs a script. It is sent whole when Redis does not know it; then nothing of it was done yet.
    async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        arguments: &[Vec<u8>],
    ) -> Result<T, AllocatorError> {
        self.measured(async {
            let deadline = Instant::now() + self.patience();
            let server = self.link.server(deadline).await?;
            let invocation = self.invocation(script, &server, arguments);
            let mut connection = server.connection.clone();
            let answered = timeout_at(deadline, invocation.invoke_async(&mut connection)).await;
            self.link.judge(&server, answered)
        })
        .await
    }

    async fn measured<T>(
        &self,
        asked: impl Future<Output = Result<T, AllocatorError>>,
    ) -> Result<T, AllocatorError> {
        let began = Instant::now();
        let answer = asked.await;
        self.calls.note(began.elapsed(), answer.is_err());
        answer
    }

    /// How long Redis may take for an answer.
    fn patience(&self) -> Duration {
        match self.claim() {
            Some(_) => self.response_timeout.max(REBUILD_PATIENCE),
            None => self.response_timeout,
        }
    }

    fn invocation<'a>(
        &self,
        script: &'a Script,
        server: &Server,
        arguments: &[Vec<u8>],
    ) -> ScriptInvocation<'a> {
        let now = match &self.time {
            Time::Server => String::new(),
            Time::Clock(clock) => clock.now().as_ms().max(0).to_string(),
        };
        let mut invocation = script.prepare_invoke();
        for key in self.keys.declared() {
            invocation.key(key);
        }
        invocation
            .arg(self.keys.prefix.as_str())
            .arg(format!("{now} {}", server.run));
        for argument in arguments {
            invocation.arg(argument.as_slice());
        }
        invocation
    }

    /// Runs a command.
    async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, AllocatorError> {
        self.measured(async {
            let deadline = Instant::now() + self.patience();
            let server = self.link.server(deadline).await?;
            let mut connection = server.connection.clone();
            let answered = timeout_at(deadline, command.query_async(&mut connection)).await;
            self.link.judge(&server, answered)
        })
        .await
    }

    /// Runs a script that may ask for the local days of a pool, gives them, and runs it again.
    async fn run_with_days(
        &self,
        script: &Script,
        arguments: &[Vec<u8>],
    ) -> Result<Reply, AllocatorError> {
        let mut days = DaysGiven::default();
        loop {
            let reply = Reply::read(self.run(script, arguments).await?)?;
            if !days.give(self, &reply).await? {
                return settled(reply);
            }
        }
    }

    /// Takes one step together with others that wait, and gives days where they are missing.
    async fn decide(self: &Arc<Self>, step: &[u8]) -> Result<Answer, AllocatorError> {
        let mut days = DaysGiven::default();
        let Answer { reply, state } = loop {
            let answer = queue::submit(self, step.to_vec()).await?;
            if !days.give(self, &answer.reply).await? {
                break answer;
            }
        };
        if let Reply::Lost = &reply {
            self.loss_met.notify_one();
        }
        settled(reply).map(|reply| Answer { reply, state })
    }

    /// What was handed out to somebody who is gone. One with a call id stays: whoever asks again for that call gets it.
    fn give_back(self: &Arc<Self>, record: &AllocationRecord) {
        let target = ReleaseTarget::Reservation(record.id);
        let step = step::release(&target, CallEnd::Released);
        if let Some(step) = step.filter(|_| record.call_id.is_none()) {
            let engine = self.clone();
            // When that fails, the reservation runs out by itself.
            tokio::spawn(async move { engine.decide(&step).await.map(drop) });
        }
    }
}

/// What is no answer to anybody is an error.
fn settled(reply: Reply) -> Result<Reply, AllocatorError> {
    match reply {
        Reply::Days { pool, .. } => Err(unavailable(NoDays(pool))),
        Reply::Lost => Err(unavailable(Lost)),
        Reply::Superseded => Err(unavailable(Superseded)),
        Reply::Full(events) => Err(AllocatorError::OutboxFull(events.unsigned_abs())),
        Reply::Failed(why) => Err(unavailable(Failed(why))),
        reply => Ok(reply),
    }
}

#[async_trait]
impl Allocator for RedisAllocator {
    async fn allocate(&self, ask: Ask<'_>) -> Result<Outcome, AllocatorError> {
        let answer = self.engine.decide(&step::allocate(&ask)).await?;
        let outcome = answer.reply.outcome()?;
        if let Outcome::Allocated(got) = &outcome {
            let event = JournalEvent::Allocated(got.record.clone());
            self.engine.acknowledged.push(answer.state, event);
        }
        Ok(outcome)
    }

    async fn release(
        &self,
        target: &ReleaseTarget,
        end: CallEnd,
    ) -> Result<Option<EndRecord>, AllocatorError> {
        let Some(step) = step::release(target, end) else {
            return Ok(None);
        };
        let answer = self.engine.decide(&step).await?;
        let ended = answer.reply.end(end)?;
        if let Some(ended) = ended {
            let event = JournalEvent::Ended(ended);
            self.engine.acknowledged.push(answer.state, event);
        }
        Ok(ended)
    }

    async fn report(
        &self,
        target: &ReleaseTarget,
        report: &CallReport,
    ) -> Result<Reported, AllocatorError> {
        let Some(step) = step::report(target, report) else {
            return Ok(Reported::Unknown);
        };
        let answer = self.engine.decide(&step).await?;
        let Some((result, released)) = answer.reply.result(report)? else {
            return Ok(Reported::Unknown);
        };
        let CallResult { id, at, report } = result;
        if released {
            let end = report.status;
            let event = JournalEvent::Ended(EndRecord { id, at, end });
            self.engine.acknowledged.push(answer.state, event);
        }
        let event = JournalEvent::Reported(result);
        self.engine.acknowledged.push(answer.state, event);
        Ok(Reported::Kept { id, released })
    }

    /// Policies take effect at once; the orders follow in steps, and until then each choice is checked against them.
    async fn put_pools(&self, pools: Vec<(PoolId, Policy)>) -> Result<(), AllocatorError> {
        self.engine.put_pools(&pools).await
    }

    async fn put_numbers(&self, numbers: Vec<EngineNumber>) -> Result<(), AllocatorError> {
        self.engine.put_numbers(&numbers).await
    }

    async fn known_inventory(&self) -> Result<Position, AllocatorError> {
        self.engine.known_inventory().await
    }

    async fn follow(&self, step: InventoryStep) -> Result<bool, AllocatorError> {
        self.engine.follow(&step).await
    }

    /// More while this node rebuilds: nobody is served then.
    fn step_most(&self) -> usize {
        match self.engine.claim() {
            Some(_) => self.engine.pace.most(),
            None => STEP_MOST,
        }
    }

    /// A use that Redis knows of stays as it is. While this node rebuilds a lost state, this is part of it, and fails once the
    /// rebuild is another's.
    async fn recover(&self, recovered: Recovered) -> Result<(), AllocatorError> {
        self.engine.recover(recovered).await
    }

    async fn number_state(
        &self,
        number: PhoneNumber,
    ) -> Result<Option<NumberState>, AllocatorError> {
        Ok(self.states(&[number]).await?.pop().flatten())
    }
}
