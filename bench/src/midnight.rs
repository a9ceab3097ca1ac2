//! The first seconds of a local day: all numbers that had used up their day are due at once.

use std::sync::Arc;

use anyhow::ensure;
use caller_id_core::{
    AgentLimit, AllocationRequest, Ask, EngineNumber, Limits, ManualClock, Outcome, PhoneNumber,
    Policy, PoolId, Status, Timestamp,
};
use caller_id_engine::memory::State;
use caller_id_engine::redis::Time;

use crate::numbers::inventory;
use crate::pick::Dialer;
use crate::redis::Rig;
use crate::stopwatch::Stopwatch;

const NUMBERS: usize = 100_000;
const PICKS: usize = 20_000;
/// 2026-11-22T23:00:00Z: an hour before midnight in the pool's time zone, which is UTC.
const EVENING: Timestamp = Timestamp::from_ms(1_795_388_400_000);
const HOUR_MS: i64 = 3_600_000;

/// One use a day: picks in the evening use each number up.
fn limits() -> Limits {
    Limits::new(1, 1_000)
}

fn policy() -> Policy {
    Policy {
        reservation_ms: 1,
        cooldown_ms: 0,
        ..Policy::default()
    }
}

/// Prints, for both engines, how long a pick takes in the evening, after midnight, and an hour later, when the rest of the
/// numbers is due as before.
pub(crate) fn run() -> anyhow::Result<()> {
    println!("## Local midnight, {NUMBERS} numbers due at once");
    let numbers = inventory(NUMBERS);
    report("memory engine", &memory(&numbers)?);
    let runtime = tokio::runtime::Runtime::new()?;
    report("Redis engine", &runtime.block_on(redis(&numbers))?);
    println!();
    Ok(())
}

/// Microseconds of a pick.
struct Figures {
    evening: f64,
    midnight: f64,
    later: f64,
    /// The slowest after midnight and later, where each is timed.
    slowest: Option<(f64, f64)>,
}

fn report(engine: &str, figures: &Figures) {
    println!(
        "{engine:>13}: a pick takes {:.2} us in the evening, {:.2} us after midnight, {:.2} us an hour later: {:.2} times as long as then (asked: as fast as any other)",
        figures.evening,
        figures.midnight,
        figures.later,
        figures.midnight / figures.later
    );
    if let Some((midnight, later)) = figures.slowest {
        println!(
            "{:>13}  the slowest: {midnight:.0} us after midnight, {later:.0} us an hour later",
            ""
        );
    }
}

fn memory(numbers: &[PhoneNumber]) -> anyhow::Result<Figures> {
    let mut state = State::default();
    state.put_pool(&PoolId::default(), policy(), EVENING);
    for number in numbers {
        let row = EngineNumber {
            number: *number,
            area_code: number.area_code(),
            status: Status::Active,
            pool: PoolId::default(),
            limits: limits(),
        };
        state.put_number(&row, EVENING);
    }
    let mut dialer = Dialer::new(numbers);
    let mut picks = |count: usize, now: Timestamp| {
        let (mut each, mut got) = (Vec::with_capacity(count), 0);
        for _ in 0..count {
            let request = dialer.next_request();
            let watch = Stopwatch::start();
            let ask = Ask {
                request: &request,
                pools: &[PoolId::default()],
                agent_limit: AgentLimit::OFF,
            };
            let decision = state.allocate(ask, now);
            each.push(watch.seconds() * 1e6);
            got += usize::from(matches!(decision.answer, Outcome::Allocated(_)));
        }
        (each, got)
    };
    let (used_up, all) = picks(NUMBERS, EVENING);
    ensure!(all == NUMBERS, "{all} of {NUMBERS} numbers were used up");
    let (midnight, got) = picks(PICKS, EVENING.plus_ms(HOUR_MS));
    ensure!(got == PICKS, "{got} of {PICKS} got a number after midnight");
    let (later, got) = picks(PICKS, EVENING.plus_ms(2 * HOUR_MS));
    ensure!(got == PICKS, "{got} of {PICKS} got a number later");
    let evening = &used_up[NUMBERS / 2..][..PICKS];
    let mean = |each: &[f64]| each.iter().sum::<f64>() / each.len() as f64;
    let most = |each: &[f64]| each.iter().copied().fold(0.0, f64::max);
    Ok(Figures {
        evening: mean(evening),
        midnight: mean(&midnight),
        later: mean(&later),
        slowest: Some((most(&midnight), most(&later))),
    })
}

async fn redis(numbers: &[PhoneNumber]) -> anyhow::Result<Figures> {
    let clock = Arc::new(ManualClock::at(EVENING));
    let rig = Rig::start(policy(), Time::Clock(clock.clone())).await?;
    rig.put(numbers, limits()).await?;
    let mut dialer = Dialer::new(numbers);
    let mut requests = |count: usize| -> Vec<AllocationRequest> {
        (0..count).map(|_| dialer.next_request()).collect()
    };
    rig.ask(requests(NUMBERS / 2)).await?;
    rig.script_us()?;
    rig.ask(requests(PICKS)).await?;
    let evening = rig.script_us()? / PICKS as f64;
    rig.ask(requests(NUMBERS)).await?;
    rig.script_us()?;
    clock.advance_ms(HOUR_MS);
    let got = rig.ask(requests(PICKS)).await?;
    ensure!(got == PICKS, "{got} of {PICKS} got a number after midnight");
    let midnight = rig.script_us()? / PICKS as f64;
    clock.advance_ms(HOUR_MS);
    let got = rig.ask(requests(PICKS)).await?;
    ensure!(got == PICKS, "{got} of {PICKS} got a number later");
    Ok(Figures {
        evening,
        midnight,
        later: rig.script_us()? / PICKS as f64,
        slowest: None,
    })
}
