//! Natural batching: whatever waits goes to Redis in one call, a few calls at a time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::redis::Value;
use caller_id_core::shared::StateId;
use caller_id_core::{AllocatorError, Outcome};
use tokio::sync::oneshot;

use super::Engine;
use super::error::Unreadable;
use super::reply::{Reply, state_id};
use super::step::Arguments;

/// Steps in one call: more would make the first of them wait.
const STEPS_MOST: usize = 32;
/// Calls on their way: while one is answered the next is there.
const CALLS_MOST: usize = 2;
/// Steps that wait: a second's work of Redis or so.
const WAITING_MOST: usize = 16_384;

/// Steps that wait for their turn.
#[derive(Default)]
pub(super) struct Queue(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    steps: VecDeque<Step>,
    calls: usize,
}

/// A step, and who waits for it.
struct Step {
    bytes: Vec<u8>,
    asker: oneshot::Sender<Result<Answer, AllocatorError>>,
}

/// What came of a step, and which state it was taken in.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) reply: Reply,
    pub(super) state: StateId,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a step; tells whether one more call may be on its way.
    fn push(&self, step: Step) -> Result<bool, AllocatorError> {
        let mut waiting = self.lock();
        if waiting.steps.len() >= WAITING_MOST {
            return Err(AllocatorError::Overloaded(WAITING_MOST));
        }
        waiting.steps.push_back(step);
        let starts = waiting.calls < CALLS_MOST;
        waiting.calls += usize::from(starts);
        Ok(starts)
    }

    /// The steps of the next call. None: the call that asks for them is over.
    fn next(&self) -> Option<Vec<Step>> {
        let mut waiting = self.lock();
        let mut steps = Vec::new();
        while steps.len() < STEPS_MOST
            && let Some(step) = waiting.steps.pop_front()
        {
            // Who is gone needs no number.
            if !step.asker.is_closed() {
                steps.push(step);
            }
        }
        if steps.is_empty() {
            waiting.calls -= 1;
            return None;
        }
        Some(steps)
    }
}

/// Takes a step together with whatever waits, and waits for the reply at most as long as Redis may take.
pub(super) async fn submit(engine: &Arc<Engine>, bytes: Vec<u8>) -> Result<Answer, AllocatorError> {
    let (asker, answer) = oneshot::channel();
    if engine.queue.push(Step { bytes, asker })? {
        tokio::spawn(work(engine.clone()));
    }
    let patience = engine.response_timeout;
    match tokio::time::timeout(patience, answer).await {
        Ok(answered) => answered.map_err(|_| AllocatorError::Stopped)?,
        Err(_) => Err(engine.link.late()),
    }
}

/// Calls Redis for as long as steps wait.
async fn work(engine: Arc<Engine>) {
    let broken_off = BrokenOff(&engine.queue);
    while let Some(steps) = engine.queue.next() {
        call(&engine, steps).await;
    }
    std::mem::forget(broken_off);
}

/// Dropped by calls that did not come to their end: others may take their place.
struct BrokenOff<'a>(&'a Queue);

impl Drop for BrokenOff<'_> {
    fn drop(&mut self) {
        self.0.lock().calls -= 1;
    }
}

async fn call(engine: &Arc<Engine>, steps: Vec<Step>) {
    let mut arguments: Arguments = vec![engine.outbox_most.to_string().into()];
    let mut askers = Vec::with_capacity(steps.len());
    for step in steps {
        arguments.push(step.bytes);
        askers.push(step.asker);
    }
    let replies: Result<Vec<Value>, _> = engine.run(&engine.scripts.decide, &arguments).await;
    let replies = replies.and_then(|replies| all(replies, askers.len()));
    match replies {
        Ok((state, replies)) => {
            for (asker, reply) in askers.into_iter().zip(replies) {
                let reply = Reply::read(reply).map_err(AllocatorError::from);
                if let Ok(Reply::Failed(why)) = &reply {
                    engine.link.doubt_if_elsewhere(why);
                }
                answer(engine, asker, reply.map(|reply| Answer { reply, state }));
            }
        }
        Err(error) => {
            for asker in askers {
                // Nobody waits any more: nothing to say.
                let _ = asker.send(Err(error.clone()));
            }
        }
    }
}

/// The state, and a reply to each step.
fn all(mut replies: Vec<Value>, asked: usize) -> Result<(StateId, Vec<Value>), AllocatorError> {
    if replies.len() != asked + 1 {
        let got = replies.len();
        return Err(Unreadable(format!("{got} replies to {asked} steps")).into());
    }
    let state = state_id(&replies.remove(0))?;
    Ok((state, replies))
}

/// Tells who asked; what nobody waits for any more is given back.
fn answer(
    engine: &Arc<Engine>,
    asker: oneshot::Sender<Result<Answer, AllocatorError>>,
    reply: Result<Answer, AllocatorError>,
) {
    if let Err(Ok(unheard)) = asker.send(reply)
        && let Reply::Outcome(Outcome::Allocated(allocation)) = unheard.reply
        && !allocation.repeated
    {
        engine.give_back(&allocation.record);
    }
}
