//! What failed was never there: an engine whose commits fail now and then answers as one that was never asked it.

use std::num::NonZeroU16;

use caller_id_core::{Allocator, AllocatorError, CallEnd, Limits, Outcome, Policy, ReleaseTarget};
use caller_id_testkit::builders::{brisk_policy, call, engine_number, number, request};

use super::rig::{Rig, rig};

const NUMBERS: u64 = 7;

/// Some numbers that look random.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % sides
    }
}

#[derive(Debug, Clone, Copy)]
struct Step {
    what: u64,
    destination: u64,
    agent: u64,
    call: u64,
}

/// What a step is answered, without the ids.
async fn take(rig: &Rig, step: Step) -> Result<String, AllocatorError> {
    let call_id = format!("c{}", step.call);
    if step.what < 3 {
        let target = ReleaseTarget::Call(call(&call_id));
        let ended = rig.engine.release(&target, CallEnd::Answer).await?;
        return Ok(format!("{:?}", ended.map(|end| end.at)));
    }
    let agent = ["", "a", "b"][step.agent as usize];
    let call_id = if step.call < 12 { &call_id } else { "" };
    let asked = request(number(312, step.destination), agent, call_id);
    Ok(match rig.ask(&asked).await? {
        Outcome::Allocated(got) => format!(
            "{} {:?} {:?} {} {}",
            got.record.number, got.record.rung, got.agent_remaining, got.repeated, got.record.at
        ),
        other => format!("{other:?}"),
    })
}

fn step(dice: &mut Dice) -> Step {
    Step {
        what: dice.roll(10),
        destination: 3 + dice.roll(30),
        agent: dice.roll(3),
        call: dice.roll(20),
    }
}

#[tokio::test]
async fn what_failed_was_never_there() {
    for seed in 0..30 {
        let mut dice = Dice(seed);
        let policy = Policy {
            sticky_ms: 400_000,
            cooldown_ms: 20_000,
            reservation_ms: 100_000,
            most_reservations: NonZeroU16::MIN.saturating_add((seed % 3) as u16),
            ..brisk_policy()
        };
        let (failing, plain) = (
            rig(NUMBERS, policy.clone()).await,
            rig(NUMBERS, policy.clone()).await,
        );
        for rig in [&failing, &plain] {
            let limited = (0..NUMBERS).map(|line| {
                let mut number = engine_number(number(312, line));
                number.limits = Limits::new(40, 9);
                number
            });
            rig.engine
                .put_numbers(limited.collect())
                .await
                .expect("taken");
        }
        for round in 0..400 {
            if dice.roll(4) == 0 {
                failing.history.close_gate();
                let lost: Vec<_> = (0..1 + dice.roll(6)).map(|_| step(&mut dice)).collect();
                let ms = dice.roll(3) as i64 * 60_000;
                failing.history.fail_every(Some(1));
                let asking = lost.iter().map(|step| take(&failing, *step));
                let between = async {
                    for _ in 0..20 {
                        tokio::task::yield_now().await;
                    }
                    failing.clock.advance_ms(ms);
                    plain.clock.advance_ms(ms);
                    failing.history.open_gate();
                };
                all_ended(asking.collect(), between).await;
                failing.history.fail_every(None);
            }
            let ms = dice.roll(30_000) as i64;
            failing.clock.advance_ms(ms);
            plain.clock.advance_ms(ms);
            let next = step(&mut dice);
            let answers = (take(&failing, next).await, take(&plain, next).await);
            let (one, other) = (answers.0.expect("works"), answers.1.expect("works"));
            assert_eq!(one, other, "seed {seed}, round {round}: {next:?}");
            assert_eq!(
                failing.states(NUMBERS).await,
                plain.states(NUMBERS).await,
                "seed {seed}, round {round}: {next:?}"
            );
        }
    }
}

/// Polls all in turn, then `between`, until all have ended.
async fn all_ended<T>(asking: Vec<impl Future<Output = T>>, between: impl Future<Output = ()>) {
    let mut asking: Vec<_> = asking.into_iter().map(Box::pin).map(Some).collect();
    let mut between = Box::pin(between);
    let mut opened = false;
    std::future::poll_fn(|context| {
        let mut waiting = false;
        for slot in &mut asking {
            if let Some(future) = slot {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(_) => *slot = None,
                    std::task::Poll::Pending => waiting = true,
                }
            }
        }
        opened = opened || between.as_mut().poll(context).is_ready();
        match waiting || !opened {
            true => std::task::Poll::Pending,
            false => std::task::Poll::Ready(()),
        }
    })
    .await;
}
