//! The built binary, killed and stopped under load: what it answered holds.

#![cfg(unix)]

#[path = "process_kit/client.rs"]
mod client;
#[path = "process_kit/inventory.rs"]
mod inventory;
#[path = "process_kit/load.rs"]
mod load;
#[path = "process_kit/process.rs"]
mod process;
#[path = "process_kit/verdict.rs"]
mod verdict;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use load::{Told, ask_again, callers, load};
use process::{Process, serve};
use verdict::{faults, history};

const SEEDS: [u64; 4] = [1, 20_261_122, 3_125_550_100, 987_654_321];
/// How often each seed's service is killed under load.
const ROUNDS: u64 = 24;
/// Each so many rounds it is killed while it starts, too.
const ROUNDS_BETWEEN_KILLED_STARTS: u64 = 4;

/// What came of one seed.
struct Run {
    told: Told,
    faults: Vec<String>,
    kills_in_flight: usize,
    repeated_after_a_kill: usize,
}

#[test]
fn a_kill_at_any_instant_under_load_loses_nothing_acknowledged_and_doubles_nothing() {
    let runs = thread::scope(|scope| {
        SEEDS
            .map(|seed| scope.spawn(move || run(seed)))
            .map(|run| run.join().expect("a run does not panic"))
    });
    for (run, seed) in runs.iter().zip(SEEDS) {
        assert_eq!(run.faults, Vec::<String>::new(), "seed {seed}");
        let told = &run.told;
        // Without these the test would show little.
        let rounds = ROUNDS as usize;
        assert!(told.handed.len() > 300, "{} handed", told.handed.len());
        assert!(told.ended.len() > 200, "{} ended", told.ended.len());
        assert!(run.kills_in_flight + 2 > rounds, "{}", run.kills_in_flight);
        assert!(run.repeated_after_a_kill > rounds);
        for cause in ["cooldown", "hourly_limit", "daily_limit", "agent"] {
            assert!(
                told.causes.contains(cause),
                "nothing was refused for {cause}"
            );
        }
    }
}

fn run(seed: u64) -> Run {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let mut random = SmallRng::seed_from_u64(seed);
    let mut run = Run {
        told: Told::default(),
        faults: Vec::new(),
        kills_in_flight: 0,
        repeated_after_a_kill: 0,
    };
    fill(folder);
    for round in 0..ROUNDS {
        let process = Process::start(serve(folder));
        let name = format!("again{round}");
        run.repeated_after_a_kill += ask_again(&process, &name, &mut run.told);
        let callers = callers(&process, &format!("r{round}"), random.random());
        let (calls, made) = (random.random_range(50..800), AtomicUsize::new(0));
        let instant = Duration::from_micros(random.random_range(0..5_000));
        let told = load(
            process,
            callers,
            |_| count(&made),
            |process| {
                await_calls(&made, calls);
                // The instant at which it dies is what is random here.
                thread::sleep(instant);
                process.kill();
            },
        );
        run.kills_in_flight += usize::from(told.cut > 0);
        run.told.take(told);
        if round % ROUNDS_BETWEEN_KILLED_STARTS == 0 {
            kill_a_start(folder, Duration::from_millis(random.random_range(0..80)));
        }
    }
    let process = Process::start(serve(folder));
    run.repeated_after_a_kill += ask_again(&process, "again", &mut run.told);
    process.terminate();
    assert_eq!(process.exit_code(), Some(0));
    run.faults.extend(faults(&history(folder), &run.told));
    run
}

/// Counts a call; it is never enough.
fn count(made: &AtomicUsize) -> bool {
    made.fetch_add(1, Ordering::Relaxed);
    false
}

/// Waits until so many calls were made, however long the machine takes for them.
fn await_calls(made: &AtomicUsize, calls: usize) {
    /// A minute in all.
    const LOOKS: u32 = 60_000;
    for _ in 0..LOOKS {
        if made.load(Ordering::Relaxed) >= calls {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
    panic!("{calls} calls are not made in a minute: {made:?}");
}

fn fill(folder: &Path) {
    let process = Process::start(serve(folder));
    inventory::fill(&mut process.connect());
    process.kill();
}

fn kill_a_start(folder: &Path, instant: Duration) {
    let mut child = serve(folder).spawn().expect("it starts");
    thread::sleep(instant);
    child.kill().expect("it runs");
    child.wait().expect("it ends");
}

#[test]
fn a_sigterm_under_load_answers_all_that_it_accepted_and_exits_with_0() {
    let folder = tempfile::tempdir().expect("a folder");
    fill(folder.path());
    let mut told = Told::default();
    for round in 0..5 {
        let process = Process::start(serve(folder.path()));
        let callers = callers(&process, &format!("r{round}"), round);
        let made = AtomicUsize::new(0);
        told.take(load(
            process,
            callers,
            |_| count(&made),
            |process| {
                await_calls(&made, 300);
                process.terminate();
                assert_eq!(process.exit_code(), Some(0));
            },
        ));
    }
    assert!(told.handed.len() > 300, "{} handed", told.handed.len());
    assert_eq!(told.torn, 0, "answers ended in their middle");
    // Who got no answer was not accepted: there is no number in history for such a call.
    told.unknown.clear();
    assert_eq!(faults(&history(folder.path()), &told), Vec::<String>::new());
}
