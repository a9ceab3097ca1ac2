//! The memory engine: all hot state in one process, under one lock, committed to a journal before it answers.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use caller_id_core::{
    Allocator, AllocatorError, Ask, CallEnd, CallReport, Clock, EndRecord, EngineNumber, Inspector,
    InventoryStep, Journal, NumberState, Outcome, PhoneNumber, Policy, PoolId, Position, Recovered,
    ReleaseTarget, Reported, Timestamp,
};
use tokio::sync::Notify;

use self::commit::{Batch, Commits, Parties, Party};
pub use self::state::{Decision, State, Tally};
use self::undo::Undo;

mod commit;
mod expiring;
mod failures;
mod look;
mod order;
mod pool;
mod slab;
mod state;
mod undo;

/// So many numbers change in one locked step, so that no allocation waits for more.
const CHANGES_AT_ONCE: u32 = 128;
/// So often it is looked between two such steps whether those who wait for the lock have it: some microseconds each.
const LOOKS_MOST: u32 = 64;
/// So many numbers are a step of the inventory: a page that the store reads quickly.
const STEP_MOST: usize = 5_000;

/// The engine of a service that runs alone.
///
/// A request is decided under one lock that is never held over a wait. Its event joins the batch that waits for the
/// journal, and the answer is given when that batch is committed. Nobody stands by to commit: the first who joins leads,
/// on the event loop it came on. When a commit fails, everything decided since the last good one is undone, newest first,
/// and all who wait for it get an error.
pub struct MemoryAllocator {
    engine: Arc<Engine>,
    clock: Arc<dyn Clock>,
    inventory: Mutex<Position>,
}

struct Engine {
    shared: Mutex<Shared>,
    /// How many requests wait for the lock.
    waiting: AtomicU32,
    commits: Commits,
    broken: Notify,
}

/// What the lock protects. Events join the batch in the order in which the state took them.
#[derive(Default)]
struct Shared {
    state: State,
    batch: Batch,
}

impl Shared {
    /// Takes back everything that is not committed: what waits, then what `failed` tried to commit.
    fn unwind(&mut self, failed: Vec<Undo>) -> Parties {
        let (waiting, parties) = self.batch.abandon();
        for undo in failed.into_iter().chain(waiting).rev() {
            self.state.undo(undo);
        }
        parties
    }
}

impl MemoryAllocator {
    /// An empty engine.
    pub fn new(journal: Arc<dyn Journal>, clock: Arc<dyn Clock>) -> Arc<Self> {
        let engine = Engine {
            shared: Mutex::default(),
            waiting: AtomicU32::new(0),
            commits: Commits::new(journal),
            broken: Notify::new(),
        };
        Arc::new(Self {
            engine: Arc::new(engine),
            clock,
            inventory: Mutex::default(),
        })
    }

    /// Refuses new requests, and waits until all that was decided is committed, or was not to be.
    pub async fn stop(&self) {
        let waiting = {
            let mut shared = self.lock();
            shared.batch.close();
            shared.batch.party(shared.state.changes())
        };
        if let Some(party) = waiting {
            // Who waits for it is told of a failure.
            let _ = party.committed().await;
        }
    }

    /// How many events wait for the next commit.
    pub fn waiting(&self) -> usize {
        self.lock().batch.waiting()
    }

    /// Resolves when a commit panicked: what is decided cannot be recorded any more, and nothing is handed out.
    pub async fn broken(&self) {
        self.engine.broken.notified().await;
    }

