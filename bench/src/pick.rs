//! A pick in process with all rules on: agent limit, sticky, call id, limits, cooldown, ladder.

use std::hint::black_box;

use caller_id_core::{
    AgentId, AgentLimit, AllocationRequest, Ask, CallId, EngineNumber, Limits, Outcome,
    PhoneNumber, Policy, PoolId, Status, Timestamp,
};
use caller_id_engine::memory::State;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::numbers::inventory;
use crate::stopwatch::Stopwatch;

const PICKS: usize = 1_000_000;
/// Asked for before the bench is timed, so that sticky numbers, windows and maps are as full as they get.
const WARM_UP: usize = 2_000_000;
/// Requests are made so many at a time, and only their answering is timed: a dialer's request is fresh in the cache.
const CHUNK: usize = 1_000;
const AGENTS: usize = 500;
const START: Timestamp = Timestamp::from_ms(1_795_359_600_000);

/// Picks a second on one core, with this many numbers.
fn picks_a_second(count: usize) -> f64 {
    let numbers = inventory(count);
    let mut dialer = Dialer::new(&numbers);
    let mut state = filled(&numbers);
    // The pace at which each number is used 40 times an hour, whatever their count.
    let step_us = 3_600_000_000 / (count as i64 * 40);
    let (mut seconds, mut refused) = (0.0, 0);
    for from in (0..WARM_UP + PICKS).step_by(CHUNK) {
        let asked: Vec<AllocationRequest> = (0..CHUNK).map(|_| dialer.next_request()).collect();
        let watch = Stopwatch::start();
        for (request, pick) in asked.iter().zip(from..) {
            let now = START.plus_ms(pick as i64 * step_us / 1_000);
            let ask = Ask {
                request,
                pools: &[PoolId::default()],
                agent_limit: AgentLimit::per_minute(1_000_000),
            };
            let decision = black_box(state.allocate(ask, now));
            refused += usize::from(!matches!(decision.answer, Outcome::Allocated(_)));
        }
        if from >= WARM_UP {
            seconds += watch.seconds();
        }
    }
    assert!(
        refused * 100 < PICKS,
        "{refused} of {PICKS} picks were refused: the bench must measure picks"
    );
    PICKS as f64 / seconds
}

/// Makes requests as a dialer does: each for another call, most near one of the numbers.
pub(crate) struct Dialer<'a> {
    numbers: &'a [PhoneNumber],
    random: SmallRng,
    calls: u64,
}

impl<'a> Dialer<'a> {
    pub(crate) fn new(numbers: &'a [PhoneNumber]) -> Self {
        Self {
            numbers,
            random: SmallRng::seed_from_u64(7),
            calls: 0,
        }
    }

    pub(crate) fn next_request(&mut self) -> AllocationRequest {
        self.calls += 1;
        let near = self.numbers[self.random.random_range(0..self.numbers.len())].e164_digits();
        let digits =
            near / 10_000_000 * 10_000_000 + 2_000_000 + self.random.random_range(0..7_999_999);
        AllocationRequest {
            destination: PhoneNumber::from_e164_digits(digits)
                .expect("the exchange starts with 2 to 9"),
            campaign: None,
            agent: AgentId::new(&format!("agent{}", self.random.random_range(0..AGENTS))).ok(),
            call_id: CallId::new(&format!("V1122074740{:09}", self.calls)).ok(),
        }
    }
}

fn filled(numbers: &[PhoneNumber]) -> State {
    let mut state = State::default();
    let policy = Policy {
        reservation_ms: 60_000,
        sticky_ms: 3_600_000,
        ..Policy::default()
    };
    state.put_pool(&PoolId::default(), policy, START);
    for number in numbers {
        let row = EngineNumber {
            number: *number,
            area_code: number.area_code(),
            status: Status::Active,
            pool: PoolId::default(),
            limits: Limits::new(5_000, 60),
        };
        state.put_number(&row, START);
    }
    state
}

/// Prints picks a second at 1,000, 20,000 and 1,000,000 numbers, and how much slower a thousand times the numbers is.
pub(crate) fn run() {
    println!("## A pick in process, all rules on, one core");
    let rates: Vec<(usize, f64)> = [1_000, 20_000, 1_000_000]
        .into_iter()
        .map(|count| (count, picks_a_second(count)))
        .collect();
    for (count, rate) in &rates {
        println!("{count:>9} numbers: {rate:>10.0} picks a second");
    }
    println!(
        "20,000 numbers: {:.0} picks a second (asked: at least 700,000)",
        rates[1].1
    );
    println!(
        "1,000,000 numbers against 1,000: {:.2} times slower (asked: at most 4)",
        rates[0].1 / rates[2].1
    );
}