    /// Between two steps of one who has many: the lock goes to whoever asks first, and that would be the same again, long
    /// before those are awake who wait. The processor goes, too, to a thread that woke up on it meanwhile: it would wait for the
    /// end of this one's time slice, and nothing is held here that it might need.
    async fn give_way(&self) {
        tokio::task::yield_now().await;
        for _ in 0..LOOKS_MOST {
            std::thread::yield_now();
            if self.engine.waiting.load(Ordering::Relaxed) == 0 {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        lock(&self.engine.shared)
    }

    fn inventory(&self) -> MutexGuard<'_, Position> {
        self.inventory
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides and joins the batch in one locked step, then waits until what the answer rests on is committed.
    async fn decide<T>(
        &self,
        decide: impl FnOnce(&mut State, Timestamp) -> Decision<T>,
    ) -> Result<T, AllocatorError> {
        let now = self.clock.now();
        let (answer, party, leads) = {
            self.engine.waiting.fetch_add(1, Ordering::Relaxed);
            let sound = self.engine.sound();
            self.engine.waiting.fetch_sub(1, Ordering::Relaxed);
            let mut shared = sound?;
            let Shared { state, batch } = &mut *shared;
            batch.check_open()?;
            let decision = decide(state, now);
            match decision.change {
                Some(change) => {
                    let (party, leads) = batch.join(change);
                    (decision.answer, party, leads)
                }
                None => match decision.rests_on.and_then(|change| batch.party(change)) {
                    Some(party) => (decision.answer, party, false),
                    None => return Ok(decision.answer),
                },
            }
        };
        if leads {
            lead(self.engine.clone(), party.clone());
        }
        party.committed().await.map(|()| answer)
    }
}

/// Leads the party in a task of its own: whoever asked may be gone before the commit is done.
fn lead(engine: Arc<Engine>, party: Party) {
    // Made here, because an event loop that ends drops its tasks without having begun them.
    let leader = Leader { engine, party };
    tokio::spawn(async move {
        let Leader { engine, party } = &leader;
        engine.commits.lead(&engine.shared, party).await;
    });
}

/// Sees to it that no member of its party waits for ever, whatever becomes of the task that leads.
struct Leader {
    engine: Arc<Engine>,
    party: Party,
}

impl Drop for Leader {
    fn drop(&mut self) {
        if !self.party.is_told() {
            self.engine.give_up();
        }
        self.party.pass_on();
    }
}

impl Engine {
    /// What the lock protects, unless a decision panicked: then nobody knows what it left behind.
    fn sound(&self) -> Result<MutexGuard<'_, Shared>, AllocatorError> {
        self.shared.lock().map_err(|_| {
            self.broken.notify_one();
            AllocatorError::Stopped
        })
    }

    /// A leader did not come to its end: nothing is decided any more, and who waits is told so.
    fn give_up(&self) {
        let mut shared = lock(&self.shared);
        shared.batch.close();
        let (_, parties) = shared.batch.abandon();
        drop(shared);
        parties.dissolve();
        self.broken.notify_one();
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    // What is decided is whole even where a later decision panicked; nothing is decided any more then.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Allocator for MemoryAllocator {
    async fn allocate(&self, ask: Ask<'_>) -> Result<Outcome, AllocatorError> {
        self.decide(|state, now| state.allocate(ask, now)).await
    }

    async fn release(
        &self,
        target: &ReleaseTarget,
        end: CallEnd,
    ) -> Result<Option<EndRecord>, AllocatorError> {
        self.decide(|state, now| state.release(target, end, now))
            .await
    }

    async fn report(
        &self,
        target: &ReleaseTarget,
        report: &CallReport,
    ) -> Result<Reported, AllocatorError> {
        self.decide(|state, now| state.report(target, report, now))
            .await
    }

    /// Policies take effect at once; the orders follow in steps, and until then each choice is checked against them.
    async fn put_pools(&self, pools: Vec<(PoolId, Policy)>) -> Result<(), AllocatorError> {
        let now = self.clock.now();
        for (id, policy) in pools {
            self.lock().state.put_pool(&id, policy, now);
            while self.lock().state.reindex(&id, CHANGES_AT_ONCE, now) {
                self.give_way().await;
            }
        }
        Ok(())
    }

    async fn put_numbers(&self, numbers: Vec<EngineNumber>) -> Result<(), AllocatorError> {
        let now = self.clock.now();
        for some in numbers.chunks(CHANGES_AT_ONCE as usize) {
            {
                let mut shared = self.lock();
                for number in some {
                    shared.state.put_number(number, now);
                }
            }
            self.give_way().await;
        }
        Ok(())
    }

    async fn known_inventory(&self) -> Result<Position, AllocatorError> {
        Ok(*self.inventory())
    }

    async fn follow(&self, step: InventoryStep) -> Result<bool, AllocatorError> {
        if *self.inventory() != step.from {
            return Ok(false);
        }
        self.put_pools(step.pools).await?;
        self.put_numbers(step.numbers).await?;
        *self.inventory() = step.to;
        Ok(true)
    }

    fn step_most(&self) -> usize {
        STEP_MOST
    }

    async fn recover(&self, recovered: Recovered) -> Result<(), AllocatorError> {
        let now = self.clock.now();
        self.lock().state.recover(recovered, now);
        Ok(())
    }

    async fn number_state(
        &self,
        number: PhoneNumber,
    ) -> Result<Option<NumberState>, AllocatorError> {
        Ok(self.states(&[number]).await?.pop().flatten())
    }
}

#[cfg(test)]
mod tests {
    use caller_id_core::{AllocationRequest, ManualClock, StoreError};

    use super::*;

    /// A journal that nothing comes to.
    struct Unused;

    #[async_trait]
    impl Journal for Unused {
        async fn commit(&self, _: Vec<caller_id_core::JournalEvent>) -> Result<(), StoreError> {
            Err(StoreError::Closed)
        }

        async fn probe(&self) -> Result<(), StoreError> {
            Err(StoreError::Closed)
        }
    }

    #[tokio::test]
    async fn after_a_decision_that_panicked_nothing_is_decided_and_it_is_told() {
        let engine = MemoryAllocator::new(Arc::new(Unused), Arc::new(ManualClock::default()));
        let shared = engine.engine.clone();
        let decision = std::thread::spawn(move || {
            let _held = lock(&shared.shared);
            panic!("on purpose");
        });
        assert!(decision.join().is_err());
        let number = PhoneNumber::from_e164_digits(13_125_550_100).expect("a number");
        let request = AllocationRequest::to(number);
        let ask = Ask {
            request: &request,
            pools: &[],
            agent_limit: caller_id_core::AgentLimit::OFF,
        };
        let refused = engine.allocate(ask).await;
        assert!(matches!(refused, Err(AllocatorError::Stopped)));
        engine.broken().await;
    }
}
